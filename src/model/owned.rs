//! The snapshot: what we last made or saw in the target, of the objects that are ours.

use super::{Attributes, GroupId, PersonId, ScimId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// One account that is linked to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedAccount {
    /// The SCIM id that the target gave it.
    pub scim_id: ScimId,
    /// Duo's username when it was last written or seen; for people to read.
    pub username: String,
    /// What the target holds, as far as we know.
    pub attributes: Attributes,
    /// Whether it is active.
    pub active: bool,
    /// Values that the target did not take: sent once, answered otherwise, not sent again until desired changes (S15).
    pub refused: Attributes,
    /// When the person was first missing from the scope; cleared when they come back (S9).
    pub left_scope_at: Option<Timestamp>,
}

/// One group that is linked to a group of Duo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedGroup {
    /// The SCIM id that the target gave it.
    pub scim_id: ScimId,
    /// Its name in Atlassian, which never changes.
    pub name: String,
    /// The people whom we put into it, or whose membership was adopted. Others in the group are not ours.
    pub members: BTreeSet<PersonId>,
}

/// Everything that is ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owned {
    /// Accounts by person.
    pub accounts: BTreeMap<PersonId, OwnedAccount>,
    /// Groups by Duo group.
    pub groups: BTreeMap<GroupId, OwnedGroup>,
}

impl Owned {
    /// Whether nothing at all is linked yet.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.groups.is_empty()
    }

    /// How many owned accounts are active.
    pub fn active_accounts(&self) -> usize {
        self.accounts.values().filter(|account| account.active).count()
    }

    /// How many memberships are owned.
    pub fn memberships(&self) -> usize {
        self.groups.values().map(|group| group.members.len()).sum()
    }
}
