//! `history`: the last cycles, what each did, and who approved it.

use super::args::{Format, Global, HistoryOptions};
use super::edge::Ended;
use super::output::{put, put_json};
use super::setup;
use crate::report::plain;
use crate::store::{CycleRecord, Decision, DecisionRecord, Store, StoreError};
use serde_json::{Value, json};
use std::fmt::Write;

pub(super) fn run(global: &Global, options: &HistoryOptions) -> Result<(), Ended> {
    let config = setup::read_config_without_secrets(global)?;
    let store = setup::open_store_to_read(&config)?;
    let cycles = store.read_cycles(options.limit)?;
    let mut lines = Vec::new();
    for cycle in &cycles {
        lines.push((cycle, approvals(&store, cycle)?, store.is_running(cycle)?));
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
            put_json(&lines.iter().map(|(cycle, approvals, _)| document(cycle, approvals)).collect::<Vec<_>>());
        }
    }
    Ok(())
}

/// The approval under which a cycle sent its plan: the last word before its end.
fn approvals(store: &Store, cycle: &CycleRecord) -> Result<Vec<DecisionRecord>, StoreError> {
    let fingerprint = cycle.end.as_ref().and_then(|end| end.fingerprint.as_ref());
    let (Some(fingerprint), Some(_)) = (fingerprint, sent(cycle)) else { return Ok(Vec::new()) };
    let decisions = store.read_decisions(fingerprint)?;
    let before = decisions.into_iter().filter(|record| cycle.ended_at.is_some_and(|at| record.at <= at));
    Ok(before.last().filter(|record| record.decision == Decision::Approved).into_iter().collect())
}

fn text(lines: &[(&CycleRecord, Vec<DecisionRecord>, bool)]) -> String {
    let mut out = String::new();
    for (cycle, approvals, is_running) in lines {
        let without = if *is_running { "is running" } else { "was cut off" };
        let message = cycle.end.as_ref().map_or(without, |end| end.message.as_str());
        let message = message.lines().next().unwrap_or_default();
        let _ = write!(out, "{:>6}  {}  {:<14} {}", cycle.id.0, cycle.started_at, cycle.command, plain(message));
        if let Some(done) = sent(cycle) {
            let _ = write!(out, ", {done} requests");
        }
        if cycle.alike > 1 {
            let _ = write!(out, "; the last of {} alike on that day", cycle.alike);
        }
        for approval in approvals {
            let note = if approval.note.is_empty() { String::new() } else { format!(": {}", plain(&approval.note)) };
            let _ = write!(out, "; approved by {}{note}", approval.who);
        }
        out.push('\n');
    }
    out
}

/// How many requests the target did, when something was sent.
fn sent(cycle: &CycleRecord) -> Option<u64> {
    let done = cycle.end.as_ref()?.report.get("sent")?.get("done")?.as_u64()?;
    (done > 0).then_some(done)
}

fn document(cycle: &CycleRecord, approvals: &[DecisionRecord]) -> Value {
    let approval = |record: &DecisionRecord| {
        let (by, at, note, fingerprint) = (record.who.to_string(), record.at, &record.note, &record.fingerprint);
        json!({ "by": by, "at": at, "note": note, "fingerprint": fingerprint })
    };
    json!({
        "cycle": cycle.id.0, "command": cycle.command, "started_at": cycle.started_at, "ended_at": cycle.ended_at,
        "exit_code": cycle.end.as_ref().map(|end| end.exit_code),
        "message": cycle.end.as_ref().map(|end| &end.message),
        "plan": cycle.end.as_ref().and_then(|end| end.fingerprint.as_ref()),
        "report": cycle.end.as_ref().map(|end| &end.report), "alike": cycle.alike,
        "approvals": approvals.iter().map(approval).collect::<Vec<_>>(),
    })
}
