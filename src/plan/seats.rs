//! The user tier: over it, only creates and reactivations wait (`guard.accounts_max`).

use super::Plan;
use super::action::{Action, Skipped, Step, Subject};
use crate::model::PersonId;
use std::collections::BTreeSet;

/// Accounts before and after a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Seats {
    /// Active accounts now: ours, and those of the directory that are not ours where they are known.
    pub before: u64,
    /// Active accounts after the plan.
    pub after: u64,
    /// `guard.accounts_max`; 0: not known.
    pub max: u64,
}

impl Plan {
    /// Lets creates and reactivations wait that would go over `max` (0: no limit), the last ones of the plan first.
    /// What they would join waits with them. Nobody loses anything by it.
    pub fn keep_within_seats(&mut self, before: u64, max: u64) -> Seats {
        let count = |plan: &Self, takes: fn(&Step) -> bool| {
            u64::try_from(plan.actions.iter().filter(|action| takes(&action.step)).count()).unwrap_or(u64::MAX)
        };
        let freed = count(self, |step| matches!(step, Step::Deactivate { .. }));
        let taken = count(self, takes_a_seat);
        let kept = before.saturating_sub(freed);
        let free = if max == 0 { taken } else { max.saturating_sub(kept).min(taken) };
        let mut left = free;
        let mut waiting: Vec<Action> = Vec::new();
        self.actions.retain(|action| {
            if !takes_a_seat(&action.step) || left > 0 {
                left -= u64::from(takes_a_seat(&action.step));
                return true;
            }
            waiting.push(action.clone());
            false
        });
        let over = waiting.len();
        self.take_out_takers(&mut waiting);
        let mut skipped: Vec<Skipped> = waiting
            .iter()
            .enumerate()
            .filter_map(|(at, action)| {
                let reason = if at < over {
                    format!(
                        "waits for a free place: {kept} accounts stay and {max} are allowed (guard.accounts_max); \
                         raise the user tier and the limit, or free a place"
                    )
                } else {
                    "waits for a name or an address of somebody who waits for a free place (guard.accounts_max)"
                        .to_owned()
                };
                Some(Skipped { subject: Subject::Person(action.step.person()?.clone()), reason })
            })
            .collect();
        let seatless = waiting.iter().filter(|action| takes_a_seat(&action.step));
        let seatless: BTreeSet<PersonId> =
            seatless.filter_map(|action| action.step.person()).map(|person| person.user_id.clone()).collect();
        self.actions.retain_mut(|action| {
            let Step::UpdateMembers { join, leave, .. } = &mut action.step else { return true };
            join.retain(|person| !seatless.contains(person));
            !(join.is_empty() && leave.is_empty())
        });
        let after = kept + count(self, takes_a_seat);
        self.skipped.append(&mut skipped);
        self.skipped.sort();
        Seats { before, after, max }
    }
}

const fn takes_a_seat(step: &Step) -> bool {
    matches!(step, Step::Create { .. } | Step::Reactivate { .. })
}
