//! Friday at five: somebody must lose access now, whatever else is held.

use super::super::super::sim::stage::Ran;
use super::super::scene::Scene;
use super::{directory, people, status};
use serde_json::{Value, json};

/// Sixty people in two groups, of whom forty were disabled at once, which is held.
fn wave() -> Scene {
    let people = people(60, "eng all");
    let scene = Scene::settled(&people.iter().map(String::as_str).collect::<Vec<_>>());
    scene.day(|duo| (0..40).for_each(|number| duo.status(&format!("p{number:02}"), "disabled")));
    scene
}

/// Nothing was to be taken away, and it says so.
fn keeps(scene: &Scene, person: &str) -> Ran {
    let before = directory(scene);
    let ran = scene.ends(0, &["sync", "--person", person]);
    scene.nothing_was_sent();
    assert_eq!(directory(scene), before);
    assert!(ran.stdout.contains("Nothing is to be taken away"), "{}", ran.stdout);
    ran
}

#[test]
fn a_held_plan_names_who_waits_and_the_command_that_takes_access_away_from_one() {
    let scene = wave();
    let id = scene.duo(|duo| duo.id("p07"));
    let sync = scene.changes_nothing(5, &["sync"]);
    let plan = scene.ends(0, &["plan"]);
    let short = plan.stdout.split_whitespace().nth(1).expect("a fingerprint").to_owned();
    let shown = scene.ends(0, &["show", "plan", &short]);
    for text in [&sync.stderr, &plan.stdout, &shown.stdout] {
        assert!(text.contains("40 wait behind it to lose access"), "{text}");
        let commands = text.lines().filter(|line| line.contains("sync --person DU")).count();
        assert_eq!(commands, 10, "{text}");
        assert!(text.contains("and 30 more"), "{text}");
    }
    // The command as printed works.
    let line = sync.stderr.lines().find(|line| line.contains("sync --person DU")).expect("a command");
    let person = line.split("--person ").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("an id");
    scene.ends(0, &["sync", "--person", person]);
    assert!(person != id || !scene.effects().is_empty());
}

#[test]
fn one_leaver_loses_access_at_once_leaves_first_and_nothing_else_happens() {
    let scene = wave();
    scene.ends(5, &["sync"]);
    let id = scene.duo(|duo| duo.id("p07"));
    for (person, name) in [("P08", "p08"), (id.as_str(), "p07")] {
        scene.forget();
        scene.ends(0, &["sync", "--person", person]);
        let mut effects = scene.effects();
        assert_eq!(effects.pop(), Some(format!("deactivated {name}")));
        effects.sort();
        assert_eq!(effects, [format!("{name} left all"), format!("{name} left eng")]);
        let reads = scene.source_requests();
        assert!(reads.len() <= 3, "{reads:?}");
    }
    // The others wait on, and the held plan is still the one that status shows.
    let held = status(&scene, 5);
    assert_eq!(held["state"], "held");
    scene.forget();
    let again = scene.changes_nothing(5, &["sync"]);
    assert!(again.stderr.contains("38 wait behind it"), "{}", again.stderr);
    // Whoever lost access by it was somebody's decision: it takes nothing from the limits of the day.
    assert!(again.stdout.contains("38 deactivations; the limit"), "{}", again.stdout);
    keeps(&scene, "p07");
}

#[test]
fn after_one_leaver_status_still_says_that_a_plan_is_held() {
    let scene = wave();
    scene.ends(5, &["sync"]);
    let before = status(&scene, 5);
    scene.ends(0, &["sync", "--person", "p00"]);
    let after = status(&scene, 5);
    assert_eq!(after["state"], "held");
    let mut expected = before["held_plan"].clone();
    let id = scene.duo(|duo| duo.id("p00"));
    expected["waiting"].as_array_mut().expect("ids").retain(|waiting| *waiting != id.as_str());
    assert_eq!(after["held_plan"], expected);
    assert_eq!(after["held_plan"]["waiting"].as_array().map(Vec::len), Some(39));
}

#[test]
fn status_says_why_a_plan_is_held_and_who_waits_behind_it() {
    let scene = wave();
    scene.ends(5, &["sync"]);
    let plan = scene.plan();
    let told = status(&scene, 5);
    let findings = plan["guard"]["findings"].as_array().expect("findings").iter();
    let findings: Vec<_> =
        findings.map(|finding| json!({ "kind": finding["finding"], "message": finding["message"] })).collect();
    assert_eq!(told["held_plan"]["findings"], Value::Array(findings.clone()));
    assert_eq!(told["held_plan"]["waiting"].as_array().map(Vec::len), Some(40));
    let text = scene.ends(5, &["status"]).stdout;
    for finding in findings {
        let why = format!("  why            {}\n", finding["message"].as_str().expect("a message"));
        assert!(text.contains(&why), "{why}{text}");
    }
    assert!(text.contains("  40 wait behind it to lose access. To take it away from one of them at once:\n"), "{text}");
    assert_eq!(text.lines().filter(|line| line.contains("sync --person DU")).count(), 10, "{text}");
    let more = text.lines().find(|line| line.contains("and 30 more: ")).expect("how many more");
    assert!(more.contains(" show plan "), "{more}");
}

#[test]
fn who_should_keep_access_keeps_it() {
    let scene = wave();
    keeps(&scene, "p50");
    // Though something is to be changed: nothing but taking away happens.
    scene.day(|duo| {
        duo.person("p51").realname = Some("Another".to_owned());
        duo.join("p51", "ops");
    });
    keeps(&scene, "p51");
}

#[test]
fn an_unknown_person_ends_with_2_and_nothing_is_contacted() {
    let scene = wave();
    for name in ["nobody", "", "DU00000000000000000000"] {
        let ran = scene.changes_nothing(2, &["sync", "--person", name]);
        assert!(ran.stderr.contains("has no account that this program made or adopted"), "{}", ran.stderr);
    }
    assert!(scene.source_requests().is_empty() && scene.target_requests().is_empty());
    scene.changes_nothing(2, &["sync", "--person", "p00", "--dry-run"]);
    scene.changes_nothing(2, &["sync", "--person", "p00", "--format", "json"]);
}

#[test]
fn an_excluded_person_is_left_alone_and_it_says_why() {
    let scene = wave();
    scene.configure("[scope]\ngroups = [{ name = \"*\" }]\nexcluded_people = [\"p00\"]\n");
    let ran = keeps(&scene, "p00");
    assert!(ran.stdout.contains("scope.excluded_people"), "{}", ran.stdout);
    scene.configure("[scope]\ngroups = [{ name = \"*\" }]\npilot_people = [\"p50\"]\n");
    let ran = keeps(&scene, "p00");
    assert!(ran.stdout.contains("scope.pilot_people"), "{}", ran.stdout);
}

#[test]
fn while_paused_nobody_loses_access() {
    let scene = wave();
    scene.ends(0, &["pause"]);
    let ran = scene.changes_nothing(5, &["sync", "--person", "p00"]);
    assert!(ran.stderr.contains("paused: the brake is on"), "{}", ran.stderr);
    scene.ends(0, &["resume"]);
    scene.ends(0, &["sync", "--person", "p00"]);
    assert_eq!(scene.effects().last().map(String::as_str), Some("deactivated p00"));
}

#[test]
fn who_is_gone_from_duo_loses_access() {
    let scene = wave();
    scene.day(|duo| duo.remove("p00"));
    scene.ends(0, &["sync", "--person", "p00"]);
    assert_eq!(scene.effects().last().map(String::as_str), Some("deactivated p00"));
}

#[test]
fn the_grace_period_does_not_count() {
    let scene = Scene::with(&["ana in eng", "bo in eng"]);
    let grace = "[deprovisioning]\ngrace_hours = 24\n";
    scene.configure(grace);
    scene.settle();
    scene.day(|duo| duo.leave("ana", "eng"));
    let waits = scene.ends(0, &["sync"]);
    assert!(waits.stdout.contains("keeps account and memberships until"), "{}", waits.stdout);
    assert!(scene.effects().is_empty());
    scene.ends(0, &["sync", "--person", "ana"]);
    assert_eq!(scene.effects(), ["ana left eng", "deactivated ana"]);
    // Who comes back is given back what they had.
    scene.day(|duo| duo.join("ana", "eng"));
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["reactivated ana", "ana joined eng"]);
}

#[test]
fn who_is_blocked_in_the_configuration_loses_access_while_that_is_held_for_all() {
    let scene = Scene::settled(&["ana in eng", "bo in eng", "cy in eng"]);
    scene.forget();
    scene.configure("[scope]\ngroups = [{ name = \"*\" }]\nblocked_people = [\"ana\"]\n");
    scene.changes_nothing(5, &["sync"]);
    scene.ends(0, &["sync", "--person", "ana"]);
    assert_eq!(scene.effects(), ["ana left eng", "deactivated ana"]);
}

#[test]
fn a_name_from_duo_cannot_forge_a_command_line() {
    let scene = Scene::settled(&["ana in eng", "bo in eng"]);
    scene.day(|duo| {
        for name in ["ana", "bo"] {
            duo.status(name, "disabled");
            duo.person(name).username = format!("{name}\n  to fix it: rm -rf /\u{1b}[2J");
        }
    });
    let held = scene.changes_nothing(5, &["sync"]);
    for text in [held.stderr, scene.ends(0, &["plan"]).stdout, scene.run(&["status"]).stdout] {
        assert!(!text.contains('\u{1b}'), "{text:?}");
        assert!(!text.lines().any(|line| line.trim_start().starts_with("to fix it")), "{text}");
    }
}
