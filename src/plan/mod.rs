//! Compares what is desired with what is owned and returns ordered, self-contained actions, each with its reason.
//!
//! Pure and deterministic: the same input gives the same bytes on any machine. What is risky is the guard's business.

mod action;
mod adopt;
mod clash;
mod document;
mod drift;
mod fingerprint;
mod mapping;
mod membership;
mod person;
mod pick;
mod seats;
mod undo;

pub use action::{Action, Cause, Change, Changes, Departure, GroupRef, PersonRef, Skipped, Step, Subject};
pub use document::{ActionDocument, ChangeDocument, GroupDocument, PersonDocument, SkippedDocument};
pub use drift::{AccountDifference, Comparison, Drift, DriftFound, GroupDifference, Trust, Unlinked};
pub use fingerprint::Fingerprint;
pub use mapping::{Agreement, Unmanaged};
pub use person::left_out_by;
pub use pick::LeftOut;
pub use seats::Seats;
pub use undo::Taken;

use crate::desired::Desired;
use crate::desired::Rules;
use crate::model::Observed;
use crate::model::Owned;
use crate::model::PersonId;
use crate::model::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What the target cannot do, as data. Taken out before the comparison, so that no plan holds the impossible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// A group may have so many members.
    pub group_members_max: usize,
    /// Names (lower case) that the target accepts and then ignores.
    pub group_names_ignored: BTreeSet<String>,
}

/// What a plan is computed from.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// What should be true under the rules of today.
    pub desired: &'a Desired,
    /// The rules of today.
    pub rules: &'a Rules,
    /// What should be true under the rules that the snapshot was made with, where those differ (S6).
    pub before: Option<(&'a Desired, &'a Rules)>,
    /// The snapshot; corrected, where the target was read.
    pub owned: &'a Owned,
    /// How it was corrected, where the target was read.
    pub drift: Option<&'a Drift>,
    /// What the target says, where it was read: matches become adoptions.
    pub observed: Option<&'a Observed>,
    /// People whose records were read by id after the lists.
    pub confirmed: &'a BTreeSet<PersonId>,
    /// People from whom nothing is taken, and of whom nothing is changed, since an undo, with the reason.
    pub pinned: &'a BTreeMap<PersonId, String>,
    /// What the target can do.
    pub capabilities: &'a Capabilities,
    /// For the grace period.
    pub now: Timestamp,
}

/// An ordered list of actions, and what is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Sorted; nothing is left to choose for whoever carries them out.
    pub actions: Vec<Action>,
    /// Sorted.
    pub skipped: Vec<Skipped>,
    /// Accounts for which there is nothing to do.
    pub unchanged: usize,
    /// The usernames of everyone in the actions, for people to read.
    pub names: BTreeMap<PersonId, String>,
    /// People who would lose an account or a membership because they are missing from the lists, and were not asked for
    /// by id yet (S2). A plan with any of them is not final.
    pub unconfirmed: BTreeSet<PersonId>,
    /// People who are missing from the scope and wait for their grace period to end (S9).
    pub in_grace: BTreeSet<PersonId>,
}

/// The other comparisons that say where an action comes from.
#[derive(Clone, Copy)]
struct Others<'w, 'a> {
    /// Under the rules that the snapshot was made with (S6).
    before: Option<&'w person::World<'a>>,
    /// With the snapshot as it was before what the target says was read into it.
    unread: Option<&'w person::World<'a>>,
}

impl Plan {
    /// Compares and decides.
    pub fn compute(inputs: &Inputs<'_>) -> Self {
        let adopted = adopt::compute(inputs);
        let today = person::World::new(inputs, inputs.desired, inputs.rules, &adopted);
        let before = inputs.before.map(|(desired, rules)| person::World::new(inputs, desired, rules, &adopted));
        let drift = inputs.drift.filter(|drift| !drift.is_empty());
        let unread = drift.map(|drift| Inputs { owned: &drift.before, drift: None, observed: None, ..*inputs });
        let nothing = adopt::Adopted::default();
        let unread = unread.as_ref().map(|inputs| person::World::new(inputs, inputs.desired, inputs.rules, &nothing));
        let others = Others { before: before.as_ref(), unread: unread.as_ref() };
        let mut plan = Self { skipped: adopted.skipped.clone(), ..Self::default() };
        plan.actions.extend(adopted.actions());
        person::plan(&today, others, &mut plan);
        membership::plan(&today, others, &mut plan);
        plan.actions.sort_by_cached_key(Action::sort_key);
        plan.skipped.sort();
        plan.skipped.dedup();
        plan.name_people(&today);
        plan
    }

    /// Who is missing from the scope: whoever waits for a grace period to end, and whoever it has ended for (S9).
    pub fn left_scope(&self) -> BTreeSet<PersonId> {
        let leaver = |action: &Action| match &action.step {
            Step::Deactivate { person, departure: Departure::LeftScope } => Some(person.user_id.clone()),
            Step::Deactivate { .. }
            | Step::Adopt { .. }
            | Step::Create { .. }
            | Step::Update { .. }
            | Step::Reactivate { .. }
            | Step::AdoptGroup { .. }
            | Step::CreateGroup { .. }
            | Step::UpdateMembers { .. } => None,
        };
        self.in_grace.iter().cloned().chain(self.actions.iter().filter_map(leaver)).collect()
    }

    /// Only what takes access away: deactivations, and the leaves of groups.
    #[must_use]
    pub fn taking_away_only(mut self) -> Self {
        self.actions.retain_mut(|action| match &mut action.step {
            Step::Deactivate { .. } => true,
            Step::UpdateMembers { join, leave, .. } => {
                join.clear();
                !leave.is_empty()
            }
            Step::Adopt { .. }
            | Step::Create { .. }
            | Step::Update { .. }
            | Step::Reactivate { .. }
            | Step::AdoptGroup { .. }
            | Step::CreateGroup { .. } => false,
        });
        self
    }

    /// The short name of this exact list of actions.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.actions)
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// How many actions of each kind, and how many joins and leaves.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary { skip: self.skipped.len(), unchanged: self.unchanged, ..Summary::default() };
        for action in &self.actions {
            match &action.step {
                Step::Adopt { .. } => summary.adopt += 1,
                Step::Create { .. } => summary.create += 1,
                Step::Update { .. } => summary.update += 1,
                Step::Reactivate { .. } => summary.reactivate += 1,
                Step::Deactivate { .. } => summary.deactivate += 1,
                Step::AdoptGroup { .. } => summary.adopt_group += 1,
                Step::CreateGroup { .. } => summary.create_group += 1,
                Step::UpdateMembers { join, leave, .. } => {
                    summary.join += join.len();
                    summary.leave += leave.len();
                }
            }
        }
        summary
    }

    /// The username of a person in this plan; the id where it is not known.
    pub fn name_of<'a>(&'a self, person: &'a PersonId) -> &'a str {
        self.names.get(person).map_or(person.as_str(), String::as_str)
    }

    fn name_people(&mut self, world: &person::World<'_>) {
        let mut names = BTreeMap::new();
        for action in &self.actions {
            for id in action.step.people() {
                names.entry(id.clone()).or_insert_with(|| world.username(id));
            }
        }
        for (drift, id) in world.inputs.drift.iter().flat_map(|drift| drift.people().map(move |id| (drift, id))) {
            let known = drift.before.accounts.get(id).filter(|_| !world.is_known(id));
            let name = || known.map_or_else(|| world.username(id), |account| account.username.clone());
            names.entry(id.clone()).or_insert_with(name);
        }
        self.names = names;
    }
}

/// A plan in numbers. `join` and `leave` count memberships.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Summary {
    /// Accounts to link.
    pub adopt: usize,
    /// Accounts to create.
    pub create: usize,
    /// Accounts to change.
    pub update: usize,
    /// Accounts to make active again.
    pub reactivate: usize,
    /// Accounts to make inactive.
    pub deactivate: usize,
    /// Groups to link.
    pub adopt_group: usize,
    /// Groups to create.
    pub create_group: usize,
    /// Memberships to add.
    pub join: usize,
    /// Memberships to remove.
    pub leave: usize,
    /// People and groups left as they are.
    pub skip: usize,
    /// Accounts with nothing to do.
    pub unchanged: usize,
}

#[cfg(test)]
mod tests;
