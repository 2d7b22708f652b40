//! Pins, compared with today's records (S22).

use super::read::Reading;
use crate::model::PersonId;
use crate::model::Roster;
use crate::store::Pin;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of the pins after this cycle.
#[derive(Debug, Default)]
pub(super) struct Pins {
    /// Still pinned, with the reason.
    pub(super) pinned: BTreeMap<PersonId, String>,
    /// Released, since the record has changed.
    pub(super) released: Vec<PersonId>,
    /// What the records of those who stay pinned look like, as today's configuration reads them.
    pub(super) seen: BTreeMap<PersonId, String>,
}

/// A person's record, as far as it was read.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    /// None: gone.
    status: Option<String>,
    /// Every Duo attribute that was asked for.
    values: BTreeMap<String, String>,
    /// Of the groups that were read.
    groups: BTreeSet<String>,
}

pub(super) fn compare(pins: &BTreeMap<PersonId, Pin>, reading: &Reading, asked: &BTreeSet<String>) -> Pins {
    let mut compared = Pins::default();
    for (id, pin) in pins {
        let record = Record::of(id, &reading.roster, asked);
        let seen = pin.seen.as_ref().and_then(|seen| serde_json::from_str::<Record>(seen).ok());
        if seen.is_some_and(|seen| record.has_changed_since(&seen, reading)) {
            compared.released.push(id.clone());
            continue;
        }
        let text = serde_json::to_string(&record).unwrap_or_default();
        if pin.seen.as_ref() != Some(&text) {
            compared.seen.insert(id.clone(), text);
        }
        let reason = format!(
            "pinned by undo of cycle {} at {}: nothing is taken away or changed until the record changes in Duo or \
             `undo --release {}`",
            pin.undone, pin.at, pin.username
        );
        compared.pinned.insert(id.clone(), reason);
    }
    compared
}

impl Record {
    fn of(id: &PersonId, roster: &Roster, asked: &BTreeSet<String>) -> Self {
        let Some(person) = roster.people.get(id) else {
            return Self { status: None, values: BTreeMap::new(), groups: BTreeSet::new() };
        };
        let value = |name: &String| (name.clone(), person.values.get(name).cloned().unwrap_or_default());
        Self {
            status: Some(person.status.as_str().to_owned()),
            values: asked.iter().map(value).collect(),
            groups: roster.groups_of(id).map(|group| group.id.to_string()).collect(),
        }
    }

    /// Whether Duo changed something. Attributes and groups that the configuration asks for now, and did not then, or
    /// the other way round, say nothing about that.
    fn has_changed_since(&self, seen: &Self, reading: &Reading) -> bool {
        if self.status != seen.status {
            return true;
        }
        let other = |(name, value): (&String, &String)| self.values.get(name).is_some_and(|now| now != value);
        let left = |group: &&String| {
            reading.roster.groups.keys().any(|id| id.as_str() == group.as_str()) && !self.groups.contains(*group)
        };
        let was_selected = |group: &&String| {
            let before = reading.before.as_ref().map(|(_, selection)| selection);
            before.is_none_or(|before| before.groups.keys().any(|id| id.as_str() == group.as_str()))
        };
        let joined = |group: &&String| !seen.groups.contains(*group) && was_selected(group);
        seen.values.iter().any(other) || seen.groups.iter().any(|g| left(&g)) || self.groups.iter().any(|g| joined(&g))
    }
}
