//! Another connection is writing.

use super::super::*;
use super::{account, at, create, done, open};
use crate::desired::{Access, Rules};
use crate::model::PersonId;
use std::collections::{BTreeMap, BTreeSet};

fn rules() -> Rules {
    Rules {
        groups: Vec::new(),
        exclude_group_information: false,
        disabled_groups: Access::Keep,
        disabled_people: Access::Deactivate,
        pending_deletion_people: Access::Deactivate,
        locked_out_people: Access::Keep,
        mapping: BTreeMap::new(),
        blocked_people: BTreeSet::new(),
        pilot_people: BTreeSet::new(),
        excluded_people: BTreeSet::new(),
        protected_groups: BTreeSet::new(),
        verified_domains: BTreeSet::new(),
        grace_hours: 0,
    }
}

/// Another connection is in the middle of a change, which ends when it is waited for.
fn another_writes(store: &mut Store) {
    let other = Connection::open(store.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE; INSERT INTO meta VALUES (hex(randomblob(8)), '')").unwrap();
    let mut other = Some(other);
    let wait = move |_| other.take().is_some_and(|other| other.execute_batch("COMMIT").is_ok());
    store.connection.busy_handler(Some(wait)).unwrap();
}

#[test]
fn what_is_read_before_it_is_written_waits_for_another_writer() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let ana = PersonId::new("ana");
    let cycle = store.begin_cycle("sync", at(0)).unwrap();
    let ids = store.record_wave(cycle, &[], &[create("ana")], at(1)).unwrap();
    let link = vec![Effect::LinkAccount(ana.clone(), account("ana"))];
    another_writes(&mut store);
    store.record_wave(cycle, &[done(ids[0], link)], &[], at(1)).unwrap();
    another_writes(&mut store);
    store.record_left_scope(&[ana.clone()].into(), at(10)).unwrap();
    assert_eq!(store.read_owned().unwrap().accounts[&ana].left_scope_at, Some(at(10)));
    another_writes(&mut store);
    store.record_left_scope(&BTreeSet::new(), at(20)).unwrap();
    assert_eq!(store.read_owned().unwrap().accounts[&ana].left_scope_at, None);
    another_writes(&mut store);
    store.record_rules(&rules(), &[]).unwrap();
    assert_eq!(store.read_rules().unwrap(), Some(rules()));
}
