//! A create that is refused since there is such a record already: when the target is read for it.

use super::super::scene::Scene;
use serde_json::Value;

/// Somebody else's record is in bo's way.
fn conflict(external_id: Option<&str>) -> Scene {
    let scene = Scene::settled(&["ana in eng"]);
    scene.day(|duo| {
        duo.hire("bo in eng");
    });
    scene.atlassian(|sim| drop(sim.add_user("bo", external_id)));
    scene.ends(4, &["sync"]);
    scene.forget();
    scene
}

/// Whether the last cycle read the whole target.
fn read_whole(scene: &Scene) -> bool {
    let is_list = |line: &String| line.contains("/Users?startIndex=1&");
    let whole = scene.target_requests().iter().any(is_list);
    scene.forget();
    whole
}

fn count(scene: &Scene) -> u64 {
    let status = scene.run(&["status", "--format", "json"]).stdout;
    let status: Value = serde_json::from_str(&status).expect("JSON");
    status["failing"][0]["count"].as_u64().expect("a failing record")
}

#[test]
fn the_target_is_read_once_after_the_conflict_and_then_when_its_time_has_come() {
    let scene = conflict(Some("DUSOMEBODYELSE000000"));
    scene.ends(4, &["sync"]);
    assert!(read_whole(&scene), "the first look, at once");
    for _ in 0..3 {
        let ran = scene.ends(4, &["sync"]);
        assert!(ran.stdout.contains("? skip"), "the plan stays as it is: {}", ran.stdout);
        assert_eq!(
            scene.target_requests().len(),
            1,
            "only the record that is in the way: {:?}",
            scene.target_requests()
        );
        assert!(!read_whole(&scene));
    }
    assert_eq!(count(&scene), 1, "a look that was not due is no failure");
    scene.an_hour_passes();
    scene.ends(4, &["sync"]);
    assert!(read_whole(&scene), "its time has come");
    assert_eq!(count(&scene), 2);
}

#[test]
fn the_target_is_read_at_once_when_the_source_changed() {
    let scene = conflict(Some("DUSOMEBODYELSE000000"));
    scene.ends(4, &["sync"]);
    scene.ends(4, &["sync"]);
    scene.day(|duo| duo.person("bo").realname = Some("Bo Cho".to_owned()));
    scene.ends(4, &["sync"]);
    assert!(read_whole(&scene));
}

#[test]
fn a_plan_that_offers_the_adoption_stays_the_same_between_readings_and_can_be_approved() {
    let scene = conflict(None);
    scene.ends(5, &["sync"]);
    assert!(read_whole(&scene));
    let held = scene.plan();
    assert!(!read_whole(&scene));
    scene.ends(5, &["sync"]);
    assert!(!read_whole(&scene), "while it is held, the record alone is read");
    assert_eq!(scene.plan()["fingerprint"], held["fingerprint"]);
    scene.ends(0, &["approve", held["fingerprint"].as_str().expect("a fingerprint")]);
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["changed displayName of bo", "bo joined eng"]);
    scene.ends(0, &["status"]);
}

#[test]
fn a_correction_in_the_target_is_noticed_before_the_time_has_come() {
    // Its externalId is corrected: now it is his own.
    let scene = conflict(Some("DUSOMEBODYELSE000000"));
    scene.ends(4, &["sync"]);
    let bo = scene.duo(|duo| duo.id("bo"));
    scene.atlassian(|sim| sim.edit_user("bo", "externalId", bo.into())).expect("an edit");
    let held = scene.ends(5, &["sync"]);
    assert!(held.stdout.contains("= adopt          bo"), "{}", held.stdout);
    // It gets another name and address: nothing is in the way any more, and he is created at once.
    let scene = conflict(Some("DUSOMEBODYELSE000000"));
    scene.ends(4, &["sync"]);
    scene.forget();
    scene.atlassian(|sim| {
        sim.edit_user("bo", "emails", serde_json::json!([{ "value": "bob@example.com", "primary": true }]))
            .expect("an edit");
        sim.edit_user("bo", "userName", "bob".into()).expect("an edit");
    });
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["created user bo", "bo joined eng"]);
}

#[test]
fn a_group_that_is_there_already_is_offered_too_and_read_alone_in_between() {
    let scene = Scene::settled(&["ana in eng"]);
    scene.day(|duo| duo.join("ana", "ops"));
    scene.atlassian(|sim| {
        sim.add_group("ops");
        sim.add_user("guest", None);
        sim.add_member("ops", "guest");
    });
    scene.approve();
    scene.ends(4, &["sync"]);
    scene.forget();
    scene.ends(5, &["sync"]);
    assert!(read_whole(&scene));
    let held = scene.ends(5, &["sync"]);
    assert!(held.stdout.contains("= adopt group    ops"), "{}", held.stdout);
    assert_eq!(scene.target_requests().len(), 1, "{:?}", scene.target_requests());
    scene.approve();
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["ana joined ops"]);
    assert!(scene.atlassian(|sim| sim.members_of("ops").contains("guest")));
}
