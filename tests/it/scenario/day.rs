//! A day in the company: what is planned is what changes.

use super::scene::{Scene, picture};
use insta::assert_snapshot;

const TEAM: &[&str] =
    &["ana in eng", "bo in eng ops", "cy in ops", "dan in eng", "eve in ops", "flo in eng ops", "gus in eng"];

#[test]
fn joiner_mover_leaver_and_everybody_else_change_as_planned() {
    let scene = Scene::settled(TEAM);
    scene.day(|duo| {
        duo.hire("new in eng ops");
        duo.leave("ana", "eng");
        duo.join("ana", "ops");
        duo.leave("cy", "ops");
        duo.status("dan", "disabled");
        duo.person("eve").username = "eve.b".to_owned();
        duo.person("flo").email = "flora@example.com".to_owned();
        duo.remove("gus");
        duo.rename_group("ops", "operations");
    });
    let plan = scene.ends(0, &["plan"]);
    assert_snapshot!(picture(&plan), @r#"
    plan PLAN   desired: Duo, 2 groups, 6 people, read completely by TIME
                        compared with: snapshot 4, 7 accounts owned, 9 memberships

      - deactivate     cy        left every group in scope (was in: ops)
      - deactivate     dan       disabled in Duo (was in: eng)
      - deactivate     gus       no longer in Duo (was in: eng)
      ~ update         eve.b     userName "eve" -> "eve.b"; changed in Duo: userName
      ~ update         flo       emails "flo@example.com" -> "flora@example.com"; changed in Duo: emails
      + create         new       new@example.com; in operations, eng
      ~ update members eng       +1 (new); -3 (ana, dan, gus)
      ~ update members ops       +2 (ana, new); -1 (cy)
      ! group ops (DG2XR11EM4PMS0C8YCI0) is named "operations" in Duo now; it stays selected and keeps its Atlassian name, since Atlassian renames no group

    1 to create, 2 to update, 3 to deactivate, 3 to join, 4 to leave, 2 unchanged; 11 requests in about 1 s
    active accounts: 7 -> 5
    guard: approved
    Nothing was sent. To send it: duo-atlassian-sync --config FOLDER/config.toml sync
    note: scope.groups: `*` selects every group of Duo
    exit 0
    "#);
    assert_snapshot!(scene.syncs_as_planned().join("\n"), @"
    cy left ops
    dan left eng
    gus left eng
    deactivated cy
    deactivated dan
    deactivated gus
    changed userName of eve.b
    changed emails of flo
    created user new
    ana joined ops
    new joined ops
    new joined eng
    ana left eng
    ");
    assert!(scene.atlassian(|sim| sim.group_by_name("ops").is_some() && sim.group_by_name("operations").is_none()));
    scene.forget();
    scene.ends(0, &["sync"]);
    assert!(scene.target_requests().is_empty());
}

#[test]
fn who_was_disabled_and_comes_back_is_reactivated_with_what_changed_meanwhile() {
    let scene = Scene::settled(TEAM);
    scene.day(|duo| {
        duo.status("bo", "disabled");
        duo.person("bo").realname = Some("Bo the Second".to_owned());
    });
    assert_snapshot!(scene.syncs_as_planned().join("\n"), @"
    bo left ops
    bo left eng
    deactivated bo
    ");
    scene.day(|duo| duo.status("bo", "active"));
    assert_snapshot!(scene.syncs_as_planned().join("\n"), @"
    reactivated bo
    changed displayName of bo
    bo joined ops
    bo joined eng
    ");
}

#[test]
fn each_status_takes_or_keeps_access_as_configured() {
    let statuses =
        [("ana", "bypass"), ("bo", "locked out"), ("cy", "pending deletion"), ("dan", "disabled"), ("eve", "odd")];
    let mut pictures = Vec::new();
    for section in [
        "",
        "[deprovisioning]\ndisabled_people = \"keep\"\npending_deletion_people = \"keep\"\nlocked_out_people = \"deactivate\"\n",
    ] {
        let scene = Scene::with(TEAM);
        scene.configure(section);
        scene.settle();
        scene.day(|duo| statuses.iter().for_each(|(name, status)| duo.status(name, status)));
        let plan = scene.plan();
        pictures.push(scene.syncs_as_planned().join("\n"));
        pictures.push(plan["skipped"].as_array().expect("skipped").iter().map(ToString::to_string).collect());
    }
    assert_snapshot!(pictures.join("\n--\n"), @r#"
    cy left ops
    dan left eng
    deactivated cy
    deactivated dan
    --
    {"person":{"user_id":"DUI5PTOWSZWB6UQEPOC0","username":"eve"},"reason":"unknown status \"odd\" in Duo: left as it is"}
    --
    bo left ops
    bo left eng
    deactivated bo
    --
    {"person":{"user_id":"DUI5PTOWSZWB6UQEPOC0","username":"eve"},"reason":"unknown status \"odd\" in Duo: left as it is"}
    "#);
}

#[test]
fn newcomers_with_each_status_get_an_account_only_where_access_is_meant() {
    let scene = Scene::settled(TEAM);
    scene.day(|duo| {
        for (name, status) in
            [("n1", "bypass"), ("n2", "locked out"), ("n3", "pending deletion"), ("n4", "disabled"), ("n5", "odd")]
        {
            duo.hire(&format!("{name} in eng")).status = status.to_owned();
        }
        duo.hire("n6 in eng").email.clear();
        duo.hire("n7 in eng").email = "not an address".to_owned();
        duo.hire("n8 in eng").email = "ana@EXAMPLE.com".to_owned();
    });
    let plan = scene.ends(0, &["plan"]);
    assert_snapshot!(picture(&plan), @r#"
    plan PLAN   desired: Duo, 2 groups, 15 people, read completely by TIME
                        compared with: snapshot 4, 7 accounts owned, 9 memberships

      + create         n1        n1@example.com; in eng
      ~ update members eng       +1 (n1)
      ? skip           n7        "not an address" in Duo (email) is not an address, it contains ' ': correct it there
      ? skip           n8        the address ana@example.com is ana's (DUMOU9DVF9HXE7X171O0), whose account has it: give each their own in Duo
      ? skip           n2        locked out in Duo: no account is created
      ? skip           n5        unknown status "odd" in Duo: left as it is
      ? skip           n6        no address in Duo (email is empty): add one there

    1 to create, 1 to join, 5 skipped, 7 unchanged; 2 requests in about 1 s
    active accounts: 7 -> 8
    guard: approved
    Nothing was sent. To send it: duo-atlassian-sync --config FOLDER/config.toml sync
    note: scope.groups: `*` selects every group of Duo
    exit 0
    "#);
    assert_snapshot!(scene.syncs_as_planned().join("\n"), @"
    created user n1
    n1 joined eng
    ");
}

#[test]
fn a_group_that_is_disabled_in_duo_takes_access_only_where_the_configuration_says_so() {
    for (word, expected) in [
        ("keep", ""),
        (
            "deactivate",
            "cy left ops\nbo left ops\neve left ops\nflo left ops\nbo left eng\nflo left eng\ndeactivated cy\n\
             deactivated bo\ndeactivated eve\ndeactivated flo",
        ),
    ] {
        let scene = Scene::with(TEAM);
        scene.configure(&format!("[scope]\ngroups = [{{ name = \"*\" }}]\ndisabled_groups = \"{word}\"\n"));
        scene.settle();
        scene.day(|duo| duo.group("ops").status = "Disabled".to_owned());
        let done = scene.syncs_as_planned().join("\n");
        assert_eq!(done, expected, "{word}");
        let active = |name: &str| {
            scene.atlassian(|sim| sim.user_by_user_name(name).is_some_and(super::super::sim::atlassian::User::active))
        };
        assert_eq!(
            [active("cy"), active("bo"), active("ana")],
            if word == "keep" { [true; 3] } else { [false, false, true] }
        );
    }
}

#[test]
fn without_group_information_people_come_and_go_and_memberships_stay() {
    let scene = Scene::with(TEAM);
    scene.configure("[scope]\ngroups = [{ name = \"*\" }]\nexclude_group_information = true\n");
    scene.settle();
    assert_eq!(scene.atlassian(|sim| (sim.users().count(), sim.groups().count())), (7, 0));
    scene.day(|duo| {
        duo.leave("ana", "eng");
        duo.join("bo", "ops");
        duo.hire("new in ops");
    });
    assert_snapshot!(scene.syncs_as_planned().join("\n"), @"
    deactivated ana
    created user new
    ");
}

#[test]
fn lists_limit_actions_and_switching_them_deactivates_nobody() {
    let scene = Scene::settled(TEAM);
    let lists = |lists: &str| scene.configure(&format!("[scope]\ngroups = [{{ name = \"*\" }}]\n{lists}\n"));
    lists("pilot_people = [\"ANA\"]\nexcluded_people = [\"bo\"]");
    scene.day(|_| ());
    assert_eq!(scene.syncs_as_planned(), [""; 0]);
    scene.day(|duo| {
        duo.status("bo", "disabled");
        duo.status("cy", "disabled");
        duo.leave("dan", "eng");
        duo.person("ana").realname = Some("Ana in the pilot".to_owned());
    });
    assert_eq!(scene.syncs_as_planned(), ["changed displayName of ana"]);
    lists("excluded_people = [\"bo\"]");
    let held = scene.ends(5, &["sync"]);
    assert_snapshot!(picture(&held), @"
    plan PLAN   desired: Duo, 2 groups, 6 people, read completely by TIME
                        compared with: snapshot 6, 7 accounts owned, 9 memberships

      - deactivate     cy        disabled in Duo (was in: ops)
      - deactivate     dan       left every group in scope (was in: eng)
      ~ update members eng       -1 (dan)
      ~ update members ops       -1 (cy)

    2 to deactivate, 2 to leave, 5 unchanged; 4 requests in about 1 s
    active accounts: 7 -> 5
    guard: HELD, 1 finding
      * scope.pilot_people is empty now: everybody is acted on, not the pilot alone [scope.pilot_people]
        cy, dan
    Nothing was sent.
    note: scope.groups: `*` selects every group of Duo
    held: the plan waits for a person, and nothing was sent
    To approve it: duo-atlassian-sync --config FOLDER/config.toml approve PLAN; then: duo-atlassian-sync --config FOLDER/config.toml sync
    To reject it: duo-atlassian-sync --config FOLDER/config.toml reject PLAN
    2 wait behind it to lose access. To take it away from one of them at once:
      duo-atlassian-sync --config FOLDER/config.toml sync --person DU21VIRPHFK0STKA8I30   (cy)
      duo-atlassian-sync --config FOLDER/config.toml sync --person DUI1MCYKXO1Y61ICFJR0   (dan)
    exit 5
    ");
    assert_eq!(scene.syncs_as_planned().len(), 4);
    lists("blocked_people = [\"eve\"]\nexcluded_people = [\"bo\"]");
    scene.forget();
    assert_eq!(scene.syncs_as_planned(), ["eve left ops", "deactivated eve"]);
    lists("");
    assert_snapshot!(picture(&scene.ends(0, &["plan"])), @"
    plan PLAN   desired: Duo, 2 groups, 6 people, read completely by TIME
                        compared with: snapshot 13, 7 accounts owned, 6 memberships

      - deactivate     bo        disabled in Duo (was in: ops, eng)
      + reactivate     eve       the configuration changed: back in ops
      ~ update members eng       -1 (bo)
      ~ update members ops       +1 (eve); the configuration changed
      ~ update members ops       -1 (bo)

    1 to reactivate, 1 to deactivate, 1 to join, 2 to leave, 5 unchanged; 5 requests in about 1 s
    guard: approved
    Nothing was sent. To send it: duo-atlassian-sync --config FOLDER/config.toml sync
    note: scope.groups: `*` selects every group of Duo
    exit 0
    ");
}

#[test]
fn protected_and_renamed_and_suffixed_groups_get_the_names_they_should() {
    let scene = Scene::with(&["ana in site-admins jira-users", "bo in jira-users"]);
    scene.duo(|duo| {
        duo.rename_group("jira-users", "jira-users (from AD sync \"Corp (new)\")");
        let group = duo.group("Site-Admins (from AD sync \"Corp\")").group_id.clone();
        let bo = duo.id("bo");
        duo.world().join(&bo, &group);
    });
    scene.configure(
        "[scope]\ngroups = [{ name = \"jira-users\", atlassian_name = \"jsw-users\" }, { name = \"*ite-*\" }]\n",
    );
    scene.approve();
    assert_snapshot!(picture(&scene.ends(0, &["plan"])), @r#"
    plan PLAN   desired: Duo, 3 groups, 2 people, read completely by TIME
                        compared with: snapshot 0, 0 accounts owned, 0 memberships

      + create         ana          ana@example.com; in jsw-users, site-admins
      + create         bo           bo@example.com; in Site-Admins, jsw-users
      + create group   jsw-users    selected in Duo as "jira-users (from AD sync \"Corp (new)\")"
      ~ update members jsw-users    +2 (ana, bo)
      ? skip           Site-Admins  the groups DG21VIRPHFK0STKA8I30, DGMSXQ37BKCBE064H690 would all be "site-admins" in Atlassian: give each its own atlassian_name
      ? skip           site-admins  the groups DG21VIRPHFK0STKA8I30, DGMSXQ37BKCBE064H690 would all be "site-admins" in Atlassian: give each its own atlassian_name

    2 to create, 1 group to create, 2 to join, 2 skipped, 0 unchanged; 4 requests in about 1 s
    active accounts: 0 -> 2
    guard: approved
    Nothing was sent. To send it: duo-atlassian-sync --config FOLDER/config.toml sync
    exit 0
    "#);
    scene.ends(0, &["sync"]);
    assert_snapshot!(scene.effects_text(), @"
    created user bo
    created user ana
    created group jsw-users
    bo joined jsw-users
    ana joined jsw-users
    ");
}

#[test]
fn every_attribute_that_can_be_mapped_arrives_and_one_that_is_emptied_is_not_cleared() {
    let attributes = [
        "userName",
        "emails",
        "displayName",
        "name.formatted",
        "name.givenName",
        "name.familyName",
        "name.middleName",
        "nickName",
        "title",
        "timezone",
        "preferredLanguage",
        "department",
        "organization",
        "phoneNumbers",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization",
    ];
    let scene = Scene::with(&["ana in eng"]);
    let mut mapping = "[mapping]\nuserName = \"username\"\nemails = \"email\"\n".to_owned();
    for (number, attribute) in attributes.iter().enumerate().skip(2) {
        mapping.push_str(&format!("\"{attribute}\" = \"custom_attributes.a{number}\"\n"));
    }
    let values = |word: &str| {
        let value = |number: usize| match attributes[number] {
            "timezone" => "Europe/Lisbon".to_owned(),
            "preferredLanguage" => "pt-PT".to_owned(),
            "phoneNumbers" => format!("+351 {number}"),
            _ => format!("{word} {number}"),
        };
        (2..attributes.len())
            .map(|number| (format!("a{number}"), value(number).into()))
            .collect::<serde_json::Map<_, _>>()
    };
    scene.configure(&mapping);
    scene.duo(|duo| drop(duo.person("ana").custom.insert("custom_attributes".to_owned(), values("old").into())));
    scene.settle();
    scene.day(|duo| drop(duo.person("ana").custom.insert("custom_attributes".to_owned(), values("new").into())));
    assert_snapshot!(scene.syncs_as_planned().join("\n"), @"
    changed department of ana
    changed displayName of ana
    changed name of ana
    changed nickName of ana
    changed organization of ana
    changed title of ana
    changed urn:ietf:params:scim:schemas:extension:enterprise:2.0:User of ana
    ");
    scene.day(|duo| drop(duo.person("ana").custom.remove("custom_attributes")));
    assert_eq!(scene.syncs_as_planned(), [""; 0]);
    assert!(scene.target_requests().is_empty());
}
