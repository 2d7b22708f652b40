//! Opening a database: creating, checking, migrating, and whom it belongs to.

use super::Store;
use super::schema::STEPS;
use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior};
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Another process that writes is waited for so long.
const BUSY_WAIT: Duration = Duration::from_secs(10);

/// Where the database is.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file; created when missing, with mode 0600.
    pub database: PathBuf,
}

/// The two services that a database belongs to (S17).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Duo's API host.
    pub api_host: String,
    /// The SCIM base URL.
    pub scim_base_url: String,
}

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenStoreError {
    /// The file or its folder cannot be made or opened.
    #[error("cannot open the database {}; check that the folder exists and belongs to the user of this command", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no SQLite database, or is damaged.
    #[error("{} is not a database, or is damaged; move it away and restore a backup with `cp BACKUP {}` (it was not changed)", path.display(), path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// SQLite's word for it.
        source: rusqlite::Error,
    },
    /// A newer version of the program wrote it.
    #[error("the database {} has schema {found}, and this program knows up to {known}; use the newer program again, or restore a backup from before the upgrade", path.display())]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// It has tables, and none of ours.
    #[error("{} is another program's database; set state.database to a file of its own (it was not changed)", path.display())]
    Alien {
        /// Which file.
        path: PathBuf,
    },
    /// It belongs to other services.
    #[error("the database {} belongs to {key} {found}, and the configuration says {wanted}; use another state.database for another directory", path.display())]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// `duo.api_host` or `atlassian.scim_base_url`.
        key: &'static str,
        /// What the database says.
        found: String,
        /// What the configuration says.
        wanted: String,
    },
    /// Anything else that SQLite says: disk full, read-only file system.
    #[error("cannot use the database {}; check the disk (space, read-only mount) and the file's owner", path.display())]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// SQLite's word for it.
        source: rusqlite::Error,
    },
}

impl Store {
    /// Opens a database, makes it when it is missing, brings its schema up to date, and checks that it belongs to these
    /// two services.
    pub fn open(settings: &Settings, binding: &Binding) -> Result<Self, OpenStoreError> {
        let path = settings.database.clone();
        let failed = |source: rusqlite::Error| classify(&path, source);
        create_file(&path).map_err(|source| OpenStoreError::File { path: path.clone(), source })?;
        let mut connection = Connection::open(&path).map_err(failed)?;
        connection.busy_timeout(BUSY_WAIT).map_err(failed)?;
        // Before anything is written to it.
        check_version(&connection, &path)?;
        configure(&connection).map_err(failed)?;
        migrate(&mut connection, &path)?;
        bind(&mut connection, &path, binding)?;
        let database_id = read_meta(&connection, "database_id").map_err(failed)?.unwrap_or_default();
        Ok(Self { connection, path, database_id })
    }
}

fn create_file(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        std::fs::create_dir_all(folder)?;
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(folder, mode)?;
    }
    OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
    give_to_owner_of_folder(path)
}

/// A command run as root leaves no file behind that the service's user cannot use. (SQLite itself gives its `-wal` and
/// `-shm` files the owner of the database when it runs as root.)
pub(super) fn give_to_owner_of_folder(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let folder = std::fs::metadata(folder)?;
    let file = std::fs::metadata(path)?;
    if file.uid() == 0 && folder.uid() != 0 {
        chown(path, Some(folder.uid()), Some(folder.gid()))?;
    }
    Ok(())
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Refuses what a newer program or another program wrote.
fn check_version(connection: &Connection, path: &Path) -> Result<(), OpenStoreError> {
    let failed = |source: rusqlite::Error| classify(path, source);
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let found = version(connection).map_err(failed)?;
    if found > known {
        return Err(OpenStoreError::Newer { path: path.to_owned(), found, known });
    }
    // Version and tables are one look: another process may be making them.
    let tables = "SELECT COUNT(*) FROM sqlite_master WHERE (SELECT * FROM pragma_user_version) = 0";
    let tables: i64 = connection.query_row(tables, [], |row| row.get(0)).map_err(failed)?;
    if tables > 0 { Err(OpenStoreError::Alien { path: path.to_owned() }) } else { Ok(()) }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")
}

fn classify(path: &Path, source: rusqlite::Error) -> OpenStoreError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => OpenStoreError::Damaged { path, source },
        _ => OpenStoreError::Sqlite { path, source },
    }
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenStoreError> {
    let failed = |source: rusqlite::Error| classify(path, source);
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    if version(connection).map_err(failed)? == known {
        return Ok(());
    }
    // Another process may have done it between the look and the lock: look again inside.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let found: i64 = version(&transaction).map_err(failed)?;
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

fn bind(connection: &mut Connection, path: &Path, binding: &Binding) -> Result<(), OpenStoreError> {
    let failed = |source: rusqlite::Error| classify(path, source);
    let pairs = [("duo.api_host", &binding.api_host), ("atlassian.scim_base_url", &binding.scim_base_url)];
    for (key, wanted) in pairs {
        match read_meta(connection, key).map_err(failed)? {
            Some(found) if found == *wanted => {}
            Some(found) => {
                return Err(OpenStoreError::Foreign { path: path.to_owned(), key, found, wanted: wanted.clone() });
            }
            None => write_meta(connection, key, wanted).map_err(failed)?,
        }
    }
    Ok(())
}

pub(super) fn read_meta(connection: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    connection.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0)).optional()
}

pub(super) fn write_meta(connection: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
            [key, value],
        )
        .map(drop)
}
