//! `--refresh`: what somebody else changed in Atlassian is found, told, and mended within the limits.

use super::super::super::sim::wire::{Answer, Effect, Fault, Match};
use super::{Scene, picture};
use insta::assert_snapshot;
use serde_json::json;

const TEAM: &[&str] =
    &["ana in eng", "bo in eng ops", "cy in ops", "dan in eng", "eve in ops", "flo in ops", "gus in eng", "hal in eng"];

/// The requests that read a whole list.
fn list(path: &str) -> Match {
    Match::method("GET").containing(path).with_query("startIndex")
}

/// Somebody was there by hand.
fn meddled() -> Scene {
    let scene = Scene::settled(TEAM);
    scene.day(|duo| duo.status("dan", "disabled"));
    scene.settle();
    scene.atlassian(|sim| {
        sim.edit_user("ana", "displayName", json!("Somebody Else")).expect("an edit");
        sim.edit_user("dan", "active", json!(true)).expect("an edit");
        sim.edit_user("cy", "active", json!(false)).expect("an edit");
        assert!(sim.remove_member("ops", "bo") && sim.add_member("ops", "ana") && sim.remove_user("eve"));
    });
    scene.forget();
    scene
}

#[test]
fn a_sync_without_a_refresh_neither_sees_nor_undoes_what_somebody_else_did() {
    let scene = meddled();
    scene.is_at_rest();
}

#[test]
fn a_refresh_tells_what_somebody_else_changed_and_mends_it() {
    let scene = meddled();
    let plan = scene.changes_nothing(0, &["plan", "--refresh"]);
    assert_snapshot!(picture(&plan), @r#"
        plan PLAN   desired: Duo, 2 groups, 8 people, read completely by TIME
                            compared with: snapshot 6, 7 accounts owned, 6 memberships

          - deactivate     dan       Atlassian says active=true, this program left it inactive; somebody else changed it; disabled in Duo
          ~ update         ana       displayName "Somebody Else" -> "Ana"; Atlassian says displayName = "Somebody Else", this program left "Ana"; somebody else changed it; differs in Atlassian: displayName
          + reactivate     cy        Atlassian says active=false, this program left it active; somebody else changed it; back in ops
          + create         eve       eve@example.com; the account is gone in Atlassian; somebody else changed it; in ops
          ~ update members ops       +2 (bo, eve); Atlassian holds other members; somebody else changed it
          ! 1 membership of our people in our groups was made by somebody else, and stays as it is (ana in ops)

        1 to create, 1 to update, 1 to reactivate, 1 to deactivate, 2 to join, 4 unchanged; 5 requests in about 1 s
        active accounts: 6 -> 7
        guard: approved, 1 finding
          * Atlassian is not as this program left it; somebody else changed it: 1 account gone (eve); 1 account made active (dan); 1 account made inactive (cy); 1 value changed (displayName of ana); 1 membership gone (bo in ops)
            cy, bo, dan, eve, ana
        Nothing was sent. To send it: duo-atlassian-sync --config FOLDER/config.toml sync --refresh
        note: scope.groups: `*` selects every group of Duo
        exit 0
        "#);
    scene.forget();
    let ran = scene.ends(0, &["sync", "--refresh"]);
    assert!(ran.stdout.contains("somebody else changed it"), "{}", ran.stdout);
    assert_snapshot!(scene.effects_text(), @r#"
        deactivated dan
        changed displayName of ana
        reactivated cy
        created user eve
        bo joined ops
        eve joined ops
        "#);
    // What this program did not give it does not take.
    assert!(scene.atlassian(|sim| sim.remove_member("ops", "ana")));
    scene.directory_is_as_duo();
    scene.is_at_rest();
    let again = scene.ends(0, &["sync", "--refresh"]);
    assert_snapshot!(picture(&again), @r#"
        plan PLAN   desired: Duo, 2 groups, 8 people, read completely by TIME
                            compared with: snapshot 12, 8 accounts owned, 8 memberships

        nothing to do, 8 unchanged
        Nothing was to be sent.
        note: scope.groups: `*` selects every group of Duo
        exit 0
        "#);
    scene.nothing_was_sent();
}

#[test]
fn a_refresh_in_other_forms_says_the_same() {
    let scene = meddled();
    let json: serde_json::Value =
        serde_json::from_str(&scene.ends(0, &["plan", "--refresh", "--format", "json"]).stdout).expect("a plan");
    let drifted = json["actions"].as_array().expect("actions").iter().filter(|action| action["cause"] == "drift");
    assert_eq!(drifted.count(), 5, "{json:#}");
    assert_eq!(json["guard"]["findings"][0]["finding"], "drift");
    assert!(json["target"]["last_read_at"].is_string());
    let page = scene.ends(0, &["plan", "--refresh", "--format", "markdown"]).stdout;
    let told: Vec<&str> = page.lines().filter(|line| line.contains("somebody else")).collect();
    assert_snapshot!(told.join("\n"), @r#"
        - Atlassian is not as this program left it; somebody else changed it: 1 account gone (eve); 1 account made active (dan); 1 account made inactive (cy); 1 value changed (displayName of ana); 1 membership gone (bo in ops) (cy, bo, dan, eve, ana)
        | deactivate | dan | Atlassian says active=true, this program left it inactive; somebody else changed it; disabled in Duo |
        | update | ana | displayName "Somebody Else" -\> "Ana"; Atlassian says displayName = "Somebody Else", this program left "Ana"; somebody else changed it; differs in Atlassian: displayName |
        | reactivate | cy | Atlassian says active=false, this program left it active; somebody else changed it; back in ops |
        | create | eve | eve@example.com; the account is gone in Atlassian; somebody else changed it; in ops |
        | update_members | ops | +2 (bo, eve); Atlassian holds other members; somebody else changed it |
        - 1 membership of our people in our groups was made by somebody else, and stays as it is (ana in ops)
        "#);
    scene.ends(2, &["sync", "--person", "ana", "--refresh"]);
}

#[test]
fn a_membership_that_duo_wants_as_well_is_taken_over_without_a_request_and_away_with_duos() {
    let scene = Scene::settled(&["ana in eng", "bo in ops"]);
    scene.atlassian(|sim| assert!(sim.add_member("ops", "ana")));
    scene.day(|duo| duo.join("ana", "ops"));
    scene.ends(0, &["sync", "--refresh"]);
    scene.nothing_was_sent();
    scene.day(|duo| duo.leave("ana", "ops"));
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["ana left ops"]);
    scene.directory_is_as_duo();
}

#[test]
fn drift_of_more_than_the_limits_is_held_and_stays_in_sight_until_it_is_decided() {
    let scene = Scene::settled(TEAM);
    scene.configure("[guard]\nreactivations_max = { count = 1, percent = 0, at_most = 1 }\n");
    scene.forget();
    scene.atlassian(|sim| {
        for name in ["ana", "bo", "cy"] {
            sim.edit_user(name, "active", json!(false)).expect("an edit");
        }
    });
    let held = scene.ends(5, &["sync", "--refresh"]);
    assert!(held.stdout.contains("3 reactivations; the limit is 1"), "{}", held.stdout);
    // The next cycles read again, or what was found would be forgotten.
    let next = scene.ends(5, &["sync"]);
    assert!(next.stdout.contains("3 reactivations; the limit is 1"), "{}", next.stdout);
    scene.nothing_was_sent();
    scene.approve();
    scene.ends(0, &["sync"]);
    let mut effects = scene.effects();
    effects.sort();
    assert_eq!(effects, ["reactivated ana", "reactivated bo", "reactivated cy"]);
    scene.is_at_rest();
}

#[test]
fn a_plan_that_was_made_by_a_refresh_is_approved_and_sent_by_a_sync_like_any_other() {
    let scene = Scene::settled(TEAM);
    scene.configure("[guard]\nreactivations_max = { count = 0, percent = 0, at_most = 0 }\n");
    scene.atlassian(|sim| sim.edit_user("ana", "active", json!(false)).expect("an edit"));
    let plan = scene.ends(0, &["plan", "--refresh", "--format", "json"]).stdout;
    let plan: serde_json::Value = serde_json::from_str(&plan).expect("a plan");
    scene.ends(0, &["approve", plan["fingerprint"].as_str().expect("a fingerprint")]);
    scene.forget();
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["reactivated ana"]);
    scene.is_at_rest();
}

#[test]
fn a_rejected_drift_stays_as_it_is_until_it_is_gone() {
    let scene = Scene::settled(TEAM);
    scene.configure("[guard]\nreactivations_max = { count = 0, percent = 0, at_most = 0 }\n");
    scene.atlassian(|sim| sim.edit_user("ana", "active", json!(false)).expect("an edit"));
    let plan = scene.ends(0, &["plan", "--refresh", "--format", "json"]).stdout;
    let plan: serde_json::Value = serde_json::from_str(&plan).expect("a plan");
    scene.ends(0, &["reject", plan["fingerprint"].as_str().expect("a fingerprint")]);
    let held = scene.ends(5, &["sync"]);
    assert!(held.stdout.contains("rejected by a person"), "{}", held.stdout);
    scene.nothing_was_sent();
    scene.atlassian(|sim| sim.edit_user("ana", "active", json!(true)).expect("an edit"));
    scene.ends(0, &["sync"]);
    scene.is_at_rest();
}

#[test]
fn a_saved_plan_of_a_refresh_is_applied_exactly() {
    let scene = meddled();
    let file = scene.file("monday.json");
    let file = file.to_str().expect("a path");
    scene.ends(0, &["plan", "--refresh", "--out", file]);
    scene.forget();
    scene.ends(0, &["apply", file]);
    scene.atlassian(|sim| assert!(sim.remove_member("ops", "ana")));
    scene.directory_is_as_duo();
    scene.is_at_rest();
}

#[test]
fn a_record_that_one_page_of_a_reading_lacks_is_asked_for_and_keeps_its_link() {
    let scene = Scene::settled(TEAM);
    let without_ana = |_: &_, answer: &mut Answer| {
        let mut body: serde_json::Value = serde_json::from_slice(&answer.body).expect("a page");
        let rows = body["Resources"].as_array_mut().expect("rows");
        rows.retain(|row| row["userName"] != "ana");
        let count = rows.len();
        body["totalResults"] = json!(count);
        body["itemsPerPage"] = json!(count);
        answer.body = body.to_string().into_bytes();
    };
    let fault = Fault::always(list("/Users"), Effect::Rewrite(Box::new(without_ana)));
    scene.stage.atlassian.fault(fault);
    scene.ends(0, &["sync", "--refresh"]);
    scene.nothing_was_sent();
    scene.stage.atlassian.clear_faults();
    scene.day(|duo| duo.status("ana", "disabled"));
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["ana left eng", "deactivated ana"]);
}

#[test]
fn a_target_that_cannot_be_read_ends_the_refresh_and_nothing_is_sent() {
    let scene = meddled();
    let before = scene.snapshot();
    let refusal = Answer::json(403, &json!({ "status": "403", "detail": "no" }));
    scene.stage.atlassian.fault(Fault::always(list("/Groups"), Effect::Answer(refusal)));
    scene.ends(4, &["sync", "--refresh"]);
    scene.nothing_was_sent();
    assert_eq!(scene.snapshot(), before);
}
