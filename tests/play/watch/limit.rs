//! The limits of the guard, counted anew from what the target saw and what people approved.

use super::Arrived;
use crate::sim::atlassian::AtlassianSim;
use duo_atlassian_sync::guard::{FirstPlan, Item, Limit, Limits};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A little less than the 24 hours of the guard, which counts from the intent on.
const WINDOW: Duration = Duration::from_hours(23);

/// An approval.
#[derive(Clone, Debug)]
pub struct Approval {
    /// What it covers.
    pub items: BTreeSet<Item>,
    /// From when.
    pub from: Duration,
    /// Until when.
    pub until: Duration,
}

/// What was sent without an approval.
#[derive(Debug, Default)]
pub struct Limited {
    /// What people approved.
    pub approvals: Vec<Approval>,
    /// What was done by them, and when: done once, it is not approved any more.
    used: Vec<(Item, Duration)>,
    sent: BTreeMap<&'static str, Vec<(Duration, String)>>,
    holds_first: bool,
    planned_at: Duration,
    /// The most users and memberships that there ever were: a percentage is taken of them, as they are before a plan.
    users: u64,
    memberships: u64,
}

impl Limited {
    /// What is configured.
    pub const fn configure(&mut self, limits: &Limits) {
        self.holds_first = matches!(limits.first_plan, FirstPlan::Hold);
    }

    /// A cycle begins: approvals count as they are when the plan is made, and so does what is there.
    pub fn begin(&mut self, now: Duration, sim: &AtlassianSim) {
        self.planned_at = now;
        self.look(sim);
    }

    /// The base is never larger than everything there is.
    fn look(&mut self, sim: &AtlassianSim) {
        let size = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        self.users = self.users.max(size(sim.users().count()));
        self.memberships = self.memberships.max(size(sim.groups().map(|group| group.members.len()).sum()));
    }

    /// Whether anything may be sent at all.
    pub fn may_write(&self) -> bool {
        !self.holds_first || !self.approvals.is_empty()
    }

    /// Counts what was done; says so when it is over a limit.
    pub fn takes(
        &mut self,
        (what, person, group): (&str, &str, Option<&str>),
        stays: bool,
        arrived: &Arrived<'_>,
    ) -> Option<String> {
        let limits = &arrived.config.limits;
        let (class, limit) = match what {
            "deactivate" => ("deactivations", limits.deactivations),
            "reactivate" => ("reactivations", limits.reactivations),
            "create" => ("creates", limits.creates),
            // Of leavers, the deactivation counts.
            "leave" if stays => ("leaves", limits.leaves),
            _ => return None,
        };
        let covers = |item: &Item| {
            let same = |one: Option<&str>, other: Option<&str>| one == other;
            item.what.split(' ').next() == Some(what)
                && same(item.person.as_ref().map(duo_atlassian_sync::model::PersonId::as_str), Some(person))
                && same(item.group.as_ref().map(duo_atlassian_sync::model::GroupId::as_str), group)
        };
        let subject = format!("{person} {}", group.unwrap_or_default());
        let over = self.count((class, limit), (subject, covers), arrived);
        // Of a request whose sender is gone, the program may never learn that it arrived.
        if arrived.sent_at == arrived.now {
            let items = self.approvals.iter().flat_map(|approval| &approval.items);
            let used: BTreeSet<&Item> = items.filter(|item| covers(item)).collect();
            self.used.extend(used.into_iter().map(|item| (item.clone(), arrived.now)));
        }
        over
    }

    /// Counts a changed userName or address.
    pub fn changes_identity(&mut self, person: &str, arrived: &Arrived<'_>) -> Option<String> {
        let covers =
            |item: &Item| item.what.starts_with("set ") && item.person.as_ref().is_some_and(|id| id.as_str() == person);
        self.count(("identity changes", arrived.config.limits.identity_changes), (person.to_owned(), covers), arrived)
    }

    fn count(
        &mut self,
        (class, limit): (&'static str, Limit),
        (subject, covers): (String, impl Fn(&Item) -> bool),
        arrived: &Arrived<'_>,
    ) -> Option<String> {
        let at = self.planned_at.min(arrived.sent_at);
        let valid = |approval: &&Approval| approval.from <= at && at < approval.until;
        let is_used =
            |item: &Item, from| self.used.iter().any(|(used, when)| used == item && (from..at).contains(when));
        let stands =
            |approval: &Approval| approval.items.iter().any(|item| covers(item) && !is_used(item, approval.from));
        if self.approvals.iter().filter(valid).any(stands) {
            return None;
        }
        self.look(arrived.sim);
        let base = if class == "leaves" { self.memberships } else { self.users };
        let sent = self.sent.entry(class).or_default();
        if !sent.iter().any(|(_, known)| *known == subject) {
            sent.push((arrived.sent_at, subject));
        }
        sent.retain(|(when, _)| *when + WINDOW > arrived.now);
        let (count, most) = (u64::try_from(sent.len()).unwrap_or(u64::MAX), limit.of(base));
        (count > most).then(|| format!("{count} {class} within a day and without an approval; the limit is {most}"))
    }
}
