//! Whether a database is trusted, and how its snapshot is corrected (S19).

use super::*;
use crate::model::Owned;
use crate::plan::Trust;
use std::collections::BTreeMap;

const HOUR: i64 = 3_600;
const HOURS: u32 = 72;

fn ended(message: &str) -> CycleEnd {
    CycleEnd { exit_code: 3, message: message.into(), fingerprint: None, report: serde_json::json!({}) }
}

/// A database that owns something, with a cycle of this command at this moment.
fn used(folder: &Path, command: &str, seconds: i64) -> Store {
    let mut store = open(folder);
    let cycle = store.begin_cycle(command, at(seconds)).unwrap();
    let [ana, bo] = ["DUana", "DUbo"].map(PersonId::new);
    let group = OwnedGroup { scim_id: ScimId::new("g"), name: "eng".into(), members: [ana.clone(), bo.clone()].into() };
    let effects = vec![
        Effect::LinkAccount(ana, account("ana")),
        Effect::LinkAccount(bo.clone(), account("bo")),
        Effect::LinkGroup(GroupId::new("DGeng"), group),
        Effect::Linked(bo),
    ];
    let ids = store.record_wave(cycle, &[], &[create("DUana")], at(seconds)).unwrap();
    store.record_wave(cycle, &[done(ids[0], effects)], &[], at(seconds)).unwrap();
    store.end_cycle(cycle, &ended("it failed"), at(seconds)).unwrap();
    store
}

fn record(store: &mut Store, after: &Owned) {
    let (before, foreign) = (store.read_owned().unwrap(), [(GroupId::new("DGeng"), PersonId::new("DUana"))].into());
    store.record_correction(&Correction { before: &before, after, foreign: &foreign }).unwrap();
    store.believe().unwrap();
}

#[test]
fn a_database_is_trusted_for_so_many_hours_after_any_cycle_that_could_send() {
    let folder = tempfile::tempdir().unwrap();
    let store = used(folder.path(), "sync", 1_000_000);
    let trust = |hours: i64| store.read_trust(at(1_000_000 + hours * HOUR), HOURS).unwrap();
    assert_eq!(trust(72), Trust::Trusted);
    assert_eq!(trust(73), Trust::Idle { since: at(1_000_000) });
    assert_eq!(store.read_trust(at(1_000_000 + 73 * HOUR), 73).unwrap(), Trust::Trusted);
}

#[test]
fn a_new_database_owns_nothing_that_could_be_out_of_date() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    assert_eq!(store.read_trust(at(1_000_000), HOURS).unwrap(), Trust::Trusted);
    store.begin_cycle("sync", at(0)).unwrap();
    assert_eq!(store.read_trust(at(1_000_000), HOURS).unwrap(), Trust::Trusted);
}

#[test]
fn dry_runs_and_settling_do_not_keep_a_database_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = used(folder.path(), "sync", 1_000_000);
    for command in ["plan", "observe", "settle", "sync --dry-run", "undo --dry-run"] {
        store.begin_cycle(command, at(1_000_000 + 80 * HOUR)).unwrap();
    }
    assert_eq!(store.read_trust(at(1_000_000 + 81 * HOUR), HOURS).unwrap(), Trust::Idle { since: at(1_000_000) });
}

#[test]
fn a_clock_that_was_set_back_proves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = used(folder.path(), "sync", 1_000_000);
    assert_eq!(store.read_trust(at(1_000_000 - HOUR), HOURS).unwrap(), Trust::Trusted, "a small correction");
    assert_eq!(store.read_trust(at(1_000_000 - HOUR - 1), HOURS).unwrap(), Trust::Idle { since: at(1_000_000) });
    // A cycle under a clock that ran ten years ahead, and one after it was corrected.
    store.begin_cycle("sync", at(300_000_000)).unwrap();
    assert!(!store.read_trust(at(1_000_000), HOURS).unwrap().is_trusted());
    store.begin_cycle("sync", at(1_000_000)).unwrap();
    assert_eq!(store.read_trust(at(1_000_000 + HOUR), HOURS).unwrap(), Trust::Trusted);
}

#[test]
fn what_is_not_trusted_stays_so_whatever_cycles_follow_until_a_correction_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = used(folder.path(), "sync", 1_000_000);
    let now = at(1_000_000 + 100 * HOUR);
    let idle = Trust::Idle { since: at(1_000_000) };
    assert_eq!(store.read_trust(now, HOURS).unwrap(), idle);
    assert_eq!(store.note_trust(now, HOURS).unwrap(), idle);
    store.begin_cycle("sync", now).unwrap();
    drop(store);
    let mut store = open(folder.path());
    assert_eq!(store.read_trust(now, HOURS).unwrap(), idle);
    assert_eq!(store.note_trust(now, HOURS).unwrap(), idle);
    let owned = store.read_owned().unwrap();
    record(&mut store, &owned);
    assert_eq!(store.read_trust(now, HOURS).unwrap(), Trust::Trusted);
}

#[test]
fn a_copy_with_the_mark_of_a_backup_is_known_by_it_however_young_it_is() {
    for (written, backup_at) in [("1000000", 1_000_000), ("2026-11-16T00:00:00Z", 1_794_787_200), ("long ago", 0)] {
        let folder = tempfile::tempdir().unwrap();
        let mut store = used(folder.path(), "sync", 1_000_000);
        crate::store::open::write_meta(&store.connection, "backup_of", "/var/lib/state.db").unwrap();
        crate::store::open::write_meta(&store.connection, "backup_at", written).unwrap();
        let restored = Trust::Restored { backup_at: at(backup_at) };
        assert_eq!(store.note_trust(at(1_000_001), HOURS).unwrap(), restored);
        let owned = store.read_owned().unwrap();
        record(&mut store, &owned);
        assert_eq!(store.read_trust(at(1_000_001), HOURS).unwrap(), Trust::Trusted);
    }
}

#[test]
fn a_correction_is_what_is_owned_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = used(folder.path(), "sync", 1_000_000);
    let [ana, bo] = ["DUana", "DUbo"].map(PersonId::new);
    let mut after = store.read_owned().unwrap();
    after.accounts.remove(&bo);
    let changed = after.accounts.get_mut(&ana).unwrap();
    changed.active = false;
    changed.attributes.set(Attribute::Title, "Lead");
    changed.refused.set(Attribute::Emails, "y@example.com");
    let group = after.groups.get_mut(&GroupId::new("DGeng")).unwrap();
    group.name = "crew".into();
    group.members.clear();
    let generation = store.generation().unwrap();
    record(&mut store, &after);
    assert_eq!(store.read_owned().unwrap(), after);
    assert_eq!(store.generation().unwrap(), generation + 1);
    assert!(store.read_linked().unwrap().is_empty());
    let foreign = store.read_foreign_memberships().unwrap();
    assert_eq!(foreign, [(GroupId::new("DGeng"), ana.clone())].into());
    // Back in the group, which is deleted after that.
    after.groups.get_mut(&GroupId::new("DGeng")).unwrap().members.insert(ana);
    record(&mut store, &after);
    assert_eq!(store.read_owned().unwrap(), after);
    after.groups = BTreeMap::new();
    record(&mut store, &after);
    assert_eq!(store.read_owned().unwrap(), after);
    record(&mut store, &after);
    assert_eq!(store.generation().unwrap(), generation + 3, "nothing new was recorded at last");
}

#[test]
fn a_refresh_that_is_due_stays_so_until_a_correction_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = used(folder.path(), "sync", 1_000_000);
    assert!(!store.is_refresh_due().unwrap());
    store.ask_for_refresh().unwrap();
    drop(store);
    let mut store = open(folder.path());
    assert!(store.is_refresh_due().unwrap());
    let owned = store.read_owned().unwrap();
    record(&mut store, &owned);
    assert!(!store.is_refresh_due().unwrap());
}
