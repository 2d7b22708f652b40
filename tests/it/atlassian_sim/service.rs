//! What stands before users and groups: keys, directories, limits, discovery.

use serde_json::{Value, json};

use super::{Got, get, patch, person, post, request, send, sim};
use crate::sim::atlassian::{Extensions, Guard, LimitHeaders, OtherDirectory, RateLimit, RetryHint};
use crate::sim::wire::Service as _;

#[test]
fn a_request_without_the_key_is_unauthorized_in_the_shape_of_the_gateway() {
    let mut sim = sim();
    for header in [None, Some("Bearer other"), Some("Basic simulated-scim-key")] {
        let mut request = request(&sim, "GET", "/Users", b"");
        request.headers = header.map(|h| ("authorization".to_owned(), h.to_owned())).into_iter().collect();
        let got = Got::from(sim.answer(&request));
        assert_eq!((got.status, got.text("/error").as_str()), (401, "Unauthorized"));
        assert_eq!(got.text("/traceId").len(), 32);
        assert_eq!(got.header("content-type"), Some("application/json"));
    }
}

#[test]
fn a_regenerated_and_an_expired_key_are_refused_alike() {
    let mut sim = sim();
    let old = request(&sim, "GET", "/Users", b"");
    sim.settings_mut().api_key = "regenerated".to_owned();
    assert_eq!(sim.answer(&old).status, 401);
    assert_eq!(get(&mut sim, "/Users").status, 200);
    sim.set_time_ms(1_000);
    sim.settings_mut().api_key_expires_at_ms = Some(1_000);
    assert_eq!(get(&mut sim, "/Users").status, 401);
}

#[test]
fn another_directory_is_not_found_or_forbidden() {
    let mut sim = sim();
    let mut other = request(&sim, "GET", "/Users", b"");
    other.path = "/scim/directory/other/Users".to_owned();
    assert_eq!(sim.answer(&other).status, 404);
    sim.settings_mut().other_directory = OtherDirectory::Forbidden;
    assert_eq!(sim.answer(&other).status, 403);
}

#[test]
fn an_organization_without_guard_is_refused_without_a_reason() {
    let mut sim = sim();
    sim.settings_mut().guard = Guard::LapsedForbidden;
    assert_eq!(get(&mut sim, "/Users").status, 403);
    sim.settings_mut().guard = Guard::LapsedNotFound;
    assert_eq!(get(&mut sim, "/Users").status, 404);
}

#[test]
fn what_is_not_offered_is_405_or_404() {
    let mut sim = sim();
    for (method, target) in [("DELETE", "/Users"), ("PATCH", "/Groups"), ("POST", "/Schemas"), ("POST", "/Users/1")] {
        assert_eq!(send(&mut sim, method, target, &json!({})).status, 405, "{method} {target}");
    }
    for target in ["/Bulk", "/Me", "/.search", "", "/Users/none", "/Groups/none", "/Schemas/none", "/ResourceTypes/X"] {
        let got = get(&mut sim, target);
        assert_eq!((got.status, got.text("/status").as_str()), (404, "404"), "{target}");
    }
}

#[test]
fn the_service_says_what_it_can_do() {
    let mut sim = sim();
    let got = get(&mut sim, "/ServiceProviderConfig");
    assert_eq!(got.header("content-type"), Some("application/scim+json"));
    assert_eq!(got.body["filter"], json!({ "supported": true, "maxResults": 100 }));
    assert_eq!(got.body["patch"]["supported"], json!(true));
    for feature in ["sort", "etag", "bulk", "changePassword"] {
        assert_eq!(got.body[feature]["supported"], json!(false), "{feature}");
    }
    assert_eq!(got.text("/authenticationSchemes/0/type"), "oauthbearertoken");
}

#[test]
fn every_schema_that_is_named_can_be_looked_up() {
    let mut sim = sim();
    let types = get(&mut sim, "/ResourceTypes");
    let mut named = Vec::new();
    for kind in types.body["Resources"].as_array().unwrap() {
        assert_eq!(get(&mut sim, &format!("/ResourceTypes/{}", kind["id"].as_str().unwrap())).body, *kind);
        named.push(kind["schema"].as_str().unwrap().to_owned());
        let extensions = kind["schemaExtensions"].as_array().unwrap();
        named.extend(extensions.iter().map(|e| e["schema"].as_str().unwrap().to_owned()));
    }
    let created = post(&mut sim, "/Users", &person("ana"));
    named.extend(created.body["schemas"].as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_owned()));
    for urn in named {
        let got = get(&mut sim, &format!("/Schemas/{urn}"));
        assert_eq!((got.status, got.id()), (200, urn));
    }
    assert_eq!(get(&mut sim, "/Schemas").body["totalResults"], json!(5));
    sim.settings_mut().extensions = Extensions::Standard;
    assert_eq!(get(&mut sim, "/Schemas").body["totalResults"], json!(3));
    let standard = get(&mut sim, &format!("/Users/{}", created.id()));
    assert_eq!(standard.text("/schemas/0"), "urn:ietf:params:scim:schemas:core:2.0:User");
}

#[test]
fn the_schemas_tell_what_is_required_unique_and_immutable() {
    let mut sim = sim();
    let told = |schema: &Value, name: &str| {
        let attributes = schema["attributes"].as_array().unwrap();
        let found = attributes.iter().find(|a| a["name"] == json!(name)).unwrap();
        [&found["required"], &found["uniqueness"], &found["mutability"]].map(ToString::to_string).join(" ")
    };
    let user = get(&mut sim, "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User").body;
    let group = get(&mut sim, "/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group").body;
    assert_eq!(told(&user, "userName"), r#"true "server" "readWrite""#);
    assert_eq!(told(&user, "emails"), r#"true "none" "readWrite""#);
    assert_eq!(told(&user, "groups"), r#"false "none" "readOnly""#);
    assert_eq!(told(&group, "displayName"), r#"true "server" "immutable""#);
}

#[test]
fn a_rate_limit_refuses_and_says_when_to_come_back() {
    let hints = [
        (RetryHint::Seconds, Some("retry-after"), "1"),
        (RetryHint::HttpDate, Some("retry-after"), "Mon, 05 Jan 2026 09:00:01 GMT"),
        (RetryHint::ResetIso, Some("x-ratelimit-reset"), "2026-01-05T09:00:01Z"),
        (RetryHint::ResetEpoch, Some("x-ratelimit-reset"), "1767603601"),
        (RetryHint::Silent, None, ""),
    ];
    for (hint, name, value) in hints {
        let mut sim = sim();
        sim.set_time_ms(1_767_603_600_000);
        sim.settings_mut().rate_limit = Some(RateLimit { per_second: 2, burst: 3, hint, headers: LimitHeaders::Sent });
        let left: Vec<_> = (0..3).map(|_| get(&mut sim, "/Users")).collect();
        let left: Vec<_> = left.iter().filter_map(|got| got.header("x-ratelimit-remaining")).collect();
        assert_eq!(left, ["2", "1", "0"]);
        let got = get(&mut sim, "/Users");
        assert_eq!((got.status, got.header("x-ratelimit-remaining")), (429, Some("0")));
        assert_eq!(name.and_then(|name| got.header(name)).unwrap_or_default(), value);
        sim.set_time_ms(1_767_603_600_500);
        assert_eq!(get(&mut sim, "/Users").status, 200, "a token arrives every half second");
        assert_eq!(get(&mut sim, "/Users").status, 429);
    }
}

#[test]
fn times_have_five_or_six_fraction_digits() {
    let mut sim = sim();
    for n in 0..40 {
        let made = post(&mut sim, "/Users", &person(&format!("p{n}"))).text("/meta/created");
        let (_, fraction) = made.trim_end_matches('Z').split_once('.').unwrap();
        assert!(fraction.len() == 5 || fraction.len() == 6, "{made}");
        assert!(made.parse::<jiff::Timestamp>().is_ok(), "{made}");
    }
}

#[test]
fn a_body_that_is_no_json_object_is_invalid_syntax() {
    let mut sim = sim();
    for (method, target) in [("POST", "/Users"), ("POST", "/Groups"), ("PATCH", "/Users/1"), ("PUT", "/Groups/1")] {
        let request = request(&sim, method, target, b"[1, 2");
        let got = Got::from(sim.answer(&request));
        assert_eq!((got.status, got.text("/scimType").as_str()), (400, "invalidSyntax"), "{method} {target}");
    }
}

#[test]
fn ten_thousand_users_in_fifty_groups_are_no_trouble() {
    let mut sim = sim();
    let ids: Vec<String> = (0..10_000).map(|n| sim.add_user(&format!("p{n}"), Some(&format!("DU{n}")))).collect();
    for g in 0..50 {
        let id = post(&mut sim, "/Groups", &super::team(&format!("g{g}"))).id();
        let members: Vec<_> = ids.iter().skip(g * 100).take(200 + 16 * g).map(|id| json!({ "value": id })).collect();
        let operation = json!([{ "op": "add", "path": "members", "value": members }]);
        assert_eq!(patch(&mut sim, &format!("/Groups/{id}"), &operation).status, 200);
    }
    assert_eq!(sim.members_of("g49").len(), 984);
    assert_eq!(sim.violations(), Vec::<String>::new());
}
