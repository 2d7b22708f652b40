//! Odd names, addresses, ids and shapes.

use super::scene::{Scene, picture};
use insta::assert_snapshot;

#[test]
fn odd_names_arrive_as_they_are_and_stay_where_they_are() {
    let names = [
        "O'Brien \"the boss\"",
        "back\\slash",
        "=cmd|' /C calc'!A0",
        "Ünïcödé 李雷 Ελένη",
        "👩‍💻 emoji",
        "a\u{202e}bidi",
        "tab\tand\u{7}bell",
        "line\nbreak",
        "{{template}} ${x} %s",
        "</script><b>",
        "name eq \"x\" or userName pr",
        "NULL",
    ];
    let long = "x".repeat(300);
    let scene = Scene::empty();
    scene.duo(|duo| {
        for (number, name) in names.iter().copied().chain([long.as_str()]).enumerate() {
            let person = duo.hire(&format!("p{number}"));
            person.realname = Some(name.to_owned());
            person.username = name.to_owned();
            person.email = format!("p{number}+tag@Example.COM");
            let id = person.user_id.clone();
            let group = duo.group(name).group_id.clone();
            duo.world().join(&id, &group);
        }
    });
    scene.approve();
    let ran = scene.ends(0, &["sync"]);
    assert!(ran.stdout.contains("Done: 39 (cycle "), "{}", ran.stdout);
    assert!(!ran.stdout.contains(|c: char| c != '\n' && (c.is_control() || c == '\u{202e}')), "{}", ran.stdout);
    assert_eq!(scene.atlassian(|sim| sim.members_of("👩\u{200d}💻 emoji").len()), 1);
    scene.forget();
    scene.ends(0, &["sync"]);
    assert!(scene.target_requests().is_empty(), "{:?}", scene.target_requests());
    for name in names.iter().take(5) {
        scene.ends(0, &["show", "person", name]);
        scene.ends(0, &["show", "group", name]);
    }
}

#[test]
fn usernames_with_capitals_are_not_changed_again_and_again() {
    let scene = Scene::with(&["Ana.LIMA in eng", "bo in eng"]);
    scene.duo(|duo| duo.person("bo").email = "Bo+Jira@EXAMPLE.com".to_owned());
    scene.settle();
    scene.day(|duo| {
        duo.person("bo").email = "bo+jira@example.com".to_owned();
        duo.person("Ana.LIMA").username = "ana.lima".to_owned();
    });
    assert_eq!(scene.syncs_as_planned(), [""; 0]);
    assert!(scene.target_requests().is_empty());
}

#[test]
fn groups_of_one_name_and_groups_without_a_name_are_skipped_and_the_rest_goes_on() {
    let scene = Scene::with(&["ana in eng", "bo in eng"]);
    scene.duo(|duo| {
        let (ana, bo) = (duo.id("ana"), duo.id("bo"));
        for (name, person) in [("Twin", &ana), ("twin", &bo), ("   ", &ana), ("", &bo), ("empty", &ana)] {
            let group = duo.world().add_group(name);
            if name != "empty" {
                duo.world().join(person, &group);
            }
        }
    });
    scene.approve();
    assert_snapshot!(picture(&scene.ends(0, &["sync"])), @r#"
    plan PLAN   desired: Duo, 6 groups, 2 people, read completely by TIME
                        compared with: snapshot 0, 0 accounts owned, 0 memberships

      + create         ana       ana@example.com; in Twin, , eng
      + create         bo        bo@example.com; in twin, , eng
      + create group   empty     selected in Duo as "empty"
      + create group   eng       selected in Duo as "eng"
      ~ update members eng       +2 (ana, bo)
      ? skip           twin      the groups DG21VIRPHFK0STKA8I30, DG2XR11EM4PMS0C8YCI0 would all be "twin" in Atlassian: give each its own atlassian_name
      ? skip           Twin      the groups DG21VIRPHFK0STKA8I30, DG2XR11EM4PMS0C8YCI0 would all be "twin" in Atlassian: give each its own atlassian_name
      ? skip                     the groups DGI1MCYKXO1Y61ICFJR0, DGI5PTOWSZWB6UQEPOC0 would all be "" in Atlassian: give each its own atlassian_name
      ? skip                     the groups DGI1MCYKXO1Y61ICFJR0, DGI5PTOWSZWB6UQEPOC0 would all be "" in Atlassian: give each its own atlassian_name

    2 to create, 2 groups to create, 2 to join, 4 skipped, 0 unchanged; 5 requests in about 1 s
    active accounts: 0 -> 2
    guard: approved
    Done: 5 (cycle 2).

    New groups: eng, empty.
    They give no access until an administrator adds them to an app:
      Atlassian Administration > (your site) > App access > (the app) > Add group
    note: scope.groups: `*` selects every group of Duo
    exit 0
    "#);
    scene.forget();
    scene.ends(0, &["sync"]);
    assert!(scene.target_requests().is_empty());
}

#[test]
fn a_person_in_a_hundred_groups_and_one_in_none() {
    let groups: Vec<String> = (1..=100).map(|number| format!("g{number}")).collect();
    let scene = Scene::with(&[&format!("ana in {}", groups.join(" ")), "bo"]);
    scene.settle();
    assert_eq!(scene.atlassian(|sim| (sim.users().count(), sim.groups().count())), (1, 100));
    scene.day(|duo| duo.status("ana", "disabled"));
    assert_eq!(scene.syncs_as_planned().len(), 101);
}

#[test]
fn a_tenant_without_groups_is_a_mistake_of_the_selector() {
    let scene = Scene::with(&["ana"]);
    assert_snapshot!(picture(&scene.changes_nothing(3, &["sync"])), @r#"
    note: scope.groups: `*` selects every group of Duo
    error: the groups to sync cannot be selected; nothing was sent
      scope.groups: { name = "*" } matches no group in Duo; correct it, or take it out (names are compared exactly, capital letters included)
    exit 3
    "#);
}

#[test]
fn ids_with_odd_characters_are_only_ids() {
    let scene = Scene::settled(&["ana in eng"]);
    scene.atlassian(|sim| drop(sim.add_user("bo", Some("DU/../?a=b&c#d é%2F\"'"))));
    scene.day(|duo| drop(duo.hire("bo in eng").user_id.clone()));
    scene.ends(4, &["sync"]);
    let second = scene.ends(4, &["sync"]);
    assert_snapshot!(picture(&second), @r#"
    plan PLAN   desired: Duo, 1 group, 2 people, read completely by TIME
                        compared with: snapshot 4, 1 account owned, 1 membership

      ? skip           bo        conflict: the Atlassian record with this userName has the externalId "DU/../?a=b&c#d é%2F\"'" of somebody else; remove or correct that record in Atlassian first
      ! 1 accounts of the Atlassian directory are not ours and stay as they are

    nothing to do, 1 skipped, 1 unchanged
    Nothing was to be sent.
    note: scope.groups: `*` selects every group of Duo
    error: some records are failing; the others are done and recorded
    To see them: duo-atlassian-sync --config FOLDER/config.toml status
    exit 4
    "#);
}

#[test]
fn the_name_of_a_leaver_who_waits_cannot_forge_a_command() {
    let scene = Scene::settled(&["ana in eng"]);
    scene.day(|duo| {
        let ana = duo.person("ana");
        ana.username = "ana\n  rm -rf /\u{1b}[2J".to_owned();
        ana.status = "disabled".to_owned();
    });
    let held = scene.changes_nothing(5, &["sync"]);
    assert!(held.stderr.contains("(ana\\n  rm -rf /\\u{1b}[2J)"), "{}", held.stderr);
    assert!(!held.stderr.contains(|c: char| c != '\n' && c.is_control()), "{}", held.stderr);
}
