//! Decides whether a plan may run unattended; the only maker of [`Approved`].
//!
//! It counts what a plan takes away or changes, by class, together with what was sent without approval in the last 24
//! hours, and holds the whole plan with a finding for *every* limit that is broken (S4). What a person has approved is
//! not counted again (S10). It knows no clock and no database: both come as values.

mod budget;
mod finding;
mod limits;
mod risk;

pub use finding::{Finding, FindingDocument, FindingKind};
pub use limits::{FirstPlan, Limit, Limits};
pub use risk::{Class, Item, items_of};

use crate::desired::ScopeChange;
use crate::model::GroupId;
use crate::model::Timestamp;
use crate::plan::DriftFound;
use crate::plan::Plan;
use crate::plan::Trust;
use std::collections::{BTreeMap, BTreeSet};

/// What the plan is judged against, beside the limits.
#[derive(Clone, Debug, Default)]
pub struct Situation {
    /// Active owned accounts before the plan.
    pub active_accounts: u64,
    /// Owned memberships before the plan.
    pub memberships: u64,
    /// Owned members of each owned group before the plan, with the group's name.
    pub group_members: BTreeMap<GroupId, (String, u64)>,
    /// What was sent without approval in the last 24 hours, by class.
    pub spent: BTreeMap<Class, u64>,
    /// Leaves without approval in the last 24 hours, by group.
    pub spent_leaves: BTreeMap<GroupId, u64>,
    /// Items that a person has approved, in approvals that are still valid.
    pub approved: BTreeSet<Item>,
    /// Items that a person has rejected, and that nobody approved since.
    pub rejected: BTreeSet<Item>,
    /// Whether a plan was ever carried out for this database.
    pub history: History,
    /// What is different about the selected groups (S5).
    pub scope_changes: Vec<ScopeChange>,
    /// Selected groups that have nobody in the roster, with how many they had: id, name, count (S5).
    pub emptied_groups: Vec<(GroupId, String, u64)>,
    /// Whether the whole roster became empty.
    pub roster: RosterSize,
    /// How many people the roster has.
    pub people: u64,
    /// What differs between the rules of the snapshot and those of today, as phrases that go on after "because".
    pub configuration_changes: Vec<String>,
    /// How the directory sync of Duo is, where people come from one.
    pub directory_sync: Option<DirectorySync>,
    /// Whether a pilot that was on has been ended by the configuration (S7).
    pub pilot: Pilot,
    /// Whether the snapshot is believed (S19).
    pub trust: Trust,
    /// What somebody else changed in the target, where it was read.
    pub drift: DriftFound,
}

/// What the people's `last_directory_sync` say (S21).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectorySync {
    /// The newest of them.
    pub newest: Timestamp,
    /// Seconds since then.
    pub age_seconds: i64,
    /// How many people come from a directory.
    pub people: u64,
    /// How many of them were not in its run of the last day.
    pub behind: u64,
}

/// Whether a plan was ever carried out for a database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum History {
    /// This is the first plan that would write.
    #[default]
    None,
    /// At least one was.
    Some,
}

/// Whether the roster became empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RosterSize {
    /// Somebody is in it, or nobody ever was.
    #[default]
    Normal,
    /// It had people, and has none.
    BecameEmpty,
}

/// Whether a pilot was ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pilot {
    /// No.
    #[default]
    AsBefore,
    /// `scope.pilot_people` had entries and has none.
    Ended,
}

/// A plan that may be carried out. Only [`review`] and [`review_one_leaver`] make one.
///
/// ```
/// use duo_atlassian_sync::guard::{FirstPlan, Limit, Limits, Situation, Verdict, review};
/// use duo_atlassian_sync::plan::Plan;
///
/// let none = Limit { count: 0, percent: 0, at_most: 0 };
/// let limits = Limits {
///     deactivations: none, reactivations: none, leaves: none, leaves_per_group: none, updates: none,
///     identity_changes: none, creates: none, adoptions: none, accounts: 0, first_plan: FirstPlan::Hold,
/// };
/// let verdict = review(Plan::default(), &limits, &Situation::default());
/// let Verdict::Approved(approved) = verdict else { panic!("an empty plan is approved") };
/// assert!(approved.plan().is_empty());
/// ```
///
/// Nobody else can put one together, since its fields are its own:
///
/// ```compile_fail,E0451
/// use duo_atlassian_sync::guard::Approved;
/// use duo_atlassian_sync::plan::Plan;
///
/// let approved = Approved { plan: Plan::default(), by_person: Default::default(), notices: Vec::new() };
/// ```
///
/// There is none by default, none is copied from another, and none is read from a file. What compiles for other types:
///
/// ```
/// use duo_atlassian_sync::guard::{Item, Situation};
///
/// fn made<T: Default>() {}
/// fn copied<T: Clone>() {}
/// fn read<T: serde::de::DeserializeOwned>() {}
/// made::<Situation>();
/// copied::<Situation>();
/// read::<Item>();
/// ```
///
/// does not for this one:
///
/// ```compile_fail,E0277
/// use duo_atlassian_sync::guard::Approved;
///
/// fn made<T: Default>() {}
/// made::<Approved>();
/// ```
///
/// ```compile_fail,E0277
/// use duo_atlassian_sync::guard::Approved;
///
/// fn copied<T: Clone>() {}
/// copied::<Approved>();
/// ```
///
/// ```compile_fail,E0277
/// use duo_atlassian_sync::guard::Approved;
///
/// fn read<T: serde::de::DeserializeOwned>() {}
/// read::<Approved>();
/// ```
#[derive(Debug)]
pub struct Approved {
    plan: Plan,
    by_person: BTreeSet<Item>,
    notices: Vec<Finding>,
}

impl Approved {
    /// The plan.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Whether a person approved this item; otherwise it counts against the limits of the next 24 hours.
    pub fn is_by_person(&self, item: &Item) -> bool {
        self.by_person.contains(item)
    }
}

/// A plan that waits for a person.
#[derive(Debug)]
pub struct Held {
    plan: Plan,
    findings: Vec<Finding>,
}

impl Held {
    /// The plan.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Every reason why it waits.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What an approval of this plan covers: the risky items of all its findings.
    pub fn risky_items(&self) -> BTreeSet<Item> {
        self.findings.iter().flat_map(|finding| finding.items.iter().cloned()).collect()
    }
}

/// The guard's answer.
#[derive(Debug)]
pub enum Verdict {
    /// It may run.
    Approved(Approved),
    /// It waits.
    Held(Held),
}

impl Verdict {
    /// The plan, whatever the answer.
    pub const fn plan(&self) -> &Plan {
        match self {
            Self::Approved(approved) => &approved.plan,
            Self::Held(held) => &held.plan,
        }
    }

    /// The plan, to be judged anew.
    pub fn into_plan(self) -> Plan {
        match self {
            Self::Approved(approved) => approved.plan,
            Self::Held(held) => held.plan,
        }
    }

    /// Every reason why it waits, and what is found but holds nothing.
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Approved(approved) => &approved.notices,
            Self::Held(held) => &held.findings,
        }
    }
}

/// Judges a plan. An empty plan is always approved: it does nothing.
pub fn review(plan: Plan, limits: &Limits, situation: &Situation) -> Verdict {
    let notices = finding::notices(situation);
    if plan.is_empty() {
        return Verdict::Approved(Approved { plan, by_person: BTreeSet::new(), notices });
    }
    let all = items_of(&plan);
    let open: Vec<(Class, Item)> = all.iter().filter(|(_, item)| !situation.approved.contains(item)).cloned().collect();
    let mut findings = finding::of_situation(&plan, limits, situation, &open);
    findings.extend(finding::of_unconfirmed(&plan, &all));
    findings.extend(budget::findings(&plan, limits, situation, &open));
    findings.sort_by_key(|finding| finding.kind);
    if findings.is_empty() {
        let by_person =
            all.into_iter().map(|(_, item)| item).filter(|item| situation.approved.contains(item)).collect();
        Verdict::Approved(Approved { plan, by_person, notices })
    } else {
        findings.extend(notices);
        Verdict::Held(Held { plan, findings })
    }
}

/// Whether a plan was made with a database that is not trusted, and that the target proved wrong: all of it is held
/// until somebody approves all of it (S19).
pub fn is_in_doubt(plan: &Plan, situation: &Situation) -> bool {
    let adopts = || items_of(plan).iter().any(|(class, _)| *class == Class::Adoption);
    !situation.trust.is_trusted() && (!situation.drift.is_empty() || adopts())
}

/// Judges what takes access away from one person, because somebody asks for that one person now: no limit counts, and
/// nothing of it counts against the limits. Anything else in the plan holds it.
pub fn review_one_leaver(plan: Plan) -> Verdict {
    let items = items_of(&plan);
    let takes = |class: Class| matches!(class, Class::Deactivation | Class::Leave | Class::LeaverLeave);
    let people: BTreeSet<_> = items.iter().map(|(_, item)| item.person.clone()).collect();
    let by_person: BTreeSet<Item> = items.iter().map(|(_, item)| item.clone()).collect();
    if people.len() <= 1 && items.iter().all(|(class, _)| takes(*class)) {
        return Verdict::Approved(Approved { plan, by_person, notices: Vec::new() });
    }
    let message = "this is more than taking access away from one person".to_owned();
    Verdict::Held(Held { findings: vec![Finding::of(FindingKind::MoreThanOneLeaver, message, by_person)], plan })
}

#[cfg(test)]
mod tests;
