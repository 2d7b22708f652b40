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

/// Tables that every schema had. Of a newer schema only `meta` is known to be there: it says whose the database is.
const OURS: &str = "CASE WHEN user_version > ?1 THEN name = 'meta' ELSE name IN ('meta', 'scim_group', 'journal') END";

/// Refuses what a newer program or another program wrote. A version alone says nothing: others count theirs as well.
pub(super) fn check_version(connection: &Connection, path: &Path) -> Result<(), OpenStoreError> {
    // Version and tables are one look: another process may be making them.
    let sql = format!(
        "SELECT user_version, (SELECT COUNT(*) FROM sqlite_master), \
         (SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND {OURS}) FROM pragma_user_version"
    );
    let look = connection.query_row(&sql, [known()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let (found, all, ours): (i64, i64, i64) = look.map_err(|source| classify(path, source))?;
    let path = path.to_owned();
    match (found, ours) {
        (0, _) if all == 0 => Ok(()),
        (1.., 3) if found <= known() => Ok(()),
        (1.., 1) if found > known() => Err(OpenStoreError::Newer { path, found, known: known() }),
        _ => Err(OpenStoreError::Alien { path }),
    }
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
