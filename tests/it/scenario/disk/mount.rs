//! A small file system that can be filled and made read-only, and that is gone with its value.
//!
//! It is mounted in a mount namespace of its own, inside a user namespace: no privilege is needed, nobody else sees it,
//! and the kernel takes it away with the last process in it.

use super::super::super::sim::stage::Stage;
use rusqlite::Connection;
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A file system of a fixed size.
pub(super) struct Disk {
    holder: Child,
    folder: TempDir,
}

impl Disk {
    /// An empty one.
    pub(super) fn of_kib(size: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Lives until its input ends, which is when the test does, however that happens.
        let script = "mount -t tmpfs -o \"size=$2k,mode=0700\" tmpfs \"$1\" && echo mounted && exec cat";
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]);
        command.arg(folder.path()).arg(size.to_string());
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut holder = started.expect("these tests need `unshare` and `nsenter` (util-linux)");
        let mut line = String::new();
        let output = holder.stdout.as_mut().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("its output");
        if line != "mounted\n" {
            let mut said = String::new();
            let errors = holder.stderr.as_mut().expect("its errors");
            std::io::Read::read_to_string(errors, &mut said).expect("its errors");
            panic!(
                "these tests mount small file systems in user and mount namespaces of their own, which this machine \
                 does not allow (`unshare --user --map-root-user --mount`): {said}"
            );
        }
        let disk = Self { holder, folder };
        let seen = fs::read_to_string("/proc/self/mountinfo").expect("the mounts");
        assert!(!seen.contains(&disk.folder.path().display().to_string()), "only inside is it mounted");
        disk
    }

    /// Lets the stage's program run where the file system is, with its database on it.
    pub(super) fn take_in(&self, stage: &mut Stage) {
        stage.program.splice(0..0, self.enter());
    }

    fn enter(&self) -> Vec<String> {
        let id = self.holder.id().to_string();
        let words = ["nsenter", "--target", &id, "--user", "--mount", "--preserve-credentials", "--"];
        words.map(str::to_owned).to_vec()
    }

    /// A section of the configuration that puts the database here.
    pub(super) fn section(&self) -> String {
        format!("[state]\ndatabase = \"{}\"\n", self.database().display())
    }

    /// The database, as those inside see it.
    pub(super) fn database(&self) -> PathBuf {
        self.folder.path().join("state.db")
    }

    /// A file on it, as those outside can reach it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        let inside = self.folder.path().join(name);
        let inside = inside.strip_prefix("/").expect("an absolute path");
        Path::new("/proc").join(self.holder.id().to_string()).join("root").join(inside)
    }

    /// Fills it up, but for so many pages of 4 KiB, in which space is given out.
    pub(super) fn fill(&self, pages_left: u64) {
        fill(&self.file("filler"), pages_left);
    }

    /// The same from elsewhere, at another time.
    pub(super) fn filler(&self) -> impl FnMut() + Send + 'static {
        let file = self.file("filler");
        move || fill(&file, 0)
    }

    /// There is space again.
    pub(super) fn free(&self) {
        fs::remove_file(self.file("filler")).expect("a full disk");
    }

    /// Makes it read-only, or writable again.
    pub(super) fn remount(&self, how: &str) {
        let words = self.enter();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(["mount", "-o"]).arg(format!("remount,{how}")).arg(self.folder.path());
        assert!(command.status().expect("mount").success());
    }

    /// What the database says, as somebody who copied it sees it.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Connection) -> T) -> Option<T> {
        let copy = tempfile::tempdir().expect("a folder");
        for name in ["state.db", "state.db-wal"] {
            match fs::copy(self.file(name), copy.path().join(name)) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                result => drop(result.expect("a copy")),
            }
        }
        let connection = Connection::open(copy.path().join("state.db")).expect("a copy");
        connection.table_exists(None, "journal").expect("a database").then(|| look(&connection))
    }
}

fn fill(file: &Path, pages_left: u64) {
    let mut filler = fs::File::create(file).expect("the filler");
    let mut pages = 0_u64;
    loop {
        match filler.write_all(&[0; 4_096]) {
            Err(error) if error.kind() == ErrorKind::StorageFull => break,
            result => result.expect("a page"),
        }
        pages += 1;
    }
    filler.set_len(pages.saturating_sub(pages_left) * 4_096).expect("some room");
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}
