//! SQLite: snapshot, links, journal, plans and decisions, cycles, locks, migrations.
//!
//! One file, mode 0600, in WAL mode with `synchronous=FULL`: what is committed survives a power cut. Every change of
//! the snapshot is one transaction with the outcome that caused it. A database belongs to one Duo host and one SCIM
//! base URL (S17).

mod brake;
mod cycle;
mod decision;
mod failing;
mod journal;
mod link;
mod lock;
mod open;
mod pin;
mod schema;
mod snapshot;

pub use brake::{Brake, BrakeRecord, BrakeState};
pub use cycle::{CycleEnd, CycleId, CycleRecord};
pub use decision::{Decision, DecisionRecord, PlanRecord, PlanVerdict, Who};
pub use failing::{Failing, FailingRecord};
pub use journal::{Effect, Intent, JournalId, JournalRecord, Outcome, OutcomeKind, Request, Spending};
pub use lock::{AcquireLockError, WriterLock};
pub use open::{Binding, OpenStoreError, Settings};
pub use pin::Pin;

use rusqlite::Connection;
use std::path::{Path, PathBuf};

/// An open database.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
    database_id: String,
}

/// The database did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite says no: disk full, file system read-only, damaged page, locked for too long.
    #[error("cannot {doing} in the database {}; free some space or restore a backup, then run the command again", path.display())]
    Sqlite {
        /// What was tried.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// SQLite's word for it.
        source: rusqlite::Error,
    },
    /// A stored value does not read back.
    #[error("the database {} holds a value of {what} that cannot be read; restore a backup", path.display())]
    Value {
        /// What it should be.
        what: &'static str,
        /// Which file.
        path: PathBuf,
    },
}

impl Store {
    /// Where the database is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The random name of this database; plans carry it.
    pub fn database_id(&self) -> &str {
        &self.database_id
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
