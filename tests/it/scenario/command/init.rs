//! `init`, for a service that runs as another user than whoever calls it.

use super::super::super::sim::duo::{INTEGRATION_KEY, SECRET_KEY};
use super::super::super::sim::stage::API_KEY;
use super::super::scene::Scene;
use insta::assert_snapshot;
use nix::pty::openpty;
use std::fs::{File, read_to_string};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

#[test]
fn a_strict_umask_makes_no_configuration_that_the_service_cannot_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("etc/emea");
    let mut command = Command::new("sh");
    command.args(["-c", "umask 077; exec \"$0\" init --dir \"$1\"", env!("CARGO_BIN_EXE_duo-atlassian-sync")]);
    let ran = command.arg(&target).output().expect("it runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let mode = |name: &str| {
        let metadata = std::fs::metadata(folder.path().join(name)).expect("it was made");
        metadata.permissions().mode() & 0o777
    };
    assert_eq!((mode("etc"), mode("etc/emea"), mode("etc/emea/config.toml")), (0o755, 0o755, 0o644));
    assert_eq!((mode("etc/emea/duo-secret-key"), mode("etc/emea/atlassian-api-key")), (0o600, 0o600));
}

#[test]
fn a_key_that_has_expired_is_no_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_duo-atlassian-sync"));
    command.args(["init", "--api-key-expires", "2020-01-01", "--dir"]).arg(folder.path().join("here"));
    let ran = command.stdin(Stdio::null()).output().expect("it runs");
    assert_eq!(ran.status.code(), Some(2));
    assert_snapshot!(String::from_utf8_lossy(&ran.stderr), @"
    error: 1 of the answers cannot be used
      atlassian.api_key_expires: `2020-01-01` is over; write the day on which the key expires, as Atlassian shows it
    ");
    assert!(!folder.path().join("here").exists(), "nothing is written");
}

/// Runs the program at a terminal and gives the next of the answers whenever it asks; what stood there in the end.
fn at_a_terminal(mut command: Command, answers: &[&str]) -> String {
    let terminal = openpty(None, None).expect("a terminal");
    let (input, output) = (terminal.slave.try_clone(), terminal.slave.try_clone());
    command.stdin(Stdio::from(input.expect("a terminal"))).stdout(Stdio::from(output.expect("a terminal")));
    let mut program = command.stderr(Stdio::from(terminal.slave)).spawn().expect("it starts");
    // The terminal ends when the last program at it does.
    drop(command);
    let mut person = File::from(terminal.master);
    let (mut seen, mut answers) = (Vec::new(), answers.iter());
    let mut some = [0; 4_096];
    while let Ok(count @ 1..) = person.read(&mut some) {
        seen.extend_from_slice(&some[..count]);
        if seen.ends_with(b": ") {
            let answer = answers.next().expect("it asks for what nobody expected");
            person.write_all(format!("{answer}\n").as_bytes()).expect("somebody listens");
        }
    }
    assert!(program.wait().expect("it ends").success());
    assert_eq!(answers.next(), None, "it did not ask for all");
    String::from_utf8(seen).expect("text").replace("\r\n", "\n")
}

fn stood_there(seen: &str) {
    assert_snapshot!(seen, @r#"
    Before you begin, by Atlassian's page "Configure user provisioning with Cisco Duo":
      - a subscription to Atlassian Guard Standard
      - your domains are verified in Atlassian, and linked to an identity provider directory
      - you are an organization admin in Atlassian, and Owner in Duo (Admin API applications need it)
      - the number of people does not exceed the user tier of an Enterprise or government plan
    Leave an answer empty to fill it in later by hand. Nothing is written before the end; Ctrl-C leaves nothing behind.

    1. Atlassian Administration > Security > Identity providers > your directory > Set up user provisioning
       shows the SCIM base URL and the API key once. If the directory has a key already, a new one makes the old one
       void at once: whatever uses it (Duo's own provisioning, another host) stops.
       SCIM base URL: not a url
      `not a url` does not begin with `https://`; copy the SCIM base URL as Atlassian shows it: `https://api.atlassian.com/scim/directory/...`
       SCIM base URL: SCIM
       API key (not shown; empty: later):
       the key expires on (a year from today at the latest), YYYY-MM-DD: next year
      `next year` is not a date; write year, month and day: "2027-03-01"; or leave it empty
       the key expires on (a year from today at the latest), YYYY-MM-DD: 2099-01-01
       your verified domains (elsewhere, names and addresses of accounts are left alone): @example.com
      `@example.com` is not a domain; write it without `@` and `*`: "example.org"
       your verified domains (elsewhere, names and addresses of accounts are left alone): example.com
       user tier of your plan; 0: none [0]: many
      that is not a whole number
       user tier of your plan; 0: none [0]: -1
      that is not a whole number
       user tier of your plan; 0: none [0]:

    2. Duo Admin Panel > Applications > Protect an Application > Admin API, permission "Grant read resource" alone.
       API hostname: DUO
       integration key: DISIMULATOR000000001
       secret key (not shown; empty: later):
       Duo's groups cannot be listed now: Duo refused the secret key (40103: Invalid signature in request credentials); copy integration key, secret key and api_host anew from the Admin API application in the Duo Admin Panel
       type these three again? y or n [n]: y
       API hostname: DUO
       integration key: DISIMULATOR000000001
       secret key (not shown; empty: later):

    3. Whom it is about. Begin with one small group of people who know of it.
       Duo has 2 groups:
         DG2XR11EM4PMS0C8YCI0  ops
         DGMSXQ37BKCBE064H690  eng
       groups of Duo: ids, names, or names with *, separated by commas: eng
       usernames that are never touched (break-glass accounts), separated by commas: root
    written: FOLDER/made/config.toml
    written: FOLDER/made/duo-secret-key (mode 0600; the secret is in it)
    written: FOLDER/made/atlassian-api-key (mode 0600; the secret is in it)

    Next:
      duo-atlassian-sync --config FOLDER/made/config.toml check  what is wrong, and the remedy
      duo-atlassian-sync --config FOLDER/made/config.toml plan   what would be sent, and why; nothing is sent
    "#);
}

#[test]
fn at_a_terminal_it_asks_until_the_answers_can_be_used_and_shows_no_secret() {
    let scene = Scene::with(&["ana in eng", "bo in ops"]);
    let mut command = scene.stage.command(&["init", "--dir"]);
    command.arg(scene.file("made"));
    let (duo, scim) = (scene.stage.duo.url(), scene.stage.scim_base_url());
    let wrong_secret = "wrongwrongwrongwrongwrongwrongwrongwrong";
    let answers = [
        "not a url",
        &scim,
        API_KEY,
        "next year",
        "2099-01-01",
        "@example.com",
        "example.com",
        "many",
        "-1",
        "",
        &duo,
        INTEGRATION_KEY,
        wrong_secret,
        "y",
        &duo,
        INTEGRATION_KEY,
        SECRET_KEY,
        "eng",
        "root",
    ];
    let seen = at_a_terminal(command, &answers);
    for secret in [API_KEY, SECRET_KEY, wrong_secret] {
        assert!(!seen.contains(secret), "{seen}");
    }
    let seen = seen.replace(&scim, "SCIM").replace(&duo, "DUO").replace(": \n", ":\n");
    stood_there(&seen.replace(&scene.file("").display().to_string(), "FOLDER/"));
    let made = |name: &str| read_to_string(scene.file("made").join(name)).expect("it was made");
    assert_eq!((made("duo-secret-key").trim(), made("atlassian-api-key").trim()), (SECRET_KEY, API_KEY));
    let config = scene.file("made/config.toml");
    let mut check = Command::new(env!("CARGO_BIN_EXE_duo-atlassian-sync"));
    let found = check.arg("check").arg("--config").arg(config).output().expect("it runs");
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
}
