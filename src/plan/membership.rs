//! Groups to create, and who joins and leaves.

use super::Others;
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

pub(super) fn plan(today: &World<'_>, others: Others<'_, '_>, plan: &mut Plan) {
    if !today.desired.manages_groups {
        return;
    }
    let people = Standings::new(today);
    let before = others.before.map(Standings::new);
    let unread = others.unread.map(Standings::new);
    let others = Elsewhere { before: before.as_ref(), unread: unread.as_ref() };
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
        collect(&people, (id, desired, owned), others, &mut moves);
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
            let is_gone = others.unread.is_some_and(|unread| unread.world.inputs.owned.groups.contains_key(id));
            let cause = match others.before {
                Some(before) if !before.world.desired.groups.contains_key(id) => Cause::Configuration,
                _ if is_gone => Cause::Drift,
                _ => Cause::Source,
            };
            let source = desired.map(|group| group.source_name.as_str()).unwrap_or_default();
            let gone = today.inputs.drift.filter(|_| is_gone);
            let gone = gone.map_or(String::new(), |drift| format!("it is gone in Atlassian; {}; ", drift.by_whom()));
            let reason = format!("{gone}selected in Duo as {source:?}");
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
        let is_in = group.is_some_and(|group| group.members.contains(id));
        match self.memberships.get(id) {
            Some((Memberships::Follow | Memberships::JoinOnly, true)) if is_in => Want::In,
            Some((Memberships::LeaveOnly, _)) if is_in => Want::AsOwned,
            Some((Memberships::AsOwned | Memberships::JoinOnly, _)) => Want::AsOwned,
            None | Some((Memberships::None | Memberships::Follow | Memberships::LeaveOnly, _)) => Want::Out,
        }
    }
}

/// Everyone's standing in the other comparisons.
#[derive(Clone, Copy)]
struct Elsewhere<'s, 'a> {
    before: Option<&'s Standings<'a>>,
    unread: Option<&'s Standings<'a>>,
}

/// What happens to one membership.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Move {
    Join,
    Leave,
    Stay,
}

const fn step(want: Want, is_member: bool) -> Move {
    match (want, is_member) {
        (Want::In, false) => Move::Join,
        (Want::Out, true) => Move::Leave,
        (Want::In, true) | (Want::Out, false) | (Want::AsOwned, _) => Move::Stay,
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
    others: Elsewhere<'_, '_>,
    moves: &mut Moves,
) {
    let none = BTreeSet::new();
    let members = owned.map_or(&none, |group| &group.members);
    let adopted = people.world.adopted.groups.contains_key(id);
    let with_accounts = people.world.adopted.memberships.get(id).unwrap_or(&none);
    let wanted = desired.iter().flat_map(|group| &group.members);
    let candidates: BTreeSet<&PersonId> = members.iter().chain(with_accounts).chain(wanted).collect();
    for person in candidates {
        let want = people.want(desired, person);
        let to = step(want, members.contains(person) || with_accounts.contains(person));
        let moves = match to {
            Move::Join => &mut moves.join,
            Move::Leave => &mut moves.leave,
            Move::Stay => continue,
        };
        let before = others.before.map(|before| before.want(before.world.desired.groups.get(id), person));
        let cause = if adopted || people.world.adopted.accounts.contains_key(person) {
            Cause::Adoption
        } else if before.is_some_and(|before| before != want) {
            Cause::Configuration
        } else if others.unread.is_some_and(|unread| unread.step(id, desired, person) != to) {
            Cause::Drift
        } else {
            Cause::Source
        };
        moves.entry(cause).or_default().push(person.clone());
    }
}

impl Standings<'_> {
    /// What would happen to a membership of a group that is owned here.
    fn step(&self, group: &GroupId, desired: Option<&DesiredGroup>, person: &PersonId) -> Move {
        let owned = self.world.inputs.owned.groups.get(group);
        step(self.want(desired, person), owned.is_some_and(|owned| owned.members.contains(person)))
    }
}

impl Moves {
    fn into_actions(mut self, world: &World<'_>, group: &GroupRef, plan: &mut Plan) {
        let causes: BTreeSet<Cause> = self.join.keys().chain(self.leave.keys()).copied().collect();
        for cause in causes {
            let join = self.join.remove(&cause).unwrap_or_default();
            let leave = self.leave.remove(&cause).unwrap_or_default();
            plan.unconfirmed.extend(leave.iter().filter(|id| world.is_to_be_confirmed(id, cause)).cloned());
            let reason = match (cause, world.inputs.drift) {
                (Cause::Configuration, _) => "the configuration changed".to_owned(),
                (Cause::Adoption, _) => "Atlassian holds other members".to_owned(),
                (Cause::Drift, Some(drift)) => format!("Atlassian holds other members; {}", drift.by_whom()),
                (Cause::Source | Cause::Drift | Cause::Undo, _) => "membership in Duo".to_owned(),
            };
            let step = Step::UpdateMembers { group: group.clone(), join, leave };
            plan.actions.push(Action { step, reason, cause });
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
