//! Parts of a plan, by whole actions: what a saved plan lists, less what is left out and what depends on that.

use super::Plan;
use super::action::{Action, Step};
use super::document::ActionDocument;
use crate::model::GroupId;
use crate::model::PersonId;
use std::collections::{BTreeMap, BTreeSet};

/// An action that is left out, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its id.
    pub id: String,
    /// Why.
    pub reason: String,
}

impl Plan {
    /// Keeps the actions that are, exactly, among the listed ones; says of every other listed one what moved.
    pub fn pick(&mut self, listed: &[ActionDocument]) -> Vec<String> {
        let texts: BTreeSet<String> = listed.iter().map(ActionDocument::canonical).collect();
        let today: BTreeMap<String, ActionDocument> =
            self.actions.iter().map(|action| (action.id(), ActionDocument::from(action))).collect();
        let standing = |entry: &ActionDocument| today.get(&entry.id).map(ActionDocument::canonical);
        let moved = listed.iter().filter(|entry| standing(entry).as_ref() != Some(&entry.canonical()));
        let moved = moved.map(|entry| what_moved(entry, today.get(&entry.id))).collect();
        self.actions.retain(|action| texts.contains(&ActionDocument::from(action).canonical()));
        moved
    }

    /// Takes actions out, and with them every action that needs one of them.
    pub fn leave_out(&mut self, ids: &BTreeSet<String>) -> Vec<LeftOut> {
        let mut left = Vec::new();
        let mut out: BTreeSet<String> = ids.clone();
        loop {
            let mut lost = Lost::of(self.actions.iter().filter(|action| out.contains(&action.id())));
            // Who moves keeps the old membership until the new one is there (S18); who loses the account moves nowhere.
            let deactivated = self.actions.iter().filter(|action| matches!(action.step, Step::Deactivate { .. }));
            for person in deactivated.filter_map(|action| action.step.person()) {
                lost.joins.remove(&person.user_id);
            }
            let mut grown = false;
            for action in &self.actions {
                let id = action.id();
                if let Some(needed) = lost.needed_by(action).filter(|_| !out.contains(&id)) {
                    left.push(LeftOut { id: id.clone(), reason: format!("it needs {needed}, which is left out") });
                    out.insert(id);
                    grown = true;
                }
            }
            if !grown {
                break;
            }
        }
        self.actions.retain(|action| !out.contains(&action.id()));
        left
    }

    /// Takes out whoever takes a name or an address that one of these actions, which wait, would have freed.
    pub(super) fn take_out_takers(&mut self, waiting: &mut Vec<Action>) {
        loop {
            let lost = Lost::freed_by(waiting);
            let takes = |action: &Action| lost.needed_by(action).is_some();
            let (taking, others): (Vec<Action>, Vec<Action>) = self.actions.drain(..).partition(takes);
            self.actions = others;
            if taking.is_empty() {
                return;
            }
            waiting.extend(taking);
        }
    }
}

fn what_moved(entry: &ActionDocument, today: Option<&ActionDocument>) -> String {
    let name = entry.person.as_ref().map(|person| &person.username);
    let name = name.or_else(|| entry.group.as_ref().map(|group| &group.name));
    let name = name.map_or("", String::as_str);
    let Some(today) = today else {
        return format!("{} ({name}): is not planned any more", entry.id);
    };
    let mut parts = Vec::new();
    let (before, now) = (entry.changes.clone().unwrap_or_default(), today.changes.clone().unwrap_or_default());
    let attributes: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    for attribute in attributes.into_iter().filter(|attribute| before.get(*attribute) != now.get(*attribute)) {
        let value = |changes: &BTreeMap<String, super::ChangeDocument>| {
            changes.get(attribute).map_or_else(|| "unchanged".to_owned(), |change| format!("{:?}", change.to))
        };
        parts.push(format!("{attribute} was to be {}, and is to be {} now", value(&before), value(&now)));
    }
    for (word, before, now) in [("join", &entry.join, &today.join), ("leave", &entry.leave, &today.leave)] {
        let set = |ids: &Option<Vec<String>>| ids.iter().flatten().cloned().collect::<BTreeSet<String>>();
        let (before, now) = (set(before), set(now));
        let list = |ids: Vec<&String>| ids.into_iter().cloned().collect::<Vec<_>>().join(", ");
        let (gone, new): (Vec<_>, Vec<_>) = (before.difference(&now).collect(), now.difference(&before).collect());
        if !gone.is_empty() {
            parts.push(format!("{} do not {word} any more", list(gone)));
        }
        if !new.is_empty() {
            parts.push(format!("{} {word} as well now", list(new)));
        }
    }
    if parts.is_empty() {
        parts.push("is planned otherwise now".to_owned());
    }
    format!("{} ({name}): {}", entry.id, parts.join("; "))
}

/// What actions that are left out would have brought about.
#[derive(Default)]
struct Lost<'a> {
    accounts: BTreeMap<&'a PersonId, String>,
    groups: BTreeMap<&'a GroupId, String>,
    freed: BTreeMap<String, String>,
    joins: BTreeMap<&'a PersonId, String>,
}

impl<'a> Lost<'a> {
    fn of(actions: impl Iterator<Item = &'a Action>) -> Self {
        let mut lost = Self::default();
        for action in actions {
            match &action.step {
                Step::Adopt { person, .. } | Step::Create { person, .. } => {
                    lost.accounts.insert(&person.user_id, action.id());
                }
                Step::Reactivate { person, changes } => {
                    lost.accounts.insert(&person.user_id, action.id());
                    lost.free(changes, action);
                }
                Step::Update { changes, .. } => lost.free(changes, action),
                Step::AdoptGroup { group, .. } | Step::CreateGroup { group } => {
                    lost.groups.insert(&group.group_id, action.id());
                }
                Step::UpdateMembers { join, .. } => lost.joins.extend(join.iter().map(|person| (person, action.id()))),
                Step::Deactivate { .. } => {}
            }
        }
        lost
    }

    /// Names and addresses alone.
    fn freed_by(actions: &'a [Action]) -> Self {
        Self { freed: Self::of(actions.iter()).freed, ..Self::default() }
    }

    fn free(&mut self, changes: &super::Changes, action: &Action) {
        for (attribute, change) in changes.iter().filter(|(attribute, _)| attribute.is_identity()) {
            if let Some(from) = &change.from {
                self.freed.insert(format!("{attribute}={}", from.to_lowercase()), action.id());
            }
        }
    }

    /// The left-out action that this one needs, when there is one.
    fn needed_by(&self, action: &Action) -> Option<&String> {
        let person = |id: &PersonId| self.accounts.get(id);
        let taken = |attribute: crate::model::Attribute, to: &str| {
            self.freed.get(&format!("{attribute}={}", to.to_lowercase()))
        };
        match &action.step {
            Step::Adopt { .. } | Step::AdoptGroup { .. } | Step::CreateGroup { .. } => None,
            Step::Create { attributes, .. } => attributes.iter().find_map(|(attribute, to)| taken(attribute, to)),
            Step::Update { person: who, changes } | Step::Reactivate { person: who, changes } => {
                let own = person(&who.user_id).filter(|needed| **needed != action.id());
                own.or_else(|| changes.iter().find_map(|(attribute, change)| taken(*attribute, &change.to)))
            }
            Step::Deactivate { person: who, .. } => person(&who.user_id),
            Step::UpdateMembers { group, join, leave } => {
                let members = || join.iter().chain(leave).find_map(person);
                let moves = || leave.iter().find_map(|person| self.joins.get(person));
                self.groups.get(&group.group_id).or_else(members).or_else(moves)
            }
        }
    }
}
