//! Files that are damaged, or that do not belong together.

use super::super::*;
use super::{at, binding, create, open};
use std::fs;

/// Overwrites the pages of one table, as a bad disk would.
pub(super) fn damage_table(path: &Path, table: &str) {
    let connection = Connection::open(path).unwrap();
    let pages: Vec<u64> = {
        let mut statement = connection.prepare("SELECT pageno FROM dbstat WHERE name = ?1").unwrap();
        let rows = statement.query_map([table], |row| row.get::<_, i64>(0)).unwrap();
        rows.map(|page| page.unwrap().cast_unsigned()).collect()
    };
    // Everything into the file itself.
    connection.pragma_update(None, "journal_mode", "DELETE").unwrap();
    drop(connection);
    let mut bytes = fs::read(path).unwrap();
    for page in pages {
        let from = usize::try_from(page - 1).unwrap() * 4_096;
        bytes[from..from + 4_096].fill(0x5a);
    }
    fs::write(path, bytes).unwrap();
    // Back in the mode in which the program leaves it.
    Connection::open(path).unwrap().pragma_update(None, "journal_mode", "WAL").unwrap();
}

/// A database with a cycle and a journal.
fn filled(folder: &Path) -> PathBuf {
    let mut store = open(folder);
    let cycle = store.begin_cycle("sync", at(100)).unwrap();
    store.record_wave(cycle, &[], &[create("ana"), create("bo")], at(101)).unwrap();
    store.path().to_owned()
}

#[test]
fn a_page_that_only_a_later_query_reads_is_reported_as_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(folder.path());
    damage_table(&path, "journal");
    let store = open(folder.path());
    assert_eq!(store.read_cycles(9).unwrap().len(), 1, "what is whole can be read");
    let error = store.read_journal_of(CycleId(1)).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("a part of it is damaged; stop the service") && text.contains("restore a backup"), "{text}");
    assert!(!text.contains("space"), "{text}");
    let found = store.check().unwrap_err();
    assert!(matches!(found, StoreError::Damaged { .. }), "{found:?}");
}

#[test]
fn a_whole_database_passes_the_check() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    open(folder.path()).check().unwrap();
}

/// Opens, which is refused, and shows that nothing was changed.
#[track_caller]
fn is_refused(folder: &Path) -> String {
    let names = || {
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files.map(|path| (path.clone(), fs::read(&path).unwrap())).collect();
        files.sort();
        files
    };
    let before = names();
    let settings = Settings { database: folder.join("state.db") };
    let error = Store::open(&settings, &binding()).unwrap_err();
    assert!(matches!(error, OpenStoreError::LeftOver { .. }), "{error:?}");
    Store::open_to_read(&settings, &binding()).unwrap_err();
    assert_eq!(names(), before, "nothing was changed");
    error.to_string().replace(&folder.display().to_string(), "FOLDER")
}

/// A database that was not closed: its last commits are in the write-ahead file alone.
fn cut_off(folder: &Path) {
    let from = tempfile::tempdir().unwrap();
    let path = filled(from.path());
    let mut store = open(from.path());
    store.begin_cycle("sync", at(200)).unwrap();
    fs::copy(&path, folder.join("state.db")).unwrap();
    fs::copy(from.path().join("state.db-wal"), folder.join("state.db-wal")).unwrap();
}

#[test]
fn a_write_ahead_file_without_its_database_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    cut_off(folder.path());
    fs::write(folder.path().join("state.db"), "").unwrap();
    let text = is_refused(folder.path());
    assert!(text.starts_with("FOLDER/state.db is empty, and FOLDER/state.db-wal is still there"), "{text}");
    fs::remove_file(folder.path().join("state.db")).unwrap();
    let text = is_refused(folder.path());
    assert!(text.starts_with("FOLDER/state.db is missing, and FOLDER/state.db-wal is still there"), "{text}");
    fs::write(folder.path().join("state.db"), "dear diary, ".repeat(1_000)).unwrap();
    let text = is_refused(folder.path());
    assert!(text.starts_with("FOLDER/state.db is not a database, and FOLDER/state.db-wal is still there"), "{text}");
}

#[test]
fn a_write_ahead_file_that_belongs_to_its_database_is_read() {
    let folder = tempfile::tempdir().unwrap();
    cut_off(folder.path());
    assert_eq!(open(folder.path()).read_cycles(9).unwrap().len(), 2);
}

#[test]
fn a_backup_is_not_mixed_with_what_is_left_over_of_the_database_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup.db");
    let elsewhere = tempfile::tempdir().unwrap();
    filled(elsewhere.path());
    open(elsewhere.path()).back_up(&backup, at(150)).unwrap();
    let target = tempfile::tempdir().unwrap();
    cut_off(target.path());
    fs::copy(&backup, target.path().join("state.db")).unwrap();
    let text = is_refused(target.path());
    assert!(text.contains("was put here from elsewhere") && text.contains("remove what is left over"), "{text}");
    fs::remove_file(target.path().join("state.db-wal")).unwrap();
    let store = open(target.path());
    store.check().unwrap();
    assert_eq!(store.read_cycles(9).unwrap().len(), 1);
}
