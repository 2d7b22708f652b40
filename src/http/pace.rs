//! How fast requests may follow each other: below the configured rate, what the service bears. Pure.
//!
//! A refusal lowers the rate to what got through on average since the one before it: for a token bucket, large or
//! small,
//! that is close to its limit, since it was empty both times. Then the rate grows again, quickly while it is far from
//! where it was refused, and around there so slowly that hardly one request in some hundreds is refused.

use super::retry::RETRY_AFTER_MAX;
use std::time::Duration;

/// However often a service refuses, one request in twenty seconds is tried.
const SLOWEST: f64 = 0.05;
/// A refusal leaves at least this share of the rate when it came soon after the one before,
const SHARE_AFTER_HASTE: f64 = 0.5;
/// at least this one when the rate was borne for longer than `HASTE`,
const SHARE_AFTER_A_WHILE: f64 = 0.85;
/// and never more than this one.
const SHARE_MAX: f64 = 0.97;
/// So long the rate must have been borne to count as almost right.
const HASTE: Duration = Duration::from_secs(5);
/// So much the rate grows in a second while it is away from where it was last refused,
const GROWTH: f64 = 0.03;
/// and so much between these two shares of it.
const GROWTH_NEAR: f64 = 0.000_8;
const NEAR: std::ops::RangeInclusive<f64> = 0.95..=1.05;
/// One accepted request counts as so much time at most: slow or idle budgets grow by what they tried.
const GROWTH_STEP_MAX: Duration = Duration::from_millis(250);
/// After so long without a request, what got through is measured anew.
const IDLE: Duration = Duration::from_secs(10);
/// How long everybody waits after a first refusal that does not say how long; then twice that, and so on.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_DOUBLINGS_MAX: u32 = 5;

/// The rate, and what the service said to it.
#[derive(Debug)]
pub(super) struct Pace {
    /// As configured, in requests a second.
    ceiling: f64,
    rate: f64,
    /// The rate at the last refusal; none: it was never refused.
    refused_at: Option<f64>,
    /// Refusals so far, each counted once.
    era: u32,
    /// Refusals since a request was last accepted.
    in_a_row: u32,
    /// Requests accepted since the last refusal,
    accepted: u32,
    /// which was then; none: a rest came in between, or there was no refusal.
    since: Option<Duration>,
    /// So long the rate was tried since the last refusal.
    tried: Duration,
    /// When a request was last accepted, or may be next.
    last: Duration,
}

/// When a request got its token: before or after a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Era(u32);

impl Pace {
    /// A rate that is not a positive number counts as one request an hour.
    pub(super) fn new(requests_per_second: f64) -> Self {
        let ceiling = if requests_per_second > 0.0 { requests_per_second } else { 0.0 };
        let ceiling = ceiling.clamp(1.0 / 3_600.0, 1e6);
        Self {
            ceiling,
            rate: ceiling,
            refused_at: None,
            era: 0,
            in_a_row: 0,
            accepted: 0,
            since: None,
            tried: Duration::ZERO,
            last: Duration::ZERO,
        }
    }

    /// The rate of now, in requests a second.
    pub(super) const fn rate(&self) -> f64 {
        self.rate
    }

    /// As configured.
    pub(super) const fn ceiling(&self) -> f64 {
        self.ceiling
    }

    /// Whether the service bears less than was configured, as far as is known.
    pub(super) fn is_lowered(&self) -> bool {
        self.rate < self.ceiling
    }

    /// For a request that gets its token now.
    pub(super) const fn era(&self) -> Era {
        Era(self.era)
    }

    /// A request was let through, whatever became of it.
    pub(super) fn accepted(&mut self, era: Era, now: Duration) {
        let gap = now.saturating_sub(self.last);
        self.last = self.last.max(now);
        self.in_a_row = 0;
        self.accepted = self.accepted.saturating_add(1);
        if gap > IDLE + interval(self.rate) {
            (self.since, self.accepted) = (None, 1);
        }
        if era != self.era() {
            return;
        }
        let step = gap.min(GROWTH_STEP_MAX);
        self.tried = self.tried.saturating_add(step);
        let Some(refused_at) = self.refused_at else { return };
        let growth = if NEAR.contains(&(self.rate / refused_at)) { GROWTH_NEAR } else { GROWTH };
        self.rate = (self.rate * growth.mul_add(step.as_secs_f64(), 1.0)).min(self.ceiling);
    }

    /// A request was refused since there were too many; `told` is how long to wait. Says for how long nobody sends.
    ///
    /// Requests that were under way when the rate was lowered do not lower it again.
    pub(super) fn refused(&mut self, era: Era, now: Duration, told: Option<Duration>) -> Duration {
        let told = told.map(|wait| wait.min(RETRY_AFTER_MAX));
        if era != self.era() {
            return told.unwrap_or_default();
        }
        self.era = self.era.wrapping_add(1);
        // Refused again with nothing in between, the pause was too short; that says nothing about the rate.
        if self.accepted > 0 || self.refused_at.is_none() {
            self.lower(now);
        }
        self.in_a_row = self.in_a_row.saturating_add(1);
        let doublings = (self.in_a_row - 1).min(PAUSE_DOUBLINGS_MAX);
        let own = PAUSE_MIN.saturating_mul(1 << doublings);
        let pause = match told {
            Some(told) if doublings == 0 => told,
            Some(told) => told.max(own),
            None => own,
        };
        (self.accepted, self.since, self.tried) = (0, Some(now), Duration::ZERO);
        self.last = now.saturating_add(pause);
        pause
    }

    fn lower(&mut self, now: Duration) {
        let share = if self.tried < HASTE { SHARE_AFTER_HASTE } else { SHARE_AFTER_A_WHILE };
        let (least, most) = (self.rate * share, self.rate * SHARE_MAX);
        let span = self.since.map(|since| now.saturating_sub(since)).filter(|span| !span.is_zero());
        let got_through = span.map(|span| f64::from(self.accepted) / span.as_secs_f64());
        self.refused_at = Some(self.rate);
        let slowest = SLOWEST.min(self.ceiling);
        self.rate = got_through.map_or(least, |rate| rate.clamp(least, most)).max(slowest);
    }
}

/// The time between two requests at this rate.
pub(super) fn interval(rate: f64) -> Duration {
    const LONGEST: Duration = Duration::from_hours(1);
    Duration::try_from_secs_f64(1.0 / rate).unwrap_or(LONGEST).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::{Duration, Pace, interval};

    /// Requests accepted at the pace's own rate for so many seconds from `from`; the end.
    fn run(pace: &mut Pace, from: f64, seconds: f64) -> f64 {
        let mut now = from;
        while now < from + seconds {
            now += interval(pace.rate()).as_secs_f64();
            pace.accepted(pace.era(), Duration::from_secs_f64(now));
        }
        now
    }

    fn refuse(pace: &mut Pace, now: f64, told: Option<u64>) -> u64 {
        pace.refused(pace.era(), Duration::from_secs_f64(now), told.map(Duration::from_secs)).as_secs()
    }

    fn near(a: f64, b: f64) -> bool {
        (a / b - 1.0).abs() < 0.01
    }

    #[test]
    fn a_first_refusal_halves_the_rate_and_later_ones_take_what_got_through() {
        let mut pace = Pace::new(100.0);
        let now = run(&mut pace, 0.0, 1.0);
        assert!(near(pace.rate(), 100.0) && !pace.is_lowered(), "never above the configured rate");
        refuse(&mut pace, now, Some(1));
        assert!(near(pace.rate(), 50.0) && pace.is_lowered());
        // In the next seconds 40 a second get through, on average over everything.
        for nth in 0..400 {
            pace.accepted(pace.era(), Duration::from_secs_f64(now + 1.0 + f64::from(nth) * 9.0 / 400.0));
        }
        refuse(&mut pace, now + 10.0, Some(1));
        assert!(near(pace.rate(), pace.refused_at.unwrap() * 0.85), "at least this share: {}", pace.rate());
        let mut pace = Pace::new(100.0);
        refuse(&mut pace, 0.0, Some(1));
        for nth in 0..90 {
            pace.accepted(pace.era(), Duration::from_secs_f64(1.0 + f64::from(nth) / 90.0));
        }
        refuse(&mut pace, 2.0, Some(1));
        assert!(near(pace.rate(), 45.0), "90 in two seconds: {}", pace.rate());
    }

    #[test]
    fn requests_that_were_under_way_do_not_lower_the_rate_again() {
        let mut pace = Pace::new(100.0);
        let before = pace.era();
        pace.accepted(before, Duration::from_millis(500));
        let now = Duration::from_secs(1);
        for _ in 0..16 {
            pace.refused(before, now, None);
        }
        assert!(near(pace.rate(), 50.0));
        assert_eq!(pace.refused(before, now, Some(Duration::from_secs(7))).as_secs(), 7, "but the wait counts");
        // What is accepted late does not raise it, either.
        pace.accepted(before, now + Duration::from_secs(5));
        assert!(near(pace.rate(), 50.0));
    }

    #[test]
    fn the_rate_recovers_quickly_at_first_slowly_around_the_refusal_and_up_to_the_ceiling() {
        let mut pace = Pace::new(100.0);
        refuse(&mut pace, 0.0, None);
        let mut now = 1.0;
        let mut rates = vec![pace.rate()];
        for _ in 0..9 {
            now = run(&mut pace, now, 10.0);
            rates.push(pace.rate());
        }
        assert!((1.25..1.45).contains(&(rates[1] / rates[0])), "{rates:?}");
        assert!((94.0..97.0).contains(&rates[3]) && (96.0..100.0).contains(&rates[8]), "{rates:?}");
        run(&mut pace, now, 300.0);
        assert!(!pace.is_lowered());
    }

    #[test]
    fn refused_again_and_again_everybody_waits_longer_and_the_rate_stays() {
        let mut pace = Pace::new(100.0);
        let waits: Vec<u64> = (0..8).map(|nth| refuse(&mut pace, f64::from(nth) * 100.0, None)).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 32, 32]);
        assert!(near(pace.rate(), 50.0));
        assert_eq!(refuse(&mut pace, 900.0, Some(0)), 32, "a service that says 0 and refuses is not believed");
        pace.accepted(pace.era(), Duration::from_secs(1_000));
        assert_eq!(refuse(&mut pace, 1_001.0, Some(0)), 0);
        assert_eq!(refuse(&mut pace, 1_002.0, Some(86_400)), 120, "at most two minutes");
    }

    #[test]
    fn however_often_it_is_refused_something_is_tried() {
        let mut pace = Pace::new(5.0);
        for nth in 0..100 {
            let now = f64::from(nth) * 40.0;
            pace.accepted(pace.era(), Duration::from_secs_f64(now));
            refuse(&mut pace, now + 0.001, None);
        }
        assert!(near(pace.rate(), 0.05), "{}", pace.rate());
        assert_eq!(interval(Pace::new(0.001).rate()).as_secs(), 1_000, "a configured rate below that stays");
    }

    #[test]
    fn a_rest_is_no_measure_of_what_the_service_bears() {
        let mut pace = Pace::new(10.0);
        refuse(&mut pace, 0.0, None);
        let now = run(&mut pace, 1.0, 60.0);
        let before = pace.rate();
        let now = run(&mut pace, now + 3_600.0, 6.0);
        assert!(pace.rate() < before * 1.3, "nor does it grow by itself: {before} {}", pace.rate());
        let rate = pace.rate();
        refuse(&mut pace, now, None);
        assert!(near(pace.rate(), rate * 0.85), "{rate} {}", pace.rate());
    }
}
