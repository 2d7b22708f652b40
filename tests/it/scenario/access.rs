//! Keys, hosts, clocks, permissions: each mistake ends with its code and a sentence to act on, and nothing is sent.

use super::super::sim::atlassian::{Guard, OtherDirectory};
use super::super::sim::duo::IntegrationKind;
use super::super::sim::stage::Ran;
use super::picture::tidy;
use super::scene::{Scene, picture};
use insta::assert_snapshot;
use serde_json::json;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

/// What `check` and `sync` say about a world that something is wrong with, on the day of a change.
fn told(code: i32, spoil: impl FnOnce(&Scene)) -> String {
    let scene = Scene::settled(&["ana in eng", "bo in eng"]);
    scene.day(|duo| {
        duo.hire("cy in eng");
    });
    spoil(&scene);
    let check = scene.changes_nothing(code, &["check"]);
    let before = scene.snapshot();
    let sync = scene.ends(code, &["sync"]);
    assert!(scene.effects().is_empty(), "{:?}", scene.effects());
    assert_eq!(scene.snapshot(), before);
    shown(&check, &sync)
}

fn shown(check: &Ran, sync: &Ran) -> String {
    let problems: Vec<&str> = check.stdout.lines().skip_while(|line| !line.starts_with("PROBLEM")).collect();
    let sync: Vec<&str> = sync.stderr.lines().filter(|line| !line.starts_with("note:")).collect();
    tidy(&format!("{}\n{}\n--\n{}", problems.join("\n"), check.stderr, sync.join("\n")))
}

#[test]
fn ten_mistakes_in_a_configuration_get_ten_remedies_and_nothing_is_contacted() {
    let scene = Scene::empty();
    let text = "[duo]\napi_host = \"https://api-1.example.com/\"\nintegration_key = \"DIX\"\nsignature = \"v9\"\n\
        requests_per_minute = 0\n[atlassian]\nscim_base_url = \"http://api.atlassian.com/x\"\nverified_domains = []\n\
        member_removal = \"all\"\n[scope]\ngroups = []\npilot = [\"ana\"]\n[mapping]\nuserName = \"username\"\n\
        [guard]\ndeactivations_max = 5\n";
    std::fs::write(scene.stage.config(), text).expect("a configuration");
    let ran = scene.ends(2, &["sync"]);
    assert_snapshot!(picture(&ran), @r#"
    11 problems in FOLDER/config.toml
    FOLDER/config.toml:2: duo.api_host: `https://api-1.example.com/` has a scheme; only a loopback address with a port may have one
        write the host name alone, as Duo's Admin Panel shows it: `api-1a2b3c4d.duosecurity.com`
    FOLDER/config.toml:3: duo.integration_key: is not an integration key (it has 3 characters)
        put the integration key of your Admin API application: `DI` and 18 more letters and digits
    FOLDER/config.toml:4: duo.signature: `v9` is not a value of this key
        write "v5" or "v2"
    FOLDER/config.toml:5: duo.requests_per_minute: must be from 1 to 60000, is 0
        write a number from 1 to 60000
    FOLDER/config.toml:7: atlassian.scim_base_url: `http://api.atlassian.com/x` is not https; only a loopback address with a port may be http
        copy the SCIM base URL as Atlassian shows it: `https://api.atlassian.com/scim/directory/...`
    FOLDER/config.toml:8: atlassian.verified_domains: is empty: no account would be managed
        list the domains that your organization has verified in Atlassian: ["your-company.com"]
    FOLDER/config.toml:9: atlassian.member_removal: `all` is not a value of this key
        write "filter" or "values"
    FOLDER/config.toml:11: scope.groups: is empty: nobody would have access
        write { id = "DG..." }, { name = "jira-users" } or { name = "team-*" }
    FOLDER/config.toml:12: scope.pilot: there is no key `pilot` in `[scope]`
        did you mean `pilot_people`?
    FOLDER/config.toml:13: mapping: has no `emails`, without which Atlassian takes no user
        add emails = "email"
    FOLDER/config.toml:16: guard.deactivations_max: must be a table with keys of its own, is a whole number
        write deactivations_max = { at_most = ..., count = ..., percent = ... }
    nothing was contacted
    exit 2
    "#);
    assert!(scene.source_requests().is_empty() && scene.target_requests().is_empty());
    assert!(!scene.database().exists());
}

#[test]
fn a_wrong_duo_key_is_named() {
    assert_snapshot!(told(3, |scene| scene.stage.write_secret("duo-secret-key", &"x".repeat(40)).expect("a secret")), @"
    PROBLEM  Duo refused the secret key (40103: Invalid signature in request credentials); copy integration key, secret key and api_host anew from the Admin API application in the Duo Admin Panel
    ok       Atlassian http://atlassian/scim/directory/11111111-2222-4333-8444-PLAN: the key opens the directory
    error: the check found problems; nothing was changed anywhere

    --
    error: Duo could not be read completely; nothing was sent
      because: Duo refused the secret key (40103: Invalid signature in request credentials); copy integration key, secret key and api_host anew from the Admin API application in the Duo Admin Panel
    ");
}

#[test]
fn a_clock_that_is_ten_minutes_off_is_named_with_its_direction() {
    let told = told(3, |scene| scene.duo(|duo| duo.sim.switches.clock_offset_seconds = -600));
    assert_snapshot!(told, @"
    PROBLEM  Duo refused the request's time: this computer's clock is 10 min ahead of Duo's; set the clock (NTP)
    ok       Atlassian http://atlassian/scim/directory/11111111-2222-4333-8444-PLAN: the key opens the directory
    error: the check found problems; nothing was changed anywhere

    --
    error: Duo could not be read completely; nothing was sent
      because: Duo refused the request's time: this computer's clock is 10 min ahead of Duo's; set the clock (NTP)
    ");
}

#[test]
fn a_missing_permission_is_named() {
    assert_snapshot!(told(3, |scene| scene.duo(|duo| duo.sim.switches.read_resource = false)), @r#"
    PROBLEM  Duo forbids this (40301: Access forbidden); the keys must belong to an Admin API application (not Auth API) with the permission "Grant read resource", and its networks for API access must include this computer
    ok       Atlassian http://atlassian/scim/directory/11111111-2222-4333-8444-PLAN: the key opens the directory
    error: the check found problems; nothing was changed anywhere

    --
    error: Duo could not be read completely; nothing was sent
      because: Duo forbids this (40301: Access forbidden); the keys must belong to an Admin API application (not Auth API) with the permission "Grant read resource", and its networks for API access must include this computer
    "#);
}

#[test]
fn keys_of_the_auth_api_are_told_apart() {
    assert_snapshot!(told(3, |scene| scene.duo(|duo| duo.sim.switches.integration = IntegrationKind::AuthApi)), @r#"
    PROBLEM  Duo forbids this (40301: Access forbidden: Wrong integration type for this API.); the keys must belong to an Admin API application (not Auth API) with the permission "Grant read resource", and its networks for API access must include this computer
    ok       Atlassian http://atlassian/scim/directory/11111111-2222-4333-8444-PLAN: the key opens the directory
    error: the check found problems; nothing was changed anywhere

    --
    error: Duo could not be read completely; nothing was sent
      because: Duo forbids this (40301: Access forbidden: Wrong integration type for this API.); the keys must belong to an Admin API application (not Auth API) with the permission "Grant read resource", and its networks for API access must include this computer
    "#);
}

#[test]
fn a_wrong_scim_key_is_named() {
    let spoil = |scene: &Scene| scene.stage.write_secret("atlassian-api-key", "another-key").expect("a secret");
    assert_snapshot!(told(4, spoil), @"
    PROBLEM  the SCIM key was not accepted (401): it is not the key of a SCIM directory, was regenerated, or is older than a year; make a new one under Atlassian Administration > Security > Identity providers > (your directory) > ... > Regenerate API key (the old one stops at once) and give it to this program
             because: the service said: Unauthorized [traceId 00000000000000000000000000000009]
    error: the check found problems; nothing was changed anywhere

    --
    error: the SCIM key was not accepted (401): it is not the key of a SCIM directory, was regenerated, or is older than a year; make a new one under Atlassian Administration > Security > Identity providers > (your directory) > ... > Regenerate API key (the old one stops at once) and give it to this program
      because: the service said: Unauthorized [traceId 0000000000000000000000000000000a]
    sending stopped; what was done is recorded
    ");
}

#[test]
fn a_wrong_directory_or_no_guard_is_named_however_it_is_answered() {
    let gone = told(4, |scene| scene.atlassian(|sim| sim.settings_mut().directory_id = "another".to_owned()));
    assert_snapshot!(gone, @"
    PROBLEM  the SCIM key and the SCIM base URL do not open a directory (404): the key is that of another directory, the directory is gone, or there is no Atlassian Guard Standard; both are shown together when the key is made anew under Atlassian Administration > Security > Identity providers > (your directory) > ... > Regenerate API key
             because: the service said: Directory not found
    error: the check found problems; nothing was changed anywhere

    --
    error: the SCIM key and the SCIM base URL do not open a directory (404): the key is that of another directory, the directory is gone, or there is no Atlassian Guard Standard; both are shown together when the key is made anew under Atlassian Administration > Security > Identity providers > (your directory) > ... > Regenerate API key
      because: the service said: Directory not found
    sending stopped; what was done is recorded
    ");
    let forbidden = told(4, |scene| {
        scene.atlassian(|sim| {
            sim.settings_mut().directory_id = "another".to_owned();
            sim.settings_mut().other_directory = OtherDirectory::Forbidden;
        });
    });
    assert_eq!(told(4, |scene| scene.atlassian(|sim| sim.settings_mut().guard = Guard::LapsedForbidden)), forbidden);
    let lapsed = told(4, |scene| scene.atlassian(|sim| sim.settings_mut().guard = Guard::LapsedNotFound));
    assert!(lapsed.contains("no Atlassian Guard Standard"), "{lapsed}");
}

#[test]
fn a_key_that_dies_in_the_middle_stops_everything_and_the_rest_is_done_with_the_new_one() {
    let scene = Scene::with(&["ana in eng", "bo in eng", "cy in eng"]);
    scene.approve();
    scene.forget();
    let sim = scene.stage.atlassian.clone();
    let mut writes = 0;
    scene.stage.atlassian.on_request(Box::new(move |request, _| {
        writes += usize::from(request.method != "GET");
        if writes == 2 {
            sim.with(|sim| "regenerated".clone_into(&mut sim.settings_mut().api_key));
        }
    }));
    let ran = scene.ends(4, &["sync"]);
    scene.stage.atlassian.on_request(Box::new(|_, _| ()));
    assert_eq!(scene.effects().len(), 1, "{:?}", scene.effects());
    assert_snapshot!(picture(&ran), @r#"
    plan PLAN   desired: Duo, 1 group, 3 people, read completely by TIME
                        compared with: snapshot 0, 0 accounts owned, 0 memberships

      + create         ana       ana@example.com; in eng
      + create         bo        bo@example.com; in eng
      + create         cy        cy@example.com; in eng
      + create group   eng       selected in Duo as "eng"
      ~ update members eng       +3 (ana, bo, cy)

    3 to create, 1 group to create, 3 to join, 0 unchanged; 5 requests in about 1 s
    active accounts: 0 -> 3
    guard: approved
    Done: 1, refused: 1, not sent: 3 (cycle 2).
    note: scope.groups: `*` selects every group of Duo
    error: the SCIM key was not accepted (401): it is not the key of a SCIM directory, was regenerated, or is older than a year; make a new one under Atlassian Administration > Security > Identity providers > (your directory) > ... > Regenerate API key (the old one stops at once) and give it to this program
      because: the service said: Unauthorized [traceId 00000000000000000000000000000006]
    sending stopped; what was done is recorded
    exit 4
    "#);
    assert_snapshot!(picture(&scene.run(&["status"])), @"
    failing
    last sync        cycle 2 of TIME: sending stopped: the SCIM key was not accepted (401): it is not the key of a SCIM directory, was regenerated, or is older than a year; make a new one under Atlassian Administration > Security > Identity providers > (your directory) > ... > Regenerate API key (the old one stops at once) and give it to this program
    owned            1 accounts (1 active), 0 groups
    API key          expires AGE
    exit 4
    ");
    scene.stage.write_secret("atlassian-api-key", "regenerated").expect("a secret");
    scene.approve();
    scene.ends(0, &["sync"]);
    assert_eq!(scene.atlassian(|sim| sim.members_of("eng").len()), 3);
    scene.ends(0, &["status"]);
}

#[test]
fn nobody_listening_is_named_with_the_host() {
    let scene = Scene::settled(&["ana in eng"]);
    let text = std::fs::read_to_string(scene.stage.config()).expect("a configuration");
    // Port 9 is the discard service's, which no test machine runs.
    let text = text.replace(&scene.stage.duo.url(), "http://127.0.0.1:9");
    std::fs::write(scene.stage.config(), format!("{text}[state]\ndatabase = \"nobody.db\"\n"))
        .expect("a configuration");
    scene.forget();
    // Each waits between its tries to connect, so they wait together.
    let (check, sync) = std::thread::scope(|both| {
        let check = both.spawn(|| scene.stage.run(&["check"]).expect("a run"));
        let sync = both.spawn(|| scene.stage.run(&["sync"]).expect("a run"));
        (check.join().expect("a run"), sync.join().expect("a run"))
    });
    assert_eq!((check.code, sync.code), (Some(3), Some(3)), "{check:?} {sync:?}");
    assert_snapshot!(shown(&check, &sync), @"
    PROBLEM  cannot reach Duo at 127.0.0.1; check api_host, DNS, the firewall and the proxy settings (duo.proxy, HTTPS_PROXY, NO_PROXY)
             because: could not connect to 127.0.0.1: Connection refused (os error 111); check the name, DNS, the network and the firewall
    ok       Atlassian http://atlassian/scim/directory/11111111-2222-4333-8444-PLAN: the key opens the directory
    error: the check found problems; nothing was changed anywhere

    --
    error: Duo could not be read completely; nothing was sent
      because: cannot reach Duo at 127.0.0.1; check api_host, DNS, the firewall and the proxy settings (duo.proxy, HTTPS_PROXY, NO_PROXY)
      because: could not connect to 127.0.0.1: Connection refused (os error 111); check the name, DNS, the network and the firewall
    ");
    scene.nothing_was_sent();
}

#[test]
fn groups_that_cannot_be_selected_are_all_named() {
    let scene = Scene::with(&["ana in eng ops", "bo in twin"]);
    scene.duo(|duo| drop(duo.world().add_group("twin")));
    scene.configure(
        "[scope]\ngroups = [{ name = \"Eng\" }, { id = \"DGNOTTHERE0000000000\" }, { name = \"twin\" }, { name = \"team-*\" }, { name = \"ops\" }]\n",
    );
    let ran = scene.changes_nothing(3, &["sync"]);
    assert_snapshot!(picture(&ran), @r#"
    error: the groups to sync cannot be selected; nothing was sent
      scope.groups: { id = "DGNOTTHERE0000000000" } matches no group in Duo; correct it, or take it out (names are compared exactly, capital letters included)
      scope.groups: { name = "Eng" } matches no group in Duo; correct it, or take it out (names are compared exactly, capital letters included)
      scope.groups: { name = "twin" } matches 2 groups in Duo: DG21VIRPHFK0STKA8I30 "twin", DGI1MCYKXO1Y61ICFJR0 "twin"; select the one you mean by its id
      scope.groups: { name = "team-*" } matches no group in Duo; correct it, or take it out (names are compared exactly, capital letters included)
    exit 3
    "#);
    let check = scene.changes_nothing(3, &["check"]);
    assert_eq!(check.stdout.matches("PROBLEM").count(), 4, "{}", check.stdout);
}

#[test]
fn a_new_key_is_tried_before_it_replaces_the_old_one() {
    let scene = Scene::settled(&["ana in eng"]);
    // As `init` writes it.
    scene.configure_atlassian("api_key_file = \"atlassian-api-key\"", "");
    let key = std::fs::read_to_string(scene.file("atlassian-api-key")).expect("the key");
    scene.stage.write_secret("atlassian-api-key", "the-old-key").expect("a secret");
    scene.stage.write_secret("new-key", &key).expect("a secret");
    let new = scene.file("new-key").display().to_string();
    assert!(scene.changes_nothing(4, &["check"]).stdout.contains("the SCIM key was not accepted"));
    let good = scene.changes_nothing(0, &["check", "--atlassian-key-file", &new]);
    assert!(good.stdout.contains("the key opens the directory"), "{}", good.stdout);
    // It replaces nothing.
    assert!(scene.changes_nothing(4, &["check"]).stdout.contains("the SCIM key was not accepted"));
    scene.stage.write_secret("new-key", "another-wrong-key").expect("a secret");
    let wrong = scene.changes_nothing(4, &["check", "--atlassian-key-file", &new]);
    assert!(wrong.stdout.contains("the SCIM key was not accepted"), "{}", wrong.stdout);
    std::fs::set_permissions(scene.file("new-key"), Permissions::from_mode(0o644)).expect("a mode");
    let open = scene.changes_nothing(2, &["check", "--atlassian-key-file", &new, "--offline"]);
    assert!(open.stderr.contains("is open to others than its owner (mode 0644)"), "{}", open.stderr);
    let missing = scene.changes_nothing(2, &["check", "--atlassian-key-file", "/nowhere/key"]);
    assert!(missing.stderr.contains("`/nowhere/key` does not exist"), "{}", missing.stderr);
}

#[test]
fn a_mapping_that_disagrees_with_the_accounts_that_are_there_is_named() {
    let scene = Scene::with(&["ana in eng", "bo in eng", "cy in eng", "di in eng"]);
    let mapping = |check: &Ran| {
        let lines = check.stdout.lines().filter(|line| line.contains("already") || line.contains("the mapping"));
        lines.map(str::to_owned).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(mapping(&scene.changes_nothing(0, &["check"])), @"ok       0 people in scope have an account there already");
    scene.atlassian(|sim| {
        for (name, shown) in [("ana", "Lima, Ana"), ("bo", "Berg, Bo"), ("cy", "Cy")] {
            let user = json!({ "userName": name, "displayName": shown, "active": true,
                "emails": [{ "value": format!("{name}@example.com"), "type": "work", "primary": true }] });
            sim.add_user_from(&user).expect("a user");
        }
    });
    assert_snapshot!(mapping(&scene.changes_nothing(0, &["check"])), @r#"
    ok       3 people in scope have an account there already, 2 of them with other values: `plan` shows each
    note     the mapping disagrees with existing accounts: displayName is otherwise for 2 of 3, as "Berg, Bo", which would become "Bo"; look at [mapping] before the first plan is approved
    "#);
    scene.atlassian(|sim| sim.edit_user("ana", "displayName", json!("Ana")).expect("an edit"));
    assert_snapshot!(mapping(&scene.changes_nothing(0, &["check"])), @"ok       3 people in scope have an account there already, 1 of them with other values: `plan` shows each");
}

#[test]
fn people_outside_the_verified_domains_are_counted_and_most_of_them_are_a_problem() {
    let scene = Scene::with(&["ana in eng", "bo in eng", "cy in eng", "di in eng"]);
    let domains = |check: &Ran| {
        check.stdout.lines().filter(|line| line.contains("verified_domains")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(domains(&scene.changes_nothing(0, &["check"])), "");
    let moves = |name: &str, domain: &str| {
        scene.duo(|duo| duo.person(name).email = format!("{name}@{domain}"));
    };
    moves("ana", "guest.example");
    moves("bo", "partner.example");
    assert_snapshot!(domains(&scene.changes_nothing(0, &["check"])), @"note     2 of 4 people in scope have an address outside atlassian.verified_domains (guest.example, partner.example): later changes of their names and addresses are not sent; add the domains that your organization has verified in Atlassian");
    moves("cy", "guest.example");
    let most = scene.changes_nothing(2, &["check"]);
    assert_snapshot!(domains(&most), @"PROBLEM  3 of 4 people in scope have an address outside atlassian.verified_domains (guest.example, partner.example): later changes of their names and addresses are not sent; add the domains that your organization has verified in Atlassian");
    // The rest is looked at all the same.
    assert!(most.stdout.contains("the key opens the directory"), "{}", most.stdout);
    // Somebody who is to have no account is no guest.
    scene.duo(|duo| duo.status("cy", "disabled"));
    let fewer = domains(&scene.changes_nothing(2, &["check"]));
    assert!(fewer.contains("2 of 3 people in scope"), "{fewer}");
    // Only a few of many domains are named.
    let scene = Scene::with(&["a in eng", "b in eng", "c in eng", "d in eng", "e in eng", "f in eng", "g in eng"]);
    for name in ["a", "b", "c", "d", "e", "f", "g"] {
        scene.duo(|duo| duo.person(name).email = format!("{name}@{name}.example"));
    }
    let said = domains(&scene.changes_nothing(2, &["check"]));
    assert!(said.contains("(a.example, b.example, c.example, d.example, e.example, 2 more)"), "{said}");
}

#[test]
fn a_key_that_is_over_by_its_date_is_named() {
    let scene = Scene::settled(&["ana in eng"]);
    let config = std::fs::read_to_string(scene.stage.config()).expect("the configuration");
    for (day, expected) in [("2020-01-01", "Atlassian's key expired on 2020-01-01"), ("2999-01-01", "")] {
        std::fs::write(scene.stage.config(), config.replace("2999-01-01", day)).expect("it is written");
        let check = scene.changes_nothing(0, &["check"]);
        let said = check.stdout.lines().find(|line| line.contains("key expire")).unwrap_or_default();
        assert!(said.contains(expected) && said.is_empty() == expected.is_empty(), "{day}: {}", check.stdout);
    }
}

#[test]
fn a_name_on_a_list_that_nobody_has_is_mentioned() {
    let scene = Scene::settled(&["ana in eng", "bo in eng"]);
    scene.configure("[scope]\ngroups = [{ name = \"*\" }]\nexcluded_people = [\"Ana\", \"braekglass\"]\n");
    let check = scene.changes_nothing(0, &["check"]);
    let said: Vec<&str> = check.stdout.lines().filter(|line| line.contains("check the spelling")).collect();
    let expected =
        "note     scope.excluded_people: nobody in the selected groups is \"braekglass\"; check the spelling";
    assert_eq!(said, [expected], "{}", check.stdout);
}
