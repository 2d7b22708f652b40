//! A saved plan: applied exactly, or refused with what moved.

use super::{CycleError, Tools};
use crate::clock::Clock;
use crate::guard;
use crate::guard::Situation;
use crate::guard::Verdict;
use crate::model::Timestamp;
use crate::plan::Action;
use crate::plan::ActionDocument;
use crate::plan::Plan;
use crate::store::Decision;
use crate::store::DecisionRecord;
use crate::store::Who;
use std::collections::BTreeSet;

/// The actions of a saved plan that are to be sent.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The entries of the file.
    pub actions: Vec<ActionDocument>,
    /// Ids of actions that are left out; what depends on them is left out too.
    pub left_out: BTreeSet<String>,
    /// What happens when an entry does not hold any more.
    pub moved: IfMoved,
    /// Who approves the risky ones among them, when somebody does.
    pub approval: Option<Approval>,
}

/// What happens when an entry does not hold any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfMoved {
    /// The whole plan is refused.
    Refuse,
    /// The entries that still hold are sent.
    SendTheRest,
}

/// An approval that is given with the command.
#[derive(Clone, Debug)]
pub struct Approval {
    /// Of which plan.
    pub fingerprint: String,
    /// Who.
    pub who: Who,
    /// For how long.
    pub valid_hours: u32,
}

impl Listed {
    /// Whether an entry follows from what the target says: then today's plan has it only if the target is read.
    pub(super) fn needs_target(&self) -> bool {
        self.actions.iter().any(ActionDocument::follows_from_target)
    }

    /// Cuts today's plan to what is listed. Says what is not sent, and why; fails with what moved.
    pub(super) fn pick(&self, plan: &mut Plan) -> Result<Vec<String>, Vec<String>> {
        // What is left out need not hold any more.
        let wanted: Vec<ActionDocument> =
            self.actions.iter().filter(|entry| !self.left_out.contains(&entry.id)).cloned().collect();
        let before = plan.clone();
        let moved = plan.pick(&wanted);
        if !moved.is_empty() && self.moved == IfMoved::Refuse {
            return Err(moved);
        }
        // Whatever today's plan has and is not sent takes with it what needs it.
        let kept: BTreeSet<String> = plan.actions.iter().map(Action::id).collect();
        let gone = before.actions.iter().map(Action::id).filter(|id| !kept.contains(id)).collect();
        *plan = before;
        let dependent = plan.leave_out(&gone);
        let asked = self.left_out.iter().map(|id| format!("{id}: left out as asked"));
        let dependent = dependent.into_iter().map(|left| format!("{}: {}", left.id, left.reason));
        Ok(moved.into_iter().chain(asked).chain(dependent).collect())
    }

    /// The guard's answer of today; with the approval that was given, if it is needed.
    pub(super) fn review(
        &self,
        plan: Plan,
        situation: &Situation,
        tools: &mut Tools<'_, '_>,
    ) -> Result<Verdict, CycleError> {
        let limits = &tools.settings.limits;
        let verdict = guard::review(plan, limits, situation);
        let (Verdict::Held(held), Some(approval)) = (&verdict, &self.approval) else { return Ok(verdict) };
        let risky = held.risky_items();
        let now = now(tools.services.clock);
        tools.store.record_decision(&DecisionRecord {
            fingerprint: approval.fingerprint.clone(),
            decision: Decision::Approved,
            at: now,
            expires_at: Some(now.plus_seconds(i64::from(approval.valid_hours) * 3_600)),
            who: approval.who.clone(),
            note: "given with `apply --approve`".to_owned(),
            risky: risky.clone(),
        })?;
        let mut situation = situation.clone();
        situation.rejected.retain(|item| !risky.contains(item));
        situation.approved.extend(risky);
        Ok(guard::review(verdict.into_plan(), limits, &situation))
    }
}

fn now(clock: &Clock) -> Timestamp {
    Timestamp::from_seconds(clock.now_seconds())
}
