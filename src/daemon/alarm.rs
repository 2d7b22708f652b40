//! What somebody must hear of, after a cycle: the facts become conditions, and what is new is sent.

use super::Setup;
use super::cycle::Finished;
use crate::clock::Clock;
use crate::cycle::CycleError;
use crate::duo::ReadError;
use crate::model::Timestamp;
use crate::notice::{Condition, Event, Ledger};
use crate::report::PlanDocument;
use crate::scim::RequestError;
use crate::status::{State, Status, days_until};
use crate::store::{Decision, Store, StoreError};

/// So many cycles in a row must fail before somebody is told.
const FAILED_IN_A_ROW: u32 = 3;

/// So many days before its end a key is spoken of (S21).
const KEY_DAYS: i64 = 30;

/// Sends what is due. A notice that does not arrive is due again after the next cycle.
pub(super) async fn tell(setup: &Setup, clock: &Clock, conditions: &[Condition]) -> Result<(), StoreError> {
    let Some(webhook) = &setup.webhook else { return Ok(()) };
    let Ok(mut store) = Store::open(&setup.store, &setup.binding) else { return Ok(()) };
    let before: Ledger = store.read_told()?;
    let mut ledger = before.clone();
    let now = Timestamp::from_seconds(clock.now_seconds());
    for notice in ledger.clone().due(conditions, now) {
        match webhook.send(&notice, (&setup.binding.scim_base_url, now)).await {
            Ok(()) => {
                ledger.record(&notice, now);
                tracing::info!(notice.event = notice.event.as_str(), notice.reminder = notice.reminder, "told");
            }
            Err(error) => {
                tracing::warn!(notice.event = notice.event.as_str(), "{}", super::chain(&error));
                break;
            }
        }
    }
    ledger.forget_over(conditions);
    if ledger == before { Ok(()) } else { store.record_told(&ledger) }
}

/// What is the case after a cycle.
pub(super) fn conditions(
    setup: &Setup,
    (store, status): (&Store, &Status),
    finished: &Finished,
    dead_key: Option<&str>,
) -> Result<Vec<Condition>, StoreError> {
    let mut conditions = Vec::new();
    if let (State::Held, Finished::Reported(report)) = (status.state, finished)
        && !status.decision.as_ref().is_some_and(|record| record.decision == Decision::Rejected)
    {
        conditions.extend(held(&report.document));
    }
    conditions.extend(failing(store)?);
    if let Some(message) = dead_key.map(str::to_owned).or_else(|| dead_key_of(finished)) {
        conditions.push(condition(Event::KeyDead, "", message, &["duo-atlassian-sync check"]));
    }
    let days = setup.key_expires.and_then(|expires| days_until(expires, status.now));
    if let Some(days) = days.filter(|days| *days <= KEY_DAYS) {
        // A month, two weeks, a week, three days, and every day after that.
        let instance = [30, 14, 7, 3].into_iter().filter(|mark| days <= *mark).min().unwrap_or(days);
        let instance = if days < 3 { days } else { instance };
        let message = if days < 0 {
            format!("atlassian.api_key_expires was {} days ago", -days)
        } else {
            format!("the API key of Atlassian expires in {days} days; a new one makes the old one void at once")
        };
        conditions.push(condition(Event::KeyExpires, &instance.to_string(), message, &[]));
    }
    if let Finished::Reported(report) = finished {
        conditions.extend(directory_sync(&report.document));
    }
    Ok(conditions)
}

fn condition(event: Event, instance: &str, message: String, next: &[&str]) -> Condition {
    let next = next.iter().map(|line| (*line).to_owned()).collect();
    Condition { event, instance: instance.to_owned(), message, next, people: Vec::new() }
}

/// A held plan, and who waits behind it to lose access.
fn held(document: &PlanDocument) -> Vec<Condition> {
    let short = document.short_fingerprint();
    let findings: Vec<&str> = document.guard.findings.iter().map(|finding| finding.finding.as_str()).collect();
    let message = format!("plan {short} waits for a person: {}", findings.join(", "));
    let next = [format!("duo-atlassian-sync show plan {short}"), format!("duo-atlassian-sync approve {short}")];
    let plan = condition(Event::Held, &document.fingerprint, message, &next.each_ref().map(String::as_str));
    let leavers = document.actions.iter().filter(|action| action.action == "deactivate");
    let leavers: Vec<&crate::plan::PersonDocument> = leavers.filter_map(|action| action.person.as_ref()).collect();
    if leavers.is_empty() {
        return vec![plan];
    }
    let message = format!("{} people wait behind the held plan {short} to lose access", leavers.len());
    let next: Vec<String> =
        leavers.iter().take(10).map(|person| format!("duo-atlassian-sync sync --person {}", person.user_id)).collect();
    let people = leavers.iter().map(|person| person.username.clone()).collect();
    let instance = document.fingerprint.clone();
    vec![plan, Condition { event: Event::LeaverWaits, instance, message, next, people }]
}

/// Three cycles in a row that were neither good nor held.
fn failing(store: &Store) -> Result<Option<Condition>, StoreError> {
    let failed = store.count_failed_in_a_row(FAILED_IN_A_ROW)?;
    let message = || format!("the last {FAILED_IN_A_ROW} cycles failed");
    Ok((failed >= FAILED_IN_A_ROW).then(|| condition(Event::Failing, "", message(), &["duo-atlassian-sync status"])))
}

/// What a cycle says about the keys.
fn dead_key_of(finished: &Finished) -> Option<String> {
    let of_target = |error: &RequestError| is_dead(error).then(|| error.to_string());
    match finished {
        Finished::Failed(CycleError::Target(error) | CycleError::Unsettled(error)) => of_target(error),
        Finished::Failed(CycleError::Source(error @ (ReadError::WrongKey { .. } | ReadError::Forbidden { .. }))) => {
            Some(error.to_string())
        }
        Finished::Reported(report) => {
            let stopped = report.applied.as_ref().and_then(|applied| applied.stopped.as_ref());
            stopped.and_then(of_target)
        }
        Finished::Failed(_)
        | Finished::Unopened(_)
        | Finished::Busy(_)
        | Finished::Panicked(_)
        | Finished::Abandoned => None,
    }
}

/// Whether an answer says that the key or the directory is no good.
pub(super) const fn is_dead(error: &RequestError) -> bool {
    matches!(error, RequestError::WrongKey { .. } | RequestError::WrongDirectory { .. })
}

/// Findings about Duo's own directory sync.
fn directory_sync(document: &PlanDocument) -> Option<Condition> {
    let finding = document.guard.findings.iter().find(|finding| finding.finding.starts_with("directory_sync_"))?;
    Some(condition(Event::DirectorySync, &finding.finding, finding.message.clone(), &[]))
}
