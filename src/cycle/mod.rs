//! One reconciliation: read, desire, plan, guard, report, and, in [`Mode::Apply`], apply and record.
//!
//! There is one code path. A preview is a cycle that stops after the report: it keeps the plan so that it can be shown
//! and approved, and changes nothing that a later cycle depends on.

mod compare;
mod error;
mod listed;
mod person;
mod pins;
mod read;
mod record;
mod undo;

pub use error::CycleError;
pub use listed::{Approval, IfMoved, Listed};
pub use record::PAUSED;
pub use undo::Undone;

use crate::apply;
use crate::apply::Applied;
use crate::clock::Clock;
use crate::desired::Rules;
use crate::duo;
use crate::guard;
use crate::guard::Limits;
use crate::guard::Verdict;
use crate::model::Owned;
use crate::model::PersonId;
use crate::model::Timestamp;
use crate::report::Header;
use crate::report::PlanDocument;
use crate::scim;
use crate::store::CycleId;
use crate::store::Store;
use compare::Compared;

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
    /// Requests were answered.
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
    /// The brake is on: nothing, or nothing more, was sent.
    Paused,
}

/// What a cycle is about.
#[derive(Clone, Copy, Debug)]
pub enum Task<'a> {
    /// Everybody in scope.
    Everybody,
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
}

/// Runs one cycle and records how it ended, whatever happened.
pub async fn run(
    (mode, task): (Mode, Task<'_>),
    command: &str,
    (store, services, settings): (&mut Store, &Services<'_>, &Settings),
    tell: Tell<'_>,
) -> Result<Report, CycleError> {
    let now = || Timestamp::from_seconds(services.clock.now_seconds());
    let cycle = store.begin_cycle(command, now())?;
    let mut tools = Tools { store, services, settings, tell };
    let result = steps(mode, task, cycle, &mut tools).await;
    let end = record::end_of(&result, services);
    // The cycle's own failure is what matters; that it could not be recorded is said if nothing else is.
    let recorded = tools.store.end_cycle(cycle, &end, now());
    let report = result?;
    recorded?;
    Ok(report)
}

async fn steps(mode: Mode, task: Task<'_>, cycle: CycleId, tools: &mut Tools<'_, '_>) -> Result<Report, CycleError> {
    if mode == Mode::Apply && !tools.store.read_unsettled()?.is_empty() {
        apply::settle(tools.store, tools.services.scim, tools.services.clock, cycle).await?;
    }
    match task {
        Task::Everybody => everybody(mode, cycle, None, tools).await,
        Task::Listed(listed) => everybody(mode, cycle, Some(listed), tools).await,
        Task::OnePerson(person) => person::steps(mode, cycle, person, tools).await,
        Task::Undo(undone) => undo::steps(mode, cycle, undone, tools).await,
    }
}

async fn everybody(
    mode: Mode,
    cycle: CycleId,
    listed: Option<&Listed>,
    tools: &mut Tools<'_, '_>,
) -> Result<Report, CycleError> {
    let mut reading = read::read(tools.store, tools.services, tools.settings, tools.tell).await?;
    let compared = compare::compare(&mut reading, tools.store, tools.services, (tools.settings, tools.tell)).await?;
    let Compared { mut plan, situation, mut header } = compared;
    // By all that is planned today, whatever part of it is to be sent.
    record::let_rejections_lapse(tools.store, mode, &plan)?;
    if mode == Mode::Apply {
        tools.store.record_pins_seen(&reading.pins.seen)?;
    }
    let mut is_whole = true;
    let mut not_sent = Vec::new();
    if let Some(listed) = listed {
        let count = plan.actions.len();
        not_sent = listed.pick(&mut plan).map_err(CycleError::Stale)?;
        header.seats = plan.keep_within_seats(header.seats.before, tools.settings.limits.accounts);
        is_whole = plan.actions.len() == count;
        header.forecast = compare::forecast(&plan, tools.settings);
    }
    let verdict = match listed {
        Some(listed) => listed.review(plan, &situation, tools)?,
        None => guard::review(plan, &tools.settings.limits, &situation),
    };
    let mut report = finish(mode, cycle, (&verdict, header), (tools, &reading.owned)).await?;
    if let (Verdict::Approved(approved), Some(applied)) = (&verdict, &report.applied) {
        let recorded = record::Recorded { reading: &reading, is_whole };
        report.end = record::after(tools.store, recorded, (approved, applied), (tools.settings, tools.services))?;
    }
    report.not_sent = not_sent;
    Ok(report)
}

/// Keeps the plan, and sends it when it may be sent.
async fn finish(
    mode: Mode,
    cycle: CycleId,
    (verdict, header): (&Verdict, Header),
    (tools, owned): (&mut Tools<'_, '_>, &Owned),
) -> Result<Report, CycleError> {
    let document = PlanDocument::new(verdict, header);
    record::keep_plan(tools.store, cycle, verdict, &document)?;
    let report = |end, applied| Report { cycle, document, applied, end, not_sent: Vec::new() };
    let approved = match (mode, verdict) {
        (Mode::Preview, _) => return Ok(report(End::Previewed, None)),
        (Mode::Apply, Verdict::Held(_)) => return Ok(report(End::Held, None)),
        (Mode::Apply, Verdict::Approved(approved)) => approved,
    };
    if tools.store.brake().is_on() && !approved.plan().is_empty() {
        return Ok(report(End::Paused, None));
    }
    let tell = tools.tell;
    let mut context = apply::Context {
        store: tools.store,
        scim: tools.services.scim,
        clock: tools.services.clock,
        cycle,
        owned: owned.clone(),
        concurrent_requests_max: tools.settings.concurrent_requests_max,
        members_per_request_max: tools.settings.members_per_request_max,
        progress: &|progress| tell(Progress::Sending(progress)),
    };
    let applied = apply::run(approved, &mut context).await?;
    let end = record::end_of_sending(&applied);
    Ok(report(end, Some(applied)))
}
