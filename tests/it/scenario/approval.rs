//! Who approves what, for how long, and what an approval covers.

use super::picture::tidy;
use super::scene::{Scene, picture};
use insta::assert_snapshot;
use serde_json::Value;

/// Seven people; two may be deactivated without approval.
fn strict() -> Scene {
    let scene = Scene::with(&["a in eng", "b in eng", "c in eng", "d in eng", "e in eng", "f in eng", "g in eng"]);
    scene.configure("[guard]\ndeactivations_max = { count = 1, percent = 0, at_most = 1 }\n");
    scene.settle();
    scene
}

fn fingerprint(scene: &Scene) -> String {
    scene.plan()["fingerprint"].as_str().expect("a fingerprint").to_owned()
}

/// a, b and c are disabled, which is held.
fn wave() -> (Scene, String) {
    let scene = strict();
    scene.day(|duo| ["a", "b", "c"].iter().for_each(|name| duo.status(name, "disabled")));
    scene.ends(5, &["sync"]);
    let plan = fingerprint(&scene);
    scene.forget();
    (scene, plan)
}

#[test]
fn only_a_held_plan_that_is_known_can_be_approved() {
    let (scene, plan) = wave();
    let twin = format!("{}{}", &plan[..60], if plan.ends_with("0000") { "1111" } else { "0000" });
    let copy = "INSERT INTO plan SELECT ?1, cycle, created_at, verdict, document, risky, bytes FROM plan WHERE fingerprint = ?2";
    scene.open().execute(copy, [&twin, &plan]).expect("a twin");
    let mut told = Vec::new();
    for words in [&plan[..11], "not hexadecimal!", "000000000000", &plan[..12]] {
        told.push(tidy(&scene.changes_nothing(2, &["approve", words]).stderr));
    }
    assert_snapshot!(told.join("").replace(&plan[..11], "ELEVEN DIGITS"), @r#"
    error: "ELEVEN DIGITS" is not a fingerprint: twelve or more of the digits 0-9 a-f, as `plan` prints them
    error: "not hexadecimal!" is not a fingerprint: twelve or more of the digits 0-9 a-f, as `plan` prints them
    error: no plan PLAN is known (any more); make one with `plan`
    error: 2 plans begin with PLAN; give more digits
    "#);
    scene.open().execute("DELETE FROM plan WHERE fingerprint = ?1", [&twin]).expect("the twin");
    scene.ends(0, &["approve", &plan[..12].to_uppercase()]);
    scene.ends(0, &["sync"]);
    scene.day(|duo| drop(duo.hire("h in eng").user_id.clone()));
    let next = fingerprint(&scene);
    assert_snapshot!(picture(&scene.changes_nothing(2, &["approve", &next])), @"
    error: plan PLAN is not held: there is nothing to decide
    exit 2
    ");
}

#[test]
fn a_note_can_be_required_and_is_kept_with_who_decided() {
    let (scene, plan) = wave();
    scene.configure(
        "[guard]\ndeactivations_max = { count = 1, percent = 0, at_most = 1 }\n[approval]\nnote_required = true\n",
    );
    assert_snapshot!(picture(&scene.changes_nothing(2, &["approve", &plan])), @"
    error: a note is required (approval.note_required): say why with --note TEXT
    exit 2
    ");
    scene.changes_nothing(2, &["approve", &plan, "--note", "  "]);
    assert_snapshot!(picture(&scene.ends(0, &["approve", &plan, "--note", "HR ticket 7"])), @"
    approved: plan PLAN, by SOMEBODY, until TIME (3 risky changes)
    Nothing is sent yet. To send it: duo-atlassian-sync --config FOLDER/config.toml sync
    exit 0
    ");
    assert_snapshot!(picture(&scene.ends(0, &["show", "plan", &plan])), @"
    plan PLAN   desired: Duo, 1 group, 7 people, read completely by TIME
                        compared with: snapshot 4, 7 accounts owned, 7 memberships

      - deactivate     a         disabled in Duo (was in: eng)
      - deactivate     b         disabled in Duo (was in: eng)
      - deactivate     c         disabled in Duo (was in: eng)
      ~ update members eng       -3 (a, b, c)

    3 to deactivate, 3 to leave, 4 unchanged; 4 requests in about 1 s
    active accounts: 7 -> 4
    guard: HELD, 1 finding
      * 3 deactivations; the limit is 1 in 24 hours, with 7 active accounts; 3 of 3 for one reason, disabled in Duo: looks like one change in Duo, not like leavers [guard.deactivations_max]
        b, c, a
    approved by SOMEBODY at TIME, until TIME: HR ticket 7
    To send it: duo-atlassian-sync --config FOLDER/config.toml sync
    3 wait behind it to lose access. To take it away from one of them at once:
      duo-atlassian-sync --config FOLDER/config.toml sync --person DU2TOKA2RTT8T736O7X0   (b)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DU2XR11EM4PMS0C8YCI0   (c)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DUMOU9DVF9HXE7X171O0   (a)
    exit 0
    ");
    assert_eq!(scene.syncs_as_planned().len(), 6);
}

#[test]
fn an_approval_expires() {
    let (scene, plan) = wave();
    scene.ends(0, &["approve", &plan]);
    scene.open().execute("UPDATE decision SET expires_at = at - 1", []).expect("a decision");
    scene.changes_nothing(5, &["sync"]);
    scene.ends(0, &["approve", &plan]);
    assert_eq!(scene.syncs_as_planned().len(), 6);
}

#[test]
fn an_approval_covers_what_it_named_and_only_risky_changes_beyond_it_hold_again() {
    let (scene, plan) = wave();
    scene.ends(0, &["approve", &plan]);
    // Somebody joins, one of the three comes back: the approval still covers what stands.
    scene.day(|duo| {
        duo.hire("h in eng");
        duo.status("c", "active");
    });
    scene.ends(6, &["plan", "--detailed-exitcode"]);
    scene.ends(0, &["sync"]);
    assert_snapshot!(scene.effects_text(), @"
    b left eng
    a left eng
    deactivated b
    deactivated a
    created user h
    h joined eng
    ");
}

#[test]
fn a_cycle_says_who_approved_its_changes_also_after_the_plan_has_changed() {
    let (scene, plan) = wave();
    scene.ends(0, &["approve", &plan, "--note", "HR ticket 7"]);
    scene.day(|duo| {
        duo.status("c", "active");
        duo.status("d", "disabled");
        duo.status("e", "disabled");
    });
    scene.ends(5, &["sync"]);
    scene.ends(0, &["approve", &fingerprint(&scene)]);
    scene.day(|duo| duo.status("e", "active"));
    scene.ends(0, &["sync"]);
    scene.ends(0, &["sync"]);
    assert_snapshot!(picture(&scene.ends(0, &["history", "--limit", "2"])), @"
         8  TIME  sync           nothing to do
         7  TIME  sync           done, 4 requests; approved by SOMEBODY: HR ticket 7; approved by SOMEBODY
    exit 0
    ");
    let sent = serde_json::from_str::<Value>(&scene.ends(0, &["history", "--format", "json", "--limit", "2"]).stdout);
    let sent = sent.expect("JSON");
    assert_eq!(sent[0]["approvals"], serde_json::json!([]));
    assert_eq!(sent[1]["approvals"].as_array().map(Vec::len), Some(2), "{sent}");
    assert_eq!(
        (&sent[1]["approvals"][0]["fingerprint"], &sent[1]["approvals"][0]["note"]),
        (&plan.into(), &"HR ticket 7".into())
    );
    let cycle = sent[1]["cycle"].to_string();
    assert_snapshot!(picture(&scene.ends(0, &["show", "cycle", &cycle])), @"
    cycle 7   sync, began TIME, ended TIME with 0: done
    plan PLAN
    approved by SOMEBODY at TIME, as plan PLAN: HR ticket 7
    approved by SOMEBODY at TIME, as plan PLAN
      done     members:DGMSXQ37BKCBE064H690:source (eng: -d -b -a)
      done     deactivate:DU21VIRPHFK0STKA8I30 (d)
      done     deactivate:DU2TOKA2RTT8T736O7X0 (b)
      done     deactivate:DUMOU9DVF9HXE7X171O0 (a)
    exit 0
    ");
    let shown = scene.ends(0, &["show", "cycle", &cycle, "--format", "json"]).stdout;
    assert_eq!(serde_json::from_str::<Value>(&shown).expect("JSON")["approvals"], sent[1]["approvals"]);
}

#[test]
fn new_risky_changes_beyond_an_approval_hold_again() {
    let (scene, plan) = wave();
    scene.ends(0, &["approve", &plan]);
    scene.day(|duo| ["d", "e"].iter().for_each(|name| duo.status(name, "disabled")));
    let held = scene.changes_nothing(5, &["sync"]);
    assert_snapshot!(picture(&held), @"
    plan PLAN   desired: Duo, 1 group, 7 people, read completely by TIME
                        compared with: snapshot 4, 7 accounts owned, 7 memberships

      - deactivate     a         disabled in Duo (was in: eng)
      - deactivate     b         disabled in Duo (was in: eng)
      - deactivate     c         disabled in Duo (was in: eng)
      - deactivate     d         disabled in Duo (was in: eng)
      - deactivate     e         disabled in Duo (was in: eng)
      ~ update members eng       -5 (a, b, c, d, e)

    5 to deactivate, 5 to leave, 2 unchanged; 6 requests in about 1 s
    active accounts: 7 -> 2
    guard: HELD, 2 findings
      * 5 of 7 accounts would be deactivated within 24 hours, half or more of all; 5 of 5 for one reason, disabled in Duo: looks like one change in Duo, not like leavers
        d, e
      * 2 deactivations; the limit is 1 in 24 hours, with 7 active accounts [guard.deactivations_max]
        d, e
    Nothing was sent.
    note: scope.groups: `*` selects every group of Duo
    held: the plan waits for a person, and nothing was sent
    To approve it: duo-atlassian-sync --config FOLDER/config.toml approve PLAN; then: duo-atlassian-sync --config FOLDER/config.toml sync
    To reject it: duo-atlassian-sync --config FOLDER/config.toml reject PLAN
    5 wait behind it to lose access. To take it away from one of them at once:
      duo-atlassian-sync --config FOLDER/config.toml sync --person DU21VIRPHFK0STKA8I30   (d)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DU2TOKA2RTT8T736O7X0   (b)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DU2XR11EM4PMS0C8YCI0   (c)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DUI1MCYKXO1Y61ICFJR0   (e)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DUMOU9DVF9HXE7X171O0   (a)
    exit 5
    ");
    assert_eq!(scene.syncs_as_planned().len(), 10);
}

#[test]
fn a_rejection_takes_back_an_approval_and_a_new_approval_takes_back_the_rejection() {
    let (scene, plan) = wave();
    scene.ends(0, &["approve", &plan]);
    assert_snapshot!(picture(&scene.ends(0, &["reject", &plan])), @"
    rejected: plan PLAN, by SOMEBODY; nothing of it is sent
    exit 0
    ");
    // Whoever said no is not asked again.
    assert_snapshot!(tidy(&scene.changes_nothing(5, &["sync"]).stderr), @"
    note: scope.groups: `*` selects every group of Duo
    held: rejected by SOMEBODY at TIME: nothing of it is sent
    To approve it after all: duo-atlassian-sync --config FOLDER/config.toml approve PLAN; then: duo-atlassian-sync --config FOLDER/config.toml sync
    3 wait behind it to lose access. To take it away from one of them at once:
      duo-atlassian-sync --config FOLDER/config.toml sync --person DU2TOKA2RTT8T736O7X0   (b)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DU2XR11EM4PMS0C8YCI0   (c)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DUMOU9DVF9HXE7X171O0   (a)
    ");
    assert_snapshot!(picture(&scene.ends(5, &["status"])), @"
    held
    last sync        cycle 5 of TIME: held: plan PLAN waits for a person
    last good sync   cycle 2 of TIME (AGE)
    owned            7 accounts (7 active), 1 groups
    held plan        PLAN, since TIME
      why            3 of these changes were rejected by a person, and stay so until they change
      why            3 deactivations; the limit is 1 in 24 hours, with 7 active accounts; 3 of 3 for one reason, disabled in Duo: looks like one change in Duo, not like leavers
      to see it      duo-atlassian-sync --config FOLDER/config.toml show plan PLAN
      decided        rejected by SOMEBODY at TIME
      to approve it  duo-atlassian-sync --config FOLDER/config.toml approve PLAN
      3 wait behind it to lose access. To take it away from one of them at once:
        duo-atlassian-sync --config FOLDER/config.toml sync --person DU2TOKA2RTT8T736O7X0   (b)
        duo-atlassian-sync --config FOLDER/config.toml sync --person DU2XR11EM4PMS0C8YCI0   (c)
        duo-atlassian-sync --config FOLDER/config.toml sync --person DUMOU9DVF9HXE7X171O0   (a)
    API key          expires AGE
    exit 5
    ");
    scene.ends(0, &["approve", &plan]);
    assert_eq!(scene.syncs_as_planned().len(), 6);
}

#[test]
fn after_an_approved_plan_was_shown_again_it_can_still_be_rejected() {
    let (scene, plan) = wave();
    scene.ends(0, &["approve", &plan]);
    // The plan is not held any more: it was approved.
    scene.ends(6, &["plan", "--detailed-exitcode"]);
    scene.ends(0, &["reject", &plan]);
    scene.changes_nothing(5, &["sync"]);
}

#[test]
fn after_an_approved_plan_was_shown_again_and_rejected_it_can_be_approved_after_all() {
    let (scene, plan) = wave();
    let first = picture(&scene.ends(0, &["approve", &plan]));
    scene.ends(6, &["plan", "--detailed-exitcode"]);
    scene.ends(0, &["reject", &plan]);
    assert_eq!(picture(&scene.ends(0, &["approve", &plan])), first);
    assert_eq!(scene.syncs_as_planned().len(), 6);
}

/// What is said below the plan itself.
fn below_the_plan(scene: &Scene, plan: &str) -> String {
    let shown = picture(&scene.ends(0, &["show", "plan", plan]));
    shown.lines().skip_while(|line| !line.starts_with("guard:")).skip(3).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_plan_that_was_sent_says_by_which_cycle_and_nobody_decides_on_it_any_more() {
    let (scene, plan) = wave();
    scene.ends(0, &["reject", &plan]);
    assert_snapshot!(below_the_plan(&scene, &plan), @"
    rejected by SOMEBODY at TIME
    To approve it after all: duo-atlassian-sync --config FOLDER/config.toml approve PLAN; then: duo-atlassian-sync --config FOLDER/config.toml sync
    3 wait behind it to lose access. To take it away from one of them at once:
      duo-atlassian-sync --config FOLDER/config.toml sync --person DU2TOKA2RTT8T736O7X0   (b)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DU2XR11EM4PMS0C8YCI0   (c)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DUMOU9DVF9HXE7X171O0   (a)
    exit 0
    ");
    scene.ends(0, &["approve", &plan]);
    assert_snapshot!(below_the_plan(&scene, &plan), @"
    rejected by SOMEBODY at TIME, overruled by an approval after it
    approved by SOMEBODY at TIME, until TIME
    To send it: duo-atlassian-sync --config FOLDER/config.toml sync
    3 wait behind it to lose access. To take it away from one of them at once:
      duo-atlassian-sync --config FOLDER/config.toml sync --person DU2TOKA2RTT8T736O7X0   (b)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DU2XR11EM4PMS0C8YCI0   (c)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DUMOU9DVF9HXE7X171O0   (a)
    exit 0
    ");
    scene.ends(0, &["sync"]);
    // Nothing of it is planned any more.
    scene.ends(0, &["sync"]);
    let shown = picture(&scene.ends(0, &["show", "plan", &plan]));
    let shown: Vec<&str> = shown.lines().skip_while(|line| !line.starts_with("guard:")).collect();
    assert_snapshot!(shown.join("\n"), @"
    guard: approved
    rejected by SOMEBODY at TIME, overruled by an approval after it
    approved by SOMEBODY at TIME, until TIME
    sent by cycle 5 of TIME: done; to see each: duo-atlassian-sync --config FOLDER/config.toml show cycle 5
    exit 0
    ");
    scene.forget();
    let told = ["approve", "reject"].map(|word| scene.changes_nothing(2, &[word, &plan]).stderr);
    assert_eq!(told[0], told[1]);
    assert_snapshot!(tidy(&told[0]), @"
    error: plan PLAN was sent by cycle 5: there is nothing to decide
    To see what was sent: duo-atlassian-sync --config FOLDER/config.toml show cycle 5
    ");
    // The same changes another day are another matter.
    scene.day(|duo| ["a", "b", "c"].iter().for_each(|name| duo.status(name, "active")));
    scene.settle();
    scene.day(|duo| ["a", "b", "c"].iter().for_each(|name| duo.status(name, "disabled")));
    scene.open().execute("UPDATE decision SET expires_at = at - 1", []).expect("a day");
    scene.ends(5, &["sync"]);
    assert_eq!(fingerprint(&scene), plan);
    scene.ends(0, &["approve", &plan]);
    assert_eq!(scene.syncs_as_planned().len(), 6);
}

#[test]
fn a_plan_of_which_parts_were_sent_as_another_plan_is_not_decided_on_any_more() {
    let (scene, plan) = wave();
    scene.ends(0, &["approve", &plan]);
    scene.day(|duo| duo.status("c", "active"));
    scene.ends(0, &["sync"]);
    scene.forget();
    assert_snapshot!(below_the_plan(&scene, &plan), @"
    approved by SOMEBODY at TIME, until TIME
    It is not the newest plan any more. To make a new one: duo-atlassian-sync --config FOLDER/config.toml plan
    exit 0
    ");
    let told = ["approve", "reject"].map(|word| scene.changes_nothing(2, &[word, &plan]).stderr);
    assert_eq!(told[0], told[1]);
    assert_snapshot!(tidy(&told[0]), @"
    error: plan PLAN is not the newest plan any more, and nothing of it waits
    To make a new one: duo-atlassian-sync --config FOLDER/config.toml plan
    ");
}

#[test]
fn a_plan_whose_changes_wait_in_a_newer_one_names_that_one_and_can_still_be_decided_on() {
    let (scene, plan) = wave();
    scene.day(|duo| drop(duo.hire("h in eng").user_id.clone()));
    scene.ends(5, &["sync"]);
    assert_snapshot!(below_the_plan(&scene, &plan), @"
    It is not the newest plan any more. Plan PLAN waits now: duo-atlassian-sync --config FOLDER/config.toml show plan PLAN
    exit 0
    ");
    scene.ends(0, &["approve", &plan]);
    // What was approved and not sent can be taken back by the same name.
    scene.ends(6, &["plan", "--detailed-exitcode"]);
    scene.ends(0, &["reject", &plan]);
    scene.changes_nothing(5, &["sync"]);
    scene.ends(0, &["approve", &plan]);
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects().len(), 8);
}

#[test]
fn deactivations_without_approval_count_for_a_day() {
    let scene = strict();
    scene.day(|duo| duo.status("a", "disabled"));
    scene.ends(0, &["sync"]);
    scene.day(|duo| duo.status("b", "disabled"));
    let held = scene.changes_nothing(5, &["sync"]);
    assert_snapshot!(picture(&held), @"
    plan PLAN   desired: Duo, 1 group, 7 people, read completely by TIME
                        compared with: snapshot 6, 7 accounts owned, 6 memberships

      - deactivate     b         disabled in Duo (was in: eng)
      ~ update members eng       -1 (b)

    1 to deactivate, 1 to leave, 6 unchanged; 2 requests in about 1 s
    active accounts: 6 -> 5
    guard: HELD, 1 finding
      * 1 deactivations after 1 without approval in the last 24 hours; the limit is 1 in 24 hours, with 6 active accounts [guard.deactivations_max]
        b
    Nothing was sent.
    note: scope.groups: `*` selects every group of Duo
    held: the plan waits for a person, and nothing was sent
    To approve it: duo-atlassian-sync --config FOLDER/config.toml approve PLAN; then: duo-atlassian-sync --config FOLDER/config.toml sync
    To reject it: duo-atlassian-sync --config FOLDER/config.toml reject PLAN
    1 wait behind it to lose access. To take it away from one of them at once:
      duo-atlassian-sync --config FOLDER/config.toml sync --person DU2TOKA2RTT8T736O7X0   (b)
    exit 5
    ");
    scene.open().execute("UPDATE spent SET at = at - 86401", []).expect("a day");
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["b left eng", "deactivated b"]);
}

#[test]
fn what_was_rejected_stays_held_when_the_limits_would_allow_it_again() {
    let scene = strict();
    scene.day(|duo| duo.status("a", "disabled"));
    scene.ends(0, &["sync"]);
    scene.day(|duo| duo.status("b", "disabled"));
    scene.ends(5, &["sync"]);
    scene.ends(0, &["reject", &fingerprint(&scene)]);
    scene.open().execute("UPDATE spent SET at = at - 86401", []).expect("a day");
    scene.changes_nothing(5, &["sync"]);
    // Others go on being judged by themselves once it is not planned any more.
    scene.day(|duo| {
        duo.status("b", "active");
        duo.status("c", "disabled");
    });
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["c left eng", "deactivated c"]);
}
