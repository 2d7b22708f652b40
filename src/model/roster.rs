//! What Duo says: groups, people, and one complete reading of both.

use super::{GroupId, PersonId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The status of a person in Duo, as the Admin API spells it (in lower case, two of them with a space).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PersonStatus {
    /// `active`: must pass a second factor.
    Active,
    /// `bypass`: may skip it.
    Bypass,
    /// `disabled`: cannot sign in.
    Disabled,
    /// `locked out`: set by Duo itself after failed attempts.
    LockedOut,
    /// `pending deletion`: in Duo's trash.
    PendingDeletion,
    /// Anything else: Duo may add values at any time. Hands off (S3).
    Unknown(Box<str>),
}

impl PersonStatus {
    /// Reads the status as Duo spells it; the case does not matter.
    pub fn parse(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "active" => Self::Active,
            "bypass" => Self::Bypass,
            "disabled" => Self::Disabled,
            "locked out" => Self::LockedOut,
            "pending deletion" => Self::PendingDeletion,
            _ => Self::Unknown(text.into()),
        }
    }

    /// The status as Duo spells it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Active => "active",
            Self::Bypass => "bypass",
            Self::Disabled => "disabled",
            Self::LockedOut => "locked out",
            Self::PendingDeletion => "pending deletion",
            Self::Unknown(text) => text,
        }
    }
}

/// The status of a group in Duo.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum GroupStatus {
    /// `Active`.
    Active,
    /// `Bypass`.
    Bypass,
    /// `Disabled`: its members cannot sign in.
    Disabled,
    /// Anything else. Hands off (S3).
    Unknown(Box<str>),
}

impl GroupStatus {
    /// Reads the status as Duo spells it; the case does not matter.
    pub fn parse(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "active" => Self::Active,
            "bypass" => Self::Bypass,
            "disabled" => Self::Disabled,
            _ => Self::Unknown(text.into()),
        }
    }
}

/// One group of Duo, without its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Stable key.
    pub id: GroupId,
    /// The name as Duo has it, a directory suffix such as ` (from AD sync "X")` included.
    pub name: String,
    /// Its status.
    pub status: GroupStatus,
}

/// One person of Duo, with what the mapping asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Stable key.
    pub id: PersonId,
    /// Duo's `username`; shown to people, and matched against lists in the configuration.
    pub username: String,
    /// The status.
    pub status: PersonStatus,
    /// The values of the Duo attributes that were asked for, without empty ones.
    pub values: BTreeMap<String, String>,
    /// When a directory sync last wrote this person; absent for people made by hand.
    pub last_directory_sync: Option<Timestamp>,
}

/// One *complete* reading of the selected groups: every page of every group, and every person in them (S1).
///
/// Only `duo` builds one from the network, and only after the last page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    /// Every group that was read, by id, with its members.
    pub groups: BTreeMap<GroupId, (Group, BTreeSet<PersonId>)>,
    /// Everyone who is in at least one of them.
    pub people: BTreeMap<PersonId, Person>,
    /// Everyone who was asked for by id after the lists were read: what is said of them here is confirmed, that they
    /// are gone included (S2).
    pub confirmed: BTreeSet<PersonId>,
    /// What the reading cost, in requests.
    pub requests: u64,
    /// Sentences about oddities that did not make the reading incomplete (a total that moved).
    pub remarks: Vec<String>,
}

impl Roster {
    /// Lets a record that was read by id take the place of what the lists said; `None`: the person is gone (S2).
    ///
    /// Memberships are replaced for the groups of this roster only: others were not asked for.
    pub fn confirm(&mut self, id: &PersonId, record: Option<(Person, BTreeSet<GroupId>)>) {
        self.confirmed.insert(id.clone());
        let groups = record.as_ref().map(|(_, groups)| groups.clone()).unwrap_or_default();
        for (group, (_, members)) in &mut self.groups {
            if groups.contains(group) {
                members.insert(id.clone());
            } else {
                members.remove(id);
            }
        }
        match record {
            Some((person, _)) => drop(self.people.insert(id.clone(), person)),
            None => drop(self.people.remove(id)),
        }
    }

    /// The ids of the groups that a person is in, among those that were read.
    pub fn groups_of<'a>(&'a self, person: &'a PersonId) -> impl Iterator<Item = &'a Group> {
        self.groups.values().filter(move |(_, members)| members.contains(person)).map(|(group, _)| group)
    }
}
