//! What is removed, what stays, and how large a database gets.

use super::super::compact::keep_plans_within;
use super::super::*;
use super::{at, create, done, open};
use crate::guard::Item;
use crate::model::{PersonId, Timestamp};
use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, Mutex};

const DAY: i64 = 86_400;
/// 2026-01-01T00:00:00Z.
const START: i64 = 1_767_225_600;

fn end(message: &str) -> CycleEnd {
    // As long as that of a real cycle.
    let report = serde_json::json!({
        "summary": { "adopt": 0, "create": 0, "update": 0, "reactivate": 0, "deactivate": 0, "adopt_group": 0,
            "create_group": 0, "join": 0, "leave": 0, "skip": 3, "unchanged": 408 },
        "source": { "api_host": "api-xxxxxxxx.duosecurity.com", "groups": 3, "people": 412, "requests": 7 },
        "sent": { "done": 0, "refused": 0, "unknown": 0, "waiting": 0 }, "target_requests": 0
    });
    CycleEnd { exit_code: 0, message: message.into(), fingerprint: Some("f".repeat(64)), report }
}

fn plan(fingerprint: &str, cycle: CycleId, now: i64, bytes: usize) -> PlanRecord {
    PlanRecord {
        fingerprint: fingerprint.into(),
        cycle,
        created_at: at(now),
        verdict: PlanVerdict::Approved,
        document: "x".repeat(bytes),
        risky: BTreeSet::new(),
    }
}

/// A cycle that sent something, with its plan.
fn sends(store: &mut Store, now: i64, requests: usize) -> CycleId {
    let cycle = store.begin_cycle("daemon", at(now)).unwrap();
    let fingerprint = format!("{:064x}", cycle.0);
    store.record_plan(&plan(&fingerprint, cycle, now, 1_500 + 300 * requests)).unwrap();
    let intents: Vec<Intent> = (0..requests).map(|number| create(&format!("DU{number:018}"))).collect();
    let ids = store.record_wave(cycle, &[], &intents, at(now)).unwrap();
    let outcomes: Vec<Outcome> = ids.into_iter().map(|id| done(id, Vec::new())).collect();
    store.record_wave(cycle, &outcomes, &[], at(now)).unwrap();
    store.end_cycle(cycle, &CycleEnd { fingerprint: Some(fingerprint), ..end("done") }, at(now + 3)).unwrap();
    cycle
}

/// A cycle of that command which sent nothing.
fn idle(store: &mut Store, command: &str, now: i64) -> CycleId {
    let cycle = store.begin_cycle(command, at(now)).unwrap();
    store.end_cycle(cycle, &end("nothing to do"), at(now + 1)).unwrap();
    cycle
}

/// Cycles every ten minutes for a day, as a daemon makes them; in one statement, for speed.
fn idle_day(store: &Store, from: i64) {
    let sql = "WITH RECURSIVE tick (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM tick WHERE n < 143) \
               INSERT INTO cycle (command, started_at, ended_at, exit_code, message, fingerprint, report) \
               SELECT 'daemon', ?1 + n * 600, ?1 + n * 600 + 2, 0, 'nothing to do', ?2, ?3 FROM tick";
    let CycleEnd { fingerprint, report, .. } = end("nothing to do");
    store.connection.execute(sql, (from, fingerprint, report.to_string())).unwrap();
}

/// So many newest cycles that nothing before them is among those that always stay.
fn newest(store: &Store, now: i64) {
    idle_day(store, now);
    idle_day(store, now + DAY);
}

fn size(store: &Store) -> u64 {
    fs::metadata(store.path()).unwrap().len()
}

fn count(store: &Store, table: &str) -> i64 {
    store.connection.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

/// Lives for so many days: a cycle every ten minutes, of which four send five requests each. Says the sizes at the
/// end of the first third, the second, and the last.
fn lives(store: &mut Store, days: i64, history_days: u32) -> Vec<u64> {
    // Nothing here is about power cuts.
    store.connection.pragma_update(None, "synchronous", "OFF").unwrap();
    let mut sizes = Vec::new();
    for day in 0..days {
        let midnight = START + day * DAY;
        idle_day(store, midnight);
        for hour in [9, 11, 14, 17] {
            sends(store, midnight + hour * 3_600, 5);
        }
        store.compact(at(midnight + DAY - 1), history_days).unwrap();
        if (day + 1) % (days / 3) == 0 {
            store.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
            sizes.push(size(store));
        }
    }
    sizes
}

#[test]
fn three_years_of_a_cycle_every_ten_minutes_stay_below_48_mib() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let sizes = lives(&mut store, 3 * 365, 1_100);
    let largest = sizes.iter().max().copied().unwrap();
    assert!(largest < 48 << 20, "{sizes:?}");
    assert_eq!(count(&store, "journal"), 3 * 365 * 20, "what was sent is all there");
    assert_eq!(store.read_removed().unwrap(), None);
    // The first day is there as the last: its cycles, what each sent, and its plan.
    let cycles = store.read_cycles(u32::MAX).unwrap();
    let first: Vec<_> = cycles.iter().filter(|cycle| cycle.started_at < at(START + DAY)).collect();
    assert_eq!(first.iter().map(|cycle| cycle.alike).collect::<Vec<_>>(), [1, 1, 1, 1, 144]);
    let sent = first.iter().find(|cycle| cycle.alike == 1).unwrap();
    assert_eq!(store.read_journal_of(sent.id).unwrap().len(), 5);
    let fingerprint = sent.end.as_ref().unwrap().fingerprint.as_ref().unwrap();
    assert_eq!(store.read_plans(fingerprint).unwrap()[0].cycle, sent.id);
    store.check().unwrap();
}

#[test]
fn a_database_that_is_older_than_its_history_does_not_grow_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let sizes = lives(&mut store, 3 * 120, 110);
    assert!(sizes[2] <= sizes[0] + sizes[0] / 20, "{sizes:?}");
    let removed = store.read_removed().unwrap().unwrap();
    assert_eq!(removed.cycles, 148 * (3 * 120 - 110));
    assert!(removed.until < at(START + 250 * DAY) && removed.until > at(START + 248 * DAY), "{removed:?}");
    let oldest = store.read_cycles(u32::MAX).unwrap().pop().unwrap();
    assert!(oldest.started_at > removed.until);
    assert_eq!(count(&store, "journal"), 20 * 110);
    store.check().unwrap();
}

#[test]
fn of_the_cycles_of_a_day_that_are_alike_the_last_stands_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let other = idle(&mut store, "plan", START + 30);
    idle_day(&store, START + 60);
    let next_day = idle(&mut store, "daemon", START + DAY + 60);
    newest(&store, START + 20 * DAY);
    store.compact(at(START + 7 * DAY), 1_100).unwrap();
    assert_eq!(count(&store, "cycle"), 146 + 288, "a week is not over");
    store.compact(at(START + 8 * DAY), 1_100).unwrap();
    let cycles = store.read_cycles(u32::MAX).unwrap();
    let old: Vec<_> = cycles.iter().filter(|cycle| cycle.started_at < at(START + 10 * DAY)).collect();
    assert_eq!(
        old.iter().map(|cycle| (cycle.id, cycle.alike)).collect::<Vec<_>>(),
        [(next_day, 1), (CycleId(next_day.0 - 1), 144), (other, 1)]
    );
    let said = store.why_missing(CycleId(7)).unwrap();
    assert!(said.starts_with("cycle 7 is not kept: after a week one cycle a day stands for"), "{said}");
    let said = store.why_missing(CycleId(7_000)).unwrap();
    assert!(said.starts_with("no cycle 7000 is in the database"), "{said}");
}

#[test]
fn the_newest_cycles_stay_whatever_the_clock_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    newest(&store, START);
    let far = START + 50 * 365 * DAY;
    idle(&mut store, "daemon", far);
    store.compact(at(far + 60), 30).unwrap();
    assert_eq!(count(&store, "cycle"), 289, "a clock that is wrong once costs nothing");
    idle(&mut store, "daemon", far + 600);
    store.compact(at(far + 660), 30).unwrap();
    assert_eq!(count(&store, "cycle"), 200);
}

#[test]
fn what_has_consequences_is_never_put_together() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let first = idle(&mut store, "daemon", START);
    let pinned = idle(&mut store, "daemon", START + 600);
    let who = Who { login: "root".into(), sudo_user: None };
    store.record_pins(&[(PersonId::new("DU1"), "ana".into())].into(), pinned, (at(START), &who)).unwrap();
    let sent = sends(&mut store, START + 1_200, 2);
    let decided = idle(&mut store, "daemon", START + 1_800);
    store.record_plan(&plan("decided", decided, START, 10)).unwrap();
    decide(&mut store, Decision::Approved, ("decided", "DU1"), START, Some(START + DAY));
    let seen = idle(&mut store, "daemon", START + 2_400);
    store.record_plan(&plan("seen", seen, START, 10)).unwrap();
    let last = idle(&mut store, "daemon", START + 3_000);
    newest(&store, START + 20 * DAY);
    let newest = store.read_cycles(1).unwrap()[0].id;
    store.record_plan(&plan("newest", newest, START + 22 * DAY, 10)).unwrap();
    store.compact(at(START + 40 * DAY), 1_100).unwrap();
    let kept =
        [first, pinned, sent, decided, seen, last].map(|id| store.read_cycle(id).unwrap().map(|found| found.alike));
    assert_eq!(kept, [None, Some(1), Some(1), Some(1), None, Some(3)]);
    assert!(store.read_plans("seen").unwrap().is_empty(), "a plan that nobody sent or decided on");
    assert_eq!(store.read_plans("decided").unwrap().len(), 1);
    assert_eq!(store.read_plans("newest").unwrap().len(), 1);
}

fn decide(store: &mut Store, decision: Decision, (plan, person): (&str, &str), now: i64, until: Option<i64>) {
    let record = DecisionRecord {
        fingerprint: plan.into(),
        decision,
        at: at(now),
        expires_at: until.map(Timestamp::from_seconds),
        who: Who { login: "root".into(), sudo_user: None },
        note: String::new(),
        risky: [Item::of_person("deactivate", &PersonId::new(person))].into(),
    };
    store.record_decision(&record).unwrap();
}

#[test]
fn a_cycle_with_an_open_request_stays_until_it_is_settled() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let cycle = store.begin_cycle("daemon", at(START)).unwrap();
    let ids = store.record_wave(cycle, &[], &[create("ana"), create("bo")], at(START)).unwrap();
    store.record_wave(cycle, &[done(ids[0], Vec::new())], &[], at(START)).unwrap();
    store.end_cycle(cycle, &end("done"), at(START)).unwrap();
    let settled = sends(&mut store, START + 60, 3);
    sends(&mut store, START + 97 * DAY, 0);
    newest(&store, START + 98 * DAY);
    store.compact(at(START + 100 * DAY), 30).unwrap();
    assert_eq!(store.read_journal_of(cycle).unwrap().len(), 2);
    assert_eq!(store.read_unsettled().unwrap().len(), 1);
    assert_eq!(store.read_cycle(settled).unwrap(), None);
    store.record_wave(cycle, &[done(ids[1], Vec::new())], &[], at(START + 100 * DAY)).unwrap();
    idle_day(&store, START + 120 * DAY);
    store.compact(at(START + 130 * DAY), 30).unwrap();
    assert_eq!(store.read_cycle(cycle).unwrap(), None);
    assert_eq!(count(&store, "journal"), 0);
}

#[test]
fn a_cycle_with_many_requests_goes_in_several_transactions_and_is_gone_from_the_first_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let large = sends(&mut store, START, 2_500);
    sends(&mut store, START + DAY, 1);
    newest(&store, START + 90 * DAY);
    let changes = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&changes);
    let reader = Connection::open(store.path()).unwrap();
    // Before each commit: what others see of the cycle and of its journal.
    let hook = move || {
        let one = |sql: &str| reader.query_row(sql, [large.0], |row| row.get::<_, i64>(0)).unwrap();
        let visible = one("SELECT COUNT(*) FROM cycle WHERE id = ?1 AND alike > 0");
        seen.lock().unwrap().push((visible, one("SELECT COUNT(*) FROM journal WHERE cycle = ?1")));
        false
    };
    store.connection.commit_hook(Some(hook)).unwrap();
    store.compact(at(START + 100 * DAY), 30).unwrap();
    store.connection.commit_hook(None::<fn() -> bool>).unwrap();
    let mut steps = changes.lock().unwrap().clone();
    steps.dedup();
    assert_eq!(steps, [(1, 2_500), (0, 2_500), (0, 1_500), (0, 500), (0, 0)]);
    assert_eq!(store.read_cycle(large).unwrap(), None);
}

#[test]
fn the_limits_of_a_day_and_decisions_in_force_outlive_every_compaction() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    sends(&mut store, START, 4);
    let now = START + 100 * DAY;
    // A rejection that stands, lifted for one person by an approval that is over; and decisions that are over.
    decide(&mut store, Decision::Approved, ("p0", "DU0"), START - 60 * DAY, Some(START - 59 * DAY));
    decide(&mut store, Decision::Rejected, ("p1", "DU1"), START, None);
    decide(&mut store, Decision::Approved, ("p1", "DU1"), START + 60, Some(START + DAY));
    decide(&mut store, Decision::Rejected, ("p2", "DU2"), START, None);
    newest(&store, START + 20 * DAY);
    sends(&mut store, now - 3_600, 3);
    decide(&mut store, Decision::Approved, ("p3", "DU3"), now - 60, Some(now + DAY));
    let before = (store.read_spent(at(now - DAY)).unwrap(), store.read_approved_items(at(now), None).unwrap());
    let rejected = store.read_rejected_items().unwrap();
    assert_eq!(rejected.len(), 1);
    store.compact(at(now), 30).unwrap();
    assert_eq!((store.read_spent(at(now - DAY)).unwrap(), store.read_approved_items(at(now), None).unwrap()), before);
    assert_eq!(store.read_rejected_items().unwrap(), rejected);
    assert_eq!(count(&store, "spent"), 3);
    assert_eq!(count(&store, "decision"), 4, "only the oldest one is over for good");
}

#[test]
fn plans_are_kept_within_their_room_but_never_one_that_waits() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    for number in 0..10 {
        let command = if number == 1 { "undo" } else { "daemon" };
        let cycle = idle(&mut store, command, START + number);
        store.record_plan(&plan(&format!("p{number}"), cycle, START, 1_000)).unwrap();
    }
    decide(&mut store, Decision::Rejected, ("p3", "DU1"), START, None);
    decide(&mut store, Decision::Approved, ("p4", "DU1"), START, Some(START + DAY));
    keep_plans_within(&store.connection, 6_100, at(START + 60)).unwrap();
    let kept = |store: &Store| -> Vec<String> {
        let mut statement = store.connection.prepare("SELECT fingerprint FROM plan ORDER BY 1").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(kept(&store), ["p1", "p3", "p4", "p7", "p8", "p9"]);
    keep_plans_within(&store.connection, 0, at(START + 60)).unwrap();
    assert_eq!(kept(&store), ["p1", "p3", "p4", "p9"], "the newest of each command, and decisions in force");
    keep_plans_within(&store.connection, 0, at(START + 2 * DAY)).unwrap();
    assert_eq!(kept(&store), ["p1", "p3", "p9"]);
}

#[test]
fn compaction_has_nothing_to_do_in_most_cycles() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    for day in 0..20 {
        idle_day(&store, START + day * DAY);
    }
    let now = at(START + 20 * DAY);
    assert!(store.is_compaction_due(now).unwrap());
    store.compact(now, 1_100).unwrap();
    assert!(!store.is_compaction_due(now).unwrap());
    assert!(!store.is_compaction_due(at(START + 20 * DAY + 86_399)).unwrap());
    idle_day(&store, START + 20 * DAY);
    assert!(store.is_compaction_due(at(START + 21 * DAY)).unwrap());
}

#[test]
fn the_write_ahead_file_is_cut_back_after_something_large() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let cycle = idle(&mut store, "plan", START);
    store.record_plan(&plan("large", cycle, START, 40 << 20)).unwrap();
    let wal = folder.path().join("state.db-wal");
    assert!(fs::metadata(&wal).unwrap().len() > 40 << 20);
    for number in 0..3 {
        idle(&mut store, "plan", START + number);
    }
    assert!(fs::metadata(&wal).unwrap().len() <= 16 << 20, "{}", fs::metadata(&wal).unwrap().len());
}

/// What a cycle under a clock that runs ahead sees: 2036-01-01T00:00:00Z.
const AHEAD: i64 = 2_082_758_400;

#[test]
fn a_cycle_under_a_clock_that_ran_ahead_is_put_together_with_those_around_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    for number in 0..60 * 96 {
        let now = if number == 10 { AHEAD } else { START + number * 900 };
        let sql = "INSERT INTO cycle (command, started_at, ended_at, exit_code) VALUES ('daemon', ?1, ?1, 0)";
        store.connection.execute(sql, [now]).unwrap();
    }
    let now = at(START + 60 * DAY);
    assert!(store.is_compaction_due(now).unwrap());
    store.compact(now, 1_100).unwrap();
    let cycles = store.read_cycles(u32::MAX).unwrap();
    let old: Vec<_> = cycles.iter().filter(|cycle| cycle.started_at < at(START + 53 * DAY)).collect();
    assert_eq!(old.iter().map(|cycle| cycle.alike).collect::<Vec<_>>(), [96; 53]);
    assert!(cycles.iter().all(|cycle| cycle.started_at <= now), "nothing is left of the future");
    assert!(!store.is_compaction_due(now).unwrap());
}

#[test]
fn what_was_sent_under_a_clock_that_ran_ahead_is_kept_as_long_as_what_came_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let first = sends(&mut store, AHEAD, 2);
    let second = sends(&mut store, AHEAD + DAY, 2);
    sends(&mut store, START, 2);
    idle_day(&store, START + 3_600);
    let last = sends(&mut store, AHEAD, 2);
    newest(&store, START + 5 * DAY);
    store.compact(at(START + 7 * DAY), 30).unwrap();
    assert_eq!(count(&store, "spent"), 8, "a week is not over");
    idle_day(&store, START + 28 * DAY);
    store.compact(at(START + 29 * DAY), 30).unwrap();
    assert_eq!(count(&store, "spent"), 0, "it does not count against the limits for ten years");
    let is_there = |store: &Store, id| store.read_cycle(id).unwrap().is_some();
    assert!([first, second, last].into_iter().all(|id| is_there(&store, id)), "the history is not over");
    idle_day(&store, START + 31 * DAY);
    store.compact(at(START + 32 * DAY), 30).unwrap();
    assert!(!is_there(&store, first) && !is_there(&store, second) && is_there(&store, last));
    let removed = store.read_removed().unwrap().unwrap();
    assert!(removed.until < at(START + 2 * DAY), "{removed:?}");
    // Until here it has the newest plan of all.
    sends(&mut store, START + 36 * DAY, 1);
    idle_day(&store, START + 37 * DAY);
    store.compact(at(START + 38 * DAY), 30).unwrap();
    assert!(!is_there(&store, last));
}

#[test]
fn the_newest_cycle_of_the_future_is_as_old_as_today() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    idle_day(&store, START);
    let ahead = sends(&mut store, AHEAD, 1);
    newest(&store, AHEAD + 60);
    idle(&mut store, "daemon", START + DAY);
    idle(&mut store, "daemon", START + DAY + 600);
    store.compact(at(START + 9 * DAY), 1_100).unwrap();
    assert!(store.read_cycle(ahead).unwrap().is_some());
}
