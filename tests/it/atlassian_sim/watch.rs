//! The watchdog of our product's promises.

use serde_json::{Value, json};

use super::{ana_and_bo, patch, person, person_with, post, send, sim, team};

#[test]
fn a_whole_life_in_good_manners_breaks_no_promise() {
    let mut sim = sim();
    let ana = post(&mut sim, "/Users", &person("ana")).id();
    let eng = post(&mut sim, "/Groups", &team("eng")).id();
    let (user, group) = (format!("/Users/{ana}"), format!("/Groups/{eng}"));
    let join = json!([{ "op": "add", "path": "members", "value": [{ "value": ana }] }]);
    let leave = json!([{ "op": "remove", "path": format!("members[value eq \"{ana}\"]") }]);
    let active = |value: bool| json!([{ "op": "replace", "path": "active", "value": value }]);
    for _ in 0..2 {
        patch(&mut sim, &group, &join);
        patch(&mut sim, &group, &leave);
        patch(&mut sim, &user, &active(false));
        patch(&mut sim, &user, &active(true));
    }
    patch(&mut sim, &user, &json!([{ "op": "replace", "path": "displayName", "value": "Ana Lima" }]));
    assert_eq!(sim.violations(), Vec::<String>::new());
    let name = "ana@example.com";
    assert_eq!(
        sim.effect_lines()[..6],
        [
            format!("created user {name}"),
            "created group eng".to_owned(),
            format!("{name} joined eng"),
            format!("{name} left eng"),
            format!("deactivated {name}"),
            format!("reactivated {name}"),
        ]
    );
    assert_eq!(sim.effect_lines().last(), Some(&format!("changed displayName of {name}")));
}

#[test]
fn every_broken_promise_is_noted_and_answered_all_the_same() {
    let mut sim = sim();
    let (ana, bo, eng) = ana_and_bo(&mut sim);
    let cy = sim.add_user("cy@example.com", None);
    let eve = sim.add_user("eve@elsewhere.org", None);
    let (user, group) = (format!("/Users/{ana}"), format!("/Groups/{eng}"));
    let add = json!([{ "op": "add", "path": "members", "value": [{ "value": ana }, { "value": bo }] }]);
    let leave = json!([{ "op": "remove", "path": format!("members[value eq \"{cy}\"]") }]);
    let title = json!([{ "op": "replace", "path": "title", "value": "CTO" }]);
    let two = json!([{ "value": "a@example.com", "primary": true }, { "value": "b@example.com", "primary": true }]);
    let rename = json!([{ "op": "replace", "path": "displayName", "value": "new" }]);
    let bare = json!({ "Operations": [{ "op": "replace", "path": "title", "value": "CFO" }] });

    let mut noted = |what: &str, act: &mut dyn FnMut(&mut crate::sim::atlassian::AtlassianSim)| {
        sim.forget_the_past();
        act(&mut sim);
        let violations = sim.violations();
        assert!(violations.iter().any(|v| v.contains(what)), "{what}: {violations:?}");
    };
    noted("changed nothing", &mut |sim| assert_eq!(patch(sim, &group, &add).status, 200));
    noted("changed nothing", &mut |sim| assert_eq!(patch(sim, &group, &leave).status, 200));
    noted("the same write again", &mut |sim| {
        assert_eq!(patch(sim, &user, &title).status, 200);
        assert_eq!(sim.violations(), Vec::<String>::new());
        assert_eq!(patch(sim, &user, &title).status, 200);
    });
    noted("the same write again", &mut |sim| {
        assert_eq!(post(sim, "/Users", &person("dan")).status, 201);
        assert_eq!(post(sim, "/Users", &person("dan")).status, 409);
    });
    noted("PUT clears", &mut |sim| assert_eq!(send(sim, "PUT", &group, &team("eng")).status, 200));
    noted("no `schemas`", &mut |sim| assert_eq!(send(sim, "PATCH", &user, &bare).status, 200));
    noted("without `active`", &mut |sim| {
        assert_eq!(post(sim, "/Users", &person_with("fay", "active", Value::Null)).status, 201);
    });
    noted("without `externalId`", &mut |sim| {
        assert_eq!(post(sim, "/Users", &person_with("gil", "externalId", Value::Null)).status, 201);
    });
    noted("primary", &mut |sim| {
        assert_eq!(post(sim, "/Users", &person_with("hal", "emails", two.clone())).status, 400);
    });
    noted("not managed", &mut |sim| assert_eq!(patch(sim, &format!("/Users/{eve}"), &title).status, 200));
    noted("a rename", &mut |sim| assert_eq!(patch(sim, &group, &rename).status, 200));
    noted("DELETE cannot", &mut |sim| assert_eq!(send(sim, "DELETE", &user, &Value::Null).status, 204));
}

#[test]
fn a_watchdog_that_is_not_strict_sees_nothing() {
    let mut sim = sim();
    sim.settings_mut().strict = false;
    let (ana, ..) = ana_and_bo(&mut sim);
    send(&mut sim, "DELETE", &format!("/Users/{ana}"), &Value::Null);
    assert_eq!(sim.violations(), Vec::<String>::new());
}

#[test]
fn a_refused_write_may_be_tried_again() {
    let mut sim = sim();
    sim.settings_mut().taken_group_names.push("eng".to_owned());
    assert_eq!(post(&mut sim, "/Groups", &team("eng")).status, 409);
    assert_eq!(post(&mut sim, "/Groups", &team("eng")).status, 409);
    sim.settings_mut().taken_group_names.clear();
    assert_eq!(post(&mut sim, "/Groups", &team("eng")).status, 201);
    assert_eq!(sim.violations(), Vec::<String>::new());
}

#[test]
fn a_directory_that_is_put_back_is_as_it_was() {
    let mut sim = sim();
    let (ana, ..) = ana_and_bo(&mut sim);
    let (kept, snapshot, effects) = (sim.keep(), sim.snapshot(), sim.effect_lines());
    for _ in 0..2 {
        sim.settings_mut().taken_group_names.push("eng".to_owned());
        assert_eq!(post(&mut sim, "/Users", &person("dan")).status, 201);
        send(&mut sim, "DELETE", &format!("/Users/{ana}"), &Value::Null);
        assert!(sim.snapshot() != snapshot && !sim.violations().is_empty());
        sim.put_back(&kept);
        assert_eq!((sim.snapshot(), sim.effect_lines()), (snapshot.clone(), effects.clone()));
        assert_eq!(sim.violations(), Vec::<String>::new());
        assert!(sim.settings().taken_group_names.is_empty());
    }
}
