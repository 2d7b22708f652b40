//! The brake: a file beside the database. While it is there, no writing request of any command leaves (S22).
//!
//! A file, and not a row: it is looked at before every request, it stops the sending also when the database cannot be
//! written, and another program can create it (`touch`). What is in it is for people.

use super::Store;
use super::decision::Who;
use super::own;
use super::trouble::{beside, folder_of, real};
use crate::model::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Where the brake of a database is.
#[derive(Clone, Debug)]
pub struct Brake {
    path: PathBuf,
    /// Beside a link that leads to the database: whoever creates the file goes by the name that they know.
    by_link: Option<PathBuf>,
}

/// Who paused, when, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrakeRecord {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// Why, in their words.
    #[serde(default)]
    pub note: String,
}

/// What the brake says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BrakeState {
    /// Requests may leave.
    Off,
    /// Nothing leaves; by `pause`.
    Paused(BrakeRecord),
    /// Nothing leaves; the file was put there by another program.
    Foreign,
}

impl Brake {
    /// The brake of a database file.
    pub fn of(database: &Path) -> Self {
        let (path, named) = (beside(&real(database), ".pause"), beside(database, ".pause"));
        Self { by_link: (named != path).then_some(named), path }
    }

    /// The file: the one that is there, or else the one that would be made.
    pub fn path(&self) -> &Path {
        self.files().find(|file| is_there(file)).unwrap_or(&self.path)
    }

    /// Whether nothing may leave. What cannot be looked at counts as on.
    pub fn is_on(&self) -> bool {
        self.files().any(is_there)
    }

    fn files(&self) -> impl Iterator<Item = &Path> {
        [Some(&self.path), self.by_link.as_ref()].into_iter().flatten().map(PathBuf::as_path)
    }

    /// What the brake says, for people.
    pub fn state(&self) -> BrakeState {
        if !self.is_on() {
            return BrakeState::Off;
        }
        let record = fs::read_to_string(self.path()).ok().and_then(|text| serde_json::from_str(&text).ok());
        record.map_or(BrakeState::Foreign, BrakeState::Paused)
    }

    /// Pulls the brake, durably. That the file is there brakes: on a full disk, what should be in it is left out.
    pub fn pull(&self, record: &BrakeRecord) -> io::Result<()> {
        let mut file = own::open(&self.path)?;
        file.set_len(0)?;
        match file.write_all(super::to_json(record).as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::StorageFull => file.set_len(0)?,
            result => result?,
        }
        file.sync_all()?;
        sync_folder(&self.path)
    }

    /// Lets go of the brake, durably. It may be off already.
    pub fn release(&self) -> io::Result<()> {
        // One that is not there is not removed: where nothing can be, that would be an error.
        self.files().filter(|file| is_there(file)).try_for_each(|file| match fs::remove_file(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => sync_folder(file),
        })
    }
}

fn is_there(file: &Path) -> bool {
    !matches!(fs::symlink_metadata(file), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

/// Makes the coming or going of a name durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    fs::File::open(folder_of(path))?.sync_all()
}

impl Store {
    /// The brake of this database.
    pub fn brake(&self) -> Brake {
        Brake::of(&self.named)
    }
}

impl BrakeRecord {
    /// A record of somebody who pauses now.
    pub fn new(at: Timestamp, who: &Who, note: &str) -> Self {
        Self { at, by: who.to_string(), note: note.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Brake, BrakeRecord, BrakeState};
    use crate::model::Timestamp;

    #[test]
    fn any_file_in_its_place_stops_the_sending() {
        let folder = tempfile::tempdir().unwrap();
        let brake = Brake::of(&folder.path().join("state.db"));
        assert!(!brake.is_on());
        let record = BrakeRecord { at: Timestamp::from_seconds(0), by: "ana".into(), note: "why".into() };
        brake.pull(&record).unwrap();
        assert_eq!(brake.state(), BrakeState::Paused(record));
        brake.release().unwrap();
        brake.release().unwrap();
        assert_eq!(brake.state(), BrakeState::Off);
        std::fs::write(brake.path(), "").unwrap();
        assert_eq!(brake.state(), BrakeState::Foreign);
        assert!(brake.is_on());
        brake.release().unwrap();
        std::fs::create_dir(brake.path()).unwrap();
        assert!(brake.is_on(), "whatever it is");
    }
}
