//! `/Groups`.

use serde_json::{Value, json};

use super::{ana_and_bo, get, names, patch, post, send, sim, team};
use crate::sim::atlassian::{MemberRemoval, Rename};

#[test]
fn a_group_is_answered_whole() {
    let mut sim = sim();
    let (ana, _, eng) = ana_and_bo(&mut sim);
    let got = get(&mut sim, &format!("/Groups/{eng}"));
    assert_eq!(got.text("/meta/resourceType"), "Group");
    let member = &got.body["members"][0];
    assert_eq!([&member["type"], &member["value"], &member["display"]], ["User", &ana, "ana@example.com"]);
    assert!(member["$ref"].as_str().unwrap().ends_with(&format!("/Users/{ana}")));
    let listed = get(&mut sim, "/Groups?excludedAttributes=members");
    assert_eq!(listed.body["Resources"][0], got.body, "groups cannot be cut");
}

#[test]
fn groups_are_found_by_name_only() {
    let mut sim = sim();
    sim.add_group("Eng");
    assert_eq!(get(&mut sim, "/Groups?filter=displayname%20eq%20%22eng%22").body["totalResults"], json!(1));
    assert_eq!(get(&mut sim, "/Groups?filter=displayName%20eq%20%22x%22").body["totalResults"], json!(0));
    let got = get(&mut sim, "/Groups?filter=externalId%20eq%20%22x%22");
    assert_eq!(got.refusal(), (400, "invalidFilter".to_owned(), "Resource [GROUP] invalid filter".to_owned()));
}

#[test]
fn group_names_are_unique_in_the_organization() {
    let mut sim = sim();
    sim.settings_mut().taken_group_names.push("Local".to_owned());
    assert_eq!(post(&mut sim, "/Groups", &team("eng")).status, 201);
    let taken = (409, "uniqueness".to_owned(), "Resource [GROUP]: with displayName already exists.".to_owned());
    assert_eq!(post(&mut sim, "/Groups", &team("ENG")).refusal(), taken);
    assert_eq!(post(&mut sim, "/Groups", &team("local")).refusal(), taken, "no query finds that one");
    assert_eq!(sim.effect_lines(), ["created group eng"]);
    assert_eq!(post(&mut sim, "/Groups", &team(" ")).status, 400);
}

#[test]
fn a_default_group_is_accepted_and_never_propagated() {
    let mut sim = sim();
    assert_eq!(post(&mut sim, "/Groups", &team("Site-Admins")).status, 201);
    assert_eq!(post(&mut sim, "/Groups", &team("eng")).status, 201);
    let propagated: Vec<bool> = sim.groups().map(|group| group.propagated).collect();
    assert_eq!(propagated, [false, true]);
}

#[test]
fn a_group_cannot_be_renamed() {
    let mut sim = sim();
    let (_, _, eng) = ana_and_bo(&mut sim);
    let target = format!("/Groups/{eng}");
    let operations = json!([{ "op": "replace", "path": "displayName", "value": "new" }]);
    for pathless in [operations.clone(), json!([{ "op": "replace", "value": { "displayName": "new" } }])] {
        let got = patch(&mut sim, &target, &pathless);
        assert_eq!((got.status, got.text("/displayName").as_str()), (200, "eng"));
    }
    sim.settings_mut().rename = Rename::Refused;
    let got = patch(&mut sim, &target, &operations);
    assert_eq!((got.status, got.text("/scimType").as_str()), (400, "mutability"));
    let got = send(&mut sim, "PUT", &target, &team("new"));
    assert_eq!((got.status, got.text("/scimType").as_str()), (400, "mutability"));
    assert_eq!(names(&sim, "eng"), ["ana", "bo"]);
}

#[test]
fn members_are_added_and_the_whole_group_is_answered() {
    let mut sim = sim();
    let (ana, bo, _) = ana_and_bo(&mut sim);
    let id = post(&mut sim, "/Groups", &team("ops")).id();
    let add = json!([{ "op": "add", "path": "members", "value": [{ "value": ana, "display": "x" }, { "value": bo }] }]);
    let got = patch(&mut sim, &format!("/Groups/{id}"), &add);
    assert_eq!((got.status, got.body["members"].as_array().unwrap().len()), (200, 2));
    assert_eq!(sim.effect_lines(), ["created group ops", "ana@example.com joined ops", "bo@example.com joined ops"]);
    assert_eq!(get(&mut sim, &format!("/Users/{ana}")).body["groups"].as_array().unwrap().len(), 2);
}

#[test]
fn an_unknown_member_is_404_in_a_patch_and_a_java_exception_in_a_put() {
    let mut sim = sim();
    let (ana, _, eng) = ana_and_bo(&mut sim);
    let cy = sim.add_user("cy@example.com", None);
    let target = format!("/Groups/{eng}");
    let operations = json!([
        { "op": "add", "path": "members", "value": [{ "value": cy }] },
        { "op": "add", "path": "members", "value": [{ "value": "gone" }] },
    ]);
    assert_eq!(patch(&mut sim, &target, &operations).status, 404);
    let mut body = team("eng");
    body["members"] = json!([{ "value": ana }, { "value": "gone" }]);
    let got = send(&mut sim, "PUT", &target, &body);
    assert_eq!((got.status, got.text("/responseStatus").as_str()), (400, "BAD_REQUEST"));
    assert!(got.body.get("schemas").is_none() && got.body["stackTrace"].is_array());
    assert_eq!(names(&sim, "eng"), ["ana", "bo"], "neither changed anything");
}

#[test]
fn a_put_replaces_the_members() {
    let mut sim = sim();
    let (ana, _, eng) = ana_and_bo(&mut sim);
    let mut body = team("eng");
    body["members"] = json!([{ "value": ana }]);
    assert_eq!(send(&mut sim, "PUT", &format!("/Groups/{eng}"), &body).status, 200);
    assert_eq!(names(&sim, "eng"), ["ana"]);
    assert_eq!(sim.effect_lines(), ["bo@example.com left eng"]);
}

#[test]
fn each_form_of_removal_works_where_the_switch_lets_it() {
    let cases = [
        (MemberRemoval::Both, "filter", vec!["bo"]),
        (MemberRemoval::Both, "values", vec!["bo"]),
        (MemberRemoval::FilterOnly, "filter", vec!["bo"]),
        (MemberRemoval::FilterOnly, "values", vec![]),
        (MemberRemoval::ValuesOnly, "filter", vec!["ana", "bo"]),
        (MemberRemoval::ValuesOnly, "values", vec!["bo"]),
        (MemberRemoval::Both, "all", vec![]),
    ];
    for (switch, form, left) in cases {
        let mut sim = sim();
        sim.settings_mut().member_removal = switch;
        let (ana, _, eng) = ana_and_bo(&mut sim);
        let operation = match form {
            "filter" => json!({ "op": "remove", "path": format!("members[value eq \"{ana}\"]") }),
            "values" => json!({ "op": "Remove", "path": "members", "value": [{ "value": ana }] }),
            _ => json!({ "op": "remove", "path": "members" }),
        };
        assert_eq!(patch(&mut sim, &format!("/Groups/{eng}"), &json!([operation])).status, 200);
        assert_eq!(names(&sim, "eng"), left, "{switch:?} {form}");
    }
}

#[test]
fn a_request_can_name_too_many_members() {
    let mut sim = sim();
    let (ana, bo, eng) = ana_and_bo(&mut sim);
    sim.settings_mut().members_per_request_max = 1;
    let remove = |id: &str| json!({ "op": "remove", "path": format!("members[value eq \"{id}\"]") });
    let got = patch(&mut sim, &format!("/Groups/{eng}"), &json!([remove(&ana), remove(&bo)]));
    assert_eq!((got.status, got.text("/scimType").as_str()), (400, "tooMany"));
    assert_eq!(patch(&mut sim, &format!("/Groups/{eng}"), &json!([remove(&ana)])).status, 200);
    assert_eq!(names(&sim, "eng"), ["bo"]);
}

#[test]
fn a_deleted_group_is_gone() {
    let mut sim = sim();
    let (ana, _, eng) = ana_and_bo(&mut sim);
    assert_eq!(send(&mut sim, "DELETE", &format!("/Groups/{eng}"), &Value::Null).status, 204);
    assert_eq!(get(&mut sim, &format!("/Groups/{eng}")).status, 404);
    assert_eq!(get(&mut sim, &format!("/Users/{ana}")).body["groups"], json!([]));
    assert_eq!(post(&mut sim, "/Groups", &team("eng")).status, 201, "the name is free again");
}
