//! Files that other programs made.

use super::super::*;
use super::{binding, open};
use std::fs;

/// A database of another program that counts its schemas as well.
fn of_another(folder: &Path, version: i64) -> Settings {
    let settings = Settings { database: folder.join("state.db") };
    let connection = Connection::open(&settings.database).unwrap();
    connection.execute_batch("CREATE TABLE account (id INTEGER PRIMARY KEY); CREATE TABLE plan (name TEXT)").unwrap();
    connection.pragma_update(None, "user_version", version).unwrap();
    settings
}

#[test]
fn the_database_of_another_program_is_refused_whatever_version_it_has_and_not_changed() {
    for version in [-1, 0, 1, 2, 3, 4, 99] {
        let folder = tempfile::tempdir().unwrap();
        let settings = of_another(folder.path(), version);
        let before = fs::read(&settings.database).unwrap();
        for _ in 0..2 {
            let error = Store::open(&settings, &binding()).unwrap_err();
            assert!(matches!(error, OpenStoreError::Alien { .. }), "{version}: {error:?}");
            Store::open_to_read(&settings, &binding()).unwrap_err();
        }
        assert_eq!(fs::read(&settings.database).unwrap(), before, "{version}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{version}: nothing is left beside it");
    }
}

#[test]
fn an_empty_database_with_a_version_of_its_own_is_not_ours() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { database: folder.path().join("state.db") };
    Connection::open(&settings.database).unwrap().pragma_update(None, "user_version", 2).unwrap();
    let before = fs::read(&settings.database).unwrap();
    let error = Store::open(&settings, &binding()).unwrap_err();
    assert!(matches!(error, OpenStoreError::Alien { .. }), "{error:?}");
    assert_eq!(fs::read(&settings.database).unwrap(), before);
}

#[test]
fn a_database_of_ours_that_lost_a_table_is_damaged_and_not_another_programs() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.connection.execute_batch("DROP TABLE pin; DROP TABLE decision").unwrap();
    let error = open(folder.path()).read_pins().unwrap_err();
    assert!(error.to_string().contains("a part of it is damaged"), "{error}");
}
