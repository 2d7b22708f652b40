//! Locks between processes: one for a cycle that may write, one for a daemon's life.

use super::own;
use super::trouble::{Advice, Trouble, beside, real};
use crate::clock::Clock;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A running cycle is waited for so long.
const WAIT: Duration = Duration::from_mins(1);
/// It is looked at so often.
const LOOK: Duration = Duration::from_millis(200);

/// Held for a cycle that may write, by one process at a time.
///
/// The operating system lets go of it when the process ends, however that happens.
#[derive(Debug)]
pub struct WriterLock {
    _file: File,
}

/// Held by a daemon for its life: a second one on the same database is forbidden. Commands do not look at it.
#[derive(Debug)]
pub struct DaemonLock {
    _file: File,
}

/// Why the lock was not had.
#[derive(Debug, thiserror::Error)]
pub enum AcquireLockError {
    /// Another process has it.
    #[error("another instance is at work on {} (it holds {}); wait for it, or look at `status`", database.display(), lock.display())]
    Taken {
        /// The database.
        database: PathBuf,
        /// The lock file.
        lock: PathBuf,
    },
    /// The lock file cannot be opened.
    #[error("cannot open the lock file {}: {}", lock.display(), Advice(Trouble::of_io(source, lock), lock))]
    File {
        /// The lock file.
        lock: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl WriterLock {
    /// Takes the lock now, or says that another process has it.
    pub fn acquire(database: &Path) -> Result<Self, AcquireLockError> {
        acquire(database, ".lock").map(|file| Self { _file: file })
    }

    /// Takes the lock, and waits up to a minute for whoever has it.
    pub async fn wait(database: &Path, clock: &Clock) -> Result<Self, AcquireLockError> {
        let started = clock.monotonic();
        loop {
            match Self::acquire(database) {
                Err(AcquireLockError::Taken { .. }) if clock.monotonic().saturating_sub(started) < WAIT => {
                    clock.wait(LOOK).await;
                }
                result => return result,
            }
        }
    }

    /// Whether some process has it right now.
    pub fn is_taken(database: &Path) -> bool {
        is_taken(database, ".lock")
    }
}

impl DaemonLock {
    /// Takes the lock now, or says that another daemon has it.
    pub fn acquire(database: &Path) -> Result<Self, AcquireLockError> {
        acquire(database, ".daemon").map(|file| Self { _file: file })
    }

    /// Whether a daemon runs on this database.
    pub fn is_taken(database: &Path) -> bool {
        is_taken(database, ".daemon")
    }
}

/// Looks without making a file, and lets go at once: who comes for the lock in this moment tries again.
fn is_taken(database: &Path, suffix: &str) -> bool {
    let Ok(file) = File::open(beside(&real(database), suffix)) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

fn acquire(database: &Path, suffix: &str) -> Result<File, AcquireLockError> {
    let lock = beside(&real(database), suffix);
    let unusable = |source| AcquireLockError::File { lock: lock.clone(), source };
    let file = own::open(&lock).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(AcquireLockError::Taken { database: database.to_owned(), lock }),
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}
