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
    assert_snapshot!(picture(&scene.run(&["sync"])), @r#"
    plan PLAN   desired: Duo, 13 groups, 13 people, read completely by TIME
                        compared with: snapshot 0, 0 accounts owned, 0 memberships

      + create         </script><b>                              p9+tag@example.com; in </script><b>
      + create         =cmd|' /C calc'!A0                        p2+tag@example.com; in =cmd|' /C calc'!A0
      + create         a\u{202e}bidi                             p5+tag@example.com; in a\u{202e}bidi
      + create         back\slash                                p1+tag@example.com; in back\slash
      + create         line\nbreak                               p7+tag@example.com; in line\nbreak
      + create         name eq "x" or userName pr                p10+tag@example.com; in name eq "x" or userName pr
      + create         NULL                                      p11+tag@example.com; in NULL
      + create         O'Brien "the boss"                        p0+tag@example.com; in O'Brien "the boss"
      + create         tab\tand\u{7}bell                         p6+tag@example.com; in tab\tand\u{7}bell
      + create         xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx  p12+tag@example.com; in xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
      + create         {{template}} ${x} %s                      p8+tag@example.com; in {{template}} ${x} %s
      + create         Ünïcödé 李雷 Ελένη                          p3+tag@example.com; in Ünïcödé 李雷 Ελένη
      + create         👩‍💻 emoji                                 p4+tag@example.com; in 👩‍💻 emoji
      + create group   </script><b>                              selected in Duo as "</script><b>"
      + create group   =cmd|' /C calc'!A0                        selected in Duo as "=cmd|' /C calc'!A0"
      + create group   a\u{202e}bidi                             selected in Duo as "a\u{202e}bidi"
      + create group   back\slash                                selected in Duo as "back\\slash"
      + create group   line\nbreak                               selected in Duo as "line\nbreak"
      + create group   name eq "x" or userName pr                selected in Duo as "name eq \"x\" or userName pr"
      + create group   NULL                                      selected in Duo as "NULL"
      + create group   O'Brien "the boss"                        selected in Duo as "O'Brien \"the boss\""
      + create group   tab\tand\u{7}bell                         selected in Duo as "tab\tand\u{7}bell"
      + create group   xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx  selected in Duo as "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
      + create group   {{template}} ${x} %s                      selected in Duo as "{{template}} ${x} %s"
      + create group   Ünïcödé 李雷 Ελένη                          selected in Duo as "Ünïcödé 李雷 Ελένη"
      + create group   👩‍💻 emoji                                 selected in Duo as "👩\u{200d}💻 emoji"
      ~ update members </script><b>                              +1 (</script><b>)
      ~ update members =cmd|' /C calc'!A0                        +1 (=cmd|' /C calc'!A0)
      ~ update members a\u{202e}bidi                             +1 (a\u{202e}bidi)
      ~ update members back\slash                                +1 (back\slash)
      ~ update members line\nbreak                               +1 (line\nbreak)
      ~ update members name eq "x" or userName pr                +1 (name eq "x" or userName pr)
      ~ update members NULL                                      +1 (NULL)
      ~ update members O'Brien "the boss"                        +1 (O'Brien "the boss")
      ~ update members tab\tand\u{7}bell                         +1 (tab\tand\u{7}bell)
      ~ update members xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx  +1 (xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx)
      ~ update members {{template}} ${x} %s                      +1 ({{template}} ${x} %s)
      ~ update members Ünïcödé 李雷 Ελένη                          +1 (Ünïcödé 李雷 Ελένη)
      ~ update members 👩‍💻 emoji                                 +1 (👩‍💻 emoji)

    13 to create, 13 groups to create, 13 to join, 0 unchanged; 39 requests in about 1 s
    guard: approved
    Done: 39.

    New groups: back\slash, name eq "x" or userName pr, line\nbreak, {{template}} ${x} %s, a\u{202e}bidi, =cmd|' /C calc'!A0, NULL, xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, O'Brien "the boss", </script><b>, tab\tand\u{7}bell, Ünïcödé 李雷 Ελένη, 👩‍💻 emoji.
    They give no access until an administrator adds them to an app:
      Atlassian Administration > (your site) > App access > (the app) > Add group
    note: scope.groups: `*` selects every group of Duo
    exit 0
    "#);
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
    guard: approved
    Done: 5.

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
    let second = scene.run(&["sync"]);
    assert_snapshot!(picture(&second), @r#"
    plan PLAN   desired: Duo, 1 group, 2 people, read completely by TIME
                        compared with: snapshot 4, 1 account owned, 1 membership

      ? skip           bo        conflict: the Atlassian record with this userName has the externalId "DU/../?a=b&c#d é%2F\"'" of somebody else; remove or correct that record in Atlassian first
      ! 1 accounts of the Atlassian directory are not ours and stay as they are

    nothing to do, 1 skipped, 1 unchanged
    Nothing was to be sent.
    note: scope.groups: `*` selects every group of Duo
    exit 0
    "#);
}
