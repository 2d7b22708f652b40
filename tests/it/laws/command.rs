//! Laws of parts of plans, of undo, and of the user tier.

use super::sample::specs;
use super::target::carry_out;
use super::world::{Confirmed, World};
use super::{bytes, config, losing, named};
use duo_atlassian_sync::model::{Attributes, GroupId, Owned, PersonId};
use duo_atlassian_sync::plan::{Action, ActionDocument, Plan, Skipped, Step, Subject, Taken};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// What the journal would say that a plan took away or changed.
fn taken(plan: &Plan) -> Vec<Taken> {
    let mut taken = Vec::new();
    for action in &plan.actions {
        match &action.step {
            Step::Deactivate { person, .. } => taken.push(Taken::Deactivated(person.user_id.clone())),
            Step::Update { person, changes } | Step::Reactivate { person, changes } => {
                let before = changes.iter().filter_map(|(a, change)| Some((*a, change.from.as_ref()?)));
                let after: Attributes = changes.iter().map(|(a, change)| (*a, &change.to)).collect();
                taken.push(Taken::Changed { person: person.user_id.clone(), before: before.collect(), after });
            }
            Step::UpdateMembers { group, leave, .. } if !leave.is_empty() => {
                taken.push(Taken::Left(group.group_id.clone(), leave.clone()));
            }
            Step::UpdateMembers { .. }
            | Step::Adopt { .. }
            | Step::AdoptGroup { .. }
            | Step::Create { .. }
            | Step::CreateGroup { .. } => {}
        }
    }
    taken
}

fn is_skipped(plan: &Plan, id: &PersonId) -> bool {
    let about = |skipped: &Skipped| matches!(&skipped.subject, Subject::Person(person) if person.user_id == *id);
    plan.skipped.iter().any(about)
}

/// Who has which memberships.
fn memberships(owned: &Owned) -> BTreeSet<(GroupId, PersonId)> {
    let of = |(id, group): (&GroupId, &duo_atlassian_sync::model::OwnedGroup)| {
        let id = id.clone();
        group.members.iter().map(move |person| (id.clone(), person.clone())).collect::<Vec<_>>()
    };
    owned.groups.iter().flat_map(of).collect()
}

fn active(owned: &Owned, id: &PersonId) -> bool {
    owned.accounts.get(id).is_some_and(|account| account.active)
}

fn groups_of(members: &BTreeSet<(GroupId, PersonId)>, id: &PersonId) -> usize {
    members.iter().filter(|(_, person)| person == id).count()
}

/// The memberships after each single one was taken or given, in the order of sending: leavers, joins, other leaves.
fn states(plan: &Plan, owned: &Owned) -> Vec<BTreeSet<(GroupId, PersonId)>> {
    let mut now = memberships(owned);
    for action in &plan.actions {
        if let Step::AdoptGroup { group, members, .. } = &action.step {
            now.extend(members.iter().map(|person| (group.group_id.clone(), person.clone())));
        }
    }
    let gone = plan.actions.iter().filter(|action| matches!(action.step, Step::Deactivate { .. }));
    let gone: BTreeSet<&PersonId> = gone.flat_map(named).collect();
    let mut states = vec![now.clone()];
    for phase in 0..3 {
        for action in &plan.actions {
            let Step::UpdateMembers { group, join, leave } = &action.step else { continue };
            for person in if phase == 1 { join } else { leave } {
                let member = (group.group_id.clone(), person.clone());
                if phase == 1 {
                    now.insert(member);
                } else if (phase == 0) == gone.contains(person) {
                    now.remove(&member);
                }
                states.push(now.clone());
            }
        }
    }
    states
}

/// Nobody who has a membership before and after the whole plan is without any in between, or after a part of it.
fn keeps_people_in(plan: &Plan, whole: &Plan, world: &World) -> Result<(), TestCaseError> {
    let end = states(whole, &world.owned).pop().unwrap_or_default();
    let gone: BTreeSet<&PersonId> =
        whole.actions.iter().filter(|a| matches!(a.step, Step::Deactivate { .. })).flat_map(named).collect();
    let states = states(plan, &world.owned);
    for id in world.owned.accounts.keys().filter(|id| active(&world.owned, id) && !gone.contains(*id)) {
        if groups_of(&states[0], id) > 0 && groups_of(&end, id) > 0 {
            prop_assert!(states.iter().all(|state| groups_of(state, id) > 0), "{} in {}", id, bytes(plan));
        }
    }
    Ok(())
}

/// A plan without some of its actions, by the bits of a number.
fn part(plan: &Plan, bits: u16) -> Plan {
    let out = plan.actions.iter().enumerate().filter(|(at, _)| bits >> (at % 16) & 1 == 1);
    let out: BTreeSet<String> = out.map(|(_, action)| action.id()).collect();
    let mut part = plan.clone();
    part.leave_out(&out);
    part
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_undo_restores_what_was_taken_and_the_next_plan_leaves_it_so(spec in specs()) {
        let mut world = spec.world(Confirmed::Everyone);
        let plan = world.plan();
        let before = world.owned.clone();
        let after = carry_out(&plan, &before).map_err(TestCaseError::fail)?;
        let undo = Plan::undo(&taken(&plan), &after, &world.rules);
        let restored = carry_out(&undo, &after).map_err(TestCaseError::fail)?;
        let touched: BTreeSet<PersonId> = undo.actions.iter().flat_map(named).cloned().collect();
        prop_assert!(undo.actions.iter().all(|action| losing(action).is_empty()), "{}", bytes(&undo));
        let members = memberships(&restored);
        for (id, account) in before.accounts.iter().filter(|(id, _)| !is_skipped(&undo, id)) {
            let now = &restored.accounts[id];
            prop_assert!(now.active || !account.active, "{} in {}", id, bytes(&undo));
            // Whoever was reactivated stays so: nothing was taken from them.
            let same = |a, value: &str| now.attributes.value(a) == Some(value);
            prop_assert!(account.attributes.iter().all(|(a, value)| same(a, value)), "{} in {}", id, bytes(&undo));
            let theirs = memberships(&before);
            let lost = theirs.difference(&members).find(|(_, person)| person == id);
            prop_assert!(lost.is_none(), "{:?} in {}", lost, bytes(&undo));
        }
        world.before = None;
        let pins: BTreeMap<PersonId, String> = touched.iter().map(|id| (id.clone(), "pinned".to_owned())).collect();
        let next = world.plan_pinned(&restored, &pins);
        for action in &next.actions {
            prop_assert!(named(action).iter().all(|id| !touched.contains(*id)), "{:?}", action);
        }
    }

    #[test]
    fn who_keeps_a_membership_is_never_without_one(spec in specs(), bits in any::<u16>()) {
        let world = spec.world(Confirmed::Everyone);
        let plan = world.plan();
        keeps_people_in(&plan, &plan, &world)?;
        keeps_people_in(&part(&plan, bits), &plan, &world)?;
    }

    #[test]
    fn picking_the_whole_plan_is_the_plan_and_says_that_nothing_moved(spec in specs()) {
        let plan = spec.world(Confirmed::AsItIs).plan();
        let listed: Vec<ActionDocument> = plan.actions.iter().map(ActionDocument::from).collect();
        let mut picked = plan.clone();
        prop_assert_eq!(picked.pick(&listed), Vec::<String>::new());
        prop_assert_eq!(&picked, &plan);
        prop_assert!(picked.leave_out(&BTreeSet::new()).is_empty());
        prop_assert_eq!(&picked, &plan);
        let mut none = plan.clone();
        prop_assert!(none.pick(&[]).is_empty() && none.is_empty());
    }

    #[test]
    fn what_is_left_of_a_plan_needs_nothing_that_was_left_out(spec in specs(), bits in any::<u16>()) {
        let world = spec.world(Confirmed::Everyone);
        let plan = part(&world.plan(), bits);
        let after = carry_out(&plan, &world.owned);
        prop_assert!(after.is_ok(), "{after:?}\n{}\nof {}", bytes(&plan), bytes(&world.plan()));
    }

    #[test]
    fn the_user_tier_is_never_exceeded_and_nobody_loses_anything_by_it(spec in specs(), max in 1..7_u64) {
        let world = spec.world(Confirmed::Everyone);
        let whole = world.plan();
        let adopted = whole.actions.iter().filter(|a| matches!(a.step, Step::Adopt { active: true, .. })).count();
        let before = u64::try_from(world.owned.active_accounts() + adopted).unwrap_or_default();
        let mut plan = whole.clone();
        let seats = plan.keep_within_seats(before, max);
        let after = carry_out(&plan, &world.owned);
        prop_assert!(after.is_ok(), "{after:?}\n{}", bytes(&plan));
        let count = u64::try_from(after.unwrap_or_default().active_accounts()).unwrap_or_default();
        prop_assert_eq!(seats.after, count);
        let takes = |a: &Action| matches!(a.step, Step::Create { .. } | Step::Reactivate { .. });
        prop_assert!(count <= max || !plan.actions.iter().any(takes), "{:?} {}", seats, bytes(&plan));
        let lost = |plan: &Plan| -> Vec<(Option<GroupId>, PersonId)> {
            let of = |action: &Action| {
                let group = action.step.group().map(|group| group.group_id.clone());
                losing(action).into_iter().map(move |id| (group.clone(), id.clone())).collect::<Vec<_>>()
            };
            plan.actions.iter().flat_map(of).collect()
        };
        prop_assert_eq!(lost(&plan), lost(&whole));
        keeps_people_in(&plan, &whole, &world)?;
    }
}
