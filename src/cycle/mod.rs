//! One reconciliation: read, desire, plan, guard, report, and, in [`Mode::Apply`], apply and record.
//!
//! There is one code path. A preview is a cycle that stops after the report: it keeps the plan so that it can be shown
//! and approved, and changes nothing that a later cycle depends on.

mod compare;
mod error;
mod read;
mod record;

pub use error::CycleError;

use crate::apply;
use crate::apply::Applied;
use crate::clock::Clock;
use crate::desired::Rules;
use crate::duo;
use crate::guard;
use crate::guard::Limits;
use crate::guard::Verdict;
use crate::model::Timestamp;
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
}

/// Runs one cycle and records how it ended, whatever happened.
pub async fn run(
    mode: Mode,
    command: &str,
    (store, services, settings): (&mut Store, &Services<'_>, &Settings),
    tell: Tell<'_>,
) -> Result<Report, CycleError> {
    let now = || Timestamp::from_seconds(services.clock.now_seconds());
    let cycle = store.begin_cycle(command, now())?;
    let result = steps(mode, cycle, (store, services, settings), tell).await;
    let end = record::end_of(&result, services);
    // The cycle's own failure is what matters; that it could not be recorded is said if nothing else is.
    let recorded = store.end_cycle(cycle, &end, now());
    let report = result?;
    recorded?;
    Ok(report)
}

async fn steps(
    mode: Mode,
    cycle: CycleId,
    (store, services, settings): (&mut Store, &Services<'_>, &Settings),
    tell: Tell<'_>,
) -> Result<Report, CycleError> {
    if mode == Mode::Apply && !store.read_unsettled()?.is_empty() {
        apply::settle(store, services.scim, services.clock, cycle).await?;
    }
    let mut reading = read::read(store, services, settings, tell).await?;
    let compared = compare::compare(&mut reading, store, services, (settings, tell)).await?;
    let Compared { plan, situation, header } = compared;
    let verdict = guard::review(plan, &settings.limits, &situation);
    let document = PlanDocument::new(&verdict, header);
    record::keep_plan(store, cycle, &verdict, &document)?;
    match (mode, &verdict) {
        (Mode::Preview, _) => Ok(Report { cycle, document, applied: None, end: End::Previewed }),
        (Mode::Apply, Verdict::Held(_)) => Ok(Report { cycle, document, applied: None, end: End::Held }),
        (Mode::Apply, Verdict::Approved(approved)) => {
            let mut context = apply::Context {
                scim: services.scim,
                clock: services.clock,
                cycle,
                owned: reading.owned.clone(),
                concurrent_requests_max: settings.concurrent_requests_max,
                members_per_request_max: settings.members_per_request_max,
                progress: &|progress| tell(Progress::Sending(progress)),
                store,
            };
            let applied = apply::run(approved, &mut context).await?;
            let end = record::after(store, &reading, (approved, &applied), (settings, services))?;
            Ok(Report { cycle, document, applied: Some(applied), end })
        }
    }
}
