//! Which requests go next, and which are not sent at all: because their time has not come, because of what an answer
//! showed, or because something before them failed.

use super::settle::UNSETTLED;
use super::task::{Task, all_members};
use super::{Sender, Updates};
use crate::model::PersonId;
use crate::model::Timestamp;
use crate::store::FailingKey;
use crate::store::Removals;
use crate::store::Request;
use std::collections::{BTreeSet, VecDeque};

/// The kind of a failing record whose requests are not sent any more until somebody acts.
pub(super) const STOPPED: &str = "stopped";

/// What the pause of a whole group's members goes by: whatever is to be added next, it waits.
pub(super) const MEMBERS: &str = "members";

impl Sender<'_, '_> {
    /// The next requests that may be under way together.
    ///
    /// The first attribute update, and the first removal in a form that nothing proved yet, go alone. Of each group the
    /// first request goes without others of that group: its answer is looked at before they follow.
    pub(super) fn take_wave(&self, tasks: &mut VecDeque<Task>, size: usize) -> Vec<Task> {
        let (mut wave, mut later, mut first) = (Vec::new(), VecDeque::new(), BTreeSet::new());
        while wave.len() < size {
            let Some(task) = tasks.pop_front() else { break };
            if self.goes_alone(&task) {
                if wave.is_empty() {
                    wave.push(task);
                } else {
                    tasks.push_front(task);
                }
                break;
            }
            let group = task.members().map(|(group, _)| (group.clone(), task.removes_members()));
            let is_one_more = group.is_some_and(|group| !self.looked_at.contains(&group) && !first.insert(group));
            if is_one_more {
                later.push_back(task);
            } else {
                wave.push(task);
            }
        }
        while let Some(task) = later.pop_back() {
            tasks.push_front(task);
        }
        wave
    }

    fn goes_alone(&self, task: &Task) -> bool {
        (task.updates_attributes() && self.updates == Updates::Untried)
            || (task.removes_members() && self.removals == Removals::Untried)
    }

    /// The request as it is sent, with the ids of what exists by now; none: it is not sent in this cycle.
    pub(super) fn admit(&mut self, mut task: Task, now: Timestamp) -> Option<Task> {
        if let Some(reason) = self.reason_to_stop(&task) {
            self.applied.waiting += 1;
            self.applied.failing.extend(task.failing(STOPPED, &reason, &self.waits));
            return None;
        }
        let is_ready = task.resolve(&self.context.owned, &self.failed_joins);
        self.failed_joins.extend(task.unresolved.iter().cloned());
        let is_halted = task.members().is_some_and(|(group, _)| self.halted.contains(group));
        let is_unsettled = !task.is_idempotent() && self.context.unsettled.contains(&task.record);
        if is_unsettled && let Some(record) = self.waits.known(&FailingKey::part(&task.record, UNSETTLED)) {
            self.applied.paused.push(record.clone());
        }
        if !is_ready || is_halted || is_unsettled {
            self.note_failed_join(&task);
            self.applied.waiting += 1;
            return None;
        }
        self.leave_out_the_paused(task, now)
    }

    pub(super) fn reason_to_stop(&self, task: &Task) -> Option<String> {
        match (&self.updates, &self.removals) {
            (Updates::Stopped(reason), _) if task.updates_attributes() => Some(reason.clone()),
            (_, Removals::Stopped(reason)) if task.removes_members() => Some(reason.clone()),
            _ => None,
        }
    }

    /// Whoever failed a short time ago waits; others of the same request do not wait with them.
    fn leave_out_the_paused(&mut self, mut task: Task, now: Timestamp) -> Option<Task> {
        if self.waits.is_empty() {
            return Some(task);
        }
        if let Request::AddMembers { .. } = &task.intent.request
            && let Some(record) = self.waits.of(&all_members(&task.record), MEMBERS, now).cloned()
        {
            self.applied.paused.push(record);
            self.note_failed_join(&task);
            self.applied.waiting += 1;
            return None;
        }
        let people: Vec<Option<PersonId>> = match task.members() {
            Some((_, members)) => members.iter().map(|(person, _)| Some(person.clone())).collect(),
            None => vec![None],
        };
        let mut waiting = BTreeSet::new();
        for ((key, digest), person) in task.parts().into_iter().zip(people) {
            if let Some(record) = self.waits.of(&key, &digest, now).cloned() {
                self.applied.paused.push(record);
                waiting.insert(person);
            }
        }
        if waiting.is_empty() {
            return Some(task);
        }
        let mut left_out = task.clone();
        left_out.keep_members(|person| waiting.contains(&Some(person.clone())));
        self.note_failed_join(&left_out);
        task.keep_members(|person| !waiting.contains(&Some(person.clone())));
        if task.members().is_some_and(|(_, members)| !members.is_empty()) {
            return Some(task);
        }
        self.applied.waiting += 1;
        None
    }

    /// Whoever could not join keeps the old membership until it succeeds (S18).
    pub(super) fn note_failed_join(&mut self, task: &Task) {
        if let Request::AddMembers { members, .. } = &task.intent.request {
            self.failed_joins.extend(members.iter().map(|(person, _)| person.clone()));
        }
    }

    pub(super) fn note_under_way(&mut self, ready: &[Task]) {
        self.under_way.clear();
        for (group, members) in ready.iter().filter_map(Task::members) {
            self.under_way.entry(group.clone()).or_default().extend(members.iter().map(|(_, id)| id.clone()));
        }
    }
}
