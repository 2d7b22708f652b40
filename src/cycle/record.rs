//! What stays of a cycle.

use super::compare::foreign_accounts;
use super::read::Reading;
use super::{CycleError, End, Mode, Report, Services, Settings};
use crate::apply;
use crate::apply::Applied;
use crate::apply::CONFLICT;
use crate::apply::UNSETTLED;
use crate::guard::Approved;
use crate::guard::Verdict;
use crate::guard::items_of;
use crate::model::Timestamp;
use crate::plan::Plan;
use crate::plan::Subject;
use crate::report::PlanDocument;
use crate::scim::RequestError;
use crate::store::CycleEnd;
use crate::store::CycleId;
use crate::store::DecisionRecord;
use crate::store::Failing;
use crate::store::KeyTrial;
use crate::store::PlanRecord;
use crate::store::PlanVerdict;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::TOLD_TO_END;
use crate::store::WriterLock;
use serde_json::json;
use std::collections::BTreeSet;

/// How a cycle ended that the brake stopped, in its record.
pub const PAUSED: &str = "paused";

/// Keeps the plan so that it can be shown and approved.
pub(super) fn keep_plan(
    store: &mut Store,
    cycle: CycleId,
    verdict: &Verdict,
    document: &PlanDocument,
) -> Result<(), StoreError> {
    let (word, risky) = match verdict {
        Verdict::Approved(_) => (PlanVerdict::Approved, BTreeSet::new()),
        Verdict::Held(held) => (PlanVerdict::Held, held.risky_items()),
    };
    store.record_plan(&PlanRecord {
        fingerprint: document.fingerprint.clone(),
        cycle,
        created_at: document.created_at,
        verdict: word,
        document: serde_json::to_string(document).unwrap_or_default(),
        risky,
    })
}

/// The approvals by which a plan goes out that would have been held without them.
pub(super) fn approvals(store: &Store, approved: &Approved, now: Timestamp) -> Result<Vec<DecisionRecord>, StoreError> {
    let items = items_of(approved.plan()).into_iter().map(|(_, item)| item);
    store.read_approvals_of(&items.filter(|item| approved.is_by_person(item)).collect(), now)
}

/// What a whole cycle leaves behind.
#[derive(Clone, Copy)]
pub(super) struct Recorded<'a> {
    pub(super) reading: &'a Reading,
    /// Whether all of today's plan was to be sent, and not a part of it.
    pub(super) is_whole: bool,
}

/// How the sending ended. What waits for something that failed earlier is not done (S21).
pub(super) fn end_of_sending(applied: &Applied) -> End {
    let is_all_sent = applied.failing.is_empty() && applied.paused.is_empty() && applied.waiting == 0;
    match (&applied.stopped, is_all_sent) {
        (Some(RequestError::Paused), _) => End::Paused,
        (None, _) if applied.late > 0 => End::OutOfTime,
        (Some(_), _) | (None, false) => End::Failing,
        (None, true) => End::Done,
    }
}

/// After sending: the rules that the snapshot is made with now, and whether records fail.
pub(super) fn after(
    store: &mut Store,
    recorded: Recorded<'_>,
    (approved, applied): (&Approved, &Applied),
    (settings, services): (&Settings, &Services<'_>),
) -> Result<End, CycleError> {
    let now = Timestamp::from_seconds(services.clock.now_seconds());
    let reading = recorded.reading;
    if applied.stopped.is_none() && applied.late == 0 && recorded.is_whole {
        store.record_rules(&settings.rules, &reading.selection.remembered())?;
        if let Some(at) = reading.observed_at {
            let owned = store.read_owned()?;
            let foreign = |observed| foreign_accounts(observed, &owned, &BTreeSet::new());
            let others = reading.observed.as_ref().map_or(0, foreign);
            store.record_target_read(at, others)?;
        }
        store.release_pins(&reading.pins.released)?;
        forget_what_is_not_planned_any_more(store, approved, now)?;
    }
    let end = end_of_sending(applied);
    let failing = end == End::Done && !store.read_failing()?.is_empty();
    Ok(if failing { End::Failing } else { end })
}

/// A rejection holds what it was about until that is not planned any more (S10).
pub(super) fn let_rejections_lapse(store: &mut Store, mode: Mode, plan: &Plan) -> Result<(), StoreError> {
    if mode == Mode::Preview {
        return Ok(());
    }
    let planned = items_of(plan).into_iter().map(|(_, item)| item).collect();
    store.let_rejections_lapse(&planned)
}

/// What failed and is in no action of today has nothing left that could fail; but a conflict that keeps somebody out of
/// the plan has not gone away, nor has a request of which nobody knows what became of it. Once that is settled, what a
/// crash left of it is over too: no settling comes back to it.
fn forget_what_is_not_planned_any_more(
    store: &mut Store,
    approved: &Approved,
    now: Timestamp,
) -> Result<(), StoreError> {
    let planned = apply::failing_keys(approved.plan());
    let skipped: BTreeSet<String> = approved
        .plan()
        .skipped
        .iter()
        .map(|skipped| match &skipped.subject {
            Subject::Person(person) => format!("person:{}", person.user_id),
            Subject::Group(group) => format!("group:{}", group.group_id),
        })
        .collect();
    let open: BTreeSet<String> = store.read_unsettled()?.iter().map(|record| record.request.record()).collect();
    let is_over = |failing: &Failing| {
        let stays = match failing.kind.as_str() {
            CONFLICT => skipped.contains(&failing.key.record),
            UNSETTLED => open.contains(&failing.key.record),
            _ => false,
        };
        !planned.contains(&failing.key) && !stays
    };
    let failing = store.read_failing()?.into_iter().map(|record| record.failing);
    let over = failing.filter(is_over).map(|failing| failing.key).collect();
    store.record_failing(&[], &over, now)
}

/// A key that was said to be dead is tried once more: whoever syncs without a daemon has no other trial (S21).
pub(super) async fn try_a_dead_key(
    store: &mut Store,
    services: &Services<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let is_dead = store.read_key_trial()?.is_some_and(|trial| trial.dead.is_some());
    if is_dead && services.scim.read_service().await.is_ok() {
        store.record_key_trial(&KeyTrial { at: now, dead: None })?;
    }
    Ok(())
}

/// Removes what is old. A preview does not hold the lock of those who write: it does so only while nobody has it.
pub(super) fn compact(store: &mut Store, mode: Mode, (now, history_days): (Timestamp, u32)) -> Result<(), StoreError> {
    if !store.is_compaction_due(now)? {
        return Ok(());
    }
    match mode {
        Mode::Apply => store.compact(now, history_days),
        Mode::Preview => WriterLock::acquire(store.path()).map_or(Ok(()), |_lock| store.compact(now, history_days)),
    }
}

fn failing_message(report: &Report) -> String {
    let stopped = report.applied.as_ref().and_then(|applied| applied.stopped.as_ref());
    stopped.map_or_else(|| "some records are failing".to_owned(), |error| format!("sending stopped: {error}"))
}

fn out_of_time_message(report: &Report) -> String {
    let applied = report.applied.as_ref();
    let late = applied.map_or(0, |applied| applied.late);
    let failing = applied.is_some_and(|applied| !applied.failing.is_empty());
    let failing = if failing { "; some records are failing" } else { "" };
    format!("out of time: {late} requests were not sent{failing}")
}

fn end_of_error(error: &CycleError) -> CycleEnd {
    let mut message = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        message.push_str(": ");
        message.push_str(&cause.to_string());
        source = cause.source();
    }
    CycleEnd { exit_code: error.exit_code(), message, fingerprint: None, report: json!({}) }
}

/// The line that a start leaves which only settled what was open.
pub(super) fn end_of_settling(settled: &Result<usize, CycleError>) -> CycleEnd {
    match settled {
        Ok(count) => {
            let message = format!("settled {count} requests that were cut off earlier");
            CycleEnd { exit_code: 0, message, fingerprint: None, report: json!({}) }
        }
        Err(error) => end_of_error(error),
    }
}

/// The line that a cycle leaves in the database, whatever happened.
pub(super) fn end_of(
    result: &Result<Report, CycleError>,
    command: &str,
    (store, services): (&Store, &Services<'_>),
) -> CycleEnd {
    let report = match result {
        Ok(report) => report,
        Err(error) => return end_of_error(error),
    };
    let (exit_code, message) = match report.end {
        End::Previewed => (0, "previewed".to_owned()),
        End::Done if report.document.actions.is_empty() => (0, "nothing to do".to_owned()),
        End::Done => (0, "done".to_owned()),
        End::Held => (5, format!("held: plan {} waits for a person", report.document.short_fingerprint())),
        // A daemon that is told to end stops its sending as the brake does.
        End::Paused if command == "daemon" && !store.brake().is_on() => (4, TOLD_TO_END.to_owned()),
        End::Paused => (5, PAUSED.to_owned()),
        End::Failing => (4, failing_message(report)),
        End::OutOfTime => (4, out_of_time_message(report)),
    };
    let counts = report.applied.as_ref().map(|applied| {
        json!({
            "done": applied.done, "refused": applied.refused, "unknown": applied.unknown, "waiting": applied.waiting,
            "late": applied.late,
        })
    });
    let approval = |record: &DecisionRecord| {
        let (by, at, note, fingerprint) = (record.who.to_string(), record.at, &record.note, &record.fingerprint);
        json!({ "by": by, "at": at, "note": note, "fingerprint": fingerprint })
    };
    let report_json = json!({
        "summary": report.document.summary,
        "source": report.document.source,
        "sent": counts,
        "approvals": report.approvals.iter().map(approval).collect::<Vec<_>>(),
        "target_requests": services.scim.requests_sent(),
    });
    CycleEnd { exit_code, message, fingerprint: Some(report.document.fingerprint.clone()), report: report_json }
}
