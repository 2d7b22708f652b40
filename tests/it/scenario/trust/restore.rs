//! A database of a week ago, against a target that has moved on; and one that was only not used for a week.

use super::super::super::sim::duo::SECRET_KEY;
use super::{Scene, Stale, picture};
use insta::assert_snapshot;

const TEAM: &[&str] = &[
    "ana in eng",
    "bo in eng",
    "cy in eng ops",
    "dan in eng",
    "eve in ops",
    "fay in ops",
    "gus in eng",
    "hal in eng ops",
    "ida in eng",
];

/// A week in which the program worked and somebody else did, too; then the database of its beginning comes back, and
/// Duo has gone on.
fn a_week_later(stale: Stale) -> Scene {
    let scene = Scene::with(TEAM);
    scene.days_after(-30);
    scene.settle();
    let copy = scene.copied_to("monday.db");
    scene.days_after(3);
    scene.day(|duo| {
        duo.hire("zoe in eng");
        duo.hire("yan in eng ops");
        duo.status("dan", "disabled");
        duo.person("ana").realname = Some("Ana Lima".to_owned());
        "robert".clone_into(&mut duo.person("bo").username);
        duo.join("robert", "ops");
        duo.join("ida", "ops");
        duo.leave("cy", "eng");
        duo.join("eve", "night shift");
    });
    scene.settle();
    scene.atlassian(|sim| {
        assert!(sim.remove_user("fay"));
        assert!(sim.remove_member("eng", "gus"));
        sim.edit_user("hal", "displayName", serde_json::json!("Mr. Nobody")).expect("an edit");
        sim.add_user("guest", None);
        sim.add_member("eng", "guest");
    });
    // What was given in that week is taken away in Duo when nobody who knows of it is left.
    scene.duo(|duo| {
        duo.remove("yan");
        duo.leave("ida", "ops");
        duo.status("dan", "active");
        duo.status("eve", "disabled");
    });
    scene.restore_of_a_week_ago(&copy, stale);
    scene
}

#[test]
fn a_database_of_a_week_ago_sends_nothing_before_it_is_approved_and_then_the_directory_is_right() {
    for stale in [Stale::Marked, Stale::Copied] {
        let scene = a_week_later(stale);
        let before = (scene.snapshot(), scene.atlassian(|sim| sim.snapshot()));
        // Held again and again, and the plan shows the same.
        let first = scene.changes_nothing(0, &["plan", "--format", "json"]);
        scene.ends(5, &["sync"]);
        scene.ends(5, &["sync"]);
        scene.nothing_was_sent();
        assert_eq!(scene.atlassian(|sim| sim.snapshot()), before.1, "{stale:?}");
        let fingerprint = |text: &str| {
            let plan: serde_json::Value = serde_json::from_str(text).expect("a plan");
            plan["fingerprint"].as_str().expect("a fingerprint").to_owned()
        };
        let second = scene.ends(0, &["plan", "--format", "json"]);
        assert_eq!(fingerprint(&first.stdout), fingerprint(&second.stdout), "{stale:?}");
        scene.approve();
        scene.ends(0, &["sync"]);
        scene.atlassian(|sim| assert!(sim.remove_user("guest")));
        scene.directory_is_as_duo();
        assert!(!scene.is_marked(), "{stale:?}");
        scene.is_at_rest();
    }
}

#[test]
fn a_restored_database_shows_what_has_changed_and_what_it_does_not_know() {
    let scene = a_week_later(Stale::Marked);
    assert_snapshot!(picture(&scene.ends(5, &["sync"])), @r#"
        plan PLAN   desired: Duo, 3 groups, 10 people, read completely by TIME
                            compared with: snapshot 5, 8 accounts owned, 9 memberships

          = adopt          yan          2 memberships; exists in Atlassian already, with the same externalId
          = adopt          zoe          1 membership; exists in Atlassian already, with the same externalId
          = adopt group    night shift  1 membership; exists in Atlassian already, with the same name
          - deactivate     eve          disabled in Duo (was in: ops)
          - deactivate     yan          no longer in Duo
          ~ update         hal          displayName "Mr. Nobody" -> "Hal"; Atlassian says displayName = "Mr. Nobody", this database says "Hal"; it changed since, and who did it is not known here; differs in Atlassian: displayName
          + reactivate     dan          Atlassian says active=false, this database says active; it changed since, and who did it is not known here; back in eng
          + create         fay          fay@example.com; the account is gone in Atlassian; it changed since, and who did it is not known here; in ops
          ~ update members eng          -1 (yan); Atlassian holds other members
          ~ update members eng          +2 (dan, gus); Atlassian holds other members; it changed since, and who did it is not known here
          ~ update members night shift  -1 (eve); Atlassian holds other members
          ~ update members ops          -1 (yan); Atlassian holds other members
          ~ update members ops          +1 (fay); -1 (ida); Atlassian holds other members; it changed since, and who did it is not known here
          ~ update members ops          -1 (eve)
          ! 1 accounts of the Atlassian directory are not ours and stay as they are
          ! the database is a backup of TIME: Atlassian was read whole, and the plan is made from what it says now; the database is believed again once that is recorded, when a sync is not held

        3 to adopt, 1 to create, 1 to update, 1 to reactivate, 2 to deactivate, 3 to join, 5 to leave, 6 unchanged; 12 requests in about 1 s
        guard: HELD, 3 findings
          * the database is a backup of TIME; since then Atlassian has changed: 1 account gone (fay); 1 account made inactive (dan); 3 values changed (displayName of ana, displayName of hal, userName of robert); 3 memberships gone (cy in eng, dan in eng, gus in eng); 2 memberships added (ida in ops, robert in ops); 2 records with the id of a person in Duo that this database did not make (yan, zoe)
            robert, cy, ida, zoe, yan, dan, ana, fay, gus, hal
          * { name = "*" } selects group "night shift" (DGUMA77TLZTNCOHTEDP0), which it did not before
            eve
          * 3 adoptions; the limit is 0 in 24 hours, with 7 active accounts [guard.adoptions_max]
            zoe, yan
        Nothing was sent.
        note: scope.groups: `*` selects every group of Duo
        held: the plan waits for a person, and nothing was sent
        To approve it: duo-atlassian-sync --config FOLDER/config.toml approve PLAN; then: duo-atlassian-sync --config FOLDER/config.toml sync
        To reject it: duo-atlassian-sync --config FOLDER/config.toml reject PLAN
        1 wait behind it to lose access. To take it away from one of them at once:
          duo-atlassian-sync --config FOLDER/config.toml sync --person DUI5PTOWSZWB6UQEPOC0   (eve)
        exit 5
        "#);
    scene.nothing_was_sent();
}

#[test]
fn a_guest_of_somebody_else_in_our_group_stays_there() {
    let scene = a_week_later(Stale::Marked);
    scene.approve();
    scene.ends(0, &["sync"]);
    assert!(scene.atlassian(|sim| sim.members_of("eng").contains("guest")));
}

#[test]
fn more_that_comes_after_the_approval_holds_the_plan_again() {
    let scene = a_week_later(Stale::Marked);
    scene.ends(5, &["sync"]);
    scene.approve();
    scene.duo(|duo| {
        duo.hire("new in eng");
    });
    let held = scene.ends(5, &["sync"]);
    assert!(held.stdout.contains("the database is a backup of"), "{}", held.stdout);
    scene.nothing_was_sent();
    scene.approve();
    scene.ends(0, &["sync"]);
    scene.atlassian(|sim| assert!(sim.remove_user("guest")));
    scene.directory_is_as_duo();
}

#[test]
fn a_restored_database_of_a_target_that_is_as_duo_wants_it_is_believed_again_without_anybody() {
    let scene = Scene::settled(&["ana in eng", "bo in eng"]);
    let copy = scene.copied_to("monday.db");
    scene.day(|duo| duo.person("ana").realname = Some("Ana Lima".to_owned()));
    scene.settle();
    scene.restore_of_a_week_ago(&copy, Stale::Marked);
    let ran = scene.ends(0, &["sync"]);
    assert_snapshot!(picture(&ran), @r#"
        plan PLAN   desired: Duo, 1 group, 2 people, read completely by TIME
                            compared with: snapshot 4, 2 accounts owned, 2 memberships
          ! the database is a backup of TIME: Atlassian was read whole, and the plan is made from what it says now; the database is believed again once that is recorded, when a sync is not held

        nothing to do, 2 unchanged
        Nothing was to be sent.
        note: scope.groups: `*` selects every group of Duo
        exit 0
        "#);
    scene.nothing_was_sent();
    assert!(!scene.is_marked());
    scene.is_at_rest();
}

#[test]
fn a_weekly_sync_of_an_unchanged_target_is_not_held() {
    let scene = Scene::settled(TEAM);
    // Somebody else's membership, which was there when the target was last read.
    scene.atlassian(|sim| assert!(sim.add_member("ops", "ana")));
    scene.ends(0, &["sync", "--refresh"]);
    for week in 1..=3 {
        scene.age(super::WEEK_HOURS);
        scene.day(|duo| {
            duo.hire(&format!("new{week} in eng"));
            duo.leave("hal", if week == 1 { "ops" } else { "eng" });
            duo.join("hal", if week == 1 { "eng" } else { "ops" });
        });
        let ran = scene.ends(0, &["sync"]);
        assert!(scene.target_requests().iter().any(|line| line.starts_with("GET ")), "the target is read first");
        assert!(ran.stdout.contains("nothing was synced with this database since"), "{}", ran.stdout);
        assert!(!scene.is_marked());
    }
    assert!(scene.atlassian(|sim| sim.members_of("ops").contains("ana")), "it was not ours");
    scene.atlassian(|sim| assert!(sim.remove_member("ops", "ana")));
    scene.directory_is_as_duo();
}

#[test]
fn a_weekly_sync_of_a_target_that_somebody_changed_is_held() {
    let scene = Scene::settled(TEAM);
    scene.age(super::WEEK_HOURS);
    scene.day(|duo| {
        duo.hire("new in eng");
    });
    scene.atlassian(|sim| assert!(sim.add_member("ops", "ana")));
    assert_snapshot!(picture(&scene.ends(5, &["sync"])), @r#"
        plan PLAN   desired: Duo, 2 groups, 10 people, read completely by TIME
                            compared with: snapshot 5, 9 accounts owned, 12 memberships

          + create         new       new@example.com; in eng
          ~ update members eng       +1 (new)
          ~ update members ops       -1 (ana); Atlassian holds other members; it changed since, and who did it is not known here
          ! nothing was synced with this database since TIME: Atlassian was read whole, and the plan is made from what it says now; the database is believed again once that is recorded, when a sync is not held

        1 to create, 1 to join, 1 to leave, 9 unchanged; 3 requests in about 1 s
        active accounts: 9 -> 10
        guard: HELD, 1 finding
          * nothing was synced with this database since TIME; since then Atlassian has changed: 1 membership added (ana in ops) [state.trusted_hours]
            ana
        Nothing was sent.
        note: scope.groups: `*` selects every group of Duo
        held: the plan waits for a person, and nothing was sent
        To approve it: duo-atlassian-sync --config FOLDER/config.toml approve PLAN; then: duo-atlassian-sync --config FOLDER/config.toml sync
        To reject it: duo-atlassian-sync --config FOLDER/config.toml reject PLAN
        exit 5
        "#);
    scene.nothing_was_sent();
    scene.approve();
    scene.ends(0, &["sync"]);
    scene.directory_is_as_duo();
}

#[test]
fn a_cycle_that_failed_or_was_cut_off_leaves_the_database_doubted() {
    let scene = Scene::settled(&["ana in eng", "bo in eng"]);
    scene.age(super::WEEK_HOURS);
    scene.atlassian(|sim| assert!(sim.remove_member("eng", "bo")));
    scene.stage.write_secret("duo-secret-key", &"x".repeat(40)).expect("a secret");
    // It could not read, and it looks like recent work.
    scene.ends(3, &["sync"]);
    scene.stage.write_secret("duo-secret-key", SECRET_KEY).expect("a secret");
    scene.ends(5, &["sync"]);
    scene.nothing_was_sent();
    scene.settle();
    scene.directory_is_as_duo();
    scene.is_at_rest();
}

#[test]
fn what_was_approved_is_sent_after_a_crash_between_the_correction_and_the_first_request() {
    let scene = a_week_later(Stale::Marked);
    scene.ends(5, &["sync"]);
    scene.approve();
    // It dies at its first request, which does nothing any more.
    scene.dies_at_its_first_write();
    assert!(!scene.is_marked(), "what was read is recorded before anything is sent");
    assert!(scene.effects().is_empty());
    scene.ends(0, &["sync"]);
    scene.atlassian(|sim| assert!(sim.remove_user("guest")));
    scene.directory_is_as_duo();
    scene.is_at_rest();
}

#[test]
fn who_was_to_be_linked_is_found_again_after_a_crash_between_the_correction_and_the_links() {
    let scene = a_week_later(Stale::Marked);
    scene.ends(5, &["sync"]);
    scene.approve();
    let no_more = "CREATE TRIGGER no_more BEFORE INSERT ON journal BEGIN SELECT RAISE(FAIL, 'full'); END";
    scene.open().execute_batch(no_more).expect("a trigger");
    scene.ends(8, &["sync"]);
    scene.nothing_was_sent();
    scene.open().execute_batch("DROP TRIGGER no_more").expect("no trigger");
    assert!(scene.is_marked());
    scene.ends(0, &["sync"]);
    scene.atlassian(|sim| assert!(sim.remove_user("guest")));
    scene.directory_is_as_duo();
    scene.is_at_rest();
}
