//! How a stored plan stands today: whether it was sent, waits still, or something else was planned since.

use crate::model::Timestamp;
use crate::report::PlanDocument;
use crate::store::{CycleRecord, Decision, DecisionRecord, PlanRecord, Store, StoreError};

/// How a stored plan stands.
pub(super) enum Standing {
    /// A cycle sent it, and nobody planned the same again since.
    Sent(CycleRecord),
    /// It is what would be sent next, or waits for the command that made it.
    Current,
    /// Something else was planned since; the plan that waits now, if one does.
    Overtaken(Option<PlanRecord>),
}

/// How a stored plan stands today.
pub(super) fn of(store: &Store, plan: &PlanRecord) -> Result<Standing, StoreError> {
    if let Some(cycle) = store.read_sending(&plan.fingerprint, plan.cycle)? {
        return Ok(Standing::Sent(cycle));
    }
    let command = store.read_cycle(plan.cycle)?.map(|cycle| cycle.command);
    // What one person, a saved plan or an undo is about waits for its own command, whatever else is planned.
    let is_own = matches!(command.as_deref(), Some("sync --person" | "apply" | "undo" | "undo --dry-run"));
    let newest = store.read_newest_about_everybody()?;
    let is_newest = fingerprint(newest.as_ref()).is_some_and(|newest| *newest == plan.fingerprint);
    Ok(if is_own || is_newest { Standing::Current } else { Standing::Overtaken(store.read_held_plan()?) })
}

/// Whether there is something to decide about a plan that something else was planned after: it shares changes with the
/// plan that waits now, which an approval covers too; or what was approved with it is not sent yet, and can be taken
/// back.
pub(super) fn is_open(
    store: &Store,
    (plan, held): (&PlanRecord, Option<&PlanRecord>),
    decision: Decision,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if held.is_some_and(|held| !held.risky.is_disjoint(&plan.risky)) {
        return Ok(true);
    }
    let newest = store.read_newest_about_everybody()?;
    let is_done = newest.and_then(|cycle| cycle.end).is_some_and(|end| end.exit_code == 0 && end.has_sent());
    if decision == Decision::Approved || is_done {
        return Ok(false);
    }
    let approved = store.read_approved_items(now, None)?;
    let decisions = store.read_decisions(&plan.fingerprint)?;
    Ok(decisions.iter().any(|record| !record.risky.is_disjoint(&approved)))
}

/// The last word about a plan, while it stands.
fn last_word(decisions: &[DecisionRecord], now: Timestamp) -> Option<&DecisionRecord> {
    decisions.last().filter(|record| record.expires_at.is_none_or(|until| now < until))
}

/// The last word about a stored plan, while it stands. An approval of a part of it is none about the plan, nor is one
/// that was used up.
pub(super) fn word(
    store: &Store,
    plan: &PlanRecord,
    decisions: &[DecisionRecord],
    now: Timestamp,
) -> Result<Option<Decision>, StoreError> {
    let approved = store.read_approved_items(now, None)?;
    let word = last_word(decisions, now).map(|record| record.decision);
    Ok(word.filter(|word| *word == Decision::Rejected || plan.risky.is_subset(&approved)))
}

/// By whom a held plan is rejected as it is.
pub(super) fn rejection(
    store: &Store,
    document: &PlanDocument,
    now: Timestamp,
) -> Result<Option<DecisionRecord>, StoreError> {
    let decisions = store.read_decisions(&document.fingerprint)?;
    Ok(last_word(&decisions, now).filter(|record| record.decision == Decision::Rejected).cloned())
}

fn fingerprint(cycle: Option<&CycleRecord>) -> Option<&String> {
    cycle?.end.as_ref()?.fingerprint.as_ref()
}
