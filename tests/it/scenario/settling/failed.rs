//! Look-ups that fail: one record waits and the others go on; a key or a directory stops everything.

use super::super::super::sim::wire::{Answer, Effect, Fault, Match};
use super::super::scene::Scene;
use super::super::timed::Timed;
use super::{create, person};
use duo_atlassian_sync::apply::UNSETTLED;
use duo_atlassian_sync::cycle::End;
use duo_atlassian_sync::model::{Attribute, Attributes, ScimId};
use duo_atlassian_sync::store::{Failing, FailingKey, Request};
use serde_json::json;
use std::collections::BTreeSet;

fn update(name: &str, scim_id: &ScimId) -> Request {
    Request::UpdateUser {
        person: person(name),
        username: name.to_owned(),
        scim_id: scim_id.clone(),
        changes: [(Attribute::Title, "Boss")].into_iter().collect(),
        before: Attributes::new(),
        reactivate: false,
    }
}

fn fails(scene: &Scene, id: &ScimId, status: u16) {
    let answer = Answer::json(status, &json!({ "status": status.to_string(), "detail": "no" }));
    scene.stage.atlassian.fault(Fault::always(Match::method("GET").containing(id.as_str()), Effect::Answer(answer)));
}

/// How often this record was read since requests were last forgotten.
fn readings(scene: &Scene, id: &ScimId) -> usize {
    scene.target_requests().iter().filter(|line| line.contains(id.as_str())).count()
}

#[test]
fn a_look_up_that_fails_blocks_one_record_and_the_others_are_settled() {
    for status in [400, 403, 500] {
        let scene = Scene::empty();
        let mut timed = Timed::of(&scene);
        let (ana, bo) = (timed.own("ana"), timed.own("bo"));
        let refused = timed.is_cut_off(update("ana", &ana));
        let other = timed.is_cut_off(update("bo", &bo));
        let answer = json!({ "status": status.to_string(), "scimType": "sensitive", "detail": "no" });
        let on = Match::method("GET").containing(ana.as_str());
        scene.stage.atlassian.fault(Fault::always(on, Effect::Answer(Answer::json(status, &answer))));
        let blocked = timed.settles().expect("it settles");
        assert_eq!(blocked.into_iter().collect::<Vec<_>>(), ["person:DUana"], "{status}");
        assert_eq!((timed.outcome(refused.0).0.as_str(), timed.outcome(other.0).0.as_str()), ("unknown", "refused"));
        let failing = timed.failing();
        assert_eq!((failing.len(), failing[0].failing.name.as_str(), failing[0].failing.pause), (1, "ana", 60));
        assert!(failing[0].failing.reason.starts_with("what became of an earlier request cannot be looked up: "));
        // It waits for its pause, and is settled when it is answered again.
        scene.forget();
        assert_eq!(timed.settles().expect("it settles").len(), 1);
        assert_eq!(readings(&scene, &ana), 0, "its time has not come");
        scene.stage.atlassian.clear_faults();
        timed.minutes_pass(1);
        assert!(timed.settles().expect("it settles").is_empty());
        assert_eq!((timed.outcome(refused.0).0.as_str(), timed.failing().len()), ("refused", 0));
    }
}

#[test]
fn what_takes_access_away_is_looked_up_in_every_cycle() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    let ana = timed.own("ana");
    timed.is_cut_off(Request::DeactivateUser { person: person("ana"), scim_id: ana.clone() });
    fails(&scene, &ana, 400);
    for _ in 0..3 {
        scene.forget();
        assert_eq!(timed.settles().expect("it settles").len(), 1);
        assert_eq!(readings(&scene, &ana), 1);
    }
    assert_eq!(timed.failing()[0].failing.name, "ana");
}

#[test]
fn a_wrong_key_and_a_directory_that_does_not_answer_stop_everything() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    let ana = timed.own("ana");
    let id = timed.is_cut_off(update("ana", &ana));
    fails(&scene, &ana, 401);
    assert!(timed.settles().is_err());
    scene.stage.atlassian.clear_faults();
    // Neither the record nor the directory itself is answered.
    let down = || Effect::Answer(Answer::json(503, &json!({ "detail": "down" })));
    scene.stage.atlassian.fault(Fault::always(Match::method("GET"), down()));
    assert!(timed.settles().is_err());
    assert_eq!((timed.outcome(id.0).0.as_str(), timed.failing().len()), ("open", 0), "no record is to blame");
}

#[test]
fn after_three_look_ups_that_failed_in_a_row_the_rest_waits_for_the_next_cycle_and_has_its_turn_then() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    let names = ["ana", "bo", "cy", "dan", "eve"];
    let ids = names.map(|name| timed.own(name));
    for (name, id) in names.iter().zip(&ids) {
        timed.is_cut_off(update(name, id));
    }
    ids[..4].iter().for_each(|id| fails(&scene, id, 400));
    scene.forget();
    assert_eq!(timed.settles().expect("it settles").len(), 5);
    assert_eq!(ids.each_ref().map(|id| readings(&scene, id)), [1, 1, 1, 0, 0]);
    scene.forget();
    assert_eq!(timed.settles().expect("it settles").len(), 4);
    assert_eq!(ids.each_ref().map(|id| readings(&scene, id)), [0, 0, 0, 1, 1], "the first three wait");
}

#[test]
fn nothing_new_is_sent_for_a_record_that_is_not_settled_but_its_leaver_loses_access() {
    let scene = Scene::with(&["ana in eng", "bo in eng", "cy in eng", "dan in eng", "eve in eng"]);
    scene.configure("[guard]\nfirst_plan = \"apply\"\n");
    let mut timed = Timed::of(&scene);
    timed.syncs().expect("a first sync");
    scene.day(|duo| {
        duo.person("ana").realname = Some("Ana Maria".to_owned());
        duo.person("bo").realname = Some("Bo Cho".to_owned());
    });
    let ana =
        ScimId::new(scene.atlassian(|sim| sim.user_by_user_name("ana").map(|user| user.id.clone())).expect("ana"));
    // The update goes out, no answer comes, and the record cannot be read.
    let on = Match::method("PATCH").containing(ana.as_str());
    scene.stage.atlassian.fault(Fault::once(on, Effect::CloseBefore));
    fails(&scene, &ana, 400);
    timed.syncs().expect("a cycle");
    assert_eq!(scene.effects(), ["changed displayName of bo"]);
    scene.forget();
    let report = timed.syncs().expect("a cycle");
    assert_eq!((report.applied.expect("it sends").waiting, timed.writes().len()), (1, 0));
    // She leaves: that can be repeated, and is sent.
    scene.day(|duo| duo.status("ana", "disabled"));
    timed.syncs().expect("a cycle");
    assert_eq!(scene.effects(), ["ana left eng", "deactivated ana"]);
}

#[test]
fn a_create_is_looked_up_before_it_is_sent_a_second_time() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    timed.is_cut_off(create("ana"));
    scene.stage.atlassian.fault(Fault::always(
        Match::method("GET").containing("/Users"),
        Effect::Answer(Answer::json(400, &json!({ "detail": "no filters today" }))),
    ));
    assert_eq!(timed.settles().expect("it settles").into_iter().collect::<Vec<_>>(), ["person:DUana"]);
}

#[test]
fn a_record_fails_no_longer_than_its_request_is_open_whatever_a_crash_left() {
    let scene = Scene::with(&["ana in eng"]);
    scene.configure("[guard]\nfirst_plan = \"apply\"\n");
    let mut timed = Timed::of(&scene);
    timed.syncs().expect("a first sync");
    let record = format!("person:{}", scene.duo(|duo| duo.id("ana")));
    let unsettled = || UNSETTLED.to_owned();
    let failing = Failing {
        key: FailingKey::part(&record, UNSETTLED),
        name: "ana".to_owned(),
        kind: unsettled(),
        reason: "what became of an earlier request cannot be looked up".to_owned(),
        digest: unsettled(),
        pause: 60,
    };
    // The outcome of her request was recorded, and nothing more.
    timed.store.record_failing(&[failing], &BTreeSet::new(), timed.now()).expect("a failing record");
    assert_eq!(timed.syncs().expect("a cycle").end, End::Done);
    assert_eq!(timed.failing(), []);
}
