//! The rules that decide who is in scope and how a person is written down in Atlassian.
//!
//! They are stored beside the snapshot in this very form, so that a later cycle can tell what follows from a change of
//! the configuration from what follows from a change of people (S6).

use crate::model::{Attribute, GroupId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a group or a status of Duo means for access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Existing accounts stay as they are; none is created or reactivated.
    Keep,
    /// Existing accounts are deactivated; none is created.
    Deactivate,
}

/// How one entry of `scope.groups` names groups of Duo.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wanted {
    /// By `group_id`.
    Id(GroupId),
    /// By exact name, with or without the directory suffix.
    Name(String),
    /// By a name with `*`, which stands for any characters.
    Pattern(String),
}

/// One entry of `scope.groups`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Selector {
    /// Which groups.
    pub wanted: Wanted,
    /// The name in Atlassian, where it is not Duo's. Never together with a pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub atlassian_name: Option<String>,
}

impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.wanted {
            Wanted::Id(id) => write!(f, "{{ id = \"{id}\" }}"),
            Wanted::Name(name) | Wanted::Pattern(name) => write!(f, "{{ name = {name:?} }}"),
        }
    }
}

/// Scope, mapping and statuses, normalised: the same meaning gives the same value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// Which groups, sorted.
    pub groups: Vec<Selector>,
    /// Users only: no group is created, and existing memberships stay untouched.
    pub exclude_group_information: bool,
    /// What a group that is disabled in Duo means for its members.
    pub disabled_groups: Access,
    /// What `disabled` means.
    pub disabled_people: Access,
    /// What `pending deletion` means.
    pub pending_deletion_people: Access,
    /// What `locked out` means.
    pub locked_out_people: Access,
    /// SCIM attribute = Duo attribute. `userName` and `emails` are always there.
    pub mapping: BTreeMap<Attribute, String>,
    /// Usernames (lower case) or ids of people who are deactivated whatever Duo says.
    pub blocked_people: BTreeSet<String>,
    /// Usernames (lower case) or ids; not empty: everybody else is in no action at all. Kept here because ending a
    /// pilot is a change of rules that is held (S7), although it never changes desired state.
    pub pilot_people: BTreeSet<String>,
    /// Usernames (lower case) or ids of people who are in no action at all.
    pub excluded_people: BTreeSet<String>,
    /// Atlassian group names (lower case) that are never created, adopted or filled.
    pub protected_groups: BTreeSet<String>,
    /// Domains (lower case) whose accounts are managed; `*` alone: all (S11).
    pub verified_domains: BTreeSet<String>,
    /// For how many hours people who only left the scope keep what they have (S9).
    pub grace_hours: u32,
}

impl Rules {
    /// The Duo attributes that the mapping reads.
    pub fn duo_attributes(&self) -> BTreeSet<&str> {
        self.mapping.values().map(String::as_str).collect()
    }

    /// Whether accounts under this domain (lower case) are managed by the organization.
    pub fn is_managed_domain(&self, domain: &str) -> bool {
        self.verified_domains.contains("*") || self.verified_domains.contains(domain)
    }
}

/// What differs between two sets of rules, as phrases that go on after "because", by the names of the configuration.
pub fn describe_changes(before: &Rules, now: &Rules) -> Vec<String> {
    let mut changes = Vec::new();
    let selectors = |rules: &Rules| rules.groups.iter().map(ToString::to_string).collect::<BTreeSet<String>>();
    let (old, new) = (selectors(before), selectors(now));
    changes.extend(old.difference(&new).map(|selector| format!("scope.groups no longer lists {selector}")));
    changes.extend(new.difference(&old).map(|selector| format!("scope.groups lists {selector} now")));
    let lists = [
        ("scope.blocked_people", &before.blocked_people, &now.blocked_people),
        ("scope.pilot_people", &before.pilot_people, &now.pilot_people),
        ("scope.excluded_people", &before.excluded_people, &now.excluded_people),
        ("scope.protected_groups", &before.protected_groups, &now.protected_groups),
        ("atlassian.verified_domains", &before.verified_domains, &now.verified_domains),
    ];
    for (key, old, new) in lists {
        changes.extend(old.difference(new).map(|entry| format!("{key} no longer lists {entry}")));
        changes.extend(new.difference(old).map(|entry| format!("{key} lists {entry} now")));
    }
    let word = |access: Access| match access {
        Access::Keep => "keep",
        Access::Deactivate => "deactivate",
    };
    let statuses = [
        ("scope.disabled_groups", before.disabled_groups, now.disabled_groups),
        ("deprovisioning.disabled_people", before.disabled_people, now.disabled_people),
        ("deprovisioning.pending_deletion_people", before.pending_deletion_people, now.pending_deletion_people),
        ("deprovisioning.locked_out_people", before.locked_out_people, now.locked_out_people),
    ];
    let differs = statuses.into_iter().filter(|(_, old, new)| old != new);
    changes.extend(differs.map(|(key, _, new)| format!("{key} is {:?} now", word(new))));
    if before.exclude_group_information != now.exclude_group_information {
        changes.push(format!("scope.exclude_group_information is {} now", now.exclude_group_information));
    }
    if before.grace_hours != now.grace_hours {
        changes.push(format!("deprovisioning.grace_hours is {} now", now.grace_hours));
    }
    if before.mapping != now.mapping {
        changes.push("[mapping] is another".to_owned());
    }
    let same_names = old == new && before.groups != now.groups;
    changes.extend(same_names.then(|| "an atlassian_name in scope.groups is another".to_owned()));
    changes
}
