//! Gives back what an earlier cycle took away or changed, from the journal alone: nothing is read for it.
//!
//! What was given back is pinned: no plan takes it away or changes it until the person's record changes in Duo, or
//! somebody releases it.

use super::{CycleError, End, Mode, Report, Snapshot, Tools, compare, finish};
use crate::guard;
use crate::guard::History;
use crate::guard::Situation;
use crate::guard::Verdict;
use crate::model::GroupId;
use crate::model::Owned;
use crate::model::PersonId;
use crate::model::Timestamp;
use crate::plan::Plan;
use crate::plan::Taken;
use crate::report::SourceDocument;
use crate::store::CycleId;
use crate::store::JournalRecord;
use crate::store::Request;
use crate::store::Store;
use crate::store::Who;
use std::collections::{BTreeMap, BTreeSet};

/// What is to be undone.
#[derive(Clone, Debug)]
pub struct Undone {
    /// The cycle.
    pub cycle: CycleId,
    /// One person of it; none: everybody.
    pub person: Option<PersonId>,
    /// Who asks.
    pub who: Who,
}

/// Looks for the cycle before another one begins: that one would have the number of the next cycle, which is unknown.
pub(super) fn find(store: &Store, undone: &Undone) -> Result<(), CycleError> {
    match store.read_cycle(undone.cycle)? {
        Some(_) => Ok(()),
        None => Err(CycleError::Unknown(store.why_missing(undone.cycle)?)),
    }
}

pub(super) async fn steps(
    mode: Mode,
    cycle: CycleId,
    undone: &Undone,
    tools: &mut Tools<'_, '_>,
) -> Result<Report, CycleError> {
    let (settings, clock) = (tools.settings, tools.services.clock);
    if !tools.trust.is_trusted() {
        return Err(CycleError::Untrusted(format!("{}, and nothing is undone by what it says", tools.trust)));
    }
    let owned = tools.store.read_owned()?;
    let taken = taken(&tools.store.read_journal_of(undone.cycle)?, undone.person.as_ref());
    let plan = Plan::undo(&taken, &owned, &settings.rules);
    let now = Timestamp::from_seconds(clock.now_seconds());
    let source = SourceDocument { api_host: settings.api_host.clone(), groups: 0, people: 0, requests: 0 };
    let mut header = compare::header_of((&owned, source), tools.store, (settings, &plan), now)?;
    header.remarks.push(format!("this reverses cycle {} from the journal; Duo was not read for it", undone.cycle));
    let people: BTreeSet<PersonId> = plan.actions.iter().flat_map(|action| action.step.people()).cloned().collect();
    let names: BTreeMap<PersonId, String> =
        people.into_iter().map(|id| (id.clone(), plan.name_of(&id).to_owned())).collect();
    let situation = situation(&owned, tools, now)?;
    let verdict = guard::review(plan, &settings.limits, &situation);
    let is_sent = mode == Mode::Apply && matches!(verdict, Verdict::Approved(_)) && !tools.store.brake().is_on();
    let pinned_before = tools.store.read_pins()?;
    if is_sent {
        // Pinned before anything is sent: a crash in between leaves too many pins, never a second lock-out.
        tools.store.record_pins(&names, undone.cycle, (now, &undone.who))?;
    }
    let snapshot = Snapshot { owned: &owned, drift: None };
    let report = finish(mode, cycle, (&verdict, header), (tools, snapshot)).await?;
    if is_sent {
        // A pin on somebody who was given nothing back would lock them out.
        let helped = helped(&tools.store.read_journal_of(cycle)?);
        let unhelped = |id: &&PersonId| !helped.contains(*id) && !pinned_before.contains_key(*id);
        tools.store.release_pins(names.keys().filter(unhelped))?;
    }
    if report.end == End::Done {
        tracing::info!(cycle.id = cycle.0, undone.id = undone.cycle.0, "undone");
    }
    Ok(report)
}

/// What the journal of a cycle says was taken or changed.
fn taken(journal: &[JournalRecord], person: Option<&PersonId>) -> Vec<Taken> {
    let concerns = |id: &PersonId| person.is_none_or(|person| person == id);
    let mut taken = Vec::new();
    for record in journal.iter().filter(|record| record.outcome.as_deref() == Some("done")) {
        match &record.request {
            Request::DeactivateUser { person, .. } if concerns(person) => {
                taken.push(Taken::Deactivated(person.clone()));
            }
            Request::UpdateUser { person, changes, before, .. } if concerns(person) => {
                taken.push(Taken::Changed { person: person.clone(), before: before.clone(), after: changes.clone() });
            }
            Request::RemoveMembers { group, members, .. } => {
                let people: Vec<PersonId> =
                    members.iter().map(|(id, _)| id).filter(|id| concerns(id)).cloned().collect();
                if !people.is_empty() {
                    taken.push(Taken::Left(group.clone(), people));
                }
            }
            Request::DeactivateUser { .. }
            | Request::UpdateUser { .. }
            | Request::Adopt { .. }
            | Request::AdoptGroup { .. }
            | Request::CreateUser { .. }
            | Request::CreateGroup { .. }
            | Request::AddMembers { .. } => {}
        }
    }
    taken
}

/// To whom something was given back, or perhaps was.
fn helped(journal: &[JournalRecord]) -> BTreeSet<PersonId> {
    let sent = journal.iter().filter(|record| record.outcome.as_deref() != Some("refused"));
    sent.flat_map(|record| match &record.request {
        Request::UpdateUser { person, .. } => vec![person.clone()],
        Request::AddMembers { members, .. } => members.iter().map(|(person, _)| person.clone()).collect(),
        Request::DeactivateUser { .. }
        | Request::RemoveMembers { .. }
        | Request::Adopt { .. }
        | Request::AdoptGroup { .. }
        | Request::CreateUser { .. }
        | Request::CreateGroup { .. } => Vec::new(),
    })
    .collect()
}

fn situation(owned: &Owned, tools: &Tools<'_, '_>, now: Timestamp) -> Result<Situation, CycleError> {
    let (spent, spent_leaves) = tools.store.read_spent(now.plus_seconds(-compare::DAY_SECONDS))?;
    let members = |(id, group): (&GroupId, &crate::model::OwnedGroup)| {
        (id.clone(), (group.name.clone(), u64::try_from(group.members.len()).unwrap_or(u64::MAX)))
    };
    Ok(Situation {
        active_accounts: u64::try_from(owned.active_accounts()).unwrap_or(u64::MAX),
        memberships: u64::try_from(owned.memberships()).unwrap_or(u64::MAX),
        group_members: owned.groups.iter().map(members).collect(),
        spent,
        spent_leaves,
        approved: tools.store.read_approved_items(now, tools.trust.untrusted_since())?,
        rejected: tools.store.read_rejected_items()?,
        // Something was carried out before, or there would be nothing to undo.
        history: History::Some,
        ..Situation::default()
    })
}
