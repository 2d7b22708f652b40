//! `history`: the last cycles, what each did, and who approved it.

use super::args::{Format, Global, HistoryOptions};
use super::edge::Ended;
use super::output::{put, put_json};
use super::setup;
use crate::report::plain;
use crate::store::CycleRecord;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::fmt::Write;

pub(super) fn run(global: &Global, options: &HistoryOptions) -> Result<(), Ended> {
    let config = setup::read_config_without_secrets(global)?;
    let store = setup::open_store_to_read(&config)?;
    let cycles = store.read_cycles(options.limit)?;
    let mut lines = Vec::new();
    for cycle in &cycles {
        lines.push((cycle, store.is_running(cycle)?));
    }
    let removed = store.read_removed()?.filter(|_| cycles.len() < usize::try_from(options.limit).unwrap_or(usize::MAX));
    match options.format {
        Format::Text if lines.is_empty() => put("no cycle yet"),
        Format::Text => {
            put(&text(&lines));
            if let Some(removed) = removed {
                put(&format!(
                    "Older ones are not kept: {} cycles until {} (state.history_days = {}).",
                    removed.cycles, removed.until, config.state.history_days
                ));
            }
        }
        Format::Json => {
            put_json(&cycles.iter().map(document).collect::<Vec<_>>());
        }
    }
    Ok(())
}

/// By whose approvals a cycle sent what would have been held, as they were recorded with it.
pub(super) fn approvals(cycle: &CycleRecord) -> &[Value] {
    let approvals = cycle.end.as_ref().and_then(|end| end.report.get("approvals"));
    approvals.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// One of them as a phrase; in full with the moment, and the plan that was looked at, which need not be what was sent.
pub(super) fn approval_text(approval: &Value, is_full: bool) -> String {
    let word = |key: &str| plain(approval.get(key).and_then(Value::as_str).unwrap_or_default());
    let (plan, note) = (word("fingerprint"), word("note"));
    let note = if note.is_empty() { String::new() } else { format!(": {note}") };
    let looked_at = if is_full {
        format!(" at {}, as plan {}", word("at"), plan.get(..12).unwrap_or(&plan))
    } else {
        String::new()
    };
    format!("approved by {}{looked_at}{note}", word("by"))
}

fn text(lines: &[(&CycleRecord, bool)]) -> String {
    let mut out = String::new();
    for (cycle, is_running) in lines {
        let without = if *is_running { "is running" } else { "was cut off" };
        let message = cycle.end.as_ref().map_or(without, |end| end.message.as_str());
        let message = in_one_line(cycle, message);
        let _ = write!(out, "{:>6}  {}  {:<14} {}", cycle.id.0, cycle.started_at, cycle.command, plain(&message));
        if let Some(done) = sent(cycle) {
            let _ = write!(out, ", {done} requests");
        }
        if cycle.alike > 1 {
            let _ = write!(out, "; the last of {} alike on that day", cycle.alike);
        }
        for approval in approvals(cycle) {
            let _ = write!(out, "; {}", approval_text(approval, false));
        }
        out.push('\n');
    }
    out
}

/// A message in one line: of a list that it announces, the first entry, and how many more there are.
fn in_one_line<'a>(cycle: &CycleRecord, message: &'a str) -> Cow<'a, str> {
    let mut lines = message.lines();
    let first = lines.next().unwrap_or_default();
    let Some(entry) = lines.next().filter(|_| first.ends_with(':')) else { return Cow::Borrowed(first) };
    let more = match lines.count() {
        0 => String::new(),
        count => format!("; and {count} more (show cycle {})", cycle.id),
    };
    Cow::Owned(format!("{first} {}{more}", entry.trim_start()))
}

/// How many requests the target did, when something was sent.
fn sent(cycle: &CycleRecord) -> Option<u64> {
    let done = cycle.end.as_ref()?.report.get("sent")?.get("done")?.as_u64()?;
    (done > 0).then_some(done)
}

fn document(cycle: &CycleRecord) -> Value {
    json!({
        "cycle": cycle.id.0, "command": cycle.command, "started_at": cycle.started_at, "ended_at": cycle.ended_at,
        "exit_code": cycle.end.as_ref().map(|end| end.exit_code),
        "message": cycle.end.as_ref().map(|end| &end.message),
        "plan": cycle.end.as_ref().and_then(|end| end.fingerprint.as_ref()),
        "report": cycle.end.as_ref().map(|end| &end.report), "alike": cycle.alike,
        "approvals": approvals(cycle),
    })
}
