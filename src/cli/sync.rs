//! `sync`: one whole cycle.

use super::args::{Global, PlanFormat, SyncOptions};
use super::edge::Ended;
use super::output::put;
use super::{failing, plan, setup, standing};
use crate::apply::Applied;
use crate::clock::Clock;
use crate::cycle::{End, Mode, Report};
use crate::model::Timestamp;
use crate::report::{PlanDocument, plain};
use crate::scim::atlassian::APP_ACCESS_MENU;
use crate::store::{DecisionRecord, Store, StoreError};
use std::fmt::Write;

pub(super) fn run(global: &Global, options: &SyncOptions) -> Result<(), Ended> {
    if options.plan.out.is_some() || options.plan.detailed_exitcode {
        let line = "error: --out and --detailed-exitcode go with --dry-run (or with `plan`): a sync that sends has no plan to wait for";
        return Err(Ended::with(2, line));
    }
    let config = setup::read_config(global)?;
    setup::tell_warnings(global, &config);
    let clock = Clock::system();
    let mut store = setup::open_store(&config)?;
    let task = (Mode::Apply, options.plan.task(), "sync");
    let report = setup::run_cycle(global, (&config, &clock), &mut store, task)?;
    plan::print(&report.document, options.plan.format);
    if options.plan.format == PlanFormat::Text {
        put(&outcome(&report));
    }
    end(global, (&store, &report), "sync")
}

/// What was sent, as text.
pub(super) fn outcome(report: &Report) -> String {
    let mut out = String::new();
    let Some(applied) = &report.applied else { return "Nothing was sent.".to_owned() };
    let _ = writeln!(out, "{}", sent(applied, report));
    for remark in &applied.remarks {
        let _ = writeln!(out, "  ! {}", plain(remark));
    }
    for line in failing::failed(&applied.failing) {
        let _ = writeln!(out, "  x {line}");
    }
    for line in failing::waiting(&applied.paused) {
        let _ = writeln!(out, "  . {line}");
    }
    if !applied.groups_created.is_empty() {
        let groups = applied.groups_created.join(", ");
        let groups = plain(&groups);
        let _ = writeln!(
            out,
            "\nNew groups: {groups}.\nThey give no access until an administrator adds them to an app:\n  {APP_ACCESS_MENU}"
        );
    }
    out
}

fn sent(applied: &Applied, report: &Report) -> String {
    if report.document.actions.is_empty() {
        return "Nothing was to be sent.".to_owned();
    }
    let mut text = format!("Done: {}", applied.done);
    for (count, word) in [(applied.refused, "refused"), (applied.unknown, "unknown"), (applied.waiting, "not sent")] {
        if count > 0 {
            let _ = write!(text, ", {word}: {count}");
        }
    }
    let _ = write!(text, " (cycle {}).", report.cycle);
    text
}

/// How the command ends; `again` is the command that sends the plan once it is approved.
pub(super) fn end(global: &Global, (store, report): (&Store, &Report), again: &str) -> Result<(), Ended> {
    match report.end {
        End::Done | End::Previewed => Ok(()),
        End::Held => Err(held(global, (store, report), again)?),
        End::Paused => Err(Ended::with(5, "paused: the brake is on, and nothing (more) was sent")
            .next(format!("To go on: {}", setup::command_line(global, "resume")))),
        End::OutOfTime => Err(out_of_time(global, report, again)),
        End::Failing => {
            let stopped = report.applied.as_ref().and_then(|applied| applied.stopped.as_ref());
            match stopped {
                Some(error) => Err(Ended::of(4, error).next("sending stopped; what was done is recorded")),
                None => Err(Ended::with(4, "error: some records are failing; the others are done and recorded")
                    .next(format!("To see them: {}", setup::command_line(global, "status")))),
            }
        }
    }
}

/// Waits for a person; or somebody has said no already, and is not asked again.
fn held(global: &Global, (store, report): (&Store, &Report), again: &str) -> Result<Ended, Ended> {
    let document = &report.document;
    let ended = if let Some(line) = rejected(store, document)? {
        Ended::with(5, line).next(plan::approve_after_all_line(global, document, again))
    } else {
        let reject = setup::command_line(global, &format!("reject {}", document.short_fingerprint()));
        Ended::with(5, WAITS).next(plan::approve_line(global, document, again)).next(format!("To reject it: {reject}"))
    };
    Ok(plan::leaver_lines(global, document).into_iter().fold(ended, Ended::next))
}

/// Said of a held plan that nobody decided on.
pub(super) const WAITS: &str = "held: the plan waits for a person, and nothing was sent";

/// Who rejected a plan as it is, when somebody did.
pub(super) fn rejected(store: &Store, document: &PlanDocument) -> Result<Option<String>, StoreError> {
    let now = Timestamp::from_seconds(Clock::system().now_seconds());
    let rejection = standing::rejection(store, document, now)?;
    let line = |by: DecisionRecord| format!("held: rejected by {} at {}: nothing of it is sent", by.who, by.at);
    Ok(rejection.map(line))
}

fn out_of_time(global: &Global, report: &Report, again: &str) -> Ended {
    let applied = report.applied.as_ref();
    let late = applied.map_or(0, |applied| applied.late);
    // What an undo did not give back is in no plan: only another undo does it.
    let next = if again == "sync" { " and wait for the next cycle, which plans anew" } else { "" };
    let line = format!("out of time: schedule.sending_minutes_max is over; {late} requests were not sent{next}");
    let ended = Ended::with(4, line).next(format!("To go on: {}", setup::command_line(global, again)));
    if applied.is_some_and(|applied| !applied.failing.is_empty()) {
        return ended.next(format!("Some records are failing; to see them: {}", setup::command_line(global, "status")));
    }
    ended
}
