//! Something else that writes to the same directory is found from the answers, and reported (S17).

use super::scene::{Scene, picture};
use insta::assert_snapshot;
use serde_json::{Value, json};

fn writes(scene: &Scene) -> Value {
    let status = scene.run(&["status", "--format", "json"]).stdout;
    let status: Value = serde_json::from_str(&status).expect("JSON");
    status["foreign_writes"].clone()
}

fn count(scene: &Scene) -> u64 {
    writes(scene)["records"].as_u64().unwrap_or(0)
}

#[test]
fn a_value_that_somebody_else_changed_is_seen_in_the_answer_to_the_next_update() {
    let scene = Scene::settled(&["ana in eng", "bo in eng"]);
    scene.atlassian(|sim| {
        sim.edit_user("ana", "emails", json!([{ "value": "anna@example.com", "primary": true }])).expect("an edit");
        sim.edit_user("bo", "active", json!(false)).expect("an edit");
    });
    scene.ends(0, &["sync"]);
    assert_eq!(writes(&scene), Value::Null, "nothing was sent, so nothing was answered");
    scene.day(|duo| {
        duo.person("ana").realname = Some("Ana Maria".to_owned());
        duo.person("bo").realname = Some("Bo Cho".to_owned());
    });
    let ran = scene.ends(0, &["sync"]);
    let remark: Vec<&str> = ran.stdout.lines().filter(|line| line.starts_with("  ! ")).collect();
    assert_snapshot!(super::picture::tidy(&remark.join("\n")), @"  ! something else writes to this directory: 2 records were otherwise than this program left them, last at TIME; look for a second instance, for Duo's own provisioning, and for changes by hand");
    assert_snapshot!(picture(&scene.ends(0, &["status"])), @"
    good
    last sync        cycle 4 of TIME: done
    last good sync   cycle 4 of TIME (AGE)
    owned            2 accounts (2 active), 1 groups
    other writer     something else writes to this directory: 2 records were otherwise than this program left them, last at TIME; look for a second instance, for Duo's own provisioning, and for changes by hand
    API key          expires AGE
    exit 0
    ");
    assert_eq!(scene.effects(), ["changed displayName of bo", "changed displayName of ana"], "nothing is sent for it");
    // The same record once more is no further one.
    scene.day(|duo| duo.person("ana").realname = Some("Ana".to_owned()));
    scene.ends(0, &["sync"]);
    assert_eq!(count(&scene), 2);
}

#[test]
fn members_whom_somebody_else_added_or_removed_are_seen_in_the_answer_of_the_group() {
    let scene = Scene::settled(&["ana in eng", "bo in eng", "cy in eng", "dan in ops", "eve in ops"]);
    scene.atlassian(|sim| assert!(sim.remove_member("eng", "bo")));
    scene.day(|duo| duo.join("dan", "eng"));
    scene.ends(0, &["sync"]);
    assert_eq!(count(&scene), 1);
    // Duo says that bo belongs there.
    scene.forget();
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["bo joined eng"]);
    scene.atlassian(|sim| assert!(sim.add_member("ops", "ana")));
    scene.day(|duo| duo.join("bo", "ops"));
    scene.ends(0, &["sync"]);
    assert_eq!(count(&scene), 2);
    assert!(scene.atlassian(|sim| sim.members_of("ops").contains("ana")), "whom we did not add we do not remove");
}

#[test]
fn members_who_are_nobody_of_ours_are_no_sign() {
    let scene = Scene::settled(&["ana in eng", "bo in ops"]);
    scene.atlassian(|sim| {
        sim.add_user("guest", None);
        assert!(sim.add_member("eng", "guest"));
    });
    scene.day(|duo| duo.join("bo", "eng"));
    scene.ends(0, &["sync"]);
    assert_eq!(writes(&scene), Value::Null);
}

#[test]
fn a_copy_of_the_database_on_another_machine_is_noticed_by_the_accounts_it_makes() {
    let scene = Scene::settled(&["ana in eng"]);
    let copy = scene.file("copy.db");
    std::fs::copy(scene.database(), &copy).expect("a copy");
    scene.day(|duo| drop(duo.hire("bo in eng").user_id.clone()));
    // The other machine is faster.
    scene.atlassian(|sim| sim.settings_mut().strict = false);
    scene.configure("[state]\ndatabase = \"copy.db\"\n");
    scene.ends(0, &["sync"]);
    scene.configure("");
    let ran = scene.ends(4, &["sync"]);
    assert!(ran.stdout.contains("that record has this person's externalId, and this database never created it"));
    assert!(ran.stdout.contains("perhaps a copy of it is at work on another machine"), "{}", ran.stdout);
    assert_eq!(writes(&scene)["is_copy"], true);
    // It is a candidate for adoption all the same, which a person decides on (S7).
    let held = scene.ends(5, &["sync"]);
    assert!(held.stdout.contains("= adopt          bo"), "{}", held.stdout);
}

#[test]
fn our_own_requests_that_are_under_way_together_are_no_sign() {
    let people: Vec<String> = (0..60).map(|number| format!("p{number:02} in eng ops")).collect();
    let scene = Scene::with(&people.iter().map(String::as_str).collect::<Vec<_>>());
    scene.configure_atlassian(
        "members_per_request_max = 3",
        "[guard]\nfirst_plan = \"apply\"\ncreates_max = { count = 100 }\n",
    );
    let text = std::fs::read_to_string(scene.stage.config()).expect("a configuration");
    let text = text.replace("concurrent_requests_max = 1", "concurrent_requests_max = 8");
    std::fs::write(scene.stage.config(), text).expect("a configuration");
    scene.ends(0, &["sync"]);
    scene.day(|duo| {
        for number in 0..20 {
            duo.leave(&format!("p{number:02}"), "eng");
            duo.join(&format!("p{:02}", number + 20), "all");
            duo.leave(&format!("p{:02}", number + 20), "ops");
            duo.hire(&format!("new{number:02} in eng ops"));
        }
    });
    scene.approve();
    scene.ends(0, &["sync"]);
    assert_eq!(writes(&scene), Value::Null);
    assert_eq!(scene.atlassian(|sim| (sim.members_of("eng").len(), sim.members_of("ops").len())), (60, 60));
}
