//! Everything that is read before anything is decided.

use super::conflict;
use super::conflict::Look;
use super::pins;
use super::pins::Pins;
use super::target;
use super::{CycleError, Progress, Services, Settings, Task, Tell, Tools};
use crate::desired;
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
use crate::plan::Trust;
use crate::store::JournalRecord;
use crate::store::Request;
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
    /// The whole target, where it was read.
    pub(super) observed: Option<Observed>,
    pub(super) observed_at: Option<Timestamp>,
    /// Whether it was read for more than conflicts, which are kept with the records that fail.
    pub(super) is_asked_for: bool,
    /// Only those records of the target that are in the way of a create that it refused.
    pub(super) in_the_way: Option<Observed>,
    /// Whether the snapshot is believed.
    pub(super) trust: Trust,
    /// Memberships of people of ours that were there at an earlier reading of the target, and are not ours.
    pub(super) foreign: BTreeSet<(GroupId, PersonId)>,
    /// For whom the journal holds a create of which nobody knows whether it happened.
    pub(super) creating: BTreeSet<PersonId>,
    /// Pinned people whose record is as it was, with the reason; and what happens to the pins after this cycle.
    pub(super) pins: Pins,
    pub(super) requests_before: u64,
}

pub(super) async fn read(task: Task<'_>, tools: &Tools<'_, '_>) -> Result<Reading, CycleError> {
    let Tools { store, services, settings, tell, trust, pauses, .. } = tools;
    let (store, tell): (&Store, Tell<'_>) = (store, *tell);
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
    let now = || Timestamp::from_seconds(services.clock.now_seconds());
    let desired = || desired::compute(&roster, &settings.rules, &selection);
    let look = conflict::look(store, &owned, desired, (now(), *pauses))?;
    let in_the_way = match &look {
        Look::Records(records, desired) => conflict::read_records(services.scim, records, (&owned, desired)).await?,
        Look::Nothing | Look::Whole => None,
    };
    let is_asked_for = reads_target(task, tools, &owned)?;
    let observed = if is_asked_for || (look != Look::Nothing && in_the_way.is_none()) {
        Some(target::read_whole(&owned, services, tell).await?)
    } else {
        None
    };
    let observed_at = observed.is_some().then(now);
    let pinned = store.read_pins()?;
    let mut reading = Reading {
        owned,
        roster,
        selection,
        before,
        observed,
        observed_at,
        is_asked_for,
        in_the_way,
        trust: *trust,
        foreign: store.read_foreign_memberships()?,
        creating: creating(store)?,
        pins: Pins::default(),
        requests_before,
    };
    let strangers = strangers(&reading);
    if !strangers.is_empty() {
        confirm(&mut reading, &strangers, (services, settings), tell).await?;
    }
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

/// For whom the journal holds a create of which nobody knows whether it happened.
fn creating(store: &Store) -> Result<BTreeSet<PersonId>, StoreError> {
    let person = |record: JournalRecord| {
        if let Request::CreateUser { person, .. } = record.request { Some(person) } else { None }
    };
    Ok(store.read_unsettled()?.into_iter().filter_map(person).collect())
}

/// People of whom there is a record, by its `externalId`, that a database which is not trusted does not know, and who
/// are in no list: this program may have made the record when the database was not looking. Duo is asked for them.
fn strangers(reading: &Reading) -> BTreeSet<PersonId> {
    let Some(observed) = reading.observed.as_ref().filter(|_| !reading.trust.is_trusted()) else {
        return BTreeSet::new();
    };
    let linked: BTreeSet<_> = reading.owned.accounts.values().map(|account| &account.scim_id).collect();
    let records = observed.accounts.iter().filter(|(id, record)| !linked.contains(id) && record.active != Some(false));
    let ids = records.filter_map(|(_, record)| record.external_id.as_deref()).filter(|id| is_person_id(id));
    ids.map(PersonId::new).filter(|id| !reading.roster.people.contains_key(id)).collect()
}

/// Whether a text looks like Duo's `user_id`: `DU` and 18 more letters and digits.
fn is_person_id(text: &str) -> bool {
    text.len() == 20 && text.starts_with("DU") && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// While nothing is owned, the target is read first (S7); when the snapshot is not believed (S19); and when somebody
/// asks for it or decided on what was found so. A first sync that was cut off in the middle of its links leaves no
/// reading on record: the next cycle reads as well, and adopts the rest.
fn reads_target(task: Task<'_>, tools: &Tools<'_, '_>, owned: &Owned) -> Result<bool, StoreError> {
    let is_asked = match task {
        Task::Refresh => true,
        Task::Listed(listed) => listed.needs_target(),
        Task::Everybody | Task::OnePerson(_) | Task::Undo(_) => false,
    };
    let is_first = owned.is_empty() || tools.store.target_read_at()?.is_none();
    Ok(is_first || is_asked || !tools.trust.is_trusted() || tools.store.is_refresh_due()?)
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
