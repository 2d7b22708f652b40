//! A database as a killed process leaves it: what was committed is there, what was half written is half there.

use super::dice::Dice;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The write-ahead log of a database.
pub fn log_of(database: &Path) -> PathBuf {
    beside(database, "-wal")
}

fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// How far the write-ahead log was written, and which log it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Its length in bytes.
    pub length: u64,
    /// What is drawn anew whenever the log begins again.
    salt: [u8; 8],
}

impl Mark {
    /// The log as it is now.
    pub fn of(database: &Path) -> Self {
        let read = || -> io::Result<Self> {
            let mut log = File::open(log_of(database))?;
            let length = log.metadata()?.len();
            let mut head = [0; 24];
            log.read_exact(&mut head)?;
            let mut salt = [0; 8];
            salt.copy_from_slice(head.get(16..).unwrap_or(&[0; 8]));
            Ok(Self { length, salt })
        };
        read().unwrap_or_default()
    }
}

/// The files of a database, kept aside while the process that has it open goes down.
#[derive(Debug)]
pub struct Wreck {
    database: Vec<u8>,
    log: Option<Vec<u8>>,
}

impl Wreck {
    /// What is on the disk when the process dies. Nothing was sent or answered since `before`: the process may have
    /// died at any byte that was written since then.
    pub fn of(database: &Path, before: Option<Mark>, dice: &mut Dice) -> io::Result<Self> {
        let now = Mark::of(database);
        let mut log = fs::read(log_of(database)).ok();
        if let (Some(before), Some(log)) = (before, &mut log)
            && before.salt == now.salt
            && before.length <= now.length
        {
            let length = dice.between(before.length, now.length);
            log.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        }
        Ok(Self { database: fs::read(database)?, log })
    }

    /// Puts the files back, once nobody has them open.
    pub fn restore(self, database: &Path) -> io::Result<()> {
        fs::write(database, self.database)?;
        for suffix in ["-shm", "-wal"] {
            match fs::remove_file(beside(database, suffix)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        match self.log {
            Some(log) => fs::write(log_of(database), log),
            None => Ok(()),
        }
    }
}
