//! One reason why a plan waits for a person.

use super::limits::{FirstPlan, Limits};
use super::risk::{Class, Item, items_with_cause};
use super::{History, Pilot, RosterSize, Situation, is_in_doubt};
use crate::desired::ScopeChange;
use crate::model::GroupId;
use crate::model::PersonId;
use crate::plan::Action;
use crate::plan::Cause;
use crate::plan::Departure;
use crate::plan::PersonDocument;
use crate::plan::Plan;
use crate::plan::Step;
use crate::plan::Trust;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a finding is about; findings are listed in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// More than taking access away from one person, where only that was asked for.
    MoreThanOneLeaver,
    /// A person rejected it.
    Rejected,
    /// The first plan of a database.
    FirstPlan,
    /// The database is not trusted, and the target is not as it says.
    Untrusted,
    /// The whole roster became empty.
    EmptyRoster,
    /// A selected group became empty.
    EmptyGroup,
    /// A selected group vanished from Duo.
    VanishedGroup,
    /// A selected group has a name that its pattern does not fit any more.
    LeftPattern,
    /// A selector found a group that it had not found before.
    NewGroup,
    /// The configuration changed, and somebody would lose something by it.
    Configuration,
    /// A pilot was ended.
    PilotEnded,
    /// People who were not asked for by id.
    Unconfirmed,
    /// Half or more of all accounts.
    HalfOfAll,
    /// `deactivations_max`.
    Deactivations,
    /// `leaves_max`.
    Leaves,
    /// `leaves_per_group_max`.
    LeavesPerGroup,
    /// `identity_changes_max`.
    IdentityChanges,
    /// `updates_max`.
    Updates,
    /// `reactivations_max`.
    Reactivations,
    /// `creates_max`.
    Creates,
    /// `adoptions_max`.
    Adoptions,
    /// Somebody else changed the target. Holds nothing by itself.
    Drift,
    /// Something else makes records for people of ours. Holds nothing by itself.
    OtherWriter,
    /// Duo's directory sync has not run for a day. Holds nothing.
    DirectorySyncStopped,
    /// Many people were not in the last directory sync. Holds nothing.
    DirectorySyncLost,
}

impl FindingKind {
    /// The name in plan documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MoreThanOneLeaver => "more_than_one_leaver",
            Self::Rejected => "rejected",
            Self::FirstPlan => "first_plan",
            Self::Untrusted => "untrusted",
            Self::EmptyRoster => "empty_roster",
            Self::EmptyGroup => "empty_group",
            Self::VanishedGroup => "vanished_group",
            Self::LeftPattern => "left_pattern",
            Self::NewGroup => "new_group",
            Self::Configuration => "configuration",
            Self::PilotEnded => "pilot_ended",
            Self::Unconfirmed => "unconfirmed",
            Self::HalfOfAll => "half_of_all",
            Self::Deactivations => "deactivations",
            Self::Leaves => "leaves",
            Self::LeavesPerGroup => "leaves_per_group",
            Self::IdentityChanges => "identity_changes",
            Self::Updates => "updates",
            Self::Reactivations => "reactivations",
            Self::Creates => "creates",
            Self::Adoptions => "adoptions",
            Self::Drift => "drift",
            Self::OtherWriter => "other_writer",
            Self::DirectorySyncStopped => "directory_sync_stopped",
            Self::DirectorySyncLost => "directory_sync_lost",
        }
    }
}

/// One reason why a plan waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub kind: FindingKind,
    /// One or two sentences with the numbers, and what it looks like.
    pub message: String,
    /// The key of the configuration that sets the limit.
    pub key: Option<&'static str>,
    /// How many, sent without approval in the last 24 hours included; and the limit.
    pub numbers: Option<(u64, u64)>,
    /// Whom it concerns.
    pub people: BTreeSet<PersonId>,
    /// The risky items that an approval would cover.
    pub items: BTreeSet<Item>,
}

/// A finding in a plan document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingDocument {
    /// `first_plan`, `deactivations`, …
    pub finding: String,
    /// For people.
    pub message: String,
    /// The key of the configuration that sets the limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How many, sent without approval in the last 24 hours included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// The first ten people concerned.
    pub people: Vec<PersonDocument>,
    /// How many there are.
    pub people_count: usize,
}

impl FindingDocument {
    /// Whether the plan waits for this, too; otherwise it is only said with it.
    pub fn holds(&self) -> bool {
        use FindingKind as Kind;
        let notices = [Kind::Drift, Kind::OtherWriter, Kind::DirectorySyncStopped, Kind::DirectorySyncLost];
        notices.iter().all(|kind| kind.as_str() != self.finding)
    }
}

/// So many people are listed by name.
const NAMED_MAX: usize = 10;

impl Finding {
    /// The finding as a plan document has it; people by name up to ten, and a count.
    pub fn document(&self, plan: &Plan) -> FindingDocument {
        let name = |id: &PersonId| PersonDocument { user_id: id.to_string(), username: plan.name_of(id).to_owned() };
        FindingDocument {
            finding: self.kind.as_str().to_owned(),
            message: self.message.clone(),
            key: self.key.map(str::to_owned),
            count: self.numbers.map(|(count, _)| count),
            limit: self.numbers.map(|(_, limit)| limit),
            people: self.people.iter().take(NAMED_MAX).map(name).collect(),
            people_count: self.people.len(),
        }
    }

    pub(super) fn of(kind: FindingKind, message: String, items: BTreeSet<Item>) -> Self {
        let people = items.iter().filter_map(|item| item.person.clone()).collect();
        Self { kind, message, key: None, numbers: None, people, items }
    }
}

/// A directory sync that has not run for so long has stopped (S21).
const DIRECTORY_SYNC_AGE_MAX_SECONDS: i64 = 86_400;

/// So many people behind the last directory sync, and a tenth of all, are many.
const BEHIND_MIN: u64 = 10;

/// What is found, and holds nothing by itself.
pub(super) fn notices(situation: &Situation) -> Vec<Finding> {
    let mut notices = of_drift(situation);
    let Some(sync) = &situation.directory_sync else { return notices };
    if sync.age_seconds > DIRECTORY_SYNC_AGE_MAX_SECONDS {
        let message = format!(
            "Duo's directory sync has not run since {} ({} h ago): who left the directory since then still has access; look at it in Duo",
            sync.newest,
            sync.age_seconds / 3_600
        );
        notices.push(Finding::of(FindingKind::DirectorySyncStopped, message, BTreeSet::new()));
    }
    if sync.behind >= BEHIND_MIN && sync.behind.saturating_mul(10) >= sync.people {
        let message = format!(
            "{} of {} people from a directory were not in its last run: looks like a directory sync that lost them; look at it in Duo",
            sync.behind, sync.people
        );
        notices.push(Finding::of(FindingKind::DirectorySyncLost, message, BTreeSet::new()));
    }
    notices
}

/// What somebody else changed. What follows from it is judged by the limits, as all is.
fn of_drift(situation: &Situation) -> Vec<Finding> {
    let drift = &situation.drift;
    if !situation.trust.is_trusted() {
        return Vec::new();
    }
    let mut notices = Vec::new();
    if !drift.changes.is_empty() {
        let message =
            format!("Atlassian is not as this program left it; somebody else changed it: {}", drift.changes.join("; "));
        let finding = Finding::of(FindingKind::Drift, message, BTreeSet::new());
        notices.push(Finding { people: drift.people.clone(), ..finding });
    }
    if let Some(unlinked) = drift.unlinked_phrase() {
        let message = format!(
            "{unlinked}: looks like a copy of this program on another machine, or another provisioning for this \
             directory; stop one of the two"
        );
        notices.push(Finding::of(FindingKind::OtherWriter, message, BTreeSet::new()));
    }
    notices
}

/// A plan that was made with a database which is not trusted, and which the target proved wrong (S19).
fn of_trust(plan: &Plan, situation: &Situation, open: &[(Class, Item)]) -> Option<Finding> {
    if !is_in_doubt(plan, situation) {
        return None;
    }
    let mut changes = situation.drift.changes.clone();
    changes.extend(situation.drift.unlinked_phrase());
    if changes.is_empty() {
        changes.push("accounts or groups exist that it does not know".to_owned());
    }
    let message = format!("{}; since then Atlassian has changed: {}", situation.trust, changes.join("; "));
    let items = open.iter().map(|(_, item)| item.clone()).collect();
    let key = matches!(situation.trust, Trust::Idle { .. }).then_some("state.trusted_hours");
    let people = situation.drift.people.clone();
    Some(Finding { key, people, ..Finding::of(FindingKind::Untrusted, message, items) })
}

/// Findings that no number decides.
pub(super) fn of_situation(
    plan: &Plan,
    limits: &Limits,
    situation: &Situation,
    open: &[(Class, Item)],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if situation.history == History::None && limits.first_plan == FirstPlan::Hold && !open.is_empty() {
        let items = open.iter().map(|(_, item)| item.clone()).collect();
        let message = "this is the first plan of this database: it is reviewed before anything is sent".to_owned();
        findings.push(Finding { key: Some("guard.first_plan"), ..Finding::of(FindingKind::FirstPlan, message, items) });
    }
    findings.extend(of_trust(plan, situation, open));
    let rejected: BTreeSet<Item> =
        open.iter().map(|(_, item)| item).filter(|item| situation.rejected.contains(item)).cloned().collect();
    if !rejected.is_empty() {
        let message =
            format!("{} of these changes were rejected by a person, and stay so until they change", rejected.len());
        findings.push(Finding::of(FindingKind::Rejected, message, rejected));
    }
    if situation.roster == RosterSize::BecameEmpty {
        let message = "Duo lists nobody at all in the selected groups: looks like a mistake there, not like leavers";
        findings.push(Finding::of(FindingKind::EmptyRoster, message.to_owned(), taken_away(open, |_| true)));
    }
    for (id, name, count) in &situation.emptied_groups {
        let message = format!("group {name} ({id}) had {count} people and has none now: looks like a mistake in Duo");
        findings.push(Finding::of(FindingKind::EmptyGroup, message, lost_with(id, plan, situation, open)));
    }
    findings.extend(situation.scope_changes.iter().filter_map(|change| of_scope_change(change, plan, situation, open)));
    findings.extend(of_configuration(plan, situation, open));
    if situation.pilot == Pilot::Ended {
        let message = "scope.pilot_people is empty now: everybody is acted on, not the pilot alone".to_owned();
        let items = open.iter().map(|(_, item)| item.clone()).collect();
        findings
            .push(Finding { key: Some("scope.pilot_people"), ..Finding::of(FindingKind::PilotEnded, message, items) });
    }
    findings.retain(|finding| !finding.items.is_empty());
    findings
}

/// People who would lose something and were not asked for by id. What is approved counts all the same: an approval does
/// not stand for a reading (S2).
pub(super) fn of_unconfirmed(plan: &Plan, all: &[(Class, Item)]) -> Option<Finding> {
    let concerns = |item: &Item| item.person.as_ref().is_some_and(|person| plan.unconfirmed.contains(person));
    let items = taken_away(all, concerns);
    let message = format!(
        "{} people are missing from Duo's lists and were not asked for one by one yet: that happens before the plan \
         is sent",
        plan.unconfirmed.len()
    );
    (!items.is_empty()).then(|| Finding::of(FindingKind::Unconfirmed, message, items))
}

fn taken_away(open: &[(Class, Item)], concerns: impl Fn(&Item) -> bool) -> BTreeSet<Item> {
    open.iter().filter(|(class, item)| class.takes_away() && concerns(item)).map(|(_, item)| item.clone()).collect()
}

fn deactivations_of(open: &[(Class, Item)], leaves: &BTreeSet<Item>) -> Vec<Item> {
    let people: BTreeSet<&PersonId> = leaves.iter().filter_map(|item| item.person.as_ref()).collect();
    let theirs = |item: &Item| item.person.as_ref().is_some_and(|person| people.contains(person));
    open.iter().filter(|(class, item)| *class == Class::Deactivation && theirs(item)).map(|(_, i)| i.clone()).collect()
}

/// Whether the plan could tell who is in a group: its memberships are ours, or become ours by the plan.
fn is_managed(id: &GroupId, plan: &Plan, situation: &Situation) -> bool {
    let of_group = |action: &Action| action.step.group().is_some_and(|group| group.group_id == *id);
    situation.group_members.contains_key(id) || plan.actions.iter().any(of_group)
}

/// What is lost with a group: its memberships, and the accounts of those who lose them. Where its memberships are not
/// ours (users only, a protected name), everyone who left the scope may have left it with this group.
fn lost_with(id: &GroupId, plan: &Plan, situation: &Situation, open: &[(Class, Item)]) -> BTreeSet<Item> {
    if is_managed(id, plan, situation) {
        let mut items = taken_away(open, |item| item.group.as_ref() == Some(id));
        items.extend(deactivations_of(open, &items));
        return items;
    }
    let left = |action: &&Action| {
        matches!(&action.step, Step::Deactivate { departure: Departure::LeftScope | Departure::Gone, .. })
    };
    let people: BTreeSet<&PersonId> =
        plan.actions.iter().filter(left).filter_map(|action| action.step.person()).map(|p| &p.user_id).collect();
    taken_away(open, |item| item.person.as_ref().is_some_and(|person| people.contains(person)))
}

/// What comes with a group: its memberships, and the accounts of those who get them; or, where the plan cannot tell,
/// every account that comes.
fn gained_with(id: &GroupId, plan: &Plan, situation: &Situation, open: &[(Class, Item)]) -> BTreeSet<Item> {
    let comes = |class: Class| matches!(class, Class::Create | Class::Reactivation | Class::Adoption);
    let accounts = open.iter().filter(|(class, item)| comes(*class) && item.person.is_some()).map(|(_, item)| item);
    if !is_managed(id, plan, situation) {
        return accounts.cloned().collect();
    }
    let in_group = open.iter().map(|(_, item)| item).filter(|item| item.group.as_ref() == Some(id));
    let mut items: BTreeSet<Item> = in_group.cloned().collect();
    let people: BTreeSet<PersonId> = items.iter().filter_map(|item| item.person.clone()).collect();
    let theirs = |item: &&Item| item.person.as_ref().is_some_and(|person| people.contains(person));
    items.extend(accounts.filter(theirs).cloned());
    items
}

fn of_scope_change(
    change: &ScopeChange,
    plan: &Plan,
    situation: &Situation,
    open: &[(Class, Item)],
) -> Option<Finding> {
    let (kind, was, message) = match change {
        ScopeChange::Renamed { .. } | ScopeChange::StillGone(_) => return None,
        ScopeChange::Vanished(was) => {
            let message =
                format!("group {} ({}), selected by {}, is not in Duo any more", was.name, was.group_id, was.selector);
            (FindingKind::VanishedGroup, was, message)
        }
        ScopeChange::LeftPattern { was, name } => {
            let message = format!(
                "group {} ({}) is named {name:?} now, which {} does not select",
                was.name, was.group_id, was.selector
            );
            (FindingKind::LeftPattern, was, message)
        }
        ScopeChange::NewMatch(found) => {
            let message = format!(
                "{} selects group {:?} ({}), which it did not before",
                found.selector, found.name, found.group_id
            );
            (FindingKind::NewGroup, found, message)
        }
    };
    let concerned = if kind == FindingKind::NewGroup { gained_with } else { lost_with };
    let items = concerned(&was.group_id, plan, situation, open);
    Some(Finding::of(kind, message, items))
}

/// So many changes of the configuration are named.
const CHANGES_NAMED_MAX: usize = 5;

/// What the configuration takes away or adopts is always held; the rest of it counts against the limits (S6). The
/// wording tells it apart from those who left by Duo's own word.
fn of_configuration(plan: &Plan, situation: &Situation, open: &[(Class, Item)]) -> Option<Finding> {
    let items = items_with_cause(plan, Cause::Configuration);
    let takes = |class: Class| class.takes_away() || class == Class::Adoption;
    let taken = |(class, item): &&(Class, Item)| takes(*class) && items.contains(item);
    let risky: BTreeSet<Item> = open.iter().filter(taken).map(|(_, item)| item.clone()).collect();
    if risky.is_empty() {
        return None;
    }
    let of_class = |wanted: Class| open.iter().filter(move |(class, _)| *class == wanted).map(|(_, item)| item);
    let count = |wanted: Class| of_class(wanted).filter(|item| items.contains(item)).count();
    let by_duo = of_class(Class::Deactivation).filter(|item| !items.contains(item)).count();
    let people: BTreeSet<&PersonId> = risky.iter().filter_map(|item| item.person.as_ref()).collect();
    let changes = &situation.configuration_changes;
    let mut because: Vec<&str> = changes.iter().take(CHANGES_NAMED_MAX).map(String::as_str).collect();
    if because.is_empty() {
        because.push("the configuration changed");
    } else if changes.len() > CHANGES_NAMED_MAX {
        because.push("more of the configuration changed");
    }
    let mut message = format!(
        "{} people would lose access or memberships because {}, not because Duo changed: {} deactivated, {} memberships removed",
        people.len(),
        because.join(", and "),
        count(Class::Deactivation),
        count(Class::Leave) + count(Class::LeaverLeave)
    );
    if by_duo > 0 {
        message.push_str(&format!("; {by_duo} more leave by what Duo says"));
    }
    Some(Finding::of(FindingKind::Configuration, message, risky))
}
