//! Plans by hand, what they are judged against, and the guard's answer as a picture.

use super::*;
use crate::model::{Attribute, PersonId, ScimId};
use crate::plan::{Action, Cause, Change, Changes, Departure, GroupRef, PersonRef, Step};

mod approval;
mod limit;
mod situation;
mod trust;

/// A plan and what it is judged against, in the domain's words.
#[derive(Clone)]
struct Case {
    plan: Plan,
    limits: Limits,
    situation: Situation,
}

/// The limits of `config/default.toml`.
const LIMITS: Limits = Limits {
    deactivations: Limit { count: 5, percent: 5, at_most: 50 },
    reactivations: Limit { count: 5, percent: 5, at_most: 50 },
    leaves: Limit { count: 50, percent: 10, at_most: 1_000 },
    leaves_per_group: Limit { count: 10, percent: 50, at_most: 500 },
    updates: Limit { count: 50, percent: 10, at_most: 500 },
    identity_changes: Limit { count: 5, percent: 2, at_most: 50 },
    creates: Limit { count: 50, percent: 10, at_most: 500 },
    adoptions: Limit { count: 0, percent: 0, at_most: 0 },
    accounts: 0,
    first_plan: FirstPlan::Hold,
};

/// So high that nothing reaches it.
const HUGE: Limit = Limit { count: 1_000_000, percent: 100, at_most: 1_000_000 };

/// Limits that no plan breaks.
const HUGE_LIMITS: Limits = Limits {
    deactivations: HUGE,
    reactivations: HUGE,
    leaves: HUGE,
    leaves_per_group: HUGE,
    updates: HUGE,
    identity_changes: HUGE,
    creates: HUGE,
    adoptions: HUGE,
    accounts: 0,
    first_plan: FirstPlan::Apply,
};

/// `p0`, `p1` and so on.
fn people(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| format!("p{n}")).collect()
}

fn person(name: &str) -> PersonRef {
    PersonRef { user_id: PersonId::new(format!("DU{name}")), username: name.to_owned() }
}

fn group(name: &str) -> GroupRef {
    GroupRef { group_id: GroupId::new(format!("DG{name}")), name: name.to_owned() }
}

fn ids(names: &[String]) -> Vec<PersonId> {
    names.iter().map(|name| person(name).user_id).collect()
}

impl Case {
    /// A company with so many active accounts, ten memberships for each, and a history.
    fn of(active_accounts: u64) -> Self {
        let memberships = active_accounts * 10;
        let situation = Situation {
            active_accounts,
            memberships,
            history: History::Some,
            people: active_accounts,
            ..Situation::default()
        };
        Self { plan: Plan::default(), limits: LIMITS, situation }
    }

    fn add(&mut self, step: Step, cause: Cause) {
        if let Some(person) = step.person() {
            self.plan.names.insert(person.user_id.clone(), person.username.clone());
        }
        self.plan.actions.push(Action { step, reason: String::new(), cause });
    }

    fn deactivate(mut self, names: &[String], departure: &Departure) -> Self {
        for name in names {
            self.add(Step::Deactivate { person: person(name), departure: departure.clone() }, Cause::Source);
        }
        self
    }

    fn members(mut self, name: &str, join: &[String], leave: &[String]) -> Self {
        self.add(Step::UpdateMembers { group: group(name), join: ids(join), leave: ids(leave) }, Cause::Source);
        self
    }

    fn set(mut self, names: &[String], attributes: &[Attribute]) -> Self {
        let change = |name: &str| Change { from: Some("old".to_owned()), to: format!("new-{name}") };
        for name in names {
            let changes: Changes = attributes.iter().map(|attribute| (*attribute, change(name))).collect();
            self.add(Step::Update { person: person(name), changes }, Cause::Source);
        }
        self
    }

    fn reactivate(mut self, names: &[String]) -> Self {
        for name in names {
            self.add(Step::Reactivate { person: person(name), changes: Changes::new() }, Cause::Source);
        }
        self
    }

    fn create(mut self, names: &[String]) -> Self {
        for name in names {
            let attributes = [(Attribute::UserName, name)].into_iter().collect();
            self.add(Step::Create { person: person(name), attributes }, Cause::Source);
        }
        self
    }

    fn adopt(mut self, names: &[String]) -> Self {
        for name in names {
            let scim_id = ScimId::new(format!("s-{name}"));
            let (attributes, groups) = Default::default();
            let step = Step::Adopt { person: person(name), scim_id, attributes, active: true, groups };
            self.add(step, Cause::Adoption);
        }
        self
    }

    /// Everything so far follows from the configuration, not from Duo.
    fn by_configuration(mut self) -> Self {
        for action in &mut self.plan.actions {
            action.cause = Cause::Configuration;
        }
        self
    }

    fn with_group(mut self, name: &str, members: u64) -> Self {
        self.situation.group_members.insert(group(name).group_id, (name.to_owned(), members));
        self
    }

    fn spent(mut self, class: Class, count: u64) -> Self {
        self.situation.spent.insert(class, count);
        self
    }

    fn approve(mut self, items: BTreeSet<Item>) -> Self {
        self.situation.approved.extend(items);
        self
    }

    fn verdict(&self) -> Verdict {
        review(self.plan.clone(), &self.limits, &self.situation)
    }

    fn held(&self) -> Held {
        match self.verdict() {
            Verdict::Held(held) => held,
            Verdict::Approved(_) => panic!("it was approved"),
        }
    }

    fn kinds(&self) -> Vec<&'static str> {
        self.verdict().findings().iter().map(|finding| finding.kind.as_str()).collect()
    }

    /// One line for each finding: kind, message, numbers against the limit, its key, and how many items it has.
    fn picture(&self) -> String {
        let line = |finding: &Finding| {
            let numbers = finding.numbers.map(|(count, limit)| format!(", {count}/{limit}")).unwrap_or_default();
            let key = finding.key.map(|key| format!(", {key}")).unwrap_or_default();
            let (people, items) = (finding.people.len(), finding.items.len());
            format!("{}: {} [{people} people, {items} items{numbers}{key}]", finding.kind.as_str(), finding.message)
        };
        match self.verdict() {
            Verdict::Approved(_) => "approved".to_owned(),
            Verdict::Held(held) => held.findings().iter().map(line).collect::<Vec<_>>().join("\n"),
        }
    }
}

#[test]
fn an_empty_plan_is_approved_whatever_the_situation() {
    let mut case = Case::of(0);
    case.situation.history = History::None;
    case.situation.roster = RosterSize::BecameEmpty;
    case.situation.pilot = Pilot::Ended;
    case.plan.unconfirmed.insert(person("ana").user_id);
    assert_eq!(case.picture(), "approved");
    assert!(case.verdict().plan().is_empty());
}

#[test]
fn the_document_names_ten_people_and_counts_all() {
    let case = Case::of(400).deactivate(&people(100..141), &Departure::Gone);
    let held = case.held();
    let document = held.findings()[0].document(held.plan());
    let names: Vec<&str> = document.people.iter().map(|person| person.username.as_str()).collect();
    assert_eq!(names, ["p100", "p101", "p102", "p103", "p104", "p105", "p106", "p107", "p108", "p109"]);
    insta::assert_snapshot!(serde_json::to_string(&FindingDocument { people: Vec::new(), ..document }).unwrap(), @r#"
    {"finding":"deactivations","message":"41 deactivations; the limit is 20 in 24 hours, with 400 active accounts; 41 of 41 for one reason, no longer in Duo: looks like a purge or another tenant, not like leavers","key":"guard.deactivations_max","count":41,"limit":20,"people":[],"people_count":41}
    "#);
}

#[test]
fn an_approved_plan_knows_what_a_person_approved() {
    let case = Case::of(400).deactivate(&people(0..2), &Departure::Gone);
    let approved = Item::of_person("deactivate", &person("p0").user_id);
    let other = Item::of_person("deactivate", &person("p1").user_id);
    let Verdict::Approved(verdict) = case.approve([approved.clone()].into()).verdict() else { panic!("it was held") };
    assert!(verdict.is_by_person(&approved) && !verdict.is_by_person(&other));
}
