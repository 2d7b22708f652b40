//! Groups and memberships that were cut off.

use super::super::super::sim::wire::{Effect, Fault, Match};
use super::super::scene::Scene;
use super::super::timed::Timed;
use super::{group, person, rows};
use duo_atlassian_sync::model::{PersonId, ScimId};
use duo_atlassian_sync::store::Request;
use serde_json::json;
use std::collections::BTreeSet;

fn create(name: &str) -> Request {
    Request::CreateGroup { group: group(name), name: name.to_owned() }
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// eng with ana and bo; cy is in no group.
struct Team {
    eng: ScimId,
    members: Vec<(PersonId, ScimId)>,
}

impl Team {
    fn of(timed: &mut Timed<'_>) -> Self {
        let members = ["ana", "bo", "cy"].map(|name| (person(name), timed.own(name)));
        Self { eng: timed.own_group("eng", &["ana", "bo"]), members: members.to_vec() }
    }

    fn add(&self) -> Request {
        Request::AddMembers { group: group("eng"), scim_id: self.eng.clone(), members: self.members.clone() }
    }

    fn remove(&self) -> Request {
        let members = self.members[..2].to_vec();
        Request::RemoveMembers { group: group("eng"), scim_id: self.eng.clone(), members }
    }
}

#[test]
fn a_group_was_created_if_an_empty_one_of_that_name_is_there() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    assert_eq!(timed.settled(create("eng")).0, "unknown", "none is there yet");
    scene.atlassian(|sim| drop(sim.add_group("Eng")));
    assert_eq!(timed.settled(create("eng")).0, "done");
    assert_eq!(timed.members("eng"), names(&[]));
}

#[test]
fn a_group_that_is_not_visible_after_a_day_was_not_created() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    assert_eq!(timed.settled(create("eng")).0, "unknown", "it may only not be visible yet");
    timed.minutes_pass(23 * 60);
    let later = timed.settled(create("eng"));
    assert_eq!((later.0.as_str(), timed.outcome(1).0.as_str()), ("unknown", "unknown"));
    timed.minutes_pass(61);
    timed.settles().expect("it settles");
    assert_eq!((timed.outcome(1).0.as_str(), timed.outcome(2).0.as_str()), ("refused", "refused"));
}

#[test]
fn a_group_with_members_is_not_what_a_create_leaves_behind() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    scene.atlassian(|sim| {
        sim.add_group("eng");
        sim.add_user("guest", None);
        sim.add_member("eng", "guest");
    });
    assert_eq!(timed.settled(create("eng")).0, "unknown");
    assert!(timed.store.read_owned().expect("the snapshot").groups.is_empty(), "it is another's: nothing is linked");
}

#[test]
fn a_group_that_is_linked_already_is_not_linked_twice() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    timed.own_group("eng", &[]);
    let other = Request::CreateGroup { group: group("other"), name: "eng".to_owned() };
    let (outcome, detail) = timed.settled(other);
    assert_eq!((outcome.as_str(), detail.as_str()), ("refused", "settled by a later request, or linked already"));
}

#[test]
fn a_group_cannot_be_told_if_two_have_its_name() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    scene.atlassian(|sim| drop(sim.add_group("eng")));
    let twice = rows(|rows| {
        let mut twin = rows[0].clone();
        twin["id"] = json!("twin");
        rows.push(twin);
    });
    scene.stage.atlassian.fault(Fault::always(Match::method("GET").with_query("displayName"), Effect::Rewrite(twice)));
    let id = timed.is_cut_off(create("eng"));
    assert_eq!(timed.settles().expect("it settles").into_iter().collect::<Vec<_>>(), ["group:DGeng"]);
    assert_eq!(timed.outcome(id.0).0, "unknown");
    assert_eq!(timed.failing()[0].failing.reason, "2 groups in Atlassian are named \"eng\": remove all but one there");
}

#[test]
fn of_members_who_were_to_be_added_each_counts_alone() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    let team = Team::of(&mut timed);
    // Two of three are in: as if the third had been refused.
    assert_eq!(timed.settled(team.add()).0, "done");
    assert_eq!(timed.members("eng"), names(&["ana", "bo"]));
    scene.atlassian(|sim| sim.add_member("eng", "cy"));
    assert_eq!(timed.settled(team.add()).0, "done");
    assert_eq!(timed.members("eng"), names(&["ana", "bo", "cy"]));
}

#[test]
fn members_were_not_added_if_none_is_in_or_the_group_is_gone() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    let team = Team::of(&mut timed);
    scene.atlassian(|sim| ["ana", "bo"].into_iter().for_each(|name| assert!(sim.remove_member("eng", name))));
    assert_eq!(timed.settled(team.add()).0, "refused");
    scene.atlassian(|sim| sim.remove_group("eng"));
    assert_eq!(timed.settled(team.add()).0, "refused");
}

#[test]
fn of_members_who_were_to_be_removed_each_counts_alone() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    let team = Team::of(&mut timed);
    assert_eq!(timed.settled(team.remove()).0, "refused", "both are still in");
    scene.atlassian(|sim| sim.remove_member("eng", "bo"));
    assert_eq!(timed.settled(team.remove()).0, "done");
    assert_eq!(timed.members("eng"), names(&["ana"]));
    scene.atlassian(|sim| sim.remove_member("eng", "ana"));
    assert_eq!(timed.settled(team.remove()).0, "done");
    assert_eq!(timed.members("eng"), names(&[]));
}

#[test]
fn members_were_not_removed_if_the_group_is_gone() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    let team = Team::of(&mut timed);
    scene.atlassian(|sim| sim.remove_group("eng"));
    assert_eq!(timed.settled(team.remove()).0, "refused");
    assert_eq!(timed.members("eng"), names(&["ana", "bo"]), "what is true of it is for a whole reading to say");
}

#[test]
fn who_is_not_ours_any_more_has_no_membership_of_ours() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    let team = Team::of(&mut timed);
    scene.atlassian(|sim| assert!(sim.add_member("eng", "cy")));
    let add = timed.is_cut_off(team.add());
    scene.open().execute("DELETE FROM account WHERE user_id = 'DUcy'", []).expect("a correction");
    timed.settles().expect("it settles");
    assert_eq!(timed.outcome(add.0).0, "done");
    assert_eq!(timed.members("eng"), names(&["ana", "bo"]));
}

#[test]
fn that_others_left_meanwhile_is_for_a_whole_reading_to_say() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    let team = Team::of(&mut timed);
    let add =
        Request::AddMembers { group: group("eng"), scim_id: team.eng.clone(), members: team.members[2..].to_vec() };
    scene.atlassian(|sim| assert!(sim.add_member("eng", "cy") && sim.remove_member("eng", "bo")));
    assert!(!timed.store.is_refresh_due().expect("whether"));
    assert_eq!(timed.settled(add).0, "done");
    assert_eq!(timed.members("eng"), names(&["ana", "bo", "cy"]));
    assert!(timed.store.is_refresh_due().expect("whether"));
}

#[test]
fn a_removal_after_which_everybody_is_gone_is_said_although_its_answer_was_not_heard() {
    let scene = Scene::empty();
    let mut timed = Timed::of(&scene);
    let team = Team::of(&mut timed);
    for name in ["dan", "eve"] {
        timed.own(name);
        let joined = duo_atlassian_sync::store::Effect::Joined(group("eng"), vec![person(name)]);
        timed.effect(team.add(), joined);
    }
    let remove =
        Request::RemoveMembers { group: group("eng"), scim_id: team.eng.clone(), members: team.members[..1].to_vec() };
    scene.atlassian(|sim| assert!(sim.remove_member("eng", "ana") && sim.remove_member("eng", "bo")));
    assert_eq!(timed.settled(remove).0, "done");
    let failing = timed.failing();
    assert_eq!(failing.len(), 1, "{failing:?}");
    assert!(failing[0].failing.reason.contains("atlassian.member_removal"), "{failing:?}");
    assert!(timed.store.is_refresh_due().expect("whether"));
}
