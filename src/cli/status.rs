//! `status`: the truth about itself (S21).

use super::args::{Format, Global, StatusOptions};
use super::edge::Ended;
use super::output::{put, put_json};
use super::show::decision_text;
use super::{failing, pause, plan, setup};
use crate::apply::describe_foreign_writes;
use crate::clock::Clock;
use crate::guard::FindingDocument;
use crate::model::Owned;
use crate::model::Timestamp;
use crate::report::PlanDocument;
use crate::report::plain;
use crate::status;
use crate::status::{State, Status, days_until};
use crate::store::CycleRecord;
use crate::store::Store;
use serde_json::{Value, json};
use std::fmt::Write;

pub(super) fn run(global: &Global, options: &StatusOptions) -> Result<(), Ended> {
    let config = setup::read_config_without_secrets(global)?;
    let store = setup::open_store_to_read(&config)?;
    let now = Timestamp::from_seconds(Clock::system().now_seconds());
    let status = status::read(&store, setup::status_settings(&config), now)?;
    let paused = pause::line(&store.brake());
    let key_days = config.api_key_expires.and_then(|expires| days_until(expires, now));
    let held = Held::read(&store, &status)?;
    let shown = (&status, held.as_ref());
    match options.format {
        Format::Text => put(&text(global, shown, (paused.as_deref(), key_days))),
        Format::Json => put_json(&document(shown, (paused.as_deref(), key_days))),
    }
    match status.state.exit_code() {
        0 => Ok(()),
        code => Err(Ended::silently(code)),
    }
}

/// What the plan that waits says of itself.
struct Held {
    document: PlanDocument,
    owned: Owned,
}

impl Held {
    /// None: no plan waits, or it was stored by another version, which wrote something else into it.
    fn read(store: &Store, status: &Status) -> Result<Option<Self>, Ended> {
        let document = status.held.as_ref().and_then(|plan| serde_json::from_str(&plan.document).ok());
        document.map(|document| Ok(Self { document, owned: store.read_owned()? })).transpose()
    }

    fn findings(&self) -> impl Iterator<Item = &FindingDocument> {
        self.document.guard.findings.iter().filter(|finding| finding.holds())
    }

    /// Who has access still and is to lose it.
    fn waiting(&self) -> Vec<&str> {
        plan::waiting(&self.document, &self.owned)
    }
}

fn text(
    global: &Global,
    (status, held): (&Status, Option<&Held>),
    (paused, key_days): (Option<&str>, Option<i64>),
) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", status.state.as_str());
    out.push_str(&what_was_done(global, status));
    if let Some(due) = status.next_due {
        let _ = writeln!(out, "next cycle       {due}");
    } else if status.is_daemon_missed {
        let _ = writeln!(out, "next cycle       none: the daemon does not run");
    }
    let (accounts, active) = status.accounts;
    let _ = writeln!(out, "owned            {accounts} accounts ({active} active), {} groups", status.groups);
    out.push_str(&what_is_in_force(global, status, paused));
    let is_undone = status.last.as_ref().and_then(|cycle| cycle.end.as_ref()).is_some_and(|end| end.exit_code == 5);
    if is_undone && status.state != State::Good && paused.is_none() && status.held.is_none() {
        let _ = writeln!(out, "not sent yet     {}", setup::command_line(global, "sync"));
    }
    out.push_str(&held_text(global, status, held));
    for reason in &status.stopped {
        let _ = writeln!(out, "stopped          {}", plain(reason));
        let _ = writeln!(out, "  to go on       {}", setup::command_line(global, "resume"));
    }
    for line in failing::lines(&status.failing, status.now) {
        let _ = writeln!(out, "failing          {line}");
    }
    if let Some(writes) = &status.foreign {
        let _ = writeln!(out, "other writer     {}", describe_foreign_writes(writes));
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
    out.push_str(&read_first(status));
    if let Some(dead) = &status.dead_key {
        let _ = writeln!(out, "API key          {}", plain(dead));
    }
    let _ = writeln!(out, "API key          {}", key_text(key_days));
    out
}

/// The plan that waits: why, for whom, and how to go on.
fn held_text(global: &Global, status: &Status, held: Option<&Held>) -> String {
    let mut out = String::new();
    let Some(plan) = &status.held else { return out };
    let short = plan.fingerprint.get(..12).unwrap_or_default();
    let _ = writeln!(out, "held plan        {short}, since {}", plan.created_at);
    for finding in held.iter().flat_map(|held| held.findings()) {
        let _ = writeln!(out, "  why            {}", plain(&finding.message));
    }
    let see = setup::command_line(global, &format!("show plan {short}"));
    let _ = writeln!(out, "  to see it      {see}");
    if let Some(decision) = &status.decision {
        let _ = writeln!(out, "  decided        {}", decision_text(decision, false));
    }
    let (word, next) = if status.is_approved() {
        ("to send it", "sync".to_owned())
    } else {
        ("to approve it", format!("approve {short}"))
    };
    let _ = writeln!(out, "  {word:<15}{}", setup::command_line(global, &next));
    for line in held.iter().flat_map(|held| plan::lines_of(global, &held.document, &held.waiting(), &see)) {
        let _ = writeln!(out, "  {line}");
    }
    out
}

/// The last cycles.
fn what_was_done(global: &Global, status: &Status) -> String {
    let mut out = String::new();
    let cycle = |cycle: &CycleRecord| {
        let without = if status.is_running { "is running" } else { "was cut off" };
        let message = cycle.end.as_ref().map_or(without, |end| end.message.as_str());
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
    if let Some(late) = status.last.as_ref().and_then(late) {
        let again = setup::command_line(global, "sync");
        let _ = writeln!(out, "not sent yet     {late} requests, since schedule.sending_minutes_max was over: {again}");
    }
    if let Some(good) = &status.good {
        let age = status.now.seconds_since(good.ended_at.unwrap_or(good.started_at));
        let _ = writeln!(out, "last good sync   cycle {} of {} ({} ago)", good.id, good.started_at, age_text(age));
    }
    out
}

/// What the next sync asks Atlassian before it plans.
fn read_first(status: &Status) -> String {
    let mut out = String::new();
    if !status.trust.is_trusted() {
        let _ = writeln!(out, "not trusted      {}: the next sync reads Atlassian first", status.trust);
    }
    if status.unsettled > 0 && status.is_running {
        let _ = writeln!(out, "under way        {} requests", status.unsettled);
    } else if status.unsettled > 0 {
        let _ =
            writeln!(out, "cut off          {} requests; the next sync looks up what became of them", status.unsettled);
    }
    out
}

/// How many requests a cycle did not send since its time was over.
fn late(cycle: &CycleRecord) -> Option<u64> {
    let late = cycle.end.as_ref()?.report.get("sent")?.get("late")?.as_u64()?;
    (late > 0).then_some(late)
}

/// What holds for every cycle until somebody, or a sync, ends it.
fn what_is_in_force(global: &Global, status: &Status, paused: Option<&str>) -> String {
    let mut out = String::new();
    if let Some(backup) = &status.backup {
        let at = backup.at;
        let _ =
            writeln!(out, "restored         this is a backup of {at}: not trusted before a sync has read Atlassian");
    }
    if let Some(paused) = paused {
        let _ = writeln!(out, "paused           {paused}");
        let _ = writeln!(out, "  to go on       {}", setup::command_line(global, "resume"));
    }
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

fn document((status, held): (&Status, Option<&Held>), (paused, key_days): (Option<&str>, Option<i64>)) -> Value {
    let cycle = |cycle: &CycleRecord| {
        json!({
            "cycle": cycle.id.0, "started_at": cycle.started_at, "ended_at": cycle.ended_at,
            "exit_code": cycle.end.as_ref().map(|end| end.exit_code),
            "message": cycle.end.as_ref().map(|end| &end.message),
        })
    };
    let finding = |finding: &FindingDocument| json!({ "kind": finding.finding, "message": finding.message });
    json!({
        "state": status.state.as_str(),
        "last_sync": status.last.as_ref().map(cycle),
        "last_good_sync": status.good.as_ref().map(cycle),
        "late_requests": status.last.as_ref().and_then(late).unwrap_or(0),
        "held_plan": status.held.as_ref().map(|plan| json!({
            "fingerprint": plan.fingerprint, "created_at": plan.created_at,
            "findings": held.map(|held| held.findings().map(finding).collect::<Vec<_>>()).unwrap_or_default(),
            "waiting": held.map(Held::waiting).unwrap_or_default(),
        })),
        "paused": paused,
        "stopped": status.stopped,
        "failing": status.failing.iter().map(failing::document).collect::<Vec<_>>(),
        "foreign_writes": status.foreign.as_ref().map(|writes| json!({
            "records": writes.records.len(), "last_at": writes.last_at, "is_copy": writes.is_copy,
        })),
        "is_running": status.is_running,
        "is_daemon_running": status.is_daemon_running,
        "next_cycle_at": status.next_due,
        "pins": status.pins.iter().map(|(id, pin)| json!({
            "user_id": id, "username": pin.username, "undone_cycle": pin.undone.0, "at": pin.at, "by": pin.by,
        })).collect::<Vec<_>>(),
        "restored_backup": status.backup.as_ref().map(|backup| json!({ "of": backup.of, "at": backup.at })),
        "unsettled_requests": status.unsettled,
        "untrusted": (!status.trust.is_trusted()).then(|| status.trust.to_string()),
        "accounts": status.accounts.0,
        "active_accounts": status.accounts.1,
        "groups": status.groups,
        "api_key_dead": status.dead_key,
        "api_key_expires_in_days": key_days,
    })
}
