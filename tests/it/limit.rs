//! Whole cycles against a service that limits requests, on a simulated clock: the rate, and the time for sending (S16).
//!
//! The cycles have no sockets. A clock that stands while a socket is waited for lets requests arrive together that left
//! one by one, on a busy computer, and here their distances are measured.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests, where a surprise ends the test"
)]

use crate::play::as_received;
use crate::play::drive::{Driven, drive};
use crate::sim::atlassian::LimitHeaders;
use crate::sim::atlassian::RateLimit;
use crate::sim::atlassian::RetryHint;
use crate::sim::company::Company;
use crate::sim::duo::Clock as DuoClock;
use crate::sim::stage::Stage;
use crate::sim::wire::Service;
use duo_atlassian_sync::clock::Clock;
use duo_atlassian_sync::config;
use duo_atlassian_sync::config::Config;
use duo_atlassian_sync::config::Environment;
use duo_atlassian_sync::cycle;
use duo_atlassian_sync::cycle::{End, Mode, Report, Task};
use duo_atlassian_sync::duo;
use duo_atlassian_sync::http::{Arriving, Exchange, Failure};
use duo_atlassian_sync::model::Timestamp;
use duo_atlassian_sync::scim;
use duo_atlassian_sync::store::{Binding, CycleRecord, Settings, Store};
use futures_util::future::BoxFuture;
use futures_util::stream;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

mod sending;
mod speed;
mod starting;

/// When the simulated world begins.
const NOW: i64 = 1_795_442_531;

/// A request is on its way for so many milliseconds, drawn anew for each, and so is its answer.
type Latency = Range<u64>;

/// Not far away.
const NEAR: Latency = 10..50;

/// Both simulators on one simulated clock, and cycles in this process.
struct Town {
    stage: Arc<Stage>,
    clock: Clock,
    latency: Latency,
    answered: Answered,
    _folder: TempDir,
}

/// When each request arrived at the target, and the status of its answer.
type Answered = Arc<Mutex<Vec<(Duration, u16)>>>;

/// The way of a client to its service, on which only simulated time passes.
struct Line {
    stage: Arc<Stage>,
    clock: Clock,
    latency: Latency,
    /// Where the target keeps what it answered; none: this is the way to the source.
    target: Option<Answered>,
}

impl Line {
    async fn be_on_the_way(&self) {
        let Range { start, end } = self.latency;
        let more = self.clock.jitter(Duration::from_millis(end - start));
        self.clock.wait(Duration::from_millis(start) + more).await;
    }
}

impl Exchange for Line {
    fn exchange(&self, request: reqwest::Request) -> BoxFuture<'_, Result<Arriving, Failure>> {
        Box::pin(async move {
            let request = as_received(&request);
            self.be_on_the_way().await;
            let answer = match &self.target {
                None => self.stage.duo.with(|duo| duo.answer(&request)),
                Some(answered) => {
                    let answer = self.stage.atlassian.with(|sim| sim.answer(&request));
                    answered.lock().expect("a log").push((self.clock.monotonic(), answer.status));
                    answer
                }
            };
            self.be_on_the_way().await;
            let header = |(name, value): &(String, String)| {
                (HeaderName::try_from(name).expect("a name"), HeaderValue::try_from(value).expect("a value"))
            };
            let headers: HeaderMap = answer.headers.iter().map(header).collect();
            let body = stream::iter([Ok(answer.body.into())]);
            Ok(Arriving { status: answer.status, headers, body: Box::pin(body) })
        })
    }
}

impl Town {
    /// So many people in one group, of whom nobody has an account yet; first plans need nobody.
    fn with(people: usize, (atlassian, sections): (&str, &str)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let program = vec![env!("CARGO_BIN_EXE_duo-atlassian-sync").to_owned()];
        let stage = Stage::set(folder.path(), program).expect("a stage");
        let open = "{ count = 100000, percent = 100, at_most = 100000 }";
        let sections = format!(
            "[scope]\ngroups = [{{ name = \"*\" }}]\n[guard]\nfirst_plan = \"apply\"\ncreates_max = {open}\n{sections}"
        );
        stage.configure_services("requests_per_minute = 60000", atlassian, &sections).expect("a configuration");
        let clock = Clock::stepped(NOW, 1);
        stage.duo.with(|duo| drop(Company::seeded(7).fill(duo, people, 1)));
        stage.atlassian.with(|sim| {
            let clock = clock.clone();
            sim.follow_clock(move || NOW * 1_000 + i64::try_from(clock.monotonic().as_millis()).unwrap_or(i64::MAX));
            sim.settings_mut().strict = false;
        });
        Self { stage: Arc::new(stage), clock, latency: NEAR, answered: Arc::default(), _folder: folder }
    }

    /// The target lets so many requests a second through, and so many at once after a rest.
    fn limit(&self, per_second: u32, burst: u32, headers: LimitHeaders) {
        let limit = RateLimit { per_second, burst, hint: RetryHint::Seconds, headers };
        self.stage.atlassian.with(|sim| sim.settings_mut().rate_limit = Some(limit));
    }

    fn config(&self) -> Config {
        config::load(&self.stage.config(), &Environment::default()).expect("a configuration")
    }

    fn store(&self) -> Store {
        let config = self.config();
        let binding = Binding { api_host: config.duo.base_url, scim_base_url: config.scim.base_url };
        Store::open(&Settings { database: config.state.database }, &binding).expect("a database")
    }

    /// One cycle, whose successor is due at that moment.
    fn cycle(&self, mode: Mode, next_due: Option<Timestamp>) -> Report {
        let config = self.config();
        let now = self.clock.now_seconds();
        self.stage.duo.with(|duo| duo.clock = DuoClock::Stands(now));
        let line = |target| {
            let (stage, clock, latency) = (Arc::clone(&self.stage), self.clock.clone(), self.latency.clone());
            Arc::new(Line { stage, clock, latency, target })
        };
        let duo = duo::Client::with_exchange(&config.duo, self.clock.clone(), line(None)).expect("a client");
        let target = line(Some(Arc::clone(&self.answered)));
        let scim = scim::Client::with_exchange(&config.scim, self.clock.clone(), Box::new(|| false), target);
        let scim = scim.expect("a client");
        let services = cycle::Services { duo: &duo, scim: &scim, clock: &self.clock };
        let settings = settings(config, next_due);
        let mut store = self.store();
        let ran = cycle::run((mode, Task::Everybody), "sync", (&mut store, &services, &settings), &|_| {});
        let Driven::Done(ran) = drive(&self.clock, ran, || false) else { panic!("nothing could go on") };
        ran.expect("a cycle")
    }

    /// How the last cycle is recorded.
    fn recorded(&self) -> CycleRecord {
        self.store().read_last_sync().expect("a reading").expect("a cycle")
    }

    /// How many requests got this answer.
    fn answered_with(&self, status: u16) -> usize {
        self.answered.lock().expect("a log").iter().filter(|(_, answered)| *answered == status).count()
    }

    /// When the requests arrived that were not refused since there were too many.
    fn let_through(&self) -> Vec<Duration> {
        let answered = self.answered.lock().expect("a log");
        answered.iter().filter(|(_, status)| *status != 429).map(|(at, _)| *at).collect()
    }
}

/// What a cycle goes by, whose successor is due at that moment.
fn settings(config: Config, next_due: Option<Timestamp>) -> cycle::Settings {
    cycle::Settings {
        trusted_hours: 72,
        history_days: 1_100,
        rules: config.rules,
        limits: config.limits,
        api_host: config.duo.api_host,
        scim_base_url: config.scim.base_url,
        requests_per_second: config.scim.requests_per_second,
        concurrent_requests_max: config.scim.concurrent_requests_max,
        members_per_request_max: config.scim.members_per_request_max,
        sending_minutes_max: config.schedule.sending_minutes_max,
        next_due,
    }
}
