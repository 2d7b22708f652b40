//! Laws of the guard: limits that are raised, and approvals that are given for one plan and used for another.

use super::sample::specs;
use super::world::{Confirmed, GROUPS, PEOPLE, World, group_id};
use super::{config, losing};
use duo_atlassian_sync::desired::{Remembered, ScopeChange};
use duo_atlassian_sync::guard::{
    Class, Finding, FirstPlan, History, Item, Limit, Limits, Pilot, RosterSize, Situation, Verdict, items_of, review,
};
use duo_atlassian_sync::model::{GroupId, PersonId};
use duo_atlassian_sync::plan::{Cause, DriftFound, Plan, Trust};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const CLASSES: [Class; 6] =
    [Class::Deactivation, Class::Leave, Class::Update, Class::IdentityChange, Class::Reactivation, Class::Create];

fn limit() -> impl Strategy<Value = Limit> {
    (0..4_u64, 0..=100_u8, 0..6_u64).prop_map(|(count, percent, at_most)| Limit { count, percent, at_most })
}

fn limits() -> impl Strategy<Value = Limits> {
    let first_plan = prop_oneof![Just(FirstPlan::Hold), Just(FirstPlan::Apply)];
    (prop::collection::vec(limit(), 8), first_plan).prop_map(|(limits, first_plan)| Limits {
        deactivations: limits[0],
        reactivations: limits[1],
        leaves: limits[2],
        leaves_per_group: limits[3],
        updates: limits[4],
        identity_changes: limits[5],
        creates: limits[6],
        adoptions: limits[7],
        accounts: 0,
        first_plan,
    })
}

/// What is known beside a world.
#[derive(Clone, Debug)]
struct Around {
    spent: Vec<u64>,
    spent_leaves: u64,
    history: bool,
    changes: Vec<usize>,
    emptied: Option<usize>,
    odd: u8,
}

fn around() -> impl Strategy<Value = Around> {
    let spent = prop::collection::vec(prop_oneof![2 => Just(0_u64), 1 => 0..3_u64], CLASSES.len());
    let changes = prop::collection::vec(0..4 * GROUPS, 0..2);
    let emptied = prop::option::weighted(0.2, 0..GROUPS);
    (spent, 0..3_u64, prop::bool::weighted(0.8), changes, emptied, 0..16_u8).prop_map(
        |(spent, spent_leaves, history, changes, emptied, odd)| Around {
            spent,
            spent_leaves,
            history,
            changes,
            emptied,
            odd,
        },
    )
}

fn size(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn situation(world: &World, around: &Around) -> Situation {
    let remembered = |at: usize| Remembered {
        selector: "{ name = \"*\" }".to_owned(),
        group_id: group_id(at % GROUPS),
        name: "eng".to_owned(),
        gone: false,
    };
    let change = |at: &usize| match at / GROUPS {
        0 => ScopeChange::Vanished(remembered(*at)),
        1 => ScopeChange::LeftPattern { was: remembered(*at), name: "crew".to_owned() },
        2 => ScopeChange::Renamed { was: remembered(*at), name: "crew".to_owned() },
        _ => ScopeChange::NewMatch(remembered(*at)),
    };
    let groups = &world.owned.groups;
    Situation {
        active_accounts: size(world.owned.active_accounts()),
        memberships: size(world.owned.memberships()),
        group_members: groups.iter().map(|(id, g)| (id.clone(), (g.name.clone(), size(g.members.len())))).collect(),
        spent: CLASSES.into_iter().zip(around.spent.iter().copied()).collect(),
        spent_leaves: groups.keys().map(|id| (id.clone(), around.spent_leaves)).collect(),
        approved: BTreeSet::new(),
        rejected: BTreeSet::new(),
        configuration_changes: Vec::new(),
        directory_sync: None,
        history: if around.history { History::Some } else { History::None },
        scope_changes: around.changes.iter().map(change).collect(),
        emptied_groups: around.emptied.iter().map(|at| (group_id(*at), "eng".to_owned(), 3)).collect(),
        roster: if around.odd == 1 { RosterSize::BecameEmpty } else { RosterSize::Normal },
        people: size(PEOPLE),
        trust: Trust::Trusted,
        drift: DriftFound::default(),
        pilot: if around.odd == 2 { Pilot::Ended } else { Pilot::AsBefore },
    }
}

fn raised(limits: &Limits, more: &Limits) -> Limits {
    let higher = |a: Limit, b: Limit| Limit {
        count: a.count.max(b.count),
        percent: a.percent.max(b.percent),
        at_most: a.at_most.max(b.at_most),
    };
    Limits {
        deactivations: higher(limits.deactivations, more.deactivations),
        reactivations: higher(limits.reactivations, more.reactivations),
        leaves: higher(limits.leaves, more.leaves),
        leaves_per_group: higher(limits.leaves_per_group, more.leaves_per_group),
        updates: higher(limits.updates, more.updates),
        identity_changes: higher(limits.identity_changes, more.identity_changes),
        creates: higher(limits.creates, more.creates),
        adoptions: higher(limits.adoptions, more.adoptions),
        accounts: limits.accounts,
        first_plan: limits.first_plan,
    }
}

/// What is in a plan and in no approval.
struct Open {
    items: Vec<(Class, Item)>,
}

impl Open {
    fn of(plan: &Plan, approved: &BTreeSet<Item>) -> Self {
        Self { items: items_of(plan).into_iter().filter(|(_, item)| !approved.contains(item)).collect() }
    }

    fn items(&self, class: Class) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(move |(of, _)| *of == class).map(|(_, item)| item)
    }

    fn count(&self, class: Class) -> u64 {
        size(self.items(class).count())
    }

    fn people(&self, classes: &[Class]) -> u64 {
        let people = classes.iter().flat_map(|class| self.items(*class)).filter_map(|item| item.person.as_ref());
        size(people.collect::<BTreeSet<&PersonId>>().len())
    }

    fn takes_away(&self) -> BTreeSet<&Item> {
        [Class::Deactivation, Class::Leave, Class::LeaverLeave]
            .into_iter()
            .flat_map(|class| self.items(class))
            .collect()
    }
}

/// Counts anew, and in its own way, whether what nobody approved keeps every limit.
fn broken(plan: &Plan, open: &Open, limits: &Limits, situation: &Situation) -> Vec<&'static str> {
    let active = situation.active_accounts;
    let leaves = open.count(Class::Leave);
    let of_class = [
        ("deactivations", Class::Deactivation, open.count(Class::Deactivation), limits.deactivations.of(active)),
        ("reactivations", Class::Reactivation, open.count(Class::Reactivation), limits.reactivations.of(active)),
        ("creates", Class::Create, open.count(Class::Create), limits.creates.of(active)),
        ("leaves", Class::Leave, leaves, limits.leaves.of(situation.memberships)),
        ("identity", Class::IdentityChange, open.people(&[Class::IdentityChange]), limits.identity_changes.of(active)),
        ("updates", Class::Update, open.people(&[Class::Update, Class::IdentityChange]), limits.updates.of(active)),
        ("adoptions", Class::Adoption, open.count(Class::Adoption), limits.adoptions.of(active)),
    ];
    let spent = |class: Class| situation.spent.get(&class).copied().unwrap_or(0);
    let over = |(_, class, count, limit): &(&str, Class, u64, u64)| *count > 0 && count + spent(*class) > *limit;
    let mut broken: Vec<&'static str> = of_class.into_iter().filter(over).map(|(name, ..)| name).collect();
    let leavers = open.count(Class::Deactivation);
    let leavers_of_day = leavers + spent(Class::Deactivation);
    if leavers > 0 && 2 * leavers_of_day >= active + spent(Class::Deactivation) {
        broken.push("half");
    }
    let mut by_group: BTreeMap<&GroupId, u64> = BTreeMap::new();
    for group in open.items(Class::Leave).filter_map(|item| item.group.as_ref()) {
        *by_group.entry(group).or_default() += 1;
    }
    for (group, count) in by_group {
        if let Some((_, members)) = situation.group_members.get(group) {
            let spent = situation.spent_leaves.get(group).copied().unwrap_or(0);
            if count + spent > limits.leaves_per_group.of(*members) {
                broken.push("leaves of a group");
            }
        }
    }
    if situation.history == History::None && limits.first_plan == FirstPlan::Hold && !open.items.is_empty() {
        broken.push("first plan");
    }
    if situation.pilot == Pilot::Ended && !open.items.is_empty() {
        broken.push("pilot");
    }
    if situation.roster == RosterSize::BecameEmpty && !open.takes_away().is_empty() {
        broken.push("roster");
    }
    broken.extend(by_what_is_lost(plan, open, situation));
    broken
}

fn by_what_is_lost(plan: &Plan, open: &Open, situation: &Situation) -> Vec<&'static str> {
    let mut broken = Vec::new();
    let lost = open.takes_away();
    let gone = |group: &GroupId| {
        let change = situation.scope_changes.iter().any(|change| match change {
            ScopeChange::Vanished(was) | ScopeChange::LeftPattern { was, .. } => was.group_id == *group,
            ScopeChange::Renamed { .. } | ScopeChange::StillGone(_) | ScopeChange::NewMatch(_) => false,
        });
        change || situation.emptied_groups.iter().any(|(id, ..)| id == group)
    };
    if lost.iter().any(|item| item.group.as_ref().is_some_and(gone)) {
        broken.push("a group that is gone");
    }
    let new = |group: &GroupId| {
        let same = |change: &ScopeChange| matches!(change, ScopeChange::NewMatch(found) if found.group_id == *group);
        situation.scope_changes.iter().any(same)
    };
    if open.items.iter().any(|(_, item)| item.group.as_ref().is_some_and(new)) {
        broken.push("a group that is new");
    }
    for action in &plan.actions {
        let people = losing(action);
        if people.iter().any(|person| plan.unconfirmed.contains(*person)) {
            broken.push("unconfirmed");
        }
        let group = action.step.group().map(|group| &group.group_id);
        let is_lost =
            |item: &&Item| item.group.as_ref() == group && people.iter().any(|p| item.person.as_ref() == Some(*p));
        if action.cause == Cause::Configuration && lost.iter().any(is_lost) {
            broken.push("configuration");
        }
    }
    broken
}

fn brief(findings: &[Finding]) -> BTreeSet<(&'static str, BTreeSet<Item>)> {
    findings.iter().map(|finding| (finding.kind.as_str(), finding.items.clone())).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_raised_limit_never_holds_more(spec in specs(), a in limits(), b in limits(), around in around()) {
        let world = spec.world(Confirmed::AsItIs);
        let situation = situation(&world, &around);
        let before = review(world.plan(), &a, &situation);
        let after = review(world.plan(), &raised(&a, &b), &situation);
        prop_assert!(brief(after.findings()).is_subset(&brief(before.findings())), "{:?}", after.findings());
    }

    #[test]
    fn a_plan_is_held_if_and_only_if_something_is_broken(spec in specs(), limits in limits(), around in around()) {
        let mut spec = spec;
        spec.observed = false;
        let world = spec.world(Confirmed::AsItIs);
        let mut situation = situation(&world, &around);
        // Groups that are not ours are judged by who left the scope; that has tests of its own.
        let ours = |id: &GroupId| world.owned.groups.contains_key(id);
        situation.emptied_groups.retain(|(id, ..)| ours(id));
        situation.scope_changes.retain(|change| match change {
            ScopeChange::Vanished(was)
            | ScopeChange::LeftPattern { was, .. }
            | ScopeChange::StillGone(was)
            | ScopeChange::Renamed { was, .. }
            | ScopeChange::NewMatch(was) => ours(&was.group_id),
        });
        let verdict = review(world.plan(), &limits, &situation);
        let open = Open::of(verdict.plan(), &BTreeSet::new());
        let broken = broken(verdict.plan(), &open, &limits, &situation);
        prop_assert_eq!(broken.is_empty(), verdict.findings().is_empty(), "{:?}\n{:?}", broken, verdict.findings());
        for finding in verdict.findings() {
            prop_assert!(!finding.items.is_empty(), "{:?}", finding);
        }
    }

    #[test]
    fn an_approval_lets_nothing_through_that_it_did_not_show(
        (first, second) in (specs(), specs()),
        limits in limits(),
        (around, later) in (around(), around()),
        same in any::<bool>(),
    ) {
        let world = first.world(Confirmed::AsItIs);
        let Verdict::Held(held) = review(world.plan(), &limits, &situation(&world, &around)) else { return Ok(()) };
        let approved = held.risky_items();
        // The same people some time later, or others.
        let mut next = if same { first.clone() } else { second.clone() };
        next.people[0] = second.people[0].clone();
        let world = next.world(Confirmed::AsItIs);
        let situation = Situation { approved: approved.clone(), ..situation(&world, &later) };
        let verdict = review(world.plan(), &limits, &situation);
        let open = Open::of(verdict.plan(), &approved);
        match &verdict {
            Verdict::Approved(by) => {
                let broken = broken(by.plan(), &open, &limits, &situation);
                prop_assert!(broken.is_empty(), "approved in spite of {:?}", broken);
                for (_, item) in items_of(by.plan()) {
                    prop_assert_eq!(by.is_by_person(&item), approved.contains(&item));
                }
            }
            Verdict::Held(held) => {
                for finding in held.findings().iter().filter(|finding| finding.kind.as_str() != "unconfirmed") {
                    prop_assert!(finding.items.is_disjoint(&approved), "{:?} was approved", finding);
                }
            }
        }
    }
}
