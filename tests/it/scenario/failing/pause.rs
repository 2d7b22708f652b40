//! When a failing record is tried again.

use super::super::scene::{Scene, picture};
use super::super::timed::Timed;
use super::{group_path, refuse, refuse_user};
use duo_atlassian_sync::cycle::End;
use insta::assert_snapshot;

use super::super::super::sim::wire::Match;

#[test]
fn the_same_request_is_sent_after_pauses_that_double_up_to_an_hour_and_another_one_at_once() {
    let scene = Scene::with(&["ana in eng", "bo in eng"]);
    scene.configure("[guard]\nfirst_plan = \"apply\"\n");
    let mut timed = Timed::of(&scene);
    assert_eq!(timed.syncs().expect("a first sync").end, End::Done);
    scene.day(|duo| duo.person("ana").realname = Some("Ana Maria".to_owned()));
    refuse_user(&scene, "ana");
    // A cycle a minute for six hours.
    let mut tried = Vec::new();
    for minute in 0..360 {
        let report = timed.syncs().expect("a cycle");
        assert_eq!(report.end, End::Failing, "minute {minute}");
        let applied = report.applied.expect("it sends");
        let count = timed.writes().len();
        assert_eq!((applied.waiting, applied.paused.len()), (1 - count, 1 - count), "minute {minute}");
        if count > 0 {
            tried.push(minute);
        }
        scene.stage.atlassian.forget_seen();
        timed.minutes_pass(1);
    }
    assert_eq!(tried, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303]);
    assert_eq!(timed.failing()[0].count, 11, "who waits does not fail again");
    // Her record changes in Duo, long before the hour is over.
    scene.duo(|duo| duo.person("ana").realname = Some("Ana Lima".to_owned()));
    timed.syncs().expect("a cycle");
    assert_eq!(timed.writes().len(), 1, "another request is sent at once");
    assert_eq!(timed.failing()[0].failing.pause, 60, "and waits for a minute again");
    scene.stage.atlassian.clear_faults();
    timed.minutes_pass(1);
    assert_eq!(timed.syncs().expect("a cycle").end, End::Done);
    assert_eq!(timed.failing(), []);
    assert_eq!(scene.effects(), ["changed displayName of ana"]);
}

#[test]
fn a_fingerprint_does_not_depend_on_who_waits() {
    let scene = Scene::settled(&["ana in eng", "bo in eng"]);
    scene.day(|duo| duo.person("ana").realname = Some("Ana Maria".to_owned()));
    let before = scene.plan();
    refuse_user(&scene, "ana");
    scene.ends(4, &["sync"]);
    assert_eq!(scene.plan()["fingerprint"], before["fingerprint"]);
    assert_eq!(scene.plan()["actions"], before["actions"]);
}

#[test]
fn who_waits_is_shown_by_sync_status_and_show() {
    let scene = Scene::settled(&["ana in eng", "bo in eng", "cy in ops", "dan in eng ops"]);
    scene.day(|duo| {
        duo.person("ana").realname = Some("Ana Maria".to_owned());
        duo.join("ana", "ops");
        duo.join("bo", "ops");
    });
    refuse_user(&scene, "ana");
    refuse(&scene, Match::method("PATCH").containing(&group_path(&scene, "ops")));
    scene.ends(4, &["sync"]);
    scene.forget();
    let ran = scene.ends(4, &["sync"]);
    scene.nothing_was_sent();
    assert_snapshot!(picture(&ran), @r#"
    plan PLAN   desired: Duo, 2 groups, 4 people, read completely by TIME
                        compared with: snapshot 4, 4 accounts owned, 5 memberships

      ~ update         ana       displayName "Ana" -> "Ana Maria"; changed in Duo: displayName
      ~ update members ops       +2 (ana, bo)

    1 to update, 2 to join, 3 unchanged; 2 requests in about 1 s
    guard: approved
    Done: 0, not sent: 2 (cycle 4).
      . ops (group:DG21VIRPHFK0STKA8I30), 2 joins (DU2TOKA2RTT8T736O7X0, DUMOU9DVF9HXE7X171O0): failed 1 times, and waits until TIME: the SCIM service refused the request (400); the service said: not today
      . ana (person:DUMOU9DVF9HXE7X171O0): failed 1 times, and waits until TIME: the SCIM service refused the request (400); the service said: not today
    note: scope.groups: `*` selects every group of Duo
    error: some records are failing; the others are done and recorded
    To see them: duo-atlassian-sync --config FOLDER/config.toml status
    exit 4
    "#);
    assert_snapshot!(picture(&scene.ends(4, &["status"])), @"
    failing
    last sync        cycle 4 of TIME: some records are failing
    last good sync   cycle 2 of TIME (AGE)
    owned            4 accounts (4 active), 2 groups
    failing          ops (group:DG21VIRPHFK0STKA8I30), 2 joins (DU2TOKA2RTT8T736O7X0, DUMOU9DVF9HXE7X171O0), 1 times since TIME: the SCIM service refused the request (400); the service said: not today; next try after TIME
    failing          ana (person:DUMOU9DVF9HXE7X171O0), 1 times since TIME: the SCIM service refused the request (400); the service said: not today; next try after TIME
    API key          expires AGE
    exit 4
    ");
    assert_snapshot!(picture(&scene.ends(0, &["show", "person", "ana"])), @r#"
    person ana (DUMOU9DVF9HXE7X171O0)
    account    28b556a8-4e04-4944-8853-PLAN (active)
      userName = "ana"
      emails = "ana@example.com"
      displayName = "Ana"
    groups     eng
    failing    ops (group:DG21VIRPHFK0STKA8I30), 1 join (DUMOU9DVF9HXE7X171O0), 1 times since TIME: the SCIM service refused the request (400); the service said: not today; next try after TIME
    failing    ana (person:DUMOU9DVF9HXE7X171O0), 1 times since TIME: the SCIM service refused the request (400); the service said: not today; next try after TIME
    exit 0
    "#);
    assert_snapshot!(picture(&scene.ends(0, &["show", "group", "ops"])), @"
    group ops (DG21VIRPHFK0STKA8I30)
    in Atlassian  03cb90ad-aaee-4d1f-8569-PLAN
    our members   2
      cy
      dan
    failing    ops (group:DG21VIRPHFK0STKA8I30), 2 joins (DU2TOKA2RTT8T736O7X0, DUMOU9DVF9HXE7X171O0), 1 times since TIME: the SCIM service refused the request (400); the service said: not today; next try after TIME
    exit 0
    ");
    let status = scene.ends(4, &["status", "--format", "json"]);
    let status: serde_json::Value = serde_json::from_str(&status.stdout).expect("JSON");
    let (record, at) = (&status["failing"][2], |value: &serde_json::Value| value.as_str().map(str::len));
    assert_eq!((record["count"].as_u64(), at(&record["next_try_at"])), (Some(1), Some(20)), "{status:#}");
}

#[test]
fn what_takes_access_away_is_tried_in_every_cycle() {
    let scene = Scene::settled(&["ana in eng ops", "bo in eng ops", "cy in eng ops"]);
    scene.day(|duo| {
        duo.status("ana", "disabled");
        duo.leave("bo", "eng");
    });
    refuse(&scene, Match::writes());
    for _ in 0..3 {
        scene.forget();
        scene.ends(4, &["sync"]);
        let writes = scene.target_requests().iter().filter(|line| line.starts_with("PATCH")).count();
        assert_eq!(writes, 4, "two leaves of ana, her deactivation, one leave of bo: {:#?}", scene.target_requests());
    }
    let status = scene.ends(4, &["status", "--format", "json"]);
    let status: serde_json::Value = serde_json::from_str(&status.stdout).expect("JSON");
    let failing = status["failing"].as_array().expect("a list");
    let counts: Vec<_> = failing.iter().map(|row| (&row["count"], &row["next_try_at"])).collect();
    assert_eq!(counts, [(&serde_json::json!(3), &serde_json::Value::Null); 4], "{status:#}");
    scene.stage.atlassian.clear_faults();
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["ana left ops", "ana left eng", "deactivated ana", "bo left eng"]);
}

#[test]
fn whoever_waits_to_join_keeps_the_old_membership() {
    let scene = Scene::settled(&["ana in eng", "bo in eng", "cy in eng ops"]);
    scene.day(|duo| {
        duo.leave("ana", "eng");
        duo.join("ana", "ops");
    });
    refuse(&scene, Match::method("PATCH").containing(&group_path(&scene, "ops")));
    scene.ends(4, &["sync"]);
    scene.forget();
    // In the meantime bo leaves as well: this has nothing to do with ana.
    scene.day(|duo| duo.leave("bo", "eng"));
    scene.approve();
    scene.ends(4, &["sync"]);
    assert_eq!(scene.effects(), ["bo left eng", "deactivated bo"]);
    assert!(scene.atlassian(|sim| sim.members_of("eng").contains("ana")), "she waits, and keeps what she has");
    scene.stage.atlassian.clear_faults();
    scene.an_hour_passes();
    scene.forget();
    assert_eq!(scene.syncs_as_planned(), ["ana joined ops", "ana left eng"]);
}

#[test]
fn what_a_person_asks_for_by_name_does_not_wait() {
    let scene = Scene::settled(&["ana in eng", "bo in eng"]);
    scene.day(|duo| duo.person("ana").realname = Some("Ana Maria".to_owned()));
    refuse_user(&scene, "ana");
    scene.ends(4, &["sync"]);
    let path = scene.file("saved.json").to_str().expect("a path").to_owned();
    scene.ends(0, &["plan", "--out", &path]);
    scene.stage.atlassian.clear_faults();
    scene.forget();
    scene.ends(4, &["sync"]);
    scene.nothing_was_sent();
    scene.ends(0, &["apply", &path]);
    assert_eq!(scene.effects(), ["changed displayName of ana"]);
    scene.ends(0, &["sync"]);
    scene.ends(0, &["status"]);
}

#[test]
fn a_record_that_is_not_planned_any_more_is_forgotten_and_others_of_its_group_are_not() {
    let scene = Scene::settled(&["ana in eng", "bo in eng", "cy in ops"]);
    scene.day(|duo| {
        duo.join("ana", "ops");
        duo.join("bo", "ops");
    });
    refuse(&scene, Match::method("PATCH").containing(&group_path(&scene, "ops")));
    scene.ends(4, &["sync"]);
    let failing =
        |scene: &Scene| scene.ends(4, &["status"]).stdout.lines().filter(|l| l.starts_with("failing ")).count();
    assert_eq!(failing(&scene), 1, "both joins in a line");
    scene.day(|duo| duo.leave("ana", "ops"));
    scene.ends(4, &["sync"]);
    let status = scene.ends(4, &["status"]);
    let bo = scene.duo(|duo| duo.id("bo"));
    assert!(status.stdout.contains(&format!("1 join ({bo})")), "{}", status.stdout);
}
