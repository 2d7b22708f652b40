//! One reconciliation: read, desire, plan, guard, report, and, in [`Mode::Apply`], apply and record.
//!
//! There is one code path. A preview is a cycle that stops after the report: it keeps the plan so that it can be shown
//! and approved, and changes nothing that a later cycle depends on.

mod compare;
mod conflict;
mod error;
mod listed;
mod person;
mod pins;
mod read;
mod record;
mod target;
mod time;
mod undo;

pub use compare::capabilities;
pub use error::CycleError;
pub use listed::{Approval, IfMoved, Listed};
pub use record::PAUSED;
pub use undo::Undone;

use crate::apply;
use crate::apply::Applied;
use crate::apply::Pauses;
use crate::clock::Clock;
use crate::desired::Rules;
use crate::duo;
use crate::guard;
use crate::guard::Limits;
use crate::guard::Verdict;
use crate::model::Owned;
use crate::model::PersonId;
use crate::model::Timestamp;
use crate::plan::ActionDocument;
use crate::plan::Drift;
use crate::plan::Trust;
use crate::report::Header;
use crate::report::PlanDocument;
use crate::scim;
use crate::store::Correction;
use crate::store::CycleId;
use crate::store::DecisionRecord;
use crate::store::Store;
use compare::Compared;
use std::collections::BTreeSet;
use std::time::Duration;

/// Whether a cycle sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It stops after the report.
    Preview,
    /// It sends what the guard approves.
    Apply,
}

/// Whom a cycle talks to.
pub struct Services<'a> {
    /// The source.
    pub duo: &'a duo::Client,
    /// The target.
    pub scim: &'a scim::Client,
    /// What time it is.
    pub clock: &'a Clock,
}

/// What a cycle goes by.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Scope, mapping, statuses.
    pub rules: Rules,
    /// What may be sent without a person's approval.
    pub limits: Limits,
    /// Duo's host, for reports.
    pub api_host: String,
    /// The SCIM base URL, for reports.
    pub scim_base_url: String,
    /// The request budget of the target, for the forecast.
    pub requests_per_second: f64,
    /// So many requests may be under way at once.
    pub concurrent_requests_max: usize,
    /// So many members go into one request.
    pub members_per_request_max: usize,
    /// After a pause of so many hours the snapshot is not believed before the target was read (S19).
    pub trusted_hours: u32,
    /// So long a cycle sends; what is left is for the next one.
    pub sending_minutes_max: u32,
    /// When the next cycle is due, where somebody knows.
    pub next_due: Option<Timestamp>,
    /// So many days of cycles are kept.
    pub history_days: u32,
}

/// How far a cycle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Members of groups, or people, were read from Duo: so many, of so many where that is known.
    Reading(u64, Option<u64>),
    /// Users and groups were read from the target.
    ReadingTarget(u64),
    /// People are asked for one by one.
    Confirming(usize),
    /// Requests leave, or were answered.
    Sending(apply::Progress),
}

/// Told how far a cycle is.
pub type Tell<'a> = &'a (dyn Fn(Progress) + Sync);

/// What came of a cycle.
#[derive(Debug)]
pub struct Report {
    /// Its number.
    pub cycle: CycleId,
    /// The plan, as it is kept and shown.
    pub document: PlanDocument,
    /// What was sent; none in a preview, and none when the plan is held.
    pub applied: Option<Applied>,
    /// How it ended.
    pub end: End,
    /// By whose approvals it was sent.
    pub approvals: Vec<DecisionRecord>,
    /// Of a saved plan: what was not sent, and why.
    pub not_sent: Vec<String>,
}

/// How a cycle ended, when nothing went wrong around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A preview: nothing was to be sent.
    Previewed,
    /// Everything that was planned is done, or there was nothing to do.
    Done,
    /// The plan waits for a person.
    Held,
    /// Some records fail; the rest is done.
    Failing,
    /// The time for sending was over before everything was sent; the next cycle plans the rest anew.
    OutOfTime,
    /// The brake is on: nothing, or nothing more, was sent.
    Paused,
}

/// What a cycle is about.
#[derive(Clone, Copy, Debug)]
pub enum Task<'a> {
    /// Everybody in scope.
    Everybody,
    /// Everybody in scope, and the target is read whole although nothing forces it: what somebody else changed there is
    /// found.
    Refresh,
    /// Takes access away from one person, and nothing else.
    OnePerson(&'a PersonId),
    /// Exactly the listed actions of a saved plan.
    Listed(&'a Listed),
    /// The reverse of an earlier cycle.
    Undo(&'a Undone),
}

/// Everything a cycle works with.
struct Tools<'a, 'b> {
    store: &'a mut Store,
    services: &'a Services<'b>,
    settings: &'a Settings,
    tell: Tell<'a>,
    /// Whether failing records wait for their pauses.
    pauses: Pauses,
    /// Records of which nobody knows what became of an earlier request.
    unsettled: BTreeSet<String>,
    /// Whether the snapshot is believed.
    trust: Trust,
}

/// Runs one cycle and records how it ended, whatever happened.
pub async fn run(
    (mode, task): (Mode, Task<'_>),
    command: &str,
    (store, services, settings): (&mut Store, &Services<'_>, &Settings),
    tell: Tell<'_>,
) -> Result<Report, CycleError> {
    let now = || Timestamp::from_seconds(services.clock.now_seconds());
    if store.is_new_day(now())? {
        // Nothing is sent, or shown, on the word of a damaged database.
        store.check()?;
    }
    if let Task::Undo(undone) = task {
        undo::find(store, undone)?;
    }
    // Before the cycle is there, which would look like recent work after a crash.
    let trust = match mode {
        Mode::Preview => store.read_trust(now(), settings.trusted_hours)?,
        Mode::Apply => store.note_trust(now(), settings.trusted_hours)?,
    };
    let cycle = store.begin_cycle(command, now())?;
    // What a person asks for by name is tried at once, whatever failed before.
    let pauses = match task {
        Task::Everybody | Task::Refresh => Pauses::Obeyed,
        Task::OnePerson(_) | Task::Listed(_) | Task::Undo(_) => Pauses::Ignored,
    };
    let mut tools = Tools { store, services, settings, tell, pauses, unsettled: BTreeSet::new(), trust };
    let result = steps(mode, task, cycle, &mut tools).await;
    let end = record::end_of(&result, command, (tools.store, services));
    // The cycle's own failure is what matters; that it could not be recorded is said if nothing else is.
    let recorded = tools.store.end_cycle(cycle, &end, now());
    let compacted = match &result {
        Err(CycleError::Store(_)) => Ok(()),
        Ok(_) | Err(_) => record::compact(tools.store, mode, (now(), settings.history_days)),
    };
    let report = result?;
    recorded?;
    compacted?;
    if mode == Mode::Apply {
        record::try_a_dead_key(tools.store, services, now()).await?;
    }
    Ok(report)
}

/// A start looks up for so long, however often the target does not answer: the service manager, who waits for it, gives
/// it twice that.
const SETTLING_MAX: Duration = Duration::from_mins(5);

/// Settles what earlier cycles left open, as a cycle that sends does first, but no longer than a start may take; the
/// writer lock is the caller's. Says how many requests are settled.
pub async fn settle(
    command: &str,
    (store, services, settings): (&mut Store, &Services<'_>, &Settings),
) -> Result<usize, CycleError> {
    let open = store.read_unsettled()?.len();
    if open == 0 {
        return Ok(0);
    }
    let now = || Timestamp::from_seconds(services.clock.now_seconds());
    // Durably, before anything is looked up.
    store.note_trust(now(), settings.trusted_hours)?;
    let cycle = store.begin_cycle(command, now())?;
    let how = (services.clock, cycle, Pauses::Obeyed);
    let settled = match services.clock.timeout(SETTLING_MAX, apply::settle(store, services.scim, how)).await {
        Some(Ok(_)) => Ok(open.saturating_sub(store.read_unsettled()?.len())),
        Some(Err(error)) => Err(CycleError::from(error)),
        None => Err(CycleError::SettlingTooLong),
    };
    store.end_cycle(cycle, &record::end_of_settling(&settled), now())?;
    settled
}

async fn steps(mode: Mode, task: Task<'_>, cycle: CycleId, tools: &mut Tools<'_, '_>) -> Result<Report, CycleError> {
    if mode == Mode::Apply && !tools.store.read_unsettled()?.is_empty() {
        let how = (tools.services.clock, cycle, tools.pauses);
        tools.unsettled = apply::settle(tools.store, tools.services.scim, how).await?;
    }
    match task {
        Task::Everybody | Task::Refresh | Task::Listed(_) => everybody(mode, cycle, task, tools).await,
        Task::OnePerson(person) => person::steps(mode, cycle, person, tools).await,
        Task::Undo(undone) => undo::steps(mode, cycle, undone, tools).await,
    }
}

async fn everybody(
    mode: Mode,
    cycle: CycleId,
    task: Task<'_>,
    tools: &mut Tools<'_, '_>,
) -> Result<Report, CycleError> {
    let clock = tools.services.clock;
    let now = || Timestamp::from_seconds(clock.now_seconds());
    let started = now();
    let listed = match task {
        Task::Listed(listed) => Some(listed),
        Task::Everybody | Task::Refresh | Task::OnePerson(_) | Task::Undo(_) => None,
    };
    let mut reading = read::read(task, tools).await?;
    let compared = compare::compare(&mut reading, tools.store, tools.services, (tools.settings, tools.tell)).await?;
    let Compared { mut plan, situation, mut header, drift } = compared;
    // By all that is planned today, whatever part of it is to be sent.
    record::let_rejections_lapse(tools.store, mode, &plan)?;
    if mode == Mode::Apply {
        tools.store.record_pins_seen(&reading.pins.seen)?;
        // Whatever comes of the plan: a grace period begins when somebody is missed, and ends when they are back. Where
        // none is given, nobody waits.
        let is_given = tools.settings.rules.grace_hours > 0;
        let away = if is_given { plan.left_scope() } else { BTreeSet::new() };
        tools.store.record_left_scope(&away, now())?;
    }
    conflict::note_found(tools.store, (mode, &tools.settings.rules), &reading, &plan)?;
    let mut is_whole = true;
    let mut not_sent = Vec::new();
    if let Some(listed) = listed {
        let count = plan.actions.len();
        not_sent = listed.pick(&mut plan).map_err(CycleError::Stale)?;
        header.seats = plan.keep_within_seats(header.seats.before, tools.settings.limits.accounts);
        is_whole = plan.actions.len() == count;
        if !is_whole && guard::is_in_doubt(&plan, &situation) {
            // The rest would be sent by a database that is trusted again, and that nobody has seen.
            return Err(CycleError::Untrusted(format!("{}, and a part of a plan is not sent with it", tools.trust)));
        }
        header.forecast = compare::forecast(&plan, tools.settings);
    }
    let verdict = match listed {
        Some(listed) => listed.review(plan, &situation, tools)?,
        None => guard::review(plan, &tools.settings.limits, &situation),
    };
    let snapshot = Snapshot { owned: &reading.owned, drift: drift.as_ref() };
    let mut report = finish(mode, cycle, (&verdict, header), (tools, snapshot)).await?;
    let is_found = drift.is_some_and(|drift| !drift.is_empty())
        || (reading.is_asked_for && report.document.actions.iter().any(ActionDocument::follows_from_target));
    if mode == Mode::Apply && report.applied.is_none() && is_found {
        // What was found is not recorded, and would be forgotten.
        tools.store.ask_for_refresh()?;
    }
    if let (Verdict::Approved(approved), Some(applied)) = (&verdict, &report.applied) {
        let recorded = record::Recorded { reading: &reading, is_whole };
        report.end = record::after(tools.store, recorded, (approved, applied), (tools.settings, tools.services))?;
    }
    conflict::note_look(tools.store, mode, &reading, (started, now()))?;
    report.not_sent = not_sent;
    Ok(report)
}

/// What a plan was made from.
#[derive(Clone, Copy)]
struct Snapshot<'a> {
    /// The snapshot, corrected where the target was read.
    owned: &'a Owned,
    /// How it was corrected: recorded before anything is sent.
    drift: Option<&'a Drift>,
}

/// Keeps the plan, and sends it when it may be sent.
async fn finish(
    mode: Mode,
    cycle: CycleId,
    (verdict, mut header): (&Verdict, Header),
    (tools, snapshot): (&mut Tools<'_, '_>, Snapshot<'_>),
) -> Result<Report, CycleError> {
    let now = Timestamp::from_seconds(tools.services.clock.now_seconds());
    let times = (tools.settings.sending_minutes_max, tools.settings.next_due);
    header.remarks.extend(time::remarks(header.forecast, times, now));
    let document = PlanDocument::new(verdict, header);
    record::keep_plan(tools.store, cycle, verdict, &document)?;
    let created_at = document.created_at;
    let report = |end, applied| Report { cycle, document, applied, end, approvals: Vec::new(), not_sent: Vec::new() };
    let approved = match (mode, verdict) {
        (Mode::Preview, _) => return Ok(report(End::Previewed, None)),
        (Mode::Apply, Verdict::Held(_)) => return Ok(report(End::Held, None)),
        (Mode::Apply, Verdict::Approved(approved)) => approved,
    };
    if tools.store.brake().is_on() && !approved.plan().is_empty() {
        return Ok(report(End::Paused, None));
    }
    if let Some(drift) = snapshot.drift {
        let correction = Correction { before: &drift.before, after: &drift.owned, foreign: &drift.foreign };
        tools.store.record_correction(&correction)?;
    }
    let approvals = record::approvals(tools.store, approved, created_at)?;
    let tell = tools.tell;
    let sending_max = Duration::from_mins(u64::from(tools.settings.sending_minutes_max));
    let mut context = apply::Context {
        store: tools.store,
        scim: tools.services.scim,
        clock: tools.services.clock,
        cycle,
        owned: snapshot.owned.clone(),
        concurrent_requests_max: tools.settings.concurrent_requests_max,
        requests_per_second: tools.settings.requests_per_second,
        members_per_request_max: tools.settings.members_per_request_max,
        pauses: tools.pauses,
        unsettled: tools.unsettled.clone(),
        is_corrected: snapshot.drift.is_some(),
        managed: tools.settings.rules.mapping.keys().copied().collect(),
        until: tools.services.clock.monotonic().saturating_add(sending_max),
        progress: &|progress| tell(Progress::Sending(progress)),
    };
    let applied = apply::run(approved, &mut context).await?;
    let end = record::end_of_sending(&applied);
    Ok(Report { approvals, ..report(end, Some(applied)) })
}
