//! Saved plans: applied exactly, or refused with what moved.

use super::super::super::sim::stage::Ran;
use super::super::scene::Scene;
use super::last_cycle;
use serde_json::Value;

const STRICT: &str = "[guard]\ndeactivations_max = { count = 1, percent = 0, at_most = 1 }\n";

/// A day with one change of every kind, saved as a plan.
fn saved() -> (Scene, String) {
    let scene = Scene::settled(&["a in eng", "b in eng", "c in eng", "d in eng ops", "e in eng", "f in eng"]);
    scene.day(|duo| {
        duo.hire("new in eng");
        duo.person("a").realname = Some("Another".to_owned());
        duo.leave("b", "eng");
        duo.join("b", "ops");
        duo.status("c", "disabled");
    });
    let file = save(&scene);
    scene.forget();
    (scene, file)
}

fn save(scene: &Scene) -> String {
    let file = scene.file("plan.json").display().to_string();
    scene.ends(0, &["plan", "--out", &file]);
    file
}

fn document(file: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(file).expect("the plan")).expect("JSON")
}

fn members(scene: &Scene, group: &str) -> String {
    format!("members:{}:source", scene.duo(|duo| duo.group_id(group)))
}

fn of_person(scene: &Scene, action: &str, name: &str) -> String {
    format!("{action}:{}", scene.duo(|duo| duo.id(name)))
}

#[track_caller]
fn stale(scene: &Scene, arguments: &[&str], words: &[&str]) -> Ran {
    let ran = scene.changes_nothing(7, arguments);
    assert!(ran.stderr.contains("stale"), "{}", ran.stderr);
    for word in words {
        assert!(ran.stderr.contains(word), "{word:?} in {}", ran.stderr);
    }
    ran
}

#[test]
fn a_saved_plan_is_applied_exactly_and_what_came_later_waits() {
    let (scene, file) = saved();
    scene.day(|duo| duo.person("e").realname = Some("Later".to_owned()));
    scene.ends(0, &["apply", &file]);
    let mut effects = scene.effects();
    effects.sort();
    let expected = [
        "b joined ops",
        "b left eng",
        "c left eng",
        "changed displayName of a",
        "created user new",
        "deactivated c",
        "new joined eng",
    ];
    assert_eq!(effects, expected);
    // Once is once.
    scene.forget();
    stale(&scene, &["apply", &file], &["is not planned any more"]);
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["changed displayName of e"]);
}

#[test]
fn a_stale_plan_says_what_moved_entry_by_entry_and_nothing_is_sent() {
    let (scene, file) = saved();
    scene.day(|duo| {
        duo.person("a").realname = Some("Third".to_owned());
        duo.status("c", "active");
        duo.join("f", "ops");
    });
    let (a, c) = (of_person(&scene, "update", "a"), of_person(&scene, "deactivate", "c"));
    let (eng, ops) = (members(&scene, "eng"), members(&scene, "ops"));
    let f = scene.duo(|duo| duo.id("f"));
    let c_id = scene.duo(|duo| duo.id("c"));
    let lines = [
        format!("{a} (a): displayName was to be \"Another\", and is to be \"Third\" now"),
        format!("{c} (c): is not planned any more"),
        format!("{eng} (eng): {c_id} do not leave any more"),
        format!("{ops} (ops): {f} join as well now"),
    ];
    stale(&scene, &["apply", &file], &lines.each_ref().map(String::as_str));
    // The rest still holds: new is created, but joins nothing, since that entry has moved.
    let ran = scene.ends(0, &["apply", &file, "--still-valid"]);
    assert_eq!(scene.effects(), ["created user new"]);
    for line in &lines {
        assert!(ran.stdout.contains(&format!("not sent: {line}")), "{line} in {}", ran.stdout);
    }
}

#[test]
fn a_move_is_not_torn_apart_by_what_is_left_out() {
    let (scene, file) = saved();
    // b moves from eng to ops: without the joining nobody leaves.
    let ops = members(&scene, "ops");
    let ran = scene.ends(0, &["apply", &file, "--except", &ops]);
    assert!(scene.effects().iter().all(|line| line != "b left eng"), "{:?}", scene.effects());
    assert!(ran.stdout.contains(&format!("it needs {ops}, which is left out")), "{}", ran.stdout);
    scene.forget();
    scene.ends(0, &["sync"]);
    assert!(scene.effects().contains(&"b left eng".to_owned()));
}

#[test]
fn what_depends_on_a_create_is_left_out_with_it() {
    let (scene, file) = saved();
    let (create, eng) = (of_person(&scene, "create", "new"), members(&scene, "eng"));
    let ran = scene.ends(0, &["apply", &file, "--except", &create]);
    assert!(ran.stdout.contains(&format!("not sent: {create}: left out as asked")), "{}", ran.stdout);
    let needs = format!("not sent: {eng}: it needs {create}, which is left out");
    assert!(ran.stdout.contains(&needs), "{}", ran.stdout);
    let mut effects = scene.effects();
    effects.sort();
    assert_eq!(effects, ["b joined ops", "changed displayName of a", "deactivated c"]);
}

#[test]
fn only_some_actions_are_sent() {
    let (scene, file) = saved();
    let create = of_person(&scene, "create", "new");
    scene.ends(0, &["apply", &file, "--only", &create]);
    assert_eq!(scene.effects(), ["created user new"]);
    scene.forget();
    scene.changes_nothing(2, &["apply", &file, "--only", "create:DUNOBODY"]);
    scene.changes_nothing(2, &["apply", &file, "--except", "members"]);
}

#[test]
fn who_takes_an_address_waits_for_who_frees_it_and_members_for_their_group() {
    let scene = Scene::settled(&["a in eng", "b in eng"]);
    scene.day(|duo| {
        duo.person("a").email = "a2@example.com".to_owned();
        duo.hire("new in eng").email = "a@example.com".to_owned();
        duo.hire("other in sales");
    });
    let file = save(&scene);
    let (a, sales) = (of_person(&scene, "update", "a"), scene.duo(|duo| duo.group_id("sales")));
    let group = format!("create_group:{sales}");
    let approve = document(&file)["fingerprint"].as_str().expect("a fingerprint").to_owned();
    let ran = scene.ends(0, &["apply", &file, "--approve", &approve, "--except", &a, &group]);
    for id in [of_person(&scene, "create", "new"), members(&scene, "eng"), members(&scene, "sales")] {
        assert!(ran.stdout.contains(&format!("not sent: {id}: it needs")), "{id} in {}", ran.stdout);
    }
    assert_eq!(scene.effects(), ["created user other"]);
    scene.approve();
    scene.ends(0, &["sync"]);
    assert!(scene.atlassian(|sim| sim.members_of("sales").contains("other")));
}

/// A saved plan with one deactivation more than the limit; its file, and its fingerprint.
fn over_the_limit() -> (Scene, String, String) {
    let (scene, _) = saved();
    scene.configure(STRICT);
    scene.day(|duo| duo.status("d", "disabled"));
    let file = save(&scene);
    let print = document(&file)["fingerprint"].as_str().expect("a fingerprint").to_owned();
    (scene, file, print)
}

#[test]
fn a_held_plan_needs_its_own_approval() {
    let (scene, file, print) = over_the_limit();
    let held = scene.changes_nothing(5, &["apply", &file]);
    let way_on = format!("apply FOLDER/plan.json --approve {}", &print[..12]);
    assert!(held.stderr.contains(&way_on), "{}", held.stderr);
    for wrong in ["000000000000", "not one", &print[..11]] {
        scene.changes_nothing(7, &["apply", &file, "--approve", wrong]);
    }
    scene.ends(0, &["apply", &file, "--approve", &print[..12]]);
    assert_eq!(scene.effects().iter().filter(|line| line.starts_with("deactivated ")).count(), 2);
    let shown = scene.ends(0, &["show", "plan", &print]).stdout;
    assert!(shown.contains("given with `apply --approve`"), "{shown}");
}

#[test]
fn an_approval_given_before_counts_and_the_guard_is_computed_anew() {
    let (scene, file) = saved();
    // It was approved by the limits when it was saved; they are lower now.
    assert_eq!(document(&file)["guard"]["verdict"], "approved");
    scene.configure("[guard]\ndeactivations_max = { count = 0, percent = 0, at_most = 0 }\n");
    let held = scene.changes_nothing(5, &["apply", &file]);
    assert!(held.stdout.contains("guard.deactivations_max"), "{}", held.stdout);
    let print = document(&file)["fingerprint"].as_str().expect("a fingerprint").to_owned();
    scene.ends(0, &["approve", &print]);
    scene.ends(0, &["apply", &file]);
}

#[test]
fn a_plan_held_when_it_was_saved_goes_when_the_limits_allow_it() {
    let (scene, _) = saved();
    scene.configure(STRICT);
    scene.day(|duo| duo.status("d", "disabled"));
    let file = save(&scene);
    assert_eq!(document(&file)["guard"]["verdict"], "held");
    scene.configure("");
    scene.ends(0, &["apply", &file]);
}

/// The value is replaced by another of its kind.
fn altered(value: &Value) -> Value {
    match value {
        Value::Bool(is) => (!is).into(),
        Value::String(text) => format!("{text}x").into(),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => "x".into(),
    }
}

/// Every place in the actions that the fingerprint stands for, as a JSON pointer.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(n, item)| places(item, &format!("{at}/{n}"), found)),
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| *name != "reason")
            .for_each(|(name, field)| places(field, &format!("{at}/{name}"), found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => found.push(at.to_owned()),
    }
}

#[test]
fn an_altered_file_is_refused_wherever_it_was_altered() {
    let (scene, file) = saved();
    let sound = document(&file);
    let mut found = Vec::new();
    places(&sound["actions"], "/actions", &mut found);
    assert!(found.len() > 25, "{found:?}");
    for place in &found {
        let mut other = sound.clone();
        let value = other.pointer_mut(place).expect("a place");
        *value = altered(value);
        std::fs::write(&file, other.to_string()).expect("a file");
        let ran = scene.ends(7, &["apply", &file]);
        assert!(
            ran.stderr.contains("was altered") || ran.stderr.contains("not a whole plan"),
            "{place} {}",
            ran.stderr
        );
    }
    for cut in ["one less", "one twice", "turned round"] {
        let mut other = sound.clone();
        let actions = other["actions"].as_array_mut().expect("actions");
        match cut {
            "one less" => drop(actions.pop()),
            "one twice" => actions.push(actions[0].clone()),
            _ => actions.reverse(),
        }
        std::fs::write(&file, other.to_string()).expect("a file");
        scene.changes_nothing(7, &["apply", &file]);
    }
    // A reason is for people and no part of the fingerprint; white space is none of the plan.
    std::fs::write(&file, sound.to_string()).expect("a file");
    scene.ends(0, &["apply", &file]);
}

#[test]
fn what_is_no_plan_or_half_a_plan_is_refused() {
    let (scene, file) = saved();
    let whole = std::fs::read(&file).expect("the plan");
    let half = &whole[..whole.len() / 2];
    for bytes in [half, b"", b"{}", b"[]", b"hello", &[0xff, 0xfe, 0x00], b"{\"format\":\"duo-atlassian-sync.plan/2\"}"]
    {
        std::fs::write(&file, bytes).expect("a file");
        scene.changes_nothing(7, &["apply", &file]);
    }
    let mut other: Value = serde_json::from_slice(&whole).expect("JSON");
    other["format"] = "duo-atlassian-sync.plan/2".into();
    std::fs::write(&file, other.to_string()).expect("a file");
    assert!(scene.changes_nothing(7, &["apply", &file]).stderr.contains("plan/2"));
    std::fs::remove_file(&file).expect("no file");
    scene.changes_nothing(2, &["apply", &file]);
}

#[test]
fn a_plan_for_another_database_directory_or_host_is_refused() {
    let (scene, file) = saved();
    let sound = document(&file);
    for (place, what) in
        [("/base/database_id", "database"), ("/target/scim_base_url", "directory"), ("/source/api_host", "Duo host")]
    {
        let mut other = sound.clone();
        *other.pointer_mut(place).expect("a place") = "https://other.example".into();
        std::fs::write(&file, other.to_string()).expect("a file");
        let ran = scene.changes_nothing(7, &["apply", &file]);
        assert!(ran.stderr.contains(&format!("for another {what}")), "{}", ran.stderr);
    }
}

#[test]
fn a_held_part_of_a_plan_is_approved_with_the_command_that_is_printed_and_nothing_else_goes() {
    let scene = Scene::settled(&["a in eng", "b in eng", "c in eng", "d in eng"]);
    scene.configure("[guard]\ndeactivations_max = { count = 0, percent = 0, at_most = 0 }\n");
    scene.day(|duo| ["a", "b", "c"].iter().for_each(|name| duo.status(name, "disabled")));
    let file = save(&scene);
    scene.ends(5, &["sync"]);
    scene.forget();
    let (only, but) = (of_person(&scene, "deactivate", "a"), of_person(&scene, "deactivate", "b"));
    let held = scene.changes_nothing(5, &["apply", &file, "--still-valid", "--only", &only, &but, "--except", &but]);
    let line = held.stderr.lines().find_map(|line| line.strip_prefix("To approve and send it: ")).expect("a way on");
    let words: Vec<&str> = line.split_whitespace().skip_while(|word| *word != "apply").collect();
    assert_eq!(words[4..], ["--still-valid", "--only", &only, &but, "--except", &but], "{line}");
    // The file's name is the folder's on this screen.
    let words: Vec<&str> = words.iter().map(|word| if word.ends_with("plan.json") { &*file } else { *word }).collect();
    scene.ends(0, &words);
    assert_eq!(scene.effects(), ["deactivated a"]);
    // The plan of all waits as before: it was not approved.
    let status = scene.ends(5, &["status"]).stdout;
    assert!(!status.contains("approved"), "{status}");
    let document: Value = document(&file);
    let print = document["fingerprint"].as_str().expect("a fingerprint");
    let shown = scene.ends(0, &["show", "plan", print]).stdout;
    assert!(shown.contains("(a part of it)") && shown.contains("To approve it: "), "{shown}");
}

#[test]
fn every_refusal_of_a_saved_plan_says_what_to_do_next() {
    let (scene, file) = saved();
    let sound = document(&file);
    let new = "plan --out FOLDER/plan.json";
    for place in ["/base/database_id", "/target/scim_base_url", "/source/api_host"] {
        let mut other = sound.clone();
        *other.pointer_mut(place).expect("a place") = "https://other.example".into();
        std::fs::write(&file, other.to_string()).expect("a file");
        let said = scene.changes_nothing(7, &["apply", &file]).stderr;
        assert!(said.contains("use --config with the configuration that it was made with"), "{said}");
        assert!(said.contains(new), "{said}");
    }
    std::fs::write(&file, sound.to_string()).expect("a file");
    let said = scene.changes_nothing(7, &["apply", &file, "--approve", "000000000000"]).stderr;
    assert!(said.contains("give apply the file that was reviewed, or review this one"), "{said}");
    scene.day(|duo| duo.status("c", "active"));
    let said = stale(&scene, &["apply", &file], &[]).stderr;
    assert!(said.contains("what still holds") && said.contains("--still-valid") && said.contains(new), "{said}");
}

#[test]
fn what_moved_stands_in_the_line_of_the_history() {
    let (scene, file) = saved();
    scene.day(|duo| {
        duo.status("c", "active");
        duo.join("f", "ops");
        duo.person("a").realname = Some("Third".to_owned());
    });
    stale(&scene, &["apply", &file], &[]);
    let (told, cycle) = (scene.ends(0, &["history"]).stdout, last_cycle(&scene));
    let line = told.lines().next().unwrap_or_default();
    let moved = format!("what moved since: {} (c): is not planned any more", of_person(&scene, "deactivate", "c"));
    assert!(line.contains(&moved), "{line}");
    assert!(line.ends_with(&format!("; and 3 more (show cycle {cycle})")), "{line}");
}

#[test]
fn a_saved_plan_that_somebody_rejected_says_who() {
    let (scene, file, print) = over_the_limit();
    scene.ends(0, &["reject", &print]);
    let by = |ran: &Ran| {
        let line = ran.stderr.lines().find(|line| line.starts_with("held: ")).unwrap_or_default().to_owned();
        assert!(line.starts_with("held: rejected by ") && line.ends_with(": nothing of it is sent"), "{}", ran.stderr);
        line
    };
    let (applied, synced) = (scene.changes_nothing(5, &["apply", &file]), scene.changes_nothing(5, &["sync"]));
    assert_eq!(by(&applied), by(&synced));
    assert!(applied.stderr.contains(&format!("apply FOLDER/plan.json --approve {}", &print[..12])), "{applied:?}");
}
