//! Killed at each system call that changes the database: at every commit (before it is written, written and not synced,
//! synced), in the middle of every transaction, while the database is made, and at the checkpoint of its close.

use super::company;
use super::request::cut_off;
use super::story::{Files, Looks, Rehearsal, Story, read_files, sync_of, try_all};
use super::trace::{Call, Then, When, run};
use super::wal;
use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use std::collections::BTreeSet;
use std::sync::Mutex;

const DATABASE: &str = "state.db";
const LOG: &str = "state.db-wal";

/// What an undisturbed run does to the files.
#[derive(Debug, PartialEq, Eq)]
struct Undisturbed {
    calls: Vec<Call>,
    /// Transactions in the log, by the format of the file: what an earlier death left in it,
    /// and all before it is removed.
    left: usize,
    commits: usize,
}

/// A place to die at: the number of the call, and on which side of it.
type Point = (usize, When);

impl Call {
    fn syncs(&self) -> bool {
        matches!(self.name, "fsync" | "fdatasync")
    }

    fn writes_log(&self) -> bool {
        self.file == LOG && self.name == "pwrite64"
    }
}

/// Everything but the index of the log: that is shared memory, and made anew from the log.
fn kept(files: Files) -> Files {
    files.into_iter().filter(|(name, _)| name != "state.db-shm").collect()
}

impl Rehearsal {
    fn command(&self) -> std::process::Command {
        self.scene.stage.command(&self.arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Runs the command without a disturbance and notes what it does.
    fn listens(&self) -> Undisturbed {
        self.begin();
        let (mut calls, mut log) = (Vec::new(), Vec::new());
        let folder = self.folder();
        let mut files = kept(read_files(&folder));
        let left = files.get(LOG).map_or(0, |log| wal::commits(log));
        let end = run(&self.command(), DATABASE, &mut |call, when| {
            let now = kept(read_files(&folder));
            if when == When::Before {
                // Whoever changes the files in a way that is not known here would not be killed at it.
                assert!(now == files, "something changed the files before {call:?}");
                calls.push(call.clone());
                if call.name.starts_with("unlink") && call.file == LOG {
                    log.clone_from(&now[LOG]);
                }
            }
            files = now;
            Then::GoOn
        });
        assert!(matches!(end, WaitStatus::Exited(_, code) if code == self.code()), "{end:?}");
        assert!(kept(read_files(&folder)) == files, "something changed the files in the end");
        Undisturbed { calls, left, commits: wal::commits(&log) }
    }

    /// Runs the command until it dies at one of the calls.
    #[track_caller]
    fn dies_at_call(&self, calls: &[Call], (number, when): Point) -> String {
        let point = format!("killed at call {number}, {when:?}: {:?}", calls[number]);
        let (mut made, mut at_death) = (Vec::new(), None);
        let folder = self.folder();
        let end = run(&self.command(), DATABASE, &mut |call, at| {
            if at == When::Before {
                made.push(call.clone());
            }
            if at_death.is_some() || (made.len(), at) != (number + 1, when) {
                return Then::GoOn;
            }
            at_death = Some(kept(read_files(&folder)));
            Then::Die
        });
        assert!(matches!(end, WaitStatus::Signaled(_, Signal::SIGKILL, _)), "not {point}: {end:?}");
        assert!(made == calls[..=number], "not {point}: {:?}", made.last());
        assert!(at_death.as_ref() == Some(&kept(read_files(&folder))), "not {point}: it went on");
        point
    }
}

/// Before every call; and after those that make what was written durable.
fn points(calls: &[Call]) -> Vec<Point> {
    let both = |(number, call): (usize, &Call)| {
        let after = call.syncs().then_some((number, When::After));
        [Some((number, When::Before)), after].into_iter().flatten()
    };
    calls.iter().enumerate().flat_map(both).collect()
}

/// Commits by the calls alone: the log is synced after something was written to it, other than its own header.
fn commits_by_calls(calls: &[Call]) -> usize {
    let mut is_open = false;
    let mut commits = 0;
    for call in calls.iter().filter(|call| call.file == LOG) {
        if call.syncs() {
            commits += usize::from(is_open);
            is_open = false;
        }
        is_open |= call.writes_log() && call.offset != Some(0);
    }
    commits
}

/// What the log held when the program died, and where at a commit that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reached {
    /// So many were committed, and nothing of the next was written.
    NotWritten(usize),
    /// So many were written, and the last was not synced.
    NotSynced(usize),
    /// So many were synced.
    Synced(usize),
}

fn reached(calls: &[Call], (number, when): Point, commits: usize) -> Option<Reached> {
    let before = calls[..number].iter().rev().find(|call| call.file == LOG && (call.syncs() || call.writes_log()));
    let is_closed = before.is_none_or(Call::syncs);
    match when {
        When::After if calls[number].file == LOG => Some(Reached::Synced(commits)),
        When::Before if calls[number].file == LOG && calls[number].syncs() => Some(Reached::NotSynced(commits)),
        When::Before if calls[number].writes_log() && is_closed => Some(Reached::NotWritten(commits)),
        When::Before | When::After => None,
    }
}

/// At which calls a story is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// Those at a commit: nothing of it is written; all is written, and not synced; it is synced.
    Commits,
    /// The same, and all while the database is made: until the writer lock is taken.
    Making,
    /// Every one that changes the files.
    Calls,
}

impl At {
    fn wants(self, calls: &[Call], point: Point) -> bool {
        let is_making = || !calls[..point.0].iter().any(|call| call.file == "state.db.lock");
        self == Self::Calls || reached(calls, point, 0).is_some() || (self == Self::Making && is_making())
    }
}

/// How many there were.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    pub(super) points: usize,
    pub(super) commits: usize,
}

/// Kills a story at each of these points.
pub(super) fn kill_at_every(at: At, story: Story) -> Counts {
    let first = Rehearsal::of(story);
    let Undisturbed { calls, left, commits } = first.listens();
    assert_eq!(commits_by_calls(&calls), commits - left, "{calls:#?}");
    let points: Vec<Point> = points(&calls).into_iter().filter(|point| at.wants(&calls, *point)).collect();
    let all_reached = Mutex::new(BTreeSet::new());
    try_all(first, points.len(), |rehearsal, number| {
        let point = points[number];
        rehearsal.begin();
        let told = rehearsal.dies_at_call(&calls, point);
        let files = read_files(&rehearsal.folder());
        // Once it is removed, everything was committed.
        let is_removed = calls[..point.0].iter().any(|call| call.name.starts_with("unlink") && call.file == LOG);
        let committed = if is_removed { commits } else { files.get(LOG).map_or(0, |log| wal::commits(log)) };
        let reached = reached(&calls, point, committed);
        all_reached.lock().expect("the points").extend(reached);
        let looks = if reached.is_some() { Looks::All } else { Looks::End };
        rehearsal.ends_well(&told, committed == commits, looks);
    });
    let reached = all_reached.into_inner().expect("the points");
    for commit in left + 1..=commits {
        for point in [Reached::NotWritten(commit - 1), Reached::NotSynced(commit), Reached::Synced(commit)] {
            assert!(reached.contains(&point), "nothing died at {point:?} of {commits}");
        }
    }
    Counts { points: points.len(), commits: commits - left }
}

#[test]
fn a_cycle_of_every_kind_of_action_survives_death_at_every_write_to_the_database() {
    let counts = kill_at_every(At::Calls, sync_of(company::everything_at_once));
    assert!(counts.commits > 20, "{counts:?}");
}

#[test]
fn a_first_sync_survives_death_at_every_commit_and_while_the_database_is_made() {
    let counts = kill_at_every(At::Making, sync_of(company::first_sync));
    assert!(counts.commits > 15 && counts.points > 4 * counts.commits, "{counts:?}");
}

#[test]
fn the_cycle_that_looks_up_what_became_of_requests_survives_death_at_every_commit() {
    let counts = kill_at_every(At::Commits, sync_of(cut_off));
    assert!(counts.commits > 10, "{counts:?}");
}
