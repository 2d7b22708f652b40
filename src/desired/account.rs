//! One person, seen through the rules: what their account should be.

use super::rules::{Access, Rules};
use super::scope::Selection;
use crate::model::Attribute;
use crate::model::Attributes;
use crate::model::Email;
use crate::model::GroupId;
use crate::model::GroupStatus;
use crate::model::Person;
use crate::model::PersonStatus;
use std::collections::BTreeSet;

/// What one person's account should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredAccount {
    /// Duo's username, for people to read.
    pub username: String,
    /// Whether there should be an account, and an active one.
    pub standing: Standing,
    /// The attributes under the mapping; or why there are none.
    pub attributes: Result<Attributes, String>,
    /// The selected groups that the person is in.
    pub groups: BTreeSet<GroupId>,
}

/// Whether a person should have an active account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// An active account.
    Active,
    /// An account that exists stays as active or inactive as it is, and follows Duo otherwise; none is created.
    Keep(String),
    /// No active account.
    Inactive(Inactive),
    /// Hands off: whatever is there stays as it is (S3).
    Untouched(String),
}

/// Why a person should have no active account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inactive {
    /// In no selected group any more, but well otherwise. May be delayed by a grace period (S9).
    LeftScope,
    /// A status of Duo, as it spells it.
    Status(String),
    /// A selected group of this name is disabled in Duo.
    GroupDisabled(String),
    /// `scope.blocked_people`.
    Blocked,
}

/// Whether a list of the configuration names this person, by username (lower case) or by id.
pub(crate) fn is_listed(list: &BTreeSet<String>, username: &str, id: &str) -> bool {
    !list.is_empty() && (list.contains(id) || list.contains(&username.to_lowercase()))
}

pub(super) fn compute(
    person: &Person,
    groups: &BTreeSet<&GroupId>,
    rules: &Rules,
    selection: &Selection,
) -> DesiredAccount {
    DesiredAccount {
        username: person.username.clone(),
        standing: standing(person, groups, rules, selection),
        attributes: attributes(person, rules),
        groups: groups.iter().map(|group| (*group).clone()).collect(),
    }
}

/// What takes access away comes first, so that no other oddity of a record can delay it.
fn standing(person: &Person, groups: &BTreeSet<&GroupId>, rules: &Rules, selection: &Selection) -> Standing {
    if is_listed(&rules.blocked_people, &person.username, person.id.as_str()) {
        return Standing::Inactive(Inactive::Blocked);
    }
    let by_status = |access: Access| match access {
        Access::Deactivate => Standing::Inactive(Inactive::Status(person.status.as_str().to_owned())),
        Access::Keep => Standing::Keep(format!("{} in Duo", person.status.as_str())),
    };
    let own = match &person.status {
        PersonStatus::Active | PersonStatus::Bypass => Standing::Active,
        PersonStatus::Disabled => by_status(rules.disabled_people),
        PersonStatus::PendingDeletion => by_status(rules.pending_deletion_people),
        PersonStatus::LockedOut => by_status(rules.locked_out_people),
        PersonStatus::Unknown(status) => Standing::Untouched(format!("unknown status {status:?} in Duo")),
    };
    if matches!(own, Standing::Inactive(_) | Standing::Untouched(_)) {
        return own;
    }
    if groups.is_empty() {
        return Standing::Inactive(match &person.status {
            // Who is disabled or deleted waits for no grace period (S9), also where that alone takes nothing away.
            status @ (PersonStatus::Disabled | PersonStatus::PendingDeletion) => {
                Inactive::Status(status.as_str().to_owned())
            }
            PersonStatus::Active | PersonStatus::Bypass | PersonStatus::LockedOut | PersonStatus::Unknown(_) => {
                Inactive::LeftScope
            }
        });
    }
    let selected = || groups.iter().filter_map(|id| selection.groups.get(*id)).map(|selected| &selected.group);
    if let Some(group) = selected().find(|group| group.status == GroupStatus::Disabled) {
        match rules.disabled_groups {
            Access::Deactivate => return Standing::Inactive(Inactive::GroupDisabled(group.name.clone())),
            Access::Keep => {}
        }
    }
    let unknown = |status: &GroupStatus| matches!(status, GroupStatus::Unknown(_));
    if selected().all(|group| unknown(&group.status)) {
        return Standing::Untouched("in groups of unknown status only".to_owned());
    }
    own
}

fn attributes(person: &Person, rules: &Rules) -> Result<Attributes, String> {
    let mut attributes = Attributes::new();
    for (attribute, source) in &rules.mapping {
        let value = person.values.get(source).map_or("", |value| value.trim());
        if *attribute == Attribute::UserName && value.is_empty() {
            return Err(format!("no {source} in Duo, from which userName is made: add one there"));
        }
        if *attribute == Attribute::Emails {
            if value.is_empty() {
                return Err(format!("no address in Duo ({source} is empty): add one there"));
            }
            let wrong = |why| format!("{value:?} in Duo ({source}) is not an address, {why}: correct it there");
            attributes.set(*attribute, Email::parse(value).map_err(wrong)?.as_str());
        } else {
            attributes.set(*attribute, value);
        }
    }
    Ok(attributes)
}
