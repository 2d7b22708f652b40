//! What is left over of another database, and must not be taken for a part of this one.
//!
//! SQLite takes a write-ahead file for the database beside it, whichever that is: it deletes the file when the database
//! is empty, and else copies its pages in. After a restored backup, or a file that was moved away, both lose data.

use super::open::OpenStoreError;
use super::trouble::beside;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Of the file format: which version wrote last. 1: without a write-ahead file, as `backup` leaves its copies.
const WRITE_VERSION_AT: u64 = 18;

/// Descriptors that stay open, one for each file that had to be looked into. Closing one would let go of every lock
/// that this process has on that file through SQLite (POSIX says so), which matters for as long as others can open it.
static KEPT: Mutex<BTreeMap<(u64, u64), File>> = Mutex::new(BTreeMap::new());

/// The write-ahead file of a database (by the name of the file itself), if something is in it.
pub(super) fn wal_of(path: &Path) -> Option<PathBuf> {
    let wal = beside(path, "-wal");
    fs::metadata(&wal).is_ok_and(|found| found.len() > 0).then_some(wal)
}

/// Refuses a database that cannot be the one to which its write-ahead file belongs.
pub(super) fn check(path: &Path) -> Result<(), OpenStoreError> {
    // Looked for first: whoever makes a database writes to it before there is a write-ahead file.
    let Some(wal) = wal_of(path) else { return Ok(()) };
    let found = fs::metadata(path).map(|found| found.len());
    let empty_remedy = "put that database back; to restore a backup or to begin anew, remove what is left over first, \
                        and the -shm file with it";
    let (state, remedy) = match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => ("is missing", empty_remedy),
        Ok(0) => ("is empty", empty_remedy),
        Err(source) => return Err(OpenStoreError::File { path: path.to_owned(), source }),
        Ok(_) => match write_version(path) {
            Ok(1) => (
                "was put here from elsewhere",
                "remove what is left over, and the -shm file with it, and run the command again",
            ),
            Ok(2) => return Ok(()),
            Ok(_) => ("is not a database", empty_remedy),
            Err(source) => return Err(OpenStoreError::File { path: path.to_owned(), source }),
        },
    };
    Err(OpenStoreError::LeftOver { path: path.to_owned(), wal, state, remedy })
}

/// The write version of a file of SQLite; 0 for another file.
fn write_version(path: &Path) -> io::Result<u8> {
    let key = fs::metadata(path).map(|found| (found.dev(), found.ino()))?;
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.retain(|_, file| file.metadata().is_ok_and(|found| found.nlink() > 0));
    let file = match kept.entry(key) {
        std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
        std::collections::btree_map::Entry::Vacant(entry) => entry.insert(File::open(path)?),
    };
    let mut magic = [0; 16];
    let mut version = [0];
    let read = file.read_exact_at(&mut magic, 0).and_then(|()| file.read_exact_at(&mut version, WRITE_VERSION_AT));
    match read {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
        Err(error) => Err(error),
        Ok(()) if magic == *b"SQLite format 3\0" => Ok(version.into_iter().next().unwrap_or(0)),
        Ok(()) => Ok(0),
    }
}
