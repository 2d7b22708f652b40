//! `state.database` is a link to a file in another folder: what is beside the database is beside the real one.

use super::super::*;
use super::{at, binding, open};
use std::fs;
use std::os::unix::fs::symlink;

/// A folder with the link `state.db`, which leads to `real/data.db` over another link.
struct Linked {
    folder: tempfile::TempDir,
}

impl Linked {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("real")).unwrap();
        symlink("data.db", folder.path().join("real/next.db")).unwrap();
        symlink("real/next.db", folder.path().join("state.db")).unwrap();
        Self { folder }
    }

    fn link(&self) -> PathBuf {
        self.folder.path().join("state.db")
    }

    fn real(&self) -> PathBuf {
        self.folder.path().join("real/data.db")
    }

    fn open(&self) -> Result<Store, OpenStoreError> {
        Store::open(&Settings { database: self.link() }, &binding())
    }
}

#[test]
fn a_new_database_is_made_where_its_link_leads() {
    let linked = Linked::new();
    let store = linked.open().unwrap();
    assert_eq!(store.path(), linked.real());
    assert!(fs::symlink_metadata(linked.link()).unwrap().is_symlink());
    assert!(fs::symlink_metadata(linked.real()).unwrap().is_file());
}

#[test]
fn a_backup_in_the_place_of_a_linked_database_is_not_mixed_with_what_is_left_over() {
    let linked = Linked::new();
    let backup = linked.folder.path().join("monday.db");
    linked.open().unwrap().back_up(&backup, at(100)).unwrap();
    // Cut off: the last commits are in the write-ahead file alone.
    let mut store = linked.open().unwrap();
    store.begin_cycle("sync", at(200)).unwrap();
    let wal = linked.folder.path().join("real/data.db-wal");
    let left_over = fs::read(&wal).unwrap();
    drop(store);
    fs::copy(&backup, linked.link()).unwrap();
    fs::write(&wal, left_over).unwrap();
    let error = linked.open().unwrap_err();
    assert!(matches!(&error, OpenStoreError::LeftOver { wal: found, .. } if *found == wal), "{error:?}");
    fs::remove_file(&wal).unwrap();
    assert_eq!(linked.open().unwrap().read_cycles(9).unwrap().len(), 0);
}

#[test]
fn two_names_of_one_database_are_one_writer_and_one_daemon() {
    let linked = Linked::new();
    let writer = WriterLock::acquire(&linked.link()).unwrap();
    let daemon = DaemonLock::acquire(&linked.real()).unwrap();
    assert!(matches!(WriterLock::acquire(&linked.real()), Err(AcquireLockError::Taken { .. })));
    assert!(matches!(DaemonLock::acquire(&linked.link()), Err(AcquireLockError::Taken { .. })));
    assert!(WriterLock::is_taken(&linked.real()) && DaemonLock::is_taken(&linked.link()));
    drop((writer, daemon));
}

#[test]
fn the_brake_brakes_beside_the_link_and_beside_the_database() {
    let linked = Linked::new();
    let store = linked.open().unwrap();
    let brakes = || [Brake::of(&linked.link()), store.brake()];
    let record = BrakeRecord { at: at(1), by: "ana".into(), note: String::new() };
    for by in [linked.link(), linked.real()] {
        Brake::of(&by).pull(&record).unwrap();
        assert!(brakes().iter().all(|brake| brake.state() == BrakeState::Paused(record.clone())));
        assert!(Brake::of(&linked.real()).is_on());
        store.brake().release().unwrap();
        assert!(brakes().iter().all(|brake| !brake.is_on()));
    }
    // As people are told to do it: beside the name that they know.
    let by_hand = linked.folder.path().join("state.db.pause");
    fs::write(&by_hand, "").unwrap();
    for brake in brakes() {
        assert_eq!((brake.state(), brake.path()), (BrakeState::Foreign, by_hand.as_path()));
    }
    Brake::of(&linked.link()).release().unwrap();
    assert!(!by_hand.exists());
}

#[test]
fn a_linked_folder_is_named_as_people_know_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("private")).unwrap();
    symlink("private", folder.path().join("known")).unwrap();
    let store = open(&folder.path().join("known"));
    assert_eq!(store.path(), folder.path().join("known/state.db"));
    fs::write(folder.path().join("known/state.db.pause"), "").unwrap();
    assert!(Brake::of(&folder.path().join("private/state.db")).is_on());
    let _writer = WriterLock::acquire(store.path()).unwrap();
    assert!(WriterLock::is_taken(&folder.path().join("private/state.db")));
}

#[test]
fn a_backup_gets_no_name_that_belongs_to_a_linked_database() {
    let linked = Linked::new();
    let store = linked.open().unwrap();
    for name in ["state.db.pause", "real/data.db-wal"] {
        let error = store.back_up(&linked.folder.path().join(name), at(1)).unwrap_err();
        assert!(matches!(error, BackUpError::Itself { .. }), "{name}: {error:?}");
    }
}

#[test]
fn a_link_that_leads_nowhere_is_an_error_and_no_endless_search() {
    let folder = tempfile::tempdir().unwrap();
    symlink("state.db", folder.path().join("state.db")).unwrap();
    let error = Store::open(&Settings { database: folder.path().join("state.db") }, &binding()).unwrap_err();
    assert!(matches!(error, OpenStoreError::File { .. }), "{error:?}");
}
