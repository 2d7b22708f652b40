//! What a refusal of SQLite, or of the file system, means to an administrator, and what to do about it.

use super::own::is_strange;
use nix::sys::statvfs::{FsFlags, statvfs};
use rusqlite::{ErrorCode, ffi};
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What is wrong with a database, or with where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// No space is left.
    Full,
    /// The file system, or the file, cannot be written.
    ReadOnly,
    /// What is in the file does not fit together.
    Damaged,
    /// Another process writes, and did not end in time.
    Busy,
    /// It may not be opened, or its folder is not there.
    Denied,
    /// It is a link, or no file of its own, which is not opened.
    Strange,
    /// The disk says that it failed.
    Disk,
    /// Nothing that an administrator can bring about.
    Odd,
}

impl Trouble {
    /// What an error of SQLite means. Some say only that a file could not be opened or written: then the file system is
    /// asked why.
    pub(super) fn of(error: &rusqlite::Error, path: &Path) -> Self {
        let is_shared_memory =
            error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_SHMSIZE);
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            // No code: a value that is not of its column's type. `Unknown`: a table or a column that is not there, in a
            // database whose version says that it is.
            None | Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown) => Self::Damaged,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
                Self::Busy
            }
            Some(ErrorCode::SystemIoFailure) if is_shared_memory => Self::Full,
            Some(ErrorCode::SystemIoFailure) => Self::of_folder(path).unwrap_or(Self::Disk),
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => Self::of_folder(path).unwrap_or(Self::Denied),
            _ => Self::Odd,
        }
    }

    /// What an error of the file system means.
    pub(super) fn of_io(error: &io::Error, path: &Path) -> Self {
        let is = |kinds: &[io::ErrorKind]| kinds.contains(&error.kind());
        if is(&[io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded]) {
            return Self::Full;
        }
        if is(&[io::ErrorKind::ReadOnlyFilesystem]) {
            return Self::ReadOnly;
        }
        if is_strange(error) {
            return Self::Strange;
        }
        Self::of_folder(path).unwrap_or(Self::Denied)
    }

    /// Whether the file system of a file is full or read-only.
    fn of_folder(path: &Path) -> Option<Self> {
        let system = statvfs(folder_of(path)).ok()?;
        if system.flags().contains(FsFlags::ST_RDONLY) {
            return Some(Self::ReadOnly);
        }
        (system.blocks_available() == 0 || (system.files() > 0 && system.files_available() == 0)).then_some(Self::Full)
    }

    /// Whether a file that cannot be used for writing may still be read.
    pub(super) const fn leaves_readable(self) -> bool {
        matches!(self, Self::Full | Self::ReadOnly | Self::Denied)
    }
}

/// What to do, as the end of a sentence that began with what failed.
pub(super) struct Advice<'a>(pub(super) Trouble, pub(super) &'a Path);

impl fmt::Display for Advice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(trouble, path) = self;
        let folder = folder_of(path).display();
        match trouble {
            Trouble::Full => {
                write!(
                    f,
                    "the disk is full; free some space in {folder} and run the command again: it goes on from there"
                )
            }
            Trouble::ReadOnly => {
                write!(f, "it is read-only; make {folder} and the files in it writable and run the command again")
            }
            Trouble::Damaged => f.write_str(
                "a part of it is damaged; stop the service, move the file away, and restore a backup \
                 (README, \"Back up and restore\")",
            ),
            Trouble::Busy => write!(
                f,
                "another process has been writing to it for too long; run the command again, and if that goes on, look \
                 for what has {} open",
                path.display()
            ),
            Trouble::Denied => write!(
                f,
                "there is no way to it; check that {folder} exists, and run the command as the user to whom it belongs"
            ),
            Trouble::Strange => {
                f.write_str("it is a link, or no file of its own; look at who put it there, and remove it")
            }
            Trouble::Disk => {
                write!(f, "the disk failed; look at the system's log and at {folder}, and keep a backup elsewhere")
            }
            Trouble::Odd => f.write_str("that should not happen; run the command again, and report it if it stays so"),
        }
    }
}

/// The folder of a file.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Links of one file to the next are followed so far; the kernel's own limit.
const LINKS_MAX: usize = 40;

/// The file to which a name leads, which may not be there yet. SQLite puts its helper files beside that one, and so do
/// we: two names of one database have one lock and one brake. Links of folders lead to the same files anyway, and stay
/// as people know them.
pub(super) fn real(path: &Path) -> PathBuf {
    let mut found = path.to_owned();
    for _ in 0..LINKS_MAX {
        let Ok(target) = fs::read_link(&found) else { return found };
        found = folder_of(&found).join(target);
    }
    path.to_owned()
}

/// A file beside another one, with a longer name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
