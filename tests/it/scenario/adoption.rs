//! What was in Atlassian before us: adopted after a look, never on the spot.

use super::super::sim::wire::{Answer, Effect, Fault, Match};
use super::scene::{Scene, picture};
use insta::assert_snapshot;
use serde_json::json;

/// A directory that Duo's own provisioning left behind: everybody as they should be, but for a few.
fn filled() -> Scene {
    let line = |number: usize| format!("p{number} in g{} g{}", number % 20, (number + 7) % 20);
    let people: Vec<String> = (1..=500).map(line).collect();
    let scene = Scene::with(&people.iter().map(String::as_str).collect::<Vec<_>>());
    let rows: Vec<(String, String, Vec<String>)> = scene.duo(|duo| {
        let names = |person: &super::super::sim::duo::SimPerson| {
            let groups = person.groups.iter().filter_map(|id| duo.sim.world.group(id)).map(|group| group.name.clone());
            (person.username.clone(), person.user_id.clone(), groups.collect())
        };
        duo.sim.world.people().map(names).collect()
    });
    scene.atlassian(|sim| {
        for (name, id, groups) in &rows {
            let real = format!("P{}", &name[1..]);
            let user = json!({ "userName": name, "displayName": real, "active": true, "externalId": id,
                "emails": [{ "value": format!("{name}@example.com"), "type": "work", "primary": true }] });
            sim.add_user_from(&user).expect("a user");
            for group in groups {
                sim.add_group(group);
                sim.add_member(group, name);
            }
        }
        sim.edit_user("p1", "displayName", json!("Somebody Else")).expect("an edit");
        sim.edit_user("p2", "active", json!(false)).expect("an edit");
        sim.remove_member("g3", "p3");
        sim.add_member("g10", "p4");
        sim.add_user("guest", None);
        sim.add_member("g10", "guest");
    });
    scene
}

#[test]
fn in_a_filled_directory_nobody_who_is_right_is_written_to() {
    let scene = filled();
    let plan = scene.ends(0, &["plan"]);
    let after_adoptions = plan.stdout.split_once("\n\n").map_or("", |(_, rest)| rest);
    let shown: Vec<&str> = after_adoptions.lines().filter(|line| !line.starts_with("  = adopt")).collect();
    assert_snapshot!(super::picture::tidy(&shown.join("\n")), @r#"
      ~ update         p1        displayName "Somebody Else" -> "P1"; differs in Atlassian: displayName
      + reactivate     p2        back in g2, g9
      ~ update members g10       -1 (p4); Atlassian holds other members
      ~ update members g3        +1 (p3); Atlassian holds other members
      ! 1 accounts of the Atlassian directory are not ours and stay as they are

    520 to adopt, 1 to update, 1 to reactivate, 1 to join, 1 to leave, 498 unchanged; 4 requests in about 1 s
    active accounts: 500 -> 501
    guard: HELD, 2 findings
      * this is the first plan of this database: it is reviewed before anything is sent [guard.first_plan]
        p54, p313, p149, p244, p408, p409, p124, p55, p219, p478 and 490 more
      * 520 adoptions; the limit is 0 in 24 hours, with 0 active accounts [guard.adoptions_max]
        p54, p313, p149, p244, p408, p409, p124, p55, p219, p478 and 490 more
    Nothing was sent. To approve it: duo-atlassian-sync --config FOLDER/config.toml approve PLAN; then: duo-atlassian-sync --config FOLDER/config.toml sync
    "#);
    let held = scene.ends(5, &["sync"]);
    assert!(held.stderr.starts_with("note: "), "{}", held.stderr);
    scene.nothing_was_sent();
    assert_eq!(
        scene.syncs_as_planned(),
        ["changed displayName of p1", "reactivated p2", "p3 joined g3", "p4 left g10"]
    );
    scene.forget();
    scene.ends(0, &["sync"]);
    assert!(scene.target_requests().is_empty());
    assert!(scene.atlassian(|sim| sim.members_of("g10").contains("guest")));
}

#[test]
fn a_409_is_refused_and_the_next_plan_offers_the_adoption_for_approval() {
    let scene = Scene::settled(&["ana in eng"]);
    scene.day(|duo| {
        duo.hire("bo in eng");
        duo.hire("cy in eng");
    });
    scene.atlassian(|sim| drop(sim.add_user("bo", None)));
    let first = scene.ends(4, &["sync"]);
    assert_snapshot!(picture(&first), @"
    plan PLAN   desired: Duo, 1 group, 3 people, read completely by TIME
                        compared with: snapshot 4, 1 account owned, 1 membership

      + create         bo        bo@example.com; in eng
      + create         cy        cy@example.com; in eng
      ~ update members eng       +2 (bo, cy)

    2 to create, 2 to join, 1 unchanged; 3 requests in about 1 s
    active accounts: 1 -> 3
    guard: approved
    Done: 2, refused: 1 (cycle 3).
      x bo (person:DU2TOKA2RTT8T736O7X0): the SCIM service has such a record already (409); the service said: Resource [USER]: with userName[bo] already exists. (uniqueness)
    note: scope.groups: `*` selects every group of Duo
    error: some records are failing; the others are done and recorded
    To see them: duo-atlassian-sync --config FOLDER/config.toml status
    exit 4
    ");
    assert_snapshot!(scene.effects_text(), @"
    created user cy
    cy joined eng
    ");
    assert_snapshot!(picture(&scene.run(&["status"])), @"
    failing
    last sync        cycle 3 of TIME: some records are failing
    last good sync   cycle 2 of TIME (AGE)
    owned            2 accounts (2 active), 1 groups
    failing          bo (person:DU2TOKA2RTT8T736O7X0), 1 times since TIME: the SCIM service has such a record already (409); the service said: Resource [USER]: with userName[bo] already exists. (uniqueness); next try after TIME
    API key          expires AGE
    exit 4
    ");
    scene.forget();
    let second = scene.ends(5, &["sync"]);
    assert_snapshot!(picture(&second), @r#"
    plan PLAN   desired: Duo, 1 group, 3 people, read completely by TIME
                        compared with: snapshot 6, 2 accounts owned, 2 memberships

      = adopt          bo        exists in Atlassian already, with the same userName
      ~ update         bo        displayName "bo" -> "Bo"; differs in Atlassian: displayName
      ~ update members eng       +1 (bo); Atlassian holds other members

    1 to adopt, 1 to update, 1 to join, 2 unchanged; 2 requests in about 1 s
    guard: HELD, 1 finding
      * 1 adoptions; the limit is 0 in 24 hours, with 2 active accounts [guard.adoptions_max]
        bo
    Nothing was sent.
    note: scope.groups: `*` selects every group of Duo
    held: the plan waits for a person, and nothing was sent
    To approve it: duo-atlassian-sync --config FOLDER/config.toml approve PLAN; then: duo-atlassian-sync --config FOLDER/config.toml sync
    To reject it: duo-atlassian-sync --config FOLDER/config.toml reject PLAN
    exit 5
    "#);
    scene.nothing_was_sent();
    assert_eq!(scene.syncs_as_planned(), ["changed displayName of bo", "bo joined eng"]);
    assert_snapshot!(picture(&scene.ends(0, &["status"])), @"
    good
    last sync        cycle 7 of TIME: done
    last good sync   cycle 7 of TIME (AGE)
    owned            3 accounts (3 active), 1 groups
    API key          expires AGE
    exit 0
    ");
    scene.forget();
    scene.ends(0, &["sync"]);
    assert!(scene.target_requests().is_empty());
}

#[test]
fn a_record_of_somebody_else_is_a_conflict_and_not_adopted() {
    let scene = Scene::with(&["ana in eng", "bo in eng"]);
    scene.atlassian(|sim| drop(sim.add_user("ana", Some("DUSOMEBODYELSE000000"))));
    scene.approve();
    assert_snapshot!(picture(&scene.ends(0, &["sync"])), @r#"
    plan PLAN   desired: Duo, 1 group, 2 people, read completely by TIME
                        compared with: snapshot 0, 0 accounts owned, 0 memberships

      + create         bo        bo@example.com; in eng
      + create group   eng       selected in Duo as "eng"
      ~ update members eng       +1 (bo)
      ? skip           ana       conflict: the Atlassian record with this userName has the externalId "DUSOMEBODYELSE000000" of somebody else; remove or correct that record in Atlassian first
      ! 1 accounts of the Atlassian directory are not ours and stay as they are

    1 to create, 1 group to create, 1 to join, 1 skipped, 0 unchanged; 3 requests in about 1 s
    active accounts: 1 -> 2
    guard: approved
    Done: 3 (cycle 2).

    New groups: eng.
    They give no access until an administrator adds them to an app:
      Atlassian Administration > (your site) > App access > (the app) > Add group
    note: scope.groups: `*` selects every group of Duo
    exit 0
    "#);
    assert_eq!(scene.effects(), ["created user bo", "created group eng", "bo joined eng"]);
}

#[test]
fn an_address_that_is_taken_where_nobody_can_look_fails_alone_in_every_cycle() {
    let scene = Scene::settled(&["ana in eng"]);
    scene.day(|duo| {
        duo.hire("bo in eng");
    });
    scene.atlassian(|sim| sim.settings_mut().taken_emails.push("bo@example.com".to_owned()));
    scene.ends(4, &["sync"]);
    scene.day(|duo| {
        duo.hire("cy in eng");
    });
    scene.ends(4, &["sync"]);
    assert_eq!(scene.effects(), ["created user cy", "cy joined eng"]);
    scene.an_hour_passes();
    scene.ends(4, &["sync"]);
    let status = scene.ends(4, &["status"]);
    assert!(status.stdout.contains("2 times since"), "{}", status.stdout);
}

#[test]
fn an_unmanaged_account_gets_memberships_and_active_only() {
    let scene = Scene::with(&["ana in eng", "guest in eng"]);
    scene.duo(|duo| duo.person("guest").email = "guest@partner.example".to_owned());
    scene.settle();
    scene.day(|duo| {
        duo.person("guest").realname = Some("Another Name".to_owned());
        duo.join("guest", "ops");
    });
    let plan = scene.ends(0, &["plan"]);
    assert_snapshot!(picture(&plan), @r#"
    plan PLAN   desired: Duo, 2 groups, 2 people, read completely by TIME
                        compared with: snapshot 4, 2 accounts owned, 2 memberships

      + create group   ops       selected in Duo as "ops"
      ~ update members ops       +1 (guest)
      ? skip           guest     partner.example is not in atlassian.verified_domains: changed attributes are not sent, since any attribute update can unlink an unmanaged account

    1 group to create, 1 to join, 1 skipped, 2 unchanged; 2 requests in about 1 s
    guard: HELD, 1 finding
      * { name = "*" } selects group "ops" (DG2XR11EM4PMS0C8YCI0), which it did not before
        guest
    Nothing was sent. To approve it: duo-atlassian-sync --config FOLDER/config.toml approve PLAN; then: duo-atlassian-sync --config FOLDER/config.toml sync
    note: scope.groups: `*` selects every group of Duo
    exit 0
    "#);
    assert_eq!(scene.syncs_as_planned(), ["created group ops", "guest joined ops"]);
    scene.day(|duo| duo.person("ana").email = "ana@elsewhere.example".to_owned());
    assert_eq!(scene.syncs_as_planned(), [""; 0]);
    scene.day(|duo| duo.status("guest", "disabled"));
    assert_eq!(scene.syncs_as_planned(), ["guest left ops", "guest left eng", "deactivated guest"]);
    scene.day(|duo| duo.status("guest", "active"));
    assert_eq!(scene.syncs_as_planned(), ["reactivated guest", "guest joined ops", "guest joined eng"]);
}

#[test]
fn one_refused_record_stops_nobody_else() {
    let scene = Scene::settled(&["ana in eng", "bo in eng", "cy in eng"]);
    scene.day(|duo| {
        duo.person("ana").realname = Some("Ana Maria".to_owned());
        duo.person("bo").realname = Some("Bo B.".to_owned());
        duo.status("cy", "disabled");
    });
    let ana = scene.atlassian(|sim| sim.user_by_user_name("ana").map(|user| user.id.clone())).expect("ana");
    let refusal = Answer::json(400, &json!({ "status": "400", "detail": "displayName is \u{1b}[31mtoo\nlong" }));
    scene.stage.atlassian.fault(Fault::always(Match::method("PATCH").containing(&ana), Effect::Answer(refusal)));
    let ran = scene.ends(4, &["sync"]);
    assert_eq!(scene.effects(), ["cy left eng", "deactivated cy", "changed displayName of bo"]);
    assert_snapshot!(picture(&ran), @r#"
    plan PLAN   desired: Duo, 1 group, 3 people, read completely by TIME
                        compared with: snapshot 4, 3 accounts owned, 3 memberships

      - deactivate     cy        disabled in Duo (was in: eng)
      ~ update         ana       displayName "Ana" -> "Ana Maria"; changed in Duo: displayName
      ~ update         bo        displayName "Bo" -> "Bo B."; changed in Duo: displayName
      ~ update members eng       -1 (cy)

    2 to update, 1 to deactivate, 1 to leave, 0 unchanged; 4 requests in about 1 s
    active accounts: 3 -> 2
    guard: approved
    Done: 3, refused: 1 (cycle 3).
      x ana (person:DUMOU9DVF9HXE7X171O0): the SCIM service refused the request (400); the service said: displayName is [31mtoo long
    note: scope.groups: `*` selects every group of Duo
    error: some records are failing; the others are done and recorded
    To see them: duo-atlassian-sync --config FOLDER/config.toml status
    exit 4
    "#);
    scene.stage.atlassian.clear_faults();
    scene.forget();
    scene.an_hour_passes();
    assert_eq!(scene.syncs_as_planned(), ["changed displayName of ana"]);
}

#[test]
fn a_conflict_that_stays_is_failing_in_every_cycle_and_is_not_posted_again() {
    let scene = Scene::settled(&["ana in eng"]);
    scene.day(|duo| {
        duo.hire("bo in eng");
    });
    scene.atlassian(|sim| drop(sim.add_user("bo", Some("DUSOMEBODYELSE000000"))));
    scene.ends(4, &["sync"]);
    scene.forget();
    for _ in 0..3 {
        let ran = scene.ends(4, &["sync"]);
        assert!(ran.stdout.contains("has the externalId"), "{}", ran.stdout);
        scene.an_hour_passes();
    }
    scene.nothing_was_sent();
    assert_snapshot!(picture(&scene.ends(4, &["status"])), @r#"
    failing
    last sync        cycle 6 of TIME: some records are failing
    last good sync   cycle 2 of TIME (AGE)
    owned            1 accounts (1 active), 1 groups
    failing          bo (person:DU2TOKA2RTT8T736O7X0), 3 times since TIME: conflict: the Atlassian record with this userName has the externalId "DUSOMEBODYELSE000000" of somebody else; remove or correct that record in Atlassian first; next try: the next sync
    API key          expires AGE
    exit 4
    "#);
    // Corrected in Atlassian: it is well again.
    assert!(scene.atlassian(|sim| sim.remove_user("bo")));
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["created user bo", "bo joined eng"]);
}
