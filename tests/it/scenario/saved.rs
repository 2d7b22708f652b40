//! A saved plan is applied exactly, or refused with what moved.

use super::super::sim::company::Company;
use super::scene::Scene;
use serde_json::Value;

const PEOPLE: [&str; 7] = ["ana", "bo", "cy", "dan", "eve", "flo", "gus"];
const GROUPS: [&str; 3] = ["eng", "ops", "it"];
const STATUSES: [&str; 5] = ["active", "active", "bypass", "disabled", "pending deletion"];

/// So many pairs of worlds are tried.
const PAIRS: u64 = 25;

/// Changes a world by chance: people come and go, move, and are renamed.
fn shuffle(scene: &Scene, chance: &mut Company) {
    scene.duo(|duo| {
        for name in PEOPLE {
            let is_there = duo.sim.world.find_person(name).is_some();
            match (is_there, chance.below(5)) {
                (false, 0..=3) => drop(duo.hire(name).user_id.clone()),
                (true, 0) => duo.remove(name),
                _ => {}
            }
            if duo.sim.world.find_person(name).is_none() {
                continue;
            }
            STATUSES[chance.below(STATUSES.len())].clone_into(&mut duo.person(name).status);
            duo.person(name).realname = Some(format!("{name} {}", chance.below(2)));
            for group in GROUPS {
                duo.group(group);
                match chance.below(3) {
                    0 => duo.join(name, group),
                    1 => duo.leave(name, group),
                    _ => {}
                }
            }
        }
    });
}

/// Plans into a file.
fn save(scene: &Scene) -> (String, Value) {
    let path = scene.file("plan.json").to_str().expect("a path").to_owned();
    scene.ends(0, &["plan", "--out", &path]);
    let plan = serde_json::from_str(&std::fs::read_to_string(&path).expect("the plan")).expect("JSON");
    (path, plan)
}

fn fingerprint(plan: &Value) -> &str {
    plan["fingerprint"].as_str().expect("a fingerprint")
}

/// What the actions of a plan do, in the simulator's words.
fn listed(plan: &Value) -> Vec<String> {
    let name = |id: &Value| plan["people"][id.as_str().expect("an id")].as_str().expect("a name").to_owned();
    let mut lines = Vec::new();
    for action in plan["actions"].as_array().expect("actions") {
        let (person, group) = (&action["person"]["username"], &action["group"]["name"]);
        let (person, group) = (person.as_str().unwrap_or_default(), group.as_str().unwrap_or_default());
        let changes = action["changes"].as_object().into_iter().flatten();
        let changes = changes.map(|(attribute, _)| format!("changed {attribute} of {person}"));
        match action["action"].as_str().expect("an action") {
            "create" => lines.push(format!("created user {person}")),
            "deactivate" => lines.push(format!("deactivated {person}")),
            "create_group" => lines.push(format!("created group {group}")),
            "update" => lines.extend(changes),
            "reactivate" => {
                lines.push(format!("reactivated {person}"));
                lines.extend(changes);
            }
            "update_members" => {
                for (list, word) in [("join", "joined"), ("leave", "left")] {
                    let people = action[list].as_array().into_iter().flatten();
                    lines.extend(people.map(|id| format!("{} {word} {group}", name(id))));
                }
            }
            other => panic!("what is {other}?"),
        }
    }
    lines.sort();
    lines
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

fn writes(scene: &Scene) -> usize {
    scene.target_requests().iter().filter(|line| !line.starts_with("GET ")).count()
}

#[test]
fn for_any_two_worlds_what_is_listed_is_done_and_nothing_else() {
    let mut sent = 0;
    for seed in 0..PAIRS {
        let mut chance = Company::seeded(seed);
        let scene = Scene::empty();
        shuffle(&scene, &mut chance);
        // The first plan of every other pair is applied from its file as well.
        if seed % 2 == 0 {
            scene.settle();
        }
        shuffle(&scene, &mut chance);
        let (path, plan) = save(&scene);
        scene.forget();
        scene.ends(0, &["apply", &path, "--approve", fingerprint(&plan)]);
        assert_eq!(sorted(scene.effects()), listed(&plan), "seed {seed}: {plan:#}");
        assert_eq!(writes(&scene), plan["forecast"]["requests"], "seed {seed}: {:#?}", scene.target_requests());
        sent += scene.effects().len();
        let again = if plan["actions"].as_array().is_some_and(Vec::is_empty) { 0 } else { 7 };
        scene.changes_nothing_more(again, &["apply", &path]);
        scene.changes_nothing_more(0, &["sync"]);
    }
    assert!(sent > 100, "the worlds differ: {sent}");
}

impl Scene {
    /// Like [`Scene::changes_nothing`], of what comes from now on.
    #[track_caller]
    fn changes_nothing_more(&self, code: i32, arguments: &[&str]) {
        self.forget();
        self.changes_nothing(code, arguments);
    }
}

/// A day with something of everything, saved.
fn busy() -> (Scene, String, Value) {
    let scene = Scene::settled(&["ana in eng", "bo in eng ops", "dan in eng", "eve in ops", "flo in ops"]);
    scene.day(|duo| {
        duo.hire("cy in eng");
        duo.leave("bo", "ops");
        duo.status("eve", "disabled");
        duo.person("flo").realname = Some("Flora".to_owned());
    });
    let (path, plan) = save(&scene);
    (scene, path, plan)
}

#[test]
fn a_file_that_was_altered_in_any_byte_of_its_actions_is_refused() {
    let (scene, path, plan) = busy();
    let text = std::fs::read_to_string(&path).expect("the plan");
    let from = text.find("\"actions\"").expect("actions");
    let to = from + text[from..].find("\n  ]").expect("their end");
    assert!(to < text.len() - 30);
    // The reasons are for people: nothing follows from them, and the fingerprint leaves them out.
    let mut counted = Vec::new();
    let mut at = from;
    for line in text[from..to].split_inclusive('\n') {
        let letters = (at..at + line.len()).filter(|at| text.as_bytes()[*at].is_ascii_alphanumeric());
        if !line.trim_start().starts_with("\"reason\"") {
            counted.extend(letters);
        }
        at += line.len();
    }
    let mut tried = 0;
    for at in counted.iter().step_by(11) {
        let (at, mut bytes) = (*at, text.clone().into_bytes());
        bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
        std::fs::write(&path, bytes).expect("the plan");
        let ran = scene.run(&["apply", &path, "--approve", fingerprint(&plan)]);
        assert_eq!(ran.code, Some(7), "…{}…\n{}{}", &text[at - 30..at + 30], ran.stdout, ran.stderr);
        scene.nothing_was_sent();
        tried += 1;
    }
    assert!(tried > 50, "{tried}");
    std::fs::write(&path, &text).expect("the plan");
    scene.ends(0, &["apply", &path]);
    assert_eq!(sorted(scene.effects()), listed(&plan));
}

#[test]
fn an_action_taken_out_of_the_file_or_put_in_twice_is_refused() {
    let (scene, path, plan) = busy();
    for change in [
        |actions: &mut Vec<Value>| drop(actions.pop()),
        |actions: &mut Vec<Value>| actions.push(actions[0].clone()),
        |actions: &mut Vec<Value>| actions.swap(0, 1),
        |actions: &mut Vec<Value>| actions[0] = Value::Null,
    ] {
        let mut altered = plan.clone();
        change(altered["actions"].as_array_mut().expect("actions"));
        std::fs::write(&path, altered.to_string()).expect("the plan");
        scene.changes_nothing(7, &["apply", &path, "--approve", fingerprint(&plan)]);
    }
}

#[test]
fn a_plan_of_another_database_or_directory_is_refused() {
    let (scene, path, plan) = busy();
    for (part, key, value, said) in [
        ("base", "database_id", "another", "another database"),
        ("target", "scim_base_url", "https://example.com/scim/directory/1", "another directory"),
        ("source", "api_host", "api-12345678.duosecurity.com", "another Duo host"),
    ] {
        let mut altered = plan.clone();
        altered[part][key] = Value::from(value);
        std::fs::write(&path, altered.to_string()).expect("the plan");
        let ran = scene.changes_nothing(7, &["apply", &path, "--approve", fingerprint(&plan)]);
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    // And truly of another database: the same world, a database of its own.
    let (other, ..) = busy();
    std::fs::write(&path, plan.to_string()).expect("the plan");
    other.changes_nothing(7, &["apply", &path]);
}

/// What happens to the world after the plan was saved, and the entry that does not hold any more with what is said of it.
type Moved = (fn(&Scene), &'static str, &'static str);

const MOVED: [Moved; 6] = [
    (|scene| scene.duo(|duo| duo.status("eve", "active")), "deactivate:", "(eve): is not planned any more"),
    (|scene| scene.duo(|duo| duo.remove("cy")), "create:", "(cy): is not planned any more"),
    (
        |scene| scene.duo(|duo| duo.person("flo").realname = Some("Flo X".to_owned())),
        "update:",
        "displayName was to be \"Flora\", and is to be \"Flo X\" now",
    ),
    (|scene| scene.duo(|duo| duo.join("bo", "ops")), "members:", "(ops): "),
    (|scene| scene.duo(|duo| duo.leave("ana", "eng")), "members:", "leave as well now"),
    (
        |scene| scene.duo(|duo| "cyrus@example.com".clone_into(&mut duo.person("cy").email)),
        "create:",
        "emails was to be",
    ),
];

#[test]
fn a_world_that_moved_is_refused_and_the_entry_named_and_the_rest_can_be_sent() {
    for (change, id, said) in MOVED {
        let (scene, path, plan) = busy();
        change(&scene);
        let ran = scene.changes_nothing(7, &["apply", &path, "--approve", fingerprint(&plan)]);
        let lines = ran.stderr.lines().filter(|line| line.contains(id) && line.contains(said));
        assert_eq!(lines.count(), 1, "{said}: {}", ran.stderr);
        let rest = scene.ends(0, &["apply", &path, "--still-valid"]);
        assert!(rest.stdout.contains("not sent: "), "{}", rest.stdout);
        let all = listed(&plan);
        let done = scene.effects();
        assert!(done.iter().all(|line| all.contains(line)), "{done:?} of {all:?}");
        assert!(!done.is_empty() && done.len() < all.len(), "{done:?} of {all:?}");
        scene.settle();
        scene.changes_nothing(0, &["sync"]);
    }
}
