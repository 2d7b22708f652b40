//! The request budget: a token bucket that a server's "wait" can empty (S16).

use crate::clock::Clock;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A timer that fires so late costs nothing of the rate.
const LATENESS_MAX: Duration = Duration::from_millis(10);

/// One token an `interval`, and at most `burst` at once after a rest.
pub(super) struct Budget {
    interval: Duration,
    /// So far ahead of its even time a token may be taken.
    ahead: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When the next token is due, evenly spaced.
    due: Duration,
    /// No token before this moment.
    paused_until: Duration,
}

impl Budget {
    /// A rate that is not a positive number counts as one request an hour.
    pub(super) fn new(requests_per_second: f64, burst: u32) -> Self {
        const SLOWEST: Duration = Duration::from_hours(1);
        let interval = Duration::try_from_secs_f64(1.0 / requests_per_second).unwrap_or(SLOWEST).min(SLOWEST);
        let ahead = interval.saturating_mul(burst.saturating_sub(1)).saturating_add(LATENESS_MAX.min(interval));
        Self { interval, ahead, state: Mutex::default() }
    }

    /// Waits for a token and takes it.
    pub(super) async fn take(&self, clock: &Clock) {
        let mut at = self.reserve(clock.monotonic());
        loop {
            let now = clock.monotonic();
            if at > now {
                clock.wait(at.saturating_sub(now)).await;
            }
            let now = clock.monotonic();
            // Whoever was told to wait while waiting takes a new place behind the pause.
            if self.lock().paused_until <= now {
                return;
            }
            at = self.reserve(now);
        }
    }

    /// No token before this moment, and no burst right after it.
    pub(super) fn pause_until(&self, moment: Duration) {
        let mut state = self.lock();
        state.paused_until = state.paused_until.max(moment);
        state.due = state.due.max(moment.saturating_add(self.ahead));
    }

    /// Takes the next free place and tells its moment.
    fn reserve(&self, now: Duration) -> Duration {
        let mut state = self.lock();
        let due = state.due.max(now);
        state.due = due.saturating_add(self.interval);
        due.saturating_sub(self.ahead).max(now).max(state.paused_until)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, Clock, Duration};

    async fn moments(budget: &Budget, clock: &Clock, count: usize) -> Vec<u128> {
        let mut seen = Vec::new();
        for _ in 0..count {
            budget.take(clock).await;
            seen.push(clock.monotonic().as_millis());
        }
        seen
    }

    #[tokio::test]
    async fn after_a_burst_the_rate_is_kept() {
        let clock = Clock::simulated(0, 1);
        let budget = Budget::new(2.0, 3);
        assert_eq!(moments(&budget, &clock, 6).await, [0, 0, 0, 490, 990, 1490]);
    }

    #[tokio::test]
    async fn without_a_burst_requests_are_evenly_spaced() {
        let clock = Clock::simulated(0, 1);
        let seen = moments(&Budget::new(5.0, 1), &clock, 100).await;
        assert_eq!(seen.last(), Some(&19_790));
        assert!(seen.iter().all(|from| seen.iter().filter(|at| (*from..*from + 1_000).contains(at)).count() <= 6));
    }

    #[tokio::test]
    async fn a_pause_empties_the_bucket() {
        let clock = Clock::simulated(0, 1);
        let budget = Budget::new(1.0, 4);
        budget.take(&clock).await;
        budget.pause_until(Duration::from_mins(1));
        assert_eq!(moments(&budget, &clock, 3).await, [60_000, 61_000, 62_000]);
    }

    #[tokio::test]
    async fn whoever_waits_already_waits_for_the_pause_too() {
        let clock = Clock::simulated(0, 1);
        let budget = Budget::new(1.0, 1);
        budget.take(&clock).await;
        let waiter = async {
            budget.take(&clock).await;
            clock.monotonic().as_secs()
        };
        let pauser = async { budget.pause_until(Duration::from_secs(30)) };
        let (at, ()) = tokio::join!(waiter, pauser);
        assert!((30..33).contains(&at), "{at}");
    }

    #[tokio::test]
    async fn a_senseless_rate_is_slow_and_not_endless() {
        let clock = Clock::simulated(0, 1);
        assert_eq!(moments(&Budget::new(0.0, 1), &clock, 2).await, [0, 3_599_990]);
    }
}
