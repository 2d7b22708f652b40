//! Commands that a person gives when something must not wait, or must not happen: one leaver at once, the brake, held
//! and saved plans, undo. The built program, both simulators.

mod brake;
mod friday;
mod held;
mod init;
mod leavers;
mod lists;
mod notice;
mod saved;
mod seats;
mod undo;
mod undo_limits;
mod unlinked;

use super::super::sim::atlassian::Snapshot;
use super::scene::Scene;
use serde_json::Value;

/// `p00`, `p01` and so on, each in these groups.
fn people(count: usize, groups: &str) -> Vec<String> {
    (0..count).map(|number| format!("p{number:02} in {groups}")).collect()
}

/// So many people in one group, after the first sync.
fn settled(count: usize) -> Scene {
    let people = people(count, "eng");
    let scene = Scene::settled(&people.iter().map(String::as_str).collect::<Vec<_>>());
    scene.forget();
    scene
}

fn directory(scene: &Scene) -> Snapshot {
    scene.atlassian(|sim| sim.snapshot())
}

fn fingerprint(scene: &Scene) -> String {
    scene.plan()["fingerprint"].as_str().expect("a fingerprint").to_owned()
}

fn status(scene: &Scene, code: i32) -> Value {
    serde_json::from_str(&scene.ends(code, &["status", "--format", "json"]).stdout).expect("JSON")
}

/// The number of the newest cycle.
pub(super) fn last_cycle(scene: &Scene) -> String {
    let number: i64 = scene.open().query_row("SELECT MAX(id) FROM cycle", [], |row| row.get(0)).expect("a cycle");
    number.to_string()
}
