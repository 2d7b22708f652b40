//! The daemon as the service manager sees it: the built program, both simulators, and a real notification socket.
#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, where a surprise ends the test"
)]

mod health;
mod notice;
mod private;
mod reload;
mod running;
mod stop;
mod watchdog;

use running::Setting;

#[test]
fn it_is_ready_after_its_start_and_says_how_each_cycle_ended() {
    let setting = Setting::with(&["ana in eng"], "mode = \"apply\"");
    let daemon = setting.start();
    daemon.until("READY=1");
    // The first plan of a database waits for a person.
    let status = daemon.until("STATUS=held: ");
    assert!(status.starts_with("STATUS=held: cycle 1 held: plan "), "{status}");
    assert!(status.contains("; next at 2"), "{status}");
    let held = setting.ends(5, &["status"]);
    assert!(held.stdout.starts_with("held\n"), "{}", held.stdout);
    setting.approve();
    daemon.until_status(|status| status.ends_with("done"));
    assert_eq!(setting.effects(), ["created user ana", "created group eng", "ana joined eng"]);
    setting.ends(0, &["status"]);
    daemon.ends(0);
}

#[test]
fn it_observes_until_it_is_told_to_send() {
    let setting = Setting::with(&["ana in eng"], "mode = \"observe\"");
    let daemon = setting.start();
    daemon.until_status(|status| status.ends_with("observed"));
    daemon.until_status(|status| status.ends_with("observed"));
    daemon.ends(0);
    assert!(setting.effects().is_empty());
    let plan = setting.ends(0, &["plan", "--format", "json"]);
    assert!(plan.stdout.contains("\"first_plan\""), "{}", plan.stdout);
}

#[test]
fn a_second_daemon_on_one_database_is_refused() {
    let setting = Setting::with(&["ana in eng"], "");
    let daemon = setting.start();
    daemon.until("READY=1");
    let second = setting.ends(75, &["daemon"]);
    assert!(second.stderr.contains("another instance is at work"), "{}", second.stderr);
    daemon.ends(0);
}

#[test]
fn a_bad_configuration_ends_it_before_it_says_that_it_is_ready() {
    let setting = Setting::with(&[], "mode = \"sometimes\"");
    let daemon = setting.start();
    assert_eq!(daemon.wait(), (Some(2), None));
    assert!(daemon.received().is_empty(), "{:?}", daemon.received());
}

#[test]
fn a_cycle_that_fails_is_followed_by_the_next_one() {
    use super::sim::wire::{Answer, Effect, Fault, Match};
    let setting = Setting::with(&["ana in eng"], "mode = \"apply\"");
    let refusal = Answer::json(401, &serde_json::json!({ "stat": "FAIL", "code": 40103, "message": "no" }));
    setting.stage.duo.fault(Fault::once(Match::any(), Effect::Answer(refusal)));
    let daemon = setting.start();
    daemon.until_status(|status| status.contains("Duo could not be read"));
    daemon.until_status(|status| status.contains("cycle 2 held"));
    daemon.ends(0);
}
