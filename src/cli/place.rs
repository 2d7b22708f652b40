//! Where a plan is written: tried before anything is contacted, and never in the place of what is no regular file.

use super::edge::Ended;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Links are followed so far; the kernel's own limit.
const LINKS_MAX: usize = 40;

/// A file that can be written, or could be a moment ago.
pub(super) struct Place {
    /// As it was named.
    named: PathBuf,
    /// To what that leads; it need not be there.
    file: PathBuf,
}

impl Place {
    /// Follows links, refuses what is no regular file, and tries whether the folder takes a file.
    pub(super) fn find(named: &Path) -> Result<Self, Ended> {
        Self::try_out(named).map_err(|ended| ended.next("nothing was contacted"))
    }

    fn try_out(named: &Path) -> Result<Self, Ended> {
        let file = match fs::metadata(named) {
            Ok(found) if !found.is_file() => {
                let line = format!("error: {} is no regular file, and no plan takes its place", named.display());
                return Err(Ended::with(8, line)
                    .next("name a file to be written, or leave out --out and take the plan from --format json"));
            }
            // What the kernel would open: it knows links that cannot be read as a path (`/dev/stdout`).
            Ok(_) => fs::canonicalize(named),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(end_of_links(named)),
            Err(error) => Err(error),
        };
        let place = Self { file: file.map_err(|error| failed(named, &error))?, named: named.to_owned() };
        let tried = place.begin().and_then(|_| fs::remove_file(place.part()));
        tried.map_err(|error| failed(named, &error))?;
        Ok(place)
    }

    /// Writes the text beside its place and moves it there: nobody finds half a plan. Readable for its owner only,
    /// since it has names and addresses.
    pub(super) fn write(&self, text: &str) -> Result<(), Ended> {
        let written = self.begin().and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(self.part(), &self.file)
        });
        written.map_err(|error| {
            let _ = fs::remove_file(self.part());
            failed(&self.named, &error)
        })
    }

    /// What is left over of an earlier run, or was put there by somebody else, lends the plan neither mode nor place.
    fn begin(&self) -> io::Result<File> {
        let part = self.part();
        match fs::remove_file(&part) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        OpenOptions::new().create_new(true).write(true).mode(0o600).open(part)
    }

    fn part(&self) -> PathBuf {
        let mut name = self.file.as_os_str().to_owned();
        name.push(".part");
        PathBuf::from(name)
    }
}

fn failed(named: &Path, error: &io::Error) -> Ended {
    Ended::of(8, error).next(format!("cannot write the plan to {}: check the folder and its owner", named.display()))
}

/// The name to which links lead that end at nothing.
fn end_of_links(path: &Path) -> PathBuf {
    let mut found = path.to_owned();
    for _ in 0..LINKS_MAX {
        let Ok(target) = fs::read_link(&found) else { break };
        found = found.parent().unwrap_or(Path::new("")).join(target);
    }
    found
}
