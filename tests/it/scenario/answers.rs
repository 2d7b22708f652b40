//! What an answer is about (S7, S15): one that is about another record links nothing and proves nothing. And when
//! nothing more is to be sent, what is left of a wave stays here.

use super::super::sim::wire::{Answer, Effect, Fault, Match};
use super::scene::Scene;
use super::timed::Timed;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn record_of(scene: &Scene, name: &str) -> Value {
    scene.atlassian(|sim| {
        let user = sim.user_by_user_name(name).expect("a user");
        json!({ "id": user.id, "userName": name, "externalId": user.external_id(), "active": true })
    })
}

/// The next create of a user is answered with this record, and not done.
fn a_create_is_answered_with(scene: &Scene, record: &Value) {
    let posts = Match::method("POST").containing("/Users");
    scene.stage.atlassian.fault(Fault::once(posts, Effect::Answer(Answer::json(201, record))));
}

fn is_active(scene: &Scene, name: &str) -> bool {
    scene.atlassian(|sim| sim.user_by_user_name(name).expect("a user").active())
}

#[test]
fn a_create_that_is_answered_with_somebody_elses_record_links_nothing() {
    let scene = Scene::settled(&["ana in eng"]);
    scene.atlassian(|sim| drop(sim.add_user("ceo", Some("okta-42"))));
    a_create_is_answered_with(&scene, &record_of(&scene, "ceo"));
    scene.day(|duo| drop(duo.hire("vic in eng").user_id.clone()));
    let ran = scene.ends(4, &["sync"]);
    assert!(ran.stdout.contains("not about the record that was meant"), "{}", ran.stdout);
    scene.ends(2, &["show", "person", "vic"]);
    scene.day(|duo| duo.status("vic", "disabled"));
    scene.an_hour_passes();
    scene.ends(0, &["sync"]);
    assert!(is_active(&scene, "ceo"), "{:?}", scene.effects());
}

#[test]
fn a_create_that_is_answered_with_a_record_of_ours_stops_nobody_else() {
    let scene = Scene::settled(&["ana in eng", "bo in eng", "cy in eng", "dan in ops"]);
    let mut record = record_of(&scene, "ana");
    record["externalId"] = Value::Null;
    a_create_is_answered_with(&scene, &record);
    scene.day(|duo| {
        drop(duo.hire("vic in ops").user_id.clone());
        drop(duo.hire("zoe in ops").user_id.clone());
        duo.status("bo", "disabled");
    });
    scene.ends(4, &["sync"]);
    assert_eq!(scene.atlassian(|sim| sim.members_of("ops").len()), 2, "the one who was created has a group");
    assert!(!is_active(&scene, "bo"), "and who left is deactivated");
    scene.an_hour_passes();
    scene.ends(0, &["sync"]);
    assert_eq!(scene.atlassian(|sim| sim.members_of("ops").len()), 3);
}

#[test]
fn a_change_that_is_answered_with_something_else_is_not_believed() {
    let scene = Scene::settled(&["ana in eng", "bo in eng", "cy in eng", "dan in eng"]);
    scene.day(|duo| duo.status("ana", "disabled"));
    let page = Answer::json(200, &json!({ "message": "scheduled maintenance" }));
    let users = Match::method("PATCH").containing("/Users/");
    scene.stage.atlassian.fault(Fault::once(users, Effect::Answer(page)));
    scene.ends(4, &["sync"]);
    assert!(is_active(&scene, "ana"));
    scene.ends(4, &["status"]);
    scene.ends(0, &["sync"]);
    assert!(!is_active(&scene, "ana"), "what takes access away is tried in every sync");
    scene.ends(0, &["status"]);
}

/// Forty people are created, several at a time.
fn company(at_once: usize) -> Scene {
    let people: Vec<String> = (0..40).map(|number| format!("p{number:02} in eng")).collect();
    let scene = Scene::with(&people.iter().map(String::as_str).collect::<Vec<_>>());
    scene.configure("[guard]\nfirst_plan = \"apply\"\n");
    let text = std::fs::read_to_string(scene.stage.config()).expect("a configuration");
    let text = text.replace("concurrent_requests_max = 1", &format!("concurrent_requests_max = {at_once}"));
    std::fs::write(scene.stage.config(), text).expect("a configuration");
    scene
}

#[test]
fn after_a_key_died_nothing_of_the_same_wave_is_sent_any_more() {
    let scene = company(2);
    let (sim, count) = (scene.stage.atlassian.clone(), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&count);
    scene.stage.atlassian.on_request(Box::new(move |request, _| {
        if request.method != "GET" && counter.fetch_add(1, Ordering::SeqCst) == 2 {
            sim.with(|sim| "regenerated".clone_into(&mut sim.settings_mut().api_key));
        }
    }));
    scene.ends(4, &["sync"]);
    scene.stage.atlassian.on_request(Box::new(|_, _| ()));
    let sent = count.load(Ordering::SeqCst);
    assert!((3..=5).contains(&sent), "two at a time: {sent} writing requests, and the third was refused");
}

#[test]
fn when_the_time_for_sending_is_over_nothing_of_the_same_wave_is_sent_any_more() {
    let scene = company(1);
    let mut timed = Timed::of(&scene);
    let (clock, count) = (timed.clock.clone(), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&count);
    scene.stage.atlassian.on_request(Box::new(move |request, _| {
        if request.method != "GET" {
            counter.fetch_add(1, Ordering::SeqCst);
            clock.advance(Duration::from_mins(11));
        }
    }));
    timed.syncs().expect("a report");
    scene.stage.atlassian.on_request(Box::new(|_, _| ()));
    assert_eq!(count.load(Ordering::SeqCst), 3, "half an hour, and eleven minutes each");
}
