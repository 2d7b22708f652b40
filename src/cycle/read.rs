//! Everything that is read before anything is decided.

use super::pins;
use super::pins::Pins;
use super::{CycleError, Progress, Services, Settings, Tell};
use crate::apply;
use crate::desired::Remembered;
use crate::desired::Rules;
use crate::desired::ScopeChange;
use crate::desired::Selection;
use crate::desired::Selector;
use crate::desired::Wanted;
use crate::desired::select;
use crate::duo;
use crate::duo::ReadError;
use crate::model::Group;
use crate::model::GroupId;
use crate::model::Observed;
use crate::model::Owned;
use crate::model::PersonId;
use crate::model::Roster;
use crate::model::Timestamp;
use crate::store::Store;
use crate::store::StoreError;
use std::collections::{BTreeMap, BTreeSet};

/// What was read.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) owned: Owned,
    pub(super) roster: Roster,
    pub(super) selection: Selection,
    /// The rules of the snapshot and what they select, where they are not those of today (S6).
    pub(super) before: Option<(Rules, Selection)>,
    pub(super) observed: Option<Observed>,
    pub(super) observed_at: Option<Timestamp>,
    /// Pinned people whose record is as it was, with the reason; and what happens to the pins after this cycle.
    pub(super) pins: Pins,
    pub(super) requests_before: u64,
}

pub(super) async fn read(
    store: &Store,
    services: &Services<'_>,
    settings: &Settings,
    tell: Tell<'_>,
) -> Result<Reading, CycleError> {
    let requests_before = services.duo.requests_sent();
    let owned = store.read_owned()?;
    let remembered = store.read_remembered()?;
    let old_rules = store.read_rules()?.filter(|rules| *rules != settings.rules);
    let groups = services.duo.read_groups().await?;
    let selection = select(&groups, &settings.rules.groups, &remembered).map_err(CycleError::Scope)?;
    confirm_vanished(&selection, services).await?;
    let before = old_rules.map(|rules| {
        let selection = select_leniently(&groups, &rules, &remembered);
        (rules, selection)
    });
    let roster = read_roster(&groups, (&selection, before.as_ref()), (services, settings), tell).await?;
    let observed = if reads_target(store, &owned)? {
        let progress = |count| tell(Progress::ReadingTarget(count));
        Some(services.scim.read_all(&progress).await.map_err(CycleError::Target)?)
    } else {
        None
    };
    let observed_at = observed.is_some().then(|| Timestamp::from_seconds(services.clock.now_seconds()));
    let pinned = store.read_pins()?;
    let mut reading =
        Reading { owned, roster, selection, before, observed, observed_at, pins: Pins::default(), requests_before };
    if !pinned.is_empty() {
        // Whoever is pinned may be in no list: their records are asked for by id.
        confirm(&mut reading, &pinned.keys().cloned().collect(), (services, settings), tell).await?;
        let asked = attributes(settings, reading.before.as_ref());
        reading.pins = pins::compare(&pinned, &reading, &asked);
    }
    Ok(reading)
}

/// What these rules select; where a selector cannot be followed, what was selected before.
pub(super) fn select_leniently(groups: &[Group], rules: &Rules, remembered: &[Remembered]) -> Selection {
    select(groups, &rules.groups, remembered).unwrap_or_else(|_| {
        let by_id = |entry: &Remembered| Selector { wanted: Wanted::Id(entry.group_id.clone()), atlassian_name: None };
        let there = remembered.iter().filter(|entry| groups.iter().any(|group| group.id == entry.group_id));
        let selectors: Vec<Selector> = there.map(by_id).collect();
        select(groups, &selectors, &[]).unwrap_or_default()
    })
}

/// While nothing is owned, the target is read first; and after a conflict, since its match is a candidate (S7).
fn reads_target(store: &Store, owned: &Owned) -> Result<bool, StoreError> {
    if owned.is_empty() {
        return Ok(true);
    }
    let read_at = store.target_read_at()?;
    let failing = store.read_failing()?;
    Ok(failing
        .iter()
        .any(|record| record.failing.kind == apply::CONFLICT && read_at.is_none_or(|at| record.last_at >= at)))
}

/// A selected group that is missing from the list is asked for by its id (S2).
pub(super) async fn confirm_vanished(selection: &Selection, services: &Services<'_>) -> Result<(), CycleError> {
    for change in &selection.changes {
        let ScopeChange::Vanished(Remembered { group_id, .. }) = change else { continue };
        if services.duo.read_group(group_id).await?.is_some() {
            return Err(CycleError::Source(ReadError::Incomplete {
                what: "the list of groups".to_owned(),
                detail: format!("it lacks group {group_id}, which Duo gives when asked for by its id"),
            }));
        }
    }
    Ok(())
}

/// The groups that the rules of today or the rules of the snapshot select, in one reading.
async fn read_roster(
    groups: &[Group],
    (selection, before): (&Selection, Option<&(Rules, Selection)>),
    (services, settings): (&Services<'_>, &Settings),
    tell: Tell<'_>,
) -> Result<Roster, CycleError> {
    let mut wanted: BTreeSet<&GroupId> = selection.groups.keys().collect();
    wanted.extend(before.iter().flat_map(|(_, selection)| selection.groups.keys()));
    let wanted: Vec<Group> = groups.iter().filter(|group| wanted.contains(&group.id)).cloned().collect();
    let progress = |progress: duo::Progress| tell(Progress::Reading(progress.done, progress.total));
    Ok(services.duo.read_roster(&wanted, &attributes(settings, before), &progress).await?)
}

fn attributes(settings: &Settings, before: Option<&(Rules, Selection)>) -> BTreeSet<String> {
    let mut attributes = settings.rules.duo_attributes();
    if let Some((rules, _)) = before {
        attributes.extend(rules.duo_attributes());
    }
    attributes.into_iter().map(str::to_owned).collect()
}

/// Asks for people by id and lets their records take the place of what the lists said (S2).
pub(super) async fn confirm(
    reading: &mut Reading,
    people: &BTreeSet<PersonId>,
    (services, settings): (&Services<'_>, &Settings),
    tell: Tell<'_>,
) -> Result<(), CycleError> {
    tell(Progress::Confirming(people.len()));
    let ids: Vec<PersonId> = people.iter().cloned().collect();
    let attributes = attributes(settings, reading.before.as_ref());
    let records: BTreeMap<_, _> = services.duo.read_people(&ids, &attributes).await?;
    for (id, record) in records {
        reading.roster.confirm(&id, record.map(|record| (record.person, record.groups)));
    }
    Ok(())
}
