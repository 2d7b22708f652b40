//! The writer lock: held for a cycle that may write, by one process at a time.

use super::open::give_to_owner_of_folder;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Held while it lives; the operating system lets go of it when the process ends, however that happens.
#[derive(Debug)]
pub struct WriterLock {
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
    #[error("cannot open the lock file {}; check the owner of its folder", lock.display())]
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
        let mut name = database.as_os_str().to_owned();
        name.push(".lock");
        let lock = PathBuf::from(name);
        let unusable = |source| AcquireLockError::File { lock: lock.clone(), source };
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&lock).map_err(unusable)?;
        give_to_owner_of_folder(&lock).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(AcquireLockError::Taken { database: database.to_owned(), lock }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }
}
