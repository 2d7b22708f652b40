//! How the state changes, and what follows from a change.

use std::collections::BTreeSet;

use super::attribute::Object;
use super::setting::AtlassianSettings;
use super::world::{Effect, Group, GroupKey, User, UserKey, World, folded, primary_email, uuid};

/// What a write to a user named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// Nothing but `active`.
    ActiveOnly,
    /// Something else, be it with the value that is there already.
    Profile,
}

impl AtlassianSettings {
    /// Whether accounts with this address are managed: whether its domain is verified.
    pub fn manages(&self, email: &str) -> bool {
        let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.verified_domains.iter().any(|verified| verified.eq_ignore_ascii_case(domain))
    }
}

impl World {
    /// Adds a user and links it to the account of its address, an old one where there is one: the specification says
    /// "the user in your identity provider is linked to the user in your Atlassian organization". The id is always a
    /// new one.
    pub fn create_user(&mut self, attributes: Object) -> UserKey {
        let key = self.next_key();
        let account_id = Some(self.account_for(primary_email(&attributes)));
        let user = User {
            id: uuid(&format!("user:{key}")),
            attributes,
            account_id,
            groups: BTreeSet::new(),
            created_ms: self.now_ms,
            modified_ms: self.now_ms,
            created_by: self.request,
        };
        let effect = Effect::CreatedUser { user: user.user_name().to_owned() };
        self.users.insert(key, user);
        self.index_user(key);
        self.change(effect);
        key
    }

    /// Gives a user other attributes.
    pub fn change_user(&mut self, settings: &AtlassianSettings, key: UserKey, attributes: Object, touch: Touch) {
        let Some(before) = self.users.get(&key).map(|user| user.attributes.clone()) else { return };
        let (old, new) = (primary_email(&before).to_owned(), primary_email(&attributes).to_owned());
        if attributes != before {
            self.forget_user(key);
            let effects = differences(&before, &attributes);
            if let Some(user) = self.users.get_mut(&key) {
                user.attributes = attributes;
                user.modified_ms = self.now_ms;
            }
            self.index_user(key);
            for effect in effects {
                self.change(effect);
            }
        }
        match (touch, settings.manages(&old) && settings.manages(&new)) {
            // KB "Email address change via User Provisioning is not reflected": any update of an unmanaged account
            // unlinks it and takes it out of the groups, and so does an address in a domain that is not verified.
            // ACCESS-1003 says that an update which changes nothing does it too.
            (Touch::Profile, false) => self.unlink_user(key),
            // The same KB: from one verified domain to another the account is kept.
            (Touch::Profile, true) if folded(&old) != folded(&new) => self.move_account(&old, &new),
            (Touch::ActiveOnly, _) | (Touch::Profile, true) => {}
        }
    }

    /// Takes a user from its account and out of its groups; correcting the address later does not undo it
    /// (ACCESS-1737).
    pub fn unlink_user(&mut self, key: UserKey) {
        let Some(user) = self.users.get_mut(&key) else { return };
        let name = user.user_name().to_owned();
        if user.account_id.take().is_some() {
            self.change(Effect::Unlinked { user: name });
        }
        self.drop_memberships(key);
    }

    /// Drops the record. The account stays (`OAS-2026`: "unlinks", "deletes the SCIM record", never the account).
    pub fn delete_user(&mut self, key: UserKey) {
        self.drop_memberships(key);
        self.forget_user(key);
        if let Some(user) = self.users.remove(&key) {
            self.change(Effect::DeletedUser { user: user.user_name().to_owned() });
        }
    }

    /// Adds a group.
    pub fn create_group(&mut self, settings: &AtlassianSettings, name: &str, external_id: Option<String>) -> GroupKey {
        let key = self.next_key();
        let reserved = settings.reserved_group_names.iter().any(|r| folded(r) == folded(name));
        let group = Group {
            id: uuid(&format!("group:{key}")),
            name: name.to_owned(),
            external_id,
            members: BTreeSet::new(),
            // "You'll see a success message in the API response but the group will not be synced to your site."
            propagated: !reserved,
            created_ms: self.now_ms,
            modified_ms: self.now_ms,
        };
        self.groups.insert(key, group);
        self.index_group(key);
        self.change(Effect::CreatedGroup { group: name.to_owned() });
        key
    }

    /// Gives a group other members.
    pub fn set_members(&mut self, key: GroupKey, members: BTreeSet<UserKey>) {
        let Some(group) = self.groups.get_mut(&key) else { return };
        let name = group.name.clone();
        let before = std::mem::replace(&mut group.members, members);
        let joined: Vec<UserKey> = group.members.difference(&before).copied().collect();
        let left: Vec<UserKey> = before.difference(&group.members).copied().collect();
        if joined.is_empty() && left.is_empty() {
            return;
        }
        group.modified_ms = self.now_ms;
        for member in joined {
            if let Some(user) = self.users.get_mut(&member) {
                user.groups.insert(key);
                let user = user.user_name().to_owned();
                self.change(Effect::Joined { user, group: name.clone() });
            }
        }
        for member in left {
            if let Some(user) = self.users.get_mut(&member) {
                user.groups.remove(&key);
                let user = user.user_name().to_owned();
                self.change(Effect::Left { user, group: name.clone() });
            }
        }
    }

    /// Gives a group another id of the client.
    pub fn set_group_external_id(&mut self, key: GroupKey, external_id: Option<String>) {
        let Some(group) = self.groups.get_mut(&key) else { return };
        if group.external_id != external_id {
            group.external_id = external_id;
            group.modified_ms = self.now_ms;
            let group = group.name.clone();
            self.change(Effect::ChangedGroup { attribute: "externalId".to_owned(), group });
        }
    }

    /// Drops a group.
    pub fn delete_group(&mut self, key: GroupKey) {
        self.set_members(key, BTreeSet::new());
        self.forget_group(key);
        if let Some(group) = self.groups.remove(&key) {
            self.change(Effect::DeletedGroup { group: group.name });
        }
    }

    fn drop_memberships(&mut self, key: UserKey) {
        let Some(user) = self.users.get_mut(&key) else { return };
        let name = user.user_name().to_owned();
        for group in std::mem::take(&mut user.groups) {
            if let Some(group) = self.groups.get_mut(&group) {
                group.members.remove(&key);
                group.modified_ms = self.now_ms;
                let group = group.name.clone();
                self.change(Effect::Left { user: name.clone(), group });
            }
        }
    }
}

fn differences(before: &Object, after: &Object) -> Vec<Effect> {
    let user = || after.get("userName").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    changed
        .map(|name| match (name.as_str(), after.get(name).and_then(serde_json::Value::as_bool)) {
            ("active", Some(false)) => Effect::Deactivated { user: user() },
            ("active", _) => Effect::Reactivated { user: user() },
            _ => Effect::Changed { attribute: name.clone(), user: user() },
        })
        .collect()
}
