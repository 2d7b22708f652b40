//! The state of a directory, its indexes, and the few ways in which it changes.
//!
//! What happens is written down as [`Effect`]s; whoever changes the state for another reason than a request of the
//! client takes them back (see `inspect`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use serde_json::Value;

use super::attribute::Object;

/// Numbers users in the order of their creation, which is the order of lists: nothing is documented about it.
pub type UserKey = u64;
/// Numbers groups in the order of their creation.
pub type GroupKey = u64;

/// A user.
#[derive(Clone, Debug)]
pub struct User {
    /// Given by the service; never the account id.
    pub id: String,
    /// What the client wrote, in the service's spelling.
    pub attributes: Object,
    /// The linked account.
    pub account_id: Option<String>,
    /// The groups it belongs to.
    pub groups: BTreeSet<GroupKey>,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970.
    pub modified_ms: i64,
    /// The number of the request that created it.
    pub created_by: u64,
}

/// A group.
#[derive(Clone, Debug)]
pub struct Group {
    /// Given by the service.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The client's id.
    pub external_id: Option<String>,
    /// Who belongs to it.
    pub members: BTreeSet<UserKey>,
    /// Whether the site sees it: not where its name is that of a default or built-in group.
    pub propagated: bool,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970.
    pub modified_ms: i64,
}

/// One change of the state that a request made; `Display` spells it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    CreatedUser { user: String },
    DeletedUser { user: String },
    Deactivated { user: String },
    Reactivated { user: String },
    Changed { attribute: String, user: String },
    Unlinked { user: String },
    CreatedGroup { group: String },
    DeletedGroup { group: String },
    ChangedGroup { attribute: String, group: String },
    Joined { user: String, group: String },
    Left { user: String, group: String },
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreatedUser { user } => write!(f, "created user {user}"),
            Self::DeletedUser { user } => write!(f, "deleted user {user}"),
            Self::Deactivated { user } => write!(f, "deactivated {user}"),
            Self::Reactivated { user } => write!(f, "reactivated {user}"),
            Self::Changed { attribute, user } => write!(f, "changed {attribute} of {user}"),
            Self::Unlinked { user } => write!(f, "unlinked {user}"),
            Self::CreatedGroup { group } => write!(f, "created group {group}"),
            Self::DeletedGroup { group } => write!(f, "deleted group {group}"),
            Self::ChangedGroup { attribute, group } => write!(f, "changed {attribute} of group {group}"),
            Self::Joined { user, group } => write!(f, "{user} joined {group}"),
            Self::Left { user, group } => write!(f, "{user} left {group}"),
        }
    }
}

/// The state.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Milliseconds since 1970.
    pub now_ms: i64,
    /// The number of the current request.
    pub request: u64,
    /// Grows with every change.
    pub revision: u64,
    /// What requests changed, in order.
    pub effects: Vec<Effect>,
    pub(super) users: BTreeMap<UserKey, User>,
    pub(super) groups: BTreeMap<GroupKey, Group>,
    user_by_id: BTreeMap<String, UserKey>,
    user_by_name: BTreeMap<String, UserKey>,
    user_by_external_id: BTreeMap<String, UserKey>,
    user_by_email: BTreeMap<String, UserKey>,
    group_by_id: BTreeMap<String, GroupKey>,
    group_by_name: BTreeMap<String, GroupKey>,
    /// Accounts outlive the users that are linked to them.
    account_by_email: BTreeMap<String, String>,
    account_ids: BTreeSet<String>,
    keys: u64,
}

impl User {
    /// A string attribute.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).and_then(Value::as_str)
    }

    /// The unique name.
    pub fn user_name(&self) -> &str {
        self.text("userName").unwrap_or_default()
    }

    /// The client's id.
    pub fn external_id(&self) -> Option<&str> {
        self.text("externalId")
    }

    /// Whether the account may be used.
    pub fn active(&self) -> bool {
        self.attributes.get("active") != Some(&Value::Bool(false))
    }

    /// The primary address.
    pub fn email(&self) -> &str {
        primary_email(&self.attributes)
    }
}

/// The primary address among the attributes of a user.
pub fn primary_email(attributes: &Object) -> &str {
    let emails = attributes.get("emails").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let primary = emails.iter().find(|e| e.get("primary") == Some(&Value::Bool(true)));
    primary.and_then(|e| e.get("value")).and_then(Value::as_str).unwrap_or_default()
}

/// Strings that the service compares without regard to case.
pub fn folded(text: &str) -> String {
    text.to_lowercase()
}

impl World {
    /// The user with this id.
    pub fn user(&self, id: &str) -> Option<(UserKey, &User)> {
        self.user_by_id.get(id).and_then(|key| self.users.get_key_value(key)).map(|(key, user)| (*key, user))
    }

    /// The user with this name, in whatever case.
    pub fn user_named(&self, name: &str) -> Option<(UserKey, &User)> {
        let key = self.user_by_name.get(&folded(name))?;
        self.users.get(key).map(|user| (*key, user))
    }

    /// The user with this id of the client.
    pub fn user_with_external_id(&self, id: &str) -> Option<(UserKey, &User)> {
        let key = self.user_by_external_id.get(id)?;
        self.users.get(key).map(|user| (*key, user))
    }

    /// The user with this primary address.
    pub fn user_with_email(&self, email: &str) -> Option<(UserKey, &User)> {
        let key = self.user_by_email.get(&folded(email))?;
        self.users.get(key).map(|user| (*key, user))
    }

    /// The group with this id.
    pub fn group(&self, id: &str) -> Option<(GroupKey, &Group)> {
        let key = self.group_by_id.get(id)?;
        self.groups.get(key).map(|group| (*key, group))
    }

    /// The group with this name, in whatever case.
    pub fn group_named(&self, name: &str) -> Option<(GroupKey, &Group)> {
        let key = self.group_by_name.get(&folded(name))?;
        self.groups.get(key).map(|group| (*key, group))
    }

    /// The account that belongs to an address, linked or not.
    pub fn account_of(&self, email: &str) -> Option<&str> {
        self.account_by_email.get(&folded(email)).map(String::as_str)
    }

    pub(super) fn change(&mut self, effect: Effect) {
        self.revision += 1;
        self.effects.push(effect);
    }

    pub(super) fn next_key(&mut self) -> u64 {
        self.keys += 1;
        self.keys
    }

    /// The account of an address, which is made where there is none: the same address always leads to the same account.
    pub(super) fn account_for(&mut self, email: &str) -> String {
        let email = folded(email);
        if let Some(account) = self.account_by_email.get(&email) {
            return account.clone();
        }
        // An account that moved to another address keeps its id, so the address alone may name one that exists.
        let mut account = digest(&format!("account:{email}"), 12);
        while !self.account_ids.insert(account.clone()) {
            account = digest(&account, 12);
        }
        self.account_by_email.insert(email, account.clone());
        account
    }

    pub(super) fn move_account(&mut self, from: &str, to: &str) {
        if let Some(account) = self.account_by_email.remove(&folded(from)) {
            self.account_by_email.insert(folded(to), account);
        }
    }

    pub(super) fn index_user(&mut self, key: UserKey) {
        let Some(user) = self.users.get(&key) else { return };
        self.user_by_id.insert(user.id.clone(), key);
        self.user_by_name.insert(folded(user.user_name()), key);
        self.user_by_email.insert(folded(user.email()), key);
        if let Some(external_id) = user.external_id() {
            self.user_by_external_id.insert(external_id.to_owned(), key);
        }
    }

    pub(super) fn forget_user(&mut self, key: UserKey) {
        let Some(user) = self.users.get(&key) else { return };
        self.user_by_id.remove(&user.id);
        self.user_by_name.remove(&folded(user.user_name()));
        self.user_by_email.remove(&folded(user.email()));
        if let Some(external_id) = user.external_id() {
            self.user_by_external_id.remove(external_id);
        }
    }

    pub(super) fn index_group(&mut self, key: GroupKey) {
        let Some(group) = self.groups.get(&key) else { return };
        self.group_by_id.insert(group.id.clone(), key);
        self.group_by_name.insert(folded(&group.name), key);
    }

    pub(super) fn forget_group(&mut self, key: GroupKey) {
        let Some(group) = self.groups.get(&key) else { return };
        self.group_by_id.remove(&group.id);
        self.group_by_name.remove(&folded(&group.name));
    }
}

/// An id in the form of a UUID, the same in every run.
pub fn uuid(seed: &str) -> String {
    let hex = digest(seed, 16);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

/// A name made of a seed, in hexadecimal: FNV-1a, stirred as in `SplitMix64`. It need not be secret, only always the
/// same.
fn digest(seed: &str, bytes: usize) -> String {
    let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let mut state = seed.bytes().fold(0xcbf2_9ce4_8422_2325, fnv);
    let mut hex = String::with_capacity(bytes * 2 + 16);
    while hex.len() < bytes * 2 {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let stirred = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let stirred = (stirred ^ (stirred >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let _ = write!(hex, "{:016x}", stirred ^ (stirred >> 31));
    }
    hex.truncate(bytes * 2);
    hex
}
