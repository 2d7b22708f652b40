//! The order protects people: nobody who keeps access loses it in between.

use super::super::sim::wire::{Answer, Effect, Fault, Match};
use super::scene::{Scene, picture};
use insta::assert_snapshot;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

#[test]
fn whoever_moves_is_in_the_old_or_the_new_group_at_every_moment() {
    let scene = Scene::settled(&["ana in eng", "bo in eng ops", "cy in ops", "dan in eng"]);
    scene.day(|duo| {
        for name in ["ana", "bo"] {
            duo.leave(name, "eng");
            duo.join(name, "sales");
        }
        duo.leave("cy", "ops");
        duo.join("cy", "eng");
        duo.leave("dan", "eng");
    });
    scene.approve();
    let poor: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let (seen, sim) = (Arc::clone(&poor), scene.stage.atlassian.clone());
    scene.stage.atlassian.on_request(Box::new(move |_, _| {
        for name in ["ana", "bo", "cy"] {
            if ["eng", "ops", "sales"].iter().all(|group| !sim.with(|sim| sim.members_of(group).contains(name))) {
                seen.lock().expect("the names").insert(name.to_owned());
            }
        }
    }));
    assert_snapshot!(scene.syncs_as_planned().join("\n"), @"
    dan left eng
    deactivated dan
    created group sales
    bo joined sales
    ana joined sales
    cy joined eng
    cy left ops
    bo left eng
    ana left eng
    ");
    scene.stage.atlassian.on_request(Box::new(|_, _| ()));
    assert!(poor.lock().expect("the names").is_empty(), "{poor:?}");
}

#[test]
fn an_address_and_a_username_are_freed_before_somebody_takes_them() {
    let scene = Scene::settled(&["ana in eng", "bo in eng", "cy in eng"]);
    scene.day(|duo| {
        // A chain: cy takes bo's, bo takes ana's, ana moves on; a newcomer takes cy's.
        for (name, email) in [("cy", "bo"), ("bo", "ana"), ("ana", "ana.lima")] {
            duo.person(name).email = format!("{email}@example.com");
        }
        let (ana, bo) = (duo.id("ana"), duo.id("bo"));
        duo.world().person_mut(&ana).username = "ana.lima".to_owned();
        duo.world().person_mut(&bo).username = "ana".to_owned();
        duo.hire("zoe in eng").email = "cy@example.com".to_owned();
    });
    assert_snapshot!(scene.syncs_as_planned().join("\n"), @"
    changed emails of ana.lima
    changed userName of ana.lima
    changed emails of ana
    changed userName of ana
    changed emails of cy
    created user zoe
    zoe joined eng
    ");
}

#[test]
fn two_people_who_exchange_addresses_are_skipped_and_told_what_to_do() {
    let scene = Scene::settled(&["ana in eng", "bo in eng"]);
    scene.day(|duo| {
        duo.person("ana").email = "bo@example.com".to_owned();
        duo.person("bo").email = "ana@example.com".to_owned();
    });
    assert_snapshot!(picture(&scene.ends(0, &["sync"])), @"
    plan PLAN   desired: Duo, 1 group, 2 people, read completely by TIME
                        compared with: snapshot 4, 2 accounts owned, 2 memberships

      ? skip           bo        bo and ana exchange an address or userName: give one of them a temporary value in Duo first, since Atlassian takes no two changes at once
      ? skip           ana       bo and ana exchange an address or userName: give one of them a temporary value in Duo first, since Atlassian takes no two changes at once

    nothing to do, 2 skipped, 2 unchanged
    Nothing was to be sent.
    note: scope.groups: `*` selects every group of Duo
    exit 0
    ");
    scene.nothing_was_sent();
}

#[test]
fn whoever_cannot_join_keeps_the_old_membership_until_it_works() {
    let scene = Scene::settled(&["ana in eng", "bo in eng", "cy in eng ops"]);
    scene.day(|duo| {
        duo.leave("ana", "eng");
        duo.join("ana", "ops");
        duo.leave("bo", "eng");
        duo.join("bo", "sales");
    });
    let ops = scene.atlassian(|sim| sim.group_by_name("ops").map(|group| group.id.clone())).expect("ops");
    let refusal = Answer::json(
        400,
        &serde_json::json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": "400", "detail": "not today" }),
    );
    scene.stage.atlassian.fault(Fault::always(Match::method("PATCH").containing(&ops), Effect::Answer(refusal)));
    scene.approve();
    let ran = scene.ends(4, &["sync"]);
    assert_snapshot!(picture(&ran), @r#"
    plan PLAN   desired: Duo, 3 groups, 3 people, read completely by TIME
                        compared with: snapshot 4, 3 accounts owned, 4 memberships

      + create group   sales     selected in Duo as "sales"
      ~ update members eng       -2 (ana, bo)
      ~ update members ops       +1 (ana)
      ~ update members sales     +1 (bo)

    1 group to create, 2 to join, 2 to leave, 3 unchanged; 4 requests in about 1 s
    guard: approved
    Done: 3, refused: 1 (cycle 4).
      x ops (group:DG21VIRPHFK0STKA8I30), 1 join (DUMOU9DVF9HXE7X171O0): the SCIM service refused the request (400); the service said: not today

    New groups: sales.
    They give no access until an administrator adds them to an app:
      Atlassian Administration > (your site) > App access > (the app) > Add group
    note: scope.groups: `*` selects every group of Duo
    error: some records are failing; the others are done and recorded
    To see them: duo-atlassian-sync --config FOLDER/config.toml status
    exit 4
    "#);
    assert_snapshot!(scene.effects_text(), @"
    created group sales
    bo joined sales
    bo left eng
    ");
    assert!(scene.atlassian(|sim| sim.members_of("eng").contains("ana")));
    scene.stage.atlassian.clear_faults();
    scene.forget();
    scene.an_hour_passes();
    assert_eq!(scene.syncs_as_planned(), ["ana joined ops", "ana left eng"]);
    assert_snapshot!(picture(&scene.ends(0, &["status"])), @"
    good
    last sync        cycle 7 of TIME: done
    last good sync   cycle 7 of TIME (AGE)
    owned            3 accounts (3 active), 3 groups
    API key          expires AGE
    exit 0
    ");
}
