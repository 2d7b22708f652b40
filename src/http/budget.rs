//! The request budget (S16): who may send when. The rate is at most the configured one; below it, `pace` and `quota`
//! follow what the service bears and says. Requests leave one by one, in the order in which they asked.

use super::message::Answer;
use super::pace::{Era, Pace, interval};
use super::quota::Stretch;
use super::retry::WHOLE_MAX;
use crate::clock::Clock;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A timer that fires so late costs nothing of the rate.
const LATENESS_MAX: Duration = Duration::from_millis(10);
/// What is made up for never comes closer together than this part of the even distance.
const CATCH_UP_SPACING: f64 = 0.8;

/// Hands out the right to send, evenly.
pub(super) struct Budget {
    /// So many requests may follow each other at once after a rest.
    burst: u32,
    /// Who has it is next. Fair: first come, first served.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

struct State {
    pace: Pace,
    stretch: Stretch,
    /// When the next token is due, evenly spaced; none: nobody asked yet.
    due: Option<Duration>,
    /// When the last one was taken, and the how many it was.
    taken: (Duration, u64),
    /// No token before this moment.
    paused_until: Duration,
}

/// The right to send one request now. What was answered to it is told with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    number: u64,
    era: Era,
}

impl Budget {
    /// A rate that is not a positive number counts as one request an hour.
    pub(super) fn new(requests_per_second: f64, burst: u32) -> Self {
        let state = State {
            pace: Pace::new(requests_per_second),
            stretch: Stretch::default(),
            due: None,
            taken: (Duration::ZERO, 0),
            paused_until: Duration::ZERO,
        };
        Self { burst: burst.max(1), turn: tokio::sync::Mutex::default(), state: Mutex::new(state) }
    }

    /// How long one request may wait in all, of so many at once: five minutes, or what the configured rate itself
    /// needs.
    pub(super) fn patience(&self, at_once: usize) -> Duration {
        let at_once = u32::try_from(at_once).unwrap_or(u32::MAX);
        let own = interval(self.lock().pace.ceiling()).saturating_mul(at_once).saturating_mul(2);
        WHOLE_MAX.max(own)
    }

    /// Waits for a token and takes it; none when it would come later than `until`.
    pub(super) async fn take(&self, clock: &Clock, until: Duration) -> Option<Token> {
        let _turn = self.turn.lock().await;
        loop {
            let now = clock.monotonic();
            let next = self.lock().next(now, self.burst);
            match next {
                Ok(token) => return Some(token),
                Err(at) if at > until => return None,
                // Looked at anew after the wait: somebody may have been told to wait meanwhile.
                Err(at) => clock.wait(at.saturating_sub(now)).await,
            }
        }
    }

    /// Takes into account what was answered.
    pub(super) fn hear(&self, token: Token, answer: &Answer, now: Duration) {
        let mut state = self.lock();
        match (answer.status, answer.retry_after) {
            (429, told) | (503, told @ Some(_)) => {
                let pause = state.pace.refused(token.era, now, told);
                state.pause_until(now.saturating_add(pause), self.burst);
            }
            // The service has other troubles; nothing follows for the rate.
            (500.., _) => {}
            _ => {
                state.pace.accepted(token.era, now);
                state.hear_quota(token, answer, now);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A token, or the moment at which to ask again.
    fn next(&mut self, now: Duration, burst: u32) -> Result<Token, Duration> {
        let ahead = self.ahead(now, burst);
        let even = interval(self.pace.rate());
        // At first there is a burst to use, where there are bursts, but nothing to catch up with.
        let due = self.due.unwrap_or_else(|| now.saturating_add(ahead).saturating_sub(even.saturating_mul(burst - 1)));
        let (last, number) = self.taken;
        let spacing = if burst > 1 || number == 0 { Duration::ZERO } else { even.mul_f64(CATCH_UP_SPACING) };
        let at = due.saturating_sub(ahead).max(last.saturating_add(spacing)).max(self.paused_until);
        if at > now {
            return Err(at);
        }
        let distance = self.stretch.interval(now).map_or(even, |stretched| stretched.max(even));
        self.due = Some(due.max(now).saturating_add(distance));
        self.taken = (now, number.saturating_add(1));
        Ok(Token { number: self.taken.1, era: self.pace.era() })
    }

    /// So far ahead of its even time a token may be taken.
    fn ahead(&self, now: Duration, burst: u32) -> Duration {
        let even = interval(self.pace.rate());
        let lateness = LATENESS_MAX.min(even);
        if self.pace.is_lowered() || self.stretch.interval(now).is_some() {
            // Near a limit nothing is made up for: if time is lost, the rate grows instead.
            Duration::ZERO
        } else if burst > 1 {
            even.saturating_mul(burst - 1).saturating_add(lateness)
        } else {
            // No more is made up for: any second would then hold more requests than were permitted.
            lateness
        }
    }

    /// No token before this moment, and no burst right after it.
    fn pause_until(&mut self, moment: Duration, burst: u32) {
        self.paused_until = self.paused_until.max(moment);
        let due = moment.saturating_add(self.ahead(moment, burst));
        self.due = self.due.max(Some(due));
    }

    fn hear_quota(&mut self, token: Token, answer: &Answer, now: Duration) {
        let Some(quota) = &answer.quota else { return };
        let (last, taken) = self.taken;
        self.stretch.hear(quota, (token.number, taken), self.pace.rate(), now);
        if let Some(stretched) = self.stretch.interval(now) {
            self.due = self.due.max(Some(last.saturating_add(stretched)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Budget, Clock, Duration, WHOLE_MAX};

    const NEVER: Duration = Duration::MAX;

    async fn moments(budget: &Budget, clock: &Clock, count: usize) -> Vec<u128> {
        let mut seen = Vec::new();
        for _ in 0..count {
            budget.take(clock, NEVER).await.unwrap();
            seen.push(clock.monotonic().as_millis());
        }
        seen
    }

    /// Takes a token that is answered with 429 and this wait.
    async fn refused(budget: &Budget, clock: &Clock, wait: Option<u64>) {
        let token = budget.take(clock, NEVER).await.unwrap();
        let answer = Answer { status: 429, retry_after: wait.map(Duration::from_secs), ..Answer::default() };
        budget.hear(token, &answer, clock.monotonic());
    }

    #[tokio::test]
    async fn after_a_burst_the_rate_is_kept() {
        let clock = Clock::simulated(0, 1);
        let budget = Budget::new(2.0, 3);
        assert_eq!(moments(&budget, &clock, 6).await, [0, 0, 0, 500, 1000, 1500]);
    }

    #[tokio::test]
    async fn without_a_burst_requests_are_evenly_spaced() {
        let clock = Clock::simulated(0, 1);
        let seen = moments(&Budget::new(5.0, 1), &clock, 100).await;
        assert_eq!(seen.last(), Some(&19_800));
        assert!(seen.windows(2).all(|pair| pair[1] - pair[0] == 200), "{seen:?}");
    }

    #[tokio::test]
    async fn no_second_holds_more_than_is_permitted_whatever_was_lost_before() {
        let clock = Clock::simulated(0, 1);
        let budget = Budget::new(10.0, 1);
        let mut seen = moments(&budget, &clock, 10).await;
        clock.advance(Duration::from_millis(300));
        seen.extend(moments(&budget, &clock, 7).await);
        clock.advance(Duration::from_hours(1));
        seen.extend(moments(&budget, &clock, 100).await);
        let most = seen.iter().map(|from| seen.iter().filter(|at| (*from..*from + 1_000).contains(at)).count()).max();
        assert!(most <= Some(11), "one of them was begun in the second before: {most:?}");
    }

    #[tokio::test]
    async fn a_refusal_empties_the_bucket_and_lowers_the_rate() {
        let clock = Clock::simulated(0, 1);
        let budget = Budget::new(1.0, 4);
        refused(&budget, &clock, Some(60)).await;
        assert_eq!(moments(&budget, &clock, 3).await, [60_000, 62_000, 64_000]);
    }

    #[tokio::test]
    async fn whoever_waits_already_waits_for_the_pause_too() {
        let clock = Clock::simulated(0, 1);
        let budget = Budget::new(1.0, 1);
        let first = budget.take(&clock, NEVER).await.unwrap();
        let waiter = async {
            budget.take(&clock, NEVER).await.unwrap();
            clock.monotonic().as_secs()
        };
        let answer = Answer { status: 503, retry_after: Some(Duration::from_secs(30)), ..Answer::default() };
        let pauser = async { budget.hear(first, &answer, clock.monotonic()) };
        let (at, ()) = tokio::join!(waiter, pauser);
        assert!((30..33).contains(&at), "{at}");
    }

    #[tokio::test]
    async fn nobody_waits_for_longer_than_the_bound() {
        let clock = Clock::simulated(0, 1);
        let budget = Budget::new(1.0, 1);
        refused(&budget, &clock, Some(120)).await;
        let until = clock.monotonic() + Duration::from_secs(100);
        assert!(budget.take(&clock, until).await.is_none());
        assert_eq!(clock.monotonic(), Duration::ZERO, "it is known at once");
        assert!(budget.take(&clock, NEVER).await.is_some());
        // A configured rate may need longer than five minutes; that is no reason to give up.
        assert_eq!(budget.patience(64), WHOLE_MAX);
        assert_eq!(Budget::new(0.01, 1).patience(4), Duration::from_secs(800));
    }

    #[tokio::test]
    async fn a_senseless_rate_is_slow_and_not_endless() {
        let clock = Clock::simulated(0, 1);
        for rate in [0.0, -1.0, f64::NAN] {
            let seen = moments(&Budget::new(rate, 1), &clock, 2).await;
            assert_eq!(seen[1] - seen[0], 3_600_000, "{rate}");
        }
    }
}
