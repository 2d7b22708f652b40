//! The limits of `[guard]`, class by class (S4).

use super::Situation;
use super::finding::{Finding, FindingKind};
use super::limits::{Limit, Limits};
use super::risk::{Class, Item, items_of};
use crate::model::GroupId;
use crate::model::PersonId;
use crate::plan::Departure;
use crate::plan::Plan;
use crate::plan::Step;
use std::collections::{BTreeMap, BTreeSet};

/// One class with its limit: what is counted, against which base, and how it is called.
struct Budget {
    kind: FindingKind,
    classes: &'static [Class],
    limit: Limit,
    base: u64,
    key: &'static str,
    noun: &'static str,
    of: &'static str,
}

pub(super) fn findings(plan: &Plan, limits: &Limits, situation: &Situation, open: &[(Class, Item)]) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        budgets(limits, situation).iter().filter_map(|budget| over(budget, plan, situation, open)).collect();
    findings.extend(half_of_all(plan, situation, open));
    findings.extend(groups(plan, limits, situation, open));
    findings
}

fn budgets(limits: &Limits, situation: &Situation) -> Vec<Budget> {
    let accounts = situation.active_accounts;
    let budget = |kind, classes, limit, key, noun| Budget {
        kind,
        classes,
        limit,
        base: accounts,
        key,
        noun,
        of: "active accounts",
    };
    vec![
        budget(
            FindingKind::Deactivations,
            &[Class::Deactivation],
            limits.deactivations,
            "guard.deactivations_max",
            "deactivations",
        ),
        Budget {
            base: situation.memberships,
            of: "memberships",
            ..budget(FindingKind::Leaves, &[Class::Leave], limits.leaves, "guard.leaves_max", "memberships removed")
        },
        budget(
            FindingKind::IdentityChanges,
            &[Class::IdentityChange],
            limits.identity_changes,
            "guard.identity_changes_max",
            "changes of userName or address",
        ),
        budget(
            FindingKind::Updates,
            &[Class::Update, Class::IdentityChange],
            limits.updates,
            "guard.updates_max",
            "accounts changed",
        ),
        budget(
            FindingKind::Reactivations,
            &[Class::Reactivation],
            limits.reactivations,
            "guard.reactivations_max",
            "reactivations",
        ),
        budget(FindingKind::Creates, &[Class::Create], limits.creates, "guard.creates_max", "new accounts"),
        budget(FindingKind::Adoptions, &[Class::Adoption], limits.adoptions, "guard.adoptions_max", "adoptions"),
    ]
}

/// Updates are counted by person, everything else by item.
fn count(kind: FindingKind, items: &BTreeSet<Item>) -> u64 {
    let people = || items.iter().filter_map(|item| item.person.as_ref()).collect::<BTreeSet<_>>().len();
    let by_person = matches!(kind, FindingKind::Updates | FindingKind::IdentityChanges);
    u64::try_from(if by_person { people() } else { items.len() }).unwrap_or(u64::MAX)
}

fn over(budget: &Budget, plan: &Plan, situation: &Situation, open: &[(Class, Item)]) -> Option<Finding> {
    let counted = open.iter().filter(|(class, _)| budget.classes.contains(class)).map(|(_, item)| item.clone());
    let items: BTreeSet<Item> = counted.collect();
    let planned = count(budget.kind, &items);
    let spent = budget.classes.first().and_then(|class| situation.spent.get(class)).copied().unwrap_or(0);
    let limit = budget.limit.of(budget.base);
    if planned == 0 || planned + spent <= limit {
        return None;
    }
    let mut message = format!("{planned} {}", budget.noun);
    if spent > 0 {
        message.push_str(&format!(" after {spent} without approval in the last 24 hours"));
    }
    message.push_str(&format!("; the limit is {limit} in 24 hours, with {} {}", budget.base, budget.of));
    if budget.kind == FindingKind::Deactivations {
        message.push_str(&looks_like(plan, &items));
    }
    let finding = Finding::of(budget.kind, message, items);
    Some(Finding { key: Some(budget.key), numbers: Some((planned + spent, limit)), ..finding })
}

/// Half or more of all accounts is always held, whatever the limits say. What is approved already counts here: an
/// approval of some must not open the way for all the others.
fn half_of_all(plan: &Plan, situation: &Situation, open: &[(Class, Item)]) -> Option<Finding> {
    let of = |items: &[(Class, Item)]| -> BTreeSet<Item> {
        items.iter().filter(|(class, _)| *class == Class::Deactivation).map(|(_, item)| item.clone()).collect()
    };
    let (items, everyone) = (of(open), of(&items_of(plan)));
    if items.is_empty() {
        return None;
    }
    let spent = situation.spent.get(&Class::Deactivation).copied().unwrap_or(0);
    let planned = count(FindingKind::HalfOfAll, &everyone);
    // What was sent in the last 24 hours was active before.
    let all = situation.active_accounts + spent;
    if (planned + spent) * 2 < all {
        return None;
    }
    let message = format!(
        "{} of {all} accounts would be deactivated within 24 hours, half or more of all{}",
        planned + spent,
        looks_like(plan, &everyone)
    );
    Some(Finding { numbers: Some((planned + spent, all)), ..Finding::of(FindingKind::HalfOfAll, message, items) })
}

/// The name of each group that people leave, and how many members of it are ours before they do: those of a group that
/// this plan adopts become ours by it.
fn sizes<'a>(plan: &'a Plan, situation: &'a Situation) -> BTreeMap<&'a GroupId, (&'a str, u64)> {
    let mut sizes = BTreeMap::new();
    for step in plan.actions.iter().map(|action| &action.step) {
        match (step, step.group()) {
            (Step::AdoptGroup { members, .. }, Some(group)) => {
                sizes.insert(&group.group_id, (group.name.as_str(), u64::try_from(members.len()).unwrap_or(u64::MAX)));
            }
            (_, Some(group)) => drop(sizes.entry(&group.group_id).or_insert((group.name.as_str(), 0))),
            (_, None) => {}
        }
    }
    sizes.extend(situation.group_members.iter().map(|(id, (name, members))| (id, (name.as_str(), *members))));
    sizes
}

fn groups(plan: &Plan, limits: &Limits, situation: &Situation, open: &[(Class, Item)]) -> Vec<Finding> {
    let sizes = sizes(plan, situation);
    let mut leaves: BTreeMap<&GroupId, BTreeSet<Item>> = BTreeMap::new();
    for (class, item) in open {
        if let (Class::Leave, Some(group)) = (class, &item.group) {
            leaves.entry(group).or_default().insert(item.clone());
        }
    }
    let mut findings = Vec::new();
    for (id, items) in leaves {
        let (name, members) = sizes.get(id).copied().unwrap_or((id.as_str(), 0));
        let spent = situation.spent_leaves.get(id).copied().unwrap_or(0);
        let planned = count(FindingKind::LeavesPerGroup, &items);
        let limit = limits.leaves_per_group.of(members);
        if planned + spent <= limit {
            continue;
        }
        let mut message = format!("{planned} of {members} members would leave group {name}");
        if spent > 0 {
            message.push_str(&format!(" after {spent} without approval in the last 24 hours"));
        }
        message.push_str(&format!(", at most {limit} allowed in 24 hours"));
        if planned * 2 >= members && members > 2 {
            message.push_str(": looks like a list that was replaced, not like people who moved");
        }
        let finding = Finding::of(FindingKind::LeavesPerGroup, message, items);
        findings.push(Finding {
            key: Some("guard.leaves_per_group_max"),
            numbers: Some((planned + spent, limit)),
            ..finding
        });
    }
    findings
}

/// What a number of deactivations looks like, from what they have in common.
fn looks_like(plan: &Plan, items: &BTreeSet<Item>) -> String {
    let people: BTreeSet<&PersonId> = items.iter().filter_map(|item| item.person.as_ref()).collect();
    let mut departures: BTreeMap<&Departure, usize> = BTreeMap::new();
    for action in &plan.actions {
        if let Step::Deactivate { person, departure } = &action.step
            && people.contains(&person.user_id)
        {
            *departures.entry(departure).or_default() += 1;
        }
    }
    let Some((departure, count)) = departures.into_iter().max_by_key(|(_, count)| *count) else { return String::new() };
    if count < 3 || count * 10 < people.len() * 8 {
        return String::new();
    }
    let cause = match departure {
        Departure::Status(status) if status == "pending deletion" => "looks like directory sync, not like leavers",
        Departure::Gone => "looks like a purge or another tenant, not like leavers",
        Departure::LeftScope => "looks like groups that were emptied or replaced, not like leavers",
        Departure::Status(_) | Departure::GroupDisabled => "looks like one change in Duo, not like leavers",
        Departure::Blocked => "looks like one change of the configuration, not like leavers",
    };
    format!("; {count} of {} for one reason, {departure}: {cause}", people.len())
}
