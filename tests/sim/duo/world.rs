//! The state of a Duo tenant: people, groups, who is in which. Ids are made from a counter, so that runs repeat.
#![expect(clippy::panic, reason = "a test that names somebody who does not exist is a mistake in the test")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// When the first object of a new tenant was created; each later one a second later.
const CREATED_FIRST: i64 = 1_700_000_000;

/// People and groups. Lists show them in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub struct DuoWorld {
    /// By the number under which they were made, which is the order of lists.
    people: BTreeMap<u64, SimPerson>,
    groups: BTreeMap<u64, SimGroup>,
    numbers: BTreeMap<String, u64>,
    made: u64,
}

/// A user object.
#[derive(Clone, Debug, Default)]
pub struct SimPerson {
    /// Its stable key.
    pub user_id: String,
    /// The name to log in with; can change.
    pub username: String,
    /// Up to eight other names.
    pub aliases: Vec<String>,
    /// The address; empty when there is none.
    pub email: String,
    /// The full name.
    pub realname: Option<String>,
    /// The given name.
    pub firstname: Option<String>,
    /// The family name.
    pub lastname: Option<String>,
    /// `active`, `bypass`, `disabled`, `locked out`, `pending deletion`.
    pub status: String,
    /// Whether a device is enrolled.
    pub is_enrolled: bool,
    /// When a directory last synced it.
    pub last_directory_sync: Option<i64>,
    /// The directory's own id of it.
    pub external_id: Option<String>,
    /// When it was created.
    pub created: i64,
    /// When it was last used.
    pub last_login: Option<i64>,
    /// Why it is locked out.
    pub lockout_reason: Option<String>,
    /// An administrator's notes.
    pub notes: String,
    /// Phone objects.
    pub phones: Vec<Value>,
    /// Hardware token objects.
    pub tokens: Vec<Value>,
    /// The ids of its groups, in the order they were joined.
    pub groups: Vec<String>,
    /// Fields added to its JSON, or put in the place of others: what a real tenant may send unasked.
    pub custom: BTreeMap<String, Value>,
    /// Fields left out of its JSON.
    pub without: BTreeSet<String>,
}

/// A group object.
#[derive(Clone, Debug, Default)]
pub struct SimGroup {
    /// Its stable key.
    pub group_id: String,
    /// Its name; can change.
    pub name: String,
    /// Its description.
    pub desc: String,
    /// `Active`, `Bypass`, `Disabled`.
    pub status: String,
    /// The ids of its members, in the order they joined.
    pub members: Vec<String>,
    /// Fields added to its JSON, or put in the place of others.
    pub custom: BTreeMap<String, Value>,
}

impl DuoWorld {
    /// Adds an empty group and says its id.
    pub fn add_group(&mut self, name: &str) -> String {
        let group_id = self.next_id("DG");
        let group = SimGroup {
            group_id: group_id.clone(),
            name: name.to_owned(),
            status: "Active".to_owned(),
            ..SimGroup::default()
        };
        self.groups.insert(self.made, group);
        group_id
    }

    /// Adds an active person without groups and says the id.
    pub fn add_person(&mut self, username: &str, email: &str) -> String {
        let user_id = self.next_id("DU");
        let person = SimPerson {
            user_id: user_id.clone(),
            username: username.to_owned(),
            email: email.to_owned(),
            status: "active".to_owned(),
            is_enrolled: true,
            created: CREATED_FIRST.saturating_add_unsigned(self.made),
            ..SimPerson::default()
        };
        self.people.insert(self.made, person);
        user_id
    }

    /// Puts a person into a group; who is in it already stays where they are.
    #[track_caller]
    pub fn join(&mut self, user_id: &str, group_id: &str) {
        let groups = &mut self.person_mut(user_id).groups;
        if !groups.iter().any(|id| id == group_id) {
            groups.push(group_id.to_owned());
            self.group_mut(group_id).members.push(user_id.to_owned());
        }
    }

    /// Takes a person out of a group.
    #[track_caller]
    pub fn leave(&mut self, user_id: &str, group_id: &str) {
        self.person_mut(user_id).groups.retain(|id| id != group_id);
        self.group_mut(group_id).members.retain(|id| id != user_id);
    }

    /// Sets a person's status, known or not.
    #[track_caller]
    pub fn set_status(&mut self, user_id: &str, status: &str) {
        status.clone_into(&mut self.person_mut(user_id).status);
    }

    /// Sets a group's status, known or not.
    #[track_caller]
    pub fn set_group_status(&mut self, group_id: &str, status: &str) {
        status.clone_into(&mut self.group_mut(group_id).status);
    }

    /// Gives a person another username.
    #[track_caller]
    pub fn rename(&mut self, user_id: &str, username: &str) {
        username.clone_into(&mut self.person_mut(user_id).username);
    }

    /// Gives a group another name.
    #[track_caller]
    pub fn rename_group(&mut self, group_id: &str, name: &str) {
        name.clone_into(&mut self.group_mut(group_id).name);
    }

    /// Sends a person to the Trash, as directory sync and administrators do; the memberships stay.
    #[track_caller]
    pub fn trash(&mut self, user_id: &str) {
        self.set_status(user_id, "pending deletion");
    }

    /// Removes a person for good: 404 / 40401 from now on.
    #[track_caller]
    pub fn remove_person(&mut self, user_id: &str) {
        for group_id in self.person_mut(user_id).groups.clone() {
            self.leave(user_id, &group_id);
        }
        if let Some(number) = self.numbers.remove(user_id) {
            self.people.remove(&number);
        }
    }

    /// Removes a group for good; its members stay.
    #[track_caller]
    pub fn remove_group(&mut self, group_id: &str) {
        for user_id in self.group_mut(group_id).members.clone() {
            self.leave(&user_id, group_id);
        }
        if let Some(number) = self.numbers.remove(group_id) {
            self.groups.remove(&number);
        }
    }

    /// A person.
    pub fn person(&self, user_id: &str) -> Option<&SimPerson> {
        self.numbers.get(user_id).and_then(|number| self.people.get(number))
    }

    /// A person who must exist, to change. Change memberships with [`Self::join`] and [`Self::leave`].
    #[track_caller]
    pub fn person_mut(&mut self, user_id: &str) -> &mut SimPerson {
        let person = self.numbers.get(user_id).and_then(|number| self.people.get_mut(number));
        person.unwrap_or_else(|| panic!("there is no person `{user_id}` in the simulated Duo"))
    }

    /// A group.
    pub fn group(&self, group_id: &str) -> Option<&SimGroup> {
        self.numbers.get(group_id).and_then(|number| self.groups.get(number))
    }

    /// A group that must exist, to change. Change memberships with [`Self::join`] and [`Self::leave`].
    #[track_caller]
    pub fn group_mut(&mut self, group_id: &str) -> &mut SimGroup {
        let group = self.numbers.get(group_id).and_then(|number| self.groups.get_mut(number));
        group.unwrap_or_else(|| panic!("there is no group `{group_id}` in the simulated Duo"))
    }

    /// Everybody, in the order of lists.
    pub fn people(&self) -> impl Iterator<Item = &SimPerson> {
        self.people.values()
    }

    /// All groups, in the order of lists.
    pub fn groups(&self) -> impl Iterator<Item = &SimGroup> {
        self.groups.values()
    }

    /// The person with this username or alias, whatever the case of its ASCII letters.
    pub fn find_person(&self, name: &str) -> Option<&SimPerson> {
        self.people().find(|person| person.answers_to(name))
    }

    /// The first group of this name.
    pub fn find_group(&self, name: &str) -> Option<&SimGroup> {
        self.groups().find(|group| group.name == name)
    }

    /// A user object with its groups.
    pub fn person_json(&self, person: &SimPerson) -> Value {
        let groups = person.groups.iter().filter_map(|id| self.group(id)).map(SimGroup::json).collect();
        person.json(groups)
    }

    /// Two letters and 18 more of [A-Z0-9], all different; their order says nothing about the order of making.
    fn next_id(&mut self, kind: &str) -> String {
        self.made += 1;
        // Multiplying by an odd number maps every counter to another value.
        let mut bits = u128::from(self.made.wrapping_mul(0x9E37_79B9_7F4A_7C15)) << 24 | 0xA5_3C96;
        let tail = (0..18).map(|_| {
            let digit = u32::try_from(bits % 36).unwrap_or_default();
            bits /= 36;
            char::from_digit(digit, 36).unwrap_or('0').to_ascii_uppercase()
        });
        let id: String = kind.chars().chain(tail).collect();
        self.numbers.insert(id.clone(), self.made);
        id
    }
}

impl SimPerson {
    /// Whether this is the username or one of the aliases, whatever the case of their ASCII letters.
    pub fn answers_to(&self, name: &str) -> bool {
        self.username.eq_ignore_ascii_case(name) || self.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
    }

    /// Whether the person is in the Trash.
    pub fn is_trashed(&self) -> bool {
        self.status == "pending deletion"
    }

    /// A user object with these groups.
    fn json(&self, groups: Vec<Value>) -> Value {
        let alias = |number: usize| self.aliases.get(number - 1);
        let aliases: Map<String, Value> =
            (1_usize..).zip(&self.aliases).map(|(number, alias)| (format!("alias{number}"), json!(alias))).collect();
        let mut fields = json!({
            "user_id": self.user_id,
            "username": self.username,
            "alias1": alias(1),
            "alias2": alias(2),
            "alias3": alias(3),
            "alias4": alias(4),
            "aliases": aliases,
            "email": self.email,
            "realname": self.realname,
            "firstname": self.firstname,
            "lastname": self.lastname,
            "status": self.status,
            "is_enrolled": self.is_enrolled,
            "last_directory_sync": self.last_directory_sync,
            "external_id": self.external_id,
            "enable_auto_prompt": true,
            "created": self.created,
            "last_login": self.last_login,
            "lockout_reason": self.lockout_reason,
            "notes": self.notes,
            "phones": self.phones,
            "tokens": self.tokens,
            "u2ftokens": [],
            "webauthncredentials": [],
            "desktoptokens": [],
        });
        if let Value::Object(fields) = &mut fields {
            fields.insert("groups".to_owned(), Value::Array(groups));
            fields.extend(self.custom.clone());
            fields.retain(|name, _| !self.without.contains(name));
        }
        fields
    }
}

impl SimGroup {
    /// A group object; it never carries its members.
    pub fn json(&self) -> Value {
        let mut fields = json!({
            "group_id": self.group_id,
            "name": self.name,
            "desc": self.desc,
            "status": self.status,
            "push_enabled": false,
            "sms_enabled": false,
            "voice_enabled": false,
            "mobile_otp_enabled": false,
        });
        if let Value::Object(fields) = &mut fields {
            fields.extend(self.custom.clone());
        }
        fields
    }
}
