//! `backup`, and putting one back.

use super::scene::{Scene, picture};
use insta::assert_snapshot;
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_backup_says_what_is_in_it_and_how_to_restore_it() {
    let scene = Scene::settled(&["ana in eng", "bo in eng"]);
    let copy = scene.file("monday.db");
    let ran = scene.changes_nothing(0, &["backup", &copy.display().to_string()]);
    let bytes = fs::metadata(&copy).expect("the copy").len().to_string();
    assert_snapshot!(picture(&ran).replace(&bytes, "BYTES"), @"
    backup FOLDER/monday.db: 2 accounts, 2 cycles, BYTES bytes; checked
    It has names and addresses: keep it where only you can read it. To restore it:
      1. stop the service, and whatever else runs this program
      2. rm -f FOLDER/state.db-wal FOLDER/state.db-shm
      3. cp FOLDER/monday.db FOLDER/state.db   (it must belong to the service's user)
      4. start the service; `status` says that it is a backup until a sync has read Atlassian
    exit 0
    ");
    assert_eq!(fs::metadata(&copy).expect("the copy").permissions().mode() & 0o777, 0o600);
    assert!(scene.source_requests().is_empty() && scene.target_requests().is_empty());
}

#[test]
fn a_backup_overwrites_nothing_and_not_the_database() {
    let scene = Scene::settled(&["ana in eng"]);
    let letter = scene.file("letter.txt");
    fs::write(&letter, "dear diary").expect("a letter");
    let name = |path: &std::path::Path| path.display().to_string();
    assert_snapshot!(picture(&scene.changes_nothing(2, &["backup", &name(&letter)])), @"
    error: FOLDER/letter.txt exists; give another name, or remove it first (nothing was overwritten)
    exit 2
    ");
    assert_eq!(fs::read_to_string(&letter).expect("the letter"), "dear diary");
    assert_snapshot!(picture(&scene.changes_nothing(2, &["backup", &name(&scene.database())])), @"
    error: FOLDER/state.db belongs to the database; give another name
    exit 2
    ");
    scene.changes_nothing(2, &["backup", &name(&scene.file("state.db-wal"))]);
    scene.ends(2, &["backup"]);
    scene.ends(0, &["sync"]);
}

#[test]
fn a_restored_backup_is_whole_and_known_as_one() {
    let scene = Scene::settled(&["ana in eng"]);
    let copy = scene.file("monday.db");
    scene.ends(0, &["backup", &copy.display().to_string()]);
    let on_monday = scene.snapshot();
    scene.day(|duo| {
        duo.hire("bo in eng");
    });
    scene.ends(0, &["sync"]);
    assert!(!scene.ends(0, &["status"]).stdout.contains("restored"));
    fs::copy(&copy, scene.database()).expect("restored");
    let status = scene.run(&["status"]).stdout;
    assert!(status.contains("restored         this is a backup of "), "{status}");
    let json: serde_json::Value =
        serde_json::from_str(&scene.run(&["status", "--format", "json"]).stdout).expect("JSON");
    assert!(json["restored_backup"]["at"].is_string() && json["restored_backup"]["of"].is_string(), "{json}");
    let marks =
        |snapshot: &str| snapshot.lines().filter(|line| !line.contains("backup_")).collect::<Vec<_>>().join("\n");
    assert_eq!(marks(&scene.snapshot()), marks(&on_monday));
    scene.ends(0, &["show", "person", "ana"]);
    scene.ends(2, &["show", "person", "bo"]);
}

#[test]
fn a_backup_put_beside_what_is_left_over_of_a_crash_is_refused_until_that_is_removed() {
    let scene = Scene::settled(&["ana in eng"]);
    let copy = scene.file("monday.db");
    scene.ends(0, &["backup", &copy.display().to_string()]);
    // A writer that was killed: what it wrote is in the write-ahead file alone.
    let killed = tempfile::tempdir().expect("a folder");
    let writer = scene.open();
    writer.execute_batch("UPDATE meta SET value = '99' WHERE key = 'generation'").expect("a change");
    let wal = scene.file("state.db-wal");
    fs::copy(&wal, killed.path().join("wal")).expect("a write-ahead file");
    drop(writer);
    fs::copy(&copy, scene.database()).expect("restored");
    fs::copy(killed.path().join("wal"), &wal).expect("left over");
    let before = (fs::read(scene.database()).expect("the file"), fs::read(&wal).expect("the file"));
    let ran = scene.ends(8, &["sync"]);
    assert_snapshot!(picture(&ran), @"
    note: scope.groups: `*` selects every group of Duo
    error: FOLDER/state.db was put here from elsewhere, and FOLDER/state.db-wal is still there, which belongs to another database; remove what is left over, and the -shm file with it, and run the command again (nothing was changed)
    exit 8
    ");
    scene.ends(8, &["status"]);
    assert_eq!((fs::read(scene.database()).expect("the file"), fs::read(&wal).expect("the file")), before);
    fs::remove_file(&wal).expect("removed");
    assert!(scene.run(&["status"]).stdout.contains("this is a backup of"));
}

#[test]
fn a_backup_that_cannot_be_written_ends_with_8() {
    let scene = Scene::settled(&["ana in eng"]);
    assert_snapshot!(picture(&scene.changes_nothing(8, &["backup", &scene.file("none/copy.db").display().to_string()])), @"
    error: cannot write FOLDER/none/copy.db: there is no way to it; check that FOLDER/none exists, and run the command as the user to whom it belongs
      because: No such file or directory (os error 2)
    exit 8
    ");
}

#[test]
fn a_backup_and_the_release_of_a_pin_need_no_secret() {
    let scene = Scene::settled(&["ana in eng", "bo in eng", "cy in eng"]);
    scene.day(|duo| duo.leave("ana", "eng"));
    scene.ends(0, &["sync"]);
    let cycle = super::command::last_cycle(&scene);
    scene.ends(0, &["undo", &cycle]);
    for secret in ["duo-secret-key", "atlassian-api-key"] {
        fs::remove_file(scene.file(secret)).expect("a secret");
    }
    scene.ends(0, &["backup", &scene.file("monday.db").display().to_string()]);
    scene.ends(0, &["undo", "--release", "ana"]);
    scene.ends(2, &["undo", &cycle]);
}
