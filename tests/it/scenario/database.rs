//! The database: one directory's, one writer's, never overwritten when it cannot be read.

use super::scene::{Scene, picture};
use insta::assert_snapshot;

#[test]
fn a_database_of_another_directory_is_refused() {
    let scene = Scene::settled(&["ana in eng"]);
    scene.duo(|duo| duo.status("ana", "disabled"));
    let text = std::fs::read_to_string(scene.stage.config()).expect("a configuration");
    let other = text.replace("11111111-2222-4333-8444-555555555555", "99999999-2222-4333-8444-555555555555");
    std::fs::write(scene.stage.config(), &other).expect("a configuration");
    for command in [&["sync"][..], &["plan"], &["status"], &["approve", "0123456789ab"]] {
        scene.changes_nothing(2, command);
    }
    assert!(scene.source_requests().is_empty() && scene.target_requests().is_empty());
    assert_snapshot!(picture(&scene.run(&["sync"])), @"
    note: scope.groups: `*` selects every group of Duo
    error: the database FOLDER/state.db belongs to atlassian.scim_base_url http://atlassian/scim/directory/11111111-2222-4333-8444-PLAN, and the configuration says http://atlassian/scim/directory/99999999-2222-4333-8444-PLAN; use another state.database for another directory
    exit 2
    ");
}

#[test]
fn a_newer_schema_is_refused_and_the_file_left_as_it_is() {
    let scene = Scene::settled(&["ana in eng"]);
    let connection = scene.open();
    connection.pragma_update(None, "user_version", 99).expect("a version");
    connection.pragma_update(None, "journal_mode", "DELETE").expect("a mode");
    drop(connection);
    let before = std::fs::read(scene.database()).expect("the file");
    let ran = scene.ends(8, &["sync"]);
    assert_snapshot!(picture(&ran), @r#"
        note: scope.groups: `*` selects every group of Duo
        error: the database FOLDER/state.db has schema 99, and this program knows up to 4; use the newer program again, or restore a backup from before the upgrade
        exit 8
        "#);
    scene.ends(8, &["status"]);
    assert_eq!(std::fs::read(scene.database()).expect("the file"), before);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let scene = Scene::with(&["ana in eng"]);
    std::fs::write(scene.database(), "dear diary,\n".repeat(1_000)).expect("a file");
    let before = std::fs::read(scene.database()).expect("the file");
    let ran = scene.ends(8, &["sync"]);
    assert_snapshot!(picture(&ran), @"
    note: scope.groups: `*` selects every group of Duo
    error: FOLDER/state.db is not a database, or is damaged; stop the service, move the file away, and restore a backup with `cp BACKUP FOLDER/state.db` (it was not changed)
      because: file is not a database
      because: Error code 26: file is not a database
    exit 8
    ");
    assert_eq!(std::fs::read(scene.database()).expect("the file"), before);
    assert!(scene.source_requests().is_empty());
}

#[test]
fn a_database_of_another_program_is_refused_and_left_as_it_is() {
    let scene = Scene::with(&["ana in eng"]);
    scene.open().execute_batch("CREATE TABLE wallet (coins INTEGER); INSERT INTO wallet VALUES (3)").expect("a table");
    let before = std::fs::read(scene.database()).expect("the file");
    let ran = scene.ends(8, &["sync"]);
    assert_snapshot!(picture(&ran), @"
    note: scope.groups: `*` selects every group of Duo
    error: FOLDER/state.db is another program's database; set state.database to a file of its own (it was not changed)
    exit 8
    ");
    assert_eq!(std::fs::read(scene.database()).expect("the file"), before);
}

#[test]
fn a_damaged_database_is_refused() {
    let scene = Scene::settled(&["ana in eng", "bo in eng"]);
    scene.open().pragma_update(None, "journal_mode", "DELETE").expect("a mode");
    let mut bytes = std::fs::read(scene.database()).expect("the file");
    let length = bytes.len();
    bytes[4_096..length].iter_mut().for_each(|byte| *byte = 0x5a);
    std::fs::write(scene.database(), &bytes).expect("the file");
    let ran = scene.ends(8, &["sync"]);
    assert_snapshot!(picture(&ran), @"
    note: scope.groups: `*` selects every group of Duo
    error: FOLDER/state.db is not a database, or is damaged; stop the service, move the file away, and restore a backup with `cp BACKUP FOLDER/state.db` (it was not changed)
      because: database disk image is malformed
      because: Error code 11: database disk image is malformed
    exit 8
    ");
    scene.nothing_was_sent();
}

/// Overwrites the pages of one table, as a bad disk would.
fn damage(scene: &Scene, table: &str) {
    let connection = scene.open();
    connection.pragma_update(None, "journal_mode", "DELETE").expect("a mode");
    let sql = "SELECT pgoffset, pgsize FROM dbstat WHERE name = ?1";
    let mut statement = connection.prepare(sql).expect("a statement");
    let pages = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    let pages: Vec<(i64, i64)> = pages.collect::<Result<_, _>>().expect("rows");
    let mut bytes = std::fs::read(scene.database()).expect("the file");
    for (from, length) in pages {
        let from = usize::try_from(from).expect("a position");
        bytes[from..from + usize::try_from(length).expect("a length")].fill(0x5a);
    }
    std::fs::write(scene.database(), &bytes).expect("the file");
    drop(statement);
    scene.open().pragma_update(None, "journal_mode", "WAL").expect("a mode");
}

#[test]
fn a_damaged_page_that_a_query_meets_is_reported_as_damaged() {
    let scene = Scene::settled(&["ana in eng", "bo in eng"]);
    damage(&scene, "journal");
    assert_snapshot!(picture(&scene.ends(8, &["show", "cycle", "2"])), @r#"
    error: cannot read the journal in the database FOLDER/state.db: a part of it is damaged; stop the service, move the file away, and restore a backup (README, "Back up and restore")
      because: database disk image is malformed
      because: Error code 11: database disk image is malformed
    exit 8
    "#);
    scene.ends(0, &["show", "person", "ana"]);
    scene.ends(8, &["backup", &scene.file("copy.db").display().to_string()]);
    assert!(!scene.file("copy.db").exists());
}

#[test]
fn the_first_cycle_of_a_day_finds_a_damaged_page_before_anything_is_read_or_sent() {
    let scene = Scene::settled(&["ana in eng", "bo in eng"]);
    scene.day(|duo| {
        duo.hire("cy in eng");
    });
    // A table that a sync only adds to, when it is too late.
    damage(&scene, "spent");
    scene.open().execute("UPDATE cycle SET started_at = started_at - 86400", []).expect("a day ago");
    assert_snapshot!(picture(&scene.ends(8, &["sync"])), @r#"
    note: scope.groups: `*` selects every group of Duo
    error: the database could not be used; nothing more was sent
      because: cannot use the database FOLDER/state.db: a part of it is damaged; stop the service, move the file away, and restore a backup (README, "Back up and restore")
      because: Tree 13 page 13: btreeInitPage() returns error code 11
    exit 8
    "#);
    scene.ends(8, &["plan"]);
    assert!(scene.source_requests().is_empty() && scene.target_requests().is_empty());
}

#[test]
fn a_link_in_the_place_of_a_file_of_ours_is_not_followed() {
    let scene = Scene::settled(&["ana in eng"]);
    let victim = scene.file("victim");
    std::fs::write(&victim, "precious").expect("a file");
    for (suffix, command) in [(".pause", "pause"), (".lock", "sync"), ("-wal", "sync")] {
        let link = scene.file(&format!("state.db{suffix}"));
        drop(std::fs::remove_file(&link));
        std::os::unix::fs::symlink(&victim, &link).expect("a link");
        let ran = scene.ends(8, &[command]);
        assert!(ran.stderr.contains("it is a link, or no file of its own"), "{command}: {}", ran.stderr);
        assert_eq!(std::fs::read_to_string(&victim).expect("the file"), "precious", "{command}");
        std::fs::remove_file(&link).expect("the link");
    }
    scene.ends(0, &["sync"]);
}

#[test]
fn a_check_looks_at_the_database_and_changes_nothing_of_it() {
    let scene = Scene::with(&["ana in eng"]);
    let files = || {
        let names = std::fs::read_dir(scene.file("")).expect("the folder").map(|entry| entry.expect("an entry").path());
        let files = names.map(|path| (std::fs::read(&path).expect("a file"), path));
        files.map(|(bytes, path)| (path, bytes)).collect::<std::collections::BTreeMap<_, _>>()
    };
    let commands = [&["check", "--offline"][..], &["check", "--offline", "--without-secrets"], &["check"]];
    let all_end = |code: i32, said: &str| {
        let before = files();
        for command in commands {
            let ran = scene.ends(code, command);
            assert!(ran.stdout.contains(said), "{}", ran.stdout);
            assert!(files() == before, "{command:?} changed a file");
        }
    };
    // Missing, new, and at rest.
    all_end(0, "");
    scene.settle();
    all_end(0, "");
    // Somebody is at work.
    let writer = scene.open();
    writer.execute_batch("UPDATE meta SET value = '99' WHERE key = 'generation'").expect("a change");
    all_end(0, "");
    drop(writer);
    scene.open().pragma_update(None, "user_version", 99).expect("a version");
    all_end(8, "has schema 99");
    std::fs::write(scene.database(), "dear diary,\n".repeat(1_000)).expect("a file");
    assert_snapshot!(picture(&scene.ends(8, &["check", "--offline"])), @"
    ok       configuration FOLDER/config.toml
    note     scope.groups: `*` selects every group of Duo
    PROBLEM  FOLDER/state.db is not a database, or is damaged; stop the service, move the file away, and restore a backup with `cp BACKUP FOLDER/state.db` (it was not changed)
             because: file is not a database
             because: Error code 26: file is not a database
    error: the check found problems; nothing was changed anywhere
    exit 8
    ");
    all_end(8, "is not a database, or is damaged");
    std::fs::remove_file(scene.database()).expect("no file");
    scene.open().execute_batch("CREATE TABLE wallet (coins INTEGER)").expect("a table");
    all_end(8, "is another program's database");
    std::fs::remove_file(scene.database()).expect("no file");
    std::fs::create_dir(scene.database()).expect("a folder");
    let ran = scene.ends(8, &["check", "--offline"]);
    assert!(ran.stdout.contains("PROBLEM  cannot use the database FOLDER/state.db"), "{}", ran.stdout);
}
