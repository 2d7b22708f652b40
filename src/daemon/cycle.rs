//! One cycle of the daemon: whatever happens in it, it is one cycle.

use super::{Setup, Wake, chain, exit_code};
use crate::apply::Applied;
use crate::clock::Clock;
use crate::cycle;
use crate::cycle::{CycleError, Mode, Progress, Report, Services, Task};
use crate::model::Timestamp;
use crate::store::{AcquireLockError, CycleEnd, CycleId, OpenStoreError, Store, StoreError, WriterLock};
use futures_util::FutureExt;
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// How cycles of the daemon are called in the history: those that may send, and those that only observe.
pub(super) const fn command(mode: Mode) -> &'static str {
    match mode {
        Mode::Apply => "daemon",
        Mode::Preview => "observe",
    }
}

/// How the settling at the start is called: it reads nothing from Duo and plans nothing, so it is no sync.
pub(super) const SETTLING: &str = "settle";

/// How one cycle ended.
#[derive(Debug)]
pub enum Finished {
    /// It went to its end, whatever that was.
    Reported(Box<Report>),
    /// It could not.
    Failed(CycleError),
    /// The database could not be opened.
    Unopened(OpenStoreError),
    /// A command was at work for longer than a cycle waits.
    Busy(AcquireLockError),
    /// A bug: the cycle is over, the daemon is not.
    Panicked(String),
    /// The daemon was told to end; what was under way is looked up at the next start.
    Abandoned,
}

impl Finished {
    /// The code that the same end has for a command.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Reported(report) => match report.end {
                cycle::End::Done | cycle::End::Previewed => 0,
                cycle::End::Held | cycle::End::Paused => 5,
                cycle::End::Failing | cycle::End::OutOfTime => 4,
            },
            Self::Failed(error) => exit_code(error),
            Self::Unopened(_) => 8,
            Self::Busy(_) => 75,
            Self::Panicked(_) => 1,
            Self::Abandoned => 0,
        }
    }

    /// One word for the metrics.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Reported(report) => match report.end {
                cycle::End::Done => "done",
                cycle::End::Previewed => "observed",
                cycle::End::Held => "held",
                cycle::End::Paused => "paused",
                cycle::End::Failing => "failing",
                cycle::End::OutOfTime => "out_of_time",
            },
            Self::Failed(error) => match exit_code(error) {
                3 => "source",
                8 => "database",
                _ => "target",
            },
            Self::Unopened(_) => "database",
            Self::Busy(_) => "busy",
            Self::Panicked(_) => "bug",
            Self::Abandoned => "stopped",
        }
    }

    /// How many people are in scope, where they were read.
    pub fn people(&self) -> Option<usize> {
        match self {
            Self::Reported(report) => Some(report.document.source.people),
            Self::Failed(_) | Self::Unopened(_) | Self::Busy(_) | Self::Panicked(_) | Self::Abandoned => None,
        }
    }

    /// What was read, planned and sent, in numbers; empty where nothing was.
    pub fn counts(&self) -> String {
        let Self::Reported(report) = self else { return String::new() };
        let (document, summary) = (&report.document, &report.document.summary);
        let mut text = format!("; {} people", document.source.people);
        let planned = [
            ("adopt", summary.adopt + summary.adopt_group),
            ("create", summary.create + summary.create_group),
            ("update", summary.update),
            ("reactivate", summary.reactivate),
            ("deactivate", summary.deactivate),
            ("join", summary.join),
            ("leave", summary.leave),
            ("skip", summary.skip),
        ];
        for (action, count) in planned.into_iter().filter(|(_, count)| *count > 0) {
            text.push_str(&format!(", {count} to {action}"));
        }
        if let Some(applied) = &report.applied {
            let Applied { done, refused, unknown, waiting, .. } = applied;
            text.push_str(&format!("; {done} done, {refused} refused, {unknown} unknown, {waiting} waiting"));
        }
        text
    }

    /// One line for people, without names.
    pub fn line(&self) -> String {
        match self {
            Self::Reported(report) => match report.end {
                cycle::End::Done => format!("cycle {} done", report.cycle),
                cycle::End::Previewed => format!("cycle {} observed", report.cycle),
                cycle::End::Held => {
                    format!("cycle {} held: plan {}", report.cycle, report.document.short_fingerprint())
                }
                cycle::End::Paused => format!("cycle {} paused", report.cycle),
                cycle::End::Failing => format!("cycle {}: some records are failing", report.cycle),
                cycle::End::OutOfTime => {
                    let late = report.applied.as_ref().map_or(0, |applied| applied.late);
                    format!("cycle {}: out of time, {late} requests were not sent yet", report.cycle)
                }
            },
            Self::Failed(error) => chain(error),
            Self::Unopened(error) => chain(error),
            Self::Busy(error) => chain(error),
            Self::Panicked(message) => format!("a bug ended the cycle: {message}"),
            Self::Abandoned => "told to end".to_owned(),
        }
    }
}

/// What is known of a cycle from without, while it runs.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    /// Whether the point was passed after which giving up leaves open ends.
    pub(super) is_sending: AtomicBool,
    /// The newest cycle before it.
    pub(super) after: OnceLock<CycleId>,
}

/// Runs one cycle to its end.
pub(super) async fn run(setup: &Setup, clock: &Clock, wake: Wake, under_way: &UnderWay) -> Finished {
    let mut store = match Store::open(&setup.store, &setup.binding) {
        Ok(store) => store,
        Err(error) => return Finished::Unopened(error),
    };
    let _lock = match setup.mode {
        Mode::Preview => None,
        Mode::Apply => match WriterLock::wait(&setup.store.database, clock).await {
            Ok(lock) => Some(lock),
            Err(error) => return Finished::Busy(error),
        },
    };
    let after = match store.read_newest_cycle() {
        Ok(newest) => *under_way.after.get_or_init(|| newest),
        Err(error) => return Finished::Failed(error.into()),
    };
    let services = Services { duo: &setup.duo, scim: &setup.scim, clock };
    let tell = |progress| {
        if let Progress::Sending(_) = progress {
            under_way.is_sending.store(true, Ordering::Relaxed);
        }
    };
    let settings = settings(setup, clock);
    let task = match wake {
        Wake::Cycle => (setup.mode, Task::Everybody),
        Wake::Refresh => (setup.mode, Task::Refresh),
    };
    let cycle = cycle::run(task, command(setup.mode), (&mut store, &services, &settings), &tell);
    match AssertUnwindSafe(cycle).catch_unwind().await {
        Ok(Ok(report)) => Finished::Reported(Box::new(report)),
        Ok(Err(error)) => Finished::Failed(error),
        Err(panic) => {
            let message = message_of(panic.as_ref());
            let why = format!("a bug in the program: {message}");
            let recorded = end_open_cycle(setup, clock, (command(setup.mode), after), (1, &why));
            if let Err(error) = recorded {
                tracing::warn!(error = %chain(&error), "the failed cycle could not be recorded");
            }
            Finished::Panicked(message)
        }
    }
}

/// Settles what is open. Under the writer lock: what a command has under way right now is not open.
pub(super) async fn settle(setup: &Setup, clock: &Clock, mut store: Store) -> Result<usize, SettleError> {
    let _lock = WriterLock::wait(&setup.store.database, clock).await?;
    let services = Services { duo: &setup.duo, scim: &setup.scim, clock };
    Ok(cycle::settle(SETTLING, (&mut store, &services, &setup.cycle)).await?)
}

/// What is open could not be settled at the start.
#[derive(Debug, thiserror::Error)]
pub(super) enum SettleError {
    #[error(transparent)]
    Lock(#[from] AcquireLockError),
    #[error(transparent)]
    Cycle(#[from] CycleError),
}

/// What a cycle goes by, and when the next one is due.
fn settings(setup: &Setup, clock: &Clock) -> cycle::Settings {
    let now = Timestamp::from_seconds(clock.now_seconds());
    cycle::Settings { next_due: setup.cycles.next_after(now), ..setup.cycle.clone() }
}

/// Writes the end of what began after this cycle, and did not come to write it.
pub(super) fn end_open_cycle(
    setup: &Setup,
    clock: &Clock,
    began: (&str, CycleId),
    (exit_code, message): (u8, &str),
) -> Result<(), EndError> {
    let mut store = Store::open(&setup.store, &setup.binding)?;
    let now = Timestamp::from_seconds(clock.now_seconds());
    let end = CycleEnd {
        exit_code,
        message: message.to_owned(),
        fingerprint: None,
        report: serde_json::Value::Object(serde_json::Map::new()),
    };
    Ok(store.end_open_cycles(began, &end, now)?)
}

/// The end of a cycle could not be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum EndError {
    #[error(transparent)]
    Open(#[from] OpenStoreError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
