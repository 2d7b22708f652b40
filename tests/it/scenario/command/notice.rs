//! A directory sync in Duo that died, or lost many: said, and nothing is held by it.

use super::super::scene::Scene;
use super::{people, status};

const DAY: i64 = 86_400;

/// Thirty people of whom each came from a directory so long ago.
fn synced(ago: impl Fn(usize) -> Option<i64>) -> Scene {
    let names = people(30, "eng");
    let scene = Scene::settled(&names.iter().map(String::as_str).collect::<Vec<_>>());
    scene.day(|duo| {
        let now = duo.sim.now();
        for number in 0..30 {
            duo.person(&format!("p{number:02}")).last_directory_sync = ago(number).map(|ago| now - ago);
        }
        duo.hire("new in eng");
    });
    scene
}

/// The findings of an approved plan, which the text shows as well, and which does not stop the sync.
fn findings(scene: &Scene) -> Vec<String> {
    let plan = scene.plan();
    assert_eq!(plan["guard"]["verdict"], "approved");
    let findings: Vec<_> = plan["guard"]["findings"].as_array().expect("findings").clone();
    let text = scene.ends(0, &["sync"]).stdout;
    for finding in &findings {
        assert!(text.contains(finding["message"].as_str().expect("a message")), "{finding} in {text}");
    }
    assert_eq!(scene.effects(), ["created user new", "new joined eng"]);
    // With nothing to do it is still said.
    let text = scene.ends(0, &["sync"]).stdout;
    assert_eq!(text.matches("  * ").count(), findings.len(), "{text}");
    assert_eq!(status(scene, 0)["state"], "good");
    findings.iter().map(|finding| finding["finding"].as_str().expect("a kind").to_owned()).collect()
}

#[test]
fn a_directory_sync_that_stopped_is_a_finding_and_holds_nothing() {
    assert_eq!(findings(&synced(|_| Some(2 * DAY))), ["directory_sync_stopped"]);
}

#[test]
fn a_directory_sync_that_lost_many_is_a_finding_and_holds_nothing() {
    assert_eq!(findings(&synced(|number| Some(if number < 11 { 3 * DAY } else { 60 }))), ["directory_sync_lost"]);
}

#[test]
fn a_directory_sync_that_runs_and_people_made_by_hand_are_no_finding() {
    assert!(findings(&synced(|number| (number < 20).then_some(60))).is_empty());
    assert!(findings(&synced(|_| None)).is_empty());
    assert!(findings(&synced(|number| Some(if number < 9 { 3 * DAY } else { 60 }))).is_empty());
}
