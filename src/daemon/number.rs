//! What is known after a cycle, as numbers.

use crate::model::Timestamp;
use crate::status::{State, Status, days_until};
use crate::store::JournalRecord;
use crate::store::Request;
use crate::telemetry::metric;
use metrics::gauge;

/// Sets every gauge. People are known only when a cycle read them.
#[expect(clippy::cast_precision_loss, reason = "gauges are floating point; these numbers are far below 2^53")]
pub(super) fn set(
    status: &Status,
    (key_expires, people): (Option<jiff::civil::Date>, Option<usize>),
    next: Option<Timestamp>,
) {
    // Where none was ever good, it is missing since the first one: an alert by the age of this must go off, too.
    let good = status.good.as_ref().and_then(|cycle| cycle.ended_at).or(status.first_at);
    gauge!(metric::LAST_GOOD).set(good.map_or(0.0, |at| at.seconds() as f64));
    if let Some(next) = next {
        gauge!(metric::NEXT_DUE).set(next.seconds() as f64);
    }
    let flag = |is_set: bool| if is_set { 1.0 } else { 0.0 };
    gauge!(metric::HELD).set(flag(status.state == State::Held));
    gauge!(metric::REJECTED).set(flag(status.state == State::Held && status.is_rejected()));
    gauge!(metric::PAUSED).set(flag(status.brake != crate::store::BrakeState::Off));
    gauge!(metric::FAILING).set(status.failing.len() as f64);
    gauge!(metric::UNSETTLED).set(status.unsettled as f64);
    if let Some(days) = key_expires.and_then(|expires| days_until(expires, status.now)) {
        gauge!(metric::KEY_DAYS).set(days as f64);
    }
    if let Some(people) = people {
        gauge!(metric::PEOPLE).set(people as f64);
    }
    let (all, active) = status.accounts;
    gauge!(metric::ACCOUNTS, "state" => "active").set(active as f64);
    gauge!(metric::ACCOUNTS, "state" => "inactive").set(all.saturating_sub(active) as f64);
    gauge!(metric::GROUPS).set(status.groups as f64);
}

/// Counts what a cycle sent, and what came of it. What was cut off counts as unknown.
pub(super) fn count(journal: &[JournalRecord]) {
    for record in journal {
        let outcome = record.outcome.clone().unwrap_or_else(|| "unknown".to_owned());
        metric::count_changes(action(&record.request), outcome, changes(&record.request));
    }
}

/// How much a request changes: memberships are counted one by one.
fn changes(request: &Request) -> usize {
    match request {
        Request::AddMembers { members, .. } | Request::RemoveMembers { members, .. } => members.len(),
        Request::Adopt { .. }
        | Request::AdoptGroup { .. }
        | Request::CreateUser { .. }
        | Request::UpdateUser { .. }
        | Request::DeactivateUser { .. }
        | Request::CreateGroup { .. } => 1,
    }
}

/// The action of a plan that a request belongs to; of memberships, what happens to them.
const fn action(request: &Request) -> &'static str {
    match request {
        Request::Adopt { .. } => "adopt",
        Request::AdoptGroup { .. } => "adopt_group",
        Request::CreateUser { .. } => "create",
        Request::UpdateUser { reactivate: true, .. } => "reactivate",
        Request::UpdateUser { .. } => "update",
        Request::DeactivateUser { .. } => "deactivate",
        Request::CreateGroup { .. } => "create_group",
        Request::AddMembers { .. } => "join",
        Request::RemoveMembers { .. } => "leave",
    }
}
