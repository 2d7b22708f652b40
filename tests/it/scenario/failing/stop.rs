//! A key, a directory or a network that fails is no record's fault: everything stops at once, and what was done is
//! recorded as it is.

use super::super::super::sim::atlassian::AtlassianSim;
use super::super::super::sim::wire::{Effect, Fault, Match, Simulator};
use super::super::scene::Scene;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Forty people, eight requests at once.
fn company() -> Scene {
    let people: Vec<String> = (0..40).map(|number| format!("p{number:02} in eng")).collect();
    let scene = Scene::with(&people.iter().map(String::as_str).collect::<Vec<_>>());
    scene.configure("[guard]\nfirst_plan = \"apply\"\n");
    let text = std::fs::read_to_string(scene.stage.config()).expect("a configuration");
    let text = text.replace("concurrent_requests_max = 1", "concurrent_requests_max = 8");
    std::fs::write(scene.stage.config(), text).expect("a configuration");
    scene
}

/// At this writing request, something happens to the service.
fn at_write(scene: &Scene, write: usize, happens: impl Fn(&Simulator<AtlassianSim>) + Send + 'static) {
    let (sim, mut writes) = (scene.stage.atlassian.clone(), 0);
    scene.stage.atlassian.on_request(Box::new(move |request, _| {
        writes += usize::from(request.method != "GET");
        if writes == write && request.method != "GET" {
            happens(&sim);
        }
    }));
}

/// Who has an account: by the target, and by the database.
fn accounts(scene: &Scene) -> (BTreeSet<String>, BTreeSet<String>) {
    let there = scene.atlassian(|sim| sim.users().map(|user| user.user_name().to_owned()).collect());
    let connection = scene.open();
    let mut statement = connection.prepare("SELECT username FROM account").expect("a statement");
    let known = statement.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("names");
    (there, known)
}

fn outcomes(scene: &Scene) -> BTreeMap<String, i64> {
    let connection = scene.open();
    let sql = "SELECT COALESCE(outcome, 'open'), COUNT(*) FROM journal GROUP BY 1";
    let mut statement = connection.prepare(sql).expect("a statement");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    rows.collect::<Result<_, _>>().expect("counts")
}

#[test]
fn a_key_that_dies_in_the_middle_of_a_wave_stops_everything_and_is_no_records_fault() {
    let scene = company();
    at_write(&scene, 21, |sim| sim.with(|sim| "regenerated".clone_into(&mut sim.settings_mut().api_key)));
    let ran = scene.ends(4, &["sync"]);
    scene.stage.atlassian.on_request(Box::new(|_, _| ()));
    assert!(ran.stderr.contains("the SCIM key was not accepted (401)"), "{}", ran.stderr);
    let (there, known) = accounts(&scene);
    assert_eq!((there.len(), known == there), (20, true), "what was done is recorded, and nothing else");
    let outcomes = outcomes(&scene);
    assert_eq!((outcomes.get("done"), outcomes.get("unknown"), outcomes.get("open")), (Some(&20), None, None));
    let status = scene.ends(4, &["status", "--format", "json"]).stdout;
    let status: Value = serde_json::from_str(&status).expect("JSON");
    assert_eq!((&status["failing"], &status["unsettled_requests"]), (&serde_json::json!([]), &0.into()));
    scene.stage.write_secret("atlassian-api-key", "regenerated").expect("a secret");
    scene.approve();
    scene.ends(0, &["sync"]);
    assert_eq!(scene.atlassian(|sim| sim.members_of("eng").len()), 40);
    let created = scene.effects().iter().filter(|line| line.starts_with("created user")).count();
    assert_eq!(created, 40, "nobody twice");
}

#[test]
fn a_directory_that_vanishes_in_the_middle_stops_everything() {
    let scene = company();
    at_write(&scene, 21, |sim| sim.with(|sim| "another".clone_into(&mut sim.settings_mut().directory_id)));
    let ran = scene.ends(4, &["sync"]);
    scene.stage.atlassian.on_request(Box::new(|_, _| ()));
    assert!(ran.stderr.contains("do not open a directory (404)"), "{}", ran.stderr);
    let (there, known) = accounts(&scene);
    assert_eq!((there.len(), known == there), (20, true));
}

#[test]
fn connections_that_break_leave_what_is_not_known_and_the_next_sync_finds_out() {
    let scene = company();
    // Half of them arrive, half do not; nobody can tell which.
    let posts = || Match::method("POST").containing("/Users");
    scene.stage.atlassian.fault(Fault::always(posts(), Effect::CloseAfter).after(10).times(5));
    scene.stage.atlassian.fault(Fault::always(posts(), Effect::CloseBefore).after(10).times(5));
    scene.ends(4, &["sync"]);
    scene.stage.atlassian.clear_faults();
    scene.an_hour_passes();
    scene.approve();
    scene.ends(0, &["sync"]);
    let (there, known) = accounts(&scene);
    assert_eq!((there.len(), known == there), (40, true));
    assert_eq!(scene.atlassian(|sim| sim.members_of("eng").len()), 40);
    let created = scene.effects().iter().filter(|line| line.starts_with("created user")).count();
    assert_eq!(created, 40, "nobody twice");
}
