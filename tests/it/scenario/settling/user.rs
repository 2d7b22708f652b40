//! Creates, updates, reactivations and deactivations that were cut off.

use super::super::super::sim::atlassian::ActiveInReads;
use super::super::super::sim::wire::{Effect, Fault, Match};
use super::super::scene::Scene;
use super::super::timed::Timed;
use super::{attributes, create, person, rows};
use duo_atlassian_sync::model::{Attribute, Attributes, ScimId};
use duo_atlassian_sync::store::Request;
use serde_json::json;

fn update(name: &str, scim_id: &ScimId, title: &str, reactivate: bool) -> Request {
    Request::UpdateUser {
        person: person(name),
        username: name.to_owned(),
        scim_id: scim_id.clone(),
        changes: [(Attribute::Title, title)].into_iter().filter(|(_, title)| !title.is_empty()).collect(),
        before: Attributes::new(),
        reactivate,
    }
}

fn deactivate(name: &str, scim_id: &ScimId) -> Request {
    Request::DeactivateUser { person: person(name), scim_id: scim_id.clone() }
}

const DID_NOT: (&str, &str) = ("refused", "looked up: it did not happen");
const HAPPENED: (&str, &str) = ("done", "looked up: it happened");

fn as_text((outcome, detail): &(String, String)) -> (&str, &str) {
    (outcome, detail)
}

#[test]
fn a_create_happened_if_a_record_has_our_external_id() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    let id = scene.atlassian(|sim| sim.add_user("ana", Some("DUana")));
    assert_eq!(as_text(&timed.settled(create("ana"))), HAPPENED);
    assert_eq!(timed.accounts()[&person("ana")].scim_id.as_str(), id);
}

#[test]
fn a_create_that_is_found_with_older_values_was_refused_nothing() {
    // An earlier create arrived late, with the address that ana had then.
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    scene.atlassian(|sim| drop(sim.add_user("ana", Some("DUana"))));
    let mut attributes = attributes("ana");
    attributes.set(Attribute::Emails, "ana.maria@example.com");
    let request = Request::CreateUser { person: person("ana"), username: "ana".to_owned(), attributes };
    assert_eq!(as_text(&timed.settled(request)), HAPPENED);
    let account = &timed.accounts()[&person("ana")];
    assert_eq!(account.attributes.value(Attribute::Emails), Some("ana@example.com"));
    assert_eq!(account.refused, Attributes::new(), "the next plan changes the address");
}

#[test]
fn a_create_happened_if_only_the_user_name_finds_our_record() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    scene.atlassian(|sim| drop(sim.add_user("ana", Some("DUana"))));
    let on = Match::method("GET").with_query("externalId");
    scene.stage.atlassian.fault(Fault::always(on, Effect::Rewrite(rows(Vec::clear))));
    assert_eq!(as_text(&timed.settled(create("ana"))), HAPPENED);
}

#[test]
fn a_create_that_is_not_there_stays_unknown_for_a_day_and_may_be_sent_again() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    assert_eq!(as_text(&timed.settled(create("ana"))), ("unknown", "looked up: not there; may be sent again"));
    timed.minutes_pass(23 * 60);
    // It was sent again: that does not begin another day.
    let second = timed.is_cut_off(create("ana"));
    assert!(timed.settles().expect("it settles").is_empty());
    assert_eq!(timed.outcome(second.0).0, "unknown");
    timed.minutes_pass(61);
    assert!(timed.settles().expect("it settles").is_empty());
    assert_eq!(as_text(&timed.outcome(second.0)), DID_NOT);
    assert_eq!(timed.store.read_unsettled().expect("the journal").len(), 0);
}

#[test]
fn a_create_did_not_happen_if_the_record_of_that_name_is_somebody_elses() {
    for other in [None, Some("DUSOMEBODYELSE000000")] {
        let scene = Scene::empty();
        let mut timed = Timed::of(&scene);
        scene.atlassian(|sim| drop(sim.add_user("ana", other)));
        assert_eq!(timed.settled(create("ana")).0, "unknown", "not there: kept open for a day");
        assert!(timed.accounts().is_empty());
    }
}

#[test]
fn a_create_cannot_be_told_if_two_records_have_our_external_id_and_is_not_sent_again() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    scene.atlassian(|sim| drop(sim.add_user("ana", Some("DUana"))));
    let twice = rows(|rows| {
        let mut twin = rows[0].clone();
        twin["id"] = json!("twin");
        rows.push(twin);
    });
    scene.stage.atlassian.fault(Fault::always(Match::method("GET").with_query("externalId"), Effect::Rewrite(twice)));
    let id = timed.is_cut_off(create("ana"));
    let blocked = timed.settles().expect("it settles");
    assert_eq!(blocked.into_iter().collect::<Vec<_>>(), ["person:DUana"]);
    let (outcome, detail) = timed.outcome(id.0);
    assert_eq!(outcome, "unknown");
    assert!(detail.starts_with("2 records in Atlassian have the externalId DUana ("), "{detail}");
    assert_eq!(timed.failing()[0].failing.reason, detail);
    // One of them is removed.
    scene.stage.atlassian.clear_faults();
    timed.minutes_pass(2);
    assert!(timed.settles().expect("it settles").is_empty());
    assert_eq!(as_text(&timed.outcome(id.0)), HAPPENED);
    assert_eq!(timed.failing(), []);
}

#[test]
fn a_create_that_a_later_one_settled_links_nobody_twice() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    timed.own("ana");
    let (outcome, detail) = timed.settled(create("ana"));
    assert_eq!((outcome.as_str(), detail.as_str()), ("refused", "settled by a later request, or linked already"));
}

#[test]
fn of_two_creates_of_one_person_the_later_one_happened_and_counts_for_the_day_after_it() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    let first = timed.is_cut_off(create("ana"));
    timed.minutes_pass(60);
    let second = timed.is_cut_off(create("ana"));
    scene.atlassian(|sim| drop(sim.add_user("ana", Some("DUana"))));
    assert!(timed.settles().expect("it settles").is_empty());
    assert_eq!((timed.outcome(first.0).0.as_str(), timed.outcome(second.0).0.as_str()), ("refused", "done"));
}

#[test]
fn an_update_happened_if_the_record_holds_the_values() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    let ana = timed.own("ana");
    assert_eq!(as_text(&timed.settled(update("ana", &ana, "Boss", false))), DID_NOT);
    scene.atlassian(|sim| sim.edit_user("ana", "title", json!("Boss"))).expect("an edit");
    assert_eq!(as_text(&timed.settled(update("ana", &ana, "Boss", false))), HAPPENED);
    assert_eq!(timed.accounts()[&person("ana")].attributes.value(Attribute::Title), Some("Boss"));
}

#[test]
fn an_update_did_not_happen_if_the_record_is_gone() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    let ana = timed.own("ana");
    assert!(scene.atlassian(|sim| sim.remove_user("ana")));
    assert_eq!(as_text(&timed.settled(update("ana", &ana, "Boss", false))), DID_NOT);
    assert_eq!(timed.accounts()[&person("ana")].attributes, attributes("ana"), "the snapshot is as it was");
}

#[test]
fn a_reactivation_happened_if_the_record_is_active_and_holds_the_values() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    let ana = timed.own("ana");
    let set = |path: &str, value| scene.atlassian(|sim| sim.edit_user("ana", path, value)).expect("an edit");
    set("active", json!(false));
    set("title", json!("Boss"));
    assert_eq!(as_text(&timed.settled(update("ana", &ana, "Boss", true))), DID_NOT);
    set("active", json!(true));
    assert_eq!(as_text(&timed.settled(update("ana", &ana, "Chief", true))), DID_NOT);
    assert_eq!(as_text(&timed.settled(update("ana", &ana, "Boss", true))), HAPPENED);
    assert_eq!(as_text(&timed.settled(update("ana", &ana, "", true))), HAPPENED, "nothing else was to change");
    // A record that does not say is active: inactive ones do say so.
    scene.atlassian(|sim| sim.settings_mut().active_in_reads = ActiveInReads::AbsentWhenTrue);
    assert_eq!(as_text(&timed.settled(update("ana", &ana, "Boss", true))), HAPPENED);
}

#[test]
fn a_deactivation_happened_if_the_record_is_inactive() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    let ana = timed.own("ana");
    assert_eq!(as_text(&timed.settled(deactivate("ana", &ana))), DID_NOT);
    scene.atlassian(|sim| sim.settings_mut().active_in_reads = ActiveInReads::AbsentWhenTrue);
    assert_eq!(as_text(&timed.settled(deactivate("ana", &ana))), DID_NOT, "a record that does not say is active");
    scene.atlassian(|sim| sim.edit_user("ana", "active", json!(false))).expect("an edit");
    assert_eq!(as_text(&timed.settled(deactivate("ana", &ana))), HAPPENED);
    assert!(!timed.accounts()[&person("ana")].active);
}

#[test]
fn a_deactivation_did_not_happen_if_the_record_is_gone() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    let ana = timed.own("ana");
    assert!(scene.atlassian(|sim| sim.remove_user("ana")));
    assert_eq!(as_text(&timed.settled(deactivate("ana", &ana))), DID_NOT);
    assert!(timed.accounts()[&person("ana")].active);
}

#[test]
fn a_link_is_made_without_asking_anybody() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    let request = Request::Adopt {
        groups: Vec::new(),
        person: person("ana"),
        username: "ana".to_owned(),
        scim_id: ScimId::new("s"),
        attributes: attributes("ana"),
        active: false,
    };
    assert_eq!(as_text(&timed.settled(request)), HAPPENED);
    assert!(!timed.accounts()[&person("ana")].active);
    assert!(scene.target_requests().is_empty());
}
