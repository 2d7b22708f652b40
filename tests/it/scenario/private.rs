//! What nobody may see: no secret anywhere, and nobody's name or address in a log line (S20).
//!
//! Both secrets and everybody's names can be recognised. Every command runs with the most there is to say, in a world
//! that is well and in worlds that are not; among these, services that give back what they were sent.

use super::super::sim::duo::{INTEGRATION_KEY, SECRET_KEY};
use super::super::sim::stage::{API_KEY, Ran};
use super::super::sim::wire::{Answer, Edit, Effect, Fault, Match, Request};
use super::scene::Scene;
use serde_json::json;
use std::path::Path;

/// In every username, address and name of a person, and in nothing else.
const MARK: &str = "zqx";
/// The files in which the secrets are at home.
const AT_HOME: [&str; 2] = ["duo-secret-key", "atlassian-api-key"];
const PEOPLE: [&str; 5] = ["anazqx in eng", "bozqx in eng ops", "cyzqx in ops", "dizqx in eng", "edzqx in ops"];

/// What must not be found: the secrets, and the heads that are made of them.
fn secrets() -> Vec<String> {
    let basic = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, format!("{INTEGRATION_KEY}:00"));
    // The integration key alone, so far as it is the same whatever follows.
    vec![SECRET_KEY.to_owned(), API_KEY.to_owned(), basic[..28].to_owned()]
}

fn holds_no_secret(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for secret in secrets() {
        assert!(!text.contains(&secret), "{what} holds {secret}: {text}");
    }
}

/// Whether a line was logged, and not said to whoever ran the command.
fn is_log(line: &str) -> bool {
    let date = line.as_bytes().iter().take(4).all(u8::is_ascii_digit) && line.get(4..5) == Some("-");
    line.starts_with('{') || date
}

/// Runs it in both forms of logs, with everything there is to say. Gives how many lines were logged.
fn told(scene: &Scene, arguments: &[&str]) -> (usize, Ran) {
    let mut logged = 0;
    let mut last = None;
    for format in ["json", "text"] {
        let ran = scene.run(&[&["-vvv", "--log-format", format], arguments].concat());
        for (stream, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
            holds_no_secret(&format!("{stream} of {arguments:?}"), text.as_bytes());
        }
        for line in ran.stderr.lines().filter(|line| is_log(line)) {
            logged += 1;
            assert!(!line.to_lowercase().contains(MARK), "{arguments:?} logged: {line}");
        }
        last = Some(ran);
    }
    (logged, last.expect("two runs"))
}

/// Every file below, but for the two.
fn look_into(folder: &Path) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        match entry.file_type().expect("a type") {
            kind if kind.is_dir() => look_into(&entry.path()),
            kind if kind.is_file() && !AT_HOME.contains(&name.as_str()) => {
                holds_no_secret(&name, &std::fs::read(entry.path()).expect("a file"));
            }
            _ => {}
        }
    }
}

fn world() -> Scene {
    let scene = Scene::with(&PEOPLE);
    scene.duo(|duo| {
        for line in PEOPLE {
            let name = line.split(' ').next().expect("a name");
            let person = duo.person(name);
            person.realname = Some(format!("Zqx {name}"));
        }
    });
    scene
}

#[test]
fn no_command_shows_a_secret_and_no_log_line_names_anybody() {
    let scene = world();
    let file = |name: &str| scene.file(name).display().to_string();
    let mut logged = 0;
    let mut tell = |arguments: &[&str]| {
        let (lines, ran) = told(&scene, arguments);
        logged += lines;
        ran
    };
    for early in ["status", "history", "check"] {
        tell(&[early]);
    }
    tell(&["check", "--offline"]);
    let plan: serde_json::Value = serde_json::from_str(&tell(&["plan", "--format", "json"]).stdout).expect("a plan");
    let print = plan["fingerprint"].as_str().expect("a fingerprint").to_owned();
    tell(&["sync"]);
    tell(&["reject", &print, "--note", "not yet"]);
    tell(&["approve", &print]);
    tell(&["sync"]);
    scene.day(|duo| {
        duo.leave("anazqx", "eng");
        duo.status("bozqx", "disabled");
        duo.hire("flozqx in ops").realname = Some("Zqx Flo".to_owned());
        duo.person("cyzqx").email = "cyrus.zqx@example.com".to_owned();
    });
    for format in ["text", "json", "markdown"] {
        tell(&["plan", "--format", format, "--out", &file("plan.json")]);
    }
    tell(&["sync", "--dry-run"]);
    tell(&["apply", &file("plan.json")]);
    tell(&["sync"]);
    tell(&["sync", "--person", "bozqx"]);
    tell(&["sync", "--refresh"]);
    for words in
        [["show", "person", "anazqx"], ["show", "group", "eng"], ["show", "plan", &print], ["show", "cycle", "6"]]
    {
        tell(&words);
    }
    for words in [["status", "--format", "json"], ["history", "--limit", "50"]] {
        tell(&words);
    }
    tell(&["undo", "6"]);
    tell(&["undo", "--release", "anazqx"]);
    for words in [&["pause", "--note", "wait"][..], &["status"], &["sync"], &["resume"]] {
        tell(words);
    }
    tell(&["backup", &file("copy.db")]);
    tell(&["completions", "bash"]);
    tell(&["man"]);
    tell(&["init", "--dir", &file("new"), "--group", "eng", "--exclude", "anazqx"]);
    assert!(logged > 80, "only {logged} lines were logged");
    look_into(scene.file("").as_path());
}

/// Makes a fault of a service.
type Spoil<S> = fn() -> Fault<S>;

/// What is wrong with the answers of a service: with all of them, or with those to readers, since a write whose answer
/// lies would rightly be sent again. The last gives back what it was sent.
fn spoilt<S>() -> Vec<(&'static str, Spoil<S>)> {
    fn edit<S>(edit: fn(&Request, &mut Answer)) -> Fault<S> {
        let edit: Edit = Box::new(edit);
        Fault::always(Match::method("GET"), Effect::Rewrite(edit))
    }
    fn answer<S>(answer: Answer) -> Fault<S> {
        Fault::always(Match::any(), Effect::Answer(answer))
    }
    vec![
        ("refused", || answer(Answer::json(401, &json!({ "stat": "FAIL", "code": 40103, "message": "no" })))),
        ("a page", || answer(Answer::html(200, "<html>Sign in</html>"))),
        ("elsewhere", || answer(Answer::empty(302).with_header("Location", "http://127.0.0.1:9/elsewhere"))),
        ("an error", || answer(Answer::text(400, "text/plain", "bad request"))),
        ("garbage", || edit(|_, answer| answer.body.truncate(answer.body.len() / 2))),
        ("an echo", || {
            edit(|request, answer| {
                let heads: Vec<String> =
                    request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
                let said = format!("{} {} with {}", request.method, request.path, heads.join("; "));
                let body = json!({ "stat": "FAIL", "code": 40002, "message": said, "message_detail": said,
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "400", "detail": said });
                *answer = Answer::json(400, &body);
            })
        }),
    ]
}

/// The commands that reach a service, in a world of their own with this fault in one of the two. How many lines they
/// logged.
fn fails(side: &str, what: &str, spoil: impl FnOnce(&Scene)) -> usize {
    let scene = world();
    scene.settle();
    scene.day(|duo| {
        duo.leave("anazqx", "eng");
        duo.hire("flozqx in ops");
    });
    spoil(&scene);
    let commands: [&[&str]; 4] = [&["check"], &["plan", "--refresh"], &["sync"], &["sync", "--person", "anazqx"]];
    let told = commands.map(|arguments| {
        let (lines, ran) = told(&scene, arguments);
        assert!(lines > 0, "{side}, {what}: {arguments:?}");
        let needs_no_reading = side == "Atlassian" && arguments[0] == "sync";
        assert!(ran.code != Some(0) || needs_no_reading, "{side}, {what}: {arguments:?}\n{}", ran.stdout);
        lines
    });
    look_into(scene.file("").as_path());
    told.iter().sum()
}

#[test]
fn no_failure_shows_a_secret_and_none_is_logged_with_a_name() {
    // They wait between their tries, so they wait together.
    let logged: usize = std::thread::scope(|together| {
        let mut worlds = Vec::new();
        for (what, fault) in spoilt() {
            worlds.push(together.spawn(move || fails("Duo", what, |scene| scene.stage.duo.fault(fault()))));
        }
        for (what, fault) in spoilt() {
            worlds.push(together.spawn(move || fails("Atlassian", what, |scene| scene.stage.atlassian.fault(fault()))));
        }
        worlds.into_iter().map(|world| world.join().expect("a world")).sum()
    });
    assert!(logged > 200, "only {logged} lines were logged");
}
