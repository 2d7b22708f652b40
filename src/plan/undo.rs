//! The reverse of what an earlier cycle took away or changed (S22).

use super::Plan;
use super::action::{Action, Cause, Change, Changes, GroupRef, PersonRef, Skipped, Step, Subject};
use crate::model::Attributes;
use crate::model::GroupId;
use crate::model::Owned;
use crate::model::PersonId;
use std::collections::{BTreeMap, BTreeSet};

/// One thing that a cycle took away or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// An account was made inactive.
    Deactivated(PersonId),
    /// Attributes had other values before.
    Changed {
        /// Whose.
        person: PersonId,
        /// What the account held.
        before: Attributes,
        /// What it was given.
        after: Attributes,
    },
    /// Memberships were removed.
    Left(GroupId, Vec<PersonId>),
}

/// What is to be given back to one person or all, where nothing else has changed it since.
#[derive(Default)]
struct Back {
    reactivate: BTreeSet<PersonId>,
    changes: BTreeMap<PersonId, Changes>,
    join: BTreeMap<GroupId, BTreeSet<PersonId>>,
    skipped: Vec<Skipped>,
}

impl Plan {
    /// Plans the reverse of what was taken. Only what is owned and still as that cycle left it is given back;
    /// everything else is skipped with the reason.
    pub fn undo(taken: &[Taken], owned: &Owned) -> Self {
        let mut back = Back::default();
        for entry in taken {
            match entry {
                Taken::Deactivated(person) => back.reactivate(person, owned),
                Taken::Changed { person, before, after } => back.change(person, (before, after), owned),
                Taken::Left(group, people) => people.iter().for_each(|person| back.join(group, person, owned)),
            }
        }
        back.into_plan(owned)
    }
}

impl Back {
    fn skip(&mut self, person: &PersonId, owned: &Owned, reason: &str) {
        let person = person_ref(person, owned);
        self.skipped.push(Skipped { subject: Subject::Person(person), reason: reason.to_owned() });
    }

    fn reactivate(&mut self, person: &PersonId, owned: &Owned) {
        match owned.accounts.get(person) {
            Some(account) if !account.active => drop(self.reactivate.insert(person.clone())),
            Some(_) => self.skip(person, owned, "the account is active again already"),
            None => self.skip(person, owned, "the account is not ours any more"),
        }
    }

    fn change(&mut self, person: &PersonId, (before, after): (&Attributes, &Attributes), owned: &Owned) {
        let Some(account) = owned.accounts.get(person) else {
            return self.skip(person, owned, "the account is not ours any more");
        };
        for (attribute, value) in after.iter() {
            let now = account.attributes.value(attribute);
            match before.value(attribute) {
                None => self.skip(person, owned, &format!("{attribute} had no value before, and none can be cleared")),
                Some(_) if now.is_none_or(|now| !attribute.is_same(now, value)) => {
                    self.skip(person, owned, &format!("{attribute} has changed since"));
                }
                Some(old) => {
                    let change = Change { from: now.map(str::to_owned), to: old.to_owned() };
                    self.changes.entry(person.clone()).or_default().insert(attribute, change);
                }
            }
        }
    }

    fn join(&mut self, group: &GroupId, person: &PersonId, owned: &Owned) {
        match (owned.groups.get(group), owned.accounts.contains_key(person)) {
            (Some(group_now), true) if !group_now.members.contains(person) => {
                self.join.entry(group.clone()).or_default().insert(person.clone());
            }
            (Some(_), true) => self.skip(person, owned, "is in the group again already"),
            (None, _) | (_, false) => self.skip(person, owned, "the account or the group is not ours any more"),
        }
    }

    fn into_plan(mut self, owned: &Owned) -> Plan {
        let mut plan = Plan { skipped: self.skipped, ..Plan::default() };
        for id in &self.reactivate {
            let changes = self.changes.remove(id).unwrap_or_default();
            push(&mut plan, Step::Reactivate { person: person_ref(id, owned), changes });
        }
        for (id, changes) in self.changes {
            push(&mut plan, Step::Update { person: person_ref(&id, owned), changes });
        }
        for (id, people) in self.join {
            let name = owned.groups.get(&id).map(|group| group.name.clone()).unwrap_or_default();
            let (group, join) = (GroupRef { group_id: id, name }, people.into_iter().collect());
            push(&mut plan, Step::UpdateMembers { group, join, leave: Vec::new() });
        }
        plan.actions.sort_by_cached_key(Action::sort_key);
        plan.skipped.sort();
        plan.skipped.dedup();
        let people: BTreeSet<PersonId> = plan.actions.iter().flat_map(|action| action.step.people()).cloned().collect();
        plan.names = people.into_iter().map(|id| (id.clone(), person_ref(&id, owned).username)).collect();
        plan
    }
}

fn push(plan: &mut Plan, step: Step) {
    plan.actions.push(Action { step, reason: "undone".to_owned(), cause: Cause::Undo });
}

fn person_ref(id: &PersonId, owned: &Owned) -> PersonRef {
    let username = owned.accounts.get(id).map_or_else(|| id.to_string(), |account| account.username.clone());
    PersonRef { user_id: id.clone(), username }
}
