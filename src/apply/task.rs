//! A plan as requests, phase by phase (S18).
//!
//! Leavers first: their leaves, then the deactivations. Then updates and reactivations, creates, groups, all joins, and
//! last the other leaves.

use super::order;
use super::pause::{Waits, digest, digest_of_member};
use super::{only_links, scim_id_of};
use crate::guard::Approved;
use crate::guard::Class;
use crate::guard::Item;
use crate::model::Attributes;
use crate::model::GroupId;
use crate::model::Owned;
use crate::model::PersonId;
use crate::model::ScimId;
use crate::plan::Action;
use crate::plan::Changes;
use crate::plan::GroupRef;
use crate::plan::Plan;
use crate::plan::Step;
use crate::store::Failing;
use crate::store::FailingKey;
use crate::store::Intent;
use crate::store::Request;
use crate::store::Spending;
use std::collections::{BTreeMap, BTreeSet};

/// One request to come.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) intent: Intent,
    /// `person:DU…` or `group:DG…`: what fails when this fails.
    pub(super) record: String,
    pub(super) name: String,
    /// People of a join whose account does not exist, since its create failed.
    pub(super) unresolved: Vec<PersonId>,
    /// Whose leave counts against the limits, since no person approved it.
    counted: BTreeSet<PersonId>,
}

/// All requests of a plan.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    links: Vec<Task>,
    leavers_leave: Vec<Task>,
    deactivate: Vec<Task>,
    update: Vec<Vec<Task>>,
    create: Vec<Task>,
    create_group: Vec<Task>,
    join: Vec<Task>,
    leave: Vec<Task>,
}

/// Stands where an id will be once the account or group exists.
fn not_yet() -> ScimId {
    ScimId::new("")
}

impl Task {
    fn of_person(action: &Action, request: Request, spending: Vec<Spending>) -> Self {
        let person = action.step.person();
        let record = person.map(|person| format!("person:{}", person.user_id)).unwrap_or_default();
        let name = person.map(|person| person.username.clone()).unwrap_or_default();
        let intent = Intent { action: action.id(), request, spending };
        Self { intent, record, name, unresolved: Vec::new(), counted: BTreeSet::new() }
    }

    fn of_group(action: &Action, group: &GroupRef, request: Request, spending: Vec<Spending>) -> Self {
        let (record, name) = (record_of(group), group.name.clone());
        let intent = Intent { action: action.id(), request, spending };
        Self { intent, record, name, unresolved: Vec::new(), counted: BTreeSet::new() }
    }

    /// Whether it changes attributes (S11).
    pub(super) fn updates_attributes(&self) -> bool {
        self.intent.request.updates_attributes()
    }

    /// Whether it removes members: the form in which that is done may not be the target's (S15).
    pub(super) fn removes_members(&self) -> bool {
        matches!(&self.intent.request, Request::RemoveMembers { .. })
    }

    /// Whether it may be sent although nobody knows what became of an earlier request about the record: what is sent
    /// once more changes nothing more.
    pub(super) fn is_idempotent(&self) -> bool {
        match &self.intent.request {
            Request::DeactivateUser { .. }
            | Request::AddMembers { .. }
            | Request::RemoveMembers { .. }
            | Request::Adopt { .. }
            | Request::AdoptGroup { .. } => true,
            Request::CreateUser { .. } | Request::UpdateUser { .. } | Request::CreateGroup { .. } => false,
        }
    }

    /// The group and its members, where memberships are changed.
    pub(super) fn members(&self) -> Option<(&GroupId, &[(PersonId, ScimId)])> {
        match &self.intent.request {
            Request::AddMembers { group, members, .. } | Request::RemoveMembers { group, members, .. } => {
                Some((group, members))
            }
            Request::Adopt { .. }
            | Request::AdoptGroup { .. }
            | Request::CreateUser { .. }
            | Request::UpdateUser { .. }
            | Request::DeactivateUser { .. }
            | Request::CreateGroup { .. } => None,
        }
    }

    /// What fails on its own when this fails, and the digest of what is sent for it.
    pub(super) fn parts(&self) -> Vec<(FailingKey, String)> {
        let each = |group: &ScimId, members: &[(PersonId, ScimId)], word: &str| {
            let part = |(person, id): &(PersonId, ScimId)| {
                (FailingKey::part(&self.record, membership(word, person)), digest_of_member(group, id))
            };
            members.iter().map(part).collect()
        };
        match &self.intent.request {
            Request::AddMembers { scim_id, members, .. } => each(scim_id, members, JOIN),
            Request::RemoveMembers { scim_id, members, .. } => each(scim_id, members, LEAVE),
            request @ (Request::Adopt { .. }
            | Request::AdoptGroup { .. }
            | Request::CreateUser { .. }
            | Request::UpdateUser { .. }
            | Request::DeactivateUser { .. }
            | Request::CreateGroup { .. }) => vec![(FailingKey::of(&self.record), digest(request))],
        }
    }

    /// What fails of it, each with the pause that follows.
    pub(super) fn failing(&self, kind: &str, reason: &str, waits: &Waits) -> Vec<Failing> {
        let failing = |(key, digest): (FailingKey, String)| {
            let pause = if self.intent.request.takes_away() { 0 } else { waits.next(&key, &digest) };
            let (name, kind, reason) = (self.name.clone(), kind.to_owned(), reason.to_owned());
            Failing { key, name, kind, reason, digest, pause }
        };
        self.parts().into_iter().map(failing).collect()
    }

    /// Keeps these members only.
    pub(super) fn keep_members(&mut self, keep: impl Fn(&PersonId) -> bool) {
        if let Request::AddMembers { members, .. } | Request::RemoveMembers { members, .. } = &mut self.intent.request {
            members.retain(|(person, _)| keep(person));
        }
    }

    /// The same for one half of the members each; none when there are no two.
    pub(super) fn halves(&self) -> Option<[Self; 2]> {
        let (_, members) = self.members()?;
        let first: BTreeSet<PersonId> = members.iter().take(members.len() / 2).map(|(id, _)| id.clone()).collect();
        if first.is_empty() {
            return None;
        }
        let half = |of_first: bool| {
            let mut half = self.clone();
            half.keep_members(|person| first.contains(person) == of_first);
            half
        };
        Some([half(true), half(false)])
    }

    /// Fills in the ids of what exists by now. False when there is nothing left to send.
    pub(super) fn resolve(&mut self, owned: &Owned, failed_joins: &BTreeSet<PersonId>) -> bool {
        let unresolved = &mut self.unresolved;
        let mut fill = |group: &GroupId, scim_id: &mut ScimId, members: &mut Vec<(PersonId, ScimId)>| {
            for (person, id) in members.iter_mut() {
                *id = scim_id_of(owned, person).unwrap_or_else(not_yet);
            }
            let found = owned.groups.get(group).map(|group| group.scim_id.clone());
            let missing = found.is_none();
            *scim_id = found.unwrap_or_else(not_yet);
            unresolved
                .extend(members.iter().filter(|(_, id)| missing || *id == not_yet()).map(|(person, _)| person.clone()));
            members.retain(|(_, id)| *id != not_yet());
            !missing && !members.is_empty()
        };
        match &mut self.intent.request {
            Request::UpdateUser { person, scim_id, .. } | Request::DeactivateUser { person, scim_id } => {
                let found = scim_id_of(owned, person);
                *scim_id = found.clone().unwrap_or_else(not_yet);
                found.is_some()
            }
            Request::AddMembers { group, scim_id, members } => fill(group, scim_id, members),
            Request::RemoveMembers { group, scim_id, members } => {
                members.retain(|(person, _)| !failed_joins.contains(person));
                fill(group, scim_id, members)
            }
            Request::Adopt { .. }
            | Request::AdoptGroup { .. }
            | Request::CreateUser { .. }
            | Request::CreateGroup { .. } => true,
        }
    }

    /// The intent as it is written down: what it takes from the limits is counted by whom it is about now.
    pub(super) fn intent(&self) -> Intent {
        let mut intent = self.intent.clone();
        if let Some((group, members)) = self.members().filter(|_| !self.counted.is_empty()) {
            let count = members.iter().filter(|(person, _)| self.counted.contains(person)).count();
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            let spending = Spending { class: Class::Leave, group: Some(group.clone()), count };
            intent.spending = if count == 0 { Vec::new() } else { vec![spending] };
        }
        intent
    }
}

const JOIN: &str = "join";
const LEAVE: &str = "leave";

/// Which part of a group one membership is.
fn membership(word: &str, person: &PersonId) -> String {
    format!("{word} {person}")
}

fn record_of(group: &GroupRef) -> String {
    format!("group:{}", group.group_id)
}

/// The part of a group that all its memberships are.
pub(super) fn all_members(record: &str) -> FailingKey {
    FailingKey::part(record, "members")
}

/// Everything that can fail when a plan is sent.
pub fn failing_keys(plan: &Plan) -> BTreeSet<FailingKey> {
    let mut keys = BTreeSet::new();
    for action in &plan.actions {
        if let Some(person) = action.step.person() {
            keys.insert(FailingKey::of(&format!("person:{}", person.user_id)));
        }
        let Some(group) = action.step.group() else { continue };
        let record = record_of(group);
        keys.insert(FailingKey::of(&record));
        if let Step::UpdateMembers { join, leave, .. } = &action.step {
            keys.insert(all_members(&record));
            keys.extend(join.iter().map(|person| FailingKey::part(&record, membership(JOIN, person))));
            keys.extend(leave.iter().map(|person| FailingKey::part(&record, membership(LEAVE, person))));
        }
    }
    keys
}

/// How many writing requests a plan takes.
pub fn count_requests(plan: &Plan, members_per_request_max: usize) -> u64 {
    let leavers = leavers(plan);
    let chunks = |count: usize| count.div_ceil(members_per_request_max.max(1));
    let count = |action: &Action| match &action.step {
        Step::Adopt { .. } | Step::AdoptGroup { .. } => 0,
        Step::Create { .. }
        | Step::Update { .. }
        | Step::Reactivate { .. }
        | Step::Deactivate { .. }
        | Step::CreateGroup { .. } => 1,
        Step::UpdateMembers { join, leave, .. } => {
            let theirs = leave.iter().filter(|id| leavers.contains(id)).count();
            chunks(join.len()) + chunks(theirs) + chunks(leave.len() - theirs)
        }
    };
    u64::try_from(plan.actions.iter().map(count).sum::<usize>()).unwrap_or(u64::MAX)
}

fn leavers(plan: &Plan) -> BTreeSet<&PersonId> {
    let leavers = plan.actions.iter().filter(|action| matches!(action.step, Step::Deactivate { .. }));
    leavers.filter_map(|action| action.step.person()).map(|person| &person.user_id).collect()
}

impl Tasks {
    pub(super) fn of(approved: &Approved, members_per_request_max: usize, waits: &Waits) -> Self {
        let plan = approved.plan();
        let leavers = leavers(plan);
        let mut tasks = Self::default();
        let mut updates: Vec<(&Action, &Changes)> = Vec::new();
        for action in &plan.actions {
            match &action.step {
                Step::Update { changes, .. } | Step::Reactivate { changes, .. } => updates.push((action, changes)),
                Step::UpdateMembers { group, join, leave } => {
                    let chunk = members_per_request_max.max(1);
                    let (theirs, others): (Vec<&PersonId>, Vec<&PersonId>) =
                        leave.iter().partition(|id| leavers.contains(id));
                    let moves = |people, class| members(approved, (action, group), (people, class, chunk), waits);
                    tasks.leavers_leave.extend(moves(theirs, Class::LeaverLeave));
                    tasks.leave.extend(moves(others, Class::Leave));
                    tasks.join.extend(moves(join.iter().collect(), Class::Join));
                }
                Step::Deactivate { .. } => tasks.deactivate.extend(account(approved, action)),
                Step::Create { .. } => tasks.create.extend(account(approved, action)),
                step if only_links(step) => tasks.links.extend(link(approved, action)),
                Step::CreateGroup { .. } => tasks.create_group.extend(link(approved, action)),
                Step::Adopt { .. } | Step::AdoptGroup { .. } => {}
            }
        }
        let levels = order::levels(&updates.iter().map(|(_, changes)| *changes).collect::<Vec<_>>());
        let mut by_level: BTreeMap<usize, Vec<Task>> = BTreeMap::new();
        for ((action, _), level) in updates.into_iter().zip(levels) {
            by_level.entry(level).or_default().extend(account(approved, action));
        }
        tasks.update = by_level.into_values().collect();
        tasks
    }

    pub(super) fn len(&self) -> usize {
        let updates: usize = self.update.iter().map(Vec::len).sum();
        let others = [
            &self.links,
            &self.leavers_leave,
            &self.deactivate,
            &self.create,
            &self.create_group,
            &self.join,
            &self.leave,
        ];
        updates + others.into_iter().map(Vec::len).sum::<usize>()
    }

    /// What runs one after the other; the links first.
    pub(super) fn into_phases(self) -> Vec<Vec<Task>> {
        let mut phases = vec![self.links, self.leavers_leave, self.deactivate];
        phases.extend(self.update);
        phases.extend([self.create, self.create_group, self.join, self.leave]);
        phases
    }
}

/// The request about one account.
fn account(approved: &Approved, action: &Action) -> Option<Task> {
    let spend = |classes: &[Class], item: &Item| spending(approved, classes, std::slice::from_ref(item));
    let updated = |person: &PersonId, changes: &Changes| -> Vec<Spending> {
        let item = |(attribute, to): (_, &str)| Item::of_person(format!("set {attribute}={to}"), person);
        let open = |attribute: crate::model::Attribute, to: &str| !approved.is_by_person(&item((attribute, to)));
        let open: Vec<_> =
            changes.iter().filter(|(attribute, change)| open(**attribute, &change.to)).map(|(a, _)| *a).collect();
        let classes = [
            (Class::Update, !open.is_empty()),
            (Class::IdentityChange, open.iter().any(|attribute| attribute.is_identity())),
        ];
        classes
            .into_iter()
            .filter(|(_, any)| *any)
            .map(|(class, _)| Spending { class, group: None, count: 1 })
            .collect()
    };
    let (request, spending) = match &action.step {
        Step::Create { person, attributes } => {
            let (person, username) = (person.user_id.clone(), person.username.clone());
            let name = attributes.value(crate::model::Attribute::UserName).unwrap_or_default();
            let spent = spend(&[Class::Create], &Item::of_person(format!("create {name}"), &person));
            (Request::CreateUser { person, username, attributes: attributes.clone() }, spent)
        }
        Step::Update { person, changes } => {
            let request = update(person, changes, false);
            (request, updated(&person.user_id, changes))
        }
        Step::Reactivate { person, changes } => {
            let request = update(person, changes, true);
            let mut spent = updated(&person.user_id, changes);
            spent.extend(spend(&[Class::Reactivation], &Item::of_person("reactivate", &person.user_id)));
            (request, spent)
        }
        Step::Deactivate { person, .. } => {
            let spent = spend(&[Class::Deactivation], &Item::of_person("deactivate", &person.user_id));
            (Request::DeactivateUser { person: person.user_id.clone(), scim_id: not_yet() }, spent)
        }
        Step::Adopt { .. } | Step::AdoptGroup { .. } | Step::CreateGroup { .. } | Step::UpdateMembers { .. } => {
            return None;
        }
    };
    Some(Task::of_person(action, request, spending))
}

fn update(person: &crate::plan::PersonRef, changes: &Changes, reactivate: bool) -> Request {
    let before = changes.iter().filter_map(|(attribute, change)| Some((*attribute, change.from.as_ref()?))).collect();
    let changes: Attributes = changes.iter().map(|(attribute, change)| (*attribute, &change.to)).collect();
    let (person, username) = (person.user_id.clone(), person.username.clone());
    Request::UpdateUser { person, username, scim_id: not_yet(), changes, before, reactivate }
}

/// Links, and the creation of groups.
fn link(approved: &Approved, action: &Action) -> Option<Task> {
    let adopted = |item: Item| spending(approved, &[Class::Adoption], &[item]);
    match &action.step {
        Step::Adopt { person, scim_id, attributes, active, groups } => {
            let spent = adopted(Item::of_person(format!("adopt {scim_id}"), &person.user_id));
            let request = Request::Adopt {
                person: person.user_id.clone(),
                username: person.username.clone(),
                scim_id: scim_id.clone(),
                attributes: attributes.clone(),
                active: *active,
                groups: groups.clone(),
            };
            Some(Task::of_person(action, request, spent))
        }
        Step::AdoptGroup { group, scim_id, members } => {
            let spent = adopted(Item::of_group(format!("adopt {scim_id}"), &group.group_id));
            let request = Request::AdoptGroup {
                group: group.group_id.clone(),
                name: group.name.clone(),
                scim_id: scim_id.clone(),
                members: members.clone(),
            };
            Some(Task::of_group(action, group, request, spent))
        }
        Step::CreateGroup { group } => {
            let request = Request::CreateGroup { group: group.group_id.clone(), name: group.name.clone() };
            Some(Task::of_group(action, group, request, Vec::new()))
        }
        Step::Create { .. }
        | Step::Update { .. }
        | Step::Reactivate { .. }
        | Step::Deactivate { .. }
        | Step::UpdateMembers { .. } => None,
    }
}

/// Joins or leaves of one group, in chunks. Whoever failed before goes apart, so that nobody else waits with them.
fn members(
    approved: &Approved,
    (action, group): (&Action, &GroupRef),
    (people, class, chunk): (Vec<&PersonId>, Class, usize),
    waits: &Waits,
) -> Vec<Task> {
    let word = if class == Class::Join { JOIN } else { LEAVE };
    let record = record_of(group);
    let failed = |person: &&PersonId| waits.known(&FailingKey::part(&record, membership(word, person))).is_some();
    let (again, fresh): (Vec<&PersonId>, Vec<&PersonId>) = people.into_iter().partition(failed);
    let task = |people: &[&PersonId]| {
        let members = people.iter().map(|person| ((*person).clone(), not_yet())).collect();
        let (id, scim_id) = (group.group_id.clone(), not_yet());
        let request = if class == Class::Join {
            Request::AddMembers { group: id, scim_id, members }
        } else {
            Request::RemoveMembers { group: id, scim_id, members }
        };
        let item = |person: &PersonId| Item::of_membership(word, &group.group_id, person);
        let is_open = |person: &&&PersonId| class == Class::Leave && !approved.is_by_person(&item(person));
        let counted = people.iter().filter(is_open).map(|person| (*person).clone()).collect();
        Task { counted, ..Task::of_group(action, group, request, Vec::new()) }
    };
    fresh.chunks(chunk).chain(again.chunks(chunk)).map(task).collect()
}

/// What these items take from the limits: those that no person approved.
fn spending(approved: &Approved, classes: &[Class], items: &[Item]) -> Vec<Spending> {
    let open = items.iter().filter(|item| !approved.is_by_person(item)).count();
    let count = u64::try_from(open).unwrap_or(u64::MAX);
    let spend = |class: &Class| Spending { class: *class, group: None, count };
    if count == 0 { Vec::new() } else { classes.iter().map(spend).collect() }
}
