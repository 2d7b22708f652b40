//! The one source of time, waiting and chance.
//!
//! Everything else gets a [`Clock`]. The simulated one makes waiting free and chance repeatable.

use futures_util::future::{Either, select};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// In a simulation, an answer from a real socket that has not come after this (real) time will not come.
const STALL: Duration = Duration::from_secs(3);

/// In a simulation, so often a waiter lets earlier ones go first before it takes them for abandoned.
const YIELDS_MAX: u32 = 1_000;

/// Tells the time and waits. Cheap to clone; clones share one time.
#[derive(Clone)]
pub struct Clock {
    time: Arc<Time>,
    chance: Arc<AtomicU64>,
    pulse: Option<Pulse>,
}

/// Told whenever a wait begins or ends: a sign that the work goes on.
pub type Pulse = Arc<dyn Fn() + Send + Sync>;

enum Time {
    System { started: Instant },
    Simulated { start_seconds: i64, waits: Mutex<Waits> },
    Stepped { start_seconds: i64, timers: Mutex<Timers> },
}

/// Who waits for which moment on a stepped clock.
#[derive(Default)]
struct Timers {
    now: Duration,
    waiting: BTreeMap<(Duration, u64), Option<Waker>>,
    next: u64,
}

#[derive(Default)]
struct Waits {
    now: Duration,
    deadlines: BTreeSet<(Duration, u64)>,
    next: u64,
}

impl Clock {
    /// The computer's clock.
    #[expect(clippy::disallowed_methods, reason = "this module is where time is read")]
    pub fn system() -> Self {
        let seed = RandomState::new().hash_one(std::process::id());
        let time = Arc::new(Time::System { started: Instant::now() });
        Self { time, chance: Arc::new(AtomicU64::new(seed)), pulse: None }
    }

    /// A clock that starts at `start_seconds` since 1970 and moves only when somebody waits, or by [`Clock::advance`].
    ///
    /// Of several waits at once, the earliest to end ends first.
    pub fn simulated(start_seconds: i64, seed: u64) -> Self {
        let time = Time::Simulated { start_seconds, waits: Mutex::default() };
        Self { time: Arc::new(time), chance: Arc::new(AtomicU64::new(seed)), pulse: None }
    }

    /// The same clock; whoever waits by this one, or by its clones, gives a pulse before and after.
    ///
    /// Waits are bounded, so that a pulse that stays away means that the work is stuck: not in a wait, but in a
    /// request without an answer, in the database, or in itself.
    #[must_use]
    pub fn with_pulse(self, pulse: Pulse) -> Self {
        Self { pulse: Some(pulse), ..self }
    }

    fn beat(&self) {
        if let Some(pulse) = &self.pulse {
            pulse();
        }
    }

    /// A simulated clock for a world without sockets, which moves only by [`Clock::step`] and [`Clock::advance`].
    ///
    /// Whoever runs the world steps it when nothing else can go on. Time-outs are waits like all others.
    pub fn stepped(start_seconds: i64, seed: u64) -> Self {
        let time = Time::Stepped { start_seconds, timers: Mutex::default() };
        Self { time: Arc::new(time), chance: Arc::new(AtomicU64::new(seed)), pulse: None }
    }

    /// Seconds since 1970-01-01T00:00:00Z; may jump when the computer's clock is set.
    #[expect(clippy::disallowed_methods, reason = "this module is where time is read")]
    pub fn now_seconds(&self) -> i64 {
        match &*self.time {
            Time::System { .. } => match SystemTime::now().duration_since(UNIX_EPOCH) {
                Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
                Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |seconds| -seconds),
            },
            Time::Simulated { start_seconds, waits } => seconds_after(*start_seconds, lock(waits).now),
            Time::Stepped { start_seconds, timers } => seconds_after(*start_seconds, lock(timers).now),
        }
    }

    /// Time since this clock was made; never goes back.
    pub fn monotonic(&self) -> Duration {
        match &*self.time {
            Time::System { started } => started.elapsed(),
            Time::Simulated { waits, .. } => lock(waits).now,
            Time::Stepped { timers, .. } => lock(timers).now,
        }
    }

    /// Waits. In a simulation: moves the time on, after those whose wait ends earlier.
    #[expect(clippy::disallowed_methods, reason = "this module is where waiting is done")]
    pub async fn wait(&self, duration: Duration) {
        self.beat();
        match &*self.time {
            Time::System { .. } => tokio::time::sleep(duration).await,
            Time::Simulated { waits, .. } => {
                let waiting = Waiting::begin(waits, duration);
                for _ in 0..YIELDS_MAX {
                    tokio::task::yield_now().await;
                    if waiting.is_first() {
                        break;
                    }
                }
                waiting.finish();
            }
            Time::Stepped { timers, .. } => Timer::begin(timers, duration).await,
        }
        self.beat();
    }

    /// Runs a future for at most so long; `None` when it was not done by then, and it is dropped.
    ///
    /// In a simulation, time does not pass while a socket is waited for: a future is given up when nothing came for a
    /// few real seconds, and the simulated time then moves on by `limit`.
    pub async fn timeout<F: Future>(&self, limit: Duration, future: F) -> Option<F::Output> {
        let output = match &*self.time {
            Time::System { .. } => tokio::time::timeout(limit, future).await.ok(),
            Time::Simulated { .. } => {
                let output = tokio::time::timeout(STALL.min(limit), future).await.ok();
                if output.is_none() {
                    self.advance(limit);
                }
                output
            }
            Time::Stepped { timers, .. } => match select(pin!(future), pin!(Timer::begin(timers, limit))).await {
                Either::Left((output, _)) => Some(output),
                Either::Right(((), _)) => None,
            },
        };
        self.beat();
        output
    }

    /// A random duration from zero up to, and without, `max`.
    pub fn jitter(&self, max: Duration) -> Duration {
        let share = u128::from(self.random()).saturating_mul(max.as_nanos()) >> 64;
        Duration::from_nanos(u64::try_from(share).unwrap_or(u64::MAX))
    }

    /// Moves a simulated clock on; does nothing to the computer's.
    pub fn advance(&self, by: Duration) {
        match &*self.time {
            Time::System { .. } => {}
            Time::Simulated { waits, .. } => {
                let mut waits = lock(waits);
                waits.now = waits.now.saturating_add(by);
            }
            Time::Stepped { timers, .. } => {
                let until = lock(timers).now.saturating_add(by);
                move_to(timers, until);
            }
        }
    }

    /// Moves a stepped clock on to the next moment that somebody waits for, and wakes them; false when nobody waits,
    /// and for every other clock.
    pub fn step(&self) -> bool {
        let Time::Stepped { timers, .. } = &*self.time else { return false };
        let next = lock(timers).waiting.keys().next().map(|(deadline, _)| *deadline);
        if let Some(deadline) = next {
            move_to(timers, deadline);
        }
        next.is_some()
    }

    /// `SplitMix64`: small, seedable, and good enough to spread retries. Never for secrets.
    fn random(&self) -> u64 {
        const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.chance.fetch_add(GAMMA, Ordering::Relaxed).wrapping_add(GAMMA);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &*self.time {
            Time::System { .. } => "system",
            Time::Simulated { .. } => "simulated",
            Time::Stepped { .. } => "stepped",
        };
        f.debug_tuple("Clock").field(&kind).finish()
    }
}

fn lock<T>(waits: &Mutex<T>) -> MutexGuard<'_, T> {
    waits.lock().unwrap_or_else(PoisonError::into_inner)
}

fn seconds_after(start_seconds: i64, passed: Duration) -> i64 {
    start_seconds.saturating_add(i64::try_from(passed.as_secs()).unwrap_or(i64::MAX))
}

/// Moves a stepped clock to this moment, never back, and wakes everybody whose wait ends by then, in their order.
fn move_to(timers: &Mutex<Timers>, moment: Duration) {
    let mut state = lock(timers);
    state.now = state.now.max(moment);
    let due = (state.now, u64::MAX);
    let due: Vec<Waker> = state.waiting.range_mut(..=due).filter_map(|(_, waker)| waker.take()).collect();
    drop(state);
    due.into_iter().for_each(Waker::wake);
}

/// One wait on a stepped clock; leaves the queue when it is dropped.
struct Timer<'a> {
    timers: &'a Mutex<Timers>,
    key: (Duration, u64),
}

impl<'a> Timer<'a> {
    fn begin(timers: &'a Mutex<Timers>, duration: Duration) -> Self {
        let mut state = lock(timers);
        let key = (state.now.saturating_add(duration), state.next);
        state.next = state.next.wrapping_add(1);
        state.waiting.insert(key, None);
        Self { timers, key }
    }
}

impl Future for Timer<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = lock(self.timers);
        if state.now >= self.key.0 {
            return Poll::Ready(());
        }
        state.waiting.insert(self.key, Some(context.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        lock(self.timers).waiting.remove(&self.key);
    }
}

/// One wait of a simulation; leaves the queue when it is dropped.
struct Waiting<'a> {
    waits: &'a Mutex<Waits>,
    key: (Duration, u64),
}

impl<'a> Waiting<'a> {
    fn begin(waits: &'a Mutex<Waits>, duration: Duration) -> Self {
        let mut state = lock(waits);
        let key = (state.now.saturating_add(duration), state.next);
        state.next = state.next.wrapping_add(1);
        state.deadlines.insert(key);
        Self { waits, key }
    }

    fn is_first(&self) -> bool {
        lock(self.waits).deadlines.first() == Some(&self.key)
    }

    fn finish(self) {
        let mut state = lock(self.waits);
        state.now = state.now.max(self.key.0);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        lock(self.waits).deadlines.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, Duration};

    #[tokio::test]
    async fn a_simulated_wait_moves_the_time_and_takes_none() {
        let clock = Clock::simulated(1_000, 1);
        clock.wait(Duration::from_hours(1)).await;
        assert_eq!(clock.now_seconds(), 4_600);
        assert_eq!(clock.monotonic(), Duration::from_hours(1));
    }

    #[tokio::test]
    async fn simulated_waits_at_once_end_in_their_order() {
        let clock = Clock::simulated(0, 1);
        let seen = std::sync::Mutex::new(Vec::new());
        let waiter = async |seconds: u64| {
            clock.wait(Duration::from_secs(seconds)).await;
            seen.lock().unwrap().push((seconds, clock.now_seconds()));
        };
        tokio::join!(waiter(30), waiter(10), waiter(20));
        assert_eq!(*seen.lock().unwrap(), [(10, 10), (20, 20), (30, 30)]);
    }

    #[test]
    fn a_stepped_clock_moves_from_wait_to_wait_and_ends_time_outs() {
        use std::task::{Context, Poll, Waker};
        let clock = Clock::stepped(1_000, 1);
        let work = async {
            clock.wait(Duration::ZERO).await;
            let late = clock.timeout(Duration::from_secs(3), clock.wait(Duration::from_secs(4))).await;
            let early = clock.timeout(Duration::from_secs(3), clock.wait(Duration::from_secs(3))).await;
            (late, early, clock.now_seconds())
        };
        let mut work = std::pin::pin!(work);
        let mut moments = Vec::new();
        let ended = loop {
            match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(ended) => break ended,
                Poll::Pending => assert!(clock.step()),
            }
            moments.push(clock.monotonic().as_secs());
        };
        assert_eq!((ended, moments), ((None, Some(()), 1_006), vec![3, 6]));
        assert!(!clock.step(), "nobody waits any more");
    }

    #[test]
    fn chance_repeats_with_its_seed_and_stays_below_its_limit() {
        let draw = |seed| {
            let clock = Clock::simulated(0, seed);
            (0..100).map(|_| clock.jitter(Duration::from_secs(1))).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert!(draw(7).iter().all(|wait| *wait < Duration::from_secs(1)));
        assert_eq!(Clock::system().jitter(Duration::ZERO), Duration::ZERO);
    }
}
