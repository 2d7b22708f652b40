//! Other commands than `sync`, killed in the same way.

use super::super::scene::Scene;
use super::commit::{At, kill_at_every};
use super::company::{FEW_MEMBERS, everything_at_once, everything_held, first_sync, settled};
use super::request::kill_at_every_request;
use super::story::{Story, sync_of, words};

/// One text of the database.
fn read(scene: &Scene, sql: &str) -> String {
    scene.open().query_row(sql, [], |row| row.get(0)).expect(sql)
}

fn sync(scene: &Scene) {
    scene.ends(0, &["sync"]);
}

/// The plan waits; `approve` dies, and is given again; then it is sent.
#[test]
fn an_approval_survives_death_at_every_write_to_the_database() {
    let set = || {
        let scene = everything_held();
        scene.plan();
        scene
    };
    let approve =
        |scene: &Scene| words(&["approve", &read(scene, "SELECT fingerprint FROM plan ORDER BY cycle DESC LIMIT 1")]);
    let story = Story { set, command: approve, again: approve, code: 0, rest: sync };
    kill_at_every(At::Calls, story);
}

/// Somebody is taken for a leaver, somebody moved, somebody is renamed.
fn mistake() -> Scene {
    let scene = settled(&["ana in eng ops", "bo in eng all", "cy in eng", "di in ops all"]);
    scene.day(|duo| {
        duo.status("ana", "disabled");
        duo.leave("bo", "eng");
        duo.person("cy").realname = Some("Wrong".to_owned());
    });
    scene
}

/// A saved plan is sent; what is left of it after a death is sent by the next sync.
fn saved() -> Story {
    fn file(scene: &Scene) -> String {
        scene.file("plan.json").to_str().expect("a path").to_owned()
    }
    let set = || {
        let scene = mistake();
        scene.ends(0, &["plan", "--out", &file(&scene)]);
        scene
    };
    Story { command: |scene| words(&["apply", &file(scene)]), ..sync_of(set) }
}

#[test]
fn a_saved_plan_survives_death_at_every_commit() {
    kill_at_every(At::Commits, saved());
}

#[test]
fn a_saved_plan_survives_death_at_every_request() {
    kill_at_every_request(saved(), 1);
}

/// The sync of a mistake is undone.
fn undone() -> Story {
    let set = || {
        let scene = mistake();
        sync(&scene);
        scene
    };
    let undo = |scene: &Scene| {
        words(&["undo", &read(scene, "SELECT CAST(MAX(id) AS TEXT) FROM cycle WHERE command = 'sync'")])
    };
    Story { set, command: undo, again: undo, code: 0, rest: |_| () }
}

#[test]
fn an_undo_survives_death_at_every_commit() {
    kill_at_every(At::Commits, undone());
}

#[test]
fn an_undo_survives_death_at_every_request() {
    kill_at_every_request(undone(), 1);
}

/// One leaver at once, whatever else waits.
fn friday() -> Story {
    let set = || {
        let scene = everything_held();
        let id = scene.duo(|duo| duo.id("cy"));
        std::fs::write(scene.file("leaver"), id).expect("a note");
        scene
    };
    let person = |scene: &Scene| {
        let id = std::fs::read_to_string(scene.file("leaver")).expect("a note");
        words(&["sync", "--person", &id])
    };
    let rest = |scene: &Scene| {
        scene.approve();
        sync(scene);
    };
    Story { set, command: person, again: person, code: 0, rest }
}

#[test]
fn one_leaver_at_once_survives_death_at_every_commit() {
    kill_at_every(At::Commits, friday());
}

#[test]
fn one_leaver_at_once_survives_death_at_every_request() {
    kill_at_every_request(friday(), 1);
}

/// Who pauses is told that it is so only when it is; a pause that died is on or off, and can be given again.
#[test]
fn the_brake_survives_death_at_every_change_of_its_file() {
    let pause = |_: &Scene| words(&["pause", "--note", "look first"]);
    let resume = |_: &Scene| words(&["resume"]);
    let paused = |scene: &Scene| {
        scene.changes_nothing(5, &["sync"]);
        scene.ends(0, &["resume"]);
        sync(scene);
    };
    let story = Story { set: everything_at_once, command: pause, again: pause, code: 0, rest: paused };
    kill_at_every(At::Calls, story);
    let set = || {
        let scene = everything_at_once();
        scene.ends(0, &["pause"]);
        scene
    };
    let story = Story { set, command: resume, again: resume, code: 0, rest: sync };
    kill_at_every(At::Calls, story);
}

/// A plan is made and thrown away as often as one likes.
#[test]
fn a_dry_run_survives_death_at_every_commit() {
    let plan = |_: &Scene| words(&["plan"]);
    let story = Story { command: plan, again: plan, rest: sync, ..sync_of(everything_at_once) };
    kill_at_every(At::Commits, story);
}

/// The configuration takes the domain for verified, and Atlassian does not: the first update unlinks an account, and is
/// the last one (S11), also when nobody heard its answer.
fn unlinked() -> Story {
    let set = || {
        let scene = settled(&["a in eng", "b in eng", "c in eng", "d in eng"]);
        scene.atlassian(|sim| {
            sim.settings_mut().strict = false;
            sim.settings_mut().verified_domains = vec!["elsewhere.org".to_owned()];
        });
        scene.day(|duo| {
            for name in ["a", "b", "c"] {
                duo.person(name).realname = Some("Another Name".to_owned());
            }
            duo.status("d", "disabled");
        });
        scene
    };
    let rest = |scene: &Scene| {
        let unlinked = scene.effects().into_iter().filter(|effect| effect.starts_with("unlinked"));
        assert_eq!(unlinked.count(), 1, "{:?}", scene.effects());
        scene.atlassian(|sim| sim.settings_mut().verified_domains = vec!["example.com".to_owned()]);
        scene.ends(0, &["resume"]);
        sync(scene);
    };
    Story { code: 4, rest, ..sync_of(set) }
}

#[test]
fn an_update_that_unlinks_is_the_last_one_also_after_death_at_every_commit() {
    kill_at_every(At::Commits, unlinked());
}

#[test]
fn an_update_that_unlinks_is_the_last_one_also_after_death_at_every_request() {
    kill_at_every_request(unlinked(), 1);
}

/// A first plan waits for a person, who approves it; then it is sent.
fn first_approved() -> Story {
    let set = || {
        let scene = first_sync();
        scene.configure_atlassian(FEW_MEMBERS, "");
        scene.ends(5, &["sync"]);
        scene.approve();
        scene.forget();
        scene
    };
    sync_of(set)
}

#[test]
fn the_approval_of_a_first_plan_outlives_death_at_every_request() {
    kill_at_every_request(first_approved(), 1);
}
