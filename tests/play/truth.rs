//! What should be, by Duo's world and the configuration alone. Written anew, without the program's own rules.

use super::config::{Config, Selected};
use crate::sim::duo::{DuoWorld, SimGroup, SimPerson};
use duo_atlassian_sync::desired::Access;
use std::collections::{BTreeMap, BTreeSet};

/// What may happen to one person at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Should {
    /// Whether it is right that the account becomes inactive.
    pub may_lose: bool,
    /// Whether it is right that there is an active account.
    pub may_gain: bool,
    /// Whether no action at all may name the person.
    pub left_alone: bool,
    /// Whether memberships stay as they are.
    pub stays: bool,
    /// Whether a grace period delays the loss: well in Duo, and only in no selected group any more.
    pub only_left: bool,
    /// Selected groups that the person is in.
    pub groups: BTreeSet<String>,
    /// Groups of which it is not clear whether they are selected.
    pub perhaps: BTreeSet<String>,
}

/// What should be at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// Everybody in Duo.
    pub people: BTreeMap<String, Should>,
    /// What Duo says of them that is mapped.
    pub records: BTreeMap<String, [Option<String>; 5]>,
    /// The selected groups that can be kept in step, with the name they would be created under.
    pub groups: BTreeMap<String, String>,
    /// The same for groups of which it is not clear whether they are selected: one that had a selected name keeps being
    /// selected if the program saw it then (S5).
    pub perhaps_groups: BTreeMap<String, String>,
    /// Whether groups are managed at all.
    pub manages_groups: bool,
}

/// The statuses of groups that Duo documents.
const GROUP_STATUSES: [&str; 3] = ["Active", "Bypass", "Disabled"];

impl Truth {
    /// What should be in this world under this configuration.
    pub fn of(world: &DuoWorld, config: &Config) -> Self {
        let mut truth = Self { manages_groups: !config.rules.exclude_group_information, ..Self::default() };
        let selected = |group: &SimGroup| config.selects(&group.group_id, &group.name);
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        for group in world.groups().filter(|group| selected(group) != Selected::No) {
            *names.entry(group.name.to_lowercase()).or_default() += 1;
        }
        for group in world.groups().filter(|group| selected(group) != Selected::No) {
            let name = group.name.to_lowercase();
            let is_protected = config.rules.protected_groups.contains(&name);
            let is_known = GROUP_STATUSES.contains(&group.status.as_str());
            if !is_protected && is_known && names.get(&name) == Some(&1) {
                let is_clear = selected(group) == Selected::Yes;
                let groups = if is_clear { &mut truth.groups } else { &mut truth.perhaps_groups };
                groups.insert(group.group_id.clone(), group.name.clone());
            }
        }
        for person in world.people() {
            truth.people.insert(person.user_id.clone(), should(person, world, config));
            truth.records.insert(person.user_id.clone(), record(person));
        }
        truth
    }

    /// What may happen to somebody; whoever is not in Duo may lose the account.
    pub fn should(&self, person: &str) -> Should {
        self.people.get(person).cloned().unwrap_or_else(Should::gone)
    }
}

impl Should {
    /// Of somebody who does not exist.
    pub fn gone() -> Self {
        Self {
            may_lose: true,
            may_gain: false,
            left_alone: false,
            stays: false,
            only_left: false,
            groups: BTreeSet::new(),
            perhaps: BTreeSet::new(),
        }
    }
}

fn record(person: &SimPerson) -> [Option<String>; 5] {
    let names = [&person.realname, &person.firstname, &person.lastname].map(Clone::clone);
    let [real, first, last] = names;
    [Some(person.username.clone()), Some(person.email.clone()), real, first, last]
}

fn should(person: &SimPerson, world: &DuoWorld, config: &Config) -> Should {
    let rules = &config.rules;
    let groups: Vec<&SimGroup> = person.groups.iter().filter_map(|id| world.group(id)).collect();
    let of = |wanted: Selected| -> BTreeSet<String> {
        let chosen = groups.iter().filter(|group| config.selects(&group.group_id, &group.name) == wanted);
        chosen.map(|group| group.group_id.clone()).collect()
    };
    let (selected, perhaps) = (of(Selected::Yes), of(Selected::Unclear));
    let listed = |list: &BTreeSet<String>| list.contains(&person.user_id);
    let left_alone = listed(&rules.excluded_people) || (!rules.pilot_people.is_empty() && !listed(&rules.pilot_people));
    let any = |status: &str| {
        let theirs = groups.iter().filter(|group| selected.contains(&group.group_id));
        theirs.clone().count() > 0 && theirs.clone().any(|group| group.status == status)
    };
    // One that is perhaps selected, and known, may speak for the person.
    let none_known = groups
        .iter()
        .filter(|group| selected.contains(&group.group_id) || perhaps.contains(&group.group_id))
        .all(|group| !GROUP_STATUSES.contains(&group.status.as_str()));
    let status = match person.status.as_str() {
        "active" | "bypass" => None,
        "disabled" => Some(rules.disabled_people),
        "pending deletion" => Some(rules.pending_deletion_people),
        "locked out" => Some(rules.locked_out_people),
        _ => return Should { left_alone, ..hands_off(listed(&rules.blocked_people), selected, perhaps) },
    };
    let groups_are_none = selected.is_empty() && perhaps.is_empty();
    let is_out = listed(&rules.blocked_people)
        || status == Some(Access::Deactivate)
        || groups_are_none
        || (any("Disabled") && rules.disabled_groups == Access::Deactivate);
    let is_unclear = selected.is_empty() && !perhaps.is_empty();
    if !is_out && !selected.is_empty() && none_known {
        return Should { left_alone, ..hands_off(false, selected, perhaps) };
    }
    Should {
        may_lose: is_out || is_unclear,
        may_gain: (!is_out || is_unclear) && status.is_none(),
        left_alone,
        stays: false,
        // Who is locked out, and keeps the account, only left as well; who is disabled or deleted did not (S9).
        only_left: groups_are_none
            && !listed(&rules.blocked_people)
            && (status.is_none() || (person.status == "locked out" && status == Some(Access::Keep))),
        groups: selected,
        perhaps,
    }
}

/// Of somebody whose record nobody can read: blocked or left as it is.
fn hands_off(is_blocked: bool, groups: BTreeSet<String>, perhaps: BTreeSet<String>) -> Should {
    Should { may_lose: is_blocked, stays: !is_blocked, groups, perhaps, ..Should::gone() }
}
