//! Copies of the database: made while others write, checked, and marked as copies.
//!
//! A copy has no write-ahead file: putting it in the place of the database is restoring it. The mark says so to the
//! first cycle afterwards, which does not trust what such a database remembers (S19).

use super::open::{read_meta, write_meta};
use super::own::give_to_owner_of_folder;
use super::trouble::{Advice, Trouble, beside, folder_of};
use super::{Flaw, Store, StoreError};
use crate::model::Timestamp;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const BACKUP_OF: &str = "backup_of";
const BACKUP_AT: &str = "backup_at";

/// What the program itself puts beside a database, or SQLite does.
const BESIDE: [&str; 6] = ["-wal", "-shm", "-journal", ".lock", ".daemon", ".pause"];

/// A copy that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupDone {
    /// How large it is.
    pub bytes: u64,
    /// How many cycles are in it.
    pub cycles: i64,
    /// How many accounts.
    pub accounts: i64,
}

/// What a restored copy says of itself, until it is trusted again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupMark {
    /// The database that it is a copy of.
    pub of: String,
    /// When it was made.
    pub at: Timestamp,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackUpError {
    /// Something has that name already.
    #[error("{} exists; give another name, or remove it first (nothing was overwritten)", file.display())]
    Exists {
        /// Which file.
        file: PathBuf,
    },
    /// It would be the database itself, or a file that belongs to it.
    #[error("{} belongs to the database; give another name", file.display())]
    Itself {
        /// Which file.
        file: PathBuf,
    },
    /// The file cannot be made.
    #[error("cannot write {}: {}", file.display(), Advice(Trouble::of_io(source, file), file))]
    File {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// SQLite could not copy.
    #[error("cannot copy the database to {}: {}", file.display(), Advice(Trouble::of(source, file), file))]
    Copy {
        /// Which file.
        file: PathBuf,
        /// SQLite's word for it.
        source: rusqlite::Error,
    },
    /// What was copied is not sound, so the database is not.
    #[error("no copy of the database {} was kept: {}", database.display(), Advice(Trouble::Damaged, database))]
    Damaged {
        /// Which database.
        database: PathBuf,
        /// What the check found first.
        source: Flaw,
    },
}

/// What is written into a copy.
pub(super) struct Mark<'a> {
    pub(super) of: &'a str,
    pub(super) at: Timestamp,
}

/// Whether something may have the name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing may.
    New,
    /// It is replaced: a file of our own.
    Replaced,
}

impl Store {
    /// Copies the database to a new file, as it is at one moment, while others may write to it.
    ///
    /// The copy is for its owner only, durable and checked before it gets its name; when that fails, nothing is left.
    pub fn back_up(&self, file: &Path, now: Timestamp) -> Result<BackupDone, BackUpError> {
        if is_of_database(file, &self.path) || is_of_database(file, &self.named) {
            return Err(BackUpError::Itself { file: file.to_owned() });
        }
        let mark = Mark { of: &self.database_id, at: now };
        copy(&self.connection, &self.path, (file, Place::New), &mark)
    }

    /// The mark of a copy that was put in the place of the database, and is not trusted yet.
    pub fn backup_mark(&self) -> Result<Option<BackupMark>, StoreError> {
        let read = |key| read_meta(&self.connection, key).map_err(self.failed("read whether this is a backup"));
        let Some(of) = read(BACKUP_OF)? else { return Ok(None) };
        let at = read(BACKUP_AT)?.and_then(|at| at.parse().ok()).unwrap_or(0);
        Ok(Some(BackupMark { of, at: Timestamp::from_seconds(at) }))
    }
}

/// Whether a name is that of a database or of a file that belongs to it, whatever links lead there.
fn is_of_database(file: &Path, database: &Path) -> bool {
    let place = |path: &Path| {
        let folder = folder_of(path);
        path.file_name().map(|name| fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()).join(name))
    };
    let names = BESIDE.iter().map(|suffix| beside(database, suffix)).chain([database.to_owned()]);
    names.map(|name| place(&name)).any(|name| name.is_some() && name == place(file))
}

/// Copies what is committed in `source`, the database of that path, and marks the copy.
pub(super) fn copy(
    source: &Connection,
    database: &Path,
    (file, place): (&Path, Place),
    mark: &Mark<'_>,
) -> Result<BackupDone, BackUpError> {
    let is_there = || place == Place::New && fs::symlink_metadata(file).is_ok();
    if is_there() {
        return Err(BackUpError::Exists { file: file.to_owned() });
    }
    let part = beside(file, ".backup-part");
    let unwritable = |source| BackUpError::File { file: file.to_owned(), source };
    let result = write(source, (&part, file), database, mark).and_then(|done| {
        let folder = File::open(folder_of(file)).map_err(unwritable)?;
        if is_there() {
            return Err(BackUpError::Exists { file: file.to_owned() });
        }
        fs::rename(&part, file).and_then(|()| folder.sync_all()).map_err(unwritable)?;
        Ok(done)
    });
    if result.is_err() {
        clear(&part);
    }
    result
}

/// Writes the copy under a name of its own. `file` is for messages.
fn write(
    source: &Connection,
    (part, file): (&Path, &Path),
    database: &Path,
    mark: &Mark<'_>,
) -> Result<BackupDone, BackUpError> {
    let unwritable = |source| BackUpError::File { file: file.to_owned(), source };
    let failed = |source| BackUpError::Copy { file: file.to_owned(), source };
    // What an earlier run left over when it was killed.
    clear(part);
    OpenOptions::new().create_new(true).write(true).mode(0o600).open(part).map_err(unwritable)?;
    let mut target = Connection::open(part).map_err(failed)?;
    // In one step, so that a process that goes on writing cannot make it begin anew again and again.
    let step = Backup::new(source, &mut target).and_then(|backup| backup.step(-1)).map_err(failed)?;
    if step != StepResult::Done {
        let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
        return Err(failed(rusqlite::Error::SqliteFailure(busy, None)));
    }
    finish(&target, mark).map_err(failed)?;
    let found: String = target.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(failed)?;
    if found != "ok" {
        return Err(BackUpError::Damaged { database: database.to_owned(), source: Flaw::of(&found) });
    }
    let count = |sql| target.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(failed);
    let cycles = count("SELECT COUNT(*) FROM cycle")?;
    let accounts = count("SELECT COUNT(*) FROM account")?;
    target.close().map_err(|(_, source)| failed(source))?;
    let written = File::open(part).and_then(|written| {
        written.sync_all()?;
        give_to_owner_of_folder(&written, part)?;
        written.metadata()
    });
    let bytes = written.map_err(unwritable)?.len();
    Ok(BackupDone { bytes, cycles, accounts })
}

/// Marks the copy, and ends its write-ahead mode: it is one file from then on.
fn finish(target: &Connection, mark: &Mark<'_>) -> rusqlite::Result<()> {
    target.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    target.execute_batch("BEGIN IMMEDIATE")?;
    write_meta(target, BACKUP_OF, mark.of)?;
    write_meta(target, BACKUP_AT, &mark.at.seconds().to_string())?;
    target.execute_batch("COMMIT")?;
    target.pragma_update(None, "journal_mode", "DELETE")
}

fn clear(part: &Path) {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let _ = fs::remove_file(beside(part, suffix));
    }
}
