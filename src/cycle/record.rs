//! What stays of a cycle.

use super::compare::foreign_accounts;
use super::read::Reading;
use super::{CycleError, End, Mode, Report, Services, Settings};
use crate::apply::Applied;
use crate::apply::CONFLICT;
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
use crate::store::Failing;
use crate::store::PlanRecord;
use crate::store::PlanVerdict;
use crate::store::Store;
use crate::store::StoreError;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

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

/// What a whole cycle leaves behind.
#[derive(Clone, Copy)]
pub(super) struct Recorded<'a> {
    pub(super) reading: &'a Reading,
    /// Whether all of today's plan was to be sent, and not a part of it.
    pub(super) is_whole: bool,
}

/// How the sending ended.
pub(super) fn end_of_sending(applied: &Applied) -> End {
    match (&applied.stopped, applied.failing.is_empty()) {
        (Some(RequestError::Paused), _) => End::Paused,
        (Some(_), _) | (None, false) => End::Failing,
        (None, true) => End::Done,
    }
}

/// After sending: the rules that the snapshot is made with now, who left the scope, and whether records fail.
pub(super) fn after(
    store: &mut Store,
    recorded: Recorded<'_>,
    (approved, applied): (&Approved, &Applied),
    (settings, services): (&Settings, &Services<'_>),
) -> Result<End, CycleError> {
    let now = Timestamp::from_seconds(services.clock.now_seconds());
    let reading = recorded.reading;
    if applied.stopped.is_none() && recorded.is_whole {
        store.record_rules(&settings.rules, &reading.selection.remembered())?;
        store.record_left_scope(&approved.plan().in_grace, now)?;
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

/// A record that failed and is in no action of today has nothing left that could fail; but a conflict that keeps
/// somebody out of the plan has not gone away.
fn forget_what_is_not_planned_any_more(
    store: &mut Store,
    approved: &Approved,
    now: Timestamp,
) -> Result<(), StoreError> {
    let planned: BTreeSet<String> = approved
        .plan()
        .actions
        .iter()
        .filter_map(|action| match (action.step.person(), action.step.group()) {
            (Some(person), _) => Some(format!("person:{}", person.user_id)),
            (None, Some(group)) => Some(format!("group:{}", group.group_id)),
            (None, None) => None,
        })
        .collect();
    let skipped: BTreeMap<String, &str> = approved
        .plan()
        .skipped
        .iter()
        .map(|skipped| match &skipped.subject {
            Subject::Person(person) => (format!("person:{}", person.user_id), skipped.reason.as_str()),
            Subject::Group(group) => (format!("group:{}", group.group_id), skipped.reason.as_str()),
        })
        .collect();
    let (mut still, mut over) = (Vec::new(), BTreeSet::new());
    for Failing { record, name, kind, .. } in store.read_failing()?.into_iter().map(|record| record.failing) {
        match skipped.get(&record).filter(|_| kind == CONFLICT) {
            _ if planned.contains(&record) => {}
            Some(reason) => still.push(Failing { record, name, kind, reason: (*reason).to_owned() }),
            None => drop(over.insert(record)),
        }
    }
    store.record_failing(&still, &over, now)
}

fn failing_message(report: &Report) -> String {
    let stopped = report.applied.as_ref().and_then(|applied| applied.stopped.as_ref());
    stopped.map_or_else(|| "some records are failing".to_owned(), |error| format!("sending stopped: {error}"))
}

/// The line that a cycle leaves in the database, whatever happened.
pub(super) fn end_of(result: &Result<Report, CycleError>, services: &Services<'_>) -> CycleEnd {
    let report = match result {
        Ok(report) => report,
        Err(error) => {
            let mut message = error.to_string();
            let mut source = std::error::Error::source(error);
            while let Some(cause) = source {
                message.push_str(": ");
                message.push_str(&cause.to_string());
                source = cause.source();
            }
            return CycleEnd { exit_code: error.exit_code(), message, fingerprint: None, report: json!({}) };
        }
    };
    let (exit_code, message) = match report.end {
        End::Previewed => (0, "previewed".to_owned()),
        End::Done if report.document.actions.is_empty() => (0, "nothing to do".to_owned()),
        End::Done => (0, "done".to_owned()),
        End::Held => (5, format!("held: plan {} waits for a person", report.document.short_fingerprint())),
        End::Paused => (5, PAUSED.to_owned()),
        End::Failing => (4, failing_message(report)),
    };
    let counts = report.applied.as_ref().map(|applied| {
        json!({ "done": applied.done, "refused": applied.refused, "unknown": applied.unknown, "waiting": applied.waiting })
    });
    let report_json = json!({
        "summary": report.document.summary,
        "source": report.document.source,
        "sent": counts,
        "target_requests": services.scim.requests_sent(),
    });
    CycleEnd { exit_code, message, fingerprint: Some(report.document.fingerprint.clone()), report: report_json }
}
