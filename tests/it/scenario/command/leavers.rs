//! `sync --person` and a source that does not tell the whole truth.

use super::super::super::sim::wire::{Answer, Edit, Effect, Fault, Match};
use super::super::scene::Scene;
use serde_json::Value;

/// Takes a group out of the list of groups, and corrects the total.
fn without_group(name: &'static str) -> Edit {
    Box::new(move |_, answer| {
        let mut body: Value = serde_json::from_slice(&answer.body).expect("JSON");
        let groups = body["response"].as_array_mut().expect("groups");
        groups.retain(|group| group["name"] != name);
        let left = groups.len();
        if let Some(total) = body["metadata"].get_mut("total_objects") {
            *total = left.into();
        }
        answer.body = body.to_string().into_bytes();
    })
}

#[test]
fn a_list_of_groups_that_lacks_one_takes_nothing_away_from_one_person_either() {
    let scene = Scene::settled(&["ana in eng", "bo in ops"]);
    scene.forget();
    let list = Match::get("/admin/v1/groups");
    scene.stage.duo.fault(Fault::always(list, Effect::Rewrite(without_group("eng"))));
    scene.changes_nothing(3, &["sync"]);
    let ran = scene.changes_nothing(3, &["sync", "--person", "ana"]);
    assert!(ran.stderr.contains("when asked for by its id"), "{}", ran.stderr);
    scene.stage.duo.clear_faults();
    // A group that is really gone takes its people with it.
    scene.day(|duo| {
        let id = duo.group_id("eng");
        duo.world().remove_group(&id);
    });
    scene.ends(0, &["sync", "--person", "ana"]);
    assert_eq!(scene.effects(), ["ana left eng", "deactivated ana"]);
}

#[test]
fn a_person_whom_duo_does_not_show_keeps_access() {
    let scene = Scene::settled(&["ana in eng", "bo in ops"]);
    scene.day(|duo| duo.status("ana", "disabled"));
    // What is tried again for a while (500, a page of a proxy) is with the readings that do not add up.
    let refusal = Answer::json(403, &serde_json::json!({ "stat": "FAIL", "code": 40301, "message": "no" }));
    scene.stage.duo.fault(Fault::always(Match::any().under("/admin/v1/users"), Effect::Answer(refusal)));
    scene.changes_nothing(3, &["sync", "--person", "ana"]);
}
