//! `undo`: what a cycle took away or changed is given back, and stays so.

use super::super::super::sim::wire::{Answer, Effect, Fault, Match};
use super::super::scene::Scene;
use super::{directory, last_cycle, status};

/// ana was disabled, bo moved to a group, cy was renamed; the sync of it is the last cycle.
fn mistake() -> (Scene, super::Snapshot, String) {
    let scene = Scene::settled(&["ana in eng ops", "bo in eng all", "cy in eng", "di in ops all", "ed in all"]);
    let before = directory(&scene);
    scene.day(|duo| {
        duo.status("ana", "disabled");
        duo.leave("bo", "eng");
        duo.person("cy").realname = Some("Wrong".to_owned());
        "wrong@example.com".clone_into(&mut duo.person("cy").email);
    });
    scene.ends(0, &["sync"]);
    let cycle = last_cycle(&scene);
    scene.forget();
    (scene, before, cycle)
}

#[test]
fn an_undo_restores_everything_without_asking_duo_and_the_next_sync_leaves_it_so() {
    let (scene, before, cycle) = mistake();
    let ran = scene.ends(0, &["undo", &cycle]);
    assert_eq!(directory(&scene), before);
    assert!(scene.source_requests().is_empty(), "{:?}", scene.source_requests());
    assert!(ran.stdout.contains("Pinned"), "{}", ran.stdout);
    scene.forget();
    for _ in 0..2 {
        let next = scene.ends(0, &["sync"]);
        assert!(scene.target_requests().is_empty(), "{:?}", scene.target_requests());
        for name in ["ana", "bo", "cy"] {
            let line = next.stdout.lines().find(|line| line.contains("? skip") && line.contains(&format!(" {name} ")));
            let said = format!("pinned by undo of cycle {cycle}");
            assert!(line.is_some_and(|line| line.contains(&said)), "{name} in {}", next.stdout);
        }
    }
    let pins = status(&scene, 0)["pins"].clone();
    let mut names: Vec<&str> =
        pins.as_array().expect("pins").iter().filter_map(|pin| pin["username"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["ana", "bo", "cy"]);
    let text = scene.ends(0, &["status"]).stdout;
    assert_eq!(text.lines().filter(|line| line.starts_with("pinned ")).count(), 3, "{text}");
}

#[test]
fn a_pin_ends_when_the_record_changes_in_duo() {
    let (scene, _, cycle) = mistake();
    scene.ends(0, &["undo", &cycle]);
    scene.ends(0, &["sync"]);
    scene.day(|duo| duo.status("ana", "pending deletion"));
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects().last().map(String::as_str), Some("deactivated ana"));
    assert_eq!(status(&scene, 0)["pins"].as_array().map(Vec::len), Some(2));
    // Somebody who is gone changes too.
    scene.open().execute("DELETE FROM spent", []).expect("another day");
    scene.day(|duo| duo.remove("bo"));
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects().last().map(String::as_str), Some("deactivated bo"));
}

#[test]
fn a_record_that_changes_while_a_plan_is_held_ends_the_pin_too() {
    let (scene, _, cycle) = mistake();
    scene.ends(0, &["undo", &cycle]);
    scene.configure("[guard]\nupdates_max = { count = 0, percent = 0, at_most = 0 }\n");
    scene.day(|duo| duo.person("di").realname = Some("Held".to_owned()));
    scene.ends(5, &["sync"]);
    scene.day(|duo| duo.status("ana", "pending deletion"));
    scene.configure("");
    scene.ends(0, &["sync"]);
    assert!(scene.effects().contains(&"deactivated ana".to_owned()), "{:?}", scene.effects());
}

#[test]
fn a_change_of_the_configuration_is_no_change_of_the_record() {
    let (scene, before, cycle) = mistake();
    scene.ends(0, &["undo", &cycle]);
    scene.ends(0, &["sync"]);
    scene.forget();
    scene.configure(
        "[mapping]\nuserName = \"username\"\nemails = \"email\"\ndisplayName = \"realname\"\ntitle = \"notes\"\n",
    );
    let _ = scene.run(&["sync"]);
    assert!(scene.effects().is_empty(), "{:?}", scene.effects());
    assert_eq!(directory(&scene), before);
}

#[test]
fn somebody_is_released_by_name_or_id_and_planned_again() {
    let (scene, _, cycle) = mistake();
    scene.ends(0, &["undo", &cycle]);
    scene.ends(0, &["sync"]);
    scene.forget();
    scene.changes_nothing(2, &["undo", "--release", "di"]);
    scene.ends(0, &["undo", "--release", "BO"]);
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["bo left eng"]);
    scene.forget();
    let id = scene.duo(|duo| duo.id("ana"));
    scene.ends(0, &["undo", "--release", &id]);
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects().last().map(String::as_str), Some("deactivated ana"));
}

#[test]
fn one_person_is_rescued_alone_while_duo_cannot_be_reached() {
    let (scene, _, cycle) = mistake();
    scene.stage.duo.fault(Fault::always(Match::any(), Effect::CloseBefore));
    scene.ends(0, &["undo", &cycle, "--person", "Ana"]);
    let mut effects = scene.effects();
    effects.sort();
    assert_eq!(effects, ["ana joined eng", "ana joined ops", "reactivated ana"]);
    assert!(scene.source_requests().is_empty());
    assert_eq!(status(&scene, 0)["pins"].as_array().map(Vec::len), Some(1));
    scene.forget();
    scene.changes_nothing(2, &["undo", &cycle, "--person", "nobody"]);
    let none = scene.ends(0, &["undo", &cycle, "--person", "di"]);
    assert!(none.stdout.contains("Nothing is to be given back"), "{}", none.stdout);
}

#[test]
fn a_dry_run_of_an_undo_sends_and_pins_nothing() {
    let (scene, _, cycle) = mistake();
    let ran = scene.changes_nothing(0, &["undo", &cycle, "--dry-run"]);
    assert!(ran.stdout.contains("reactivate") && ran.stdout.contains("Nothing was sent"), "{}", ran.stdout);
    assert_eq!(status(&scene, 0)["pins"], serde_json::json!([]));
}

#[test]
fn what_has_changed_since_is_skipped_with_the_reason() {
    let (scene, _, cycle) = mistake();
    scene.day(|duo| {
        duo.status("ana", "active");
        duo.join("bo", "eng");
        duo.person("cy").realname = Some("Third".to_owned());
    });
    scene.ends(0, &["sync"]);
    scene.forget();
    let ran = scene.ends(0, &["undo", &cycle]);
    assert_eq!(scene.effects(), ["changed emails of cy"]);
    for words in
        ["the account is active again already", "is in the group again already", "displayName has changed since"]
    {
        assert!(ran.stdout.contains(words), "{words} in {}", ran.stdout);
    }
}

#[test]
fn an_undo_is_in_the_journal_and_can_be_undone_as_far_as_it_changed_something() {
    let (scene, before, cycle) = mistake();
    scene.ends(0, &["undo", &cycle]);
    let undo = last_cycle(&scene);
    let shown = scene.ends(0, &["show", "cycle", &undo]).stdout;
    assert!(shown.contains("undo") && shown.contains("with 0: done"), "{shown}");
    assert_eq!(shown.lines().filter(|line| line.trim_start().starts_with("done ")).count(), 4, "{shown}");
    assert_eq!(directory(&scene), before);
    scene.forget();
    scene.ends(0, &["undo", &undo]);
    assert_eq!(scene.effects(), ["changed displayName of cy", "changed emails of cy"]);
    // A cycle that took nothing away has nothing to be given back.
    scene.ends(0, &["plan"]);
    scene.sends_nothing_more_in(&last_cycle(&scene));
}

impl Scene {
    fn sends_nothing_more_in(&self, cycle: &str) {
        self.forget();
        self.changes_nothing(0, &["undo", cycle]);
    }
}

#[test]
fn an_unknown_cycle_ends_with_2() {
    let (scene, _, _) = mistake();
    for words in [["undo", "999"], ["undo", "0"], ["undo", "x"]] {
        scene.changes_nothing(2, &words);
    }
    scene.changes_nothing(2, &["undo"]);
    scene.changes_nothing(2, &["undo", "2", "--release", "ana"]);
}

#[test]
fn the_number_that_an_undo_itself_would_have_is_unknown() {
    let (scene, _, cycle) = mistake();
    let next = (cycle.parse::<i64>().expect("a number") + 1).to_string();
    // Twice: a mistake in the arguments is no cycle that could be undone then.
    for dry in [&[][..], &["--dry-run"], &[]] {
        let ran = scene.changes_nothing(2, &[&["undo", &next], dry].concat());
        assert!(ran.stderr.contains(&format!("no cycle {next} is in the database")), "{}", ran.stderr);
        assert_eq!(last_cycle(&scene), cycle);
    }
    let fresh = Scene::with(&["ana in eng"]);
    fresh.changes_nothing(2, &["undo", "1"]);
}

#[test]
fn an_undo_that_waits_for_an_earlier_request_to_be_settled_is_not_done() {
    let (scene, _, cycle) = mistake();
    let cy = scene.atlassian(|sim| sim.user_by_user_name("cy").map(|user| user.id.clone())).expect("cy");
    let answers = |method: &str, status: u16| {
        let answer = Answer::json(status, &serde_json::json!({ "detail": "not today" }));
        scene.stage.atlassian.fault(Fault::always(Match::method(method).containing(&cy), Effect::Answer(answer)));
    };
    answers("PATCH", 500);
    answers("GET", 400);
    scene.ends(4, &["undo", &cycle, "--person", "cy"]);
    scene.forget();
    let again = scene.ends(4, &["undo", &cycle, "--person", "cy"]);
    scene.nothing_was_sent();
    assert!(again.stdout.contains("Done: 0, not sent: 1"), "{}", again.stdout);
    let history = scene.ends(0, &["history", "--limit", "1"]).stdout;
    assert!(history.contains("some records are failing"), "{history}");
}
