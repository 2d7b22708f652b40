//! What tests see of the state, and how somebody else changes it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::AtlassianSim;
use super::attribute::{Object, USER};
use super::change::Touch;
use super::patch::{Operation, Verb, apply};
use super::setting::AtlassianSettings;
use super::user::{check_user, whole_user};
use super::watch::Watch;
use super::world::{Effect, Group, GroupKey, User, UserKey, World};

/// A whole directory as a value, without what the service made up (ids and times).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// By userName.
    pub users: BTreeMap<String, UserView>,
    /// The userNames of the members, by displayName.
    pub groups: BTreeMap<String, BTreeSet<String>>,
}

/// A user in a [`Snapshot`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserView {
    /// The client's id.
    pub external_id: Option<String>,
    /// Whether the account may be used.
    pub active: bool,
    /// The primary address.
    pub email: String,
    /// Whether an Atlassian account is linked.
    pub linked: bool,
    /// Every other attribute.
    pub attributes: BTreeMap<String, Value>,
}

/// A whole directory with its settings and everything that the service knows about it, to be put back.
#[derive(Clone, Debug)]
pub struct Kept {
    settings: AtlassianSettings,
    world: World,
    watch: Watch,
}

impl AtlassianSim {
    /// The directory as it stands, to be put back as often as a test tries the same thing again.
    pub fn keep(&self) -> Kept {
        Kept { settings: self.settings.clone(), world: self.world.clone(), watch: self.watch.clone() }
    }

    /// Puts a directory back. The clock goes on.
    pub fn put_back(&mut self, kept: &Kept) {
        self.settings = kept.settings.clone();
        self.world = kept.world.clone();
        self.watch = kept.watch.clone();
    }

    /// All users, in the order of their creation.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.world.users.values()
    }

    /// All groups, in the order of their creation.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.world.groups.values()
    }

    /// The user with this name.
    pub fn user_by_user_name(&self, user_name: &str) -> Option<&User> {
        self.world.user_named(user_name).map(|(_, user)| user)
    }

    /// The user with this id of the client.
    pub fn user_by_external_id(&self, external_id: &str) -> Option<&User> {
        self.world.user_with_external_id(external_id).map(|(_, user)| user)
    }

    /// The group with this name.
    pub fn group_by_name(&self, name: &str) -> Option<&Group> {
        self.world.group_named(name).map(|(_, group)| group)
    }

    /// The userNames of a group's members; empty where there is no such group.
    pub fn members_of(&self, group: &str) -> BTreeSet<String> {
        self.group_by_name(group).map(|group| self.member_names(group)).unwrap_or_default()
    }

    /// The whole directory as a value.
    pub fn snapshot(&self) -> Snapshot {
        let view = |user: &User| {
            let mut attributes: BTreeMap<String, Value> = user.attributes.clone().into_iter().collect();
            for name in ["userName", "externalId", "active"] {
                attributes.remove(name);
            }
            UserView {
                external_id: user.external_id().map(str::to_owned),
                active: user.active(),
                email: user.email().to_owned(),
                linked: user.account_id.is_some(),
                attributes,
            }
        };
        Snapshot {
            users: self.users().map(|user| (user.user_name().to_owned(), view(user))).collect(),
            groups: self.groups().map(|group| (group.name.clone(), self.member_names(group))).collect(),
        }
    }

    /// What requests changed, in order.
    pub fn effects(&self) -> &[Effect] {
        &self.world.effects
    }

    /// The same in plain words.
    pub fn effect_lines(&self) -> Vec<String> {
        self.effects().iter().map(ToString::to_string).collect()
    }

    /// The promises of our product that requests broke, in order.
    pub fn violations(&self) -> Vec<String> {
        self.watch.violations().to_vec()
    }

    /// Adds an active user and returns its id. The address is the name, in the first verified domain where it has none.
    /// A user with that name or address is left as it is, and its id returned.
    pub fn add_user(&mut self, user_name: &str, external_id: Option<&str>) -> String {
        let domain = self.settings.verified_domains.first().map_or("example.com", String::as_str);
        let email = if user_name.contains('@') { user_name.to_owned() } else { format!("{user_name}@{domain}") };
        let there = self.world.user_named(user_name).or_else(|| self.world.user_with_email(&email));
        if let Some((_, user)) = there {
            return user.id.clone();
        }
        let mut attributes = Object::from_iter([
            ("userName".to_owned(), json!(user_name)),
            ("displayName".to_owned(), json!(user_name)),
            ("emails".to_owned(), json!([{ "value": email, "type": "work", "primary": true }])),
            ("active".to_owned(), json!(true)),
        ]);
        if let Some(external_id) = external_id {
            attributes.insert("externalId".to_owned(), json!(external_id));
        }
        let key = self.quietly(|world| world.create_user(attributes));
        self.world.users.get(&key).map(|user| user.id.clone()).unwrap_or_default()
    }

    /// Adds a user as a POST would, and returns its id or why it cannot be.
    pub fn add_user_from(&mut self, resource: &Value) -> Result<String, String> {
        let body = resource.as_object().ok_or("a user is an object")?;
        let attributes = whole_user(body).map_err(|refusal| refusal.detail)?;
        self.check_unique(None, &attributes).map_err(|refusal| refusal.detail)?;
        let key = self.quietly(|world| world.create_user(attributes));
        Ok(self.world.users.get(&key).map(|user| user.id.clone()).unwrap_or_default())
    }

    /// Adds a group and returns its id; one that is there already is left as it is.
    pub fn add_group(&mut self, name: &str) -> String {
        if let Some((_, group)) = self.world.group_named(name) {
            return group.id.clone();
        }
        let settings = self.settings.clone();
        let key = self.quietly(|world| world.create_group(&settings, name, None));
        self.world.groups.get(&key).map(|group| group.id.clone()).unwrap_or_default()
    }

    /// Somebody else adds a member; false where user or group do not exist.
    pub fn add_member(&mut self, group: &str, user_name: &str) -> bool {
        self.change_members(group, user_name, BTreeSet::insert)
    }

    /// Somebody else removes a member; false where it was none.
    pub fn remove_member(&mut self, group: &str, user_name: &str) -> bool {
        self.change_members(group, user_name, |members, user| members.remove(&user))
    }

    /// Somebody else writes one attribute, named as in a PATCH path; null removes it. Nothing follows from it: the
    /// account stays linked.
    pub fn edit_user(&mut self, user_name: &str, path: &str, value: Value) -> Result<(), String> {
        let (key, user) = self.world.user_named(user_name).ok_or_else(|| format!("no user {user_name}"))?;
        let mut attributes = user.attributes.clone();
        let verb = if value.is_null() { Verb::Remove } else { Verb::Add };
        // Lists are replaced: an edit says what is there afterwards.
        let verb = if value.is_array() { Verb::Replace } else { verb };
        let operation = Operation { verb, path: Some(path.to_owned()), value };
        apply(&USER, &mut attributes, &operation, &mut BTreeSet::new())
            .and_then(|()| check_user(&attributes))
            .and_then(|()| self.check_unique(Some(key), &attributes))
            .map_err(|refusal| refusal.detail)?;
        let settings = self.settings.clone();
        self.quietly(|world| world.change_user(&settings, key, attributes, Touch::ActiveOnly));
        Ok(())
    }

    /// Somebody else deletes a user; false where there is none.
    pub fn remove_user(&mut self, user_name: &str) -> bool {
        let key = self.world.user_named(user_name).map(|(key, _)| key);
        key.map(|key| self.quietly(|world| world.delete_user(key))).is_some()
    }

    /// Somebody else deletes a group; false where there is none.
    pub fn remove_group(&mut self, name: &str) -> bool {
        let key = self.world.group_named(name).map(|(key, _)| key);
        key.map(|key| self.quietly(|world| world.delete_group(key))).is_some()
    }

    /// An administrator unlinks a user from its account; false where there is no such user.
    pub fn unlink(&mut self, user_name: &str) -> bool {
        let key = self.world.user_named(user_name).map(|(key, _)| key);
        key.map(|key| self.quietly(|world| world.unlink_user(key))).is_some()
    }

    /// Forgets effects and violations, so that a story can begin.
    pub fn forget_the_past(&mut self) {
        self.world.effects.clear();
        self.watch = Watch::default();
    }

    pub(super) fn member_names(&self, group: &Group) -> BTreeSet<String> {
        let users = group.members.iter().filter_map(|key| self.world.users.get(key));
        users.map(|user| user.user_name().to_owned()).collect()
    }

    fn change_members(
        &mut self,
        group: &str,
        user_name: &str,
        change: impl FnOnce(&mut BTreeSet<UserKey>, UserKey) -> bool,
    ) -> bool {
        let user = self.world.user_named(user_name).map(|(key, _)| key);
        let group: Option<(GroupKey, BTreeSet<UserKey>)> =
            self.world.group_named(group).map(|(key, group)| (key, group.members.clone()));
        let (Some(user), Some((group, mut members))) = (user, group) else { return false };
        let changed = change(&mut members, user);
        self.quietly(|world| world.set_members(group, members));
        changed
    }

    /// Changes the state without the changes becoming the client's.
    fn quietly<T>(&mut self, change: impl FnOnce(&mut World) -> T) -> T {
        let length = self.world.effects.len();
        let outcome = change(&mut self.world);
        self.world.effects.truncate(length);
        outcome
    }
}

impl Snapshot {
    /// Whether two directories hold the same people in the same groups, whatever their other attributes.
    pub fn same_access(&self, other: &Self) -> bool {
        let active = |snapshot: &Self| -> BTreeSet<String> {
            snapshot.users.iter().filter(|(_, user)| user.active).map(|(name, _)| name.clone()).collect()
        };
        active(self) == active(other) && self.groups == other.groups
    }
}
