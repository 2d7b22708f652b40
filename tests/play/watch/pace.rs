//! The request budget, counted where requests leave.

use super::super::weather::Side;
use crate::sim::wire::Answer;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// A server that asks for more is asked again after this, as the program documents it.
const WAIT_MAX: Duration = Duration::from_mins(2);

/// Requests to both services.
#[derive(Debug, Default)]
pub struct Pace(BTreeMap<Side, Sent>);

#[derive(Debug, Default)]
struct Sent {
    /// So many in any window so long.
    most: usize,
    window: Duration,
    moments: VecDeque<Duration>,
    /// None before this moment.
    paused_until: Duration,
}

impl Pace {
    /// What the configuration permits.
    pub fn set(&mut self, side: Side, most: usize, window: Duration) {
        let sent = self.0.entry(side).or_default();
        (sent.most, sent.window) = (most, window);
    }

    /// Until when a service has asked for time, if that is not over.
    pub fn waits(&self, side: Side, now: Duration) -> Option<Duration> {
        self.0.get(&side).map(|sent| sent.paused_until).filter(|until| *until > now)
    }

    /// Counts one; says how many there were in the window when they are too many.
    pub fn count(&mut self, side: Side, now: Duration) -> Option<String> {
        let sent = self.0.entry(side).or_default();
        while sent.moments.front().is_some_and(|first| *first + sent.window <= now) {
            sent.moments.pop_front();
        }
        sent.moments.push_back(now);
        let count = sent.moments.len();
        (sent.most > 0 && count > sent.most)
            .then(|| format!("{count} requests in {:?}, at most {}", sent.window, sent.most))
    }

    /// An answer that asks for time.
    pub fn answered(&mut self, side: Side, answer: &Answer, now: Duration) {
        let seconds = answer.header("retry-after").and_then(|wait| wait.parse::<u64>().ok());
        if let (429 | 503, Some(seconds)) = (answer.status, seconds) {
            let sent = self.0.entry(side).or_default();
            sent.paused_until = sent.paused_until.max(now + Duration::from_secs(seconds).min(WAIT_MAX));
        }
    }
}
