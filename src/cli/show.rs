//! `show`: one cycle, plan, person or group, from the database.

use super::args::{Format, Global, PlanFormat, ShowOptions, Shown};
use super::edge::Ended;
use super::output::{put, put_json};
use super::standing::Standing;
use super::{decide, failing, history, plan, setup, standing};
use crate::clock::Clock;
use crate::model::{GroupId, Owned, OwnedAccount, OwnedGroup, PersonId, ScimId, Timestamp};
use crate::report::PlanDocument;
use crate::report::plain;
use crate::store::{
    CycleId, CycleRecord, Decision, DecisionRecord, FailingKey, JournalRecord, PlanRecord, Request, Store, StoreError,
};
use serde_json::{Value, json};
use std::fmt::Write;

pub(super) fn run(global: &Global, options: &ShowOptions) -> Result<(), Ended> {
    let config = setup::read_config_without_secrets(global)?;
    let store = setup::open_store_to_read(&config)?;
    match options.what {
        Shown::Cycle => cycle(&store, options),
        Shown::Plan => show_plan(global, &store, options),
        Shown::Person => person(&store, options),
        Shown::Group => group(&store, options),
    }
}

/// What fails of one person or group.
fn failing_lines(store: &Store, is_theirs: impl Fn(&FailingKey) -> bool) -> Result<String, Ended> {
    let records = store.read_failing()?.into_iter().filter(|record| is_theirs(&record.failing.key));
    let now = Timestamp::from_seconds(Clock::system().now_seconds());
    let lines = failing::lines(&records.collect::<Vec<_>>(), now);
    Ok(lines.iter().fold(String::new(), |text, line| text + "failing    " + line + "\n"))
}

fn unknown(what: &str, id: &str) -> Ended {
    Ended::with(2, format!("error: no {what} {id:?} is in the database; `history` and `status` tell what is there"))
}

fn cycle(store: &Store, options: &ShowOptions) -> Result<(), Ended> {
    let id = options.id.parse().map(CycleId).map_err(|_| unknown("cycle", &options.id))?;
    let Some(record) = store.read_cycle(id)? else {
        return Err(Ended::with(2, format!("error: {}", store.why_missing(id)?)));
    };
    let journal = store.read_journal_of(id)?;
    match options.format {
        Format::Text => put(&cycle_text((&record, store.is_running(&record)?), &journal, &store.read_owned()?)),
        Format::Json => put_json(&cycle_document(&record, &journal)),
    }
    Ok(())
}

fn cycle_text((record, is_running): (&CycleRecord, bool), journal: &[JournalRecord], owned: &Owned) -> String {
    let mut out = format!("cycle {}   {}, began {}", record.id, record.command, record.started_at);
    match (&record.end, record.ended_at) {
        (Some(end), Some(at)) => {
            let _ = writeln!(out, ", ended {at} with {}: {}", end.exit_code, end.message);
        }
        _ if is_running => out.push_str(", is running\n"),
        _ => out.push_str(", was cut off\n"),
    }
    if record.alike > 1 {
        let _ = writeln!(out, "it stands for {} cycles of that day, which were like it and are not kept", record.alike);
    }
    if let Some(fingerprint) = record.end.as_ref().and_then(|end| end.fingerprint.as_ref()) {
        let _ = writeln!(out, "plan {}", fingerprint.get(..12).unwrap_or(fingerprint));
    }
    for approval in history::approvals(record) {
        let _ = writeln!(out, "{}", history::approval_text(approval, true));
    }
    for entry in journal {
        let (outcome, detail) = match (entry.not_sent(), &entry.outcome) {
            (Some(why), _) => ("not sent", why),
            (None, Some(outcome)) => (outcome.as_str(), entry.detail.as_str()),
            (None, None) if is_running => ("under way", entry.detail.as_str()),
            (None, None) => ("cut off", entry.detail.as_str()),
        };
        let detail = if detail.is_empty() { String::new() } else { format!("   {}", plain(detail)) };
        let whom = plain(&whom(&entry.request, owned)).into_owned();
        let _ = writeln!(out, "  {outcome:<8} {} ({whom}){detail}", entry.action);
    }
    out
}

/// By the names that are known today, whom or what a request is about.
fn whom(request: &Request, owned: &Owned) -> String {
    let person =
        |id: &PersonId| owned.accounts.get(id).map_or_else(|| id.to_string(), |account| account.username.clone());
    let changed = |sign: char, group: &GroupId, members: &[(PersonId, ScimId)]| {
        let name = owned.groups.get(group).map_or(group.as_str(), |group| group.name.as_str());
        let members = members.iter().map(|(id, _)| format!(" {sign}{}", person(id)));
        format!("{name}:{}", members.collect::<String>())
    };
    match request {
        Request::Adopt { username, .. }
        | Request::CreateUser { username, .. }
        | Request::UpdateUser { username, .. } => username.clone(),
        Request::DeactivateUser { person: id, .. } => person(id),
        Request::AdoptGroup { name, .. } | Request::CreateGroup { name, .. } => name.clone(),
        Request::AddMembers { group, members, .. } => changed('+', group, members),
        Request::RemoveMembers { group, members, .. } => changed('-', group, members),
    }
}

fn cycle_document(record: &CycleRecord, journal: &[JournalRecord]) -> Value {
    let entry = |entry: &JournalRecord| {
        json!({
            "action": entry.action, "request": entry.request, "intended_at": entry.intended_at,
            "outcome": entry.outcome, "detail": entry.detail,
        })
    };
    json!({
        "cycle": record.id.0, "command": record.command, "started_at": record.started_at, "ended_at": record.ended_at,
        "exit_code": record.end.as_ref().map(|end| end.exit_code),
        "message": record.end.as_ref().map(|end| &end.message),
        "plan": record.end.as_ref().and_then(|end| end.fingerprint.as_ref()),
        "report": record.end.as_ref().map(|end| &end.report),
        "alike": record.alike,
        "approvals": history::approvals(record),
        "journal": journal.iter().map(entry).collect::<Vec<_>>(),
    })
}

fn show_plan(global: &Global, store: &Store, options: &ShowOptions) -> Result<(), Ended> {
    let record = decide::find(store, &options.id)?;
    let document: PlanDocument = serde_json::from_str(&record.document)
        .map_err(|error| Ended::of(8, &error).next("the stored plan cannot be read; make a new one with `plan`"))?;
    if options.format == Format::Json {
        put_json(&document);
        return Ok(());
    }
    plan::print(&document, PlanFormat::Text);
    let decisions = store.read_decisions(&record.fingerprint)?;
    for (index, decision) in decisions.iter().enumerate() {
        let later = decisions.get(index.saturating_add(1)..).unwrap_or_default();
        let overruled = later.iter().any(|later| later.decision != decision.decision);
        let part = if decision.is_about(&record.risky) { "" } else { " (a part of it)" };
        put(&format!("{}{part}", decision_text(decision, overruled)));
    }
    match standing::of(store, &record)? {
        Standing::Sent(cycle) if !document.actions.is_empty() => {
            let message = cycle.end.as_ref().map_or("", |end| end.message.as_str());
            let shown = setup::command_line(global, &format!("show cycle {}", cycle.id));
            put(&format!(
                "sent by cycle {} of {}: {}; to see each: {shown}",
                cycle.id,
                cycle.started_at,
                plain(message)
            ));
        }
        Standing::Current if document.is_held() => {
            put(&decide_line(global, (store, &record, &document), &decisions)?);
            let leavers = plan::waiting(&document, &store.read_owned()?);
            let more = "the same, with the username or the Duo id";
            for line in plan::lines_of(global, &document, &leavers, more) {
                put(&line);
            }
        }
        Standing::Overtaken(held) => {
            put(&format!("It is not the newest plan any more. {}", decide::what_is_newest(global, held.as_ref())));
        }
        Standing::Sent(_) | Standing::Current => {}
    }
    Ok(())
}

/// How a held plan goes on, by what was decided about it.
fn decide_line(
    global: &Global,
    (store, record, document): (&Store, &PlanRecord, &PlanDocument),
    decisions: &[DecisionRecord],
) -> Result<String, StoreError> {
    let now = Timestamp::from_seconds(Clock::system().now_seconds());
    Ok(match standing::word(store, record, decisions, now)? {
        Some(Decision::Approved) => format!("To send it: {}", decide::way_on(global, store, record.cycle)?),
        Some(Decision::Rejected) => plan::approve_after_all_line(global, document, "sync"),
        None => plan::approve_line(global, document, "sync"),
    })
}

/// A decision in one line. One that another decision overruled does not count any more, however long it would have.
pub(super) fn decision_text(record: &DecisionRecord, is_overruled: bool) -> String {
    let until = match (record.decision, record.expires_at) {
        (Decision::Approved, _) if is_overruled => ", overruled by a rejection after it".to_owned(),
        (Decision::Rejected, _) if is_overruled => ", overruled by an approval after it".to_owned(),
        (_, None) => String::new(),
        (Decision::Approved, Some(until)) => format!(", until {until}"),
        (Decision::Rejected, Some(_)) => ", which has lapsed: it was not planned any more".to_owned(),
    };
    let note = if record.note.is_empty() { String::new() } else { format!(": {}", plain(&record.note)) };
    format!("{} by {} at {}{until}{note}", record.decision.as_str(), record.who, record.at)
}

fn person(store: &Store, options: &ShowOptions) -> Result<(), Ended> {
    let owned = store.read_owned()?;
    let named = |(id, account): &(&PersonId, &OwnedAccount)| {
        id.as_str() == options.id || account.username.to_lowercase() == options.id.to_lowercase()
    };
    let (id, account) = owned.accounts.iter().find(named).ok_or_else(|| unknown("person", &options.id))?;
    let groups: Vec<&str> =
        owned.groups.values().filter(|group| group.members.contains(id)).map(|group| group.name.as_str()).collect();
    if options.format == Format::Json {
        put_json(&json!({
            "user_id": id, "username": account.username, "scim_id": account.scim_id, "active": account.active,
            "attributes": account.attributes, "refused": account.refused, "groups": groups,
            "left_scope_at": account.left_scope_at,
        }));
        return Ok(());
    }
    let groups = plain(&groups.join(", ")).into_owned();
    let mut out = format!("person {} ({id})\n", plain(&account.username));
    let _ = writeln!(out, "account    {} ({})", account.scim_id, if account.active { "active" } else { "inactive" });
    for (attribute, value) in account.attributes.iter() {
        let _ = writeln!(out, "  {attribute} = \"{}\"", plain(value));
    }
    for (attribute, value) in account.refused.iter() {
        let _ = writeln!(out, "  {attribute} = \"{}\" was not taken by Atlassian", plain(value));
    }
    let _ = writeln!(out, "groups     {}", if groups.is_empty() { "none" } else { &groups });
    if let Some(at) = account.left_scope_at {
        let _ = writeln!(out, "left scope {at}");
    }
    let record = format!("person:{id}");
    out.push_str(&failing_lines(store, |key| key.record == record || key.is_of_member(id))?);
    put(&out);
    Ok(())
}

fn group(store: &Store, options: &ShowOptions) -> Result<(), Ended> {
    let owned = store.read_owned()?;
    let named = |(id, group): &(&GroupId, &OwnedGroup)| {
        id.as_str() == options.id || group.name.to_lowercase() == options.id.to_lowercase()
    };
    let remembered = store.read_remembered()?;
    let in_duo = |(id, _): &(&GroupId, &OwnedGroup)| {
        let mut names = remembered.iter().filter(|found| !found.gone && found.group_id == **id);
        names.any(|found| found.name.to_lowercase() == options.id.to_lowercase())
    };
    let found = owned.groups.iter().find(named).or_else(|| owned.groups.iter().find(in_duo));
    let (id, group) = found.ok_or_else(|| {
        unknown("group", &options.id).next(
            "a group that was renamed in Duo is known by its new name after the next sync; until then, try its old name, \
             or its Duo id",
        )
    })?;
    let name =
        |id: &PersonId| owned.accounts.get(id).map_or_else(|| id.to_string(), |account| account.username.clone());
    let mut members: Vec<String> = group.members.iter().map(name).collect();
    members.sort();
    if options.format == Format::Json {
        put_json(&json!({ "group_id": id, "name": group.name, "scim_id": group.scim_id, "members": group.members }));
        return Ok(());
    }
    let name = plain(&group.name);
    let mut out = format!("group {name} ({id})\n");
    // Atlassian renames no group, and a configuration may give it a name of its own.
    if let Some(found) =
        remembered.iter().find(|found| !found.gone && found.group_id == *id && found.name != group.name)
    {
        let _ = writeln!(out, "in Duo        {}", plain(&found.name));
    }
    let _ = writeln!(out, "in Atlassian  {}\nour members   {}", group.scim_id, members.len());
    for member in members {
        let _ = writeln!(out, "  {}", plain(&member));
    }
    let record = format!("group:{id}");
    out.push_str(&failing_lines(store, |key| key.record == record)?);
    put(&out);
    Ok(())
}
