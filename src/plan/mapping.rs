//! Whether what the mapping makes of people is what the target holds of them already, and manages.

use super::Capabilities;
use super::Inputs;
use super::Plan;
use super::action::{Change, Changes, Step};
use crate::desired::Desired;
use crate::desired::Rules;
use crate::desired::Standing;
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
        let most = self.attributes.iter().filter(|(_, (count, _))| is_most(*count, self.accounts));
        most.map(|(attribute, (count, change))| (*attribute, *count, change))
    }
}

/// The people in scope whose address is in no verified domain, so that Atlassian does not manage their accounts (S11).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unmanaged {
    /// So many people in scope should have an account, and have an address.
    pub people: usize,
    /// Of those outside, how many are in which domain.
    pub domains: BTreeMap<String, usize>,
}

impl Unmanaged {
    /// Counts them.
    pub fn of(desired: &Desired, rules: &Rules) -> Self {
        let mut unmanaged = Self::default();
        let accounts = desired.accounts.values();
        for account in accounts.filter(|account| matches!(account.standing, Standing::Active | Standing::Keep(_))) {
            let address = account.attributes.as_ref().ok().and_then(|attributes| attributes.value(Attribute::Emails));
            let Some((_, domain)) = address.and_then(|address| address.split_once('@')) else { continue };
            unmanaged.people += 1;
            if !rules.is_managed_domain(domain) {
                *unmanaged.domains.entry(domain.to_owned()).or_default() += 1;
            }
        }
        unmanaged
    }

    /// How many are outside.
    pub fn count(&self) -> usize {
        self.domains.values().sum()
    }

    /// Whether most are: rather a mistake in the configuration than guests.
    pub fn is_doubtful(&self) -> bool {
        is_most(self.count(), self.people)
    }
}

/// One alone is no sign of a mistake.
const fn is_most(count: usize, of: usize) -> bool {
    count.saturating_mul(2) > of && count > 1
}
