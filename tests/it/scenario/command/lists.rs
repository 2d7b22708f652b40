//! Grace, pilot, excluded, blocked, protected: who is in no action, and when that ends.

use super::super::scene::Scene;
use super::directory;

fn scope(keys: &str) -> String {
    format!("[scope]\ngroups = [{{ name = \"*\" }}]\n{keys}\n")
}

#[test]
fn ending_a_pilot_is_held_and_switching_it_on_deactivates_nobody() {
    let scene = Scene::with(&["a in eng", "b in eng", "c in eng", "d in eng"]);
    scene.configure(&scope("pilot_people = [\"a\", \"b\"]"));
    scene.settle();
    assert_eq!(scene.atlassian(|sim| sim.users().count()), 2);
    scene.forget();
    scene.configure(&scope("pilot_people = []"));
    let held = scene.changes_nothing(5, &["sync"]);
    assert!(held.stdout.contains("scope.pilot_people is empty now"), "{}", held.stdout);
    scene.settle();
    assert_eq!(scene.atlassian(|sim| sim.users().count()), 4);
    scene.configure(&scope("pilot_people = [\"a\"]"));
    scene.day(|duo| ["a", "b"].iter().for_each(|name| duo.status(name, "disabled")));
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["a left eng", "deactivated a"]);
}

#[test]
fn an_excluded_person_stays_so_after_a_rename_in_duo() {
    let scene = Scene::settled(&["glass in eng", "a in eng", "b in eng", "c in eng"]);
    scene.configure(&scope("excluded_people = [\"Glass\"]"));
    scene.day(|duo| {
        duo.person("glass").username = "other".to_owned();
        duo.status("other", "disabled");
    });
    scene.ends(0, &["sync"]);
    scene.nothing_was_sent();
    scene.ends(0, &["sync", "--person", "glass"]);
    scene.nothing_was_sent();
    // Gone for good: still.
    scene.day(|duo| duo.remove("other"));
    scene.ends(0, &["sync"]);
    scene.nothing_was_sent();
    // Taken off the list, it is planned: as a change of the source, not of the configuration.
    scene.configure("");
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["glass left eng", "deactivated glass"]);
}

#[test]
fn a_blocked_person_is_deactivated_whatever_duo_says_after_a_person_approved_it() {
    let scene = Scene::settled(&["a in eng", "b in eng", "c in eng"]);
    scene.forget();
    scene.configure(&scope("blocked_people = [\"a\"]"));
    let held = scene.changes_nothing(5, &["sync"]);
    assert!(held.stdout.contains("because scope.blocked_people lists"), "{}", held.stdout);
    scene.settle();
    let before = directory(&scene);
    scene.day(|duo| duo.join("a", "eng"));
    scene.ends(0, &["sync"]);
    assert_eq!(directory(&scene), before);
    assert!(!before.users["a"].active);
}

#[test]
fn a_protected_group_is_never_made_filled_or_emptied() {
    let scene = Scene::settled(&["a in eng admins", "b in eng admins", "c in eng"]);
    scene.configure(&scope("protected_groups = [\"Admins\", \"sales\"]"));
    scene.day(|duo| {
        duo.leave("a", "admins");
        duo.join("c", "admins");
        duo.hire("d in sales");
    });
    let text = scene.ends(0, &["plan"]).stdout;
    assert_eq!(text.matches("scope.protected_groups: never created, adopted or filled").count(), 2, "{text}");
    scene.approve();
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["created user d"]);
    // Renamed in Duo: it is the name in Atlassian that is protected.
    scene.day(|duo| duo.rename_group("admins", "others"));
    scene.ends(0, &["sync"]);
    scene.nothing_was_sent();
}

#[test]
fn a_grace_period_delays_who_left_the_scope_and_nobody_else() {
    let scene = Scene::with(&["a in eng", "b in eng", "c in eng", "d in eng", "e in eng"]);
    scene.configure("[deprovisioning]\ngrace_hours = 1\n");
    scene.settle();
    scene.day(|duo| {
        duo.leave("a", "eng");
        duo.leave("b", "eng");
        duo.status("c", "disabled");
        duo.remove("d");
    });
    scene.approve();
    scene.ends(0, &["sync"]);
    let mut gone: Vec<String> = scene.effects().into_iter().filter(|line| line.starts_with("deactivated")).collect();
    gone.sort();
    assert_eq!(gone, ["deactivated c", "deactivated d"]);
    // One comes back in time and is never touched; the hour of the other ends.
    scene.day(|duo| duo.join("b", "eng"));
    scene.ends(0, &["sync"]);
    scene.nothing_was_sent();
    scene.open().execute("UPDATE account SET left_scope_at = left_scope_at - 3601", []).expect("an hour");
    scene.open().execute("DELETE FROM spent", []).expect("another day");
    scene.approve();
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["a left eng", "deactivated a"]);
}
