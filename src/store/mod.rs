//! SQLite: snapshot, links, journal, plans and decisions, cycles, locks, migrations, backups.
//!
//! One file, mode 0600, in WAL mode with `synchronous=FULL`: what is committed survives a power cut. Every change of
//! the snapshot is one transaction with the outcome that caused it. A database belongs to one Duo host and one SCIM
//! base URL (S17). What is old is removed in bounded steps, so that the file does not grow for ever (`compact`).

mod backup;
mod brake;
mod compact;
mod cycle;
mod decision;
mod done;
mod failing;
mod foreign;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod journal;
mod leftover;
mod link;
mod lock;
mod migrate;
mod open;
mod own;
mod pin;
mod removal;
mod request;
mod schema;
mod snapshot;
mod told;
mod trouble;
mod trust;

pub use backup::{BackUpError, BackupDone, BackupMark};
pub use brake::{Brake, BrakeRecord, BrakeState};
pub use compact::Removed;
pub use cycle::{CycleEnd, CycleId, CycleRecord, TOLD_TO_END};
pub use decision::{Decision, DecisionRecord, PlanRecord, PlanVerdict, Who};
pub use failing::{Failing, FailingKey, FailingRecord};
pub use foreign::ForeignWrites;
pub use journal::{
    Effect, Intent, JournalId, JournalRecord, LOOKED_UP, NOT_SENT, Outcome, OutcomeKind, Request, Spending,
};
pub use lock::{AcquireLockError, DaemonLock, WriterLock};
pub use open::{Binding, OpenStoreError, Settings};
pub use pin::Pin;
pub use removal::Removals;
pub use told::KeyTrial;
pub use trust::Correction;

use rusqlite::Connection;
use std::path::{Path, PathBuf};
use trouble::{Advice, Trouble};

/// An open database.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
    /// The name by which it was opened, perhaps a link.
    named: PathBuf,
    database_id: String,
}

/// The database did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite says no: disk full, file system read-only, damaged page, locked for too long.
    #[error("cannot {doing} in the database {}: {}", path.display(), Advice(Trouble::of(source, path), path))]
    Sqlite {
        /// What was tried.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// SQLite's word for it.
        source: rusqlite::Error,
    },
    /// A stored value does not read back.
    #[error("the database {} holds a value of {what} that cannot be read: {}", path.display(), Advice(Trouble::Damaged, path))]
    Value {
        /// What it should be.
        what: &'static str,
        /// Which file.
        path: PathBuf,
    },
    /// A look at the whole file found pages that are not as they must be.
    #[error("cannot use the database {}: {}", path.display(), Advice(Trouble::Damaged, path))]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What SQLite found first.
        source: Flaw,
    },
}

/// What a check of a whole file found first, in SQLite's words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Flaw(String);

impl Flaw {
    /// From the answer of a check, whose first line may only say which database is meant.
    fn of(found: &str) -> Self {
        let lines: Vec<&str> = found.lines().filter(|line| !line.starts_with("***")).collect();
        Self(lines.join("; "))
    }
}

impl Store {
    /// Where the database is: the file itself, also when `state.database` is a link to it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The random name of this database; plans carry it.
    pub fn database_id(&self) -> &str {
        &self.database_id
    }

    /// Looks at every page of the file, once in a while, before anything is done on its word.
    ///
    /// Costs one reading of the file. It finds pages that do not fit together, not values that somebody changed.
    pub fn check(&self) -> Result<(), StoreError> {
        match self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0)) {
            Ok(found) if found == "ok" => Ok(()),
            Ok(found) => Err(StoreError::Damaged { path: self.path.clone(), source: Flaw::of(&found) }),
            Err(error) => Err(self.failed("look at every page")(error)),
        }
    }

    fn failed(&self, doing: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
        let path = self.path.clone();
        move |source| StoreError::Sqlite { doing, path, source }
    }

    fn unreadable(&self, what: &'static str) -> StoreError {
        StoreError::Value { what, path: self.path.clone() }
    }

    /// Reads one stored JSON value.
    fn json<T: serde::de::DeserializeOwned>(&self, what: &'static str, text: &str) -> Result<T, StoreError> {
        serde_json::from_str(text).map_err(|_| self.unreadable(what))
    }
}

/// JSON of a value of ours; these are maps with text keys and cannot fail.
fn to_json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
