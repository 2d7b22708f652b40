//! Full and read-only disks: real ones, under the built program.
//!
//! Whatever cannot be written, the program says so and ends with 8; nothing was sent that is not in the journal; and
//! with space it goes on, and does nothing twice.

mod mount;

use super::super::sim::atlassian::Snapshot;
use super::scene::{Scene, picture};
use insta::assert_snapshot;
use mount::Disk;
use serde_json::Value;

/// A scene whose database is on a disk of its own.
fn on_disk(people: &[&str]) -> (Scene, Disk) {
    let disk = Disk::of_kib(2_048);
    let mut scene = Scene::with(people);
    disk.take_in(&mut scene.stage);
    scene.configure(&format!("[guard]\nfirst_plan = \"apply\"\n{}", disk.section()));
    (scene, disk)
}

/// What is there in the end, and what was done for it, in any order.
fn end(scene: &Scene) -> (Snapshot, Vec<String>) {
    let mut effects = scene.effects();
    effects.sort();
    (scene.atlassian(|sim| sim.snapshot()), effects)
}

/// The requests of the journal, if there is one.
fn journal(disk: &Disk) -> Vec<Value> {
    let read = |connection: &rusqlite::Connection| {
        let mut statement = connection.prepare("SELECT request FROM journal").expect("the journal");
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
        rows.map(|row| serde_json::from_str(&row.expect("a row")).expect("JSON")).collect()
    };
    disk.look(read).unwrap_or_default()
}

/// Every writing request that arrived stands in the journal: with the same person, group or record.
#[track_caller]
fn all_is_written_down(scene: &Scene, disk: &Disk) {
    let journal = journal(disk);
    for seen in scene.stage.atlassian.seen().iter().filter(|seen| seen.request.method != "GET") {
        let request = &seen.request;
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let (key, value) = match (request.method.as_str(), request.path.rsplit('/').next().unwrap_or_default()) {
            ("POST", "Users") => ("person", body["externalId"].clone()),
            ("POST", _) => ("name", body["displayName"].clone()),
            (_, id) => ("scim_id", id.into()),
        };
        assert!(value.is_string() && journal.iter().any(|entry| entry[key] == value), "{request:?} in {journal:?}");
    }
}

/// The message says what is wrong and what to do.
#[track_caller]
fn says_full(stderr: &str) {
    assert!(stderr.contains("the disk is full; free some space in "), "{stderr}");
}

/// A sync with so many pages left, and what must be true afterwards. Says whether it went well.
fn sync_with(scene: &Scene, disk: &Disk, pages: u64) -> bool {
    disk.fill(pages);
    let ran = scene.run(&["sync"]);
    match ran.code {
        Some(0) => {}
        Some(8) => says_full(&ran.stderr),
        code => panic!("{pages} pages: {code:?}\n{}\n{}", ran.stdout, ran.stderr),
    }
    all_is_written_down(scene, disk);
    disk.free();
    ran.code == Some(0)
}

/// With space again: it ends well, nothing is done twice, and then there is nothing to do.
#[track_caller]
fn goes_on(scene: &Scene, expected: &(Snapshot, Vec<String>), what: &str) {
    scene.ends(0, &["sync"]);
    assert_eq!(end(scene), *expected, "{what}");
    scene.stage.atlassian.forget_seen();
    scene.ends(0, &["sync"]);
    assert!(scene.target_requests().is_empty(), "{what}");
}

const TEAM: [&str; 2] = ["ana in eng ops", "bo in eng"];

#[test]
fn a_first_sync_on_a_disk_of_any_fullness_sends_only_what_is_written_down_and_goes_on_with_space() {
    let (undisturbed, _disk) = on_disk(&TEAM);
    undisturbed.ends(0, &["sync"]);
    let expected = end(&undisturbed);
    let (mut failed, mut sent) = (0, 0);
    for pages in (0..).step_by(7) {
        let (scene, disk) = on_disk(&TEAM);
        if sync_with(&scene, &disk, pages) {
            break;
        }
        failed += 1;
        sent += u32::from(!scene.effects().is_empty());
        goes_on(&scene, &expected, &format!("{pages} pages"));
    }
    // From the first byte of the database to the end of the cycle.
    assert!(failed > 8 && sent > 1, "{failed} failed, {sent} after something was sent");
}

/// A day on which all kinds of requests are sent.
fn a_day(people: &[&str]) -> (Scene, Disk) {
    let (scene, disk) = on_disk(people);
    scene.ends(0, &["sync"]);
    scene.day(|duo| {
        duo.hire("cy in eng");
        duo.leave("bo", "eng");
        duo.join("bo", "ops");
        duo.status("dan", "disabled");
        "ana.lima@example.com".clone_into(&mut duo.person("ana").email);
    });
    (scene, disk)
}

const DEPARTMENT: [&str; 4] = ["ana in eng", "bo in eng", "dan in eng ops", "eve in ops"];

#[test]
fn a_days_sync_on_a_disk_of_any_fullness_sends_only_what_is_written_down_and_goes_on_with_space() {
    let (undisturbed, _disk) = a_day(&DEPARTMENT);
    undisturbed.ends(0, &["sync"]);
    let expected = end(&undisturbed);
    let (mut failed, mut sent) = (0, 0);
    for pages in (0..).step_by(5) {
        let (scene, disk) = a_day(&DEPARTMENT);
        if sync_with(&scene, &disk, pages) {
            break;
        }
        failed += 1;
        sent += u32::from(!scene.effects().is_empty());
        goes_on(&scene, &expected, &format!("{pages} pages"));
    }
    assert!(failed > 5 && sent > 1, "{failed} failed, {sent} after something was sent");
}

#[test]
fn an_answer_that_cannot_be_written_down_is_looked_up_later() {
    let (undisturbed, _disk) = a_day(&DEPARTMENT);
    undisturbed.ends(0, &["sync"]);
    let expected = end(&undisturbed);
    for write in 1..=5 {
        let (scene, disk) = a_day(&DEPARTMENT);
        let (mut fill, mut writes) = (disk.filler(), 0);
        scene.stage.atlassian.on_request(Box::new(move |request, _| {
            writes += usize::from(request.method != "GET");
            if writes == write && request.method != "GET" {
                fill();
            }
        }));
        let ran = scene.ends(8, &["sync"]);
        says_full(&ran.stderr);
        assert!(ran.stderr.contains("nothing more was sent"), "{}", ran.stderr);
        all_is_written_down(&scene, &disk);
        let open = "SELECT COUNT(*) FROM journal WHERE outcome IS NULL";
        let open = disk.look(|database| database.query_row(open, [], |row| row.get::<_, i64>(0)).expect("a number"));
        assert!(open.is_some_and(|open| open > 0), "{open:?} intents wait for their outcome");
        // It says so on the full disk.
        let status = scene.run(&["status"]);
        assert!(status.stdout.contains("cut off ") && status.stdout.contains("was cut off"), "{status:?}");
        scene.stage.atlassian.on_request(Box::new(|_, _| ()));
        disk.free();
        goes_on(&scene, &expected, &format!("full at write {write}"));
    }
}

#[test]
fn commands_that_read_work_on_a_full_disk_and_the_others_say_what_to_do() {
    let (scene, disk) = on_disk(&TEAM);
    scene.ends(0, &["sync"]);
    scene.forget();
    disk.fill(0);
    for command in [&["status"][..], &["history"], &["show", "person", "ana"], &["show", "cycle", "1"]] {
        scene.ends(0, command);
    }
    let copy = scene.file("copy.db");
    scene.ends(0, &["backup", &copy.display().to_string()]);
    for command in
        [&["plan"][..], &["sync"], &["sync", "--person", "ana"], &["undo", "1"], &["approve", "0123456789ab"]]
    {
        says_full(&scene.ends(8, command).stderr);
    }
    scene.nothing_was_sent();
    // The brake is a file that may be empty.
    scene.ends(0, &["pause", "--note", "the disk is full"]);
    disk.free();
    assert!(scene.ends(5, &["status"]).stdout.contains("paused"));
    scene.ends(0, &["resume"]);
    scene.ends(0, &["sync"]);
}

#[test]
fn a_backup_to_a_full_disk_leaves_nothing_there() {
    let disk = Disk::of_kib(64);
    let mut scene = Scene::with(&TEAM);
    disk.take_in(&mut scene.stage);
    scene.configure("[guard]\nfirst_plan = \"apply\"\n");
    scene.ends(0, &["sync"]);
    let inside = disk.database().with_file_name("copy.db").display().to_string();
    let ran = scene.ends(8, &["backup", &inside]);
    says_full(&ran.stderr);
    let left: Vec<_> = std::fs::read_dir(disk.file("")).expect("the disk").collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn on_a_read_only_disk_nothing_is_sent_and_commands_that_read_work() {
    let (scene, disk) = on_disk(&TEAM);
    scene.ends(0, &["sync"]);
    scene.day(|duo| {
        duo.hire("cy in eng");
    });
    disk.remount("ro");
    let ran = scene.ends(8, &["sync"]);
    let folder = disk.database().parent().expect("a folder").display().to_string();
    assert_snapshot!(picture(&ran).replace(&folder, "DISK"), @"
    note: scope.groups: `*` selects every group of Duo
    error: cannot use the database DISK/state.db: it is read-only; make DISK and the files in it writable and run the command again
      because: unable to open database file
      because: Error code 14: unable to open database file
    exit 8
    ");
    for command in [&["plan"][..], &["approve", "0123456789ab"], &["undo", "1"], &["pause"]] {
        let ran = scene.ends(8, command);
        assert!(ran.stderr.contains("read-only") || ran.stderr.contains("Read-only"), "{}", ran.stderr);
    }
    assert!(scene.source_requests().is_empty() && scene.target_requests().is_empty());
    for command in [&["status"][..], &["history"], &["show", "group", "eng"], &["show", "cycle", "1"]] {
        scene.ends(0, command);
    }
    scene.ends(0, &["backup", &scene.file("copy.db").display().to_string()]);
    disk.remount("rw");
    scene.ends(0, &["sync"]);
    assert!(!scene.effects().is_empty());
}

#[test]
fn a_database_that_cannot_be_made_is_no_bug() {
    let (scene, disk) = on_disk(&TEAM);
    disk.remount("ro");
    for command in [&["sync"][..], &["status"], &["plan"]] {
        let ran = scene.ends(8, command);
        assert!(ran.stderr.contains("it is read-only; make "), "{}", ran.stderr);
    }
    disk.remount("rw");
    disk.fill(1);
    says_full(&scene.ends(8, &["status"]).stderr);
    scene.nothing_was_sent();
}

#[test]
fn on_a_read_only_disk_without_a_pause_there_is_nothing_to_remove() {
    let (scene, disk) = on_disk(&TEAM);
    scene.ends(0, &["sync"]);
    disk.remount("ro");
    assert_snapshot!(picture(&scene.ends(0, &["resume"])), @"
    sending was not paused
    nothing else had stopped; the database, which cannot be written now, was not changed
    exit 0
    ");
    disk.remount("rw");
    // SQLite does not find its way to the disk from outside: a copy is changed, and put back.
    let copy = scene.file("changed.db");
    std::fs::copy(disk.file("state.db"), &copy).expect("a copy");
    let changed = rusqlite::Connection::open(&copy).expect("the copy");
    let sql = "INSERT OR REPLACE INTO meta (key, value) VALUES ('updates_stopped', 'attribute updates are stopped')";
    changed.execute(sql, []).expect("a change");
    drop(changed);
    std::fs::copy(&copy, disk.file("state.db")).expect("put back");
    disk.remount("ro");
    let folder = disk.database().parent().expect("a folder").display().to_string();
    assert_snapshot!(picture(&scene.ends(8, &["resume"])).replace(&folder, "DISK"), @"
    sending was not paused
    error: cannot use the database DISK/state.db: it is read-only; make DISK and the files in it writable and run the command again
      because: unable to open database file
      because: Error code 14: unable to open database file
    still stopped: attribute updates are stopped
    exit 8
    ");
    disk.remount("rw");
    scene.ends(0, &["pause"]);
    disk.remount("ro");
    let ran = scene.ends(8, &["resume"]);
    assert!(ran.stderr.contains("remove it by hand"), "{}", ran.stderr);
}
