//! Sends an approved plan: intent into the journal, request, outcome and effect into the snapshot; in the order that
//! protects people (S18).
//!
//! It decides nothing. One failing record does not stop the others (S14); a key or a directory that is refused does.

mod admit;
mod check;
mod conclude;
mod foreign;
mod gate;
mod members;
mod order;
mod pause;
mod progress;
mod send;
mod settle;
mod task;
mod wave;

pub use foreign::describe_foreign_writes;
pub use pause::{Pauses, digest, next_pause};
pub use progress::Progress;
pub use settle::{SettleError, UNSETTLED, settle};
pub use task::{count_requests, failing_keys};

use crate::clock::Clock;
use crate::guard::Approved;
use crate::model::Attribute;
use crate::model::GroupId;
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
use crate::store::FailingKey;
use crate::store::FailingRecord;
use crate::store::JournalId;
use crate::store::Outcome;
use crate::store::OutcomeKind;
use crate::store::Removals;
use crate::store::Store;
use crate::store::StoreError;
use futures_util::StreamExt;
use gate::{Gate, Kept};
use pause::Waits;
use send::Look;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;
use task::{Task, Tasks};

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
    /// So many requests may leave in a second.
    pub requests_per_second: f64,
    /// So many members go into one request.
    pub members_per_request_max: usize,
    /// Whether failing records wait for their pauses.
    pub pauses: Pauses,
    /// Records of which nobody knows what became of an earlier request, as [`settle()`] says.
    pub unsettled: BTreeSet<String>,
    /// Whether the snapshot was corrected by a whole reading: it is believed again when the plan's links are recorded.
    pub is_corrected: bool,
    /// The attributes that the mapping fills: what else an account holds is not ours.
    pub managed: BTreeSet<Attribute>,
    /// From this moment of the clock on nothing more is begun.
    pub until: Duration,
    /// Told before the first request of a wave leaves, and after each.
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
    /// Requests that were not sent: something before them failed, or failed too short a time ago, or the time was over.
    pub waiting: usize,
    /// Those of them that were not sent since the time for sending was over.
    pub late: usize,
    /// Records that failed, with the reason.
    pub failing: Vec<Failing>,
    /// Records that failed before and whose time to be tried again has not come.
    pub paused: Vec<FailingRecord>,
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
    /// Creates of earlier cycles that were never found, by record: if a new one is answered with 409, it is ours.
    unknown_creates: BTreeMap<String, Vec<JournalId>>,
    failed_joins: BTreeSet<PersonId>,
    /// Memberships that this cycle has added.
    joined: BTreeSet<(GroupId, PersonId)>,
    healed: BTreeSet<FailingKey>,
    waits: Waits,
    /// Whose accounts are linked to an Atlassian account, by its own answers.
    linked: BTreeSet<PersonId>,
    updates: Updates,
    removals: Removals,
    /// Groups of which nothing more is sent in this cycle: an answer showed that something is wrong.
    halted: BTreeSet<GroupId>,
    /// Groups whose first answer was looked at: to additions (false) or to removals (true).
    looked_at: BTreeSet<(GroupId, bool)>,
    /// How many requests were refused for a group: above a number, they are not halved any more.
    refusals: BTreeMap<GroupId, usize>,
    /// What is left of refused requests: they go before the rest of their phase.
    halves: Vec<Task>,
    /// Whom the requests of this wave are about, by group.
    under_way: BTreeMap<GroupId, BTreeSet<ScimId>>,
    /// Look-ups that failed one after the other.
    failed_look_ups: usize,
    /// Records that were answered otherwise than we left them (S17), and whether one is a copy's.
    foreign: (BTreeSet<String>, bool),
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
    let waits = Waits::new(context.store.read_failing()?, context.pauses);
    let tasks = Tasks::of(approved, context.members_per_request_max, &waits);
    let mut unknown_creates: BTreeMap<String, Vec<JournalId>> = BTreeMap::new();
    for record in context.store.read_unsettled()?.iter().filter(|record| settle::is_create(&record.request)) {
        unknown_creates.entry(record.request.record()).or_default().push(record.id);
    }
    let total = tasks.len();
    let linked = context.store.read_linked()?;
    let updates = context.store.updates_stopped()?.map_or(Updates::Untried, Updates::Stopped);
    let removals = context.store.removals(context.scim.member_removal().as_str())?;
    let mut sender = Sender {
        context,
        applied: Applied::default(),
        pending: Vec::new(),
        unknown_creates,
        failed_joins: BTreeSet::new(),
        joined: BTreeSet::new(),
        healed: BTreeSet::new(),
        waits,
        linked,
        updates,
        removals,
        halted: BTreeSet::new(),
        looked_at: BTreeSet::new(),
        refusals: BTreeMap::new(),
        halves: Vec::new(),
        under_way: BTreeMap::new(),
        failed_look_ups: 0,
        foreign: (BTreeSet::new(), false),
        sent: 0,
        total,
    };
    for (number, phase) in tasks.into_phases().into_iter().enumerate() {
        sender.run_phase(phase).await?;
        // After the links: none of them waits.
        if number == 0 && sender.context.is_corrected && sender.applied.waiting == 0 {
            sender.context.store.believe()?;
        }
    }
    sender.finish(approved)
}

impl Sender<'_, '_> {
    async fn run_phase(&mut self, tasks: Vec<Task>) -> Result<(), StoreError> {
        let size = wave::size(self.context.concurrent_requests_max, self.context.requests_per_second);
        let mut tasks: VecDeque<Task> = tasks.into();
        while !tasks.is_empty() && self.applied.stopped.is_none() && !self.is_late() {
            let wave = self.take_wave(&mut tasks, size);
            self.run_wave(wave).await?;
            for half in std::mem::take(&mut self.halves).into_iter().rev() {
                tasks.push_front(half);
            }
        }
        let left = tasks.len();
        self.applied.waiting += left;
        self.applied.late += if self.applied.stopped.is_none() { left } else { 0 };
        self.flush()
    }

    fn is_late(&self) -> bool {
        self.context.clock.monotonic() >= self.context.until
    }

    /// Intents of this wave and outcomes of the one before in one transaction; then the requests, several at once.
    async fn run_wave(&mut self, wave: Vec<Task>) -> Result<(), StoreError> {
        let now = Timestamp::from_seconds(self.context.clock.now_seconds());
        let ready: Vec<Task> = wave.into_iter().filter_map(|task| self.admit(task, now)).collect();
        self.note_under_way(&ready);
        let intents: Vec<_> = ready.iter().map(Task::intent).collect();
        let outcomes = std::mem::take(&mut self.pending);
        let ids = self.context.store.record_wave(self.context.cycle, &outcomes, &intents, now)?;
        let (scim, most) = (self.context.scim, self.context.concurrent_requests_max.max(1));
        let look = if self.removals == Removals::Untried { Look::First } else { Look::No };
        let (clock, until, linked) = (self.context.clock, self.context.until, &self.linked);
        let gate = Gate::default();
        let requests = ready.into_iter().zip(ids).map(|(task, id)| {
            let gate = &gate;
            async move {
                if let Some(kept) = gate.keeps(&task, clock.monotonic() >= until) {
                    return (task, id, Err(kept));
                }
                let exchange = send::exchange(scim, &task.intent.request, look).await;
                gate.note(&task.intent.request, &exchange.answer, linked);
                (task, id, Ok(exchange))
            }
        });
        if !intents.is_empty() {
            // From here on, whoever gives up leaves open ends.
            (self.context.progress)(Progress { sent: self.sent, total: self.total });
        }
        let mut answers = futures_util::stream::iter(requests).buffer_unordered(most);
        let mut received = Vec::new();
        while let Some(answer) = answers.next().await {
            self.sent += usize::from(answer.2.is_ok());
            (self.context.progress)(Progress { sent: self.sent, total: self.total });
            received.push(answer);
        }
        drop(answers);
        // By journal id, so that the same answers give the same records whoever came first.
        received.sort_by_key(|(_, id, _)| *id);
        for (task, id, exchange) in received {
            match exchange {
                Ok(exchange) => self.conclude(task, id, exchange).await?,
                Err(kept) => self.keep(&task, id, kept),
            }
        }
        Ok(())
    }

    /// A request that never left.
    fn keep(&mut self, task: &Task, id: JournalId, kept: Kept) {
        self.note_failed_join(task);
        self.applied.waiting += 1;
        self.applied.late += usize::from(kept == Kept::Late);
        if let (Kept::Unlinked, Some(reason)) = (kept, self.reason_to_stop(task)) {
            self.applied.failing.extend(task.failing(admit::STOPPED, &reason, &self.waits));
        }
        let detail = kept.as_str().to_owned();
        self.pending.push(Outcome { id, kind: OutcomeKind::Refused, detail, effects: Vec::new() });
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
        if !approved.plan().is_empty() && self.applied.done > 0 {
            self.context.store.record_first_write(now)?;
        }
        let mut failed = BTreeSet::new();
        self.applied.failing.retain(|failing| failed.insert(failing.key.clone()));
        self.healed.retain(|key| !failed.contains(key));
        self.applied.paused.sort_by(|one, other| one.failing.key.cmp(&other.failing.key));
        self.applied.paused.dedup_by(|one, other| one.failing.key == other.failing.key);
        self.context.store.record_failing(&self.applied.failing, &self.healed, now)?;
        let (foreign, is_copy) = &self.foreign;
        if !foreign.is_empty() {
            let writes = self.context.store.record_foreign_writes(foreign, *is_copy, now)?;
            self.applied.remarks.push(describe_foreign_writes(&writes));
        }
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

/// Keeps who is linked up with what was stored.
fn note_link(linked: &mut BTreeSet<PersonId>, effect: &Effect) {
    match effect {
        Effect::Linked(person) => drop(linked.insert(person.clone())),
        Effect::Unlinked(person) => drop(linked.remove(person)),
        Effect::LinkAccount(..)
        | Effect::Account(..)
        | Effect::LinkGroup(..)
        | Effect::Joined(..)
        | Effect::Left(..) => {}
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
