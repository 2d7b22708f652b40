//! What stays of a cycle.

use super::read::Reading;
use super::{CycleError, End, Report, Services, Settings};
use crate::apply::Applied;
use crate::guard::Approved;
use crate::guard::Verdict;
use crate::model::Timestamp;
use crate::report::PlanDocument;
use crate::store::CycleEnd;
use crate::store::CycleId;
use crate::store::PlanRecord;
use crate::store::PlanVerdict;
use crate::store::Store;
use crate::store::StoreError;
use serde_json::json;
use std::collections::BTreeSet;

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

/// After sending: the rules that the snapshot is made with now, who left the scope, and whether records fail.
pub(super) fn after(
    store: &mut Store,
    reading: &Reading,
    (approved, applied): (&Approved, &Applied),
    (settings, services): (&Settings, &Services<'_>),
) -> Result<End, CycleError> {
    let now = Timestamp::from_seconds(services.clock.now_seconds());
    if applied.stopped.is_none() {
        store.record_rules(&settings.rules, &reading.selection.remembered())?;
        store.record_left_scope(&approved.plan().in_grace, now)?;
        if let Some(at) = reading.observed_at {
            store.record_target_read(at)?;
        }
        forget_what_is_not_planned_any_more(store, approved, now)?;
    }
    let failing = applied.stopped.is_some() || !store.read_failing()?.is_empty();
    Ok(if failing { End::Failing } else { End::Done })
}

/// A record that failed and is in no action of today has nothing left that could fail.
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
    let failing = store.read_failing()?.into_iter().map(|record| record.failing.record);
    let over: BTreeSet<String> = failing.filter(|record| !planned.contains(record)).collect();
    store.record_failing(&[], &over, now)
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
        End::Failing => (4, "some records are failing".to_owned()),
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
