//! Two scenes in which everything happens that can happen to an account or a group.

use super::super::super::sim::atlassian::AtlassianSim;
use super::super::scene::Scene;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Every kind of action of the product, as plans name it.
const KINDS: [&str; 8] =
    ["adopt", "adopt_group", "create", "create_group", "deactivate", "reactivate", "update", "update_members"];

/// So many members in a request, so that a group takes several.
pub(super) const FEW_MEMBERS: &str = "members_per_request_max = 3";

/// A scene with its files in memory where that is possible. A killed process leaves what it wrote to the kernel, which
/// keeps it: nothing is easier to survive here than on a disk, and syncing costs no time.
fn empty() -> Scene {
    let in_memory = tempfile::Builder::new().tempdir_in("/dev/shm");
    Scene::empty_in(in_memory.or_else(|_| tempfile::tempdir()).expect("a folder"))
}

fn with(people: &[&str]) -> Scene {
    let scene = empty();
    scene.configure_atlassian(FEW_MEMBERS, "");
    scene.duo(|duo| people.iter().for_each(|line| drop(duo.hire(line).user_id.clone())));
    scene
}

/// People and their groups, after the first sync.
pub(super) fn settled(people: &[&str]) -> Scene {
    let scene = with(people);
    scene.settle();
    scene
}

/// A record as it would be if we had made it, but for the client's id.
fn record(sim: &mut AtlassianSim, name: &str, shown: &str, is_active: bool) {
    let user = json!({ "userName": name, "displayName": shown, "active": is_active,
        "emails": [{ "value": format!("{name}@example.com"), "type": "work", "primary": true }] });
    sim.add_user_from(&user).expect("a user");
}

/// One cycle of every kind of action, approved and not sent yet. Movers, leavers, chains of addresses; creates and
/// joins take several waves and several requests a group.
pub(super) fn everything_at_once() -> Scene {
    let scene = everything_held();
    scene.approve();
    scene.forget();
    scene
}

/// The same, and it waits for a person.
pub(super) fn everything_held() -> Scene {
    let scene = with(&[
        "ana in eng ops",
        "bo in eng",
        "cy in eng ops",
        "dan in ops",
        "eve in eng",
        "flo in eng",
        "gus in ops",
        "hal in eng",
    ]);
    scene.atlassian(|sim| drop(sim.add_user("guest", None)));
    scene.settle();
    scene.day(|duo| duo.status("eve", "disabled"));
    scene.ends(0, &["sync"]);
    // Somebody made ivy by hand: her create is refused, and her record becomes a candidate for adoption.
    scene.atlassian(|sim| drop(sim.add_user("ivy", None)));
    scene.duo(|duo| drop(duo.hire("ivy in eng").user_id.clone()));
    scene.ends(4, &["sync"]);
    scene.atlassian(|sim| {
        sim.add_group("sales");
        for name in ["guest", "hal", "gus"] {
            sim.add_member("sales", name);
        }
    });
    scene.day(|duo| {
        for (name, from, to) in [("ana", "eng", "sales"), ("bo", "eng", "ops"), ("gus", "ops", "sales")] {
            duo.leave(name, from);
            duo.join(name, to);
        }
        duo.status("cy", "disabled");
        duo.remove("dan");
        duo.status("eve", "active");
        duo.person("eve").realname = Some("Eve Evans".to_owned());
        "flo.new@example.com".clone_into(&mut duo.person("flo").email);
        "flo@example.com".clone_into(&mut duo.person("hal").email);
        duo.person("bo").realname = Some("Bo Cho".to_owned());
        for name in ["kim", "lea", "mo", "ned", "oz", "pam", "ray", "sue", "tim"] {
            duo.hire(&format!("{name} in eng qa"));
        }
    });
    scene
}

/// The same, approved, and sent several requests at once.
pub(super) fn everything_in_parallel() -> Scene {
    let scene = everything_at_once();
    let text = std::fs::read_to_string(scene.stage.config()).expect("the configuration");
    let text = text.replace("concurrent_requests_max = 1", "concurrent_requests_max = 4");
    std::fs::write(scene.stage.config(), text).expect("the configuration");
    scene
}

/// The very first sync, into a directory that somebody filled by hand, with no database yet. More is adopted than goes
/// into one wave.
pub(super) fn first_sync() -> Scene {
    let names = ["p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"];
    let scene = with(&names.map(|name| format!("{name} in eng")).each_ref().map(String::as_str));
    scene.duo(|duo| {
        duo.hire("ana in eng ops");
        duo.join("p1", "ops");
        duo.leave("p9", "eng");
        duo.join("p9", "ops");
    });
    let adoptions = "adoptions_max = { count = 100, percent = 0, at_most = 100 }";
    scene.configure_atlassian(FEW_MEMBERS, &format!("[guard]\nfirst_plan = \"apply\"\n{adoptions}\n"));
    scene.atlassian(|sim| {
        sim.add_group("eng");
        for name in names {
            let shown = if name == "p3" { "Somebody".to_owned() } else { name.to_uppercase() };
            record(sim, name, &shown, name != "p4");
            if name != "p5" {
                sim.add_member("eng", name);
            }
        }
        sim.add_user("guest", None);
        sim.add_member("eng", "guest");
    });
    scene.forget();
    scene
}

/// The kinds of action in a plan.
fn kinds(plan: &Value) -> BTreeSet<&str> {
    plan["actions"].as_array().expect("actions").iter().filter_map(|action| action["action"].as_str()).collect()
}

#[test]
fn every_kind_of_action_is_in_the_cycle_that_is_killed() {
    let scene = everything_at_once();
    let plan = scene.plan();
    assert_eq!(plan["guard"]["verdict"], "approved", "{plan:#}");
    assert_eq!(kinds(&plan), BTreeSet::from(KINDS), "{plan:#}");
    // The plan has a count for each kind, whether it occurs or not: a new kind makes this fail.
    let summary: BTreeSet<&str> = plan["summary"].as_object().expect("a summary").keys().map(String::as_str).collect();
    let counted = ["join", "leave", "skip", "unchanged"];
    let expected = KINDS.into_iter().filter(|kind| *kind != "update_members").chain(counted);
    assert_eq!(summary, expected.collect());
}

#[test]
fn the_first_sync_that_is_killed_adopts_more_than_one_wave() {
    let plan = first_sync().plan();
    let expected = KINDS.into_iter().filter(|kind| *kind != "deactivate").collect();
    assert_eq!(kinds(&plan), expected, "{plan:#}");
    assert!(plan["summary"]["adopt"].as_u64().expect("a number") > 8, "{plan:#}");
}
