//! Plans that wait for a person, and what they say.

use super::super::sim::stage::Ran;
use super::picture::tidy;
use super::scene::Scene;
use insta::assert_snapshot;

const COMPANY: &[&str] = &[
    "a in eng",
    "b in eng",
    "c in eng",
    "d in eng ops",
    "e in ops",
    "f in ops",
    "g in ops",
    "h in ops",
    "i in all",
    "j in all",
    "k in all",
    "l in all",
];

/// What the guard says, and what is to be done.
fn verdict(ran: &Ran) -> String {
    let from = ran.stdout.find("guard:").unwrap_or(0);
    tidy(&format!("{}{}", &ran.stdout[from..], ran.stderr))
}

#[test]
fn the_first_plan_is_held_and_says_how_to_go_on() {
    let scene = Scene::with(COMPANY);
    let held = scene.changes_nothing(5, &["sync"]);
    assert_snapshot!(verdict(&held), @"
    guard: HELD, 1 finding
      * this is the first plan of this database: it is reviewed before anything is sent [guard.first_plan]
        d, b, c, i, j, e, a, k, l, f and 2 more
    Nothing was sent.
    note: scope.groups: `*` selects every group of Duo
    held: the plan waits for a person, and nothing was sent
    To approve it: duo-atlassian-sync --config FOLDER/config.toml approve PLAN; then: duo-atlassian-sync --config FOLDER/config.toml sync
    To reject it: duo-atlassian-sync --config FOLDER/config.toml reject PLAN
    ");
    scene.configure("[guard]\nfirst_plan = \"apply\"\n");
    scene.ends(0, &["sync"]);
}

#[test]
fn a_wave_of_leavers_is_held_with_every_reason() {
    let scene = Scene::settled(COMPANY);
    scene.day(|duo| "abcdef".chars().for_each(|name| duo.status(&name.to_string(), "pending deletion")));
    let held = scene.changes_nothing(5, &["sync"]);
    assert_snapshot!(verdict(&held), @"
    guard: HELD, 2 findings
      * 6 of 12 accounts would be deactivated within 24 hours, half or more of all; 6 of 6 for one reason, pending deletion in Duo: looks like directory sync, not like leavers
        d, b, c, e, a, f
      * 6 deactivations; the limit is 5 in 24 hours, with 12 active accounts; 6 of 6 for one reason, pending deletion in Duo: looks like directory sync, not like leavers [guard.deactivations_max]
        d, b, c, e, a, f
    Nothing was sent.
    note: scope.groups: `*` selects every group of Duo
    held: the plan waits for a person, and nothing was sent
    To approve it: duo-atlassian-sync --config FOLDER/config.toml approve PLAN; then: duo-atlassian-sync --config FOLDER/config.toml sync
    To reject it: duo-atlassian-sync --config FOLDER/config.toml reject PLAN
    6 wait behind it to lose access. To take it away from one of them at once:
      duo-atlassian-sync --config FOLDER/config.toml sync --person DU21VIRPHFK0STKA8I30   (d)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DU2TOKA2RTT8T736O7X0   (b)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DU2XR11EM4PMS0C8YCI0   (c)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DUI5PTOWSZWB6UQEPOC0   (e)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DUMOU9DVF9HXE7X171O0   (a)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DUY5GNVR89E9L1OGWP01   (f)
    ");
    assert_eq!(scene.syncs_as_planned().len(), 13);
}

#[test]
fn a_source_that_became_empty_is_held() {
    let scene = Scene::settled(COMPANY);
    scene.day(|duo| "abcdefghijkl".chars().for_each(|name| duo.remove(&name.to_string())));
    let held = scene.changes_nothing(5, &["sync"]);
    assert_snapshot!(verdict(&held), @"
    guard: HELD, 6 findings
      * Duo lists nobody at all in the selected groups: looks like a mistake there, not like leavers
        d, b, c, i, j, e, a, k, l, f and 2 more
      * group all (DGEIGW9MAFHCYNBPX6G0) had 4 people and has none now: looks like a mistake in Duo
        i, j, k, l
      * group ops (DGI1MCYKXO1Y61ICFJR0) had 5 people and has none now: looks like a mistake in Duo
        d, e, f, g, h
      * group eng (DGMSXQ37BKCBE064H690) had 4 people and has none now: looks like a mistake in Duo
        d, b, c, a
      * 12 of 12 accounts would be deactivated within 24 hours, half or more of all; 12 of 12 for one reason, no longer in Duo: looks like a purge or another tenant, not like leavers
        d, b, c, i, j, e, a, k, l, f and 2 more
      * 12 deactivations; the limit is 5 in 24 hours, with 12 active accounts; 12 of 12 for one reason, no longer in Duo: looks like a purge or another tenant, not like leavers [guard.deactivations_max]
        d, b, c, i, j, e, a, k, l, f and 2 more
    Nothing was sent.
    note: scope.groups: `*` selects every group of Duo
    held: the plan waits for a person, and nothing was sent
    To approve it: duo-atlassian-sync --config FOLDER/config.toml approve PLAN; then: duo-atlassian-sync --config FOLDER/config.toml sync
    To reject it: duo-atlassian-sync --config FOLDER/config.toml reject PLAN
    12 wait behind it to lose access. To take it away from one of them at once:
      duo-atlassian-sync --config FOLDER/config.toml sync --person DU21VIRPHFK0STKA8I30   (d)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DU2TOKA2RTT8T736O7X0   (b)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DU2XR11EM4PMS0C8YCI0   (c)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DUEEDFJAF4MYYU2NN1V0   (i)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DUEMJD0Y5QCQXGKR7C10   (j)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DUI5PTOWSZWB6UQEPOC0   (e)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DUMOU9DVF9HXE7X171O0   (a)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DUUMA77TLZTNCOHTEDP0   (k)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DUUQDOX4HAP1CHQVOIA0   (l)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DUY5GNVR89E9L1OGWP01   (f)
      and 2 more: the same, with the username or the Duo id
    ");
}

#[test]
fn a_group_that_became_empty_is_held_whatever_the_limits_say() {
    let scene = Scene::settled(COMPANY);
    scene.day(|duo| {
        for name in ["a", "b", "c", "d"] {
            duo.leave(name, "eng");
            duo.join(name, "all");
        }
    });
    let held = scene.changes_nothing(5, &["sync"]);
    assert_snapshot!(verdict(&held), @"
    guard: HELD, 1 finding
      * group eng (DGMSXQ37BKCBE064H690) had 4 people and has none now: looks like a mistake in Duo
        d, b, c, a
    Nothing was sent.
    note: scope.groups: `*` selects every group of Duo
    held: the plan waits for a person, and nothing was sent
    To approve it: duo-atlassian-sync --config FOLDER/config.toml approve PLAN; then: duo-atlassian-sync --config FOLDER/config.toml sync
    To reject it: duo-atlassian-sync --config FOLDER/config.toml reject PLAN
    ");
    assert_eq!(scene.syncs_as_planned().len(), 8);
}

#[test]
fn a_group_that_vanished_is_held_then_emptied_and_the_next_sync_is_well() {
    for selector in ["{ name = \"*\" }", "{ name = \"eng\" }, { name = \"ops\" }, { name = \"all\" }"] {
        let scene = Scene::with(COMPANY);
        scene.configure(&format!("[scope]\ngroups = [{selector}]\n"));
        scene.settle();
        scene.day(|duo| {
            let id = duo.group_id("eng");
            for name in ["a", "b", "c"] {
                duo.join(name, "all");
            }
            duo.world().remove_group(&id);
        });
        let held = scene.changes_nothing(5, &["sync"]);
        assert!(held.stdout.contains("is not in Duo any more"), "{}", held.stdout);
        scene.syncs_as_planned();
        assert!(scene.atlassian(|sim| sim.members_of("eng")).is_empty());
        scene.forget();
        scene.ends(0, &["sync"]);
        assert!(scene.target_requests().is_empty());
        // Another group under the known name is not simply taken for the old one.
        scene.day(|duo| duo.hire("m in eng").status = "active".to_owned());
        scene.changes_nothing(5, &["sync"]);
    }
}

#[test]
fn a_new_group_that_comes_to_fit_a_pattern_is_held_with_whom_it_brings() {
    let scene = Scene::settled(COMPANY);
    scene.day(|duo| {
        duo.hire("m in contractors");
        duo.join("a", "contractors");
    });
    let held = scene.changes_nothing(5, &["sync"]);
    assert_snapshot!(verdict(&held), @r#"
    guard: HELD, 1 finding
      * { name = "*" } selects group "contractors" (DGAV7ZUBSU1DQHWZ5PJ0), which it did not before
        m, a
    Nothing was sent.
    note: scope.groups: `*` selects every group of Duo
    held: the plan waits for a person, and nothing was sent
    To approve it: duo-atlassian-sync --config FOLDER/config.toml approve PLAN; then: duo-atlassian-sync --config FOLDER/config.toml sync
    To reject it: duo-atlassian-sync --config FOLDER/config.toml reject PLAN
    "#);
    assert_eq!(scene.syncs_as_planned().len(), 4);
}

#[test]
fn what_a_change_of_the_configuration_takes_away_is_held() {
    let scene = Scene::settled(COMPANY);
    scene.forget();
    scene.configure("[scope]\ngroups = [{ name = \"eng\" }, { name = \"ops\" }]\n");
    let held = scene.changes_nothing(5, &["sync"]);
    assert_snapshot!(verdict(&held), @r#"
    guard: HELD, 1 finding
      * 4 people would lose access or memberships because scope.groups no longer lists { name = "*" }, and scope.groups lists { name = "eng" } now, and scope.groups lists { name = "ops" } now, not because Duo changed: 4 deactivated, 4 memberships removed
        i, j, k, l
    Nothing was sent.
    held: the plan waits for a person, and nothing was sent
    To approve it: duo-atlassian-sync --config FOLDER/config.toml approve PLAN; then: duo-atlassian-sync --config FOLDER/config.toml sync
    To reject it: duo-atlassian-sync --config FOLDER/config.toml reject PLAN
    4 wait behind it to lose access. To take it away from one of them at once:
      duo-atlassian-sync --config FOLDER/config.toml sync --person DUEEDFJAF4MYYU2NN1V0   (i)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DUEMJD0Y5QCQXGKR7C10   (j)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DUUMA77TLZTNCOHTEDP0   (k)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DUUQDOX4HAP1CHQVOIA0   (l)
    "#);
    // Taken back: as if nothing had been.
    scene.configure("");
    scene.ends(0, &["sync"]);
    assert!(scene.target_requests().is_empty());
}

#[test]
fn a_change_of_the_mapping_counts_as_a_change_of_the_configuration() {
    let scene = Scene::settled(COMPANY);
    scene.forget();
    scene.configure("[mapping]\nuserName = \"email\"\nemails = \"email\"\ndisplayName = \"realname\"\n");
    let held = scene.changes_nothing(5, &["sync"]);
    assert_snapshot!(verdict(&held), @"
    guard: HELD, 1 finding
      * 12 changes of userName or address; the limit is 5 in 24 hours, with 12 active accounts [guard.identity_changes_max]
        d, b, c, i, j, e, a, k, l, f and 2 more
    Nothing was sent.
    note: scope.groups: `*` selects every group of Duo
    held: the plan waits for a person, and nothing was sent
    To approve it: duo-atlassian-sync --config FOLDER/config.toml approve PLAN; then: duo-atlassian-sync --config FOLDER/config.toml sync
    To reject it: duo-atlassian-sync --config FOLDER/config.toml reject PLAN
    ");
    let done = scene.syncs_as_planned();
    assert_eq!(done.len(), 12);
    assert!(done.iter().all(|line| line.starts_with("changed userName of ")), "{done:?}");
}
