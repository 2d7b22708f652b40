//! What the other commands do with a database that is not trusted.

use super::{Scene, Stale, picture};
use insta::assert_snapshot;
use serde_json::Value;

const TEAM: &[&str] = &["ana in eng", "bo in eng ops", "cy in ops", "dan in eng", "eve in ops", "flo in ops"];

/// Dan was away when the copy was made, came back, and was put into ops since.
fn dan_came_back() -> Scene {
    let scene = Scene::settled(TEAM);
    scene.day(|duo| duo.status("dan", "disabled"));
    scene.settle();
    let copy = scene.copied_to("monday.db");
    scene.day(|duo| {
        duo.status("dan", "active");
        duo.join("dan", "ops");
        duo.hire("zoe in eng");
    });
    scene.settle();
    scene.restore_of_a_week_ago(&copy, Stale::Marked);
    scene
}

/// A plan of now in a file, and its fingerprint.
fn saved(scene: &Scene) -> (String, String) {
    let file = scene.file("monday.json").to_str().expect("a path").to_owned();
    scene.ends(0, &["plan", "--out", &file]);
    let text = std::fs::read_to_string(&file).expect("a file");
    let plan: Value = serde_json::from_str(&text).expect("a plan");
    (file, plan["fingerprint"].as_str().expect("a fingerprint").to_owned())
}

#[test]
fn one_leaver_at_once_loses_what_atlassian_gives_whatever_an_old_database_says() {
    let scene = dan_came_back();
    scene.duo(|duo| duo.status("dan", "disabled"));
    let ran = scene.ends(0, &["sync", "--person", "dan"]);
    assert_snapshot!(picture(&ran), @r#"
        plan PLAN   desired: Duo, 2 groups, 1 person, read completely by TIME
                            compared with: snapshot 6, 6 accounts owned, 8 memberships

          - deactivate     dan       disabled in Duo (was in: ops, eng)
          ~ update members eng       -1 (dan)
          ~ update members ops       -1 (dan)

        1 to deactivate, 2 to leave, 0 unchanged; 3 requests in about 1 s
        active accounts: 6 -> 5
        guard: approved
        Done: 3 (cycle 5).
        exit 0
        "#);
    assert_snapshot!(scene.effects_text(), @r#"
        dan left ops
        dan left eng
        deactivated dan
        "#);
    assert!(scene.is_marked(), "one person is not the whole target");
    // Nothing of the rest was recorded: it is read and held as before.
    scene.forget();
    scene.ends(5, &["sync"]);
    scene.nothing_was_sent();
    scene.settle();
    scene.directory_is_as_duo();
    scene.is_at_rest();
}

#[test]
fn one_leaver_whom_an_old_database_does_not_know_is_not_said_to_have_nothing() {
    let scene = dan_came_back();
    let ran = scene.ends(2, &["sync", "--person", "zoe"]);
    assert_snapshot!(super::super::picture::tidy(&ran.stderr), @r#"
        error: "zoe" has no account that this program made or adopted: there is nothing to take away
        But the database is a backup of TIME: it may not know of an account that was made since. To see what Atlassian says: duo-atlassian-sync --config FOLDER/config.toml plan
        "#);
}

#[test]
fn nothing_is_undone_by_what_an_old_database_says() {
    let scene = dan_came_back();
    for command in [&["undo", "3"][..], &["undo", "3", "--dry-run"]] {
        let ran = scene.ends(5, command);
        assert!(ran.stderr.contains("Run `sync` first"), "{}", ran.stderr);
    }
    scene.nothing_was_sent();
}

#[test]
fn a_saved_plan_of_an_old_database_is_sent_whole_or_not_at_all() {
    let scene = dan_came_back();
    scene.day(|duo| duo.person("ana").realname = Some("Ana Lima".to_owned()));
    let (file, fingerprint) = saved(&scene);
    let ana = format!("update:{}", scene.duo(|duo| duo.id("ana")));
    scene.ends(5, &["apply", &file]);
    let part = scene.ends(5, &["apply", &file, "--approve", &fingerprint, "--only", &ana]);
    assert!(part.stderr.contains("a part of a plan is not sent"), "{}", part.stderr);
    scene.nothing_was_sent();
    assert!(scene.is_marked());
}

#[test]
fn a_saved_plan_of_an_old_database_is_approved_with_the_command_that_sends_it() {
    let scene = dan_came_back();
    scene.day(|duo| duo.person("ana").realname = Some("Ana Lima".to_owned()));
    let (file, fingerprint) = saved(&scene);
    scene.ends(0, &["apply", &file, "--approve", &fingerprint]);
    assert!(!scene.is_marked());
    scene.directory_is_as_duo();
    scene.is_at_rest();
}

#[test]
fn the_brake_stops_a_doubtful_plan_too_and_nothing_is_recorded() {
    let scene = dan_came_back();
    scene.approve();
    scene.ends(0, &["pause"]);
    let before = scene.snapshot();
    scene.ends(5, &["sync"]);
    scene.nothing_was_sent();
    assert_eq!(scene.snapshot(), before);
    scene.ends(0, &["resume"]);
    scene.ends(0, &["sync"]);
    scene.directory_is_as_duo();
    scene.is_at_rest();
}

#[test]
fn drift_that_the_brake_kept_from_being_mended_is_mended_afterwards() {
    let scene = Scene::settled(TEAM);
    scene.atlassian(|sim| assert!(sim.remove_member("eng", "ana")));
    scene.ends(0, &["pause"]);
    scene.ends(5, &["sync", "--refresh"]);
    scene.ends(0, &["resume"]);
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["ana joined eng"]);
    scene.is_at_rest();
}

#[test]
fn status_says_that_a_database_is_not_trusted() {
    let scene = dan_came_back();
    let told = scene.run(&["status"]).stdout;
    let told = told.lines().find(|line| line.starts_with("not trusted")).expect("it is said");
    assert_snapshot!(super::super::picture::tidy(told), @"not trusted      the database is a backup of TIME: the next sync reads Atlassian first");
    let json: Value = serde_json::from_str(&scene.run(&["status", "--format", "json"]).stdout).expect("JSON");
    assert_eq!(json["untrusted"], "the database is a backup of 2000-01-01T00:00:00Z");
    scene.settle();
    let told = scene.run(&["status"]).stdout;
    assert!(!told.contains("not trusted"), "{told}");
}
