//! A real database on disk.

mod alien;
mod backup;
mod beside;
mod compact;
mod damage;
mod linked;
mod lock;
mod migrate;

use super::*;
use crate::guard::Class;
use crate::model::{Attribute, Attributes, GroupId, OwnedAccount, OwnedGroup, PersonId, ScimId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;

mod trust;

fn binding() -> Binding {
    Binding {
        api_host: "api-1.duosecurity.com".into(),
        scim_base_url: "https://api.example.com/scim/directory/1".into(),
    }
}

fn open(folder: &Path) -> Store {
    Store::open(&Settings { database: folder.join("state.db") }, &binding()).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn account(name: &str) -> OwnedAccount {
    OwnedAccount {
        scim_id: ScimId::new(format!("s-{name}")),
        username: name.into(),
        attributes: [(Attribute::UserName, name), (Attribute::Emails, "x@example.com")].into_iter().collect(),
        active: true,
        refused: Attributes::new(),
        left_scope_at: None,
    }
}

fn create(name: &str) -> Intent {
    Intent {
        action: format!("create:{name}"),
        request: Request::CreateUser {
            person: PersonId::new(name),
            username: name.into(),
            attributes: account(name).attributes,
        },
        spending: vec![Spending { class: Class::Create, group: None, count: 1 }],
    }
}

fn done(id: JournalId, effects: Vec<Effect>) -> Outcome {
    Outcome { id, kind: OutcomeKind::Done, detail: String::new(), effects }
}

#[test]
fn a_new_database_is_for_its_owner_only_and_keeps_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let name = open(folder.path()).database_id().to_owned();
    let mode = std::fs::metadata(folder.path().join("state.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(open(folder.path()).database_id(), name);
    assert_eq!(name.len(), 36);
}

#[test]
fn a_database_belongs_to_its_two_services() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let settings = Settings { database: folder.path().join("state.db") };
    let other = Binding { api_host: "api-2.duosecurity.com".into(), ..binding() };
    let error = Store::open(&settings, &other).unwrap_err();
    assert!(matches!(&error, OpenStoreError::Foreign { key: "duo.api_host", .. }), "{error}");
}

#[test]
fn whose_a_database_is_can_be_seen_without_making_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { database: folder.path().join("state.db") };
    let files = || {
        let entries = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap);
        entries.map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap())).collect::<BTreeMap<_, _>>()
    };
    let other = Binding { scim_base_url: "https://api.atlassian.com/scim/directory/d-2".into(), ..binding() };
    // Not there.
    Store::look_at(&settings, &other).unwrap();
    assert!(files().is_empty());
    drop(open(folder.path()));
    let before = files();
    Store::look_at(&settings, &binding()).unwrap();
    let error = Store::look_at(&settings, &other).unwrap_err();
    assert!(matches!(&error, OpenStoreError::Foreign { key: "atlassian.scim_base_url", .. }), "{error}");
    assert_eq!(files(), before);
    // At work.
    let mut store = open(folder.path());
    store.begin_cycle("daemon", Timestamp::from_seconds(1)).unwrap();
    let before = files();
    Store::look_at(&settings, &binding()).unwrap();
    assert!(Store::look_at(&settings, &other).is_err());
    assert_eq!(files(), before);
    // No database.
    let file = folder.path().join("text");
    std::fs::write(&file, "text").unwrap();
    let error = Store::look_at(&Settings { database: file }, &other).unwrap_err();
    assert!(matches!(&error, OpenStoreError::Damaged { .. }), "{error}");
}

#[test]
fn a_newer_schema_and_a_file_that_is_no_database_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.connection.pragma_update(None, "user_version", 99).unwrap();
    drop(store);
    let settings = Settings { database: folder.path().join("state.db") };
    assert!(matches!(Store::open(&settings, &binding()), Err(OpenStoreError::Newer { found: 99, .. })));
    let text = "this is a letter, and no database; it is long enough to look like a header".repeat(20);
    let settings = Settings { database: folder.path().join("letter.db") };
    std::fs::write(&settings.database, &text).unwrap();
    assert!(matches!(Store::open(&settings, &binding()), Err(OpenStoreError::Damaged { .. })));
    assert_eq!(std::fs::read_to_string(&settings.database).unwrap(), text);
}

#[test]
fn an_outcome_and_its_effect_are_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let cycle = store.begin_cycle("sync", at(100)).unwrap();
    let ids = store.record_wave(cycle, &[], &[create("ana"), create("bo")], at(101)).unwrap();
    assert_eq!(store.generation().unwrap(), 0, "an intent is not a change");
    assert_eq!(store.read_unsettled().unwrap().len(), 2);
    let group = OwnedGroup { scim_id: ScimId::new("g"), name: "eng".into(), members: BTreeSet::new() };
    let outcomes = [
        done(ids[0], vec![Effect::LinkAccount(PersonId::new("ana"), account("ana"))]),
        Outcome { id: ids[1], kind: OutcomeKind::Unknown, detail: "cut off".into(), effects: Vec::new() },
    ];
    store.record_wave(cycle, &outcomes, &[], at(102)).unwrap();
    assert_eq!(store.generation().unwrap(), 1);
    let unsettled = store.read_unsettled().unwrap();
    assert_eq!(unsettled.iter().map(|record| record.action.as_str()).collect::<Vec<_>>(), ["create:bo"]);
    assert_eq!(unsettled[0].request, create("bo").request);
    let next = [Intent {
        action: "create_group:g".into(),
        request: Request::CreateGroup { group: GroupId::new("DG"), name: "eng".into() },
        spending: Vec::new(),
    }];
    let ids = store.record_wave(cycle, &[], &next, at(103)).unwrap();
    let people = vec![PersonId::new("ana")];
    let effects =
        vec![Effect::LinkGroup(GroupId::new("DG"), group), Effect::Joined(GroupId::new("DG"), people.clone())];
    store.record_wave(cycle, &[done(ids[0], effects)], &[], at(104)).unwrap();
    let owned = open(folder.path()).read_owned().unwrap();
    assert_eq!(owned.accounts[&PersonId::new("ana")], account("ana"));
    assert_eq!(owned.groups[&GroupId::new("DG")].members, people.iter().cloned().collect());
    assert_eq!((owned.active_accounts(), owned.memberships()), (1, 1));
}

#[test]
fn an_effect_that_cannot_be_stored_undoes_its_outcome_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let cycle = store.begin_cycle("sync", at(100)).unwrap();
    let ids = store.record_wave(cycle, &[], &[create("ana")], at(101)).unwrap();
    let link = |person: &str| Effect::LinkAccount(PersonId::new(person), account("ana"));
    store.record_wave(cycle, &[done(ids[0], vec![link("ana"), link("bo")])], &[], at(102)).unwrap_err();
    assert!(store.read_owned().unwrap().accounts.is_empty(), "one record cannot be the account of two");
    assert_eq!(store.read_unsettled().unwrap().len(), 1);
    assert_eq!(store.generation().unwrap(), 0);
}

#[test]
fn what_was_sent_counts_for_a_day_unless_it_was_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let cycle = store.begin_cycle("sync", at(0)).unwrap();
    let leave = Intent {
        action: "members".into(),
        request: Request::RemoveMembers { group: GroupId::new("DG"), scim_id: ScimId::new("g"), members: Vec::new() },
        spending: vec![Spending { class: Class::Leave, group: Some(GroupId::new("DG")), count: 7 }],
    };
    let ids = store.record_wave(cycle, &[], &[create("ana"), create("bo"), leave], at(1_000)).unwrap();
    let refused = Outcome { id: ids[1], kind: OutcomeKind::Refused, detail: "409".into(), effects: Vec::new() };
    store.record_wave(cycle, &[refused], &[], at(1_001)).unwrap();
    let (classes, groups) = store.read_spent(at(999)).unwrap();
    assert_eq!(classes, [(Class::Create, 1), (Class::Leave, 7)].into());
    assert_eq!(groups, [(GroupId::new("DG"), 7)].into());
    assert!(store.read_spent(at(1_000)).unwrap().0.is_empty());
}

#[test]
fn who_left_the_scope_is_noted_once_and_forgotten_on_return() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let cycle = store.begin_cycle("sync", at(0)).unwrap();
    let ids = store.record_wave(cycle, &[], &[create("ana")], at(1)).unwrap();
    let link = vec![Effect::LinkAccount(PersonId::new("ana"), account("ana"))];
    store.record_wave(cycle, &[done(ids[0], link)], &[], at(1)).unwrap();
    let left = |store: &Store| store.read_owned().unwrap().accounts[&PersonId::new("ana")].left_scope_at;
    store.record_left_scope(&[PersonId::new("ana")].into(), at(10)).unwrap();
    store.record_left_scope(&[PersonId::new("ana")].into(), at(20)).unwrap();
    assert_eq!(left(&store), Some(at(10)));
    store.record_left_scope(&BTreeSet::new(), at(30)).unwrap();
    assert_eq!(left(&store), None);
    store.record_left_scope(&[PersonId::new("ana")].into(), at(40)).unwrap();
    let gone = OwnedAccount { active: false, ..account("ana") };
    let ids = store.record_wave(cycle, &[], &[create("ana")], at(50)).unwrap();
    store.record_wave(cycle, &[done(ids[0], vec![Effect::Account(PersonId::new("ana"), gone)])], &[], at(50)).unwrap();
    store.record_left_scope(&[PersonId::new("ana")].into(), at(60)).unwrap();
    assert_eq!(left(&store), None, "whoever has no account any more has no time left to wait for");
}
