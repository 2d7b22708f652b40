//! `status`: the truth about itself (S21).

use super::args::{Format, Global, StatusOptions};
use super::edge::Ended;
use super::output::{put, put_json};
use super::show::decision_text;
use super::{pause, setup};
use crate::clock::Clock;
use crate::config::Config;
use crate::cycle::PAUSED;
use crate::model::PersonId;
use crate::model::Timestamp;
use crate::report::plain;
use crate::store::{CycleRecord, Decision, DecisionRecord, FailingRecord, Pin, PlanRecord, Store, StoreError};
use jiff::civil::Date;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// How the sync is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unknown,
    Failing,
    Held,
    Paused,
    Good,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Failing => "failing",
            Self::Held => "held",
            Self::Paused => "paused",
            Self::Good => "good",
        }
    }

    const fn exit_code(self) -> u8 {
        match self {
            Self::Unknown => 3,
            Self::Failing => 4,
            Self::Held | Self::Paused => 5,
            Self::Good => 0,
        }
    }
}

struct Status {
    state: State,
    last: Option<CycleRecord>,
    good: Option<CycleRecord>,
    held: Option<PlanRecord>,
    decision: Option<DecisionRecord>,
    failing: Vec<FailingRecord>,
    unsettled: usize,
    accounts: (usize, usize),
    groups: usize,
    key_days: Option<i64>,
    paused: Option<String>,
    pins: BTreeMap<PersonId, Pin>,
    now: Timestamp,
}

pub(super) fn run(global: &Global, options: &StatusOptions) -> Result<(), Ended> {
    let config = setup::read_config(global)?;
    let store = setup::open_store(&config)?;
    let now = Timestamp::from_seconds(Clock::system().now_seconds());
    let status = read(&store, &config, now)?;
    match options.format {
        Format::Text => put(&text(global, &status)),
        Format::Json => put_json(&document(&status)),
    }
    match status.state.exit_code() {
        0 => Ok(()),
        code => Err(Ended::silently(code)),
    }
}

fn read(store: &Store, config: &Config, now: Timestamp) -> Result<Status, StoreError> {
    let last = store.read_last_sync()?;
    let failing = store.read_failing()?;
    let held = store.read_held_plan()?;
    let paused = pause::line(&store.brake());
    let (is_held, is_paused) = (held.is_some(), paused.is_some());
    let state = match last.as_ref().and_then(|cycle| cycle.end.as_ref().map(|end| (cycle, end))) {
        None => State::Unknown,
        Some((_, end)) if !matches!(end.exit_code, 0 | 5) || !failing.is_empty() => State::Failing,
        Some((_, end)) if end.exit_code == 5 && is_held => State::Held,
        Some(_) if is_paused => State::Paused,
        Some((_, end)) if end.exit_code == 0 => State::Good,
        Some((cycle, _)) if store.was_applied_since(cycle)? => State::Good,
        // Approved, or resumed, and not sent yet: not good before the next sync.
        Some((_, end)) => {
            if end.message == PAUSED {
                State::Paused
            } else {
                State::Held
            }
        }
    };
    let owned = store.read_owned()?;
    let decisions = held.as_ref().map(|plan| store.read_decisions(&plan.fingerprint)).transpose()?;
    let stands = |record: &DecisionRecord| record.expires_at.is_none_or(|until| now < until);
    Ok(Status {
        state,
        good: store.read_last_good_cycle()?,
        held,
        decision: decisions.and_then(|mut decisions| decisions.pop()).filter(stands),
        paused,
        pins: store.read_pins()?,
        unsettled: store.read_unsettled()?.len(),
        accounts: (owned.accounts.len(), owned.active_accounts()),
        groups: owned.groups.len(),
        key_days: config.api_key_expires.and_then(|expires| days_until(expires, now)),
        last,
        failing,
        now,
    })
}

fn days_until(date: Date, now: Timestamp) -> Option<i64> {
    let today = jiff::Timestamp::from_second(now.seconds()).ok()?;
    let at = date.to_datetime(jiff::civil::Time::midnight()).to_zoned_datetime(jiff::tz::TimeZone::UTC).ok()?;
    Some((at.timestamp().as_second() - today.as_second()).div_euclid(86_400))
}

fn text(global: &Global, status: &Status) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", status.state.as_str());
    let cycle = |cycle: &CycleRecord| {
        let message = cycle.end.as_ref().map_or("was cut off", |end| end.message.as_str());
        format!("cycle {} of {}: {message}", cycle.id, cycle.started_at)
    };
    match &status.last {
        Some(last) => {
            let _ = writeln!(out, "last sync        {}", cycle(last));
        }
        None => {
            let _ = writeln!(out, "last sync        none yet; to run one: {}", setup::command_line(global, "sync"));
        }
    }
    if let Some(good) = &status.good {
        let age = status.now.seconds_since(good.ended_at.unwrap_or(good.started_at));
        let _ = writeln!(out, "last good sync   cycle {} of {} ({} ago)", good.id, good.started_at, age_text(age));
    }
    let (accounts, active) = status.accounts;
    let _ = writeln!(out, "owned            {accounts} accounts ({active} active), {} groups", status.groups);
    if let Some(paused) = &status.paused {
        let _ = writeln!(out, "paused           {paused}");
        let _ = writeln!(out, "  to go on       {}", setup::command_line(global, "resume"));
    }
    if matches!(status.state, State::Held | State::Paused) && status.paused.is_none() && status.held.is_none() {
        let _ = writeln!(out, "not sent yet     {}", setup::command_line(global, "sync"));
    }
    if let Some(held) = &status.held {
        let short = held.fingerprint.get(..12).unwrap_or_default();
        let _ = writeln!(out, "held plan        {short}, since {}", held.created_at);
        let _ = writeln!(out, "  to see it      {}", setup::command_line(global, &format!("show plan {short}")));
        if let Some(decision) = &status.decision {
            let _ = writeln!(out, "  decided        {}", decision_text(decision));
        }
        let (word, next) = match &status.decision {
            Some(DecisionRecord { decision: Decision::Approved, .. }) => ("to send it", "sync".to_owned()),
            Some(_) | None => ("to approve it", format!("approve {short}")),
        };
        let _ = writeln!(out, "  {word:<15}{}", setup::command_line(global, &next));
    }
    for record in &status.failing {
        let _ = writeln!(
            out,
            "failing          {} ({}), {} times since {}: {}",
            plain(&record.failing.name),
            record.failing.record,
            record.count,
            record.first_at,
            plain(&record.failing.reason)
        );
    }
    for (id, pin) in &status.pins {
        let _ = writeln!(
            out,
            "pinned           {} ({id}), by undo of cycle {} at {} by {}; to release: {}",
            plain(&pin.username),
            pin.undone,
            pin.at,
            pin.by,
            setup::command_line(global, &format!("undo --release {id}"))
        );
    }
    if status.unsettled > 0 {
        let _ =
            writeln!(out, "cut off          {} requests; the next sync looks up what became of them", status.unsettled);
    }
    let _ = writeln!(out, "API key          {}", key_text(status.key_days));
    out
}

fn age_text(seconds: i64) -> String {
    match seconds {
        ..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

fn key_text(days: Option<i64>) -> String {
    match days {
        None => {
            "expiry not known: set atlassian.api_key_expires (keys live for a year, and Atlassian sends no warning)"
                .to_owned()
        }
        Some(days) if days < 0 => format!("expired {} days ago", -days),
        Some(days) if days <= 30 => {
            format!("expires in {days} days: make a new one in time (the old one stops at once)")
        }
        Some(days) => format!("expires in {days} days"),
    }
}

fn document(status: &Status) -> Value {
    let cycle = |cycle: &CycleRecord| {
        json!({
            "cycle": cycle.id.0, "started_at": cycle.started_at, "ended_at": cycle.ended_at,
            "exit_code": cycle.end.as_ref().map(|end| end.exit_code),
            "message": cycle.end.as_ref().map(|end| &end.message),
        })
    };
    let failing = |record: &FailingRecord| {
        json!({
            "record": record.failing.record, "name": record.failing.name, "kind": record.failing.kind,
            "reason": record.failing.reason, "count": record.count, "first_at": record.first_at, "last_at": record.last_at,
        })
    };
    json!({
        "state": status.state.as_str(),
        "last_sync": status.last.as_ref().map(cycle),
        "last_good_sync": status.good.as_ref().map(cycle),
        "held_plan": status.held.as_ref().map(|plan| json!({ "fingerprint": plan.fingerprint, "created_at": plan.created_at })),
        "paused": status.paused,
        "failing": status.failing.iter().map(failing).collect::<Vec<_>>(),
        "pins": status.pins.iter().map(|(id, pin)| json!({
            "user_id": id, "username": pin.username, "undone_cycle": pin.undone.0, "at": pin.at, "by": pin.by,
        })).collect::<Vec<_>>(),
        "unsettled_requests": status.unsettled,
        "accounts": status.accounts.0,
        "active_accounts": status.accounts.1,
        "groups": status.groups,
        "api_key_expires_in_days": status.key_days,
    })
}
