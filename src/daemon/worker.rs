//! The one worker: waits, runs a cycle, reloads, ends.

use super::alarm;
use super::cycle::{self, Finished, UnderWay};
use super::notifier::Notifier;
use super::number;
use super::signal::{Asked, Signals};
use super::trigger::{Notes, Trigger};
use super::{Load, Setup, StartError, StopFlag, Wake, chain};
use crate::clock::Clock;
use crate::model::Timestamp;
use crate::notice::Condition;
use crate::status;
use crate::status::{State, Status};
use crate::store::CycleId;
use crate::store::KeyTrial;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::TOLD_TO_END;
use crate::telemetry::Health;
use crate::telemetry::ServeError;
use crate::telemetry::Server;
use crate::telemetry::metric;
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// An idle worker looks around so often.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// A cycle that is later than this was forgotten by the scheduler: the clock was set back.
const LATE_MAX: Duration = Duration::from_mins(2);

/// Requests that are under way may take so long to end after the daemon was told to end. The unit gives it more.
const STOP_WAIT: Duration = Duration::from_secs(20);

/// A key is tried once a day.
const KEY_TRIAL_SECONDS: i64 = 86_400;

/// What the worker does next.
enum Next {
    Stop,
    Reload,
    Run(Wake),
}

/// Whether the worker goes on after a cycle.
enum Flow {
    GoOn,
    Reload,
    End,
}

pub(super) struct Worker<'a> {
    load: Load<'a>,
    clock: Clock,
    notifier: Notifier,
    stop: StopFlag,
    setup: Setup,
    notes: Arc<Notes>,
    /// Whether the configuration on disk was refused by the last reload.
    is_refused: bool,
    /// Whether the key was not tried since the start.
    is_first: AtomicBool,
    health: Health,
    metrics: Option<PrometheusHandle>,
    server: Option<Server>,
    /// When the last cycle began, and when the one after it was due, on the clock that never jumps.
    due_by: Duration,
}

impl<'a> Worker<'a> {
    pub(super) fn new((load, clock, notifier, stop): (Load<'a>, Clock, Notifier, StopFlag), setup: Setup) -> Self {
        let notes = Arc::<Notes>::default();
        Self {
            load,
            clock,
            notifier,
            stop,
            setup,
            notes,
            is_refused: false,
            is_first: AtomicBool::new(true),
            health: Health::default(),
            metrics: None,
            server: None,
            due_by: Duration::MAX,
        }
    }

    /// What must be well before we say that we are ready: the database, and what the last run left open in it.
    pub(super) async fn prepare(&mut self, signals: &mut Signals) -> Result<(), StartError> {
        let store = Store::open(&self.setup.store, &self.setup.binding).map_err(StartError::Open)?;
        // What cannot be read now cannot be read by the first cycle either, which says so.
        let Ok(newest) = store.read_newest_cycle() else { return self.start_serving().await };
        if store.read_unsettled().is_ok_and(|open| open.is_empty()) {
            return self.start_serving().await;
        }
        self.notifier.status("looking up what became of requests that were cut off");
        let settled = tokio::select! {
            settled = cycle::settle(&self.setup, &self.clock, store) => settled,
            () = signals.stop() => {
                self.stop.set();
                self.end_open_cycle((cycle::SETTLING, newest));
                return Ok(());
            }
        };
        match settled {
            Ok(0) => {}
            Ok(count) => tracing::info!(settled = count, "requests that were cut off earlier are settled"),
            // The first cycle tries again, and sends nothing before it has succeeded.
            Err(error) => {
                tracing::warn!(error = %chain(&error), "requests that were cut off earlier are not settled yet");
            }
        }
        self.start_serving().await
    }

    /// The sync does without health and metrics for as long as somebody else has their address.
    async fn start_serving(&mut self) -> Result<(), StartError> {
        match self.listen(self.setup.listen.clone()).await {
            Ok(server) => self.server = server,
            Err(error) if error.is_lasting() => return Err(StartError::Serve(error)),
            Err(error) => tracing::error!("{}; this is tried again before each cycle", chain(&error)),
        }
        Ok(())
    }

    /// Tries again what failed at the start.
    async fn serve_at_last(&mut self) {
        if !self.is_unserved() {
            return;
        }
        match self.listen(self.setup.listen.clone()).await {
            Ok(server) => self.server = server,
            Err(error) => tracing::warn!("{}", chain(&error)),
        }
    }

    const fn is_unserved(&self) -> bool {
        self.setup.listen.is_some() && self.server.is_none()
    }

    /// Serves health and metrics there; counting begins with the first listener.
    async fn listen(&mut self, listen: Option<String>) -> Result<Option<Server>, ServeError> {
        let Some(listen) = listen else { return Ok(None) };
        if self.metrics.is_none() {
            match metric::start() {
                Ok(handle) => self.metrics = Some(handle),
                Err(error) => tracing::error!(error = %error, "nothing can be counted"),
            }
        }
        let Some(metrics) = &self.metrics else { return Ok(None) };
        let server = Server::start(&listen, self.health.clone(), metrics.clone()).await?;
        tracing::info!(http.listen = %listen, "health and metrics are served");
        Ok(Some(server))
    }

    pub(super) async fn serve(&mut self, signals: &mut Signals) -> Result<(), StartError> {
        if self.stop.is_set() {
            self.notifier.stopping("told to end before it was ready");
            return Ok(());
        }
        let mut trigger = self.start_trigger(&self.setup).await?;
        self.notifier.ready(&format!("started; the first cycle begins{}", self.shortcomings()));
        tracing::info!(schedule.cycle_cron = self.setup.cycles.as_str(), "started");
        let mut next = Next::Run(Wake::Cycle);
        loop {
            match next {
                Next::Stop => break,
                Next::Reload => {
                    if let Some(fresh) = self.reload().await {
                        std::mem::replace(&mut trigger, fresh).stop().await;
                    }
                    next = self.wait(signals).await;
                }
                Next::Run(wake) => {
                    next = match self.run(wake, signals).await {
                        Flow::GoOn => self.wait(signals).await,
                        Flow::Reload => Next::Reload,
                        Flow::End => Next::Stop,
                    }
                }
            }
        }
        self.notifier.stopping("told to end");
        trigger.stop().await;
        tracing::info!("ended");
        Ok(())
    }

    async fn start_trigger(&self, setup: &Setup) -> Result<Trigger, StartError> {
        let started = Trigger::start(&self.notes, &setup.cycles, &setup.refreshes).await;
        started.map_err(|error| StartError::Trigger(Box::new(error)))
    }

    /// Idle: the watchdog is fed, and a cycle that the scheduler forgot is run.
    async fn wait(&mut self, signals: &mut Signals) -> Next {
        let slice = self.notifier.idle_max(IDLE_MAX);
        loop {
            let woken = tokio::select! {
                asked = signals.next() => return Next::from(asked),
                wake = self.notes.take() => Some(wake),
                () = self.clock.wait(slice) => None,
            };
            self.notifier.feed();
            match woken {
                Some(wake) => return self.hold_back(wake, slice, signals).await,
                None if self.clock.monotonic() > self.due_by.saturating_add(LATE_MAX) => return Next::Run(Wake::Cycle),
                None => {}
            }
        }
    }

    /// A little later than the others.
    async fn hold_back(&mut self, wake: Wake, slice: Duration, signals: &mut Signals) -> Next {
        let until = self.clock.monotonic().saturating_add(self.clock.jitter(self.setup.jitter_max));
        loop {
            let left = until.saturating_sub(self.clock.monotonic());
            if left.is_zero() {
                return Next::Run(wake);
            }
            tokio::select! {
                asked = signals.next() => {
                    if asked == Asked::Reload {
                        // The cycle is still due after the reload.
                        self.notes.leave(wake);
                    }
                    return Next::from(asked);
                }
                () = self.clock.wait(left.min(slice)) => self.notifier.feed(),
            }
        }
    }

    /// One cycle, while signals are listened to.
    async fn run(&mut self, wake: Wake, signals: &mut Signals) -> Flow {
        let began = self.clock.monotonic();
        self.note_due();
        self.serve_at_last().await;
        self.notifier.status("a cycle is running");
        let (under_way, mut asked_to_reload) = (UnderWay::default(), false);
        let finished = {
            let cycle = cycle::run(&self.setup, &self.clock, wake, &under_way);
            let mut cycle = std::pin::pin!(cycle);
            let mut give_up_at: Option<Duration> = None;
            loop {
                let left = give_up_at.map_or(Duration::MAX, |at| at.saturating_sub(self.clock.monotonic()));
                tokio::select! {
                    finished = &mut cycle => break finished,
                    asked = signals.next() => match asked {
                        Asked::Reload => asked_to_reload = true,
                        Asked::Stop => {
                            // Nothing new is sent; what was sent has some time to be answered.
                            self.stop.set();
                            let is_sending = under_way.is_sending.load(Ordering::Relaxed);
                            let what = if is_sending { "; requests under way are waited for" } else { "" };
                            self.notifier.stopping(&format!("told to end{what}"));
                            let wait = if is_sending { STOP_WAIT } else { Duration::ZERO };
                            give_up_at.get_or_insert(self.clock.monotonic().saturating_add(wait));
                        }
                    },
                    () = self.clock.wait(left), if give_up_at.is_some() => break Finished::Abandoned,
                }
            }
        };
        if let (Finished::Abandoned, Some(after)) = (&finished, under_way.after.get()) {
            self.end_open_cycle((cycle::command(self.setup.mode), *after));
        }
        log(&finished, self.clock.monotonic().saturating_sub(began));
        let mut told = std::pin::pin!(self.tell(&finished));
        while !self.stop.is_set() {
            // Others are asked and told meanwhile, and they may not answer.
            tokio::select! {
                () = &mut told => break,
                asked = signals.next() => match asked {
                    Asked::Reload => asked_to_reload = true,
                    Asked::Stop => self.stop.set(),
                },
            }
        }
        match (self.stop.is_set(), asked_to_reload) {
            (true, _) => Flow::End,
            (false, true) => Flow::Reload,
            (false, false) => Flow::GoOn,
        }
    }

    /// What began after this cycle is over, since the daemon was told to end.
    fn end_open_cycle(&self, began: (&str, CycleId)) {
        let ended = cycle::end_open_cycle(&self.setup, &self.clock, began, (4, TOLD_TO_END));
        if let Err(error) = ended {
            tracing::warn!(error = %chain(&error), "the cycle that was cut off could not be recorded");
        }
    }

    fn note_due(&mut self) {
        let now = Timestamp::from_seconds(self.clock.now_seconds());
        let wait = self.setup.cycles.next_after(now).map(|next| next.seconds_since(now));
        let wait = wait.and_then(|seconds| u64::try_from(seconds).ok()).map_or(Duration::MAX, Duration::from_secs);
        self.due_by = self.clock.monotonic().saturating_add(wait).saturating_add(self.setup.jitter_max);
    }

    /// How the sync is after a cycle: to the service manager, whoever asks for health or gets notices, and the numbers.
    async fn tell(&self, finished: &Finished) {
        let line = finished.line();
        let now = Timestamp::from_seconds(self.clock.now_seconds());
        let next = self.setup.cycles.next_after(now);
        let known = self.look(finished, now).await;
        let (word, is_well) = match &known {
            Ok((status, conditions)) => {
                number::set(status, (self.setup.key_expires, finished.people()), next);
                if let Err(error) = alarm::tell(&self.setup, &self.clock, conditions).await {
                    tracing::error!("{}", chain(&error));
                }
                let is_well = matches!(status.state, State::Good | State::Held | State::Paused);
                (status.state.as_str(), is_well)
            }
            Err(line) => {
                tracing::error!("{line}");
                ("failing", false)
            }
        };
        self.health.set(is_well, &format!("{word}: {line}"));
        let next = self.next_due();
        self.notifier.status(&format!("{word}: {line}{next}{}", self.shortcomings()));
    }

    /// The end of a status: what is not as the configuration on disk says.
    fn shortcomings(&self) -> String {
        let refused = if self.is_refused { "; the changed configuration is not used (see the journal)" } else { "" };
        let unserved = if self.is_unserved() { "; health and metrics are not served (see the journal)" } else { "" };
        format!("{refused}{unserved}")
    }

    /// The end of a status: when the next cycle is due.
    fn next_due(&self) -> String {
        let next = self.setup.cycles.next_after(Timestamp::from_seconds(self.clock.now_seconds()));
        next.map_or_else(String::new, |next| format!("; next at {next}"))
    }

    /// How the sync is now, and what of it somebody must hear.
    async fn look(&self, finished: &Finished, now: Timestamp) -> Result<(Status, Vec<Condition>), String> {
        let mut store = Store::open(&self.setup.store, &self.setup.binding).map_err(|error| chain(&error))?;
        let failed = |error: crate::store::StoreError| chain(&error);
        self.try_key(&mut store, finished, now).await.map_err(failed)?;
        let status = status::read(&store, self.setup.status(), now).map_err(failed)?;
        if let Finished::Reported(report) = finished
            && report.applied.is_some()
        {
            number::count(&store.read_journal_of(report.cycle).map_err(failed)?);
        }
        let facts = (&store, &status);
        let conditions = alarm::conditions(&self.setup, facts, finished, status.dead_key.as_deref()).map_err(failed)?;
        Ok((status, conditions))
    }

    /// A key that nothing was sent with for a day is tried: a dead one is to be known before it is needed (S21).
    async fn try_key(&self, store: &mut Store, finished: &Finished, now: Timestamp) -> Result<(), StoreError> {
        let last = store.read_key_trial()?;
        let is_recent = |trial: &KeyTrial| (0..KEY_TRIAL_SECONDS).contains(&now.seconds_since(trial.at));
        // What is said to be dead is tried again after every cycle, so that a new key is welcome at once.
        let is_enough = last.as_ref().is_some_and(|trial| trial.dead.is_none() && is_recent(trial));
        if (is_enough && !self.is_first.load(Ordering::Relaxed)) || matches!(finished, Finished::Abandoned) {
            return Ok(());
        }
        let dead = match self.setup.scim.read_service().await {
            Ok(_) => None,
            Err(error) if alarm::is_dead(&error) => Some(error.to_string()),
            // Whether the key is good is not known now.
            Err(_) => return Ok(()),
        };
        self.is_first.store(false, Ordering::Relaxed);
        let trial = KeyTrial { at: now, dead };
        store.record_key_trial(&trial)
    }

    /// Reads the configuration again. A bad one changes nothing. Gives the trigger of a new schedule.
    async fn reload(&mut self) -> Option<Trigger> {
        self.notifier.reloading();
        match self.take_over().await {
            Ok(trigger) => {
                self.is_refused = false;
                tracing::info!("the configuration was read again");
                let end = format!("{}{}", self.next_due(), self.shortcomings());
                self.notifier.ready(&format!("the configuration was read again{end}"));
                Some(trigger)
            }
            Err(why) => {
                self.keep(&why);
                None
            }
        }
    }

    /// All of the new configuration, or nothing of it; then why.
    async fn take_over(&mut self) -> Result<Trigger, String> {
        let fresh = (self.load)(&self.clock, &self.stop).map_err(|error| chain(error.as_ref()))?;
        if fresh.store.database != self.setup.store.database {
            return Err("state.database names another file: that needs a restart".to_owned());
        }
        // The database was opened with the services of the old one: it is theirs.
        self.setup.binding.check(&fresh.binding, &self.setup.store).map_err(|error| chain(&error))?;
        // The old listener stays until everything of the new configuration is known to work.
        let server = if fresh.listen == self.setup.listen {
            None
        } else {
            Some(self.listen(fresh.listen.clone()).await.map_err(|error| chain(&error))?)
        };
        let trigger = self.start_trigger(&fresh).await.map_err(|error| chain(&error))?;
        if let Some(server) = server {
            self.server = server;
        }
        self.setup = fresh;
        Ok(trigger)
    }

    fn keep(&mut self, why: &str) {
        self.is_refused = true;
        tracing::error!("the new configuration is not used, the old one stays: {why}");
        self.notifier.ready(&format!("the new configuration is not used: {why}"));
    }
}

impl From<Asked> for Next {
    fn from(asked: Asked) -> Self {
        match asked {
            Asked::Stop => Self::Stop,
            Asked::Reload => Self::Reload,
        }
    }
}

/// One line about a cycle, with its counts and times; and it is counted.
fn log(finished: &Finished, elapsed: Duration) {
    let (line, code) = (finished.line(), finished.exit_code());
    let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    let counts = finished.counts();
    match code {
        0 => tracing::info!(exit_code = code, elapsed_ms, "{line}{counts}"),
        5 => tracing::warn!(exit_code = code, elapsed_ms, "{line}{counts}"),
        _ => tracing::error!(exit_code = code, elapsed_ms, "{line}{counts}"),
    }
    metric::count_cycle(finished.word(), elapsed);
}
