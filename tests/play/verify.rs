//! After a cycle: what it says of itself, its journal and its snapshot are compared with what is there.

use super::city::City;
use super::watch::{Promise, Running};
use crate::sim::atlassian::{AtlassianSim, User};
use duo_atlassian_sync::cycle::{CycleError, End, Mode, Report};
use duo_atlassian_sync::model::{Attribute, ScimId};
use duo_atlassian_sync::plan::ActionDocument;
use duo_atlassian_sync::store::{CycleId, Request, Store, StoreError};
use serde_json::Value;
use std::collections::BTreeMap;

/// Compares a report with what is there.
pub fn end(mode: Mode, report: &Report, store: &Store, city: &mut City) {
    let read = (|| {
        let failing = !store.read_failing()?.is_empty();
        // From the plainest to the farthest: the first promise that is seen to be broken is the one that is blamed.
        quiet(report, city);
        journal(store, report.cycle, city)?;
        says_the_truth(mode, report, failing, city);
        nobody_is_overdue(report, store, city)?;
        believed(store, city)?;
        if report.end == End::Done && city.watch.running == Running::Sync {
            city.watch.carried_out();
        }
        recorded(store, exit_code(report.end), city)?;
        snapshot(store, city)
    })();
    sound(read, city);
}

/// The same where there is no report.
pub fn failure(error: &CycleError, store: &Store, city: &mut City) {
    let writes = city.watch.writes;
    if writes > 0 && !matches!(error, CycleError::Store(_)) {
        city.watch.blame(Promise::TheEndIsTrue, || format!("{writes} requests were sent, and then: {error}"));
    }
    let read = recorded(store, error.exit_code(), city)
        .and_then(|()| believed(store, city))
        .and_then(|()| snapshot(store, city));
    sound(read, city);
}

fn sound(read: Result<(), StoreError>, city: &mut City) {
    if let Err(error) = read {
        city.watch.blame(Promise::TheDatabaseIsSound, || error.to_string());
    }
}

const fn exit_code(end: End) -> u8 {
    match end {
        End::Previewed | End::Done => 0,
        End::Held | End::Paused => 5,
        End::Failing | End::OutOfTime => 4,
    }
}

fn recorded(store: &Store, exit_code: u8, city: &mut City) -> Result<(), StoreError> {
    let last = store.read_cycles(1)?;
    let code = last.first().and_then(|cycle| cycle.end.as_ref()).map(|end| end.exit_code);
    if code != Some(exit_code) {
        city.watch.blame(Promise::TheEndIsTrue, || format!("the database says {code:?} and not {exit_code}"));
    }
    Ok(())
}

fn quiet(report: &Report, city: &mut City) {
    let writes = city.watch.writes;
    if report.document.actions.is_empty() && writes > 0 {
        city.watch.blame(Promise::NothingToDoIsQuiet, || format!("{writes} requests for an empty plan"));
    }
}

fn says_the_truth(mode: Mode, report: &Report, failing: bool, city: &mut City) {
    let writes = city.watch.writes;
    let document = &report.document;
    let stopped = report.applied.as_ref().is_some_and(|applied| applied.stopped.is_some());
    let is_true = match report.end {
        End::Previewed => mode == Mode::Preview && writes == 0,
        End::Held => document.is_held() && writes == 0,
        // The brake may have been let go meanwhile: that it was on is seen where requests leave.
        End::Paused => !document.is_held(),
        End::Failing => stopped || failing,
        End::OutOfTime => !stopped && report.applied.as_ref().is_some_and(|applied| applied.late > 0),
        // What is done to one person, or undone, says nothing about the records of others.
        End::Done => !document.is_held() && !stopped && (!failing || city.watch.running != Running::Sync),
    };
    if !is_true {
        let what = format!("{:?} after {writes} requests, held {}, failing {failing}", report.end, document.is_held());
        city.watch.blame(Promise::TheEndIsTrue, || what);
    }
    if report.end == End::Done {
        let sim = &city.atlassian.service;
        let undone = document.actions.iter().find_map(|action| {
            let left_out = report.not_sent.iter().any(|line| line.starts_with(&format!("{}:", action.id)));
            if left_out { None } else { not_done(action, sim, city) }
        });
        if let Some(what) = undone {
            city.watch.blame(Promise::TheEndIsTrue, || format!("done, and yet: {what}"));
        }
    }
}

/// When a sync has done all, nobody has an account who should have lost it; but whoever is left alone, or in no plan
/// since an undo. What is not in the file of an `apply` waits.
fn nobody_is_overdue(report: &Report, store: &Store, city: &mut City) -> Result<(), StoreError> {
    if report.end != End::Done || city.watch.running != Running::Sync || !report.not_sent.is_empty() {
        return Ok(());
    }
    if store.read_cycle(report.cycle)?.is_none_or(|cycle| cycle.command != "sync") {
        return Ok(());
    }
    let (owned, pins, rules) = (store.read_owned()?, store.read_pins()?, &city.config.rules);
    let is_left_alone = |person: &str| {
        rules.excluded_people.contains(person)
            || !(rules.pilot_people.is_empty() || rules.pilot_people.contains(person))
    };
    let is_active = |id: &str| city.atlassian.service.users().any(|user| user.id == id && user.active());
    let overdue = owned.accounts.iter().find(|(person, account)| {
        !is_left_alone(person.as_str())
            && !pins.contains_key(*person)
            && city.watch.is_due(person.as_str(), &city.config)
            && is_active(account.scim_id.as_str())
    });
    if let Some(person) = overdue.map(|(person, _)| person.clone()) {
        city.watch.blame(Promise::TheEndIsTrue, || format!("done, and {person} still has an active account"));
    }
    Ok(())
}

/// What is missing of an action that was to be done.
fn not_done(action: &ActionDocument, sim: &AtlassianSim, city: &City) -> Option<String> {
    let user = |person: &str| {
        let record = city.watch.links.record(person)?;
        sim.users().find(|user| user.id == record)
    };
    let wrong = |is_wrong: bool| is_wrong.then(|| format!("{}: it is otherwise", action.id));
    let holds = |user: Option<&User>, active: Option<bool>| {
        let Some(user) = user else { return Some(format!("{}: there is no such record", action.id)) };
        let none = BTreeMap::new();
        let changes = action.changes.as_ref().unwrap_or(&none);
        let differs = changes.iter().any(|(path, change)| !is_value(user, path, &change.to));
        wrong(differs || active.is_some_and(|active| active != user.active()))
    };
    let person = action.person.as_ref().map(|person| person.user_id.as_str()).unwrap_or_default();
    match action.action.as_str() {
        "create" | "reactivate" => holds(user(person), Some(true)),
        "update" => holds(user(person), None),
        "deactivate" => holds(user(person), Some(false)),
        "create_group" => wrong(sim.group_by_name(&action.group.as_ref()?.name).is_none()),
        "update_members" => {
            let name = &action.group.as_ref()?.name;
            let members = sim.members_of(name);
            let is_in = |person: &String| user(person).is_some_and(|user| members.contains(user.user_name()));
            // A group is looked at before somebody is taken out: who was not in it, as it had been, is out already.
            let is_misled = || sim.group_by_name(name).is_some_and(|group| city.watch.is_misled_about(&group.id));
            let (join, leave) = (action.join.iter().flatten(), action.leave.iter().flatten());
            wrong(join.clone().any(|person| !is_in(person)) || (leave.clone().any(is_in) && !is_misled()))
        }
        _ => None,
    }
}

/// Whether a record holds this value.
pub fn is_value(user: &User, path: &str, value: &str) -> bool {
    let held = match path.split_once('.') {
        _ if path == "emails" => user.email(),
        Some((outer, inner)) => {
            user.attributes.get(outer).and_then(|outer| outer.get(inner)).and_then(Value::as_str).unwrap_or_default()
        }
        None => user.text(path).unwrap_or_default(),
    };
    let attribute = path.parse::<Attribute>();
    attribute.is_ok_and(|attribute| attribute.is_same(held, value))
}

/// Every different write that left has an entry of its own.
fn journal(store: &Store, cycle: CycleId, city: &mut City) -> Result<(), StoreError> {
    let is_sent = |request: &Request| !matches!(request, Request::Adopt { .. } | Request::AdoptGroup { .. });
    let entries = store.read_journal_of(cycle)?.iter().filter(|record| is_sent(&record.request)).count();
    let sent = city.watch.lines.len();
    if sent > entries {
        city.watch.blame(Promise::IntentComesFirst, || format!("{sent} different writes, and {entries} intents"));
    }
    Ok(())
}

/// Who was to be taken out of a group, and was not in it as it had been, is taken for gone: the next reading of the
/// whole target finds them, and in the end they are out.
fn believed(store: &Store, city: &mut City) -> Result<(), StoreError> {
    let owned = store.read_owned()?;
    let is_known = |(group, person): &(String, String)| {
        owned.groups.get(group.as_str()).is_some_and(|link| link.members.contains(person.as_str()))
    };
    city.watch.believe_gone(is_known, |group| owned.groups.get(group).map(|link| link.scim_id.as_str()));
    Ok(())
}

/// What the database says that is there, is there; and what we did, it says.
pub fn snapshot(store: &Store, city: &mut City) -> Result<(), StoreError> {
    if city.has_ghosts() || !store.read_unsettled()?.is_empty() {
        return Ok(());
    }
    let owned = store.read_owned()?;
    let sim = &city.atlassian.service;
    let records: BTreeMap<&str, &User> = sim.users().map(|user| (user.id.as_str(), user)).collect();
    let mut wrong = None;
    let is_known = |record: &ScimId| !city.watch.is_misled_about(record.as_str());
    for (person, account) in owned.accounts.iter().filter(|(_, account)| is_known(&account.scim_id)) {
        let Some(user) = records.get(account.scim_id.as_str()) else {
            wrong = Some(format!("{person} has no record"));
            continue;
        };
        if user.active() != account.active {
            wrong = Some(format!("{person} is active: {} and not {}", user.active(), account.active));
        }
        let differs = |(attribute, value): (Attribute, &str)| {
            account.refused.value(attribute).is_none() && !is_value(user, attribute.path(), value)
        };
        if let Some((attribute, value)) = account.attributes.iter().find(|pair| differs(*pair)) {
            wrong = Some(format!("{person} has another {attribute} than {value:?}"));
        }
        if user.external_id().is_some_and(|id| id != person.as_str()) {
            wrong = Some(format!("{person} is linked to the record of {:?}", user.external_id()));
        }
    }
    for (group, link) in owned.groups.iter().filter(|(_, link)| is_known(&link.scim_id)) {
        let Some(record) = sim.groups().find(|record| record.id == link.scim_id.as_str()) else {
            wrong = Some(format!("group {group} has no record"));
            continue;
        };
        let members = sim.members_of(&record.name);
        let name = |person| owned.accounts.get(person).and_then(|account| records.get(account.scim_id.as_str()));
        if let Some(person) =
            link.members.iter().find(|id| !name(*id).is_some_and(|user| members.contains(user.user_name())))
        {
            wrong = Some(format!("{person} is not in {group}"));
        }
    }
    let remembered = city.watch.joined.difference(&city.watch.believed_gone);
    let unknown = remembered.into_iter().find(|(group, person)| {
        !owned.groups.get(group.as_str()).is_some_and(|link| {
            link.members.contains(person.as_str()) || city.watch.is_misled_about(link.scim_id.as_str())
        })
    });
    if let Some((group, person)) = unknown {
        wrong = Some(format!("{person} was put into {group}, and nobody remembers it"));
    }
    if let Some(person) = city.watch.links.made_accounts().find(|id| !owned.accounts.contains_key(id.as_str())) {
        wrong = Some(format!("{person} was given an account, and nobody remembers it"));
    }
    if let Some(what) = wrong {
        city.watch.blame(Promise::TheSnapshotIsTrue, || what);
    }
    Ok(())
}
