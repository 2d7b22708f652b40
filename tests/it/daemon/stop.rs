//! SIGTERM, at rest and at work.

use super::super::sim::wire::{Answer, Effect, Fault, Match};
use super::running::Setting;
use duo_atlassian_sync::store::WriterLock;
use nix::sys::signal::Signal;
use std::sync::mpsc::{Receiver, channel};

#[test]
fn told_to_end_while_it_reads_it_ends_at_once() {
    let setting = Setting::with(&["ana in eng"], "mode = \"apply\"");
    let daemon = setting.start();
    daemon.until("READY=1");
    daemon.until_status(|status| status.contains("held"));
    setting.stage.duo.fault(Fault::always(Match::any(), Effect::Never));
    let (told, heard) = std::sync::mpsc::channel();
    setting.stage.duo.on_request(Box::new(move |_, _| told.send(()).unwrap_or_default()));
    heard.recv().expect("a request");
    daemon.ends(0);
    let history = setting.ends(0, &["history"]);
    assert!(history.stdout.contains("the daemon was told to end"), "{}", history.stdout);
    // Nobody knows what that cycle would have become.
    let status = setting.ends(3, &["status"]);
    assert!(status.stdout.starts_with("unknown\n"), "{}", status.stdout);
}

#[test]
fn told_to_end_while_it_sends_it_lets_what_was_sent_be_answered_and_sends_nothing_more() {
    let setting = Setting::with(&["ana in eng", "bo in eng"], "mode = \"apply\"");
    setting.configure("[guard]\nfirst_plan = \"apply\"\n");
    let (told, heard) = std::sync::mpsc::channel();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let mut first = true;
    setting.stage.atlassian.on_request(Box::new(move |request, _| {
        if request.method != "GET" && std::mem::take(&mut first) {
            told.send(()).unwrap_or_default();
            // Not answered before the daemon was told to end.
            wait.recv().unwrap_or_default();
        }
    }));
    let daemon = setting.start();
    heard.recv().expect("a writing request");
    daemon.signal(Signal::SIGTERM);
    daemon.until("STOPPING=1");
    go_on.send(()).expect("it waits");
    assert_eq!(daemon.wait(), (Some(0), None));
    assert_eq!(setting.effects().len(), 1, "{:?}", setting.effects());
    // Nobody paused.
    let newest = newest_cycle(&setting);
    assert_eq!(newest["message"], "cut off: the daemon was told to end", "{newest}");
    assert_eq!(newest["exit_code"], 4, "{newest}");
    // What was sent is recorded: a sync does the rest, and nothing twice.
    setting.ends(0, &["sync"]);
    let mut effects = setting.effects();
    effects.sort();
    assert_eq!(
        effects,
        ["ana joined eng", "bo joined eng", "created group eng", "created user ana", "created user bo"]
    );
    // Nor does the sync by hand hide that the daemon is gone.
    let status = setting.stage.run(&["status"]).expect("the program runs");
    assert!(status.stdout.contains("next cycle       none: the daemon does not run\n"), "{}", status.stdout);
}

#[test]
fn told_to_end_with_its_first_writing_request_under_way_it_hears_the_answer() {
    let setting = Setting::with(&["ana in eng"], "mode = \"apply\"");
    setting.configure("[guard]\nfirst_plan = \"apply\"\n");
    let (told, heard) = channel();
    let (go_on, wait) = channel::<()>();
    setting.stage.atlassian.on_request(Box::new(move |request, _| {
        if request.method != "GET" {
            told.send(()).unwrap_or_default();
            // Not answered before the daemon was told to end.
            wait.recv().unwrap_or_default();
        }
    }));
    let daemon = setting.start();
    heard.recv().expect("a writing request");
    daemon.signal(Signal::SIGTERM);
    daemon.until("STATUS=told to end; requests under way are waited for");
    // It does wait: a whole command runs meanwhile.
    let status = setting.stage.run(&["status", "--format", "json"]).expect("the program runs");
    let status: serde_json::Value = serde_json::from_str(&status.stdout).expect("a status");
    assert_eq!((&status["is_running"], &status["unsettled_requests"]), (&true.into(), &1.into()), "{status}");
    go_on.send(()).expect("it waits");
    assert_eq!(daemon.wait(), (Some(0), None));
    // Neither looked up nor sent again: its outcome is known.
    let sent = setting.stage.atlassian.seen().iter().filter(|seen| seen.request.method != "GET").count();
    assert_eq!(sent, 1, "{:?}", setting.effects());
    assert_eq!(setting.effects().len(), 1, "{:?}", setting.effects());
    let status = setting.stage.run(&["status", "--format", "json"]).expect("the program runs");
    let status: serde_json::Value = serde_json::from_str(&status.stdout).expect("a status");
    assert_eq!(status["unsettled_requests"], 0, "{status}");
    assert_eq!(status["is_running"], false, "{status}");
    let history = setting.ends(0, &["history"]);
    assert!(history.stdout.contains(", 1 requests"), "{}", history.stdout);
}

#[test]
fn told_to_end_before_it_is_ready_it_ends_at_once() {
    let setting = Setting::with(&["ana in eng"], "mode = \"apply\"");
    setting.configure("[guard]\nfirst_plan = \"apply\"\n");
    setting.stage.atlassian.fault(Fault::always(Match::writes(), Effect::Never));
    let heard = requests(&setting);
    let killed = setting.start();
    // Of this request nobody will know what became of it.
    while heard.recv().expect("a request") != "POST" {}
    drop(killed);
    setting.stage.atlassian.fault(Fault::always(Match::any(), Effect::Never));
    let daemon = setting.start();
    daemon.until_status(|status| status.starts_with("looking up"));
    while heard.recv().expect("a look-up") != "GET" {}
    daemon.ends(0);
    assert!(!daemon.received().iter().any(|line| line == "READY=1"), "{:?}", daemon.received());
    let newest = newest_cycle(&setting);
    assert_eq!(newest["command"], "settle", "{newest}");
    assert_eq!(newest["message"], "cut off: the daemon was told to end", "{newest}");
}

#[test]
fn a_start_that_only_settled_is_no_sync() {
    let setting = Setting::with(&["ana in eng"], "mode = \"apply\"");
    setting.configure("[guard]\nfirst_plan = \"apply\"\n");
    setting.stage.atlassian.fault(Fault::always(Match::writes(), Effect::Never));
    let heard = requests(&setting);
    let killed = setting.start();
    while heard.recv().expect("a request") != "POST" {}
    drop(killed);
    setting.stage.atlassian.clear_faults();
    let refusal = Answer::json(401, &serde_json::json!({ "stat": "FAIL", "code": 40103, "message": "no" }));
    setting.stage.duo.fault(Fault::always(Match::any(), Effect::Answer(refusal)));
    let daemon = setting.start();
    daemon.until_status(|status| status.contains("Duo could not be read"));
    daemon.ends(0);
    let history = setting.ends(0, &["history"]).stdout;
    let settled = history.lines().find(|line| line.contains(" settle ")).expect("a line of its own");
    assert!(settled.ends_with("requests that were cut off earlier"), "{history}");
    let status = setting.ends(4, &["status"]).stdout;
    assert!(!status.contains("last good sync"), "{status}");
}

fn newest_cycle(setting: &Setting) -> serde_json::Value {
    let history = setting.ends(0, &["history", "--limit", "1", "--format", "json"]).stdout;
    let history: serde_json::Value = serde_json::from_str(&history).expect("a document");
    history[0].clone()
}

#[test]
fn told_to_end_while_it_tries_the_key_it_ends_at_once() {
    let setting = Setting::with(&["ana in eng"], "mode = \"apply\"");
    setting.stage.atlassian.fault(Fault::always(Match::any().containing("ServiceProviderConfig"), Effect::Never));
    let heard = requests(&setting);
    let daemon = setting.start();
    // Nothing is owned yet, so the directory is read first.
    while setting.stage.atlassian.seen().iter().all(|seen| !seen.request.path.ends_with("ServiceProviderConfig")) {
        heard.recv().expect("a request");
    }
    daemon.ends(0);
}

/// Tells of every request to the target, by its method.
fn requests(setting: &Setting) -> Receiver<String> {
    let (told, heard) = channel();
    setting
        .stage
        .atlassian
        .on_request(Box::new(move |request, _| told.send(request.method.clone()).unwrap_or_default()));
    heard
}

#[test]
fn told_to_end_before_its_cycle_begins_it_leaves_an_old_one_that_was_killed_as_it_is() {
    let setting = Setting::with(&["ana in eng"], "mode = \"apply\"");
    setting.configure("[guard]\nfirst_plan = \"apply\"\n");
    setting.ends(0, &["sync"]);
    let database = setting.file("state.db");
    let connection = rusqlite::Connection::open(&database).expect("the database opens");
    let month = "UPDATE cycle SET started_at = started_at - 30 * 86400, ended_at = ended_at - 30 * 86400";
    connection.execute(month, []).expect("a month");
    let killed = "INSERT INTO cycle (command, started_at) SELECT 'daemon', max(started_at) + 600 FROM cycle";
    connection.execute(killed, []).expect("a cycle");
    // A command is at work, and the daemon waits for it.
    let _at_work = WriterLock::acquire(&database).expect("the lock");
    let daemon = setting.start();
    daemon.until_status(|status| status == "a cycle is running");
    daemon.ends(0);
    let newest = newest_cycle(&setting);
    assert_eq!((&newest["cycle"], &newest["message"]), (&2.into(), &serde_json::Value::Null), "{newest}");
    // It is no recent work (S19).
    let status = setting.stage.run(&["status"]).expect("the program runs");
    assert!(status.stdout.contains("\nnot trusted "), "{}", status.stdout);
}
