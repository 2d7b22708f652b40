//! Killed at a request, and started again: the end is the same, and nothing is done twice.

use super::super::sim::atlassian::Snapshot;
use super::super::sim::wire::{Effect, Fault, Match};
use super::scene::Scene;
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
        let mut guard = child.lock().expect("the child");
        let spawned = self.stage.command(&["sync"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let id = spawned.map(|spawned| (spawned.id(), guard.insert(spawned))).expect("it runs").0;
        drop(guard);
        // Its end is seen when its lock can be had.
        let lock = || std::fs::OpenOptions::new().create(true).append(true).open(self.file("state.db.lock"));
        while std::path::Path::new(&format!("/proc/{id}")).exists() && child.lock().expect("the child").is_some() {
            drop(lock().and_then(|file| file.lock()));
        }
        self.stage.atlassian.on_request(Box::new(|_, _| ()));
        self.stage.atlassian.clear_faults();
    }
}
