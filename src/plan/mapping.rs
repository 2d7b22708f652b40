//! Whether what the mapping makes of people is what the target holds of them already.

use super::Capabilities;
use super::Inputs;
use super::Plan;
use super::action::{Change, Changes, Step};
use crate::desired::Desired;
use crate::desired::Rules;
use crate::model::Attribute;
use crate::model::Observed;
use crate::model::Owned;
use crate::model::PersonId;
use crate::model::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The accounts of people in scope that are there already, and how they differ from what the mapping makes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// So many people in scope have an account there, whoever made it.
    pub accounts: usize,
    /// So many of them would be changed.
    pub differing: usize,
    /// By attribute: how many would be changed, and the first of them.
    pub attributes: BTreeMap<Attribute, (usize, Change)>,
}

impl Agreement {
    /// Compares as a first plan would, in which everything that is there is to be adopted.
    pub fn of(desired: &Desired, rules: &Rules, observed: &Observed, capabilities: &Capabilities) -> Self {
        let (owned, confirmed, pinned) = (Owned::default(), BTreeSet::new(), BTreeMap::new());
        let plan = Plan::compute(&Inputs {
            desired,
            rules,
            before: None,
            owned: &owned,
            drift: None,
            observed: Some(observed),
            confirmed: &confirmed,
            pinned: &pinned,
            capabilities,
            // Nobody who is there has left: there is no grace period to count.
            now: Timestamp::from_seconds(0),
        });
        let mut agreement = Self::default();
        let mut differing: BTreeSet<&PersonId> = BTreeSet::new();
        for action in &plan.actions {
            match &action.step {
                Step::Adopt { .. } => agreement.accounts += 1,
                Step::Update { person, changes } | Step::Reactivate { person, changes } if !changes.is_empty() => {
                    differing.insert(&person.user_id);
                    agreement.count(changes);
                }
                Step::Update { .. }
                | Step::Reactivate { .. }
                | Step::Create { .. }
                | Step::Deactivate { .. }
                | Step::AdoptGroup { .. }
                | Step::CreateGroup { .. }
                | Step::UpdateMembers { .. } => {}
            }
        }
        agreement.differing = differing.len();
        agreement
    }

    fn count(&mut self, changes: &Changes) {
        for (attribute, change) in changes {
            self.attributes.entry(*attribute).or_insert_with(|| (0, change.clone())).0 += 1;
        }
    }

    /// The attributes that the mapping gets otherwise for most of the accounts: rather a mistake than many changes.
    pub fn doubtful(&self) -> impl Iterator<Item = (Attribute, usize, &Change)> {
        let is_most = |count: usize| count * 2 > self.accounts && count > 1;
        let most = self.attributes.iter().filter(move |(_, (count, _))| is_most(*count));
        most.map(|(attribute, (count, change))| (*attribute, *count, change))
    }
}
