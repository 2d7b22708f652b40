//! From an answer, or its absence, to an outcome: what is done, what fails, and what is not known.

use super::admit::{MEMBERS, STOPPED};
use super::members::{Around, Deed};
use super::send::{Answered, Exchange};
use super::settle;
use super::settle::{FAILED_IN_A_ROW_MAX, Found, said};
use super::task::{Task, all_members};
use super::{CONFLICT, Sender, Updates, check, foreign, note_link, remember};
use crate::http;
use crate::model::GroupId;
use crate::model::Timestamp;
use crate::scim::RequestError;
use crate::store::Effect;
use crate::store::Failing;
use crate::store::FailingKey;
use crate::store::JournalId;
use crate::store::NOT_SENT;
use crate::store::Outcome;
use crate::store::OutcomeKind;
use crate::store::Removals;
use crate::store::Request;
use crate::store::StoreError;

/// After so many refusals for one group in a cycle, refused requests are not halved any more: it is not one member.
const REFUSALS_MAX: usize = 16;

/// Why a request is not done.
struct Failed {
    error: RequestError,
    outcome: OutcomeKind,
    kind: &'static str,
    reason: String,
}

impl Failed {
    fn of(error: RequestError) -> Self {
        let is_unknown = error.effect() == http::Effect::Unknown;
        let outcome = if is_unknown { OutcomeKind::Unknown } else { OutcomeKind::Refused };
        Self { kind: outcome.as_str(), outcome, reason: said(&error), error }
    }
}

impl Sender<'_, '_> {
    pub(super) async fn conclude(&mut self, task: Task, id: JournalId, exchange: Exchange) -> Result<(), StoreError> {
        let Exchange { before, answer } = exchange;
        let request = &task.intent.request;
        let answer = match answer {
            Ok(answered) if check::is_anothers(request, &answered, &self.context.owned) => {
                self.look_up(&task, RequestError::AnotherRecord).await
            }
            Ok(answered) => Ok(answered),
            Err(error @ RequestError::Conflict { .. }) => self.explain_conflict(&task, id, error).await?,
            Err(error) if error.effect() == http::Effect::Unknown => self.look_up(&task, error).await,
            Err(error @ RequestError::NotFound { .. }) => Err(self.explain_absence(&task, error).await),
            Err(error) => Err(Failed::of(error)),
        };
        match answer {
            Ok(answered) if check::is_anothers(request, &answered, &self.context.owned) => {
                self.fail(&task, id, Failed::of(RequestError::AnotherRecord));
                Ok(())
            }
            Ok(answered) => {
                let under_way = task.members().and_then(|(group, _)| self.under_way.get(group));
                let around = Around { before: before.as_ref(), under_way };
                let checked = check::effects(&task.intent.request, (&answered, around), &self.context.owned);
                self.succeed(&task, id, &answered, checked)
            }
            Err(failed) => {
                self.fail(&task, id, failed);
                Ok(())
            }
        }
    }

    /// A 409. To a create it may come from our own earlier one, or from a copy of this database.
    async fn explain_conflict(
        &mut self,
        task: &Task,
        id: JournalId,
        error: RequestError,
    ) -> Result<Result<Answered, Failed>, StoreError> {
        let mut failed = Failed::of(error);
        let request = &task.intent.request;
        if !settle::is_create(request) {
            return Ok(Err(failed));
        }
        if self.unknown_creates.contains_key(&task.record) {
            if let Ok(Found::Happened(answered)) = settle::look_up(self.context.scim, request).await {
                return Ok(Ok(answered));
            }
            if settle::is_explained(self.context.scim, request).await {
                failed.kind = CONFLICT;
                return Ok(Err(failed));
            }
            // Most likely ours, and not visible yet: it stays unknown (S13), and is no candidate for adoption (S7).
            let reason = format!(
                "{}; perhaps an earlier create that was cut off: it is looked up again in the next cycle",
                failed.reason
            );
            return Ok(Err(Failed { outcome: OutcomeKind::Unknown, kind: "unknown", reason, ..failed }));
        }
        failed.kind = CONFLICT;
        let Request::CreateUser { person, .. } = request else { return Ok(Err(failed)) };
        let ours = self.context.scim.find_users_by_external_id(person.as_str()).await;
        if ours.is_ok_and(|ours| !ours.is_empty()) && !self.context.store.ever_created(person, id)? {
            failed.reason.push_str("; that record has this person's externalId, and this database never created it");
            self.foreign.0.insert(task.record.clone());
            self.foreign.1 = true;
        }
        Ok(Err(failed))
    }

    /// Nobody knows what became of it: it is looked up at once, while look-ups are answered.
    async fn look_up(&mut self, task: &Task, error: RequestError) -> Result<Answered, Failed> {
        if self.failed_look_ups >= FAILED_IN_A_ROW_MAX {
            return Err(Failed::of(error));
        }
        match settle::look_up(self.context.scim, &task.intent.request).await {
            Ok(Found::Happened(answered)) => {
                self.failed_look_ups = 0;
                Ok(answered)
            }
            Ok(Found::DidNotHappen | Found::CannotTell(_)) => {
                self.failed_look_ups = 0;
                Err(Failed::of(error))
            }
            Err(failure) => {
                self.failed_look_ups += 1;
                // Neither writing nor reading is answered: no record is to blame, and each more is one more unknown.
                if failure.stops_everything() || self.failed_look_ups >= FAILED_IN_A_ROW_MAX {
                    self.applied.stopped.get_or_insert(failure);
                }
                Err(Failed::of(error))
            }
        }
    }

    /// 404 to a change of members: the group, or one of them (documented).
    async fn explain_absence(&mut self, task: &Task, error: RequestError) -> Failed {
        let mut failed = Failed::of(error);
        let scim_id = match &task.intent.request {
            Request::AddMembers { scim_id, .. } | Request::RemoveMembers { scim_id, .. } => scim_id,
            Request::Adopt { .. }
            | Request::AdoptGroup { .. }
            | Request::CreateUser { .. }
            | Request::UpdateUser { .. }
            | Request::DeactivateUser { .. }
            | Request::CreateGroup { .. } => return failed,
        };
        if let (Ok(None), Some((group, _))) = (self.context.scim.read_group(scim_id).await, task.members()) {
            self.halted.insert(group.clone());
            "the group does not exist in Atlassian any more".clone_into(&mut failed.reason);
        }
        failed
    }

    fn succeed(
        &mut self,
        task: &Task,
        id: JournalId,
        answered: &Answered,
        mut checked: check::Checked,
    ) -> Result<(), StoreError> {
        let request = &task.intent.request;
        checked.is_foreign |= foreign::is_foreign(request, answered, &self.context.owned, &self.context.managed);
        if checked.is_foreign {
            self.foreign.0.insert(task.record.clone());
        }
        self.note_link(task, answered, &mut checked);
        for effect in &checked.effects {
            remember(&mut self.context.owned, effect);
        }
        self.note_who_was_lost(request, &checked.effects);
        if let Request::CreateGroup { name, .. } = request {
            self.applied.groups_created.push(name.clone());
        }
        if settle::is_create(request) {
            for earlier in self.unknown_creates.remove(&task.record).unwrap_or_default() {
                let detail = "settled by a later create".to_owned();
                self.pending.push(Outcome { id: earlier, kind: OutcomeKind::Refused, detail, effects: Vec::new() });
            }
        }
        self.applied.remarks.append(&mut checked.remarks);
        if let Some((group, _)) = task.members() {
            let group = group.clone();
            self.note_deed(task, &group, &mut checked)?;
        }
        if !self.waits.is_empty() {
            self.heal(task.parts().into_iter().map(|(key, _)| key));
        }
        let kind = match &checked.failed {
            None => {
                self.applied.done += 1;
                OutcomeKind::Done
            }
            Some(reason) => {
                self.applied.refused += 1;
                let mut failed = task.clone();
                if !checked.failed_people.is_empty() {
                    failed.keep_members(|person| checked.failed_people.contains(person));
                }
                self.note_failed_join(&failed);
                self.applied.failing.extend(failed.failing("refused", reason, &self.waits));
                // Some of it may have happened: what did is in the effects, and counts.
                if checked.effects.is_empty() { OutcomeKind::Refused } else { OutcomeKind::Done }
            }
        };
        let detail = checked.failed.unwrap_or_default();
        self.pending.push(Outcome { id, kind, detail, effects: checked.effects });
        Ok(())
    }

    /// Whoever was added to a group in this cycle and is not in a later answer has lost the new membership: the old one
    /// does not end before it is back (S18).
    fn note_who_was_lost(&mut self, request: &Request, effects: &[Effect]) {
        let is_addition = matches!(request, Request::AddMembers { .. });
        for effect in effects {
            let (Effect::Joined(group, people) | Effect::Left(group, people)) = effect else { continue };
            for membership in people.iter().map(|person| (group.clone(), person.clone())) {
                if matches!(effect, Effect::Joined(..)) {
                    if is_addition {
                        self.joined.insert(membership);
                    }
                } else if self.joined.remove(&membership) {
                    self.failed_joins.insert(membership.1);
                    self.applied.waiting += 1;
                }
            }
        }
    }

    /// What a change of members showed about the target: it decides what else is sent for the group, or at all.
    fn note_deed(&mut self, task: &Task, group: &GroupId, checked: &mut check::Checked) -> Result<(), StoreError> {
        self.looked_at.insert((group.clone(), task.removes_members()));
        let removal = self.context.scim.member_removal();
        let reason = checked.deed.reason(removal);
        let is_untried = self.removals == Removals::Untried;
        match &checked.deed {
            Deed::AsMeant | Deed::Doubtful | Deed::Proven => self.heal([all_members(&task.record)]),
            Deed::Ignored => {
                self.halted.insert(group.clone());
                checked.failed.clone_from(&reason);
            }
            Deed::Emptied(_) | Deed::Replaced(_) => {
                self.halted.insert(group.clone());
                let failing = self.failing_members(task, reason.clone().unwrap_or_default());
                self.applied.failing.push(failing);
            }
        }
        match &checked.deed {
            Deed::Proven if is_untried => {
                self.context.store.record_removals_proven(removal.as_str())?;
                self.removals = Removals::Proven;
            }
            // Nothing can be hoped for in other groups either; the next cycle tries one again.
            Deed::Ignored if is_untried => self.removals = Removals::Stopped(reason.unwrap_or_default()),
            Deed::Emptied(loss) if loss.is_sure() => {
                let (form, other) = (removal.as_str(), removal.other().as_str());
                let reason = format!(
                    "atlassian.member_removal = \"{form}\" removed everybody else from {} as well; set it to \"{other}\"",
                    task.name
                );
                let now = Timestamp::from_seconds(self.context.clock.now_seconds());
                let reason = self.context.store.stop_removals(removal.as_str(), &reason, now)?;
                self.removals = Removals::Stopped(reason);
            }
            Deed::Emptied(_) | Deed::Doubtful => {
                self.context.store.doubt_removals()?;
                self.removals = Removals::Untried;
            }
            Deed::AsMeant | Deed::Proven | Deed::Ignored | Deed::Replaced(_) => {}
        }
        Ok(())
    }

    /// What failed before does so no more, unless it fails again.
    fn heal(&mut self, keys: impl IntoIterator<Item = FailingKey>) {
        self.healed.extend(keys.into_iter().filter(|key| self.waits.known(key).is_some()));
    }

    /// All memberships of a group: no more are added before the pause is over.
    fn failing_members(&self, task: &Task, reason: String) -> Failing {
        let key = all_members(&task.record);
        let pause = if task.removes_members() { 0 } else { self.waits.next(&key, MEMBERS) };
        let (name, kind, digest) = (task.name.clone(), STOPPED.to_owned(), MEMBERS.to_owned());
        Failing { key, name, kind, reason, digest, pause }
    }

    /// Keeps track of who is linked; an update that undoes a link is the last one.
    fn note_link(&mut self, task: &Task, answered: &Answered, checked: &mut check::Checked) {
        if task.updates_attributes() && self.updates == Updates::Untried {
            self.updates = Updates::Go;
        }
        let Some(effect) = check::link(&task.intent.request, answered, &self.linked) else { return };
        if let Effect::Unlinked(_) = &effect {
            let reason = format!(
                "the update unlinked the Atlassian account of {}: no further attributes are updated",
                task.name
            );
            checked.failed = Some(reason.clone());
            self.updates = Updates::Stopped(reason);
        }
        note_link(&mut self.linked, &effect);
        checked.effects.push(effect);
    }

    fn fail(&mut self, task: &Task, id: JournalId, failed: Failed) {
        let Failed { error, outcome, kind, reason } = failed;
        if matches!(error, RequestError::Paused) {
            // Nothing is wrong with the record: it never left.
            self.note_failed_join(task);
            self.applied.waiting += 1;
            let detail = format!("{NOT_SENT}the brake is on");
            self.pending.push(Outcome { id, kind: OutcomeKind::Refused, detail, effects: Vec::new() });
            self.applied.stopped.get_or_insert(error);
            return;
        }
        self.pending.push(Outcome { id, kind: outcome, detail: reason.clone(), effects: Vec::new() });
        if matches!(error, RequestError::Refused { .. } | RequestError::NotFound { .. }) && self.halve(task) {
            return;
        }
        self.note_failed_join(task);
        match outcome {
            OutcomeKind::Unknown => self.applied.unknown += 1,
            OutcomeKind::Refused | OutcomeKind::Done => self.applied.refused += 1,
        }
        if error.stops_everything() {
            // The key, the directory or the network is at fault, not this record.
            self.applied.stopped.get_or_insert(error);
            return;
        }
        self.applied.failing.extend(task.failing(kind, &reason, &self.waits));
    }

    /// One member who is refused takes no others along: the request is sent again in halves.
    fn halve(&mut self, task: &Task) -> bool {
        let Some((group, _)) = task.members() else { return false };
        if self.halted.contains(group) {
            return false;
        }
        let refusals = self.refusals.entry(group.clone()).or_default();
        *refusals += 1;
        let Some(halves) = task.halves().filter(|_| *refusals <= REFUSALS_MAX) else { return false };
        self.total += halves.len();
        self.halves.extend(halves);
        true
    }
}
