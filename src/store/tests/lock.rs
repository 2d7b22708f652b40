//! One writer, and one daemon.

use super::super::*;
use super::{at, open};
use crate::clock::Clock;
use std::time::Duration;

#[test]
fn the_writer_lock_is_for_one_and_goes_with_its_holder() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("state.db");
    let lock = WriterLock::acquire(&database).unwrap();
    assert!(matches!(WriterLock::acquire(&database), Err(AcquireLockError::Taken { .. })));
    drop(lock);
    WriterLock::acquire(&database).unwrap();
}

#[test]
fn two_daemons_on_one_database_are_forbidden_and_a_daemon_forbids_no_cycle() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("state.db");
    let daemon = DaemonLock::acquire(&database).unwrap();
    let error = DaemonLock::acquire(&database).unwrap_err();
    assert!(matches!(&error, AcquireLockError::Taken { lock, .. } if lock.ends_with("state.db.daemon")), "{error}");
    DaemonLock::acquire(&folder.path().join("other.db")).unwrap();
    WriterLock::acquire(&database).unwrap();
    drop(daemon);
    DaemonLock::acquire(&database).unwrap();
}

#[tokio::test]
async fn whoever_sends_waits_a_minute_for_a_running_cycle() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("state.db");
    let _held = WriterLock::acquire(&database).unwrap();
    let clock = Clock::simulated(0, 1);
    let error = WriterLock::wait(&database, &clock).await.unwrap_err();
    assert!(matches!(error, AcquireLockError::Taken { .. }), "{error}");
    assert_eq!(clock.monotonic(), Duration::from_mins(1));
}

#[tokio::test]
async fn the_lock_is_had_as_soon_as_the_cycle_ends() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("state.db");
    let held = WriterLock::acquire(&database).unwrap();
    let clock = Clock::simulated(0, 1);
    let cycle = async {
        clock.wait(Duration::from_secs(30)).await;
        drop(held);
    };
    let (lock, ()) = tokio::join!(WriterLock::wait(&database, &clock), cycle);
    lock.unwrap();
    assert!(clock.monotonic() < Duration::from_secs(31), "{:?}", clock.monotonic());
}

/// A cycle begins now, and comes to no end.
fn begins(store: &mut Store, command: &str) {
    store.begin_cycle(command, at(1_000)).unwrap();
}

/// The cycles that are said to be running, newest first.
fn running(store: &Store) -> Vec<i64> {
    let cycles = store.read_cycles(20).unwrap();
    cycles.iter().filter(|cycle| store.is_running(cycle).unwrap()).map(|cycle| cycle.id.0).collect()
}

#[test]
fn a_cycle_that_may_write_is_running_while_somebody_writes_and_none_followed() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let path = store.path().to_owned();
    let _daemon = DaemonLock::acquire(&path).unwrap();
    begins(&mut store, "settle");
    assert_eq!(running(&store), [0; 0], "its daemon was killed, and another one rests");
    let at_work = WriterLock::acquire(&path).unwrap();
    assert_eq!(running(&store), [1]);
    begins(&mut store, "daemon");
    assert_eq!(running(&store), [2]);
    let end = CycleEnd { exit_code: 0, message: "done".into(), fingerprint: None, report: serde_json::json!({}) };
    store.end_cycle(CycleId(2), &end, at(1_001)).unwrap();
    assert_eq!(running(&store), [0; 0], "the newer one is over");
    drop(at_work);
    begins(&mut store, "sync");
    begins(&mut store, "plan");
    assert_eq!(running(&store), [0; 0]);
    let _at_work = WriterLock::acquire(&path).unwrap();
    assert_eq!(running(&store), [3], "what only reads takes no lock, and says nothing of who writes");
}

#[test]
fn a_cycle_that_observes_is_running_while_its_daemon_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let path = store.path().to_owned();
    let daemon = DaemonLock::acquire(&path).unwrap();
    begins(&mut store, "observe");
    assert_eq!(running(&store), [1]);
    let at_work = WriterLock::acquire(&path).unwrap();
    begins(&mut store, "sync");
    assert_eq!(running(&store), [2, 1], "a command sends beside it");
    drop(daemon);
    assert_eq!(running(&store), [2]);
    drop(at_work);
    let _daemon = DaemonLock::acquire(&path).unwrap();
    begins(&mut store, "observe");
    assert_eq!(running(&store), [3]);
}
