//! What is counted. Names are an interface: dashboards and the shipped alert rules use them.

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use std::time::Duration;

/// Cycles by result.
pub const CYCLES: &str = "duo_atlassian_sync_cycles_total";
/// How long cycles take.
pub const CYCLE_SECONDS: &str = "duo_atlassian_sync_cycle_duration_seconds";
/// When the last good cycle ended; before there was one, when the first cycle began.
pub const LAST_GOOD: &str = "duo_atlassian_sync_last_good_cycle_timestamp_seconds";
/// When the next cycle is due.
pub const NEXT_DUE: &str = "duo_atlassian_sync_next_cycle_timestamp_seconds";
/// Requests by service and class of status.
pub const REQUESTS: &str = "duo_atlassian_sync_requests_total";
/// How long requests take.
pub const REQUEST_SECONDS: &str = "duo_atlassian_sync_request_duration_seconds";
/// Changes by action and outcome.
pub const CHANGES: &str = "duo_atlassian_sync_changes_total";
/// 1 while a plan waits for a person.
pub const HELD: &str = "duo_atlassian_sync_held";
/// 1 while the plan that waits is rejected.
pub const REJECTED: &str = "duo_atlassian_sync_rejected";
/// 1 while the brake is on.
pub const PAUSED: &str = "duo_atlassian_sync_paused";
/// Records that keep failing.
pub const FAILING: &str = "duo_atlassian_sync_failing_records";
/// Requests of which nobody knows yet what became.
pub const UNSETTLED: &str = "duo_atlassian_sync_unsettled_requests";
/// Days until the API key expires.
// In days, as people count; promtool wants no unit but seconds in a name.
pub const KEY_DAYS: &str = "duo_atlassian_sync_api_key_expiry";
/// People in scope at the last reading.
pub const PEOPLE: &str = "duo_atlassian_sync_people";
/// Accounts of ours by state.
pub const ACCOUNTS: &str = "duo_atlassian_sync_accounts";
/// Groups of ours.
pub const GROUPS: &str = "duo_atlassian_sync_groups";
/// The version, as a label.
pub const BUILD: &str = "duo_atlassian_sync_build_info";

/// Every name, with what it is: the shipped alert rules may use these and no others.
pub const NAMES: [&str; 17] = [
    CYCLES,
    CYCLE_SECONDS,
    LAST_GOOD,
    NEXT_DUE,
    REQUESTS,
    REQUEST_SECONDS,
    CHANGES,
    HELD,
    REJECTED,
    PAUSED,
    FAILING,
    UNSETTLED,
    KEY_DAYS,
    PEOPLE,
    ACCOUNTS,
    GROUPS,
    BUILD,
];

/// From a quick answer to the longest that is waited for.
const REQUEST_BUCKETS: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0];
/// From nothing to do to a first sync.
const CYCLE_BUCKETS: [f64; 8] = [1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1_800.0, 7_200.0];

/// Starts counting, once for the process. Until then, whatever is counted goes nowhere and costs nothing.
///
/// # Errors
/// When something counts already.
pub fn start() -> Result<PrometheusHandle, BuildError> {
    use metrics_exporter_prometheus::Matcher::Full;
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Full(REQUEST_SECONDS.to_owned()), &REQUEST_BUCKETS)?
        .set_buckets_for_metric(Full(CYCLE_SECONDS.to_owned()), &CYCLE_BUCKETS)?
        .install_recorder()?;
    describe();
    gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(handle)
}

fn describe() {
    describe_counter!(CYCLES, Unit::Count, "Cycles by result.");
    describe_histogram!(CYCLE_SECONDS, Unit::Seconds, "How long cycles took.");
    describe_gauge!(
        LAST_GOOD,
        Unit::Seconds,
        "When the last good cycle ended, in seconds since 1970; before there was one, when the first cycle began."
    );
    describe_gauge!(NEXT_DUE, Unit::Seconds, "When the next cycle is due, in seconds since 1970.");
    describe_counter!(REQUESTS, Unit::Count, "Requests by service and class of status, tries included.");
    describe_histogram!(REQUEST_SECONDS, Unit::Seconds, "How long requests took, by service.");
    describe_counter!(
        CHANGES,
        Unit::Count,
        "Accounts, groups and memberships that were to be changed, by action and outcome."
    );
    describe_gauge!(HELD, Unit::Count, "1 while a plan waits for a person.");
    describe_gauge!(REJECTED, Unit::Count, "1 while the plan that waits is one that a person rejected.");
    describe_gauge!(PAUSED, Unit::Count, "1 while sending is paused.");
    describe_gauge!(FAILING, Unit::Count, "Records that keep failing.");
    describe_gauge!(UNSETTLED, Unit::Count, "Requests that were cut off and are looked up before anything is sent.");
    describe_gauge!(KEY_DAYS, Unit::Count, "Days until atlassian.api_key_expires; negative after it.");
    describe_gauge!(PEOPLE, Unit::Count, "People in scope at the last reading.");
    describe_gauge!(ACCOUNTS, Unit::Count, "Accounts of ours by state.");
    describe_gauge!(GROUPS, Unit::Count, "Groups of ours.");
    describe_gauge!(BUILD, Unit::Count, "1, with the version as a label.");
}

/// Counts one request that was answered with this status, or not at all.
pub fn count_request(service: &'static str, status: Option<u16>, elapsed: Duration) {
    let class = match status {
        Some(429) => "429",
        Some(100..200) => "1xx",
        Some(200..300) => "2xx",
        Some(300..400) => "3xx",
        Some(400..500) => "4xx",
        Some(_) => "5xx",
        None => "none",
    };
    counter!(REQUESTS, "service" => service, "status" => class).increment(1);
    histogram!(REQUEST_SECONDS, "service" => service).record(elapsed.as_secs_f64());
}

/// Counts what one writing request, or link, was to change, by what came of it: done, refused, unknown.
pub fn count_changes(action: &'static str, outcome: String, count: usize) {
    counter!(CHANGES, "action" => action, "outcome" => outcome).increment(u64::try_from(count).unwrap_or(u64::MAX));
}

/// Counts one cycle.
pub fn count_cycle(result: &'static str, elapsed: Duration) {
    counter!(CYCLES, "result" => result).increment(1);
    histogram!(CYCLE_SECONDS).record(elapsed.as_secs_f64());
}
