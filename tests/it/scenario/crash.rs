//! Killed at a request, and started again: the end is the same, and nothing is done twice.

use super::super::sim::atlassian::Snapshot;
use super::super::sim::wire::{Effect, Fault, Match};
use super::scene::Scene;
use std::io::Read;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

/// Whether the request at which the program dies is carried out.
#[derive(Clone, Copy, Debug)]
enum Last {
    Done,
    Lost,
}

impl Scene {
    /// Runs a sync that dies at this writing request.
    fn dies_at(&self, write: usize, last: Last) {
        let child: Arc<Mutex<Option<Child>>> = Arc::default();
        let (victim, mut writes) = (Arc::clone(&child), 0);
        self.stage.atlassian.on_request(Box::new(move |request, _| {
            writes += usize::from(request.method != "GET");
            if writes == write
                && let Some(mut child) = victim.lock().expect("the child").take()
            {
                child.kill().expect("it dies");
                child.wait().expect("it is dead");
            }
        }));
        if let Last::Lost = last {
            self.stage.atlassian.fault(Fault::once(Match::writes(), Effect::CloseBefore).after(write - 1));
        }
        let mut held = child.lock().expect("the child");
        let started = self.stage.command(&["sync"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut output = held.insert(started.expect("it runs")).stdout.take().expect("its output");
        drop(held);
        // Ends when it is dead.
        output.read_to_end(&mut Vec::new()).expect("its output");
        assert!(child.lock().expect("the child").is_none(), "it sent fewer than {write} writing requests");
        self.stage.atlassian.on_request(Box::new(|_, _| ()));
        self.stage.atlassian.clear_faults();
    }
}

/// Two people, two groups, six writing requests.
fn company() -> Scene {
    let scene = Scene::with(&["ana in eng ops", "bo in eng"]);
    scene.configure("[guard]\nfirst_plan = \"apply\"\n");
    scene
}

/// What is there in the end, and what was done for it, in any order.
fn end(scene: &Scene) -> (Snapshot, Vec<String>) {
    let mut effects = scene.effects();
    effects.sort();
    (scene.atlassian(|sim| sim.snapshot()), effects)
}

#[test]
fn a_first_sync_that_was_killed_at_any_request_ends_well_when_it_is_run_again() {
    let undisturbed = company();
    undisturbed.ends(0, &["sync"]);
    let expected = end(&undisturbed);
    for last in [Last::Done, Last::Lost] {
        for write in 1..=6 {
            let scene = company();
            scene.dies_at(write, last);
            scene.ends(0, &["sync"]);
            assert_eq!(end(&scene), expected, "killed at write {write}, {last:?}");
            scene.forget();
            scene.ends(0, &["sync"]);
            assert!(scene.target_requests().is_empty(), "killed at write {write}, {last:?}");
        }
    }
}

#[test]
fn a_days_sync_that_was_killed_ends_well_when_it_is_run_again() {
    let day = |scene: &Scene| {
        scene.settle();
        scene.day(|duo| {
            duo.hire("cy in eng");
            duo.leave("bo", "eng");
            duo.join("bo", "ops");
            duo.status("dan", "disabled");
            duo.person("ana").email = "ana.lima@example.com".to_owned();
        });
    };
    let team = ["ana in eng", "bo in eng", "dan in eng ops", "eve in ops"];
    let undisturbed = Scene::with(&team);
    day(&undisturbed);
    undisturbed.ends(0, &["sync"]);
    let expected = end(&undisturbed);
    // Leaves, the deactivation, the update, the create, joins, the last leave.
    for (write, last) in
        [(1, Last::Done), (2, Last::Lost), (3, Last::Done), (4, Last::Lost), (5, Last::Done), (8, Last::Done)]
    {
        let scene = Scene::with(&team);
        day(&scene);
        scene.dies_at(write, last);
        let status = scene.run(&["status"]);
        assert!(status.stdout.contains("cut off"), "{}", status.stdout);
        scene.ends(0, &["sync"]);
        assert_eq!(end(&scene), expected, "killed at write {write}, {last:?}");
    }
}
