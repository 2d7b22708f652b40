//! `approve` and `reject`: a person decides on a held plan.

use super::args::{DecideOptions, Global};
use super::edge::Ended;
use super::output::put;
use super::standing::Standing;
use super::{setup, standing, who};
use crate::clock::Clock;
use crate::config::Config;
use crate::guard::Item;
use crate::model::Timestamp;
use crate::plan::{ActionDocument, Fingerprint};
use crate::report::PlanDocument;
use crate::store::{CycleId, Decision, DecisionRecord, PlanRecord, PlanVerdict, Store, StoreError};
use std::collections::BTreeSet;

pub(super) fn approve(global: &Global, options: &DecideOptions) -> Result<(), Ended> {
    decide(global, options, Decision::Approved)
}

pub(super) fn reject(global: &Global, options: &DecideOptions) -> Result<(), Ended> {
    decide(global, options, Decision::Rejected)
}

fn decide(global: &Global, options: &DecideOptions, decision: Decision) -> Result<(), Ended> {
    let config = setup::read_config_without_secrets(global)?;
    let mut store = setup::open_store(&config)?;
    let plan = find(&store, &options.fingerprint)?;
    let short = plan.fingerprint.get(..12).unwrap_or(&plan.fingerprint).to_owned();
    let now = Timestamp::from_seconds(Clock::system().now_seconds());
    refuse_what_is_over(global, (&store, &plan), decision, now)?;
    let risky = match plan.verdict {
        PlanVerdict::Held => plan.risky,
        // What was approved is not held any more, and can be rejected all the same; and who rejected it, can approve it
        // again.
        PlanVerdict::Approved if decision == Decision::Rejected || was_rejected(&store, &plan.fingerprint)? => {
            approved(&store, &plan.fingerprint)?
        }
        PlanVerdict::Approved => BTreeSet::new(),
    };
    if plan.verdict != PlanVerdict::Held && risky.is_empty() {
        return Err(Ended::with(2, format!("error: plan {short} is not held: there is nothing to decide")));
    }
    if decision == Decision::Approved && config.approval.note_required && options.note.trim().is_empty() {
        return Err(Ended::with(2, "error: a note is required (approval.note_required): say why with --note TEXT"));
    }
    let record = DecisionRecord {
        fingerprint: plan.fingerprint.clone(),
        decision,
        at: now,
        expires_at: expiry(&config, decision, now),
        who: who::who(),
        note: options.note.trim().to_owned(),
        risky,
    };
    if follows_from_target(&plan.document) {
        // The next cycle must see what was decided on.
        store.ask_for_refresh()?;
    }
    store.record_decision(&record)?;
    match record.expires_at {
        Some(until) => {
            put(&format!(
                "approved: plan {short}, by {}, until {until} ({} risky changes)",
                record.who,
                record.risky.len()
            ));
            put(&format!("Nothing is sent yet. To send it: {}", way_on(global, &store, plan.cycle)?));
        }
        None => put(&format!("rejected: plan {short}, by {}; nothing of it is sent", record.who)),
    }
    Ok(())
}

/// Nothing that is over is decided on: it would count for what is planned another day.
fn refuse_what_is_over(
    global: &Global,
    (store, plan): (&Store, &PlanRecord),
    decision: Decision,
    now: Timestamp,
) -> Result<(), Ended> {
    let short = plan.fingerprint.get(..12).unwrap_or(&plan.fingerprint);
    match standing::of(store, plan)? {
        Standing::Sent(cycle) if cycle.end.as_ref().is_some_and(|end| end.exit_code == 0) => {
            let shown = setup::command_line(global, &format!("show cycle {}", cycle.id));
            let line = format!("error: plan {short} was sent by cycle {}: there is nothing to decide", cycle.id);
            Err(Ended::with(2, line).next(format!("To see what was sent: {shown}")))
        }
        Standing::Overtaken(held) if !standing::is_open(store, (plan, held.as_ref()), decision, now)? => {
            let line = format!("error: plan {short} is not the newest plan any more, and nothing of it waits");
            Err(Ended::with(2, line).next(what_is_newest(global, held.as_ref())))
        }
        Standing::Sent(_) | Standing::Current | Standing::Overtaken(_) => Ok(()),
    }
}

/// How to see what is planned now.
pub(super) fn what_is_newest(global: &Global, held: Option<&PlanRecord>) -> String {
    let Some(held) = held else { return format!("To make a new one: {}", setup::command_line(global, "plan")) };
    let short = held.fingerprint.get(..12).unwrap_or(&held.fingerprint);
    format!("Plan {short} waits now: {}", setup::command_line(global, &format!("show plan {short}")))
}

/// Whether a plan has something that only a reading of the target shows.
fn follows_from_target(document: &str) -> bool {
    let document: Option<PlanDocument> = serde_json::from_str(document).ok();
    document.is_some_and(|document| document.actions.iter().any(ActionDocument::follows_from_target))
}

/// Whether the last word about this very plan was a rejection.
fn was_rejected(store: &Store, fingerprint: &str) -> Result<bool, StoreError> {
    let last = store.read_decisions(fingerprint)?.pop();
    Ok(last.is_some_and(|record| record.decision == Decision::Rejected))
}

/// What the approvals of this very plan cover.
fn approved(store: &Store, fingerprint: &str) -> Result<BTreeSet<Item>, StoreError> {
    let decisions = store.read_decisions(fingerprint)?.into_iter();
    let approvals = decisions.filter(|record| record.decision == Decision::Approved);
    Ok(approvals.flat_map(|record| record.risky).collect())
}

/// What sends a plan is the command that made it.
pub(super) fn way_on(global: &Global, store: &Store, cycle: CycleId) -> Result<String, StoreError> {
    let command = store.read_cycle(cycle)?.map(|record| record.command);
    Ok(match command.as_deref() {
        Some("undo" | "undo --dry-run") => "the same undo again".to_owned(),
        Some("apply") => "the same apply again".to_owned(),
        Some(_) | None => setup::command_line(global, "sync"),
    })
}

fn expiry(config: &Config, decision: Decision, now: Timestamp) -> Option<Timestamp> {
    let seconds = i64::from(config.approval.valid_hours) * 3_600;
    (decision == Decision::Approved).then(|| now.plus_seconds(seconds))
}

/// The one plan with this fingerprint.
pub(super) fn find(store: &Store, fingerprint: &str) -> Result<PlanRecord, Ended> {
    let Some(parsed) = Fingerprint::parse(fingerprint) else {
        let line = format!(
            "error: {fingerprint:?} is not a fingerprint: twelve or more of the digits 0-9 a-f, as `plan` prints them"
        );
        return Err(Ended::with(2, line));
    };
    let mut plans = store.read_plans(parsed.as_str())?;
    match (plans.len(), plans.pop()) {
        (1, Some(plan)) => Ok(plan),
        (0, _) | (_, None) => {
            Err(Ended::with(2, format!("error: no plan {fingerprint} is known (any more); make one with `plan`")))
        }
        (count, Some(_)) => {
            Err(Ended::with(2, format!("error: {count} plans begin with {fingerprint}; give more digits")))
        }
    }
}
