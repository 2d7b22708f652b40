//! From what was read to a plan that is final, and to what the guard judges it against.

use super::read::{Reading, confirm};
use super::{CycleError, Services, Settings, Tell};
use crate::apply::count_requests;
use crate::desired;
use crate::desired::Desired;
use crate::desired::ScopeChange;
use crate::desired::describe_changes;
use crate::guard::Class;
use crate::guard::DirectorySync;
use crate::guard::History;
use crate::guard::Item;
use crate::guard::Pilot;
use crate::guard::RosterSize;
use crate::guard::Situation;
use crate::guard::items_of;
use crate::model::GroupId;
use crate::model::Observed;
use crate::model::Owned;
use crate::model::PersonId;
use crate::model::ScimId;
use crate::model::Timestamp;
use crate::plan::Capabilities;
use crate::plan::Comparison;
use crate::plan::Drift;
use crate::plan::DriftFound;
use crate::plan::Inputs;
use crate::plan::Plan;
use crate::plan::Step;
use crate::plan::left_out_by;
use crate::report::BaseDocument;
use crate::report::ForecastDocument;
use crate::report::Header;
use crate::report::SourceDocument;
use crate::report::TargetDocument;
use crate::scim::atlassian;
use crate::store::Store;
use std::collections::BTreeSet;

/// A plan, and what stands around it.
#[derive(Debug)]
pub(super) struct Compared {
    pub(super) plan: Plan,
    pub(super) situation: Situation,
    pub(super) header: Header,
    /// How the snapshot was corrected, where the target was read and something is owned.
    pub(super) drift: Option<Drift>,
}

/// So many people are asked for one by one before a plan is shown; above, the plan waits for a person first (S2).
const CONFIRMED_MAX: usize = 2_000;

/// Records that are asked for by id may show further absences; it ends because nobody is asked for twice.
const ROUNDS_MAX: usize = 10;

/// Twenty-four hours, over which the limits count (S4).
pub(super) const DAY_SECONDS: i64 = 86_400;

/// A group that had fewer people may become empty without being held (S5).
const EMPTIED_MIN: usize = 3;

pub(super) async fn compare(
    reading: &mut Reading,
    store: &Store,
    services: &Services<'_>,
    (settings, tell): (&Settings, Tell<'_>),
) -> Result<Compared, CycleError> {
    let now = Timestamp::from_seconds(services.clock.now_seconds());
    let approved = store.read_approved_items(now, reading.trust.untrusted_since())?;
    let (mut plan, mut drift) = compute(reading, settings, now);
    for _ in 0..ROUNDS_MAX {
        if plan.unconfirmed.is_empty() || (plan.unconfirmed.len() > CONFIRMED_MAX && !is_approved(&plan, &approved)) {
            break;
        }
        let people = std::mem::take(&mut plan.unconfirmed);
        confirm(reading, &people, (services, settings), tell).await?;
        (plan, drift) = compute(reading, settings, now);
    }
    if let Some(drift) = &drift {
        reading.owned.clone_from(&drift.owned);
    }
    let seats = plan.keep_within_seats(seats_taken(reading, store, &plan)?, settings.limits.accounts);
    let found = drift.as_ref().map(|drift| drift.found(&desired_of(reading, settings))).unwrap_or_default();
    let situation = Situation { drift: found, ..situation(reading, store, (settings, approved), now)? };
    let mut header = Header { seats, ..header(reading, store, services, (settings, &plan), now)? };
    let foreign = drift.as_ref().and_then(|drift| remark_of_foreign(&drift.foreign, reading, settings));
    header.remarks.extend(foreign);
    Ok(Compared { plan, situation, header, drift })
}

/// Active accounts of the directory: ours, adopted ones, and others where they are known.
fn seats_taken(reading: &Reading, store: &Store, plan: &Plan) -> Result<u64, CycleError> {
    let adopted = plan.actions.iter().filter_map(|action| match &action.step {
        Step::Adopt { scim_id, active, .. } => Some((scim_id, *active)),
        Step::Create { .. }
        | Step::Update { .. }
        | Step::Reactivate { .. }
        | Step::Deactivate { .. }
        | Step::AdoptGroup { .. }
        | Step::CreateGroup { .. }
        | Step::UpdateMembers { .. } => None,
    });
    let active = adopted.clone().filter(|(_, active)| *active).count();
    let ours = u64::try_from(reading.owned.active_accounts() + active).unwrap_or(u64::MAX);
    let others = match &reading.observed {
        Some(observed) => foreign_accounts(observed, &reading.owned, &adopted.map(|(scim_id, _)| scim_id).collect()),
        // Counted as others when the target was last read whole.
        None => store.foreign_accounts()?.saturating_sub(u64::try_from(active).unwrap_or(u64::MAX)),
    };
    Ok(ours.saturating_add(others))
}

/// Active accounts that are neither ours nor adopted. By id: what was observed may be older than what is owned.
pub(super) fn foreign_accounts(observed: &Observed, owned: &Owned, adopted: &BTreeSet<&ScimId>) -> u64 {
    let ours: BTreeSet<&ScimId> = owned.accounts.values().map(|account| &account.scim_id).collect();
    let foreign = observed
        .accounts
        .iter()
        .filter(|(id, account)| account.active != Some(false) && !ours.contains(*id) && !adopted.contains(*id));
    u64::try_from(foreign.count()).unwrap_or(u64::MAX)
}

/// What the people's `last_directory_sync` say.
fn directory_sync(reading: &Reading, now: Timestamp) -> Option<DirectorySync> {
    let synced = || reading.roster.people.values().filter_map(|person| person.last_directory_sync);
    let newest = synced().max()?;
    let behind = synced().filter(|at| newest.seconds_since(*at) > DAY_SECONDS).count();
    Some(DirectorySync {
        newest,
        age_seconds: now.seconds_since(newest),
        people: u64::try_from(synced().count()).unwrap_or(u64::MAX),
        behind: u64::try_from(behind).unwrap_or(u64::MAX),
    })
}

/// Whether a person has seen and approved everything that the unconfirmed people would lose.
fn is_approved(plan: &Plan, approved: &BTreeSet<Item>) -> bool {
    let theirs = |item: &Item| item.person.as_ref().is_some_and(|person| plan.unconfirmed.contains(person));
    let lost = |(class, item): &&(Class, Item)| class.takes_away() && theirs(item);
    items_of(plan).iter().filter(lost).all(|(_, item)| approved.contains(item))
}

fn desired_of(reading: &Reading, settings: &Settings) -> Desired {
    desired::compute(&reading.roster, &settings.rules, &reading.selection)
}

/// What somebody else changed, where the target was read.
fn drift_of(reading: &Reading, settings: &Settings, desired: &Desired) -> Option<Drift> {
    let observed = reading.observed.as_ref()?;
    Some(Drift::compute(&Comparison {
        observed,
        owned: &reading.owned,
        desired,
        rules: &settings.rules,
        trust: reading.trust,
        confirmed: &reading.roster.confirmed,
        foreign: &reading.foreign,
        creating: &reading.creating,
    }))
}

fn compute(reading: &Reading, settings: &Settings, now: Timestamp) -> (Plan, Option<Drift>) {
    let today = desired_of(reading, settings);
    let drift = drift_of(reading, settings, &today);
    let before = reading.before.as_ref();
    let before = before.map(|(rules, selection)| (desired::compute(&reading.roster, rules, selection), rules));
    let plan = Plan::compute(&Inputs {
        desired: &today,
        rules: &settings.rules,
        before: before.as_ref().map(|(desired, rules)| (desired, *rules)),
        owned: drift.as_ref().map_or(&reading.owned, |drift| &drift.owned),
        drift: drift.as_ref(),
        observed: reading.observed.as_ref().or(reading.in_the_way.as_ref()),
        confirmed: &reading.roster.confirmed,
        pinned: &reading.pins.pinned,
        capabilities: &capabilities(),
        now,
    });
    (plan, drift)
}

/// What the target can do, in the planner's terms.
pub fn capabilities() -> Capabilities {
    let target = atlassian::capabilities();
    Capabilities {
        group_members_max: usize::try_from(target.group_members_max).unwrap_or(usize::MAX),
        group_names_ignored: target.group_names_ignored.iter().map(|name| (*name).to_owned()).collect(),
    }
}

fn situation(
    reading: &Reading,
    store: &Store,
    (settings, approved): (&Settings, BTreeSet<Item>),
    now: Timestamp,
) -> Result<Situation, CycleError> {
    let (spent, spent_leaves) = store.read_spent(now.plus_seconds(-DAY_SECONDS))?;
    let owned = &reading.owned;
    let size = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let members = |id: &GroupId| reading.roster.groups.get(id).map_or(0, |(_, members)| members.len());
    let emptied = owned.groups.iter().filter(|(id, group)| {
        reading.selection.groups.contains_key(*id) && group.members.len() >= EMPTIED_MIN && members(id) == 0
    });
    let people = people_in_scope(reading);
    let pilot_before = reading.before.as_ref().is_some_and(|(rules, _)| !rules.pilot_people.is_empty());
    Ok(Situation {
        active_accounts: size(owned.active_accounts()),
        memberships: size(owned.memberships()),
        group_members: owned
            .groups
            .iter()
            .map(|(id, group)| (id.clone(), (group.name.clone(), size(group.members.len()))))
            .collect(),
        spent,
        spent_leaves,
        approved,
        rejected: store.read_rejected_items()?,
        history: store.history()?,
        scope_changes: reading.selection.changes.clone(),
        emptied_groups: emptied
            .map(|(id, group)| (id.clone(), group.name.clone(), size(group.members.len())))
            .collect(),
        roster: if people == 0 && owned.active_accounts() > 0 { RosterSize::BecameEmpty } else { RosterSize::Normal },
        people: size(people),
        configuration_changes: reading
            .before
            .as_ref()
            .map(|(before, _)| describe_changes(before, &settings.rules))
            .unwrap_or_default(),
        directory_sync: directory_sync(reading, now),
        trust: reading.trust,
        drift: DriftFound::default(),
        pilot: if pilot_before && settings.rules.pilot_people.is_empty() { Pilot::Ended } else { Pilot::AsBefore },
    })
}

fn people_in_scope(reading: &Reading) -> usize {
    let selected = reading.selection.groups.keys().filter_map(|id| reading.roster.groups.get(id));
    selected.flat_map(|(_, members)| members).collect::<BTreeSet<&PersonId>>().len()
}

fn header(
    reading: &Reading,
    store: &Store,
    services: &Services<'_>,
    (settings, plan): (&Settings, &Plan),
    now: Timestamp,
) -> Result<Header, CycleError> {
    let source = SourceDocument {
        api_host: settings.api_host.clone(),
        groups: reading.selection.groups.len(),
        people: people_in_scope(reading),
        requests: services.duo.requests_sent().saturating_sub(reading.requests_before),
    };
    let mut header = header_of((&reading.owned, source), store, (settings, plan), now)?;
    header.target.last_read_at = reading.observed_at.or(header.target.last_read_at);
    header.remarks = remarks(reading, store, plan)?;
    Ok(header)
}

/// So many memberships that are not ours are named.
const FOREIGN_NAMED_MAX: usize = 3;

/// What stands around a plan, whatever was read for it.
pub(super) fn header_of(
    (owned, source): (&Owned, SourceDocument),
    store: &Store,
    (settings, plan): (&Settings, &Plan),
    now: Timestamp,
) -> Result<Header, CycleError> {
    let active = u64::try_from(owned.active_accounts()).unwrap_or(u64::MAX);
    Ok(Header {
        created_at: now,
        source,
        target: TargetDocument { scim_base_url: settings.scim_base_url.clone(), last_read_at: store.target_read_at()? },
        base: BaseDocument {
            database_id: store.database_id().to_owned(),
            generation: store.generation()?,
            accounts: owned.accounts.len(),
            groups: owned.groups.len(),
            memberships: owned.memberships(),
        },
        forecast: forecast(plan, settings),
        seats: plan.clone().keep_within_seats(active, 0),
        remarks: Vec::new(),
    })
}

/// What sending a plan costs.
pub(super) fn forecast(plan: &Plan, settings: &Settings) -> ForecastDocument {
    let requests = count_requests(plan, settings.members_per_request_max);
    ForecastDocument { requests, seconds: seconds(requests, settings.requests_per_second) }
}

/// How long so many requests take at the permitted rate.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a forecast in whole seconds; the rate is positive"
)]
fn seconds(requests: u64, per_second: f64) -> u64 {
    (requests as f64 / per_second).ceil() as u64
}

/// What is different about the selected groups and holds nothing.
fn remark_of_scope_change(change: &ScopeChange) -> Option<String> {
    match change {
        ScopeChange::Renamed { was, name } => Some(format!(
            "group {} ({}) is named {name:?} in Duo now; it stays selected and keeps its Atlassian name, since Atlassian renames no group",
            was.name, was.group_id
        )),
        ScopeChange::StillGone(was) => Some(format!(
            "group {} ({}), which {} selected, is not in Duo any more or has another name: take the entry out of scope.groups if it selects nothing else",
            was.name, was.group_id, was.selector
        )),
        ScopeChange::Vanished(_) | ScopeChange::LeftPattern { .. } | ScopeChange::NewMatch(_) => None,
    }
}

/// Memberships that somebody else made, and that stay (S7): access that nobody takes away.
fn remark_of_foreign(
    foreign: &BTreeSet<(GroupId, PersonId)>,
    reading: &Reading,
    settings: &Settings,
) -> Option<String> {
    let name = |(group, person): &(GroupId, PersonId)| {
        let (group, account) = (reading.owned.groups.get(group)?, reading.owned.accounts.get(person)?);
        let is_told = left_out_by(&settings.rules, &[&account.username], person).is_none();
        is_told.then(|| format!("{} in {}", account.username, group.name))
    };
    let names: BTreeSet<String> = foreign.iter().filter_map(name).collect();
    let shown: Vec<&str> = names.iter().take(FOREIGN_NAMED_MAX).map(String::as_str).collect();
    let more = if names.len() > shown.len() { ", ..." } else { "" };
    (!names.is_empty()).then(|| {
        format!(
            "{} of our people in our groups {} made by somebody else, and {} ({}{more})",
            if names.len() == 1 { "1 membership".to_owned() } else { format!("{} memberships", names.len()) },
            if names.len() == 1 { "was" } else { "were" },
            if names.len() == 1 { "stays as it is" } else { "stay as they are" },
            shown.join(", ")
        )
    })
}

fn remarks(reading: &Reading, store: &Store, plan: &Plan) -> Result<Vec<String>, CycleError> {
    let mut remarks = reading.roster.remarks.clone();
    remarks.extend(reading.selection.changes.iter().filter_map(remark_of_scope_change));
    if let Some(observed) = &reading.observed {
        let ours = reading.owned.accounts.len() + plan.summary().adopt;
        let others = observed.accounts.len().saturating_sub(ours);
        if others > 0 {
            remarks.push(format!("{others} accounts of the Atlassian directory are not ours and stay as they are"));
        }
    }
    if !reading.trust.is_trusted() {
        remarks.push(format!(
            "{}: Atlassian was read whole, and the plan is made from what it says now; the database is believed again \
             once that is recorded, when a sync is not held",
            reading.trust
        ));
    }
    let unsettled = store.read_unsettled()?.len();
    if unsettled > 0 {
        remarks.push(format!(
            "{unsettled} earlier requests were cut off; what became of them is looked up before anything is sent"
        ));
    }
    if store.history()? == History::None && !reading.owned.is_empty() {
        remarks.push("no plan was carried out to its end yet".to_owned());
    }
    Ok(remarks)
}
