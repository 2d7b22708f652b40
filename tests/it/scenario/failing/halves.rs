//! A request for many members is many records: one that is refused takes no others along.

use super::super::super::sim::wire::{Effect, Fault, Match};
use super::super::scene::Scene;
use super::{group_path, refusal, refuse};

/// Twenty people in eng; twelve of them are to join ops, in requests of eight.
fn many() -> Scene {
    let people: Vec<String> =
        (0..20).map(|number| format!("p{number:02} in eng{}", if number == 19 { " ops" } else { "" })).collect();
    let scene = Scene::with(&people.iter().map(String::as_str).collect::<Vec<_>>());
    scene.configure_atlassian("members_per_request_max = 8", "");
    scene.settle();
    scene.day(|duo| (0..12).for_each(|number| duo.join(&format!("p{number:02}"), "ops")));
    scene
}

#[test]
fn one_refused_member_takes_no_others_along() {
    let scene = many();
    scene.atlassian(|sim| sim.settings_mut().strict = false);
    // As if somebody had deleted the record: 404 for every request that names it.
    assert!(scene.atlassian(|sim| sim.remove_user("p03")));
    let ran = scene.ends(4, &["sync"]);
    assert!(ran.stdout.contains(", 1 join ("), "{}", ran.stdout);
    let joined = scene.atlassian(|sim| sim.members_of("ops"));
    assert_eq!(joined.len(), 12, "eleven and the one who was there: {joined:?}");
    let patches = scene.target_requests().iter().filter(|line| line.starts_with("PATCH")).count();
    assert_eq!(patches, 2 + 2 * 3, "two requests, and eight people are three halvings");
    // Newcomers do not wait with her.
    scene.day(|duo| duo.join("p15", "ops"));
    scene.ends(4, &["sync"]);
    assert_eq!(scene.effects(), ["p15 joined ops"]);
    let patches = scene.target_requests().iter().filter(|line| line.starts_with("PATCH")).count();
    assert_eq!(patches, 1, "she waits");
}

#[test]
fn two_refused_members_are_found_as_well() {
    let scene = many();
    scene.atlassian(|sim| sim.settings_mut().strict = false);
    for name in ["p02", "p10"] {
        assert!(scene.atlassian(|sim| sim.remove_user(name)));
    }
    scene.ends(4, &["sync"]);
    assert_eq!(scene.atlassian(|sim| sim.members_of("ops")).len(), 11);
    let status = scene.ends(4, &["status"]);
    assert_eq!(status.stdout.matches(", 1 join (").count(), 2, "{}", status.stdout);
}

#[test]
fn a_group_that_is_gone_costs_one_request_and_the_reason_says_so() {
    let scene = many();
    assert!(scene.atlassian(|sim| sim.remove_group("ops")));
    let ran = scene.ends(4, &["sync"]);
    assert!(ran.stdout.contains("the group does not exist in Atlassian any more"), "{}", ran.stdout);
    let patches = scene.target_requests().iter().filter(|line| line.starts_with("PATCH")).count();
    assert_eq!(patches, 1, "{:#?}", scene.target_requests());
}

#[test]
fn a_group_that_refuses_everybody_is_not_asked_for_each() {
    let people: Vec<String> = (0..80).map(|number| format!("p{number:02} in eng")).collect();
    let scene = Scene::with(&people.iter().map(String::as_str).collect::<Vec<_>>());
    scene
        .configure_atlassian("members_per_request_max = 16", "[guard]\ncreates_max = { count = 500, at_most = 500 }\n");
    scene.settle();
    scene.day(|duo| {
        duo.group("ops");
        (0..80).for_each(|number| duo.join(&format!("p{number:02}"), "ops"));
    });
    scene.approve();
    refuse(&scene, Match::method("PATCH"));
    scene.ends(4, &["sync"]);
    let patches = scene.target_requests().iter().filter(|line| line.starts_with("PATCH")).count();
    assert!(patches <= 5 + 2 * 16, "{patches} requests for 80 people");
    let status = scene.ends(4, &["status"]);
    assert!(status.stdout.contains("80 joins ("), "{}", status.stdout);
}

#[test]
fn a_leave_that_is_refused_for_one_takes_access_away_from_the_others() {
    let scene = many();
    scene.ends(0, &["sync"]);
    // A form that is proven, so that the requests go together.
    scene.day(|duo| duo.leave("p00", "ops"));
    scene.ends(0, &["sync"]);
    scene.day(|duo| (1..8).for_each(|number| duo.leave(&format!("p{number:02}"), "ops")));
    scene.atlassian(|sim| sim.settings_mut().strict = false);
    let id = scene.atlassian(|sim| sim.user_by_user_name("p05").map(|user| user.id.clone())).expect("p05");
    let path = group_path(&scene, "ops");
    let sim = scene.stage.atlassian.clone();
    scene.stage.atlassian.on_request(Box::new(move |request, _| {
        // Whoever names p05 is refused; the others are not.
        sim.clear_faults();
        if request.method == "PATCH" && String::from_utf8_lossy(&request.body).contains(&id) {
            let on = Match::method("PATCH").containing(&path);
            sim.fault(Fault::once(on, Effect::Answer(refusal("p05 is protected"))));
        }
    }));
    scene.approve();
    let ran = scene.ends(4, &["sync"]);
    scene.stage.atlassian.on_request(Box::new(|_, _| ()));
    assert!(ran.stdout.contains(", 1 leave ("), "{}", ran.stdout);
    assert_eq!(scene.effects().len(), 6, "{:?}", scene.effects());
}
