//! Killed at each request that it sends, reading or writing.

use super::super::super::sim::wire::{Effect, Fault, Match, Service, Simulator};
use super::super::scene::Scene;
use super::company;
use super::story::{Looks, Rehearsal, Story, sync_of, try_all};
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};

/// What becomes of the request at which the program dies.
#[derive(Clone, Copy, Debug)]
enum Last {
    /// The service does not see it.
    Lost,
    /// The service does it, and nobody is there to hear the answer.
    Done,
}

/// A process that is to die, then how it died. Locked from before its start until it is dead.
#[derive(Clone, Default)]
struct Victim(Arc<Mutex<(Option<Child>, Option<ExitStatus>)>>);

impl Victim {
    fn lock(&self) -> MutexGuard<'_, (Option<Child>, Option<ExitStatus>)> {
        self.0.lock().expect("the child")
    }

    fn kill(&self) {
        let mut held = self.lock();
        if let Some(mut child) = held.0.take() {
            child.kill().expect("it is killed");
            held.1 = Some(child.wait().expect("it is dead"));
        }
    }
}

/// Kills the process at this request to the service, the first being 1.
fn kill_at<S: Service>(service: &Simulator<S>, request: usize, last: Last, victim: &Victim) {
    let (before, after) = (victim.clone(), victim.clone());
    match last {
        Last::Lost => {
            let is_it = move |number| {
                if number == request {
                    before.kill();
                }
            };
            service.on_request(Box::new(move |_, number| is_it(number)));
            service.fault(Fault::once(Match::any(), Effect::CloseBefore).after(request - 1));
        }
        Last::Done => {
            let kill = Effect::WorldAfter(Box::new(move |_: &mut S| after.kill()));
            service.fault(Fault::once(Match::any(), kill).after(request - 1));
        }
    }
}

fn disarm<S: Service>(service: &Simulator<S>) {
    service.on_request(Box::new(|_, _| ()));
    service.clear_faults();
}

impl Rehearsal {
    /// Runs the command until it dies at one request: those to the source are counted first, then those to the target.
    #[track_caller]
    fn dies_at_request(&self, point: usize, last: Last, at_once: usize) -> String {
        let stage = &self.scene.stage;
        let source = self.requests.0.len();
        let (to_source, request) = if point < source { (true, point + 1) } else { (false, point - source + 1) };
        let victim = Victim::default();
        if to_source {
            kill_at(&stage.duo, request, last, &victim);
        } else {
            kill_at(&stage.atlassian, request, last, &victim);
        }
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let mut held = victim.lock();
        let started = stage.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut output = held.0.insert(started.expect("it runs")).stdout.take().expect("its output");
        drop(held);
        // Ends when it is dead.
        output.read_to_end(&mut Vec::new()).expect("its output");
        // What was under way beside it arrives all the same.
        stage.duo.until_quiet().expect("the source");
        stage.atlassian.until_quiet().expect("the target");
        let seen = if to_source { self.scene.source_requests() } else { self.scene.target_requests() };
        let named = seen.get(request - 1).cloned().unwrap_or_default();
        let point = format!("killed at request {request}, {last:?}: {named}");
        let death = victim.lock().1.take();
        assert_eq!(death.and_then(|status| status.signal()), Some(9), "not {point}");
        assert!((request..request + at_once).contains(&seen.len()), "not {point}: {seen:#?}");
        disarm(&stage.duo);
        disarm(&stage.atlassian);
        point
    }
}

/// Kills a story at each of its requests, before and after each has its effect. So many requests are under way at once.
/// Says how many requests there are.
pub(super) fn kill_at_every_request(story: Story, at_once: usize) -> usize {
    let first = Rehearsal::of(story);
    let counts = (first.requests.0.len(), first.requests.1.len());
    let requests = counts.0 + counts.1;
    try_all(first, 2 * requests, |rehearsal, point| {
        let (source, target) = &rehearsal.requests;
        assert_eq!((source.len(), target.len()), counts, "the same requests in every run");
        rehearsal.begin();
        let last = if point % 2 == 0 { Last::Lost } else { Last::Done };
        let point = rehearsal.dies_at_request(point / 2, last, at_once);
        rehearsal.ends_well(&point, false, Looks::All);
    });
    requests
}

#[test]
fn a_cycle_of_every_kind_of_action_survives_death_at_every_request() {
    assert!(kill_at_every_request(sync_of(company::everything_at_once), 1) > 30);
}

#[test]
fn a_cycle_that_sends_several_requests_at_once_survives_death_at_every_one() {
    assert!(kill_at_every_request(sync_of(company::everything_in_parallel), 4) > 30);
}

#[test]
fn a_first_sync_survives_death_at_every_request() {
    assert!(kill_at_every_request(sync_of(company::first_sync), 1) > 10);
}

#[test]
fn the_cycle_that_looks_up_what_became_of_requests_survives_death_at_every_request() {
    assert!(kill_at_every_request(sync_of(cut_off), 1) > 15);
}

/// A cycle that died in the middle of its creates. What was under way is unknown; some of it happened.
pub(super) fn cut_off() -> Scene {
    let rehearsal = Rehearsal::of(sync_of(company::everything_at_once));
    let (source, target) = &rehearsal.requests;
    let is_create = |line: &String| line.starts_with("POST ") && line.ends_with("/Users");
    let mut creates = target.iter().enumerate().filter(|(_, line)| is_create(line));
    let (fifth, _) = creates.nth(4).expect("five creates");
    rehearsal.begin();
    rehearsal.dies_at_request(source.len() + fifth, Last::Done, 1);
    rehearsal.scene
}

#[test]
fn whoever_looks_after_a_death_is_told_of_it() {
    let scene = cut_off();
    let status = scene.run(&["status"]);
    assert_ne!(status.code, Some(0), "{status:?}");
    let told = ["was cut off", "8 requests; the next sync looks up what became of them"];
    assert!(told.iter().all(|told| status.stdout.contains(told)), "{}", status.stdout);
    let history = scene.ends(0, &["history"]).stdout;
    assert!(history.lines().next().is_some_and(|line| line.ends_with("was cut off")), "{history}");
}
