//! Sends an approved plan: intent into the journal, request, outcome and effect into the snapshot; in the order that
//! protects people (S18).
//!
//! It decides nothing. One failing record does not stop the others (S14); a key or a directory that is refused does.

mod check;
mod order;
mod progress;
mod send;
mod settle;
mod task;

pub use progress::Progress;
pub use settle::{SettleError, settle};
pub use task::count_requests;

use crate::clock::Clock;
use crate::guard::Approved;
use crate::model::Owned;
use crate::model::PersonId;
use crate::model::ScimId;
use crate::model::Timestamp;
use crate::plan::Step;
use crate::scim::Client;
use crate::scim::RequestError;
use crate::store::CycleId;
use crate::store::Effect;
use crate::store::Failing;
use crate::store::JournalId;
use crate::store::Outcome;
use crate::store::OutcomeKind;
use crate::store::Request;
use crate::store::Store;
use crate::store::StoreError;
use futures_util::StreamExt;
use std::collections::{BTreeMap, BTreeSet};
use task::{Task, Tasks};

/// A wave has so many requests for each that may be under way at once. More save transactions; fewer have less to look
/// up after a crash.
const WAVE_PER_REQUEST: usize = 8;

/// The kind of a failing record whose create was refused because the target has such a record: its match is looked for
/// in the next plan (S7).
pub const CONFLICT: &str = "conflict";

/// What it takes to send a plan.
pub struct Context<'a> {
    /// Where intents and outcomes go.
    pub store: &'a mut Store,
    /// Where requests go.
    pub scim: &'a Client,
    /// What time it is.
    pub clock: &'a Clock,
    /// Which cycle this is.
    pub cycle: CycleId,
    /// The snapshot; kept up with every effect.
    pub owned: Owned,
    /// So many requests may be under way at once.
    pub concurrent_requests_max: usize,
    /// So many members go into one request.
    pub members_per_request_max: usize,
    /// Told after each request.
    pub progress: &'a dyn Fn(Progress),
}

/// What came of a plan.
#[derive(Debug, Default)]
pub struct Applied {
    /// Requests that the target did, and links that were made.
    pub done: usize,
    /// Requests that it did not do.
    pub refused: usize,
    /// Requests of which nobody knows yet.
    pub unknown: usize,
    /// Requests that were not sent, since something before them failed.
    pub waiting: usize,
    /// Records that failed, with the reason.
    pub failing: Vec<Failing>,
    /// Names of groups that were created.
    pub groups_created: Vec<String>,
    /// Sentences about values that the target did not take.
    pub remarks: Vec<String>,
    /// Why sending stopped altogether, when it did.
    pub stopped: Option<RequestError>,
}

/// The sender: what is known while a plan is sent.
struct Sender<'c, 'a> {
    context: &'c mut Context<'a>,
    applied: Applied,
    pending: Vec<Outcome>,
    /// Creates of earlier cycles that were never found: if a new one is answered with 409, the record is ours.
    unknown_creates: BTreeMap<PersonId, Vec<JournalId>>,
    failed_joins: BTreeSet<PersonId>,
    healed: BTreeSet<String>,
    /// Whose accounts are linked to an Atlassian account, by its own answers.
    linked: BTreeSet<PersonId>,
    updates: Updates,
    /// The first person whom an update of this plan unlinked.
    unlinked: Option<String>,
    sent: usize,
    total: usize,
}

/// Whether attributes may be updated (S11).
#[derive(Debug, PartialEq, Eq)]
enum Updates {
    /// None was sent yet: the first goes alone, and its answer is looked at before others follow.
    Untried,
    /// The answers were as they should be.
    Go,
    /// An update unlinked somebody, now or earlier: no more are sent until somebody resumes.
    Stopped(String),
}

/// Sends an approved plan. Unknown outcomes of earlier cycles must have been settled before.
pub async fn run(approved: &Approved, context: &mut Context<'_>) -> Result<Applied, StoreError> {
    let tasks = Tasks::of(approved, context.members_per_request_max);
    let mut unknown_creates: BTreeMap<PersonId, Vec<JournalId>> = BTreeMap::new();
    for record in context.store.read_unsettled()? {
        if let Request::CreateUser { person, .. } = record.request {
            unknown_creates.entry(person).or_default().push(record.id);
        }
    }
    let total = tasks.len();
    let linked = context.store.read_linked()?;
    let updates = context.store.updates_stopped()?.map_or(Updates::Untried, Updates::Stopped);
    let mut sender = Sender {
        context,
        applied: Applied::default(),
        pending: Vec::new(),
        unknown_creates,
        failed_joins: BTreeSet::new(),
        healed: BTreeSet::new(),
        linked,
        updates,
        unlinked: None,
        sent: 0,
        total,
    };
    for phase in tasks.into_phases() {
        sender.run_phase(phase).await?;
    }
    sender.finish(approved)
}

impl Sender<'_, '_> {
    async fn run_phase(&mut self, tasks: Vec<Task>) -> Result<(), StoreError> {
        let size = self.context.concurrent_requests_max.max(1) * WAVE_PER_REQUEST;
        let mut tasks = tasks.into_iter().peekable();
        while tasks.peek().is_some() && self.applied.stopped.is_none() {
            let is_update = tasks.peek().is_some_and(Task::updates_attributes);
            let size = if is_update && self.updates == Updates::Untried { 1 } else { size };
            let wave: Vec<Task> = tasks.by_ref().take(size).collect();
            self.run_wave(wave).await?;
            if is_update && self.updates == Updates::Untried {
                self.updates = Updates::Go;
            }
        }
        self.applied.waiting += tasks.count();
        self.flush()
    }

    /// Intents of this wave and outcomes of the one before in one transaction; then the requests, several at once.
    async fn run_wave(&mut self, wave: Vec<Task>) -> Result<(), StoreError> {
        let mut ready = Vec::with_capacity(wave.len());
        for mut task in wave {
            if let (true, Updates::Stopped(reason)) = (task.updates_attributes(), &self.updates) {
                self.applied.waiting += 1;
                self.applied.failing.push(task.failing("stopped", reason.clone()));
                continue;
            }
            let is_ready = task.resolve(&self.context.owned, &self.failed_joins);
            self.failed_joins.extend(task.unresolved.iter().cloned());
            if is_ready {
                ready.push(task);
            } else {
                self.applied.waiting += 1;
            }
        }
        let intents: Vec<_> = ready.iter().map(|task| task.intent.clone()).collect();
        let outcomes = std::mem::take(&mut self.pending);
        let now = Timestamp::from_seconds(self.context.clock.now_seconds());
        let ids = self.context.store.record_wave(self.context.cycle, &outcomes, &intents, now)?;
        let (scim, most) = (self.context.scim, self.context.concurrent_requests_max.max(1));
        let requests = ready.into_iter().zip(ids).map(|(task, id)| async move {
            let answer = send::send(scim, &task.intent.request).await;
            (task, id, answer)
        });
        let mut answers = futures_util::stream::iter(requests).buffer_unordered(most);
        let mut received = Vec::new();
        while let Some(answer) = answers.next().await {
            self.sent += 1;
            (self.context.progress)(Progress { sent: self.sent, total: self.total });
            received.push(answer);
        }
        // By journal id, so that the same answers give the same records whoever came first.
        received.sort_by_key(|(_, id, _)| *id);
        for (task, id, answer) in received {
            self.conclude(task, id, answer).await;
        }
        Ok(())
    }

    async fn conclude(&mut self, task: Task, id: JournalId, answer: Result<send::Answered, RequestError>) {
        let request = &task.intent.request;
        let answer = match answer {
            Err(RequestError::Conflict { said }) => match self.finish_earlier_create(request).await {
                Some(found) => Ok(found),
                None => Err(RequestError::Conflict { said }),
            },
            Err(error) if error.effect() == crate::http::Effect::Unknown => {
                match settle::look_up(self.context.scim, request).await {
                    Ok(settle::Found::Happened(answered)) => Ok(answered),
                    Ok(settle::Found::DidNotHappen) | Err(_) => Err(error),
                }
            }
            answer => answer,
        };
        match answer {
            Ok(answered) => self.succeed(&task, id, &answered),
            Err(error) => self.fail(&task, id, error),
        }
    }

    /// A 409 to a create: ours if the journal holds an earlier create of that very `externalId` with unknown outcome.
    async fn finish_earlier_create(&self, request: &Request) -> Option<send::Answered> {
        let Request::CreateUser { person, .. } = request else { return None };
        if !self.unknown_creates.contains_key(person) {
            return None;
        }
        match settle::look_up(self.context.scim, request).await {
            Ok(settle::Found::Happened(answered)) => Some(answered),
            Ok(settle::Found::DidNotHappen) | Err(_) => None,
        }
    }

    fn succeed(&mut self, task: &Task, id: JournalId, answered: &send::Answered) {
        let mut checked = check::effects(&task.intent.request, answered, &self.context.owned);
        self.note_link(task, answered, &mut checked);
        for effect in &checked.effects {
            remember(&mut self.context.owned, effect);
        }
        if let Request::CreateGroup { name, .. } = &task.intent.request {
            self.applied.groups_created.push(name.clone());
        }
        if let Request::CreateUser { person, .. } = &task.intent.request {
            for earlier in self.unknown_creates.remove(person).unwrap_or_default() {
                let detail = "settled by a later create".to_owned();
                self.pending.push(Outcome { id: earlier, kind: OutcomeKind::Refused, detail, effects: Vec::new() });
            }
        }
        self.applied.remarks.extend(checked.remarks.iter().cloned());
        let kind = match &checked.failed {
            None => {
                self.applied.done += 1;
                self.healed.insert(task.record.clone());
                OutcomeKind::Done
            }
            Some(reason) => {
                self.applied.refused += 1;
                self.note_failed_join(task);
                self.applied.failing.push(task.failing("refused", reason.clone()));
                // Some of it may have happened: what did is in the effects, and counts.
                if checked.effects.is_empty() { OutcomeKind::Refused } else { OutcomeKind::Done }
            }
        };
        let detail = checked.failed.unwrap_or_default();
        self.pending.push(Outcome { id, kind, detail, effects: checked.effects });
    }

    /// Keeps track of who is linked; an update that undoes a link is the last one.
    fn note_link(&mut self, task: &Task, answered: &send::Answered, checked: &mut check::Checked) {
        let (Request::CreateUser { person, .. }
        | Request::UpdateUser { person, .. }
        | Request::DeactivateUser { person, .. }) = &task.intent.request
        else {
            return;
        };
        let send::Answered::User(_, Some(account)) = answered else { return };
        if account.atlassian_account_id.is_some() {
            if self.linked.insert(person.clone()) {
                checked.effects.push(Effect::Linked(person.clone()));
            }
        } else if task.updates_attributes() && self.linked.remove(person) {
            checked.effects.push(Effect::Unlinked(person.clone()));
            let reason = format!(
                "the update unlinked the Atlassian account of {}: no further attributes are updated",
                task.name
            );
            checked.failed = Some(reason.clone());
            self.updates = Updates::Stopped(reason);
            self.unlinked.get_or_insert_with(|| person.to_string());
        }
    }

    fn fail(&mut self, task: &Task, id: JournalId, error: RequestError) {
        self.note_failed_join(task);
        if matches!(error, RequestError::Paused) {
            // Nothing is wrong with the record: it never left.
            self.applied.waiting += 1;
            let detail = "not sent: the brake is on".to_owned();
            self.pending.push(Outcome { id, kind: OutcomeKind::Refused, detail, effects: Vec::new() });
            self.applied.stopped.get_or_insert(error);
            return;
        }
        let reason = error.said().map_or_else(|| error.to_string(), |said| format!("{error}; {said}"));
        let kind =
            if error.effect() == crate::http::Effect::Unknown { OutcomeKind::Unknown } else { OutcomeKind::Refused };
        match kind {
            OutcomeKind::Unknown => self.applied.unknown += 1,
            OutcomeKind::Refused | OutcomeKind::Done => self.applied.refused += 1,
        }
        self.pending.push(Outcome { id, kind, detail: reason.clone(), effects: Vec::new() });
        if error.stops_everything() {
            // The key or the directory is at fault, not this record.
            self.applied.stopped.get_or_insert(error);
            return;
        }
        let word = if matches!(error, RequestError::Conflict { .. }) { CONFLICT } else { kind.as_str() };
        self.applied.failing.push(task.failing(word, reason));
    }

    /// Whoever could not join keeps the old membership until it succeeds (S18).
    fn note_failed_join(&mut self, task: &Task) {
        if let Request::AddMembers { members, .. } = &task.intent.request {
            self.failed_joins.extend(members.iter().map(|(person, _)| person.clone()));
        }
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        let outcomes = std::mem::take(&mut self.pending);
        if outcomes.is_empty() {
            return Ok(());
        }
        let now = Timestamp::from_seconds(self.context.clock.now_seconds());
        self.context.store.record_wave(self.context.cycle, &outcomes, &[], now).map(drop)
    }

    fn finish(mut self, approved: &Approved) -> Result<Applied, StoreError> {
        self.flush()?;
        let now = Timestamp::from_seconds(self.context.clock.now_seconds());
        if let Some(person) = &self.unlinked {
            self.context.store.stop_updates(person, now)?;
        }
        if !approved.plan().is_empty() && self.applied.done > 0 {
            self.context.store.record_first_write(now)?;
        }
        let failing: BTreeSet<&str> = self.applied.failing.iter().map(|failing| failing.record.as_str()).collect();
        let healed = self.healed.into_iter().filter(|record| !failing.contains(record.as_str())).collect();
        self.context.store.record_failing(&self.applied.failing, &healed, now)?;
        Ok(self.applied)
    }
}

/// Keeps the snapshot in memory up with what was stored.
fn remember(owned: &mut Owned, effect: &Effect) {
    match effect {
        Effect::LinkAccount(person, account) | Effect::Account(person, account) => {
            owned.accounts.insert(person.clone(), account.clone());
        }
        Effect::Linked(_) | Effect::Unlinked(_) => {}
        Effect::LinkGroup(id, group) => drop(owned.groups.insert(id.clone(), group.clone())),
        Effect::Joined(id, people) => {
            if let Some(group) = owned.groups.get_mut(id) {
                group.members.extend(people.iter().cloned());
            }
        }
        Effect::Left(id, people) => {
            if let Some(group) = owned.groups.get_mut(id) {
                group.members.retain(|person| !people.contains(person));
            }
        }
    }
}

/// The SCIM id of a person's account, once it is linked.
fn scim_id_of(owned: &Owned, person: &PersonId) -> Option<ScimId> {
    owned.accounts.get(person).map(|account| account.scim_id.clone())
}

/// Whether a step writes nothing to the target.
const fn only_links(step: &Step) -> bool {
    matches!(step, Step::Adopt { .. } | Step::AdoptGroup { .. })
}
