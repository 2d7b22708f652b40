//! What the service manager is told: ready, how we are, that we live (`sd_notify(3)`).
//!
//! Without a service manager every message goes nowhere, and that is all right.

use crate::clock::Clock;
use sd_notify::NotifyState;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Longer status texts are cut: a datagram must hold them, and a person read them.
const STATUS_CHARS_MAX: usize = 250;

/// Tells the service manager. Clones share when it was last fed.
#[derive(Clone)]
pub(super) struct Notifier {
    clock: Clock,
    /// So often the watchdog is fed; none: there is no watchdog.
    every: Option<Duration>,
    fed_at: Arc<Mutex<Option<Duration>>>,
}

#[expect(
    clippy::unused_self,
    reason = "whoever may tell the service manager has this handle; its socket is the process's"
)]
impl Notifier {
    /// The service manager's own time-out decides how often it is fed: four times within it.
    pub(super) fn new(clock: &Clock) -> Self {
        let every = sd_notify::watchdog_enabled().map(|timeout| timeout / 4);
        Self { clock: clock.clone(), every, fed_at: Arc::default() }
    }

    /// How long an idle worker may wait before it feeds the watchdog again.
    pub(super) fn idle_max(&self, otherwise: Duration) -> Duration {
        self.every.map_or(otherwise, |every| every.min(otherwise))
    }

    pub(super) fn ready(&self, status: &str) {
        send(&[NotifyState::Ready, NotifyState::Status(&short(status))]);
        self.feed();
    }

    pub(super) fn status(&self, status: &str) {
        send(&[NotifyState::Status(&short(status))]);
    }

    pub(super) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(moment) => send(&[NotifyState::Reloading, moment]),
            Err(_) => send(&[NotifyState::Reloading]),
        }
    }

    pub(super) fn stopping(&self, status: &str) {
        send(&[NotifyState::Stopping, NotifyState::Status(&short(status))]);
    }

    /// Called by the work itself, as it goes on: never by a timer of its own, which would live on beside a dead worker.
    pub(super) fn feed(&self) {
        let Some(every) = self.every else { return };
        let now = self.clock.monotonic();
        let mut fed_at = self.fed_at.lock().unwrap_or_else(PoisonError::into_inner);
        // As often as the work moves on, but not at every request.
        if fed_at.is_none_or(|at| now.saturating_sub(at) >= every / 2) {
            *fed_at = Some(now);
            send(&[NotifyState::Watchdog]);
        }
    }
}

/// That nobody listens must not disturb the work.
fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(error = %error, "the service manager could not be told");
    }
}

/// One line, since each line of a message is a state of its own.
fn short(status: &str) -> String {
    let line = status.chars().map(|c| if c.is_control() { ' ' } else { c });
    line.take(STATUS_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn a_status_is_one_short_line() {
        assert_eq!(short("good\nREADY=1"), "good READY=1");
        assert_eq!(short(&"é".repeat(1_000)).chars().count(), 250);
    }
}
