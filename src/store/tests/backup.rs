//! Copies: sound, marked, private, and never in the place of something.

use super::super::*;
use super::{account, at, create, done, open};
use crate::model::PersonId;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

/// A store with one account.
fn with_ana(folder: &Path) -> Store {
    let mut store = open(folder);
    let cycle = store.begin_cycle("sync", at(100)).unwrap();
    let ids = store.record_wave(cycle, &[], &[create("ana")], at(101)).unwrap();
    let link = vec![Effect::LinkAccount(PersonId::new("ana"), account("ana"))];
    store.record_wave(cycle, &[done(ids[0], link)], &[], at(102)).unwrap();
    store
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_copy_is_one_file_for_its_owner_that_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_ana(folder.path());
    let safe = tempfile::tempdir().unwrap();
    let file = safe.path().join("monday.db");
    let done = store.back_up(&file, at(500)).unwrap();
    assert_eq!((done.accounts, done.cycles), (1, 1));
    assert_eq!(done.bytes, fs::metadata(&file).unwrap().len());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(names(safe.path()), ["monday.db"]);
    assert_eq!(store.backup_mark().unwrap(), None, "the mark is the copy's");
    fs::rename(&file, safe.path().join("state.db")).unwrap();
    let copy = open(safe.path());
    let mark = BackupMark { of: store.database_id().to_owned(), at: at(500) };
    assert_eq!(copy.backup_mark().unwrap(), Some(mark));
    assert_eq!(copy.database_id(), store.database_id());
    assert_eq!(copy.read_owned().unwrap(), store.read_owned().unwrap());
    assert_eq!(copy.generation().unwrap(), store.generation().unwrap());
}

#[test]
fn nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_ana(folder.path());
    let file = folder.path().join("letter.txt");
    fs::write(&file, "dear diary").unwrap();
    assert!(matches!(store.back_up(&file, at(500)), Err(BackUpError::Exists { .. })));
    assert_eq!(fs::read_to_string(&file).unwrap(), "dear diary");
    let link = folder.path().join("link.db");
    symlink(folder.path().join("nowhere.db"), &link).unwrap();
    assert!(matches!(store.back_up(&link, at(500)), Err(BackUpError::Exists { .. })), "a link to nowhere is a file");
    for suffix in ["", "-wal", "-shm", "-journal", ".lock", ".daemon", ".pause"] {
        let itself = folder.path().join(".").join(format!("state.db{suffix}"));
        let error = store.back_up(&itself, at(500)).unwrap_err();
        assert!(matches!(error, BackUpError::Itself { .. }), "{suffix}: {error}");
    }
    let by_another_way = tempfile::tempdir().unwrap();
    symlink(folder.path(), by_another_way.path().join("var")).unwrap();
    let itself = by_another_way.path().join("var/state.db");
    assert!(matches!(store.back_up(&itself, at(500)), Err(BackUpError::Itself { .. })));
    let nowhere = folder.path().join("none/copy.db");
    assert!(matches!(store.back_up(&nowhere, at(500)), Err(BackUpError::File { .. })));
    store.check().unwrap();
}

#[test]
fn what_a_killed_backup_left_over_is_not_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_ana(folder.path());
    let safe = tempfile::tempdir().unwrap();
    fs::write(safe.path().join("copy.db.backup-part"), "half").unwrap();
    fs::write(safe.path().join("copy.db.backup-part-wal"), "half").unwrap();
    store.back_up(&safe.path().join("copy.db"), at(500)).unwrap();
    assert_eq!(names(safe.path()), ["copy.db"]);
}

#[test]
fn a_copy_is_of_one_moment_while_others_write() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_ana(folder.path());
    let writer = Connection::open(store.path()).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE; INSERT INTO cycle (command, started_at) VALUES ('sync', 200)").unwrap();
    let safe = tempfile::tempdir().unwrap();
    let done = store.back_up(&safe.path().join("one.db"), at(500)).unwrap();
    assert_eq!(done.cycles, 1, "what is not committed is not in it");
    writer.execute_batch("COMMIT").unwrap();
    // Somebody who writes all the time: each transaction adds a cycle and its intent, or neither.
    let (path, stop) = (store.path().to_owned(), std::sync::atomic::AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut writer = open(path.parent().unwrap());
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let transaction = writer.connection.transaction().unwrap();
                let sql = "INSERT INTO cycle (command, started_at) VALUES ('plan', 300)";
                transaction.execute(sql, []).unwrap();
                let sql = "INSERT INTO journal (cycle, action, request, intended_at) VALUES (last_insert_rowid(), 'a', '{}', 300)";
                transaction.execute(sql, []).unwrap();
                transaction.commit().unwrap();
            }
        });
        for number in 0..10 {
            let file = safe.path().join(format!("many-{number}.db"));
            store.back_up(&file, at(500)).unwrap();
            let copy = Connection::open(&file).unwrap();
            let count = |sql: &str| copy.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
            let cycles = count("SELECT COUNT(*) FROM cycle WHERE command = 'plan'");
            assert_eq!(cycles, count("SELECT COUNT(*) FROM journal WHERE action = 'a'"));
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn a_damaged_database_leaves_no_copy() {
    let folder = tempfile::tempdir().unwrap();
    drop(with_ana(folder.path()));
    super::damage::damage_table(&folder.path().join("state.db"), "journal");
    let safe = tempfile::tempdir().unwrap();
    let error = open(folder.path()).back_up(&safe.path().join("copy.db"), at(500)).unwrap_err();
    assert!(matches!(error, BackUpError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("was kept: a part of it is damaged; stop the service"), "{error}");
    assert!(names(safe.path()).is_empty());
}
