//! Five pains of people who use comparable tools, each closed, and each shown here by its name.

use super::super::sim::duo::DuoSim;
use super::super::sim::wire::{Answer, Edit, Effect, Fault, Match};
use super::scene::Scene;
use serde_json::{Value, json};

const TEAM: &[&str] = &["a in eng", "b in eng", "c in eng", "d in eng", "e in ops", "f in ops", "g in ops", "h in ops"];

fn users() -> Match {
    Match::get("/admin/v1/users")
}

fn empty_list() -> Effect<DuoSim> {
    let body = json!({ "stat": "OK", "response": [], "metadata": { "total_objects": 0 } });
    Effect::Answer(Answer::json(200, &body))
}

/// An empty, a partial and a mis-filtered source, one after the other: nobody is deactivated, nothing is recreated.
#[test]
fn pain_1_mass_deprovisioning_from_an_empty_partial_or_misfiltered_source() {
    let scene = Scene::settled(TEAM);
    // Empty in the lists alone: the records know better.
    scene.stage.duo.fault(Fault::always(users().with_query("offset="), empty_list()));
    scene.changes_nothing(0, &["sync"]);
    scene.stage.duo.clear_faults();
    // Partial: half of the rows, and the total tells.
    let half: Edit = Box::new(|_, answer| {
        let mut body: Value = serde_json::from_slice(&answer.body).expect("JSON");
        body["response"].as_array_mut().expect("rows").truncate(4);
        answer.body = body.to_string().into_bytes();
    });
    scene.stage.duo.fault(Fault::always(users(), Effect::Rewrite(half)));
    scene.changes_nothing(3, &["sync"]);
    scene.stage.duo.clear_faults();
    // Filtered by mistake, once here and once there.
    scene.configure("[scope]\ngroups = [{ name = \"eng\" }]\n");
    let held = scene.changes_nothing(5, &["sync"]);
    let said = "4 people would lose access or memberships because scope.groups no longer lists";
    assert!(held.stdout.contains(said), "{}", held.stdout);
    scene.configure("");
    scene.day(|duo| ["e", "f", "g", "h"].into_iter().for_each(|name| duo.leave(name, "ops")));
    let held = scene.changes_nothing(5, &["sync"]);
    assert!(held.stdout.contains("had 4 people and has none now"), "{}", held.stdout);
    // It comes back: as if nothing had been.
    scene.duo(|duo| ["e", "f", "g", "h"].into_iter().for_each(|name| duo.join(name, "ops")));
    scene.changes_nothing(0, &["sync"]);
    assert!(scene.target_requests().is_empty());
}

/// What the target would refuse is in the dry run, the dry run sends nothing, and what it shows is what is sent.
#[test]
fn pain_2_a_dry_run_that_lies() {
    let scene = Scene::settled(TEAM);
    scene.day(|duo| {
        duo.hire("new in eng");
        duo.hire("odd in eng").email = "not an address".to_owned();
        duo.hire("twin in eng").email = "a@example.com".to_owned();
        duo.hire("boss in site-admins");
        duo.status("h", "disabled");
    });
    scene.approve();
    let dry = scene.changes_nothing(0, &["sync", "--dry-run"]);
    for skipped in ["odd", "twin", "site-admins"] {
        let line = dry.stdout.lines().find(|line| line.contains("? skip") && line.contains(skipped));
        assert!(line.is_some(), "{skipped}: {}", dry.stdout);
    }
    let planned = scene.plan();
    scene.ends(0, &["sync"]);
    let (reads, writes): (Vec<_>, Vec<_>) =
        scene.target_requests().into_iter().partition(|line| line.starts_with("GET "));
    assert_eq!(planned["forecast"]["requests"], writes.len(), "{writes:#?}");
    assert_eq!(reads.len(), 1, "the group of the first removal of all: {reads:#?}");
    let mut effects = scene.effects();
    effects.sort();
    assert_eq!(effects, ["created user boss", "created user new", "deactivated h", "h left ops", "new joined eng"]);
    let refused = scene.stage.atlassian.seen().iter().filter(|seen| seen.status.is_some_and(|s| s >= 400)).count();
    assert_eq!(refused, 0, "nothing is sent that is refused");
}

/// Somebody else's accounts, groups and members are not touched, whatever happens to ours.
#[test]
fn pain_3_it_touches_accounts_that_it_does_not_own() {
    let scene = Scene::settled(TEAM);
    scene.atlassian(|sim| {
        sim.add_user("contractor", None);
        sim.add_user("robot", Some("other-system-7"));
        sim.add_group("finance");
        assert!(sim.add_member("finance", "contractor") && sim.add_member("eng", "robot"));
    });
    let theirs = |scene: &Scene| {
        scene.atlassian(|sim| {
            let all = sim.snapshot();
            let users = ["contractor", "robot"].map(|name| all.users[name].clone());
            (users, sim.members_of("finance"), sim.members_of("eng").contains("robot"))
        })
    };
    let before = theirs(&scene);
    scene.day(|duo| {
        duo.status("a", "disabled");
        duo.leave("b", "eng");
        duo.join("b", "ops");
    });
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["a left eng", "deactivated a", "b joined ops", "b left eng"]);
    // Even with everybody gone, and approved.
    scene.day(|duo| ["b", "c", "d", "e", "f", "g", "h"].into_iter().for_each(|name| duo.remove(name)));
    scene.approve();
    scene.ends(0, &["sync"]);
    assert_eq!(theirs(&scene), before);
    let others = ["contractor", "robot", "finance"];
    assert!(scene.effects().iter().all(|line| others.iter().all(|name| !line.contains(name))), "{:?}", scene.effects());
}

/// A held plan says how to go on, exactly; both ways out work, and neither opens the gate for more.
#[test]
fn pain_12_a_threshold_is_hit_and_there_is_no_clear_and_safe_way_forward() {
    let scene = Scene::settled(TEAM);
    scene.day(|duo| ["a", "b", "c", "d"].into_iter().for_each(|name| duo.status(name, "disabled")));
    let held = scene.changes_nothing(5, &["sync"]);
    let command = |words: &str| {
        let line = held.stderr.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("{}", held.stderr));
        let from = line.find(words).unwrap_or(0);
        line[from..].split([';', ' ']).filter(|word| !word.is_empty()).take(3).map(str::to_owned).collect::<Vec<_>>()
    };
    // One at once, whatever waits.
    let one = command("sync --person");
    scene.ends(0, &one.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(scene.effects().len(), 2, "{:?}", scene.effects());
    scene.forget();
    // The rest by approval of exactly that plan: who comes on top of it waits.
    let plan = scene.plan();
    assert_eq!(plan["guard"]["verdict"], "approved", "three of eight are within the limits: {plan:#}");
    scene.day(|duo| duo.status("e", "disabled"));
    let plan = scene.plan();
    assert_eq!(plan["guard"]["verdict"], "held");
    scene.ends(0, &["approve", plan["fingerprint"].as_str().expect("a fingerprint")]);
    scene.duo(|duo| ["f", "g", "h"].into_iter().for_each(|name| duo.status(name, "disabled")));
    let held = scene.changes_nothing(5, &["sync"]);
    let said = "7 of 7 accounts would be deactivated within 24 hours, half or more of all";
    assert!(held.stdout.contains(said), "{}", held.stdout);
    scene.duo(|duo| ["f", "g", "h"].into_iter().for_each(|name| duo.status(name, "active")));
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects().iter().filter(|line| line.starts_with("deactivated")).count(), 4);
}

/// What was reviewed is what runs; where the world moved, what moved is named.
#[test]
fn pain_13_what_was_reviewed_is_not_what_ran() {
    let scene = Scene::settled(TEAM);
    scene.day(|duo| duo.status("a", "disabled"));
    let path = scene.file("reviewed.json").to_str().expect("a path").to_owned();
    scene.ends(0, &["plan", "--out", &path]);
    // Something more happens before the plan is applied: it waits for another plan.
    scene.duo(|duo| duo.status("e", "disabled"));
    scene.ends(0, &["apply", &path]);
    assert_eq!(scene.effects(), ["a left eng", "deactivated a"]);
    // Something else happens: nothing is sent, and the reason says what.
    scene.forget();
    scene.ends(0, &["plan", "--out", &path]);
    scene.duo(|duo| duo.status("e", "active"));
    let refused = scene.changes_nothing(7, &["apply", &path]);
    assert!(refused.stderr.contains("(e): is not planned any more"), "{}", refused.stderr);
}
