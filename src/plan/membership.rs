//! Groups to create, and who joins and leaves.

use super::Plan;
use super::action::{Action, Cause, GroupRef, Skipped, Step, Subject};
use super::person::{AccountChange, Memberships, World};
use crate::desired::DesiredGroup;
use crate::model::GroupId;
use crate::model::OwnedGroup;
use crate::model::PersonId;
use std::collections::{BTreeMap, BTreeSet};

/// What should happen to one membership.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    In,
    Out,
    AsOwned,
}

pub(super) fn plan(today: &World<'_>, before: Option<&World<'_>>, plan: &mut Plan) {
    if !today.desired.manages_groups {
        return;
    }
    let people = Standings::new(today);
    let people_before = before.map(Standings::new);
    let skipped = clashes(today);
    let ours = today.inputs.owned.groups.keys().chain(today.adopted.groups.keys());
    let ids: BTreeSet<&GroupId> = today.desired.groups.keys().chain(ours).collect();
    for id in ids {
        let owned = today.inputs.owned.groups.get(id).or_else(|| today.adopted.groups.get(id));
        let desired = today.desired.groups.get(id);
        let name = owned.map(|group| &group.name).or_else(|| desired.map(|group| &group.name));
        let group = GroupRef { group_id: id.clone(), name: name.cloned().unwrap_or_default() };
        let reason =
            desired.and_then(|group| group.untouched.as_ref()).map(|reason| format!("{reason}: left as it is"));
        if let Some(reason) = reason.or_else(|| skipped.get(id).cloned()).or_else(|| left_alone(today, &group, owned)) {
            plan.skipped.push(Skipped { subject: Subject::Group(group), reason });
            continue;
        }
        let mut moves = Moves::default();
        let wants_before = before.zip(people_before.as_ref());
        collect(&people, (id, desired, owned), wants_before, &mut moves);
        if let Some(count) = too_many(today, owned, &moves) {
            let reason = format!(
                "it would have {count} members, and Atlassian takes {}: split it in Duo",
                today.inputs.capabilities.group_members_max
            );
            plan.skipped.push(Skipped { subject: Subject::Group(group.clone()), reason });
            if owned.is_none() {
                continue;
            }
            // Nobody joins, but who has to leave leaves.
            moves.join.clear();
        }
        if owned.is_none() {
            let cause = match before {
                Some(before) if !before.desired.groups.contains_key(id) => Cause::Configuration,
                _ => Cause::Source,
            };
            let source = desired.map(|group| group.source_name.as_str()).unwrap_or_default();
            let reason = format!("selected in Duo as {source:?}");
            plan.actions.push(Action { step: Step::CreateGroup { group: group.clone() }, reason, cause });
        }
        moves.into_actions(today, &group, plan);
    }
}

/// The decision about everyone, made once.
struct Standings<'a> {
    world: &'a World<'a>,
    memberships: BTreeMap<&'a PersonId, (Memberships, bool)>,
}

impl<'a> Standings<'a> {
    fn new(world: &'a World<'a>) -> Self {
        let decide = |id: &'a PersonId| {
            let decision = world.decide(id);
            (
                id,
                (
                    decision.memberships,
                    matches!(decision.change, AccountChange::Create(_)) || world.account(id).is_some(),
                ),
            )
        };
        let memberships = world.people().into_iter().map(decide).collect();
        Self { world, memberships }
    }

    fn want(&self, group: Option<&DesiredGroup>, id: &PersonId) -> Want {
        match self.memberships.get(id) {
            None | Some((Memberships::None, _)) => Want::Out,
            Some((Memberships::AsOwned, _)) => Want::AsOwned,
            Some((Memberships::Follow, has_account)) => {
                if *has_account && group.is_some_and(|group| group.members.contains(id)) { Want::In } else { Want::Out }
            }
        }
    }
}

/// Joins and leaves by cause.
#[derive(Default)]
struct Moves {
    join: BTreeMap<Cause, Vec<PersonId>>,
    leave: BTreeMap<Cause, Vec<PersonId>>,
}

fn collect(
    people: &Standings<'_>,
    (id, desired, owned): (&GroupId, Option<&DesiredGroup>, Option<&OwnedGroup>),
    before: Option<(&World<'_>, &Standings<'_>)>,
    moves: &mut Moves,
) {
    let none = BTreeSet::new();
    let members = owned.map_or(&none, |group| &group.members);
    let adopted = people.world.adopted.groups.contains_key(id);
    let candidates: BTreeSet<&PersonId> =
        members.iter().chain(desired.iter().flat_map(|group| &group.members)).collect();
    for person in candidates {
        let want = people.want(desired, person);
        let is_member = members.contains(person);
        let moves = match (want, is_member) {
            (Want::In, false) => &mut moves.join,
            (Want::Out, true) => &mut moves.leave,
            (Want::In, true) | (Want::Out, false) | (Want::AsOwned, _) => continue,
        };
        let under_old_rules = before.map(|(world, people)| people.want(world.desired.groups.get(id), person));
        let cause = if adopted || people.world.adopted.accounts.contains_key(person) {
            Cause::Adoption
        } else if under_old_rules.is_some_and(|old| old != want) {
            Cause::Configuration
        } else {
            Cause::Source
        };
        moves.entry(cause).or_default().push(person.clone());
    }
}

impl Moves {
    fn into_actions(mut self, world: &World<'_>, group: &GroupRef, plan: &mut Plan) {
        let causes: BTreeSet<Cause> = self.join.keys().chain(self.leave.keys()).copied().collect();
        for cause in causes {
            let join = self.join.remove(&cause).unwrap_or_default();
            let leave = self.leave.remove(&cause).unwrap_or_default();
            if cause != Cause::Configuration {
                let unread = leave.iter().filter(|id| !world.inputs.confirmed.contains(*id));
                plan.unconfirmed.extend(unread.cloned());
            }
            let reason = match cause {
                Cause::Configuration => "the configuration changed",
                Cause::Adoption => "Atlassian holds other members",
                Cause::Source | Cause::Drift | Cause::Undo => "membership in Duo",
            };
            let step = Step::UpdateMembers { group: group.clone(), join, leave };
            plan.actions.push(Action { step, reason: reason.to_owned(), cause });
        }
    }
}

fn too_many(world: &World<'_>, owned: Option<&OwnedGroup>, moves: &Moves) -> Option<usize> {
    let joins: usize = moves.join.values().map(Vec::len).sum();
    let leaves: usize = moves.leave.values().map(Vec::len).sum();
    let count = (owned.map_or(0, |group| group.members.len()) + joins).saturating_sub(leaves);
    (joins > 0 && count > world.inputs.capabilities.group_members_max).then_some(count)
}

/// Groups that are in no action by rule: protected names, and names that Atlassian takes and then ignores.
fn left_alone(world: &World<'_>, group: &GroupRef, owned: Option<&OwnedGroup>) -> Option<String> {
    let name = group.name.to_lowercase();
    if world.inputs.rules.protected_groups.contains(&name) {
        return Some("its name is in scope.protected_groups: never created, adopted or filled".to_owned());
    }
    if owned.is_none() && name.trim().is_empty() {
        return Some("its name is empty: name it in Duo, or set atlassian_name".to_owned());
    }
    if owned.is_none() && world.inputs.capabilities.group_names_ignored.contains(&name) {
        return Some(
            "Atlassian accepts a group of this name and never shows it on a site, since it is built in: set atlassian_name"
                .to_owned(),
        );
    }
    None
}

/// Groups of Duo that would end in one name. The one that is linked goes on; it keeps its name for good.
fn clashes(world: &World<'_>) -> BTreeMap<GroupId, String> {
    let mut by_name: BTreeMap<String, Vec<&GroupId>> = BTreeMap::new();
    for (id, group) in world.inputs.owned.groups.iter().chain(&world.adopted.groups) {
        by_name.entry(group.name.to_lowercase()).or_default().push(id);
    }
    let linked: BTreeMap<String, &GroupId> =
        by_name.iter().filter_map(|(name, ids)| Some((name.clone(), *ids.first()?))).collect();
    let is_linked = |id: &GroupId| world.inputs.owned.groups.contains_key(id) || world.adopted.groups.contains_key(id);
    for (id, group) in world.desired.groups.iter().filter(|(id, _)| !is_linked(id)) {
        by_name.entry(group.name.to_lowercase()).or_default().push(id);
    }
    let mut skipped = BTreeMap::new();
    for (name, ids) in by_name.iter().filter(|(_, ids)| ids.len() > 1) {
        let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
        for id in ids.iter().filter(|id| linked.get(name) != Some(id)) {
            let reason = format!(
                "the groups {} would all be {name:?} in Atlassian: give each its own atlassian_name",
                names.join(", ")
            );
            skipped.insert((*id).clone(), reason);
        }
    }
    skipped
}
