//! Held plans over time: approvals, rejections, notes, and who decided.

use super::super::super::sim::wire::{Answer, Effect, Fault, Match};
use super::super::scene::Scene;
use super::{fingerprint, status};

const STRICT: &str = "[guard]\ndeactivations_max = { count = 1, percent = 0, at_most = 1 }\n";
const LOOSE: &str = "[guard]\ndeactivations_max = { count = 50, percent = 50, at_most = 50 }\n";

/// Nine people; a, b and c are disabled, which is held.
fn wave() -> (Scene, String) {
    let names: Vec<String> = "abcdefghi".chars().map(|name| format!("{name} in eng")).collect();
    let scene = Scene::with(&names.iter().map(String::as_str).collect::<Vec<_>>());
    scene.configure(STRICT);
    scene.settle();
    scene.day(|duo| ["a", "b", "c"].iter().for_each(|name| duo.status(name, "disabled")));
    scene.ends(5, &["sync"]);
    let plan = fingerprint(&scene);
    scene.forget();
    (scene, plan)
}

fn deactivated(scene: &Scene) -> Vec<String> {
    let effects = scene.effects().into_iter();
    effects.filter_map(|line| line.strip_prefix("deactivated ").map(str::to_owned)).collect()
}

#[test]
fn an_approval_covers_what_still_stands_in_a_later_plan_and_what_is_beyond_it_holds_again() {
    let (scene, plan) = wave();
    scene.ends(0, &["approve", &plan]);
    // One comes back, and two more than the limit go.
    scene.day(|duo| {
        duo.status("c", "active");
        duo.status("d", "disabled");
        duo.status("e", "disabled");
    });
    let held = scene.changes_nothing(5, &["sync"]);
    assert!(held.stdout.contains("2 deactivations; the limit is 1"), "{}", held.stdout);
    let next = fingerprint(&scene);
    scene.ends(0, &["approve", &next]);
    scene.ends(0, &["sync"]);
    let mut gone = deactivated(&scene);
    gone.sort();
    assert_eq!(gone, ["a", "b", "d", "e"]);
}

#[test]
fn one_more_within_the_limit_needs_no_second_approval() {
    let (scene, plan) = wave();
    scene.ends(0, &["approve", &plan]);
    scene.day(|duo| {
        duo.status("d", "disabled");
        duo.hire("new in eng");
    });
    scene.ends(0, &["sync"]);
    assert_eq!(deactivated(&scene).len(), 4);
    // What was approved does not count against the limits of the day; what was not, does.
    scene.day(|duo| duo.status("e", "disabled"));
    let held = scene.changes_nothing(5, &["sync"]);
    assert!(held.stdout.contains("1 deactivations after 1 without approval"), "{}", held.stdout);
}

#[test]
fn what_was_approved_and_sent_needs_another_approval_when_it_is_planned_again() {
    let (scene, plan) = wave();
    let all = |scene: &Scene, status| scene.day(|duo| ["a", "b", "c"].iter().for_each(|name| duo.status(name, status)));
    scene.ends(0, &["approve", &plan]);
    scene.ends(0, &["sync"]);
    all(&scene, "active");
    scene.ends(0, &["sync"]);
    all(&scene, "disabled");
    let held = scene.changes_nothing(5, &["sync"]);
    assert!(held.stdout.contains("3 deactivations; the limit is 1"), "{}", held.stdout);
    // It is the same plan again, and nothing says that it is approved.
    assert_eq!(fingerprint(&scene), plan);
    let told = scene.ends(5, &["status"]).stdout;
    assert!(told.contains("to approve it") && !told.contains("to send it"), "{told}");
    let shown = scene.ends(0, &["show", "plan", &plan]).stdout;
    assert!(shown.contains("To approve it: ") && !shown.contains("To send it: "), "{shown}");
    scene.ends(0, &["approve", &plan]);
    scene.ends(0, &["sync"]);
    assert_eq!(deactivated(&scene).len(), 3);
}

#[test]
fn an_approval_is_not_used_up_by_what_atlassian_did_not_do() {
    let scene = Scene::settled(&["a in eng", "b in eng", "c in eng", "d in eng"]);
    scene.day(|duo| duo.status("a", "disabled"));
    scene.ends(0, &["sync"]);
    scene.configure("[guard]\nreactivations_max = { count = 0, percent = 0, at_most = 0 }\n");
    scene.day(|duo| duo.status("a", "active"));
    scene.ends(5, &["sync"]);
    scene.ends(0, &["approve", &fingerprint(&scene)]);
    // It answers 200, and the account is as inactive as before.
    let id = scene.atlassian(|sim| sim.user_by_user_name("a").map(|user| user.id.clone())).expect("a user");
    let inactive = Answer::json(200, &serde_json::json!({ "id": id, "userName": "a", "active": false }));
    scene.stage.atlassian.fault(Fault::always(Match::method("PATCH").containing(&id), Effect::Answer(inactive)));
    scene.ends(4, &["sync"]);
    scene.stage.atlassian.clear_faults();
    scene.an_hour_passes();
    scene.ends(0, &["sync"]);
}

#[test]
fn a_rejected_plan_stays_held_whatever_the_limits_become() {
    let (scene, plan) = wave();
    scene.ends(0, &["reject", &plan, "--note", "HR says no"]);
    scene.configure(LOOSE);
    let held = scene.changes_nothing(5, &["sync"]);
    assert!(held.stdout.contains("3 of these changes were rejected"), "{}", held.stdout);
    // A part of it is the same set.
    scene.day(|duo| duo.status("c", "active"));
    let held = scene.changes_nothing(5, &["sync"]);
    assert!(held.stdout.contains("2 of these changes were rejected"), "{}", held.stdout);
    // And the one leaver who cannot wait does not.
    scene.ends(0, &["sync", "--person", "a"]);
    assert_eq!(deactivated(&scene), ["a"]);
}

#[test]
fn a_rejection_lapses_when_nothing_of_it_is_planned_any_more() {
    let (scene, plan) = wave();
    scene.ends(0, &["reject", &plan]);
    scene.configure(LOOSE);
    scene.day(|duo| ["a", "b", "c"].iter().for_each(|name| duo.status(name, "active")));
    // Looking does not end it.
    scene.ends(0, &["plan"]);
    scene.ends(0, &["sync"]);
    scene.day(|duo| ["a", "b", "c"].iter().for_each(|name| duo.status(name, "disabled")));
    scene.ends(0, &["sync"]);
    assert_eq!(deactivated(&scene).len(), 3);
}

#[test]
fn a_rejection_does_not_lapse_because_something_else_was_applied() {
    let (scene, plan) = wave();
    scene.ends(0, &["reject", &plan]);
    scene.configure(LOOSE);
    scene.day(|duo| duo.person("i").realname = Some("Another".to_owned()));
    let id = scene.duo(|duo| duo.id("i"));
    let file = scene.file("plan.json").display().to_string();
    scene.ends(0, &["plan", "--out", &file]);
    scene.ends(0, &["apply", &file, "--only", &format!("update:{id}")]);
    assert_eq!(scene.effects(), ["changed displayName of i"]);
    scene.forget();
    let held = scene.changes_nothing(5, &["sync"]);
    assert!(held.stdout.contains("rejected by a person"), "{}", held.stdout);
}

#[test]
fn who_rejected_can_approve_after_all_and_the_other_way_round() {
    let (scene, plan) = wave();
    scene.ends(0, &["reject", &plan]);
    scene.changes_nothing(5, &["sync"]);
    scene.ends(0, &["approve", &plan]);
    scene.ends(0, &["reject", &plan]);
    scene.changes_nothing(5, &["sync"]);
    scene.ends(0, &["approve", &plan]);
    scene.ends(0, &["sync"]);
    assert_eq!(deactivated(&scene).len(), 3);
}

#[test]
fn an_approval_that_expired_covers_nothing_and_what_was_rejected_before_it_is_judged_by_the_limits() {
    let (scene, plan) = wave();
    scene.ends(0, &["reject", &plan]);
    scene.ends(0, &["approve", &plan]);
    scene
        .open()
        .execute("UPDATE decision SET expires_at = at - 1 WHERE decision = 'approved'", [])
        .expect("a decision");
    let held = scene.changes_nothing(5, &["sync"]);
    assert!(held.stdout.contains("the limit is 1"), "{}", held.stdout);
}

#[test]
fn who_decided_and_why_is_kept_with_the_sudo_user() {
    let (scene, plan) = wave();
    let mut command = scene.stage.command(&["approve", &plan, "--note", "ticket 7"]);
    let output = command.env("SUDO_USER", "ana.admin").output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("by ana.admin (as "), "{said}");
    scene.ends(0, &["reject", &plan, "--note", "no,\nnot \u{1b}[2J so"]);
    let shown = scene.ends(0, &["show", "plan", &plan]).stdout;
    let decisions: Vec<&str> =
        shown.lines().filter(|line| line.starts_with("approved by") || line.starts_with("rejected by")).collect();
    assert_eq!(decisions.len(), 2, "{shown}");
    assert!(decisions[0].contains("ana.admin (as ") && decisions[0].ends_with(": ticket 7"), "{shown}");
    assert!(!shown.contains('\u{1b}') && shown.contains("no,\\nnot"), "{shown}");
}

#[test]
fn an_approval_and_a_rejection_that_wait_are_shown_by_status() {
    let (scene, plan) = wave();
    assert_eq!(status(&scene, 5)["held_plan"]["fingerprint"], plan.as_str());
    scene.ends(0, &["approve", &plan]);
    assert_ne!(status(&scene, 5)["state"], "good");
    scene.ends(0, &["plan"]);
    // Approved and not yet sent is not good.
    assert_ne!(status(&scene, 5)["state"], "good");
    scene.ends(0, &["sync"]);
    assert_eq!(status(&scene, 0)["state"], "good");
}
