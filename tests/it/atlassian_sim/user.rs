//! `/Users`.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{ana_and_bo, get, names, patch, person, person_with, post, send, sim};
use crate::sim::atlassian::{ActiveInReads, AtlassianSim};

const EXTERNAL: &str = "urn:scim:schemas:extension:atlassian-external:1.0";

fn find(sim: &mut AtlassianSim, filter: &str) -> super::Got {
    get(sim, &format!("/Users?filter={}", utf8_percent_encode(filter, NON_ALPHANUMERIC)))
}

#[test]
fn a_new_user_is_answered_with_its_id_its_address_and_its_account() {
    let mut sim = sim();
    let got = post(&mut sim, "/Users", &person("ana"));
    assert_eq!(got.status, 201);
    assert_eq!(got.header("location"), Some(got.text("/meta/location").as_str()));
    assert_eq!(got.text("/meta/resourceType"), "User");
    assert_eq!(got.body["meta"].get("version"), None);
    assert_eq!((&got.body["groups"], &got.body["active"]), (&json!([]), &json!(true)));
    assert_eq!(got.body[EXTERNAL]["atlassianAccountId"].as_str().map(str::len), Some(24));
    assert_eq!(get(&mut sim, &format!("/Users/{}", got.id())).body, got.body);
}

#[test]
fn active_defaults_to_true_on_post_and_put() {
    let mut sim = sim();
    let id = post(&mut sim, "/Users", &person_with("ana", "active", Value::Null)).id();
    assert!(sim.user_by_user_name("ana@example.com").unwrap().active());
    patch(&mut sim, &format!("/Users/{id}"), &json!([{ "op": "replace", "path": "active", "value": false }]));
    assert!(!sim.user_by_user_name("ana@example.com").unwrap().active());
    let got = send(&mut sim, "PUT", &format!("/Users/{id}"), &person_with("ana", "active", Value::Null));
    assert_eq!((got.status, &got.body["active"]), (200, &json!(true)), "a PUT that forgets it reactivates");
}

#[test]
fn active_can_be_absent_from_reads() {
    let mut sim = sim();
    let id = sim.add_user("ana@example.com", None);
    sim.settings_mut().active_in_reads = ActiveInReads::AbsentWhenTrue;
    assert_eq!(get(&mut sim, &format!("/Users/{id}")).body.get("active"), None);
    sim.edit_user("ana", "active", json!(false)).unwrap_err();
    sim.edit_user("ana@example.com", "active", json!(false)).unwrap();
    assert_eq!(get(&mut sim, &format!("/Users/{id}")).body["active"], json!(false));
}

#[test]
fn what_a_user_must_have_is_checked() {
    let mut sim = sim();
    let mail = |value: &str, primary: bool| json!({ "value": value, "type": "work", "primary": primary });
    let cases = [
        ("userName", Value::Null),
        ("userName", json!(" ")),
        ("userName", json!(7)),
        ("emails", Value::Null),
        ("emails", json!([])),
        ("emails", json!([{ "type": "work", "primary": true }])),
        ("emails", json!([mail("no address", true)])),
        ("emails", json!([mail("a@example.com", false)])),
        ("emails", json!([mail("a@example.com", true), mail("b@example.com", true)])),
        ("emails", json!("a@example.com")),
        ("active", json!("False")),
        ("displayName", json!(["x"])),
        ("name", json!("x")),
    ];
    for (attribute, value) in cases {
        let got = post(&mut sim, "/Users", &person_with("ana", attribute, value.clone()));
        assert_eq!((got.status, got.text("/scimType").as_str()), (400, "invalidValue"), "{attribute} {value}");
    }
    assert_eq!(sim.users().count(), 0);
}

#[test]
fn unknown_and_read_only_attributes_are_ignored_and_names_have_no_case() {
    let mut sim = sim();
    let mut body = person("ana");
    for (name, value) in [("id", json!("mine")), ("groups", json!([1])), ("shoeSize", json!(41)), ("TITLE", json!("x"))]
    {
        body[name] = value;
    }
    let got = post(&mut sim, "/Users", &body);
    assert_eq!((got.status, got.text("/title").as_str()), (201, "x"));
    assert_ne!(got.id(), "mine");
    assert_eq!(got.body.get("shoeSize"), None);
}

#[test]
fn names_addresses_and_external_ids_are_unique() {
    let mut sim = sim();
    let ana = post(&mut sim, "/Users", &person("ana")).id();
    let taken = |what: &str| (409, "uniqueness".to_owned(), format!("Resource [USER]: with {what} already exists."));
    let email = json!([{ "value": "ANA@example.com", "primary": true }]);
    let cases = [
        ("userName", json!("ANA@example.com"), "userName[ANA@example.com]"),
        ("emails", email, "email[ANA@example.com]"),
        ("externalId", json!("DU-ana"), "externalId[DU-ana]"),
    ];
    let bo = post(&mut sim, "/Users", &person("bo")).id();
    for (attribute, value, what) in cases {
        let cy = person_with("cy", attribute, value.clone());
        assert_eq!(post(&mut sim, "/Users", &cy).refusal(), taken(what));
        let put = send(&mut sim, "PUT", &format!("/Users/{bo}"), &person_with("bo", attribute, value.clone()));
        assert_eq!(put.refusal(), taken(what));
        let operations = json!([{ "op": "replace", "path": attribute, "value": value }]);
        assert_eq!(patch(&mut sim, &format!("/Users/{bo}"), &operations).refusal(), taken(what));
    }
    assert_eq!(post(&mut sim, "/Users", &person_with("cy", "externalId", json!("du-ANA"))).status, 201, "case-exact");
    let own = send(&mut sim, "PUT", &format!("/Users/{ana}"), &person("ana"));
    assert_eq!(own.status, 200, "nobody is in the way of themselves");
}

#[test]
fn an_address_can_be_taken_by_somebody_whom_no_query_finds() {
    let mut sim = sim();
    sim.settings_mut().taken_emails.push("ana@example.com".to_owned());
    assert_eq!(post(&mut sim, "/Users", &person("ana")).status, 409);
    assert_eq!(find(&mut sim, r#"userName eq "ana@example.com""#).body["totalResults"], json!(0));
}

#[test]
fn pages_hold_a_hundred_and_count_from_one() {
    let mut sim = sim();
    for n in 0..250 {
        sim.add_user(&format!("p{n:03}@example.com"), None);
    }
    let cases = [
        ("", 1, 100, "p000"),
        ("?count=200", 1, 100, "p000"),
        ("?startIndex=101&count=200", 101, 100, "p100"),
        ("?startIndex=201", 201, 50, "p200"),
        ("?startIndex=0&count=2", 1, 2, "p000"),
        ("?count=0", 1, 0, ""),
        ("?count=-3", 1, 0, ""),
        ("?startIndex=900", 900, 0, ""),
    ];
    for (query, start, size, first) in cases {
        let got = get(&mut sim, &format!("/Users{query}"));
        assert_eq!(got.body["totalResults"], json!(250), "{query}");
        assert_eq!((&got.body["startIndex"], &got.body["itemsPerPage"]), (&json!(start), &json!(size)), "{query}");
        assert_eq!(got.body["Resources"].as_array().unwrap().len(), size);
        assert!(got.text("/Resources/0/userName").starts_with(first), "{query}");
    }
    assert_eq!(get(&mut sim, "/Users?count=x").status, 400);
}

#[test]
fn users_are_found_by_user_name_and_external_id_only() {
    let mut sim = sim();
    let odd = r#"o"bri\en+x@example.com"#;
    sim.add_user(odd, Some("DU1"));
    for filter in [
        format!("userName eq {}", json!(odd)),
        format!("USERNAME EQ {}", json!(odd.to_uppercase())),
        r#"externalid eq "DU1""#.to_owned(),
    ] {
        assert_eq!(find(&mut sim, &filter).body["totalResults"], json!(1), "{filter}");
    }
    assert_eq!(find(&mut sim, r#"externalId eq "du1""#).body["totalResults"], json!(0), "case-exact");
    let plus = get(&mut sim, r#"/Users?filter=userName+eq+"o\"bri\\en+x@example.com""#);
    assert_eq!(plus.body["totalResults"], json!(0), "a plus sign that is not encoded is a space");
    for filter in [
        r#"emails.value eq "a""#,
        r#"userName co "a""#,
        r#"userName eq "a" and externalId eq "b""#,
        "userName eq a",
        "userName pr",
        "userName eq true",
        "",
    ] {
        let refusal = (400, "invalidFilter".to_owned(), "Resource [USER] invalid filter".to_owned());
        assert_eq!(find(&mut sim, filter).refusal(), refusal, "{filter}");
    }
}

#[test]
fn a_new_user_can_be_late_to_appear_in_filters() {
    let mut sim = sim();
    sim.settings_mut().visible_after = 2;
    let id = post(&mut sim, "/Users", &person("ana")).id();
    let filter = r#"externalId eq "DU-ana""#;
    let seen: Vec<_> = (0..3).map(|_| find(&mut sim, filter).body["totalResults"].as_u64().unwrap()).collect();
    assert_eq!(seen, [0, 0, 1]);
    assert_eq!(get(&mut sim, &format!("/Users/{id}")).status, 200);
}

#[test]
fn answers_can_be_cut_to_some_attributes() {
    let mut sim = sim();
    let mut body = person("ana");
    body["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"] =
        json!({ "department": "R", "organization": "O" });
    let id = post(&mut sim, "/Users", &body).id();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    let got = get(&mut sim, &format!("/Users/{id}?attributes=username,emails.value,emails.type"));
    assert_eq!(keys(&got.body), "emails id schemas userName");
    assert_eq!(got.body["emails"], json!([{ "value": "ana@example.com", "type": "work" }]));
    let one = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
    let got = get(&mut sim, &format!("/Users/{id}?attributes={one}"));
    assert_eq!(got.body["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"], json!({ "department": "R" }));
    let got = get(&mut sim, &format!("/Users?excludedAttributes=meta,groups,id,emails.type,{EXTERNAL},{one}"));
    let user = &got.body["Resources"][0];
    assert!(!keys(user).contains("meta") && !keys(user).contains("groups") && keys(user).contains("id"));
    assert_eq!((user.get(EXTERNAL), user["emails"][0].get("type")), (None, None));
    assert_eq!(get(&mut sim, "/Users?attributes=id&excludedAttributes=id").status, 400, "they exclude each other");
}

#[test]
fn a_managed_user_keeps_account_and_groups_through_updates() {
    let mut sim = sim();
    let (ana, ..) = ana_and_bo(&mut sim);
    let account = sim.user_by_user_name("ana@example.com").unwrap().account_id.clone();
    let email = json!([{ "value": "ana.new@example.com", "type": "work", "primary": true }]);
    let operations = json!([
        { "op": "replace", "path": "title", "value": "CTO" },
        { "op": "replace", "path": "emails", "value": email },
    ]);
    assert_eq!(patch(&mut sim, &format!("/Users/{ana}"), &operations).status, 200);
    assert_eq!(sim.user_by_user_name("ana@example.com").unwrap().account_id, account);
    assert_eq!(names(&sim, "eng"), ["ana", "bo"]);
}

#[test]
fn any_attribute_update_unlinks_an_unmanaged_user_and_drops_its_groups() {
    let mut sim = sim();
    let id = sim.add_user("eve@elsewhere.org", Some("DU-eve"));
    sim.add_group("eng");
    sim.add_member("eng", "eve@elsewhere.org");
    let target = format!("/Users/{id}");
    let got = patch(&mut sim, &target, &json!([{ "op": "replace", "path": "active", "value": false }]));
    assert!(got.body.get(EXTERNAL).is_some(), "`active` alone is harmless");
    assert_eq!(names(&sim, "eng").len(), 1);
    let same = json!([{ "op": "replace", "path": "displayName", "value": "eve@elsewhere.org" }]);
    let got = patch(&mut sim, &target, &same);
    assert_eq!((got.status, got.body.get(EXTERNAL)), (200, None), "even where nothing changes");
    assert_eq!(got.body["groups"], json!([]));
    assert_eq!(names(&sim, "eng").len(), 0);
    let lines = ["deactivated", "unlinked"].map(|what| format!("{what} eve@elsewhere.org"));
    assert_eq!(sim.effect_lines(), [&lines[..], &["eve@elsewhere.org left eng".to_owned()]].concat());
}

#[test]
fn an_address_outside_the_verified_domains_breaks_the_link() {
    let mut sim = sim();
    let (ana, ..) = ana_and_bo(&mut sim);
    let away = json!([{ "op": "replace", "path": r#"emails[type eq "work"].value"#, "value": "ana@elsewhere.org" }]);
    assert_eq!(patch(&mut sim, &format!("/Users/{ana}"), &away).status, 200);
    let back = json!([{ "op": "replace", "path": r#"emails[type eq "work"].value"#, "value": "ana@example.com" }]);
    let got = patch(&mut sim, &format!("/Users/{ana}"), &back);
    assert_eq!(got.body.get(EXTERNAL), None, "correcting it does not bring the link back");
    assert_eq!(names(&sim, "eng"), ["bo"]);
}

#[test]
fn a_deleted_user_is_gone_and_comes_back_with_another_id_and_the_same_account() {
    let mut sim = sim();
    let first = post(&mut sim, "/Users", &person("ana"));
    sim.add_group("eng");
    sim.add_member("eng", "ana@example.com");
    let target = format!("/Users/{}", first.id());
    assert_eq!(send(&mut sim, "DELETE", &target, &Value::Null).status, 204);
    assert_eq!(get(&mut sim, &target).status, 404);
    assert_eq!(find(&mut sim, r#"externalId eq "DU-ana""#).body["totalResults"], json!(0));
    assert_eq!(names(&sim, "eng").len(), 0);
    let again = post(&mut sim, "/Users", &person("ana"));
    assert_eq!(again.status, 201);
    assert_ne!(again.id(), first.id());
    assert_eq!(again.body[EXTERNAL], first.body[EXTERNAL]);
}

#[test]
fn a_put_clears_what_it_does_not_name() {
    let mut sim = sim();
    let id = post(&mut sim, "/Users", &person_with("ana", "title", json!("CTO"))).id();
    let got = send(&mut sim, "PUT", &format!("/Users/{id}"), &person("ana"));
    assert_eq!((got.status, got.body.get("title")), (200, None));
    assert_eq!(got.id(), id);
}

#[test]
fn deactivation_keeps_memberships() {
    let mut sim = sim();
    let (ana, ..) = ana_and_bo(&mut sim);
    let got =
        patch(&mut sim, &format!("/Users/{ana}"), &json!([{ "op": "replace", "path": "active", "value": false }]));
    assert_eq!(got.text("/groups/0/display"), "eng");
    assert_eq!(names(&sim, "eng"), ["ana", "bo"]);
    assert_eq!(sim.effect_lines(), ["deactivated ana@example.com"]);
}

#[test]
fn a_full_licence_refuses_new_and_returning_users() {
    let mut sim = sim();
    let ana = sim.add_user("ana@example.com", None);
    sim.edit_user("ana@example.com", "active", json!(false)).unwrap();
    sim.add_user("bo@example.com", None);
    sim.settings_mut().seats_max = Some(1);
    assert_eq!(post(&mut sim, "/Users", &person("cy")).status, 400);
    assert_eq!(post(&mut sim, "/Users", &person_with("cy", "active", json!(false))).status, 201);
    let back = json!([{ "op": "replace", "path": "active", "value": true }]);
    let got = patch(&mut sim, &format!("/Users/{ana}"), &back);
    assert!(got.status == 400 && got.text("/detail").starts_with("licenceExceeded"));
}

#[test]
fn what_somebody_else_changes_is_no_effect_of_ours() {
    let mut sim = sim();
    ana_and_bo(&mut sim);
    let before = sim.snapshot();
    assert!(sim.unlink("ana@example.com") && sim.remove_user("bo@example.com") && !sim.remove_user("bo@example.com"));
    assert!(sim.add_user_from(&person("cy")).is_ok() && sim.add_user_from(&person("cy")).is_err());
    let after = sim.snapshot();
    assert_ne!(before, after);
    assert!(!after.users["ana@example.com"].linked && after.groups["eng"].is_empty());
    assert_eq!(after.users["cy@example.com"].external_id.as_deref(), Some("DU-cy"));
    assert_eq!(sim.effects(), []);
}
