//! Bringing a database up to today's schema, with a copy made before.

use super::backup::{Mark, Place, copy};
use super::open::{OpenStoreError, classify, read_meta, write_meta};
use super::schema::STEPS;
use super::trouble::beside;
use crate::model::Timestamp;
use rusqlite::Connection;
use std::path::Path;

fn known() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Whether a database has today's schema.
pub(super) fn is_current(connection: &Connection) -> rusqlite::Result<bool> {
    version(connection).map(|found| found == known())
}

/// Refuses what a newer program or another program wrote.
pub(super) fn check_version(connection: &Connection, path: &Path) -> Result<(), OpenStoreError> {
    let failed = |source: rusqlite::Error| classify(path, source);
    let found = version(connection).map_err(failed)?;
    if found > known() {
        return Err(OpenStoreError::Newer { path: path.to_owned(), found, known: known() });
    }
    // Version and tables are one look: another process may be making them.
    let tables = "SELECT COUNT(*) FROM sqlite_master WHERE (SELECT * FROM pragma_user_version) = 0";
    let tables: i64 = connection.query_row(tables, [], |row| row.get(0)).map_err(failed)?;
    if tables > 0 { Err(OpenStoreError::Alien { path: path.to_owned() }) } else { Ok(()) }
}

/// Takes the steps that are missing, in one transaction. A database that has something in it is copied before, to
/// `DATABASE.before-schema-N`; without the copy nothing is changed.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenStoreError> {
    let failed = |source: rusqlite::Error| classify(path, source);
    if is_current(connection).map_err(failed)? {
        return Ok(());
    }
    // Another process may have done it between the look and the lock: look again inside.
    let transaction = connection.transaction().map_err(failed)?;
    let found = version(&transaction).map_err(failed)?;
    if (1..known()).contains(&found) {
        copy_before(&transaction, path, found)?;
    }
    for (index, step) in STEPS.iter().enumerate().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.execute_batch(step).map_err(failed)?;
        transaction.pragma_update(None, "user_version", i64::try_from(index + 1).unwrap_or(0)).map_err(failed)?;
    }
    if found == 0 {
        write_meta(&transaction, "database_id", &uuid::Uuid::new_v4().to_string()).map_err(failed)?;
        write_meta(&transaction, "generation", "0").map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

/// Nobody else can write meanwhile. SQLite copies nothing through a connection that is about to write, so another one
/// reads what was committed last.
fn copy_before(transaction: &Connection, path: &Path, found: i64) -> Result<(), OpenStoreError> {
    let failed = |source: rusqlite::Error| classify(path, source);
    let of = read_meta(transaction, "database_id").map_err(failed)?.unwrap_or_default();
    let newest = "SELECT COALESCE(MAX(COALESCE(ended_at, started_at)), 0) FROM cycle";
    let newest: i64 = transaction.query_row(newest, [], |row| row.get(0)).map_err(failed)?;
    // Nobody asked for it: it is as old as what was done last.
    let mark = Mark { of: &of, at: Timestamp::from_seconds(newest) };
    let reader = Connection::open(path).map_err(failed)?;
    let target = beside(path, &format!(".before-schema-{}", known()));
    let copied = copy(&reader, path, (&target, Place::Replaced), &mark);
    let failed =
        |source| OpenStoreError::Copy { path: path.to_owned(), found, known: known(), source: Box::new(source) };
    copied.map(drop).map_err(failed)
}
