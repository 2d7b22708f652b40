//! The brake: durable, for every command, looked at before every writing request.

use super::super::super::sim::wire::Request;
use super::super::scene::Scene;
use super::{directory, last_cycle, people, settled, status};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn is_write(request: &Request) -> bool {
    request.method != "GET"
}

fn brake(scene: &Scene) -> PathBuf {
    scene.file("state.db.pause")
}

#[test]
fn while_paused_every_command_that_writes_ends_with_5() {
    let scene = settled(9);
    scene.day(|duo| duo.status("p00", "disabled"));
    scene.ends(0, &["sync"]);
    let cycle = last_cycle(&scene);
    scene.day(|duo| {
        duo.hire("new in eng");
        duo.status("p01", "disabled");
    });
    let file = scene.file("plan.json").display().to_string();
    scene.ends(0, &["plan", "--out", &file]);
    scene.ends(0, &["pause", "--note", "the auditor is here"]);
    scene.forget();
    let commands: [&[&str]; 5] = [
        &["sync"],
        &["apply", &file],
        &["undo", &cycle],
        &["undo", &cycle, "--person", "p00"],
        &["sync", "--person", "p01"],
    ];
    for command in commands {
        let ran = scene.changes_nothing(5, command);
        assert!(ran.stderr.contains("paused") && ran.stderr.contains("resume"), "{command:?} {}", ran.stderr);
        assert!(!ran.stdout.contains("Pinned"), "{command:?} {}", ran.stdout);
    }
    // Reading goes on, and status tells of it, in a new process each time.
    scene.ends(0, &["plan"]);
    let said = status(&scene, 5);
    assert_eq!(said["state"], "paused");
    assert!(said["paused"].as_str().is_some_and(|text| text.contains("the auditor is here")), "{said}");
    assert_eq!(said["pins"], serde_json::json!([]), "nothing was given back, and nobody is pinned");
    let resumed = scene.ends(0, &["resume"]);
    assert!(resumed.stdout.starts_with("resumed; it was paused by "), "{}", resumed.stdout);
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["p01 left eng", "deactivated p01", "created user new", "new joined eng"]);
}

/// The brake is pulled while this writing request is answered; says how many more arrived.
fn pulled_at(nth: usize, at_once: usize) {
    let names = people(40, "eng ops");
    let scene = Scene::with(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let services =
        format!("requests_per_second = 1000.0\nconcurrent_requests_max = {at_once}\napi_key_expires = \"2999-01-01\"");
    let written = scene.stage.configure_services(
        "requests_per_minute = 60000",
        &services,
        "[scope]\ngroups = [{ name = \"*\" }]\n[guard]\nfirst_plan = \"apply\"\n",
    );
    written.expect("a configuration");
    let (count, file) = (Arc::new(AtomicUsize::new(0)), brake(&scene));
    let counter = Arc::clone(&count);
    scene.stage.atlassian.on_request(Box::new(move |request, _| {
        if is_write(request) && counter.fetch_add(1, Ordering::SeqCst) + 1 == nth {
            std::fs::write(&file, "").expect("the brake");
        }
    }));
    let ran = scene.ends(5, &["sync"]);
    assert!(ran.stderr.contains("nothing (more) was sent"), "{}", ran.stderr);
    let sent = count.load(Ordering::SeqCst);
    assert!((nth..nth + at_once).contains(&sent), "{sent} writing requests, the brake pulled at {nth}");
    assert!(!ran.stdout.contains("  x "), "nobody failed: {}", ran.stdout);
    let said = status(&scene, 5);
    let shown = scene.ends(0, &["show", "cycle", &last_cycle(&scene)]).stdout;
    assert!(shown.contains("\n  not sent "), "{shown}");
    assert!(!shown.contains("refused") && !shown.contains("   not sent: "), "{shown}");
    assert_eq!(said["state"], "paused", "{said:#}");
    assert_eq!(said["failing"], serde_json::json!([]));
    scene.ends(5, &["sync"]);
    assert_eq!(count.load(Ordering::SeqCst), sent);
    scene.ends(0, &["resume"]);
    let after = status(&scene, 3);
    assert_eq!(after["state"], "unknown", "something is still to be done: {after:#}");
    let told = scene.ends(3, &["status"]).stdout;
    assert!(told.contains("\nnot sent yet     duo-atlassian-sync ") && !told.contains("paused  "), "{told}");
    scene.ends(0, &["sync"]);
    status(&scene, 0);
    let effects = scene.effects();
    assert_eq!(effects.iter().collect::<BTreeSet<_>>().len(), effects.len(), "twice: {effects:?}");
    assert_eq!(effects.len(), 40 + 2 + 80);
    assert_eq!(scene.atlassian(|sim| sim.members_of("ops").len()), 40);
}

#[test]
fn pulled_in_the_middle_no_further_request_leaves() {
    pulled_at(1, 1);
    pulled_at(7, 1);
}

#[test]
fn pulled_in_the_middle_at_most_those_in_flight_still_arrive() {
    pulled_at(6, 4);
    pulled_at(41, 4);
}

#[test]
fn any_file_is_a_brake_and_resume_takes_it_away() {
    let scene = settled(3);
    scene.day(|duo| drop(duo.hire("new in eng").user_id.clone()));
    std::fs::write(brake(&scene), "").expect("the brake");
    scene.changes_nothing(5, &["sync"]);
    let said = scene.ends(5, &["status"]).stdout;
    assert!(said.starts_with("paused\n") && said.contains("by the file FOLDER/state.db.pause"), "{said}");
    let resumed = scene.ends(0, &["resume"]).stdout;
    assert!(resumed.contains("another program had created"), "{resumed}");
    assert_eq!(scene.ends(0, &["resume"]).stdout, "sending was not paused\n");
    scene.ends(0, &["sync"]);
}

#[test]
fn what_is_written_in_a_brake_by_others_steers_no_terminal() {
    let scene = settled(2);
    let text = "{\"at\":\"2026-11-23T14:02:11Z\",\"by\":\"eve\\u001b[2J\",\"note\":\"x\\nstate good\"}";
    std::fs::write(brake(&scene), text).expect("the brake");
    for ran in [scene.ends(5, &["status"]), scene.ends(0, &["resume"])] {
        assert!(!ran.stdout.contains('\u{1b}') && !ran.stdout.contains("\nstate good"), "{:?}", ran.stdout);
    }
}

#[test]
fn the_brake_can_be_pulled_when_nothing_else_works() {
    let scene = settled(2);
    std::fs::write(scene.database(), "no database").expect("a damaged database");
    std::fs::remove_file(scene.file("atlassian-api-key")).expect("no key");
    scene.ends(0, &["pause"]);
    assert!(brake(&scene).exists());
    scene.ends(0, &["resume"]);
    assert!(!brake(&scene).exists());
}

#[test]
fn with_nothing_to_do_a_pause_is_still_told() {
    let scene = settled(2);
    let before = directory(&scene);
    scene.ends(0, &["pause"]);
    scene.ends(0, &["pause", "--note", "twice is once"]);
    let ran = scene.run(&["sync"]);
    scene.nothing_was_sent();
    assert_eq!(directory(&scene), before);
    assert!(ran.code == Some(0) || ran.code == Some(5), "{ran:?}");
    assert_eq!(status(&scene, 5)["state"], "paused");
    scene.ends(0, &["resume"]);
    status(&scene, 0);
}

#[test]
fn a_name_that_sudo_gives_steers_no_terminal() {
    let scene = settled(2);
    let output = scene.stage.command(&["pause"]).env("SUDO_USER", "eve\u{1b}[2J").output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("eve\\u{1b}[2J") && !said.contains('\u{1b}'), "{said:?}");
}
