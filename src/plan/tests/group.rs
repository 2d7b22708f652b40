//! Groups, and what is adopted.

use super::*;

#[test]
fn names_that_clash_or_are_protected_are_left_alone() {
    let mut world = World::with(&["ana in eng site-admins administrators"]);
    world.hire("bo", &["Eng"]);
    insta::assert_snapshot!(world.picture(), @r#"
    create:DUana [source]  (in administrators, eng, site-admins)
    create:DUbo [source]  (in Eng)
    skip Eng: the groups DGEng, DGeng would all be "eng" in Atlassian: give each its own atlassian_name
    skip administrators: Atlassian accepts a group of this name and never shows it on a site, since it is built in: set atlassian_name
    skip eng: the groups DGEng, DGeng would all be "eng" in Atlassian: give each its own atlassian_name
    skip site-admins: its name is in scope.protected_groups: never created, adopted or filled
    unchanged 0
    "#);
}

#[test]
fn a_group_larger_than_atlassian_takes_is_skipped() {
    let world = World::with(&["a in eng", "b in eng", "c in eng", "d in eng"]);
    assert!(world.picture().contains("skip eng: it would have 4 members, and Atlassian takes 3: split it in Duo"));
}

#[test]
fn without_group_information_memberships_stay_untouched() {
    let mut world = World::with(&["ana in eng", "bo in eng"]).settled();
    world.leaves("bo");
    world.desired.manages_groups = false;
    world.desired.groups.clear();
    insta::assert_snapshot!(world.picture(), @r#"
    deactivate:DUbo [source]  (left every group in scope (was in: eng))
    unchanged 1
    "#);
}

#[test]
fn a_filled_directory_is_adopted_and_shows_what_differs() {
    let mut world = World::with(&["ana in eng", "bo in eng", "cy in eng", "di in eng"]);
    let record = |name: &str, external_id: Option<&str>| ObservedAccount {
        external_id: external_id.map(str::to_owned),
        attributes: attributes(name),
        active: Some(true),
        ..ObservedAccount::default()
    };
    let mut observed = Observed::default();
    let mut add =
        |scim_id: &str, account: ObservedAccount| drop(observed.accounts.insert(ScimId::new(scim_id), account));
    add("1", record("ana", Some("DUana")));
    add("2", record("BO", None));
    add("3", record("cy", Some("DUsomebody")));
    add("4", record("stranger", None));
    let members = ["1", "4"].map(ScimId::new).into();
    observed.groups.insert(ScimId::new("g"), ObservedGroup { display_name: "Eng".into(), members });
    world.observed = Some(observed);
    world.set("ana", Attribute::Title, "Lead");
    insta::assert_snapshot!(world.picture(), @r#"
    adopt:DUana [adoption] active true (exists in Atlassian already, with the same externalId)
    adopt:DUbo [adoption] active true (exists in Atlassian already, with the same userName)
    adopt_group:DGeng [adoption] 1 members (exists in Atlassian already, with the same name)
    update:DUana [adoption] title: - -> Lead (differs in Atlassian: title)
    create:DUdi [source]  (in eng)
    members:DGeng:adoption [adoption] +bo +di (Atlassian holds other members)
    skip cy: conflict: the Atlassian record with this userName has the externalId "DUsomebody" of somebody else; remove or correct that record in Atlassian first
    unchanged 1
    "#);
}

/// A directory with a group `eng` in which both are.
fn observed_group() -> Observed {
    let members = ["s-DUana", "s-DUbo"].map(ScimId::new).into();
    let group = ObservedGroup { display_name: "eng".into(), members };
    Observed { groups: [(ScimId::new("g"), group)].into(), ..Observed::default() }
}

#[test]
fn an_adopted_group_names_nobody_whom_the_lists_leave_alone() {
    let mut world = World::with(&["ana in eng", "bo in eng"]).settled();
    world.owned.groups.clear();
    world.observed = Some(observed_group());
    world.rules.excluded_people = ["bo".to_owned()].into();
    insta::assert_snapshot!(world.picture(), @r#"
    adopt_group:DGeng [adoption] 1 members (exists in Atlassian already, with the same name)
    unchanged 2
    "#);
}

#[test]
fn a_group_of_unknown_status_is_not_adopted() {
    let mut world = World::with(&["ana in eng", "bo in eng"]).settled();
    world.owned.groups.clear();
    world.observed = Some(observed_group());
    world.desired.groups.get_mut(&GroupId::new("DGeng")).unwrap().untouched = Some("unknown group status".into());
    insta::assert_snapshot!(world.picture(), @r#"
    skip eng: unknown group status: left as it is
    unchanged 2
    "#);
}

#[test]
fn a_group_that_would_be_too_large_is_not_created_and_is_left_all_the_same() {
    let world = World::with(&["a in eng", "b in eng", "c in eng", "d in eng"]);
    assert!(!world.picture().contains("create_group"), "{}", world.picture());
    let mut world = World::with(&["a in eng", "b in eng", "c in eng"]).settled();
    world.leaves("a");
    world.hire("d", &["eng"]);
    world.hire("e", &["eng"]);
    insta::assert_snapshot!(world.picture(), @r#"
    deactivate:DUa [source]  (left every group in scope (was in: eng))
    create:DUd [source]  (in eng)
    create:DUe [source]  (in eng)
    members:DGeng:source [source] -a (membership in Duo)
    skip eng: it would have 4 members, and Atlassian takes 3: split it in Duo
    unchanged 2
    "#);
}
