//! The reverse of what an earlier cycle took away or changed (S22).

use super::Plan;
use super::action::{Action, Cause, Change, Changes, GroupRef, PersonRef, Skipped, Step, Subject};
use super::person::left_out_by;
use crate::desired::Rules;
use crate::desired::is_listed;
use crate::model::Attribute;
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
struct Back<'a> {
    owned: &'a Owned,
    rules: &'a Rules,
    reactivate: BTreeSet<PersonId>,
    changes: BTreeMap<PersonId, Changes>,
    join: BTreeMap<GroupId, BTreeSet<PersonId>>,
    skipped: Vec<Skipped>,
}

impl Plan {
    /// Plans the reverse of what was taken. Only what is owned and still as that cycle left it is given back;
    /// everything else is skipped with the reason.
    pub fn undo(taken: &[Taken], owned: &Owned, rules: &Rules) -> Self {
        let (reactivate, changes, join, skipped) = Default::default();
        let mut back = Back { owned, rules, reactivate, changes, join, skipped };
        for entry in taken {
            match entry {
                Taken::Deactivated(person) => back.reactivate(person),
                Taken::Changed { person, before, after } => back.change(person, before, after),
                Taken::Left(group, people) => back.join(group, people),
            }
        }
        back.leave_names_to_who_has_them();
        back.into_plan()
    }
}

impl Back<'_> {
    fn skip(&mut self, person: &PersonId, reason: &str) {
        let person = person_ref(person, self.owned);
        self.skipped.push(Skipped { subject: Subject::Person(person), reason: reason.to_owned() });
    }

    /// Whether a person may be given something back; says why not. Lists limit every action (S7), and who is blocked
    /// stays so.
    fn may_have(&mut self, person: &PersonId) -> bool {
        let Some(account) = self.owned.accounts.get(person) else {
            self.skip(person, "the account is not ours any more");
            return false;
        };
        let is_blocked = || is_listed(&self.rules.blocked_people, &account.username, person.as_str());
        let listed = left_out_by(self.rules, &[&account.username], person);
        let listed = listed.or_else(|| is_blocked().then_some("listed in scope.blocked_people"));
        if let Some(list) = listed {
            self.skip(person, &format!("{list}: change the list first"));
        }
        listed.is_none()
    }

    fn reactivate(&mut self, person: &PersonId) {
        if !self.may_have(person) {
            return;
        }
        if self.owned.accounts.get(person).is_some_and(|account| account.active) {
            return self.skip(person, "the account is active again already");
        }
        self.reactivate.insert(person.clone());
    }

    fn change(&mut self, person: &PersonId, before: &Attributes, after: &Attributes) {
        let owned = self.owned;
        let Some(account) = owned.accounts.get(person) else {
            return self.skip(person, "the account is not ours any more");
        };
        if !self.may_have(person) {
            return;
        }
        let addresses = [account.attributes.value(Attribute::Emails), before.value(Attribute::Emails)];
        let domains = addresses.into_iter().flatten().filter_map(|address| address.split_once('@'));
        if let Some((_, domain)) = domains.into_iter().find(|(_, domain)| !self.rules.is_managed_domain(domain)) {
            return self.skip(person, &format!("{domain} is not in atlassian.verified_domains: attributes stay"));
        }
        for (attribute, value) in after.iter() {
            let now = account.attributes.value(attribute);
            match before.value(attribute) {
                None => self.skip(person, &format!("{attribute} had no value before, and none can be cleared")),
                Some(_) if now.is_none_or(|now| !attribute.is_same(now, value)) => {
                    self.skip(person, &format!("{attribute} has changed since"));
                }
                Some(old) => {
                    let change = Change { from: now.map(str::to_owned), to: old.to_owned() };
                    self.changes.entry(person.clone()).or_default().insert(attribute, change);
                }
            }
        }
    }

    /// A name or an address that somebody else has by now, and does not give up by this very undo, stays with them.
    fn leave_names_to_who_has_them(&mut self) {
        loop {
            let mut taken = None;
            for (person, changes) in &self.changes {
                let holder = changes.iter().find_map(|(attribute, change)| {
                    let holder = self.holder(*attribute, &change.to).filter(|holder| *holder != person)?;
                    attribute.is_identity().then(|| (*attribute, holder.clone()))
                });
                taken = taken.or_else(|| holder.map(|(attribute, holder)| (person.clone(), attribute, holder)));
            }
            let Some((person, attribute, holder)) = taken else { return };
            let holder = person_ref(&holder, self.owned).username;
            self.skip(&person, &format!("{attribute} is somebody else's: {holder} has it now"));
            self.changes.get_mut(&person).and_then(|changes| changes.remove(&attribute));
            self.changes.retain(|_, changes| !changes.is_empty());
        }
    }

    /// Who holds a value and keeps it.
    fn holder(&self, attribute: Attribute, value: &str) -> Option<&PersonId> {
        let gives_up = |id: &PersonId| self.changes.get(id).is_some_and(|changes| changes.contains_key(&attribute));
        let same = |held: &str| held.to_lowercase() == value.to_lowercase();
        let mut holders = self.owned.accounts.iter().filter(|(_, a)| a.attributes.value(attribute).is_some_and(same));
        holders.find(|(id, _)| !gives_up(id)).map(|(id, _)| id)
    }

    fn join(&mut self, group: &GroupId, people: &[PersonId]) {
        let owned = self.owned;
        let Some(now) = owned.groups.get(group) else {
            for person in people {
                self.skip(person, "the group is not ours any more");
            }
            return;
        };
        let rule = if self.rules.exclude_group_information {
            Some("scope.exclude_group_information is set: memberships stay as they are")
        } else {
            let is_protected = self.rules.protected_groups.contains(&now.name.to_lowercase());
            is_protected.then_some("its name is in scope.protected_groups: never created, adopted or filled")
        };
        if let Some(reason) = rule {
            let group = GroupRef { group_id: group.clone(), name: now.name.clone() };
            self.skipped.push(Skipped { subject: Subject::Group(group), reason: reason.to_owned() });
            return;
        }
        for person in people {
            if now.members.contains(person) {
                self.skip(person, "is in the group again already");
            } else if self.may_have(person) {
                self.join.entry(group.clone()).or_default().insert(person.clone());
            }
        }
    }

    fn into_plan(mut self) -> Plan {
        let owned = self.owned;
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
