//! Files of ours beside the database: opened where they are, and nowhere else.
//!
//! The folder belongs to the service's user, and commands are run as root as well. A link in the place of one of these
//! files would let that user have root write to, or give away, any other file.

use super::trouble::{beside, folder_of};
use nix::fcntl::OFlag;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

/// Opens a file for writing, and makes it where it is missing. What is in it stays.
///
/// # Errors
/// Also when it is a link, no regular file, or would be given away under another name.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600).custom_flags(flags.bits());
    let file = options.open(path).map_err(|error| if is_link(path) { strange() } else { error })?;
    if !file.metadata()?.is_file() {
        return Err(strange());
    }
    give_to_owner_of_folder(&file, path)?;
    Ok(file)
}

/// A command run as root leaves no file behind that the service's user cannot use. (SQLite itself gives its `-wal` and
/// `-shm` files the owner of the database when it runs as root.)
pub(super) fn give_to_owner_of_folder(file: &File, path: &Path) -> io::Result<()> {
    let (found, folder) = (file.metadata()?, fs::metadata(folder_of(path))?);
    if found.uid() != 0 || folder.uid() == 0 {
        return Ok(());
    }
    if found.nlink() > 1 {
        return Err(strange());
    }
    fchown(file, Some(folder.uid()), Some(folder.gid()))
}

/// A file of SQLite's beside a database (by the name of the file itself) that is a link: SQLite would follow it.
pub(super) fn linked_helper(database: &Path) -> Option<PathBuf> {
    let helpers = ["-wal", "-shm", "-journal"].map(|suffix| beside(database, suffix));
    helpers.into_iter().find(|helper| is_link(helper))
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink())
}

/// What stands in the place of a file of ours.
#[derive(Debug, thiserror::Error)]
#[error("it is a link, or no file of its own, and is not opened")]
pub(super) struct Strange;

/// As an error of the file system.
pub(super) fn strange() -> io::Error {
    io::Error::other(Strange)
}

/// Whether an error is that one.
pub(super) fn is_strange(error: &io::Error) -> bool {
    error.get_ref().and_then(|source| source.downcast_ref::<Strange>()).is_some()
}

#[cfg(test)]
mod tests {
    use super::{linked_helper, open};
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_file_is_made_or_kept_and_a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (victim, own) = (folder.path().join("victim"), folder.path().join("own"));
        fs::write(&victim, "precious").unwrap();
        symlink(&victim, &own).unwrap();
        assert!(open(&own).unwrap_err().to_string().contains("link"));
        fs::remove_file(&own).unwrap();
        nix::unistd::mkfifo(&own, nix::sys::stat::Mode::S_IRWXU).unwrap();
        open(&own).unwrap_err();
        fs::remove_file(&own).unwrap();
        fs::create_dir(&own).unwrap();
        open(&own).unwrap_err();
        fs::remove_dir(&own).unwrap();
        open(&own).unwrap().write_all(b"mine").unwrap();
        drop(open(&own).unwrap());
        assert_eq!(fs::read(&own).unwrap(), b"mine");
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
    }

    #[test]
    fn a_helper_of_the_database_that_is_a_link_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("state.db");
        assert!(linked_helper(&database).is_none());
        symlink("/nowhere", folder.path().join("state.db-shm")).unwrap();
        assert_eq!(linked_helper(&database).unwrap(), folder.path().join("state.db-shm"));
    }
}
