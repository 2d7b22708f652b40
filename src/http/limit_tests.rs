//! The budget against services with a limit of their own, on the simulated clock (S16).

use super::budget::Budget;
use super::message::Answer;
use super::quota::Quota;
use super::retry::{JITTER_MAX, Kind, Tries};
use crate::clock::Clock;
use futures_util::stream::{self, StreamExt};
use std::sync::Mutex;
use std::time::Duration;

/// A billionth of a token, so that a second's worth is a whole number of them.
const TOKEN: u64 = 1_000_000_000;
/// What the arithmetic of durations loses.
const CRUMB: u64 = 1_000;

/// What a service lets through.
#[derive(Clone, Copy, Debug)]
enum Limit {
    /// A token bucket, as the simulated Atlassian has one: so many a second, at most so many, and held at that moment.
    Bucket { per_second: u32, size: u32, held: u64, at: Duration },
    /// So many in each of so many seconds.
    Window { size: u32, seconds: u64, used: u32, nth: u64 },
}

/// What answers say beside their status.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Says {
    Nothing,
    /// A 429 says when to come back, in whole seconds.
    RetryAfter,
    /// The same, and every answer says what remains of how much.
    Remaining,
    /// The same, and when it is whole again.
    Reset,
}

/// A service that is far away.
#[derive(Clone, Copy, Debug)]
struct Service {
    limit: Limit,
    says: Says,
    way: Duration,
    /// From this moment on its bucket gets so many tokens a second.
    faster_at: Option<(Duration, u32)>,
    /// What it says of its quota, whatever is true.
    always: Option<Quota>,
}

impl Service {
    fn answer(&mut self, now: Duration) -> Answer {
        if let (Some((at, faster)), Limit::Bucket { per_second, .. }) = (self.faster_at, &mut self.limit) {
            *per_second = if now < at { *per_second } else { faster };
        }
        let (is_let_through, wait, quota) = self.limit.take(now);
        let quota = match self.says {
            Says::Nothing | Says::RetryAfter => None,
            Says::Remaining => Some(Quota { reset: None, ..quota }),
            Says::Reset => Some(quota),
        };
        Answer {
            status: if is_let_through { 200 } else { 429 },
            retry_after: (!is_let_through && self.says != Says::Nothing).then_some(wait),
            quota: self.always.or(quota),
            ..Answer::default()
        }
    }
}

impl Limit {
    /// Whether a request is let through, when the next one would be, and what the headers say.
    fn take(&mut self, now: Duration) -> (bool, Duration, Quota) {
        match self {
            Self::Bucket { per_second, size, held, at } => {
                let rate = u64::from(*per_second);
                let passed = u64::try_from(now.saturating_sub(*at).as_nanos()).unwrap_or(u64::MAX);
                (*held, *at) = (passed.saturating_mul(rate).saturating_add(*held).min(u64::from(*size) * TOKEN), now);
                let is_let_through = *held + CRUMB >= TOKEN;
                *held = held.saturating_sub(if is_let_through { TOKEN } else { 0 });
                let whole = |missing: u64| Duration::from_secs(missing.div_ceil(rate * TOKEN));
                let remaining = u32::try_from(*held / TOKEN).unwrap_or(u32::MAX);
                let quota = Quota {
                    limit: Some(*size),
                    remaining: Some(remaining),
                    reset: Some(whole(u64::from(*size) * TOKEN - *held)),
                    is_near_limit: remaining < *size / 5,
                };
                (is_let_through, whole(TOKEN.saturating_sub(*held)), quota)
            }
            Self::Window { size, seconds, used, nth } => {
                let now_nth = now.as_secs() / *seconds;
                (*used, *nth) = (if now_nth == *nth { *used } else { 0 }, now_nth);
                let is_let_through = *used < *size;
                *used += u32::from(is_let_through);
                // As seen from a client that knows the moment in whole seconds, and the time likewise.
                let reset = Duration::from_secs((*nth + 1) * *seconds - now.as_secs());
                let left = *size - *used;
                let quota = Quota {
                    limit: Some(*size),
                    remaining: Some(left),
                    reset: Some(reset),
                    is_near_limit: left < *size / 5,
                };
                (is_let_through, reset, quota)
            }
        }
    }
}

/// Moments of what was let through, and of what was refused.
#[derive(Debug, Default)]
struct Seen {
    let_through: Vec<Duration>,
    refused: Vec<Duration>,
}

impl Seen {
    /// Requests a second that were let through, without the first ones.
    fn rate_after(&self, first: usize) -> f64 {
        let rest = &self.let_through[first..];
        let span = rest[rest.len() - 1].saturating_sub(rest[0]);
        count(&rest[1..]) / span.as_secs_f64()
    }

    /// So many of all requests were refused.
    fn share_refused(&self) -> f64 {
        count(&self.refused) / (count(&self.refused) + count(&self.let_through))
    }

    /// So many a second were let through in the half minute that begins then.
    fn rate_at(&self, second: u64) -> f64 {
        count(&self.between(second, second + 30)) / 30.0
    }

    fn between(&self, from: u64, to: u64) -> Vec<Duration> {
        let seconds = Duration::from_secs(from)..Duration::from_secs(to);
        self.let_through.iter().copied().filter(|moment| seconds.contains(moment)).collect()
    }

    /// Those that were let through before the first refusal emptied the bucket.
    fn before_refusal(&self) -> usize {
        let first = self.refused.first().copied().unwrap_or_default();
        self.let_through.iter().filter(|at| **at < first).count()
    }
}

fn count(moments: &[Duration]) -> f64 {
    f64::from(u32::try_from(moments.len()).unwrap())
}

/// Sends so many changes, several at once, as the transport does it.
async fn send(service: Service, (configured, at_once): (f64, usize), changes: usize) -> Seen {
    let clock = Clock::simulated(0, 1);
    let budget = Budget::new(configured, 1);
    let (service, seen) = (Mutex::new(service), Mutex::new(Seen::default()));
    let way = service.lock().unwrap().way;
    let change = async |_: usize| {
        let began = clock.monotonic();
        let mut tries = Tries::default();
        loop {
            let token = budget.take(&clock, began + budget.patience(at_once)).await.expect("its turn comes in time");
            if !way.is_zero() {
                clock.wait(way + clock.jitter(way / 4)).await;
            }
            let answer = service.lock().unwrap().answer(clock.monotonic());
            let moment = clock.monotonic();
            if answer.status == 200 {
                seen.lock().unwrap().let_through.push(moment);
            } else {
                seen.lock().unwrap().refused.push(moment);
            }
            if !way.is_zero() {
                clock.wait(way).await;
            }
            budget.hear(token, &answer, clock.monotonic());
            let elapsed = clock.monotonic().saturating_sub(began);
            match tries.count(Kind::Write, &Ok(answer), elapsed, clock.jitter(JITTER_MAX)) {
                Some(wait) => clock.wait(wait).await,
                None => return,
            }
        }
    };
    stream::iter(0..changes).map(change).buffer_unordered(at_once).collect::<Vec<()>>().await;
    seen.into_inner().unwrap()
}

fn bucket(per_second: u32, size: u32, (says, way_ms): (Says, u64)) -> Service {
    let limit = Limit::Bucket { per_second, size, held: u64::from(size) * TOKEN, at: Duration::ZERO };
    Service { limit, says, way: Duration::from_millis(way_ms), faster_at: None, always: None }
}

fn window(size: u32, seconds: u64, says: Says) -> Service {
    let limit = Limit::Window { size, seconds, used: 0, nth: 0 };
    Service { limit, says, way: Duration::ZERO, faster_at: None, always: None }
}

#[tokio::test]
async fn a_limit_that_is_configured_is_used_and_never_broken() {
    for (size, at_once, way_ms) in [(1, 4, 0), (50, 4, 0), (50, 16, 0), (50, 16, 100)] {
        let seen = send(bucket(50, size, (Says::Remaining, way_ms)), (50.0, at_once), 5_500).await;
        assert!(seen.refused.is_empty(), "{size} {at_once} {way_ms}: {}", seen.refused.len());
        let rate = seen.rate_after(500);
        assert!((48.5..=50.01).contains(&rate), "{size} {at_once} {way_ms}: {rate}");
    }
}

#[tokio::test]
async fn a_limit_that_is_not_known_is_found() {
    let (few, many) = ([(Says::Nothing, 0), (Says::Remaining, 0)], [(Says::RetryAfter, 20), (Says::Reset, 0)]);
    let mut bad = Vec::new();
    for (limit, at_once, says) in [7, 23, 37, 61].into_iter().flat_map(|limit| [(limit, 4, few), (limit, 16, many)]) {
        for (size, (says, way_ms)) in [2, limit * 8].into_iter().flat_map(|size| says.map(|says| (size, says))) {
            let seen = send(bucket(limit, size, (says, way_ms)), (100.0, at_once), 5_000).await;
            let rate = seen.rate_after(seen.before_refusal() + 500);
            let share = seen.share_refused();
            if !(0.9..=1.1).contains(&(rate / f64::from(limit))) || share >= 0.01 {
                bad.push(format!("{limit} {size} {at_once} {says:?}: {rate:.2}/s, {share:.4} refused"));
            }
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}

#[tokio::test]
async fn a_service_that_gets_faster_is_followed() {
    let mut service = bucket(10, 10, (Says::RetryAfter, 0));
    service.faster_at = Some((Duration::from_mins(5), 90));
    let seen = send(service, (100.0, 4), 20_000).await;
    let at = |second| seen.rate_at(second);
    assert!((9.0..=11.0).contains(&at(200)) && (9.0..=11.0).contains(&at(330)), "slowly: {} {}", at(200), at(330));
    assert!((15.0..=70.0).contains(&at(430)), "{}", at(430));
    assert!((81.0..=99.0).contains(&at(560)), "{}", at(560));
    assert!(seen.share_refused() < 0.01);
}

#[tokio::test]
async fn what_remains_of_a_quota_is_stretched_until_its_reset() {
    for at_once in [1, 4, 16] {
        // 120 a minute, and five a second are configured.
        let seen = send(window(120, 60, Says::Reset), (5.0, at_once), 600).await;
        assert!(seen.refused.is_empty(), "{at_once}: {:?}", seen.refused);
        let minute = |nth: u64| seen.between(nth * 60, nth * 60 + 60).len();
        assert!((0..4).all(|nth| (108..=120).contains(&minute(nth))), "{at_once}: {:?}", [0, 1, 2, 3].map(minute));
    }
    let seen = send(window(120, 60, Says::RetryAfter), (5.0, 4), 600).await;
    assert!(!seen.refused.is_empty(), "it is the headers that do it");
}

#[tokio::test]
async fn headers_that_make_no_sense_cost_a_minute_and_a_half_at_most() {
    let hour = Some(Duration::from_hours(1));
    let quota = |limit, remaining, reset| Quota { limit, remaining, reset, is_near_limit: true };
    for senseless in [
        quota(Some(1_000), Some(0), hour),
        quota(None, Some(0), hour),
        quota(None, Some(1), Some(Duration::MAX)),
        quota(Some(u32::MAX), Some(3), hour),
        quota(Some(0), Some(0), hour),
        quota(Some(1_000), Some(0), Some(Duration::ZERO)),
        quota(Some(1_000), Some(u32::MAX), hour),
        quota(None, None, hour),
        Quota { is_near_limit: true, ..Quota::default() },
    ] {
        let mut service = bucket(1_000, 1_000, (Says::Nothing, 0));
        service.always = Some(senseless);
        let seen = send(service, (10.0, 4), 1_000).await;
        let took = seen.let_through[999].as_secs_f64();
        assert!((99.9..190.0).contains(&took), "{senseless:?}: {took}");
    }
}
