//! What an undo may not do: go over limits unseen, touch who is in no action, or pin who was not helped.

use super::super::super::sim::wire::{Answer, Effect, Fault, Match};
use super::super::scene::Scene;
use super::{last_cycle, settled, status};

/// Three of ten were disabled and synced; the cycle.
fn three_gone() -> (Scene, String) {
    let scene = settled(10);
    scene.day(|duo| ["p00", "p01", "p02"].iter().for_each(|name| duo.status(name, "disabled")));
    scene.ends(0, &["sync"]);
    let cycle = last_cycle(&scene);
    scene.forget();
    (scene, cycle)
}

fn scope(keys: &str) -> String {
    format!("[scope]\ngroups = [{{ name = \"*\" }}]\n{keys}\n")
}

#[test]
fn a_large_undo_is_held_pins_nobody_and_goes_after_its_approval() {
    let (scene, cycle) = three_gone();
    scene.configure("[guard]\nreactivations_max = { count = 1, percent = 0, at_most = 1 }\n");
    let held = scene.changes_nothing(5, &["undo", &cycle]);
    assert!(held.stdout.contains("guard.reactivations_max"), "{}", held.stdout);
    let line = held.stderr.lines().find(|line| line.starts_with("To approve it: ")).expect("a way on");
    let print = line.rsplit("approve ").next().and_then(|rest| rest.split(';').next()).expect("a fingerprint");
    let said = status(&scene, 0);
    assert_eq!(said["pins"], serde_json::json!([]));
    let approved = scene.ends(0, &["approve", print]);
    assert!(approved.stdout.contains("undo"), "the way on is the undo, not a sync: {}", approved.stdout);
    scene.ends(0, &["undo", &cycle]);
    assert_eq!(scene.effects().iter().filter(|line| line.starts_with("reactivated ")).count(), 3);
}

#[test]
fn who_is_excluded_outside_the_pilot_or_blocked_is_in_no_undo() {
    let (scene, cycle) = three_gone();
    let id = scene.duo(|duo| duo.id("p01"));
    for (keys, said) in [
        (format!("excluded_people = [\"p00\", \"{id}\"]"), "scope.excluded_people"),
        ("pilot_people = [\"p02\"]".to_owned(), "scope.pilot_people"),
        ("blocked_people = [\"p00\", \"p01\"]".to_owned(), "scope.blocked_people"),
    ] {
        scene.configure(&scope(&keys));
        let ran = scene.ends(0, &["undo", &cycle, "--dry-run"]);
        assert!(ran.stdout.contains("1 to reactivate"), "{keys} {}", ran.stdout);
        assert!(ran.stdout.contains(said), "{keys} {}", ran.stdout);
    }
    scene.configure(&scope("protected_groups = [\"eng\"]"));
    let ran = scene.ends(0, &["undo", &cycle, "--dry-run"]);
    assert!(ran.stdout.contains("scope.protected_groups") && !ran.stdout.contains("to join"), "{}", ran.stdout);
}

#[test]
fn who_is_blocked_after_an_undo_loses_access_all_the_same() {
    let (scene, cycle) = three_gone();
    scene.ends(0, &["undo", &cycle]);
    scene.ends(0, &["sync"]);
    scene.forget();
    scene.configure(&scope("blocked_people = [\"p00\"]"));
    scene.approve();
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["p00 left eng", "deactivated p00"]);
}

#[test]
fn who_could_not_be_helped_is_not_pinned_out() {
    let (scene, cycle) = three_gone();
    let refusal = Answer::json(400, &serde_json::json!({ "status": "400", "detail": "no" }));
    scene.stage.atlassian.fault(Fault::always(Match::writes(), Effect::Answer(refusal)));
    scene.ends(4, &["undo", &cycle, "--person", "p00"]);
    scene.stage.atlassian.clear_faults();
    assert_eq!(status(&scene, 4)["pins"], serde_json::json!([]));
    // Duo is put right: the next sync gives access back.
    scene.day(|duo| duo.status("p00", "active"));
    scene.an_hour_passes();
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["reactivated p00", "p00 joined eng"]);
}

#[test]
fn who_was_helped_in_part_gets_the_rest_from_the_next_sync() {
    let (scene, cycle) = three_gone();
    scene.duo(|duo| duo.status("p00", "active"));
    // No seat is free: the account stays inactive, and the membership comes back.
    let refusal = Answer::json(400, &serde_json::json!({ "status": "400", "detail": "no seats" }));
    let account = Match::writes().containing("/Users/");
    scene.stage.atlassian.fault(Fault::always(account, Effect::Answer(refusal)));
    scene.ends(4, &["undo", &cycle, "--person", "p00"]);
    assert_eq!(status(&scene, 4)["pins"].as_array().map(Vec::len), Some(1));
    assert_eq!(scene.effects(), ["p00 joined eng"]);
    scene.stage.atlassian.clear_faults();
    scene.an_hour_passes();
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["p00 joined eng", "reactivated p00"]);
}

#[test]
fn an_undo_that_was_cut_off_is_finished_by_the_next_sync_where_duo_is_right() {
    let (scene, cycle) = three_gone();
    scene.duo(|duo| ["p00", "p01", "p02"].iter().for_each(|name| duo.status(name, "active")));
    // Every reactivation is answered with an error, and did not happen: the next sync finds that out.
    let trouble = Answer::json(500, &serde_json::json!({ "status": "500", "detail": "trouble" }));
    scene.stage.atlassian.fault(Fault::always(Match::writes(), Effect::Answer(trouble)));
    scene.ends(4, &["undo", &cycle]);
    scene.stage.atlassian.clear_faults();
    scene.an_hour_passes();
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects().len(), 6, "{:?}", scene.effects());
}

#[test]
fn an_undo_that_the_brake_cuts_off_is_finished_by_the_next() {
    let (scene, cycle) = three_gone();
    let file = scene.file("state.db.pause");
    let mut writes = 0;
    scene.stage.atlassian.on_request(Box::new(move |request, _| {
        writes += usize::from(request.method != "GET");
        if writes == 2 && request.method != "GET" {
            std::fs::write(&file, "").expect("the brake");
        }
    }));
    scene.ends(5, &["undo", &cycle]);
    assert_eq!(scene.effects().len(), 2, "{:?}", scene.effects());
    assert_eq!(status(&scene, 5)["pins"].as_array().map(Vec::len), Some(2), "who was given something back");
    scene.ends(0, &["resume"]);
    scene.ends(0, &["undo", &cycle]);
    assert_eq!(scene.effects().len(), 6, "{:?}", scene.effects());
    scene.forget();
    scene.ends(0, &["sync"]);
    scene.nothing_was_sent();
}

#[test]
fn an_address_that_somebody_else_has_by_now_is_not_taken_from_them() {
    let scene = Scene::settled(&["ana in eng", "bo in eng"]);
    scene.day(|duo| duo.person("ana").email = "ana.new@example.com".to_owned());
    scene.ends(0, &["sync"]);
    let cycle = last_cycle(&scene);
    scene.day(|duo| duo.person("bo").email = "ana@example.com".to_owned());
    scene.ends(0, &["sync"]);
    scene.forget();
    let ran = scene.ends(0, &["undo", &cycle]);
    scene.nothing_was_sent();
    assert!(ran.stdout.contains("bo has it now"), "{}", ran.stdout);
}
