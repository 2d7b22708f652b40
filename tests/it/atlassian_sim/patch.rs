//! PATCH of users.

use serde_json::{Value, json};

use super::{Got, patch, person, person_with, post, send, sim};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Ana after these operations.
fn patched(operations: &Value) -> Got {
    let mut sim = sim();
    let mut ana = person_with("ana", "name", json!({ "givenName": "Ana", "familyName": "Lima" }));
    if let Some(ana) = ana.as_object_mut() {
        ana.insert("title".to_owned(), json!("CTO"));
    }
    let id = post(&mut sim, "/Users", &ana).id();
    patch(&mut sim, &format!("/Users/{id}"), operations)
}

#[test]
fn every_kind_of_path_reaches_its_place() {
    let department = format!("{ENTERPRISE}:department");
    let cases = [
        ("displayName", json!("A"), "/displayName"),
        ("DISPLAYNAME", json!("A"), "/displayName"),
        ("urn:ietf:params:scim:schemas:core:2.0:User:displayName", json!("A"), "/displayName"),
        ("name.givenName", json!("A"), "/name/givenName"),
        (r#"emails[type eq "work"].value"#, json!("a@example.com"), "/emails/0/value"),
        ("emails[Primary EQ true].value", json!("a@example.com"), "/emails/0/value"),
        (department.as_str(), json!("A"), "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/department"),
        ("department", json!("A"), "/department"),
        ("externalId", json!("A"), "/externalId"),
        ("active", json!(false), "/active"),
    ];
    for op in ["add", "replace", "Replace"] {
        for (path, value, pointer) in &cases {
            let got = patched(&json!([{ "op": op, "path": path, "value": value }]));
            assert_eq!((got.status, got.body.pointer(pointer)), (200, Some(value)), "{op} {path} {}", got.body);
        }
    }
}

#[test]
fn an_object_without_a_path_is_merged() {
    let value = json!({
        "displayName": "A", "name.givenName": "B", "name": { "middleName": "C" }, "id": "mine",
        ENTERPRISE: { "department": "D" },
    });
    let got = patched(&json!([{ "op": "replace", "value": value }]));
    assert_eq!(got.text("/displayName"), "A");
    assert_eq!(got.body["name"], json!({ "givenName": "B", "familyName": "Lima", "middleName": "C" }));
    assert_eq!(got.body[ENTERPRISE], json!({ "department": "D" }));
    assert_eq!(patched(&json!([{ "op": "add", "value": 3 }])).status, 400);
}

#[test]
fn a_removal_takes_one_value_or_all() {
    let got = patched(&json!([{ "op": "remove", "path": "title" }, { "op": "remove", "path": "name.givenName" }]));
    assert_eq!((got.body.get("title"), &got.body["name"]), (None, &json!({ "familyName": "Lima" })));
    for path in ["userName", "emails", r#"emails[type eq "work"]"#] {
        let got = patched(&json!([{ "op": "remove", "path": path }]));
        assert_eq!((got.status, got.text("/scimType").as_str()), (400, "invalidValue"), "{path} is required");
    }
}

#[test]
fn a_new_primary_address_takes_that_from_the_old_one() {
    let home = json!({ "value": "ana@home.example.com", "type": "home", "primary": true });
    let got = patched(&json!([{ "op": "add", "path": "emails", "value": [home] }]));
    let primaries: Vec<&Value> = got.body["emails"].as_array().unwrap().iter().map(|e| &e["primary"]).collect();
    assert_eq!(primaries, [&json!(false), &json!(true)]);
    let got = patched(&json!([
        { "op": "add", "path": r#"emails[type eq "home"].value"#, "value": "ana@home.example.com" },
        { "op": "replace", "path": r#"emails[type eq "home"].primary"#, "value": true },
    ]));
    assert_eq!(got.body["emails"][1], home);
    assert_eq!(got.body["emails"][0]["primary"], json!(false));
}

#[test]
fn what_a_patch_may_not_do_is_refused_with_its_reason() {
    let cases = [
        (json!([]), "invalidSyntax"),
        (json!([{ "op": "move", "path": "title" }]), "invalidSyntax"),
        (json!([{ "op": "remove" }]), "noTarget"),
        (json!([{ "op": "replace", "path": "title" }]), "invalidValue"),
        (json!([{ "op": "replace", "path": "active", "value": "False" }]), "invalidValue"),
        (json!([{ "op": "replace", "path": r#"emails[type eq "home"].value"#, "value": "x@y.z" }]), "noTarget"),
        (json!([{ "op": "replace", "path": r#"emails[type co "home"].value"#, "value": "x@y.z" }]), "invalidFilter"),
        (json!([{ "op": "replace", "path": "emails[", "value": "x" }]), "invalidPath"),
        (json!([{ "op": "replace", "path": "name.", "value": "x" }]), "invalidPath"),
        (json!([{ "op": "replace", "path": "id", "value": "x" }]), "mutability"),
        (json!([{ "op": "replace", "path": "groups", "value": [] }]), "mutability"),
    ];
    for (operations, scim_type) in cases {
        let got = patched(&operations);
        assert_eq!((got.status, got.text("/scimType").as_str()), (400, scim_type), "{operations}");
    }
}

#[test]
fn unknown_attributes_are_tolerated() {
    for path in ["shoeSize", "name.shoe", "urn:example:1.0:X:y"] {
        let got = patched(&json!([{ "op": "replace", "path": path, "value": 1 }]));
        assert_eq!(got.status, 200, "{path}");
    }
}

#[test]
fn a_patch_succeeds_as_a_whole_or_not_at_all() {
    let mut sim = sim();
    let id = post(&mut sim, "/Users", &person("ana")).id();
    let operations = json!([
        { "op": "replace", "path": "displayName", "value": "changed" },
        { "op": "replace", "path": "active", "value": "no" },
    ]);
    let before = sim.snapshot();
    assert_eq!(patch(&mut sim, &format!("/Users/{id}"), &operations).status, 400);
    assert_eq!(sim.snapshot(), before);
}

#[test]
fn operations_may_be_spelled_in_lower_case() {
    let mut sim = sim();
    let id = post(&mut sim, "/Users", &person("ana")).id();
    let body = json!({ "schemas": ["x"], "operations": [{ "op": "replace", "path": "title", "value": "CTO" }] });
    assert_eq!(send(&mut sim, "PATCH", &format!("/Users/{id}"), &body).text("/title"), "CTO");
}
