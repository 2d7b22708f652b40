//! How fast changes are sent, by the real sender and client.

use super::{End, LimitHeaders, Mode, NEAR, Town};

/// Requests a second that were let through, without the first ones.
fn rate_after(town: &Town, first: usize) -> f64 {
    let moments = town.let_through();
    let rest = &moments[first..];
    let span = rest[rest.len() - 1].saturating_sub(rest[0]);
    f64::from(u32::try_from(rest.len() - 1).unwrap()) / span.as_secs_f64()
}

#[test]
fn a_first_run_uses_the_configured_limit_and_is_never_refused() {
    for (at_once, latency) in [(4, NEAR), (16, 100..150)] {
        let keys = format!("requests_per_second = 50.0\nconcurrent_requests_max = {at_once}");
        let town = Town::with(5_500, (&keys, "[schedule]\nsending_minutes_max = 60\n"));
        let town = Town { latency: latency.clone(), ..town };
        town.limit(50, 50, LimitHeaders::Sent);
        let report = town.cycle(Mode::Apply, None);
        assert_eq!(report.end, End::Done);
        assert!(town.let_through().len() >= 5_500);
        assert_eq!(town.answered_with(429), 0);
        let rate = rate_after(&town, 500);
        assert!((48.5..=50.1).contains(&rate), "{at_once} at once, {latency:?} ms: {rate}");
    }
}

#[test]
fn a_limit_that_is_not_known_is_found_by_the_real_sender() {
    let keys = "requests_per_second = 100.0\nconcurrent_requests_max = 16";
    let town = Town::with(3_000, (keys, "[schedule]\nsending_minutes_max = 60\n"));
    town.limit(37, 60, LimitHeaders::Absent);
    let report = town.cycle(Mode::Apply, None);
    assert_eq!(report.end, End::Done);
    let (refused, rate) = (town.answered_with(429), rate_after(&town, 1_000));
    assert!((1..30).contains(&refused), "{refused}");
    assert!((33.3..=40.7).contains(&rate), "{rate}");
}
