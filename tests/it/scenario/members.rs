//! What was sent is checked (S15): a change of members that does more, or less, than it was meant to is noticed in the
//! first answer, put right, and not repeated.

use super::super::sim::atlassian::MemberRemoval;
use super::super::sim::wire::{Answer, Edit, Effect, Fault, Match};
use super::scene::{Scene, picture};
use insta::assert_snapshot;
use serde_json::Value;
use std::collections::BTreeSet;

/// Eight in ops and six in eng, with two guests in ops who are not ours; three are to leave. What is sent for ops goes
/// first.
fn company(form: &str, removal: MemberRemoval) -> Scene {
    let people: Vec<String> =
        (0..8).map(|number| format!("p{number} in{} all ops", if number < 6 { " eng" } else { "" })).collect();
    let scene = Scene::with(&people.iter().map(String::as_str).collect::<Vec<_>>());
    scene.configure_atlassian(&format!("member_removal = \"{form}\""), "");
    scene.settle();
    scene.atlassian(|sim| {
        sim.settings_mut().member_removal = removal;
        // Requests that do nothing, or too much, are what this is about.
        sim.settings_mut().strict = false;
        for guest in ["guest1", "guest2"] {
            sim.add_user(guest, None);
            assert!(sim.add_member("ops", guest));
        }
    });
    scene.day(|duo| {
        duo.leave("p0", "ops");
        duo.leave("p1", "ops");
        duo.leave("p2", "eng");
    });
    scene.approve();
    scene.forget();
    scene
}

fn members(scene: &Scene, group: &str) -> BTreeSet<String> {
    scene.atlassian(|sim| sim.members_of(group))
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Writing and reading requests for groups since they were last forgotten.
fn requests(scene: &Scene) -> (usize, usize) {
    let of_groups = |method: &str| {
        let is_one = |line: &&String| line.starts_with(method) && line.contains("/Groups/");
        scene.target_requests().iter().filter(is_one).count()
    };
    (of_groups("PATCH "), of_groups("GET "))
}

fn status(scene: &Scene) -> Value {
    serde_json::from_str(&scene.run(&["status", "--format", "json"]).stdout).expect("JSON")
}

#[test]
fn a_form_of_removal_that_empties_groups_is_noticed_in_the_first_answer_and_used_no_more() {
    let scene = company("values", MemberRemoval::FilterOnly);
    assert_snapshot!(picture(&scene.ends(4, &["sync"])), @r#"
    plan PLAN   desired: Duo, 3 groups, 8 people, read completely by TIME
                        compared with: snapshot 4, 8 accounts owned, 22 memberships

      ~ update members eng       -1 (p2)
      ~ update members ops       -2 (p0, p1)

    3 to leave, 8 unchanged; 2 requests in about 1 s
    guard: approved
    Done: 1, not sent: 1 (cycle 4).
      x ops (group:DG2XR11EM4PMS0C8YCI0), members: Atlassian removed everybody else as well, 6 people of ours, who are joined again by the next sync, and 2 others, to be added again by hand (SCIM ids 709efc47-1a03-4712-84a4-PLAN, 88e68ad0-8b1d-4efc-8872-PLAN): it takes atlassian.member_removal = "values" for all members; set it to "filter"
      x eng (group:DGMSXQ37BKCBE064H690), 1 leave (DUI1MCYKXO1Y61ICFJR0): no members are removed from groups since TIME: atlassian.member_removal = "values" removed everybody else from ops as well; set it to "filter"
    note: scope.groups: `*` selects every group of Duo
    error: some records are failing; the others are done and recorded
    To see them: duo-atlassian-sync --config FOLDER/config.toml status
    exit 4
    "#);
    assert_eq!(members(&scene, "ops"), names(&[]), "that is what it does");
    assert_eq!(members(&scene, "eng").len(), 6, "and it is not done to another group");
    assert_eq!(requests(&scene), (1, 1));
    assert_snapshot!(picture(&scene.run(&["status"])), @r#"
    failing
    last sync        cycle 4 of TIME: some records are failing
    last good sync   cycle 2 of TIME (AGE)
    owned            8 accounts (8 active), 3 groups
    stopped          no members are removed from groups since TIME: atlassian.member_removal = "values" removed everybody else from ops as well; set it to "filter"
      to go on       duo-atlassian-sync --config FOLDER/config.toml resume
    failing          ops (group:DG2XR11EM4PMS0C8YCI0), members, 1 times since TIME: Atlassian removed everybody else as well, 6 people of ours, who are joined again by the next sync, and 2 others, to be added again by hand (SCIM ids 709efc47-1a03-4712-84a4-PLAN, 88e68ad0-8b1d-4efc-8872-PLAN): it takes atlassian.member_removal = "values" for all members; set it to "filter"; next try: the next sync
    failing          eng (group:DGMSXQ37BKCBE064H690), 1 leave (DUI1MCYKXO1Y61ICFJR0), 1 times since TIME: no members are removed from groups since TIME: atlassian.member_removal = "values" removed everybody else from ops as well; set it to "filter"; next try: the next sync
    API key          expires AGE
    exit 4
    "#);
    // The next sync gives back what it knows of, and removes nobody in this form.
    scene.forget();
    scene.ends(4, &["sync"]);
    assert_eq!(members(&scene, "ops"), names(&["p2", "p3", "p4", "p5", "p6", "p7"]));
    assert_eq!((members(&scene, "eng").len(), requests(&scene)), (6, (1, 0)));
    assert!(status(&scene)["stopped"][0].as_str().is_some_and(|reason| reason.contains("set it to \"filter\"")));
    // The setting is changed as it says: the first goes alone again, and is as it should be.
    scene.configure_atlassian("member_removal = \"filter\"", "");
    scene.forget();
    scene.ends(0, &["sync"]);
    assert_eq!(members(&scene, "eng"), names(&["p0", "p1", "p3", "p4", "p5"]));
    assert_eq!(requests(&scene), (1, 1));
    assert_eq!((&status(&scene)["state"], &status(&scene)["stopped"]), (&"good".into(), &serde_json::json!([])));
}

#[test]
fn a_leaver_is_deactivated_although_removals_are_stopped_and_resume_tries_one_again() {
    let scene = company("values", MemberRemoval::FilterOnly);
    scene.ends(4, &["sync"]);
    scene.day(|duo| duo.status("p7", "disabled"));
    scene.ends(4, &["sync"]);
    assert!(scene.effects().contains(&"deactivated p7".to_owned()), "{:?}", scene.effects());
    assert!(members(&scene, "all").contains("p7"));
    scene.atlassian(|sim| sim.settings_mut().member_removal = MemberRemoval::Both);
    let resumed = scene.ends(0, &["resume"]);
    assert!(resumed.stdout.contains("removals of members go on"), "{}", resumed.stdout);
    scene.approve();
    scene.ends(0, &["sync"]);
    assert!(!members(&scene, "all").contains("p7"));
    assert_eq!(members(&scene, "eng").len(), 5);
}

#[test]
fn foreign_members_who_are_lost_are_counted_and_named_though_nobody_of_ours_is() {
    let scene = company("values", MemberRemoval::FilterOnly);
    scene.settle_removals_elsewhere();
    scene.day(|duo| (0..8).for_each(|number| duo.leave(&format!("p{number}"), "ops")));
    scene.approve();
    scene.forget();
    let ran = scene.ends(4, &["sync"]);
    let ids: Vec<String> = ["guest1", "guest2"]
        .map(|guest| scene.atlassian(|sim| sim.user_by_user_name(guest).map(|user| user.id.clone())).expect("a guest"))
        .to_vec();
    assert!(ran.stdout.contains("0 people of ours"), "{}", ran.stdout);
    assert!(ran.stdout.contains("2 others, to be added again by hand (SCIM ids "), "{}", ran.stdout);
    assert!(ids.iter().all(|id| ran.stdout.contains(id.as_str())), "{}", ran.stdout);
}

#[test]
fn a_form_of_removal_that_is_ignored_is_noticed_in_the_first_answer() {
    let scene = company("filter", MemberRemoval::ValuesOnly);
    let ran = scene.ends(4, &["sync"]);
    let said = "it ignores atlassian.member_removal = \"filter\"; set it to \"values\"";
    assert!(ran.stdout.contains(said), "{}", ran.stdout);
    assert_eq!(requests(&scene), (1, 1), "the rest of that group, and other groups, are not asked for");
    assert_eq!(members(&scene, "ops").len(), 10);
    let owned = scene.ends(0, &["show", "group", "ops"]);
    assert!(owned.stdout.contains("our members   8"), "the snapshot holds what is true: {}", owned.stdout);
    // Who is to lose access is tried in every cycle: one, and one only.
    scene.forget();
    scene.ends(4, &["sync"]);
    assert_eq!(requests(&scene), (1, 1));
    scene.configure_atlassian("member_removal = \"values\"", "");
    scene.forget();
    scene.ends(0, &["sync"]);
    assert_eq!(requests(&scene), (2, 1), "the first is looked at, the other follows");
    assert_eq!((members(&scene, "ops").len(), members(&scene, "eng").len()), (8, 5));
    scene.ends(0, &["status"]);
}

#[test]
fn a_form_that_proved_right_costs_no_further_reading() {
    let scene = company("filter", MemberRemoval::Both);
    scene.ends(0, &["sync"]);
    assert_eq!(requests(&scene), (2, 1), "one look, ever");
    scene.day(|duo| {
        duo.leave("p3", "eng");
        duo.leave("p4", "ops");
    });
    scene.ends(0, &["sync"]);
    assert_eq!(requests(&scene), (2, 0));
}

#[test]
fn a_group_that_nobody_else_was_in_proves_nothing() {
    let scene = company("filter", MemberRemoval::Both);
    scene.ends(0, &["sync"]);
    scene.configure_atlassian("member_removal = \"values\"", "");
    scene.day(|duo| {
        for number in [0, 1, 3, 4, 5] {
            duo.leave(&format!("p{number}"), "eng");
        }
    });
    scene.approve();
    scene.forget();
    scene.ends(0, &["sync"]);
    scene.day(|duo| duo.leave("p5", "ops"));
    scene.approve();
    scene.forget();
    scene.ends(0, &["sync"]);
    assert_eq!(requests(&scene), (1, 1), "the next one is looked at again");
}

#[test]
fn a_service_that_changes_its_mind_is_noticed_by_the_people_of_ours_who_are_gone() {
    let scene = company("values", MemberRemoval::Both);
    scene.ends(0, &["sync"]);
    scene.atlassian(|sim| sim.settings_mut().member_removal = MemberRemoval::FilterOnly);
    scene.day(|duo| duo.leave("p3", "ops"));
    let ran = scene.ends(4, &["sync"]);
    assert!(ran.stdout.contains("the answer lacks all 5 others of ours as well"), "{}", ran.stdout);
    assert_eq!(requests(&scene), (1, 0));
    // They are joined again, and the next removal is looked at first.
    scene.day(|duo| duo.leave("p4", "eng"));
    let ran = scene.ends(4, &["sync"]);
    assert_eq!(members(&scene, "ops").len(), 5, "five of ours; the guests are gone");
    assert!(ran.stdout.contains("Atlassian removed everybody else as well"), "{}", ran.stdout);
    assert!(!status(&scene)["stopped"].as_array().expect("a list").is_empty());
}

#[test]
fn who_was_taken_out_by_hand_before_is_no_fault_of_the_form() {
    let scene = company("filter", MemberRemoval::Both);
    scene.atlassian(|sim| assert!(sim.remove_member("ops", "p5") && sim.remove_member("ops", "p0")));
    let ran = scene.ends(0, &["sync"]);
    assert!(ran.stdout.contains("something else writes to this directory: 1 record was"), "{}", ran.stdout);
    assert_eq!(members(&scene, "ops"), names(&["guest1", "guest2", "p2", "p3", "p4", "p6", "p7"]));
    scene.forget();
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["p5 joined ops"], "Duo says that p5 belongs there");
}

#[test]
fn where_nobody_who_is_to_leave_is_there_any_more_nothing_is_sent() {
    let scene = company("filter", MemberRemoval::Both);
    scene.atlassian(|sim| {
        sim.settings_mut().strict = true;
        assert!(sim.remove_member("ops", "p0") && sim.remove_member("ops", "p1") && sim.remove_member("eng", "p2"));
    });
    scene.ends(0, &["sync"]);
    assert_eq!(requests(&scene), (0, 2));
    scene.forget();
    scene.ends(0, &["sync"]);
    assert!(scene.target_requests().is_empty());
}

#[test]
fn an_answer_without_the_group_is_followed_by_a_reading_until_the_form_is_proven() {
    let scene = company("values", MemberRemoval::FilterOnly);
    let empty: Edit = Box::new(|_, answer| *answer = Answer::empty(204));
    let on = Match::method("PATCH").containing("/Groups/");
    scene.stage.atlassian.fault(Fault::always(on, Effect::Rewrite(empty)));
    let ran = scene.ends(4, &["sync"]);
    assert!(ran.stdout.contains("Atlassian removed everybody else as well, 6 people of ours"), "{}", ran.stdout);
    assert_eq!(requests(&scene), (1, 2), "before and after");
}

#[test]
fn an_addition_that_takes_the_place_of_the_others_is_noticed_and_the_rest_of_the_group_is_not_sent() {
    let scene = company("filter", MemberRemoval::Both);
    scene.ends(0, &["sync"]);
    scene.configure_atlassian("members_per_request_max = 1", "");
    scene.day(|duo| {
        duo.leave("p6", "all");
        duo.join("p0", "ops");
        duo.join("p1", "ops");
        duo.join("p2", "eng");
        duo.join("p6", "eng");
        duo.join("p7", "eng");
    });
    scene.approve();
    scene.forget();
    let ops = super::failing::group_path(&scene, "ops");
    let replace = Effect::World(Box::new(|sim: &mut super::super::sim::atlassian::AtlassianSim| {
        for name in sim.members_of("ops") {
            assert!(sim.remove_member("ops", &name));
        }
    }));
    scene.stage.atlassian.fault(Fault::always(Match::method("PATCH").containing(&ops), replace));
    let ran = scene.ends(4, &["sync"]);
    assert!(ran.stdout.contains("after members were added the answer lacks all 6 others of ours"), "{}", ran.stdout);
    assert_eq!(members(&scene, "ops").len(), 1, "the second was not sent");
    let sent: Vec<String> = scene.target_requests().into_iter().filter(|line| line.contains(&ops)).collect();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(members(&scene, "eng").len(), 8, "the other group goes on");
    assert!(!members(&scene, "all").contains("p6"), "p6 joined what was planned: the old membership ends");
    // For a while nobody is added: each time somebody else would be thrown out.
    scene.forget();
    scene.ends(4, &["sync"]);
    assert_eq!(requests(&scene), (0, 0));
    scene.stage.atlassian.clear_faults();
    scene.an_hour_passes();
    scene.ends(0, &["sync"]);
    assert_eq!(members(&scene, "ops").len(), 8);
    scene.ends(0, &["status"]);
}

#[test]
fn who_is_thrown_out_of_the_new_group_stays_in_the_old_one() {
    let scene = Scene::settled(&["a in old", "b in old", "c in old", "d in old", "x in new", "y in new"]);
    scene.configure_atlassian("members_per_request_max = 2", "");
    scene.day(|duo| {
        for name in ["a", "b", "c", "d"] {
            duo.leave(name, "old");
            duo.join(name, "new");
        }
    });
    scene.approve();
    scene.forget();
    // The first two join; the answer to the others lacks everybody else.
    let new = super::failing::group_path(&scene, "new");
    let replace = Effect::World(Box::new(|sim: &mut super::super::sim::atlassian::AtlassianSim| {
        for name in sim.members_of("new") {
            assert!(sim.remove_member("new", &name));
        }
    }));
    let on = Match::method("PATCH").containing(&new);
    scene.stage.atlassian.fault(Fault::always(on, replace).after(1));
    scene.ends(4, &["sync"]);
    let (old, new) = (members(&scene, "old"), members(&scene, "new"));
    assert_eq!(new.len(), 2, "{new:?}");
    let both: BTreeSet<String> = old.union(&new).cloned().collect();
    assert_eq!(both, names(&["a", "b", "c", "d"]), "nobody of them is in no group");
    scene.stage.atlassian.clear_faults();
    scene.an_hour_passes();
    scene.ends(0, &["sync"]);
    assert_eq!((members(&scene, "old").len(), members(&scene, "new").len()), (0, 6));
}

impl Scene {
    /// Takes back what the company was about to do, so that a test can begin with something else.
    fn settle_removals_elsewhere(&self) {
        self.duo(|duo| {
            duo.join("p0", "ops");
            duo.join("p1", "ops");
            duo.join("p2", "eng");
        });
        self.forget();
    }
}
