//! What works beside a running sync, and what waits for it.

use super::scene::Scene;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

/// The commands that only read, and plan.
fn reading(copy: &str) -> [Vec<&str>; 8] {
    [
        vec!["status"],
        vec!["status", "--format", "json"],
        vec!["history"],
        vec!["show", "person", "ana"],
        vec!["show", "group", "eng"],
        vec!["show", "cycle", "1"],
        vec!["plan"],
        vec!["backup", copy],
    ]
}

#[test]
fn reading_commands_work_while_a_sync_is_sending() {
    let scene = Scene::settled(&["ana in eng", "bo in eng", "cy in eng"]);
    scene.day(|duo| {
        duo.hire("dan in eng");
        duo.status("ana", "disabled");
    });
    let copy = scene.file("copy.db").display().to_string();
    let mut commands: Vec<Command> = reading(&copy).iter().map(|words| scene.stage.command(words)).collect();
    // The brake and decisions are for now, not for later; this decision is about nothing, and says so at once.
    commands.push(scene.stage.command(&["approve", "0123456789ab"]));
    let ended: Arc<Mutex<Vec<Output>>> = Arc::default();
    let told = Arc::clone(&ended);
    scene.stage.atlassian.on_request(Box::new(move |_, _| {
        for mut command in commands.drain(..) {
            told.lock().expect("the list").push(command.output().expect("it runs"));
        }
    }));
    scene.ends(0, &["sync"]);
    let ended = ended.lock().expect("the list").clone();
    let codes: Vec<_> = ended.iter().map(|output| output.status.code().expect("a code")).collect();
    // While a sync runs, the one before it says how the sync is; and it is not taken for one that was cut off.
    assert_eq!(codes, [0, 0, 0, 0, 0, 0, 0, 0, 2], "{ended:?}");
    for told in ended.iter().map(|output| String::from_utf8_lossy(&output.stdout)) {
        // A plan says of what is under way that it is looked up before more is sent.
        assert!(!told.contains("cut off") || told.starts_with("plan "), "{told}");
    }
    assert_eq!(scene.effects().len(), 4, "{:?}", scene.effects());
    assert!(scene.file("copy.db").exists());
}

#[test]
fn what_a_running_cycle_has_sent_and_has_no_answer_to_is_under_way() {
    let scene = Scene::settled(&["ana in eng", "bo in eng", "cy in eng"]);
    scene.day(|duo| duo.status("ana", "disabled"));
    let mut command = Some(scene.stage.command(&["show", "cycle", "3"]));
    let told: Arc<Mutex<String>> = Arc::default();
    let seen = Arc::clone(&told);
    scene.stage.atlassian.on_request(Box::new(move |request, _| {
        if request.method != "GET"
            && let Some(mut command) = command.take()
        {
            let output = command.output().expect("it runs");
            *seen.lock().expect("the text") = String::from_utf8_lossy(&output.stdout).into_owned();
        }
    }));
    scene.ends(0, &["sync"]);
    let told = told.lock().expect("the text").clone();
    assert!(told.contains(", is running\n") && told.contains("\n  under way "), "{told}");
    assert!(!told.contains("cut off"), "{told}");
}

#[test]
fn reading_commands_work_while_somebody_holds_the_lock_and_writes() {
    let scene = Scene::settled(&["ana in eng"]);
    let lock = std::fs::OpenOptions::new().write(true).open(scene.file("state.db.lock")).expect("the lock");
    lock.lock().expect("the lock");
    let writer = scene.open();
    writer.execute_batch("BEGIN IMMEDIATE; DELETE FROM membership").expect("a transaction");
    let copy = scene.file("copy.db").display().to_string();
    for words in reading(&copy).iter().filter(|words| words[0] != "plan") {
        let ran = scene.ends(0, words);
        assert!(words[0] != "show" || words[1] != "group" || ran.stdout.contains("ana"), "{}", ran.stdout);
    }
    drop(writer);
    scene.ends(0, &["plan"]);
    scene.nothing_was_sent();
}
