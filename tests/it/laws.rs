//! What holds in every world: properties of desired, plan and guard, tried on small random ones.
//!
//! The same worlds every time: a fixed seed, a fixed number, nothing kept in files.
#![expect(clippy::indexing_slicing, reason = "worlds of a fixed size, where a surprise ends the test")]

mod approval;
mod command;
mod drift;
mod sample;
mod target;
mod world;

use duo_atlassian_sync::model::{Owned, PersonId};
use duo_atlassian_sync::plan::{Action, ActionDocument, Cause, Plan, Step};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use sample::{specs, specs_without_clashes};
use std::collections::BTreeSet;
use target::carry_out;
use world::{Confirmed, Order, PEOPLE, World, has, person_id};

/// So many worlds for each law.
const CASES: u32 = 600;

fn config() -> ProptestConfig {
    ProptestConfig { cases: CASES, failure_persistence: None, rng_seed: RngSeed::Fixed(5), ..ProptestConfig::default() }
}

/// Everyone whom an action names.
fn named(action: &Action) -> BTreeSet<&PersonId> {
    action.step.people().into_iter().collect()
}

/// Everyone who loses an account or a membership by an action.
fn losing(action: &Action) -> Vec<&PersonId> {
    if let Step::UpdateMembers { leave, .. } = &action.step {
        return leave.iter().collect();
    }
    let deactivates = matches!(action.step, Step::Deactivate { .. });
    if deactivates { action.step.people() } else { Vec::new() }
}

fn bytes(plan: &Plan) -> String {
    let documents: Vec<ActionDocument> = plan.actions.iter().map(ActionDocument::from).collect();
    serde_json::to_string(&documents).unwrap_or_default()
}

fn settle(world: &World, owned: &Owned) -> Result<Owned, String> {
    carry_out(&world.plan_with(owned), owned)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn applying_a_plan_leaves_nothing_to_do(spec in specs()) {
        let mut world = spec.world(Confirmed::Everyone);
        let plan = world.plan();
        let after = carry_out(&plan, &world.owned);
        prop_assert!(after.is_ok(), "{after:?}\n{}", bytes(&plan));
        world.before = None;
        let again = world.plan_with(&after.unwrap_or_default());
        prop_assert!(again.is_empty(), "first {}\nthen {}", bytes(&plan), bytes(&again));
    }

    #[test]
    fn no_action_takes_a_name_or_an_address_that_another_account_holds(spec in specs()) {
        let world = spec.world(Confirmed::AsItIs);
        let after = carry_out(&world.plan(), &world.owned);
        prop_assert!(after.is_ok(), "{after:?}\n{}", bytes(&world.plan()));
    }

    #[test]
    fn who_is_unowned_excluded_or_outside_the_pilot_loses_nothing_and_is_named_nowhere(spec in specs()) {
        let world = spec.world(Confirmed::AsItIs);
        let plan = world.plan();
        let adopted = plan.actions.iter().filter(|action| matches!(action.step, Step::Adopt { .. }));
        let adopted: BTreeSet<&PersonId> = adopted.flat_map(named).collect();
        let lists = &spec.lists;
        let left_alone = |at: usize| has(lists.excluded, at) || (lists.pilot != 0 && !has(lists.pilot, at));
        let left_alone: BTreeSet<PersonId> = (0..PEOPLE).filter(|at| left_alone(*at)).map(person_id).collect();
        for action in &plan.actions {
            let ours = |id: &&&PersonId| world.owned.accounts.contains_key(**id) || adopted.contains(**id);
            let losing = losing(action);
            prop_assert_eq!(losing.iter().filter(ours).count(), losing.len(), "{:?}", action);
            prop_assert!(named(action).iter().all(|id| !left_alone.contains(*id)), "{:?}", action);
            if let Some(group) = action.step.group() {
                prop_assert!(group.name.to_lowercase() != "site-admins", "{:?}", action);
            }
        }
    }

    #[test]
    fn who_loses_something_was_asked_for_or_is_unconfirmed(spec in specs()) {
        let world = spec.world(Confirmed::AsItIs);
        let plan = world.plan();
        for action in &plan.actions {
            let missing = |id: &&PersonId| !world.roster.people.contains_key(*id);
            for id in losing(action).into_iter().filter(|id| action.cause != Cause::Configuration || missing(id)) {
                let known = world.roster.confirmed.contains(id) || plan.unconfirmed.contains(id);
                prop_assert!(known, "{:?}", action);
            }
        }
        prop_assert!(plan.unconfirmed.is_disjoint(&world.roster.confirmed));
    }

    #[test]
    fn two_cycles_reach_what_one_reaches(
        (first, second) in (specs_without_clashes(), specs_without_clashes()),
        moved in 0_u8..32,
    ) {
        // One world that changes: its groups, rules and lists stay, its people are as in the one or in the other.
        let mut target = first.clone();
        target.people = second.people;
        let mut halfway = target.clone();
        for at in (0..PEOPLE).filter(|at| has(moved, *at)) {
            halfway.people[at] = first.people[at].clone();
        }
        let start = settle(&first.world(Confirmed::Everyone), &Owned::default());
        let start = start.map_err(TestCaseError::fail)?;
        let target = target.world(Confirmed::Everyone);
        let at_once = settle(&target, &start).map_err(TestCaseError::fail)?;
        let between = settle(&halfway.world(Confirmed::Everyone), &start).map_err(TestCaseError::fail)?;
        let in_two = settle(&target, &between).map_err(TestCaseError::fail)?;
        prop_assert_eq!(at_once, in_two);
    }

    #[test]
    fn the_order_of_what_was_read_does_not_matter(spec in specs()) {
        let plan = spec.world(Confirmed::AsItIs).plan();
        let other = spec.world_in(Confirmed::AsItIs, Order::Backwards).plan();
        prop_assert_eq!(plan.fingerprint(), other.fingerprint());
        prop_assert_eq!(bytes(&plan), bytes(&other));
        prop_assert_eq!(plan, other);
    }

    #[test]
    fn actions_are_sorted_with_ids_of_their_own_and_none_is_empty(spec in specs()) {
        let plan = spec.world(Confirmed::AsItIs).plan();
        let ids: Vec<String> = plan.actions.iter().map(Action::id).collect();
        prop_assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{:?}", ids);
        let kinds = ["adopt", "adopt_group", "deactivate", "update", "reactivate", "create", "create_group", "update_members"];
        let rank = |action: &Action| kinds.iter().position(|kind| *kind == action.step.name());
        let keys: Vec<_> = plan.actions.iter().map(|action| (rank(action), action.id())).collect();
        prop_assert!(keys.is_sorted(), "{:?}", ids);
        for action in &plan.actions {
            if let Step::Update { changes, .. } = &action.step {
                prop_assert!(!changes.is_empty(), "{:?}", action);
            }
            if let Step::UpdateMembers { join, leave, .. } = &action.step {
                prop_assert!(join.len() + leave.len() > 0, "{:?}", action);
                prop_assert!(join.is_sorted() && leave.is_sorted(), "{:?}", action);
            }
        }
    }

    #[test]
    fn no_change_clears_a_value_or_repeats_it(spec in specs()) {
        for action in &spec.world(Confirmed::AsItIs).plan().actions {
            if let Step::Update { changes, .. } | Step::Reactivate { changes, .. } = &action.step {
                for change in changes.values() {
                    prop_assert!(!change.to.trim().is_empty(), "{:?}", action);
                    prop_assert!(change.from.as_ref() != Some(&change.to), "{:?}", action);
                }
            }
        }
    }
}
