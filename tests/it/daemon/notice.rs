//! Notices, as their receiver gets them.

use super::super::sim::wire::{Answer, Effect, Fault, Match, Request, Service, Simulator};
use super::running::Setting;
use serde_json::Value;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// Takes every notice and hands it on.
struct Receiving(Sender<Value>);

impl Service for Receiving {
    fn answer(&mut self, request: &Request) -> Answer {
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/hooks/s3cret"));
        self.0.send(request.json().expect("JSON")).expect("the test listens");
        Answer::empty(204)
    }
}

fn next(notices: &Receiver<Value>) -> Value {
    notices.recv_timeout(Duration::from_mins(1)).expect("a notice")
}

/// A setting whose notices arrive here.
fn listening(people: &[&str], keys: &str) -> (Setting, Simulator<Receiving>, Receiver<Value>) {
    let (told, notices) = channel();
    let receiver = Simulator::start(Receiving(told));
    let setting = Setting::with(people, "mode = \"apply\"");
    setting.stage.write_secret("webhook", &format!("{}/hooks/s3cret", receiver.url())).expect("a file");
    setting.configure(&format!("[notice]\nwebhook_url_file = \"webhook\"\n{keys}"));
    (setting, receiver, notices)
}

#[test]
fn a_held_plan_is_told_once_without_names() {
    let (setting, _receiver, notices) = listening(&["ana in eng"], "");
    let daemon = setting.start();
    let notice = next(&notices);
    assert_eq!(notice["format"], "duo-atlassian-sync.notice/1");
    assert_eq!(notice["event"], "held");
    assert!(notice["text"].as_str().expect("text").contains("waits for a person: first_plan"), "{notice}");
    assert!(notice["next"][1].as_str().expect("a command").starts_with("duo-atlassian-sync approve "), "{notice}");
    assert!(!notice.to_string().contains("ana"), "{notice}");
    for _ in 0..3 {
        daemon.until_status(|status| status.contains("held"));
    }
    daemon.ends(0);
    assert!(notices.try_recv().is_err(), "once");
}

#[test]
fn after_a_restart_nothing_is_told_again() {
    let (setting, _receiver, notices) = listening(&["ana in eng"], "");
    let daemon = setting.start();
    next(&notices);
    daemon.until_status(|status| status.contains("held"));
    daemon.ends(0);
    let daemon = setting.start();
    daemon.until_status(|status| status.contains("held"));
    daemon.until_status(|status| status.contains("held"));
    daemon.ends(0);
    assert!(notices.try_recv().is_err());
}

#[test]
fn three_failed_cycles_are_told_and_the_end_of_it_too() {
    let (setting, _receiver, notices) = listening(&["ana in eng"], "[guard]\nfirst_plan = \"apply\"\n");
    let refusal = Answer::json(403, &serde_json::json!({ "stat": "FAIL", "code": 40301, "message": "no" }));
    setting.stage.duo.fault(Fault::always(Match::any(), Effect::Answer(refusal)));
    let daemon = setting.start();
    assert_eq!(next(&notices)["event"], "key_dead");
    assert_eq!(next(&notices)["event"], "failing");
    setting.stage.duo.clear_faults();
    let overs = [next(&notices), next(&notices)].map(|notice| {
        assert_eq!(notice["event"], "recovered", "{notice}");
        notice["about"].as_str().expect("a word").to_owned()
    });
    assert_eq!(overs, ["failing", "key_dead"]);
    daemon.ends(0);
}

#[test]
fn a_key_that_died_is_found_although_nothing_is_to_be_sent() {
    let (setting, _receiver, notices) = listening(&["ana in eng"], "[guard]\nfirst_plan = \"apply\"\n");
    let daemon = setting.start();
    daemon.until_status(|status| status.ends_with("done"));
    daemon.ends(0);
    setting.stage.atlassian.with(|sim| sim.settings_mut().api_key = "another".to_owned());
    let daemon = setting.start();
    let notice = next(&notices);
    assert_eq!(notice["event"], "key_dead", "{notice}");
    daemon.until_status(|status| status.starts_with("failing: "));
    let status = setting.ends(4, &["status"]);
    assert!(status.stdout.contains("the SCIM key was not accepted (401)"), "{}", status.stdout);
    setting.stage.atlassian.with(|sim| sim.settings_mut().api_key = super::super::sim::stage::API_KEY.to_owned());
    assert_eq!(next(&notices)["about"], "key_dead");
    daemon.ends(0);
    setting.ends(0, &["status"]);
}
