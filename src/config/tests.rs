//! Whole files: what is read, and what is refused.

use super::{Config, DEFAULT, Environment, Mode, Problems, load, load_without_secrets, parse};
use crate::desired::Wanted;
use crate::model::Attribute;
use secrecy::ExposeSecret;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const SECRETS: [&str; 2] = ["duo-s3cret", "atlassian-s3cret"];

/// A directory with both secrets.
fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, secret) in ["duo-secret-key", "atlassian-api-key"].into_iter().zip(SECRETS) {
        let path = directory.path().join(name);
        std::fs::write(&path, secret).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    directory
}

/// The secrets are found as credentials; the path of the file stays the same in every message.
fn parse_with_secrets(text: &str) -> Result<Config, Problems> {
    let directory = directory();
    let env = Environment { credentials_directory: Some(directory.path().to_path_buf()), ..Environment::default() };
    parse(text, Path::new("config.toml"), &env)
}

/// What every file must have, and a last line of one's own in `[scope]`.
fn with_scope(groups: &str, line: &str) -> String {
    format!(
        "[duo]\napi_host = \"api-1a2b3c4d.duosecurity.com\"\nintegration_key = \"DI5T8WQ2ZK7M4N1C9XPA\"\n\
         [atlassian]\nscim_base_url = \"https://api.atlassian.com/scim/directory/6f1c\"\nverified_domains = [\"Northwind.example\"]\n\
         [scope]\ngroups = [{groups}]\n{line}\n"
    )
}

fn problems(text: &str) -> String {
    parse_with_secrets(text).unwrap_err().to_string()
}

#[test]
fn ten_mistakes_print_ten_remedies() {
    let text = r#"
[duo]
api_host = "https://api-1a2b3c4d.duosecurity.com/"
integration_key = "DI5T8WQ2ZK7M4N1C9XPA"
signature = "v4"

[atlassian]
scim_base_url = "http://api.atlassian.com/scim/directory/6f1c"
verified_domains = ["@northwind.example"]
requests_per_second = "5"

[scope]
groups = [
  { id = "DG0A1B2C3D4E5F6G7H8J", name = "jira-users" },
  { name = "team-*", atlassian_name = "teams" },
]

[mapping]
userName = "user_name"
emails = "email"

[gaurd]
first_plan = "apply"

[schedule]
sending_minutes = 30
"#;
    insta::assert_snapshot!(problems(text), @r#"
    10 problems in config.toml
    config.toml:3: duo.api_host: `https://api-1a2b3c4d.duosecurity.com/` has a scheme; only a loopback address with a port may have one
        write the host name alone, as Duo's Admin Panel shows it: `api-1a2b3c4d.duosecurity.com`
    config.toml:5: duo.signature: `v4` is not a value of this key
        write "v5" or "v2"
    config.toml:8: atlassian.scim_base_url: `http://api.atlassian.com/scim/directory/6f1c` is not https; only a loopback address with a port may be http
        copy the SCIM base URL as Atlassian shows it: `https://api.atlassian.com/scim/directory/...`
    config.toml:9: atlassian.verified_domains: `@northwind.example` is not a domain
        write it without `@` and `*`: "example.org"
    config.toml:10: atlassian.requests_per_second: must be a decimal number, is a string
        write a number, without quotes
    config.toml:14: scope.groups: an entry has both id `DG0A1B2C3D4E5F6G7H8J` and name `jira-users`
        keep the id, which survives a rename, or the name
    config.toml:15: scope.groups: the pattern `team-*` has an atlassian_name: several groups cannot share it
        leave atlassian_name out, or write an entry for each group that needs another name
    config.toml:19: mapping.userName: `user_name` is not an attribute of Duo
        did you mean "username"?
    config.toml:22: gaurd: there is no section `[gaurd]`
        did you mean `[guard]`?
    config.toml:26: schedule.sending_minutes: there is no key `sending_minutes` in `[schedule]`
        did you mean `sending_minutes_max`?
    "#);
}

#[test]
fn the_template_as_it_is_asks_for_five_values() {
    insta::assert_snapshot!(problems(DEFAULT), @r#"
    5 problems in config.toml
    config.toml:9: duo.api_host: is still the placeholder
        put the API hostname of your Admin API application: `api_host = "api-....duosecurity.com"`
    config.toml:11: duo.integration_key: is still the placeholder
        put the integration key of your Admin API application: `DI` and 18 more letters and digits
    config.toml:25: atlassian.scim_base_url: is still the placeholder
        put the SCIM base URL of your directory, as Atlassian showed it when the directory was made
    config.toml:33: atlassian.verified_domains: `example.com` is still the placeholder
        list the domains that your organization has verified in Atlassian: ["your-company.com"]
    config.toml:51: scope.groups: `DGXXXXXXXXXXXXXXXXXX` is still the placeholder
        write { id = "DG..." }, { name = "jira-users" } or { name = "team-*" }
    "#);
}

#[test]
fn an_empty_file_lacks_what_has_no_default() {
    let problems = parse_with_secrets("").unwrap_err();
    let missing: Vec<&str> = problems.as_slice().iter().map(|problem| &*problem.key).collect();
    let required = "atlassian.scim_base_url atlassian.verified_domains duo.api_host duo.integration_key scope.groups";
    assert_eq!(missing.join(" "), required);
    assert!(problems.as_slice().iter().all(|problem| problem.message == "is missing" && problem.line.is_none()));
}

#[test]
fn what_is_not_toml_is_one_problem_with_its_place() {
    insta::assert_snapshot!(problems("[duo]\napi_host = api-1.duosecurity.com\nx = \n"), @r#"
    1 problem in config.toml
    config.toml:2: is not valid TOML: string values must be quoted, expected literal string
        texts stand in quotes, lists in [ ], and each key is there once; the other keys are checked after this
    "#);
}

#[test]
fn types_ranges_and_places_are_checked_everywhere() {
    let text = with_scope(
        "{ name = \"a\" }",
        "exclude_group_information = \"yes\"\npilot_people = \"ana\"\nexcluded_people = [1]\ncolour = 1",
    ) + r#"
[guard]
deactivations_max = 5
creates_max = { count = -1, percent = 101, most = 3 }
accounts_max = 99999999999999999999
updates_max.percent = 1.5
[schedule]
cycle_cron = "*/10 * * * *"
mode = "aply"
[http]
listen = "0.0.0.0:9630"
[approval]
api_host = "x"
valid_hours = 0
"duo.signature" = "v2"
[atlassian.more]
x = 1
[[state]]
"#;
    insta::assert_snapshot!(problems(&text), @r#"
    18 problems in config.toml
    config.toml:9: scope.exclude_group_information: must be a boolean, is a string
        write true or false, without quotes
    config.toml:10: scope.pilot_people: must be a list, is a string
        write a list in square brackets
    config.toml:11: scope.excluded_people: an entry must be a string, is a whole number
        put the entry in quotes
    config.toml:12: scope.colour: there is no key `colour` in `[scope]`
        remove it; there is: blocked_people, disabled_groups, exclude_group_information, excluded_people, groups, pilot_people, protected_groups
    config.toml:15: guard.deactivations_max: must be a table with keys of its own, is a whole number
        write deactivations_max = { at_most = ..., count = ..., percent = ... }
    config.toml:16: guard.creates_max.count: must be from 0 to 1000000000, is -1
        write a number from 0 to 1000000000
    config.toml:16: guard.creates_max.percent: must be from 0 to 100, is 101
        write a number from 0 to 100
    config.toml:16: guard.creates_max.most: there is no key `most` in `[guard.creates_max]`
        remove it; there is: at_most, count, percent
    config.toml:17: guard.accounts_max: must be from 0 to 1000000000, is 99999999999999999999
        write a number from 0 to 1000000000
    config.toml:18: guard.updates_max.percent: must be a whole number, is a decimal number
        write a number, without quotes
    config.toml:20: schedule.cycle_cron: has five fields
        seconds come first: "0 */10 * * * *"
    config.toml:21: schedule.mode: `aply` is not a value of this key
        write "observe" or "apply"
    config.toml:23: http.listen: `0.0.0.0:9630` is neither a loopback address with a port nor a socket
        write "127.0.0.1:9630", "[::1]:9630" or "unix:/run/duo-atlassian-sync/http.sock"; empty: nothing listens
    config.toml:25: approval.api_host: there is no key `api_host` in `[approval]`
        it belongs under `[duo]`
    config.toml:26: approval.valid_hours: must be from 1 to 720, is 0
        write a number from 1 to 720
    config.toml:27: approval.duo.signature: there is no key `duo.signature` in `[approval]`
        remove it; there is: note_required, valid_hours
    config.toml:28: atlassian.more: there is no key `more` in `[atlassian]`
        remove it; there is: api_key_expires, api_key_file, ca_file, concurrent_requests_max, member_removal, members_per_request_max, proxy, requests_per_second, scim_base_url, verified_domains
    config.toml:30: state: must be a table with keys of its own, is a list
        write `[state]` on a line of its own, and its keys below
    "#);
}

#[test]
fn groups_are_selected_once_and_clearly() {
    let groups = r#"
  "jira-users",
  { nam = "x" },
  { },
  { name = " " },
  { id = "jira-users" },
  { id = "dg0A1B2C3D4E5F6G7H8J" },
  { name = "eng" },
  { name = "eng", atlassian_name = "engineering" },
  { name = "ops", atlassian_name = "Eng" },
  { name = "team-a" },
  { name = "team-*" },
  { name = "team-b-*" },
  { id = "DGXXXXXXXXXXXXXXXXXX" },
"#;
    insta::assert_snapshot!(problems(&with_scope(groups, "")), @r#"
    11 problems in config.toml
    config.toml:9: scope.groups: an entry must be a table, is a string
        write { id = "DG..." }, { name = "jira-users" } or { name = "team-*" }
    config.toml:10: scope.groups: there is no key `nam` in an entry
        did you mean `name`?
    config.toml:11: scope.groups: an entry has neither id nor name
        write { id = "DG..." }, { name = "jira-users" } or { name = "team-*" }
    config.toml:12: scope.groups: `name` must be a string with something in it
        write { id = "DG..." }, { name = "jira-users" } or { name = "team-*" }
    config.toml:13: scope.groups: `jira-users` is not the id of a group
        copy it from Duo: `DG` and 18 more letters and digits; for a name write { name = "..." }
    config.toml:14: scope.groups: `dg0A1B2C3D4E5F6G7H8J` is not the id of a group
        copy it from Duo: `DG` and 18 more letters and digits; for a name write { name = "..." }
    config.toml:16: scope.groups: `{ name = "eng" }` is there twice
        keep one of the two entries
    config.toml:17: scope.groups: `{ name = "ops" }` and `{ name = "eng" }` both become the Atlassian group `Eng`
        give one of them another atlassian_name
    config.toml:18: scope.groups: `{ name = "team-a" }` overlaps with `{ name = "team-*" }`, which selects it already
        remove one of the two entries, or narrow the pattern
    config.toml:20: scope.groups: `{ name = "team-b-*" }` overlaps with `{ name = "team-*" }`, which selects it already
        remove one of the two entries, or narrow the pattern
    config.toml:21: scope.groups: `DGXXXXXXXXXXXXXXXXXX` is still the placeholder
        write { id = "DG..." }, { name = "jira-users" } or { name = "team-*" }
    "#);
}

#[test]
fn a_mapping_names_attributes_that_both_sides_have() {
    let text = with_scope(
        "{ name = \"a\" }",
        "[mapping]\nusername = \"username\"\nemails = 1\ntitle = \"job\"\nnickName = \"custom_attributes.\"\nshoeSize = \"notes\"",
    );
    insta::assert_snapshot!(problems(&text), @r#"
    6 problems in config.toml
    config.toml:9: mapping: has no `userName`, without which Atlassian takes no user
        add userName = "username"
    config.toml:10: mapping.username: is not a SCIM attribute that Atlassian takes
        did you mean `userName`?
    config.toml:11: mapping.emails: must be a string, is a whole number
        write the name of a Duo attribute in quotes, such as "email"
    config.toml:12: mapping.title: `job` is not an attribute of Duo
        write one of user_id, username, email, realname, firstname, lastname, notes, status, external_id, alias1 to alias8, custom_attributes.NAME
    config.toml:13: mapping.nickName: `custom_attributes.` is not an attribute of Duo
        write one of user_id, username, email, realname, firstname, lastname, notes, status, external_id, alias1 to alias8, custom_attributes.NAME
    config.toml:14: mapping.shoeSize: is not a SCIM attribute that Atlassian takes
        write one of userName, emails, displayName, name.formatted, name.givenName, name.familyName, name.middleName, nickName, title, timezone, preferredLanguage, department, organization, phoneNumbers, urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department, urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization
    "#);
}

#[test]
fn lists_that_contradict_each_other_are_refused() {
    let text = with_scope("{ name = \"a\" }", "blocked_people = [\"ana\", \" Bo \"]\nexcluded_people = [\"bO\"]");
    insta::assert_snapshot!(problems(&text), @r#"
    1 problem in config.toml
    config.toml:9: scope.blocked_people: `Bo` is in excluded_people as well, which says: in no action at all
        keep the person in one of the two lists
    "#);
}

#[test]
fn what_contacts_nobody_needs_no_secret() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    let env = Environment::default();
    std::fs::write(&path, with_scope("{ name = \"jira-users\" }", "")).unwrap();
    assert!(load(&path, &env).is_err());
    let config = load_without_secrets(&path, &env).unwrap();
    assert_eq!(config.scim.api_key.expose_secret(), "");
    std::fs::write(&path, with_scope("", "")).unwrap();
    let problems = load_without_secrets(&path, &env).unwrap_err().to_string();
    assert!(problems.contains("scope.groups") && !problems.contains("secret"), "{problems}");
}

#[test]
fn secrets_that_cannot_be_used_are_reported_with_the_rest() {
    let problems = parse(&with_scope("", ""), Path::new("/nowhere/config.toml"), &Environment::default()).unwrap_err();
    insta::assert_snapshot!(problems, @r#"
    3 problems in /nowhere/config.toml
    /nowhere/config.toml:1: duo.secret_key_file: `/nowhere/duo-secret-key` does not exist
        write Duo's secret key into it, with mode 0600: `install -m 600 /dev/stdin /nowhere/duo-secret-key`
    /nowhere/config.toml:4: atlassian.api_key_file: `/nowhere/atlassian-api-key` does not exist
        write Atlassian's SCIM API key into it, with mode 0600: `install -m 600 /dev/stdin /nowhere/atlassian-api-key`
    /nowhere/config.toml:8: scope.groups: is empty: nobody would have access
        write { id = "DG..." }, { name = "jira-users" } or { name = "team-*" }
    "#);
}

#[test]
fn a_file_that_cannot_be_read_says_so() {
    let problems = load(Path::new("/nowhere/config.toml"), &Environment::default()).unwrap_err();
    insta::assert_snapshot!(problems, @r#"
    1 problem in /nowhere/config.toml
    /nowhere/config.toml: cannot be read: No such file or directory (os error 2)
        name the file with --config, or make one: `duo-atlassian-sync init`; it must be readable for the service's user
    "#);
}

#[test]
fn two_spellings_of_one_meaning_give_one_value() {
    let first = with_scope(
        "{ name = \"team-*\" }, { id = \"DG0A1B2C3D4E5F6G7H8J\" }, { name = \"jira-users\", atlassian_name = \"jira\" }",
        "pilot_people = [\"Ana\", \"DU7Q6W5E4R3T2Y1U0I9P\"]\nprotected_groups = [\"Site-Admins\"]\n[mapping]\nuserName = \"username\"\n\
         emails = \"email\"\nname.givenName = \"firstname\"\n[deprovisioning]\ngrace_hours = 0x10",
    );
    let second = with_scope(
        "{ atlassian_name = \"jira\", name = \" jira-users \" }, { id = \"DG0A1B2C3D4E5F6G7H8J\" }, { name = \"team-*\" }",
        "pilot_people = [\"DU7Q6W5E4R3T2Y1U0I9P\", \" ana \", \"ANA\"]\nprotected_groups = [\"site-admins\"]\n[deprovisioning]\n\
         grace_hours = 16\nlocked_out_people = \"keep\"\n[mapping]\n\"name.givenName\" = \" firstname\"\nemails = \"email\"\nuserName = \"username\"",
    )
    .replace("Northwind", "northwind");
    let (first, second) = (parse_with_secrets(&first).unwrap(), parse_with_secrets(&second).unwrap());
    assert_eq!(first.rules, second.rules);
    assert_eq!(first.rules.groups.len(), 3);
    assert!(matches!(&first.rules.groups[0].wanted, Wanted::Id(_)), "sorted: ids, names, patterns");
    assert!(first.rules.pilot_people.contains("ana") && first.rules.pilot_people.contains("DU7Q6W5E4R3T2Y1U0I9P"));
    assert!(first.rules.is_managed_domain("northwind.example"));
}

#[test]
fn what_is_left_out_is_as_in_the_default_file() {
    let text = with_scope("{ name = \"a\" }", "[guard]\ncreates_max = { count = 7 }");
    let config = parse_with_secrets(&text).unwrap();
    assert_eq!(
        (config.limits.creates.count, config.limits.creates.percent, config.limits.creates.at_most),
        (7, 10, 500)
    );
    assert_eq!(config.rules.mapping.len(), 5);
    assert_eq!(config.rules.mapping.get(&Attribute::UserName).map(String::as_str), Some("username"));
    assert_eq!(config.rules.protected_groups.len(), 6);
    assert_eq!((config.duo.requests_per_minute, config.scim.concurrent_requests_max), (180, 4));
    assert!((config.scim.requests_per_second - 5.0).abs() < f64::EPSILON);
    assert_eq!(config.schedule.mode, Mode::Observe);
    assert_eq!((config.http_listen, config.api_key_expires), (None, None));
    assert!(config.notice.is_none());
    assert_eq!(config.warnings.len(), 1, "{:?}", config.warnings);
}

#[test]
fn a_date_may_stand_with_or_without_quotes() {
    for spelling in ["2027-03-01", "\"2027-03-01\""] {
        let text = with_scope("{ name = \"a\" }", "[atlassian.x]");
        let text =
            text.replace("[scope]", &format!("api_key_expires = {spelling}\n[scope]")).replace("[atlassian.x]", "");
        let config = parse_with_secrets(&text).unwrap();
        assert_eq!(config.api_key_expires, Some(jiff::civil::date(2027, 3, 1)));
        assert!(config.warnings.is_empty());
        assert!(problems(&text.replace("2027-03-01", "2027-02-30")).contains("config.toml:7:"));
    }
}

#[test]
fn on_this_machine_the_examples_will_do() {
    let text = r#"
[duo]
api_host = "http://127.0.0.1:9001"
integration_key = "DIXXXXXXXXXXXXXXXXXX"
[atlassian]
scim_base_url = "http://localhost:9002/scim/directory/00000000-0000-0000-0000-000000000000/"
verified_domains = ["example.com"]
requests_per_second = 1000
[scope]
groups = [{ id = "DGXXXXXXXXXXXXXXXXXX" }]
"#;
    let config = parse_with_secrets(text).unwrap();
    assert_eq!((&*config.duo.api_host, &*config.duo.base_url), ("127.0.0.1", "http://127.0.0.1:9001"));
    assert_eq!(config.scim.base_url, "http://localhost:9002/scim/directory/00000000-0000-0000-0000-000000000000");
}

#[test]
fn a_secret_on_the_wrong_line_is_not_printed() {
    let secret = "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep";
    let sound = with_scope("{ name = \"a\" }", "");
    for line in
        ["[duo]\nsecret_key", "[duo]\nsecret_key_file", "[duo]\nsignature", "[schedule]\nmode", "[http]\nlisten"]
    {
        let text = format!(
            "{line} = \"{secret}\"\n{}",
            if line.starts_with("[duo]") { sound.replace("[duo]", "") } else { sound.clone() }
        );
        let problems = problems(&text);
        assert!(problems.starts_with("1 problem") && !problems.contains(secret), "{problems}");
    }
    for known in
        ["api-1a2b3c4d.duosecurity.com", "DI5T8WQ2ZK7M4N1C9XPA", "https://api.atlassian.com/scim/directory/6f1c"]
    {
        let problems = problems(&sound.replace(known, secret));
        assert!(problems.starts_with("1 problem") && !problems.contains(secret), "{problems}");
    }
}

#[test]
fn no_secret_is_in_debug() {
    let directory = directory();
    let path = directory.path().join("config.toml");
    std::fs::write(&path, with_scope("{ name = \"a\" }", "")).unwrap();
    let config = load(&path, &Environment::default()).unwrap();
    assert_eq!([config.duo.secret_key.expose_secret(), config.scim.api_key.expose_secret()], SECRETS);
    let shown = format!("{config:?}");
    assert!(shown.contains("api-1a2b3c4d") && !SECRETS.iter().any(|secret| shown.contains(secret)), "{shown}");
}

#[test]
fn a_scim_base_url_that_is_not_a_directory_s_is_refused() {
    for text in [
        "https://api.atlassian.com",
        "https://api.atlassian.com/scim/directory/",
        "https://api.atlassian.com/scim",
        "https://api.atlassian.com/scim/directory",
        "https://api.atlassian.com/scim/directory/6f1c/Users",
        "https://scim.example.gov:8443/directory/6f1c",
    ] {
        let file = format!("[atlassian]\nscim_base_url = \"{text}\"\n");
        let problems = parse(&file, Path::new("config.toml"), &Environment::default()).unwrap_err();
        let problem = problems.as_slice().iter().find(|problem| problem.key == "atlassian.scim_base_url").unwrap();
        assert!(problem.message.contains("does not end in `/scim/directory/` and the id"), "{}", problem.message);
        assert!(problem.remedy.contains("as Atlassian showed it"), "{}", problem.remedy);
    }
    // Another SCIM service, for a trial.
    let file = "[atlassian]\nscim_base_url = \"http://127.0.0.1:41181/v2\"\n";
    let problems = parse(file, Path::new("config.toml"), &Environment::default()).unwrap_err();
    assert!(problems.as_slice().iter().all(|problem| problem.key != "atlassian.scim_base_url"), "{problems:?}");
}
