//! One writer, and one daemon.

use super::super::*;
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
