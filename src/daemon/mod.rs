//! Runs cycles on a schedule until it is told to end.
//!
//! One worker does everything, one thing at a time: cycles cannot overlap. The scheduler only wakes it, the service
//! manager hears from it, and a cycle that fails, panics or is cut off is one failed cycle. A database is opened for a
//! cycle and closed after it, so that a restored one, or a full disk that has space again, needs no restart.

mod alarm;
mod cycle;
mod notifier;
mod number;
mod signal;
mod trigger;
mod worker;

pub use cycle::Finished;

use crate::clock::Clock;
use crate::cycle::CycleError;
use crate::cycle::Mode;
use crate::duo;
use crate::notice::Webhook;
use crate::schedule::Schedule;
use crate::scim;
use crate::status;
use crate::store;
use crate::store::AcquireLockError;
use crate::store::Binding;
use crate::store::DaemonLock;
use crate::store::OpenStoreError;
use crate::telemetry::ServeError;
use notifier::Notifier;
use signal::Signals;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use worker::Worker;

/// What woke the worker. A refresh is a cycle that reads the target as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wake {
    /// `schedule.cycle_cron`.
    Cycle,
    /// `schedule.refresh_cron`.
    Refresh,
}

/// Everything that a configuration decides; made anew by a reload.
pub struct Setup {
    /// Whether cycles send.
    pub mode: Mode,
    /// When cycles begin.
    pub cycles: Schedule,
    /// When the target is read anew.
    pub refreshes: Schedule,
    /// A cycle that is due begins up to so much later, so that a fleet does not come at once.
    pub jitter_max: Duration,
    /// Where the database is.
    pub store: store::Settings,
    /// To which services it belongs.
    pub binding: Binding,
    /// What a cycle goes by.
    pub cycle: crate::cycle::Settings,
    /// In which form members are removed, as the configuration spells it.
    pub member_removal: &'static str,
    /// The source.
    pub duo: duo::Client,
    /// The target. Its brake also knows the [`StopFlag`].
    pub scim: scim::Client,
    /// Where notices go; none: nowhere.
    pub webhook: Option<Webhook>,
    /// When the API key expires.
    pub key_expires: Option<jiff::civil::Date>,
    /// Where health and metrics listen; none: nowhere.
    pub listen: Option<String>,
}

impl Setup {
    /// What a status depends on.
    pub(crate) const fn status(&self) -> status::Settings<'_> {
        status::Settings {
            cycles: &self.cycles,
            trusted_hours: self.cycle.trusted_hours,
            member_removal: self.member_removal,
        }
    }
}

/// Set when the daemon is to end: nothing new is sent from then on.
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// From now on nothing new is sent.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was set.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Reads the configuration and connects it with the clock and the flag of this daemon.
pub type Load<'a> = &'a dyn Fn(&Clock, &StopFlag) -> Result<Setup, Box<dyn Error + Send + Sync>>;

/// Why the daemon did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration.
    #[error(transparent)]
    Setup(Box<dyn Error + Send + Sync>),
    /// Signals cannot be received.
    #[error("signals cannot be received")]
    Signals(#[source] io::Error),
    /// Another daemon has the database.
    #[error(transparent)]
    Lock(AcquireLockError),
    /// The database.
    #[error(transparent)]
    Open(OpenStoreError),
    /// The scheduler.
    #[error("the scheduler did not start; check schedule.cycle_cron and schedule.refresh_cron")]
    Trigger(#[source] Box<dyn Error + Send + Sync>),
    /// Health and metrics.
    #[error(transparent)]
    Serve(ServeError),
}

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// When it cannot start. Once it runs, no failure of a cycle ends it.
pub async fn run(load: Load<'_>, clock: &Clock) -> Result<(), StartError> {
    // Before anything else, and before READY: a signal that comes early must not kill us unheard.
    let mut signals = Signals::install().map_err(StartError::Signals)?;
    let notifier = Notifier::new(clock);
    let pulse = notifier.clone();
    let clock = clock.clone().with_pulse(Arc::new(move || pulse.feed()));
    let stop = StopFlag::default();
    let setup = load(&clock, &stop).map_err(StartError::Setup)?;
    let _lock = lock(&setup, &clock).await.map_err(StartError::Lock)?;
    let mut worker = Worker::new((load, clock, notifier, stop), setup);
    worker.prepare(&mut signals).await?;
    worker.serve(&mut signals).await
}

/// A `status` that looks at this moment has the lock for a blink: one refusal is not yet another daemon.
async fn lock(setup: &Setup, clock: &Clock) -> Result<DaemonLock, AcquireLockError> {
    const TRIES: u32 = 5;
    const BETWEEN: Duration = Duration::from_millis(100);
    for _ in 1..TRIES {
        match DaemonLock::acquire(&setup.store.database) {
            Err(AcquireLockError::Taken { .. }) => clock.wait(BETWEEN).await,
            result => return result,
        }
    }
    DaemonLock::acquire(&setup.store.database)
}

/// An error and its causes on one line, for logs and the service manager.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    // What the target said may name people; the database keeps it, a log does not (S20).
    while let Some(cause) = source.filter(|cause| !cause.is::<scim::atlassian::Said>()) {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// The exit code that a command would have ended with.
const fn exit_code(error: &CycleError) -> u8 {
    error.exit_code()
}
