//! A plan as requests, phase by phase (S18).
//!
//! Leavers first: their leaves, then the deactivations. Then updates and reactivations, creates, groups, all joins, and
//! last the other leaves.

use super::order;
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
use crate::store::Intent;
use crate::store::Request;
use crate::store::Spending;
use std::collections::{BTreeMap, BTreeSet};

/// One request to come.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) intent: Intent,
    /// `person:DU…` or `group:DG…`: what fails when this fails.
    pub(super) record: String,
    pub(super) name: String,
    /// People of a join whose account does not exist, since its create failed.
    pub(super) unresolved: Vec<PersonId>,
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
        Self { intent: Intent { action: action.id(), request, spending }, record, name, unresolved: Vec::new() }
    }

    fn of_group(action: &Action, group: &GroupRef, request: Request, spending: Vec<Spending>) -> Self {
        let (record, name) = (format!("group:{}", group.group_id), group.name.clone());
        Self { intent: Intent { action: action.id(), request, spending }, record, name, unresolved: Vec::new() }
    }

    /// Whether it changes attributes: that is what can unlink an account (S11).
    pub(super) fn updates_attributes(&self) -> bool {
        matches!(&self.intent.request, Request::UpdateUser { changes, .. } if !changes.is_empty())
    }

    pub(super) fn failing(&self, kind: &str, reason: String) -> Failing {
        Failing { record: self.record.clone(), name: self.name.clone(), kind: kind.to_owned(), reason }
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
    pub(super) fn of(approved: &Approved, members_per_request_max: usize) -> Self {
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
                    let leaves = |people: &[&PersonId], class| members(approved, action, group, (people, class, chunk));
                    tasks.leavers_leave.extend(leaves(&theirs, Class::LeaverLeave));
                    tasks.leave.extend(leaves(&others, Class::Leave));
                    let join: Vec<&PersonId> = join.iter().collect();
                    tasks.join.extend(members(approved, action, group, (&join, Class::Join, chunk)));
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

    pub(super) fn into_phases(self) -> Vec<Vec<Task>> {
        let mut phases = vec![self.links, self.leavers_leave, self.deactivate];
        phases.extend(self.update);
        phases.extend([self.create, self.create_group, self.join, self.leave]);
        phases
    }
}

/// The request about one account.
fn account(approved: &Approved, action: &Action) -> Option<Task> {
    let spend = |classes: &[Class], item: &Item| spending(approved, classes, None, std::slice::from_ref(item));
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
    let adopted = |item: Item| spending(approved, &[Class::Adoption], None, &[item]);
    match &action.step {
        Step::Adopt { person, scim_id, attributes, active } => {
            let spent = adopted(Item::of_person(format!("adopt {scim_id}"), &person.user_id));
            let request = Request::Adopt {
                person: person.user_id.clone(),
                username: person.username.clone(),
                scim_id: scim_id.clone(),
                attributes: attributes.clone(),
                active: *active,
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

/// Joins or leaves of one group, in chunks.
fn members(
    approved: &Approved,
    action: &Action,
    group: &GroupRef,
    (people, class, chunk): (&[&PersonId], Class, usize),
) -> Vec<Task> {
    let chunks = people.chunks(chunk).map(|chunk| {
        let members = chunk.iter().map(|person| ((*person).clone(), not_yet())).collect();
        let (id, scim_id) = (group.group_id.clone(), not_yet());
        let (request, what) = if class == Class::Join {
            (Request::AddMembers { group: id, scim_id, members }, "join")
        } else {
            (Request::RemoveMembers { group: id, scim_id, members }, "leave")
        };
        let items: Vec<Item> = chunk.iter().map(|person| Item::of_membership(what, &group.group_id, person)).collect();
        let spent = if class == Class::Leave {
            spending(approved, &[class], Some(&group.group_id), &items)
        } else {
            Vec::new()
        };
        Task::of_group(action, group, request, spent)
    });
    chunks.collect()
}

/// What these items take from the limits: those that no person approved.
fn spending(approved: &Approved, classes: &[Class], group: Option<&GroupId>, items: &[Item]) -> Vec<Spending> {
    let open = items.iter().filter(|item| !approved.is_by_person(item)).count();
    let count = u64::try_from(open).unwrap_or(u64::MAX);
    let spend = |class: &Class| Spending { class: *class, group: group.cloned(), count };
    if count == 0 { Vec::new() } else { classes.iter().map(spend).collect() }
}
