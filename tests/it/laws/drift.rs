//! Laws of drift: what somebody else did in the target, and what a database is worth that did not see it.

use super::sample::specs;
use super::target::carry_out;
use super::world::{Confirmed, GROUPS, NOW, PEOPLE, World, has, person_id};
use super::{bytes, config, losing, named};
use duo_atlassian_sync::guard::{
    FirstPlan, History, Item, Limit, Limits, Situation, Verdict, is_in_doubt, items_of, review,
};
use duo_atlassian_sync::model::{Attribute, GroupId, Observed, Owned, PersonId, ScimId, Timestamp};
use duo_atlassian_sync::plan::{Action, Comparison, Drift, Step, Trust};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// One thing that somebody else does.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Delete(usize),
    Switch(usize),
    Name(usize),
    Title(usize),
    Join(usize, usize),
    Leave(usize, usize),
    DeleteGroup(usize),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = (0..7_usize, 0..PEOPLE, 0..GROUPS).prop_map(|(kind, person, group)| match kind {
        0 => Deed::Delete(person),
        1 => Deed::Switch(person),
        2 => Deed::Name(person),
        3 => Deed::Title(person),
        4 => Deed::Join(person, group),
        5 => Deed::Leave(person, group),
        _ => Deed::DeleteGroup(group),
    });
    prop::collection::vec(deed, 3..12)
}

fn trusts() -> impl Strategy<Value = Trust> {
    let at = Timestamp::from_seconds(NOW - 86_400);
    prop_oneof![Just(Trust::Trusted), Just(Trust::Idle { since: at }), Just(Trust::Restored { backup_at: at })]
}

fn doubts() -> impl Strategy<Value = Trust> {
    trusts().prop_filter("not trusted", |trust| !trust.is_trusted())
}

fn record(person: usize) -> ScimId {
    ScimId::new(format!("s{person}"))
}

fn change(observed: &mut Observed, deed: Deed) {
    let set = |observed: &mut Observed, person: usize, attribute, value: &str| {
        if let Some(account) = observed.accounts.get_mut(&record(person)) {
            account.attributes.set(attribute, value);
        }
    };
    match deed {
        Deed::Delete(person) => {
            observed.accounts.remove(&record(person));
            for group in observed.groups.values_mut() {
                group.members.retain(|member| *member != record(person));
            }
        }
        Deed::Switch(person) => {
            if let Some(account) = observed.accounts.get_mut(&record(person)) {
                account.active = account.active.map(|active| !active);
            }
        }
        Deed::Name(person) => set(observed, person, Attribute::UserName, &format!("other{person}")),
        Deed::Title(person) => set(observed, person, Attribute::Title, "Something else"),
        Deed::Join(person, group) => {
            if let Some(group) = observed.groups.get_mut(&ScimId::new(format!("g{group}")))
                && observed.accounts.contains_key(&record(person))
            {
                group.members.insert(record(person));
            }
        }
        Deed::Leave(person, group) => {
            let group = observed.groups.get_mut(&ScimId::new(format!("g{group}")));
            if let Some(group) = group {
                group.members.retain(|member| *member != record(person));
            }
        }
        Deed::DeleteGroup(group) => drop(observed.groups.remove(&ScimId::new(format!("g{group}")))),
    }
}

fn read(world: &World, owned: &Owned, (trust, foreign): (Trust, &BTreeSet<(GroupId, PersonId)>)) -> Drift {
    let nothing = Observed::default();
    Drift::compute(&Comparison {
        observed: world.observed.as_ref().unwrap_or(&nothing),
        owned,
        desired: &world.desired(),
        rules: &world.rules,
        trust,
        confirmed: &world.roster.confirmed,
        foreign,
        creating: &BTreeSet::new(),
    })
}

/// A world whose target was read, after somebody was there.
fn tampered(spec: &super::world::Spec, deeds: &[Deed], confirmed: Confirmed) -> World {
    let mut world = spec.world(confirmed);
    let mut observed = spec.observed();
    for deed in deeds {
        change(&mut observed, *deed);
    }
    world.observed = Some(observed);
    world
}

/// Limits that no plan breaks.
fn no_limits() -> Limits {
    let huge = Limit { count: 1_000, percent: 100, at_most: 1_000 };
    Limits {
        deactivations: huge,
        reactivations: huge,
        leaves: huge,
        leaves_per_group: huge,
        updates: huge,
        identity_changes: huge,
        creates: huge,
        adoptions: huge,
        accounts: 0,
        first_plan: FirstPlan::Apply,
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_unchanged_target_is_no_drift_and_leaves_the_snapshot_as_it_is(spec in specs(), trust in trusts()) {
        let world = tampered(&spec, &[], Confirmed::AsItIs);
        let drift = read(&world, &world.owned, (trust, &BTreeSet::new()));
        prop_assert!(drift.is_empty(), "{:?} {:?}", drift.accounts, drift.groups);
        prop_assert_eq!(&drift.owned, &world.owned);
        // Apart from records that may be adopted, the plan is that of any other day.
        let mut bare = spec;
        bare.records.clear();
        let world = tampered(&bare, &[], Confirmed::AsItIs);
        let drift = read(&world, &world.owned, (trust, &BTreeSet::new()));
        prop_assert!(drift.unlinked.is_empty());
        prop_assert_eq!(world.plan_drifted(&drift), world.plan());
    }

    #[test]
    fn what_was_read_and_recorded_is_no_drift_the_second_time(
        spec in specs(), deeds in deeds(), first in trusts(), second in trusts(),
    ) {
        let world = tampered(&spec, &deeds, Confirmed::AsItIs);
        let drift = read(&world, &world.owned, (first, &BTreeSet::new()));
        let again = read(&world, &drift.owned, (second, &drift.foreign));
        prop_assert!(again.is_empty(), "{:?} {:?}", again.accounts, again.groups);
        prop_assert_eq!(again.owned, drift.owned);
        prop_assert_eq!(again.foreign, drift.foreign);
    }

    #[test]
    fn a_corrected_snapshot_has_no_link_that_was_not_there(spec in specs(), deeds in deeds(), trust in trusts()) {
        let world = tampered(&spec, &deeds, Confirmed::AsItIs);
        let drift = read(&world, &world.owned, (trust, &BTreeSet::new()));
        for (id, account) in &drift.owned.accounts {
            prop_assert_eq!(&world.owned.accounts[id].scim_id, &account.scim_id);
        }
        for (id, group) in &drift.owned.groups {
            prop_assert_eq!(&world.owned.groups[id].scim_id, &group.scim_id);
            prop_assert!(group.members.iter().all(|person| drift.owned.accounts.contains_key(person)));
        }
    }

    #[test]
    fn a_plan_on_a_corrected_snapshot_leaves_nothing_to_do(spec in specs(), deeds in deeds(), trust in trusts()) {
        let mut world = tampered(&spec, &deeds, Confirmed::Everyone);
        let drift = read(&world, &world.owned, (trust, &BTreeSet::new()));
        let plan = world.plan_drifted(&drift);
        let after = carry_out(&plan, &drift.owned);
        prop_assert!(after.is_ok(), "{after:?}\n{}", bytes(&plan));
        world.before = None;
        let again = world.plan_with(&after.unwrap_or_default());
        prop_assert!(again.is_empty(), "first {}\nthen {}", bytes(&plan), bytes(&again));
    }

    #[test]
    fn drift_names_nobody_who_is_left_alone_and_takes_from_nobody_unowned(
        spec in specs(), deeds in deeds(), trust in trusts(),
    ) {
        let world = tampered(&spec, &deeds, Confirmed::AsItIs);
        let drift = read(&world, &world.owned, (trust, &BTreeSet::new()));
        let plan = world.plan_drifted(&drift);
        let lists = &spec.lists;
        let left_alone = |at: usize| has(lists.excluded, at) || (lists.pilot != 0 && !has(lists.pilot, at));
        // A username that neither Duo nor the snapshot has is nobody's: lists name every second person by id.
        let is_known = |at: usize| at.is_multiple_of(2) || spec.people[at].in_duo || spec.people[at].owned.is_some();
        let left_alone: BTreeSet<PersonId> =
            (0..PEOPLE).filter(|at| left_alone(*at) && is_known(*at)).map(person_id).collect();
        prop_assert!(drift.accounts.keys().all(|id| !left_alone.contains(id)));
        let adopted = plan.actions.iter().filter(|action| matches!(action.step, Step::Adopt { .. }));
        let adopted: BTreeSet<&PersonId> = adopted.flat_map(named).collect();
        for action in &plan.actions {
            prop_assert!(named(action).iter().all(|id| !left_alone.contains(*id)), "{:?}", action);
            let ours = |id: &&PersonId| drift.owned.accounts.contains_key(*id) || adopted.contains(*id);
            prop_assert!(losing(action).iter().all(ours), "{:?}", action);
        }
    }

    #[test]
    fn a_trusted_database_takes_no_membership_away_that_it_did_not_give(spec in specs(), deeds in deeds()) {
        let world = tampered(&spec, &deeds, Confirmed::Everyone);
        let drift = read(&world, &world.owned, (Trust::Trusted, &BTreeSet::new()));
        for action in &world.plan_drifted(&drift).actions {
            let Step::UpdateMembers { group, leave, .. } = &action.step else { continue };
            let given: Vec<&PersonId> =
                world.owned.groups.get(&group.group_id).into_iter().flat_map(|group| &group.members).collect();
            let adopts = |action: &Action| matches!(action.step, Step::AdoptGroup { .. });
            let is_adopted = world.plan_drifted(&drift).actions.iter().any(adopts);
            prop_assert!(is_adopted || leave.iter().all(|person| given.contains(&person)), "{:?}", action);
        }
    }

    #[test]
    fn a_database_in_doubt_sends_nothing_that_nobody_approved(
        spec in specs(), deeds in deeds(), trust in doubts(), bits in any::<u16>(),
    ) {
        let world = tampered(&spec, &deeds, Confirmed::Everyone);
        let drift = read(&world, &world.owned, (trust, &BTreeSet::new()));
        let found = drift.found(&world.desired());
        let situation = Situation { trust, drift: found, history: History::Some, ..Situation::default() };
        let plan = world.plan_drifted(&drift);
        let all: BTreeSet<Item> = items_of(&plan).into_iter().map(|(_, item)| item).collect();
        let some: BTreeSet<Item> =
            all.iter().enumerate().filter(|(at, _)| bits >> (at % 16) & 1 == 1).map(|(_, item)| item.clone()).collect();
        let doubtful = is_in_doubt(&plan, &situation) && !plan.is_empty();
        let verdict = review(plan.clone(), &no_limits(), &situation);
        if doubtful {
            let Verdict::Held(held) = &verdict else { return Err(TestCaseError::fail("sent in doubt")) };
            prop_assert_eq!(held.risky_items(), all.clone());
        }
        let with = |approved: BTreeSet<Item>| Situation { approved, ..situation.clone() };
        let partly = review(plan.clone(), &no_limits(), &with(some.clone()));
        prop_assert!(!doubtful || some == all || matches!(partly, Verdict::Held(_)));
        let wholly = review(plan, &no_limits(), &with(all));
        prop_assert!(matches!(wholly, Verdict::Approved(_)), "{:?}", wholly.findings());
    }
}

#[test]
fn the_worlds_of_these_laws_drift() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::new(config());
    let (mut drifted, mut in_doubt) = (0, 0);
    for _ in 0..100 {
        let spec = specs().new_tree(&mut runner).expect("a world").current();
        let deeds = deeds().new_tree(&mut runner).expect("deeds").current();
        let world = tampered(&spec, &deeds, Confirmed::Everyone);
        let trust = Trust::Idle { since: Timestamp::from_seconds(NOW - 86_400) };
        let drift = read(&world, &world.owned, (trust, &BTreeSet::new()));
        let plan = world.plan_drifted(&drift);
        drifted += usize::from(plan.actions.iter().any(|action| action.cause.as_str() == "drift"));
        in_doubt += usize::from(!drift.unlinked.is_empty());
    }
    assert!(drifted > 10 && in_doubt > 25, "{drifted} plans with drift, {in_doubt} worlds with unknown records");
}
