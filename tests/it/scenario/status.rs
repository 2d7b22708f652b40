//! What `status` and `show` say in each state.

use super::super::sim::wire::{Answer, Effect, Fault, Match};
use super::scene::{Scene, picture};
use super::timed::{NOW, Timed};
use duo_atlassian_sync::model::Timestamp;
use duo_atlassian_sync::store::KeyTrial;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn status_is_unknown_then_held_then_good_then_failing() {
    let scene = Scene::with(&["ana in eng"]);
    assert_snapshot!(picture(&scene.ends(3, &["status"])), @"
    unknown
    last sync        none yet; to run one: duo-atlassian-sync --config FOLDER/config.toml sync
    owned            0 accounts (0 active), 0 groups
    API key          expires AGE
    exit 3
    ");
    scene.ends(0, &["plan"]);
    assert_snapshot!(picture(&scene.ends(3, &["status"])), @"
    unknown
    last sync        none yet; to run one: duo-atlassian-sync --config FOLDER/config.toml sync
    owned            0 accounts (0 active), 0 groups
    held plan        PLAN, since TIME
      why            this is the first plan of this database: it is reviewed before anything is sent
      to see it      duo-atlassian-sync --config FOLDER/config.toml show plan PLAN
      to approve it  duo-atlassian-sync --config FOLDER/config.toml approve PLAN
    API key          expires AGE
    exit 3
    ");
    scene.ends(5, &["sync"]);
    assert_snapshot!(picture(&scene.ends(5, &["status"])), @"
    held
    last sync        cycle 2 of TIME: held: plan PLAN waits for a person
    owned            0 accounts (0 active), 0 groups
    held plan        PLAN, since TIME
      why            this is the first plan of this database: it is reviewed before anything is sent
      to see it      duo-atlassian-sync --config FOLDER/config.toml show plan PLAN
      to approve it  duo-atlassian-sync --config FOLDER/config.toml approve PLAN
    API key          expires AGE
    exit 5
    ");
    scene.settle();
    assert_snapshot!(picture(&scene.ends(0, &["status"])), @"
    good
    last sync        cycle 4 of TIME: done
    last good sync   cycle 4 of TIME (AGE)
    owned            1 accounts (1 active), 1 groups
    API key          expires AGE
    exit 0
    ");
    scene.day(|duo| duo.person("ana").realname = Some("Ana Maria".to_owned()));
    let refusal = Answer::json(400, &serde_json::json!({ "status": "400", "detail": "no" }));
    scene.stage.atlassian.fault(Fault::once(Match::writes(), Effect::Answer(refusal)));
    scene.ends(4, &["sync"]);
    assert_snapshot!(picture(&scene.ends(4, &["status"])), @"
    failing
    last sync        cycle 5 of TIME: some records are failing
    last good sync   cycle 4 of TIME (AGE)
    owned            1 accounts (1 active), 1 groups
    failing          ana (person:DUMOU9DVF9HXE7X171O0), 1 times since TIME: the SCIM service refused the request (400); the service said: no; next try after TIME
    API key          expires AGE
    exit 4
    ");
    scene.an_hour_passes();
    scene.ends(0, &["sync"]);
    scene.ends(0, &["status"]);
}

#[test]
fn status_as_json_says_the_same() {
    let scene = Scene::with(&["ana in eng"]);
    scene.ends(5, &["sync"]);
    let held: serde_json::Value =
        serde_json::from_str(&scene.ends(5, &["status", "--format", "json"]).stdout).expect("JSON");
    assert_eq!(held["state"], "held");
    assert_eq!(held["held_plan"]["fingerprint"], scene.plan()["fingerprint"]);
    scene.settle();
    let good = scene.ends(0, &["status", "--format", "json"]).stdout;
    let mut good: serde_json::Value = serde_json::from_str(&good).expect("JSON");
    assert!(good["api_key_expires_in_days"].take().as_i64().is_some_and(|days| days > 0));
    assert_snapshot!(super::picture::tidy(&format!("{good:#}")), @r#"
    {
      "accounts": 1,
      "active_accounts": 1,
      "api_key_dead": null,
      "api_key_expires_in_days": null,
      "failing": [],
      "foreign_writes": null,
      "groups": 1,
      "held_plan": null,
      "is_daemon_running": false,
      "is_running": false,
      "last_good_sync": {
        "cycle": 4,
        "ended_at": "TIME",
        "exit_code": 0,
        "message": "done",
        "started_at": "TIME"
      },
      "last_sync": {
        "cycle": 4,
        "ended_at": "TIME",
        "exit_code": 0,
        "message": "done",
        "started_at": "TIME"
      },
      "late_requests": 0,
      "next_cycle_at": null,
      "paused": null,
      "pins": [],
      "restored_backup": null,
      "state": "good",
      "stopped": [],
      "unsettled_requests": 0,
      "untrusted": null
    }
    "#);
}

#[test]
fn a_held_plan_that_was_approved_or_rejected_is_shown_as_that() {
    let scene = Scene::with(&["ana in eng"]);
    scene.ends(5, &["sync"]);
    let plan = scene.plan()["fingerprint"].as_str().expect("a fingerprint").to_owned();
    scene.ends(0, &["approve", &plan]);
    assert_snapshot!(picture(&scene.run(&["status"])), @"
    held
    last sync        cycle 1 of TIME: held: plan PLAN waits for a person
    owned            0 accounts (0 active), 0 groups
    held plan        PLAN, since TIME
      why            this is the first plan of this database: it is reviewed before anything is sent
      to see it      duo-atlassian-sync --config FOLDER/config.toml show plan PLAN
      decided        approved by SOMEBODY at TIME, until TIME
      to send it     duo-atlassian-sync --config FOLDER/config.toml sync
    API key          expires AGE
    exit 5
    ");
    scene.ends(0, &["reject", &plan]);
    assert_snapshot!(picture(&scene.run(&["status"])), @"
    held
    last sync        cycle 1 of TIME: held: plan PLAN waits for a person
    owned            0 accounts (0 active), 0 groups
    held plan        PLAN, since TIME
      why            this is the first plan of this database: it is reviewed before anything is sent
      to see it      duo-atlassian-sync --config FOLDER/config.toml show plan PLAN
      decided        rejected by SOMEBODY at TIME
      to approve it  duo-atlassian-sync --config FOLDER/config.toml approve PLAN
    API key          expires AGE
    exit 5
    ");
}

#[test]
fn show_tells_of_a_cycle_a_plan_a_person_and_a_group() {
    let scene = Scene::settled(&["ana in eng ops", "bo in eng"]);
    assert_snapshot!(picture(&scene.ends(0, &["show", "cycle", "2"])), @"
    cycle 2   sync, began TIME, ended TIME with 0: done
    plan PLAN
    approved by SOMEBODY at TIME, as plan PLAN
      done     create:DU2XR11EM4PMS0C8YCI0 (bo)
      done     create:DUMOU9DVF9HXE7X171O0 (ana)
      done     create_group:DG2TOKA2RTT8T736O7X0 (ops)
      done     create_group:DGMSXQ37BKCBE064H690 (eng)
      done     members:DG2TOKA2RTT8T736O7X0:source (ops: +ana)
      done     members:DGMSXQ37BKCBE064H690:source (eng: +bo +ana)
    exit 0
    ");
    assert_snapshot!(picture(&scene.ends(0, &["show", "person", "ANA"])), @r#"
    person ana (DUMOU9DVF9HXE7X171O0)
    account    c7029e07-54bc-42dd-8e2c-PLAN (active)
      userName = "ana"
      emails = "ana@example.com"
      displayName = "Ana"
    groups     ops, eng
    exit 0
    "#);
    assert_snapshot!(picture(&scene.ends(0, &["show", "group", "Eng"])), @"
    group eng (DGMSXQ37BKCBE064H690)
    in Atlassian  6b74fd3d-438a-4363-8303-PLAN
    our members   2
      ana
      bo
    exit 0
    ");
    for (what, id) in [("cycle", "99"), ("cycle", "x"), ("person", "zoe"), ("group", "sales"), ("plan", "000000000000")]
    {
        scene.ends(2, &["show", what, id]);
    }
}

#[test]
fn a_group_is_shown_by_its_name_in_duo_and_by_its_name_in_atlassian() {
    let scene = Scene::settled(&["ana in eng", "bo in ops"]);
    scene.day(|duo| duo.rename_group("eng", "engineering"));
    let ran = scene.ends(2, &["show", "group", "engineering"]);
    assert_snapshot!(picture(&ran), @r#"
    error: no group "engineering" is in the database; `history` and `status` tell what is there
    a group that was renamed in Duo is known by its new name after the next sync; until then, try its old name, or its Duo id
    exit 2
    "#);
    scene.ends(0, &["sync"]);
    assert_snapshot!(picture(&scene.ends(0, &["show", "group", "Engineering"])), @"
    group eng (DGMSXQ37BKCBE064H690)
    in Duo        engineering
    in Atlassian  6b74fd3d-438a-4363-8303-PLAN
    our members   1
      ana
    exit 0
    ");
    // Whoever has the name in Atlassian goes first.
    scene.day(|duo| duo.rename_group("ops", "eng"));
    scene.ends(0, &["sync"]);
    assert!(scene.ends(0, &["show", "group", "eng"]).stdout.contains("ana"));
}

#[test]
fn a_key_that_was_dead_is_welcome_again_after_a_sync_by_hand() {
    let scene = Scene::with(&["ana in eng"]);
    scene.configure("[guard]\nfirst_plan = \"apply\"\n");
    let mut timed = Timed::of(&scene);
    timed.syncs().expect("a first sync");
    let dead = KeyTrial { at: Timestamp::from_seconds(NOW), dead: Some("the key is no good".to_owned()) };
    timed.store.record_key_trial(&dead).expect("a trial");
    let refusal = Fault::always(Match::any(), Effect::Answer(Answer::json(401, &json!({ "detail": "no" }))));
    scene.stage.atlassian.fault(refusal);
    // Nothing is to be sent, and nothing says that the key is good.
    timed.syncs().expect("a cycle");
    assert_eq!(timed.store.read_key_trial().expect("a trial"), Some(dead));
    scene.stage.atlassian.clear_faults();
    timed.syncs().expect("a cycle");
    let trial = timed.store.read_key_trial().expect("a trial").expect("a trial");
    assert_eq!(trial.dead, None);
}
