//! How the sync is, in one word (S21), and the facts behind it: for `status`, the service manager, health and notices.

use crate::cycle::PAUSED;
use crate::model::PersonId;
use crate::model::Timestamp;
use crate::plan::Trust;
use crate::schedule::Schedule;
use crate::store::BackupMark;
use crate::store::BrakeState;
use crate::store::CycleRecord;
use crate::store::DaemonLock;
use crate::store::Decision;
use crate::store::DecisionRecord;
use crate::store::FailingRecord;
use crate::store::ForeignWrites;
use crate::store::Pin;
use crate::store::PlanRecord;
use crate::store::Store;
use crate::store::StoreError;
use std::collections::BTreeMap;

/// How the sync is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No cycle came to its end yet, or the last one was cut off, or it was paused and is not any more.
    Unknown,
    /// The last cycle failed, or records are failing.
    Failing,
    /// A plan waits for a person.
    Held,
    /// The brake is on.
    Paused,
    /// The daemon's cycles are overdue.
    Stale,
    /// Read, planned, and all that was approved is done.
    Good,
}

impl State {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Failing => "failing",
            Self::Held => "held",
            Self::Paused => "paused",
            Self::Stale => "stale",
            Self::Good => "good",
        }
    }

    /// The exit code of `status`.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Unknown | Self::Stale => 3,
            Self::Failing => 4,
            Self::Held | Self::Paused => 5,
            Self::Good => 0,
        }
    }
}

/// What the configuration says that a status depends on.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// When the daemon's cycles are due.
    pub cycles: &'a Schedule,
    /// After so many hours without a sync the database is not trusted.
    pub trusted_hours: u32,
    /// In which form members are removed, as the configuration spells it.
    pub member_removal: &'a str,
}

/// Everything that is known.
#[derive(Debug)]
pub struct Status {
    /// In one word.
    pub state: State,
    /// The newest cycle about everybody.
    pub last: Option<CycleRecord>,
    /// Whether that one is running right now.
    pub is_running: bool,
    /// When the first of those that are kept began.
    pub first_at: Option<Timestamp>,
    /// The newest good one.
    pub good: Option<CycleRecord>,
    /// The plan that waits for a person.
    pub held: Option<PlanRecord>,
    /// What was last decided about it, while that stands.
    pub decision: Option<DecisionRecord>,
    /// Records that keep failing.
    pub failing: Vec<FailingRecord>,
    /// What is not sent any more until somebody resumes: the reasons.
    pub stopped: Vec<String>,
    /// What something else wrote to the directory.
    pub foreign: Option<ForeignWrites>,
    /// This database is a restored backup that no sync has compared with the target yet.
    pub backup: Option<BackupMark>,
    /// Whether what the database says of the target is believed.
    pub trust: Trust,
    /// Requests of which nobody knows yet what became.
    pub unsettled: usize,
    /// Accounts of ours: all, and active ones.
    pub accounts: (usize, usize),
    /// Groups of ours.
    pub groups: usize,
    /// Why the key of the target is no good, when it was last tried.
    pub dead_key: Option<String>,
    /// The brake.
    pub brake: BrakeState,
    /// Who is pinned by an undo.
    pub pins: BTreeMap<PersonId, Pin>,
    /// Whether a daemon runs on this database.
    pub is_daemon_running: bool,
    /// Whether a daemon ran cycles until lately, and none runs now.
    pub is_daemon_missed: bool,
    /// When the daemon's next cycle is due; none when no daemon runs.
    pub next_due: Option<Timestamp>,
    /// When it was asked.
    pub now: Timestamp,
}

/// So many due times may be missed.
const MISSED_MAX: usize = 3;

/// A daemon that has run no cycle for so long before the newest sync is not missed any more.
const MISSED_SECONDS: i64 = 24 * 3_600;

/// Reads how the sync is.
///
/// # Errors
/// What the database says.
pub fn read(store: &Store, settings: Settings<'_>, now: Timestamp) -> Result<Status, StoreError> {
    let cycles = settings.cycles;
    let last = store.read_last_sync()?;
    let failing = store.read_failing()?;
    let held = store.read_held_plan()?;
    let brake = store.brake().state();
    let is_running = last.as_ref().map(|cycle| store.is_running(cycle)).transpose()?.unwrap_or(false);
    // While a cycle runs, the one before it says how the sync is.
    let ended = if is_running { store.read_last_ended_sync()? } else { last.clone() };
    let is_daemon_running = DaemonLock::is_taken(store.path());
    // A sync by hand hides neither the daemon beside it nor one that is gone. Where syncs went on for a day without a
    // daemon, nobody misses it.
    let is_daemon_missed = match (&last, store.read_last_cycle_of_daemon()?) {
        (Some(last), Some(of_daemon)) => {
            !is_daemon_running && last.started_at.seconds_since(of_daemon.started_at) <= MISSED_SECONDS
        }
        (None, _) | (_, None) => false,
    };
    let since = last.as_ref().filter(|_| is_daemon_running || is_daemon_missed).map(|cycle| cycle.started_at);
    let is_stale = since.is_some_and(|since| cycles.count_between(since, now, MISSED_MAX) >= MISSED_MAX);
    let dead_key = store.read_key_trial()?.and_then(|trial| trial.dead);
    let facts = Facts {
        is_failing: !failing.is_empty() || dead_key.is_some(),
        is_held: held.is_some(),
        is_paused: brake != BrakeState::Off,
        is_stale,
    };
    let state = match ended.as_ref() {
        None => State::Unknown,
        Some(cycle) => facts.state(cycle, store.was_applied_since(cycle)?),
    };
    let owned = store.read_owned()?;
    let decisions = held.as_ref().map(|plan| store.read_decisions(&plan.fingerprint)).transpose()?;
    let trust = store.read_trust(now, settings.trusted_hours)?;
    let approved = store.read_approved_items(now, trust.untrusted_since())?;
    let covers = |record: &DecisionRecord| {
        record.decision == Decision::Rejected || held.as_ref().is_none_or(|plan| plan.risky.is_subset(&approved))
    };
    let stands = |record: &DecisionRecord| record.expires_at.is_none_or(|until| now < until) && covers(record);
    let decision = decisions.and_then(|mut decisions| decisions.pop()).filter(stands);
    Ok(Status {
        state,
        is_running,
        first_at: store.read_first_sync_at()?,
        good: store.read_last_good_cycle()?,
        held,
        decision,
        dead_key,
        brake,
        pins: store.read_pins()?,
        stopped: stopped(store, settings.member_removal)?,
        foreign: store.foreign_writes()?,
        backup: store.backup_mark()?,
        trust,
        unsettled: store.read_unsettled()?.len(),
        accounts: (owned.accounts.len(), owned.active_accounts()),
        groups: owned.groups.len(),
        is_daemon_running,
        is_daemon_missed,
        next_due: cycles.next_after(now).filter(|_| is_daemon_running),
        last,
        failing,
        now,
    })
}

/// Attribute updates after one that unlinked an account, and removals in a form that removed others as well.
fn stopped(store: &Store, member_removal: &str) -> Result<Vec<String>, StoreError> {
    let removals = store.removals_stopped()?.filter(|(form, _)| form == member_removal).map(|(_, reason)| reason);
    Ok(store.updates_stopped()?.into_iter().chain(removals).collect())
}

/// What the word is made of.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "four independent facts, read once, right here")]
struct Facts {
    is_failing: bool,
    is_held: bool,
    is_paused: bool,
    is_stale: bool,
}

impl Facts {
    fn state(self, cycle: &CycleRecord, was_applied_since: bool) -> State {
        let Some(end) = cycle.end.as_ref().filter(|end| !end.is_cut_off()) else { return State::Unknown };
        let good = if self.is_stale { State::Stale } else { State::Good };
        match end.exit_code {
            code if !matches!(code, 0 | 5) || self.is_failing => State::Failing,
            5 if self.is_held => State::Held,
            _ if self.is_paused => State::Paused,
            0 => good,
            _ if was_applied_since => good,
            // Resumed, or approved, and not sent yet: not good before the next sync. A cycle that was paused does not
            // know what it would have become.
            _ if end.message == PAUSED => State::Unknown,
            _ => State::Held,
        }
    }
}

/// Days from today to a date, in UTC; negative after it.
pub fn days_until(date: jiff::civil::Date, now: Timestamp) -> Option<i64> {
    let at = date.to_datetime(jiff::civil::Time::midnight()).to_zoned_datetime(jiff::tz::TimeZone::UTC).ok()?;
    Some((at.timestamp().as_second() - now.seconds()).div_euclid(86_400))
}

impl Status {
    /// Whether a person approved the plan that waits.
    pub fn is_approved(&self) -> bool {
        self.decision.as_ref().is_some_and(|record| record.decision == Decision::Approved)
    }

    /// Whether a person rejected the plan that waits: it goes on waiting, and nobody is asked again (S10).
    pub fn is_rejected(&self) -> bool {
        self.decision.as_ref().is_some_and(|record| record.decision == Decision::Rejected)
    }
}

#[cfg(test)]
mod tests {
    use super::{Settings, State, Status, read};
    use crate::cycle::PAUSED;
    use crate::model::Timestamp;
    use crate::schedule::Schedule;
    use crate::store::{Binding, CycleEnd, CycleId, DaemonLock, Settings as Database, Store, TOLD_TO_END, WriterLock};
    use std::path::Path;

    /// 2026-11-23T14:00:00Z.
    const START: i64 = 1_795_442_400;

    fn store(folder: &Path) -> Store {
        let binding = Binding { api_host: "api-1.duosecurity.com".into(), scim_base_url: "https://a.example".into() };
        Store::open(&Database { database: folder.join("state.db") }, &binding).unwrap()
    }

    /// A cycle that began so many minutes after the start, and ended at once.
    fn ends(store: &mut Store, command: &str, minute: i64, (exit_code, message): (u8, &str)) {
        let now = Timestamp::from_seconds(START + minute * 60);
        let cycle = store.begin_cycle(command, now).unwrap();
        let end = CycleEnd { exit_code, message: message.into(), fingerprint: None, report: serde_json::json!({}) };
        store.end_cycle(cycle, &end, now).unwrap();
    }

    /// Asked so many minutes after the start, where a cycle is due every ten.
    fn asked(store: &Store, minute: i64) -> Status {
        let cycles = Schedule::parse("0 */10 * * * *").unwrap();
        let settings = Settings { cycles: &cycles, trusted_hours: 168, member_removal: "value" };
        read(store, settings, Timestamp::from_seconds(START + minute * 60)).unwrap()
    }

    #[test]
    fn a_sync_by_hand_hides_neither_the_next_cycle_of_a_daemon_nor_that_its_cycles_are_overdue() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(folder.path());
        let _daemon = DaemonLock::acquire(store.path()).unwrap();
        ends(&mut store, "daemon", 0, (0, "done"));
        ends(&mut store, "sync", 1, (0, "done"));
        let status = asked(&store, 2);
        assert_eq!(status.state, State::Good);
        assert_eq!(status.next_due, Some(Timestamp::from_seconds(START + 600)));
        assert_eq!(asked(&store, 29).state, State::Good);
        assert_eq!(asked(&store, 31).state, State::Stale);
    }

    #[test]
    fn without_a_daemon_no_cycle_is_due_and_only_those_of_a_daemon_are_missed() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(folder.path());
        ends(&mut store, "observe", 0, (0, "observed"));
        assert_eq!(asked(&store, 2).next_due, None);
        assert_eq!(asked(&store, 31).state, State::Stale);
    }

    #[test]
    fn a_sync_by_hand_does_not_hide_that_the_daemon_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(folder.path());
        ends(&mut store, "daemon", 0, (0, "done"));
        ends(&mut store, "sync", 32, (0, "done"));
        let status = asked(&store, 33);
        assert_eq!((status.state, status.next_due, status.is_daemon_missed), (State::Good, None, true));
        assert_eq!(asked(&store, 59).state, State::Good);
        assert_eq!(asked(&store, 61).state, State::Stale);
        ends(&mut store, "sync", 24 * 60, (0, "done"));
        assert_eq!(asked(&store, 25 * 60).state, State::Stale);
        // Somebody who syncs without a daemon for a day has not lost one.
        ends(&mut store, "sync", 24 * 60 + 1, (0, "done"));
        let status = asked(&store, 25 * 60);
        assert_eq!((status.state, status.is_daemon_missed), (State::Good, false));
    }

    #[test]
    fn where_no_daemon_ever_ran_none_is_missed() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(folder.path());
        ends(&mut store, "sync", 0, (0, "done"));
        let status = asked(&store, 90);
        assert_eq!((status.state, status.is_daemon_missed), (State::Good, false));
    }

    #[test]
    fn a_cycle_that_was_under_way_when_the_daemon_was_told_to_end_did_not_fail() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(folder.path());
        for minute in 0..3 {
            ends(&mut store, "daemon", minute, (4, TOLD_TO_END));
        }
        assert_eq!(asked(&store, 3).state, State::Unknown);
        assert_eq!(store.count_failed_in_a_row(3).unwrap(), 0);
        ends(&mut store, "daemon", 3, (0, "done"));
        ends(&mut store, "daemon", 4, (4, TOLD_TO_END));
        assert_eq!(asked(&store, 5).state, State::Unknown);
        // While the next one runs, the one before says how it is.
        let at_work = WriterLock::acquire(store.path()).unwrap();
        store.begin_cycle("daemon", Timestamp::from_seconds(START + 300)).unwrap();
        assert_eq!(asked(&store, 6).state, State::Good);
        drop(at_work);
        // Failures in a row are still in a row with one between them that was cut off.
        ends(&mut store, "daemon", 7, (4, "failed"));
        ends(&mut store, "daemon", 8, (4, TOLD_TO_END));
        ends(&mut store, "daemon", 9, (4, "failed"));
        assert_eq!(store.count_failed_in_a_row(3).unwrap(), 2);
    }

    #[test]
    fn after_a_sync_that_was_killed_nobody_knows_how_it_is_although_a_daemon_runs() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(folder.path());
        let _daemon = DaemonLock::acquire(store.path()).unwrap();
        ends(&mut store, "daemon", 0, (0, "done"));
        let at_work = WriterLock::acquire(store.path()).unwrap();
        store.begin_cycle("sync", Timestamp::from_seconds(START + 60)).unwrap();
        let status = asked(&store, 2);
        assert_eq!((status.state, status.is_running), (State::Good, true));
        drop(at_work);
        let status = asked(&store, 2);
        assert_eq!((status.state, status.is_running), (State::Unknown, false));
    }

    #[test]
    fn a_settling_at_the_start_of_the_daemon_says_nothing_of_how_the_sync_is() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(folder.path());
        for minute in 0..3 {
            ends(&mut store, "daemon", minute, (3, "Duo could not be read"));
        }
        ends(&mut store, "settle", 4, (0, "settled 2 requests that were cut off earlier"));
        let status = asked(&store, 5);
        assert_eq!((status.state, status.good), (State::Failing, None));
        assert_eq!(status.last.unwrap().id, CycleId(3));
        assert_eq!(store.count_failed_in_a_row(9).unwrap(), 3);
    }

    #[test]
    fn after_it_was_resumed_nobody_knows_how_it_is_before_the_next_sync() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(folder.path());
        ends(&mut store, "sync", 0, (5, PAUSED));
        assert_eq!(asked(&store, 1).state, State::Unknown);
        ends(&mut store, "sync", 2, (0, "done"));
        assert_eq!(asked(&store, 3).state, State::Good);
    }
}
