//! Opening a database: creating, checking, and whom it belongs to.

use super::backup::BackUpError;
use super::migrate::{check_version, migrate};
use super::trouble::{Advice, Trouble, folder_of, real};
use super::{Store, leftover, own};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Another process that writes is waited for so long.
const BUSY_WAIT: Duration = Duration::from_secs(10);
/// The write-ahead file is cut back to so many bytes after something large was written.
const WAL_BYTES_KEPT: i64 = 16 << 20;

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

impl Binding {
    /// Refuses other services for a database that belongs to these.
    pub fn check(&self, wanted: &Self, settings: &Settings) -> Result<(), OpenStoreError> {
        let both = pairs(self).into_iter().zip(pairs(wanted));
        for ((key, found), (_, wanted)) in both {
            refuse_other(&settings.database, key, (found.clone(), wanted))?;
        }
        Ok(())
    }
}

/// Why a database cannot be used. Whatever it is, the file was not changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenStoreError {
    /// The file or its folder cannot be made or opened.
    #[error("cannot open the database {}: {}", path.display(), Advice(Trouble::of_io(source, path), path))]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no SQLite database, or is damaged.
    #[error("{} is not a database, or is damaged; stop the service, move the file away, and restore a backup with `cp BACKUP {}` (it was not changed)", path.display(), path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// SQLite's word for it.
        source: rusqlite::Error,
    },
    /// The write-ahead file of another database is in the way.
    #[error("{} {state}, and {} is still there, which belongs to another database; {remedy} (nothing was changed)", path.display(), wal.display())]
    LeftOver {
        /// Which file.
        path: PathBuf,
        /// What is left over.
        wal: PathBuf,
        /// How the database itself is.
        state: &'static str,
        /// What to do.
        remedy: &'static str,
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
    /// The copy that is made before a migration could not be made.
    #[error("the database {} has schema {found} and is to get schema {known}, but the copy that is made before failed", path.display())]
    Copy {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
        /// Why.
        source: Box<BackUpError>,
    },
    /// It has tables, or a version, and they are not ours.
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
    #[error("cannot use the database {}: {}", path.display(), Advice(Trouble::of(source, path), path))]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// SQLite's word for it.
        source: rusqlite::Error,
    },
}

impl OpenStoreError {
    /// Whether only writing is impossible, by all that is known.
    fn leaves_readable(&self) -> bool {
        match self {
            Self::File { path, source } => Trouble::of_io(source, path).leaves_readable(),
            Self::Sqlite { path, source } => Trouble::of(source, path).leaves_readable(),
            Self::Damaged { .. }
            | Self::LeftOver { .. }
            | Self::Newer { .. }
            | Self::Copy { .. }
            | Self::Alien { .. }
            | Self::Foreign { .. } => false,
        }
    }
}

impl Store {
    /// Opens a database, makes it when it is missing, brings its schema up to date, and checks that it belongs to these
    /// two services.
    pub fn open(settings: &Settings, binding: &Binding) -> Result<Self, OpenStoreError> {
        let (path, named) = (real(&settings.database), settings.database.clone());
        let failed = |source: rusqlite::Error| classify(&path, source);
        let unusable = |source| OpenStoreError::File { path: path.clone(), source };
        // Before SQLite sees any of it.
        leftover::check(&path)?;
        if let Some(path) = own::linked_helper(&path) {
            return Err(OpenStoreError::File { path, source: own::strange() });
        }
        create_file(&path).map_err(unusable)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&path, flags).map_err(failed)?;
        connection.busy_timeout(BUSY_WAIT).map_err(failed)?;
        // One that reads first and writes then does not wait for another writer: SQLite refuses it at once.
        connection.set_transaction_behavior(TransactionBehavior::Immediate);
        // Before anything is written to it.
        check_version(&connection, &path)?;
        configure(&connection).map_err(failed)?;
        migrate(&mut connection, &path)?;
        bind(&mut connection, &path, binding)?;
        let database_id = read_meta(&connection, "database_id").map_err(failed)?.unwrap_or_default();
        Ok(Self { connection, path, named, database_id })
    }

    /// Whether a database could be used for these services, as far as that can be seen without making or changing a
    /// file. One that is missing can be made.
    pub fn look_at(settings: &Settings, binding: &Binding) -> Result<(), OpenStoreError> {
        let path = real(&settings.database);
        leftover::check(&path)?;
        match std::fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(OpenStoreError::File { path, source }),
            Ok(_) => {}
        }
        let connection = connect_as_it_stands(&path).map_err(|source| classify(&path, source))?;
        let is_ours = |(key, wanted)| match read_meta(&connection, key).map_err(|source| classify(&path, source)) {
            Ok(Some(found)) => refuse_other(&path, key, (found, wanted)),
            Err(error @ OpenStoreError::Damaged { .. }) => Err(error),
            // Without its tables it is new.
            Ok(None) | Err(_) => Ok(()),
        };
        let looked = check_version(&connection, &path).and_then(|()| pairs(binding).into_iter().try_for_each(is_ours));
        match looked {
            // What somebody moves out of the write-ahead file just now does not fit together yet.
            Err(OpenStoreError::Damaged { source, .. })
                if source.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt)
                    && leftover::wal_of(&path).is_some() =>
            {
                Ok(())
            }
            looked => looked,
        }
    }

    /// Opens a database for a command that only reads. Where it cannot be written (a full disk, a read-only file
    /// system), it is read as it stands.
    pub fn open_to_read(settings: &Settings, binding: &Binding) -> Result<Self, OpenStoreError> {
        match Self::open(settings, binding) {
            Err(error) if error.leaves_readable() => Self::open_as_it_stands(settings, binding).ok_or(error),
            result => result,
        }
    }

    /// A database that nobody writes can be read without its helper files, for which there may be no place. None: it is
    /// not known to be at rest, or it is not ours, or it is not of today's schema.
    fn open_as_it_stands(settings: &Settings, binding: &Binding) -> Option<Self> {
        let (path, named) = (real(&settings.database), settings.database.clone());
        if leftover::wal_of(&path).is_some() {
            return None;
        }
        let connection = connect_as_it_stands(&path).ok()?;
        let is_ours = super::migrate::is_current(&connection).ok()?
            && pairs(binding).iter().all(|(key, wanted)| {
                read_meta(&connection, key).is_ok_and(|found| found.as_deref() == Some(wanted.as_str()))
            });
        let database_id = read_meta(&connection, "database_id").ok()??;
        is_ours.then_some(Self { connection, path, named, database_id })
    }
}

/// Reads the file alone, without its helper files: none is made, and what is only in them is not seen.
fn connect_as_it_stands(path: &Path) -> rusqlite::Result<Connection> {
    let name = path.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(path.to_owned()))?;
    let name = utf8_percent_encode(name, URI_ESCAPED);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(format!("file:{name}?immutable=1"), flags)
}

/// What has a meaning of its own in the name of a file that is written as a URI.
const URI_ESCAPED: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#');

fn create_file(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let folder = folder_of(path);
    if !folder.exists() {
        std::fs::create_dir_all(folder)?;
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(folder, mode)?;
    }
    let file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
    own::give_to_owner_of_folder(&file, path)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
    // A damaged page is found when it is read, and not when it has done harm.
    connection.pragma_update(None, "cell_size_check", "ON")?;
    // No temporary files, which would be on another disk that can be full as well.
    connection.pragma_update(None, "temp_store", "MEMORY")
}

pub(super) fn classify(path: &Path, source: rusqlite::Error) -> OpenStoreError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => OpenStoreError::Damaged { path, source },
        _ => OpenStoreError::Sqlite { path, source },
    }
}

fn pairs(binding: &Binding) -> [(&'static str, &String); 2] {
    [("duo.api_host", &binding.api_host), ("atlassian.scim_base_url", &binding.scim_base_url)]
}

fn bind(connection: &mut Connection, path: &Path, binding: &Binding) -> Result<(), OpenStoreError> {
    let failed = |source: rusqlite::Error| classify(path, source);
    for (key, wanted) in pairs(binding) {
        match read_meta(connection, key).map_err(failed)? {
            Some(found) => refuse_other(path, key, (found, wanted))?,
            None => write_meta(connection, key, wanted).map_err(failed)?,
        }
    }
    Ok(())
}

fn refuse_other(path: &Path, key: &'static str, (found, wanted): (String, &String)) -> Result<(), OpenStoreError> {
    if found == *wanted {
        return Ok(());
    }
    Err(OpenStoreError::Foreign { path: path.to_owned(), key, found, wanted: wanted.clone() })
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
