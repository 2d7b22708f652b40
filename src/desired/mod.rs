//! Turns a complete roster and the rules into the accounts and groups we want, with what is left out and why.
//!
//! Pure: it knows neither what is owned nor what the target says. The lists that limit actions (pilot, excluded,
//! protected) are not applied here, since they never change what is desired (S7).

mod account;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod group_name;
mod rules;
mod scope;

pub(crate) use account::is_listed;
pub use account::{DesiredAccount, Inactive, Standing};
pub use group_name::{matches_pattern, strip_directory_suffix};
pub use rules::{Access, Rules, Selector, Wanted, describe_changes};
pub use scope::{Remembered, ScopeChange, SelectGroupsError, Selected, Selection, select};

use crate::model::GroupId;
use crate::model::GroupStatus;
use crate::model::PersonId;
use crate::model::Roster;
use std::collections::{BTreeMap, BTreeSet};

/// What should be true in the target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// Everyone the roster tells about: also people who left the scope, when they were asked for by id.
    pub accounts: BTreeMap<PersonId, DesiredAccount>,
    /// The groups in scope. Empty when `exclude_group_information` is set.
    pub groups: BTreeMap<GroupId, DesiredGroup>,
    /// Whether groups are managed at all.
    pub manages_groups: bool,
}

/// A group that should exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredGroup {
    /// Its name in Atlassian.
    pub name: String,
    /// Its name in Duo.
    pub source_name: String,
    /// Everyone who is in it in Duo, whatever their standing.
    pub members: BTreeSet<PersonId>,
    /// Why its memberships are not touched, when they are not (S3).
    pub untouched: Option<String>,
}

/// Computes what should be true from a roster under the rules.
pub fn compute(roster: &Roster, rules: &Rules, selection: &Selection) -> Desired {
    let mut groups_of: BTreeMap<&PersonId, BTreeSet<&GroupId>> = BTreeMap::new();
    for (id, (_, members)) in roster.groups.iter().filter(|(id, _)| selection.groups.contains_key(*id)) {
        for person in members {
            groups_of.entry(person).or_default().insert(id);
        }
    }
    let none = BTreeSet::new();
    let account = |(id, person)| {
        let groups = groups_of.get(id).unwrap_or(&none);
        (PersonId::clone(id), account::compute(person, groups, rules, selection))
    };
    let accounts = roster.people.iter().map(account).collect();
    let mut desired = Desired { accounts, groups: BTreeMap::new(), manages_groups: !rules.exclude_group_information };
    if rules.exclude_group_information {
        return desired;
    }
    for (id, selected) in &selection.groups {
        let members = roster.groups.get(id).map(|(_, members)| members.clone()).unwrap_or_default();
        let untouched = match &selected.group.status {
            GroupStatus::Unknown(status) => Some(format!("unknown group status {status:?} in Duo")),
            GroupStatus::Active | GroupStatus::Bypass | GroupStatus::Disabled => None,
        };
        let group =
            DesiredGroup { name: selected.target_name(), source_name: selected.group.name.clone(), members, untouched };
        desired.groups.insert(id.clone(), group);
    }
    desired
}

#[cfg(test)]
mod tests;
