//! The user tier: over `guard.accounts_max` only creates and reactivations wait.

use super::super::scene::Scene;

/// Four people of ours and three accounts that are not ours.
fn shared() -> Scene {
    let scene = Scene::with(&["a in eng", "b in eng", "c in eng", "d in eng"]);
    scene.atlassian(|sim| ["x", "y", "z"].map(|name| sim.add_user(name, None)));
    scene.settle();
    scene.forget();
    scene
}

fn allow(scene: &Scene, accounts: usize) {
    scene.configure(&format!("[guard]\naccounts_max = {accounts}\n"));
}

#[test]
fn over_the_tier_creates_wait_and_everything_else_goes_on() {
    let scene = shared();
    allow(&scene, 8);
    scene.day(|duo| {
        duo.hire("e in eng");
        duo.hire("f in eng");
        duo.person("a").realname = Some("Another".to_owned());
        duo.join("b", "ops");
    });
    scene.approve();
    let ran = scene.ends(0, &["sync"]);
    assert!(ran.stdout.contains("active accounts: 7 -> 8 of at most 8"), "{}", ran.stdout);
    assert!(ran.stdout.contains("waits for a free place"), "{}", ran.stdout);
    let effects = scene.effects();
    assert_eq!(effects.iter().filter(|line| line.starts_with("created user ")).count(), 1, "{effects:?}");
    assert!(effects.contains(&"changed displayName of a".to_owned()), "{effects:?}");
    assert!(effects.contains(&"b joined ops".to_owned()), "{effects:?}");
    // Nothing to do until a place is free.
    scene.forget();
    scene.ends(0, &["sync"]);
    scene.nothing_was_sent();
    // A leaver frees one, in the same plan.
    scene.day(|duo| duo.status("c", "disabled"));
    let ran = scene.ends(0, &["sync"]);
    assert!(ran.stdout.contains("active accounts: 8 -> 8 of at most 8"), "{}", ran.stdout);
    let effects = scene.effects();
    assert!(effects.contains(&"deactivated c".to_owned()), "{effects:?}");
    assert_eq!(effects.iter().filter(|line| line.starts_with("created user ")).count(), 1, "{effects:?}");
    // Whoever comes back waits as well, and loses nothing else by it; a higher limit lets them in.
    scene.day(|duo| duo.status("c", "active"));
    scene.ends(0, &["sync"]);
    scene.nothing_was_sent();
    allow(&scene, 9);
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["reactivated c", "c joined eng"]);
}

#[test]
fn accounts_that_are_not_ours_count_from_the_first_plan_on() {
    let scene = Scene::with(&["a in eng", "b in eng", "c in eng", "d in eng"]);
    scene.atlassian(|sim| ["x", "y", "z"].map(|name| sim.add_user(name, None)));
    allow(&scene, 5);
    let plan = scene.ends(0, &["plan"]).stdout;
    assert!(plan.contains("active accounts: 3 -> 5 of at most 5"), "{plan}");
    scene.settle();
    assert_eq!(scene.atlassian(|sim| sim.users().filter(|user| user.active()).count()), 5);
    scene.ends(0, &["sync"]);
    assert_eq!(scene.atlassian(|sim| sim.users().filter(|user| user.active()).count()), 5);
}

#[test]
fn adopted_accounts_are_counted_once() {
    let scene = Scene::with(&["a in eng", "b in eng", "c in eng"]);
    scene.atlassian(|sim| ["a", "b", "x"].map(|name| sim.add_user(name, None)));
    allow(&scene, 4);
    let plan = scene.ends(0, &["plan"]).stdout;
    assert!(plan.contains("active accounts: 3 -> 4 of at most 4"), "{plan}");
    scene.settle();
    allow(&scene, 5);
    scene.day(|duo| drop(duo.hire("d in eng").user_id.clone()));
    let ran = scene.ends(0, &["sync"]);
    assert!(ran.stdout.contains("active accounts: 4 -> 5 of at most 5"), "{}", ran.stdout);
}

#[test]
fn a_part_of_a_saved_plan_does_not_go_over_the_tier_either() {
    let scene = shared();
    allow(&scene, 7);
    scene.day(|duo| {
        duo.hire("e in eng");
        duo.status("c", "disabled");
    });
    let file = scene.file("plan.json").display().to_string();
    scene.ends(0, &["plan", "--out", &file]);
    let create = format!("create:{}", scene.duo(|duo| duo.id("e")));
    let ran = scene.ends(0, &["apply", &file, "--only", &create]);
    assert!(scene.effects().is_empty(), "{:?}", scene.effects());
    assert!(ran.stdout.contains("active accounts: 7 -> 7 of at most 7"), "{}", ran.stdout);
    assert!(ran.stdout.contains("waits for a free place"), "{}", ran.stdout);
    scene.ends(0, &["apply", &file]);
    assert_eq!(scene.effects(), ["c left eng", "deactivated c", "created user e", "e joined eng"]);
}

#[test]
fn who_takes_the_address_of_somebody_who_waits_waits_too() {
    let scene = shared();
    scene.day(|duo| duo.status("a", "disabled"));
    scene.ends(0, &["sync"]);
    allow(&scene, 6);
    scene.day(|duo| {
        duo.status("a", "active");
        duo.person("a").email = "a.new@example.com".to_owned();
        duo.person("b").email = "a@example.com".to_owned();
    });
    scene.ends(0, &["sync"]);
    scene.nothing_was_sent();
    allow(&scene, 7);
    scene.ends(0, &["sync"]);
    assert!(scene.effects().contains(&"changed emails of b".to_owned()), "{:?}", scene.effects());
}
