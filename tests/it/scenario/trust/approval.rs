//! What was approved before a database stopped being trusted does not count for what it finds then.

use super::super::super::sim::wire::{Answer, Effect, Fault, Match};
use super::Scene;
use std::path::PathBuf;

const VALID: &str = "[scope]\ngroups = [{ name = \"*\" }]\n[approval]\nvalid_hours = 720\n";

/// Six people, of whom the first plan was approved for a month, an hour ago.
fn team() -> Scene {
    let people = ["ana in eng", "bo in eng", "cy in eng", "dan in eng", "eve in eng", "fay in eng"];
    let scene = Scene::with(&people);
    scene.configure(VALID);
    scene.settle();
    scene.age(1);
    scene
}

fn backed_up(scene: &Scene) -> PathBuf {
    let copy = scene.file("monday.db");
    scene.ends(0, &["backup", &copy.display().to_string()]);
    copy
}

fn three_are_taken_out(scene: &Scene) {
    scene.atlassian(|sim| ["ana", "bo", "cy"].iter().for_each(|name| assert!(sim.remove_member("eng", name))));
}

#[test]
fn after_a_restore_an_older_approval_sends_nothing() {
    let scene = team();
    let copy = backed_up(&scene);
    three_are_taken_out(&scene);
    scene.restore(&copy);
    scene.forget();
    scene.ends(5, &["sync"]);
    scene.nothing_was_sent();
    scene.approve();
    scene.ends(0, &["sync"]);
    scene.directory_is_as_duo();
}

#[test]
fn what_was_cut_off_before_a_backup_hides_nothing_of_what_changed_since() {
    let scene = team();
    scene.day(|duo| drop(duo.hire("gus in eng").user_id.clone()));
    let joins = Match::method("PATCH").containing("/Groups/");
    scene.stage.atlassian.fault(Fault::once(joins, Effect::CloseAfter));
    let gets = Match::method("GET").containing("/Groups/");
    let away = Answer::json(503, &serde_json::json!({}));
    scene.stage.atlassian.fault(Fault::always(gets, Effect::Answer(away)));
    scene.ends(4, &["sync"]);
    scene.stage.atlassian.clear_faults();
    let open = "SELECT COUNT(*) FROM journal WHERE outcome IS NULL OR outcome = 'unknown'";
    assert_eq!(scene.one(open), 1);
    let copy = backed_up(&scene);
    three_are_taken_out(&scene);
    scene.restore(&copy);
    scene.an_hour_passes();
    scene.forget();
    let held = scene.ends(5, &["sync"]);
    assert!(held.stdout.contains("3 memberships gone"), "{}", held.stdout);
    scene.nothing_was_sent();
}
