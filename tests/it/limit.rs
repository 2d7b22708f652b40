//! Whole cycles against a service that limits requests, on the simulated clock: the rate, and the time for sending
//! (S16).
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, where a surprise ends the test"
)]

use crate::sim::atlassian::LimitHeaders;
use crate::sim::atlassian::RateLimit;
use crate::sim::atlassian::RetryHint;
use crate::sim::company::Company;
use crate::sim::duo::Clock as DuoClock;
use crate::sim::stage::Stage;
use duo_atlassian_sync::clock::Clock;
use duo_atlassian_sync::config;
use duo_atlassian_sync::config::Config;
use duo_atlassian_sync::config::Environment;
use duo_atlassian_sync::cycle;
use duo_atlassian_sync::cycle::{End, Mode, Report, Task};
use duo_atlassian_sync::duo;
use duo_atlassian_sync::model::Timestamp;
use duo_atlassian_sync::scim;
use duo_atlassian_sync::store::{Binding, CycleRecord, Settings, Store};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

mod sending;
mod speed;

/// When the simulated world begins.
const NOW: i64 = 1_795_442_531;

/// Both simulators on one simulated clock, and cycles in this process.
struct Town {
    stage: Stage,
    clock: Clock,
    /// When each request arrived at the target.
    arrived: Arc<Mutex<Vec<Duration>>>,
    _folder: TempDir,
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
        let (clock, arrived) = (Clock::simulated(NOW, 1), Arc::new(Mutex::new(Vec::new())));
        stage.duo.with(|duo| drop(Company::seeded(7).fill(duo, people, 1)));
        stage.atlassian.with(|sim| {
            let clock = clock.clone();
            sim.follow_clock(move || NOW * 1_000 + i64::try_from(clock.monotonic().as_millis()).unwrap_or(i64::MAX));
            sim.settings_mut().strict = false;
        });
        let (log, time) = (Arc::clone(&arrived), clock.clone());
        stage.atlassian.on_request(Box::new(move |_, _| log.lock().expect("a log").push(time.monotonic())));
        Self { stage, clock, arrived, _folder: folder }
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
    async fn cycle(&self, mode: Mode, next_due: Option<Timestamp>) -> Report {
        let config = self.config();
        let now = self.clock.now_seconds();
        self.stage.duo.with(|duo| duo.clock = DuoClock::Stands(now));
        let duo = duo::Client::new(&config.duo, self.clock.clone()).expect("a client");
        let scim = scim::Client::new(&config.scim, self.clock.clone()).expect("a client");
        let services = cycle::Services { duo: &duo, scim: &scim, clock: &self.clock };
        let settings = cycle::Settings {
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
        };
        let mut store = self.store();
        let ran = cycle::run((mode, Task::Everybody), "sync", (&mut store, &services, &settings), &|_| {});
        ran.await.expect("a cycle")
    }

    /// How the last cycle is recorded.
    fn recorded(&self) -> CycleRecord {
        self.store().read_last_sync().expect("a reading").expect("a cycle")
    }

    /// How many requests were refused since there were too many.
    fn refused(&self) -> usize {
        self.stage.atlassian.seen().iter().filter(|seen| seen.status == Some(429)).count()
    }

    /// When the requests that were let through arrived.
    fn let_through(&self) -> Vec<Duration> {
        let (seen, arrived) = (self.stage.atlassian.seen(), self.arrived.lock().expect("a log"));
        let passed = seen.iter().zip(arrived.iter()).filter(|(seen, _)| seen.status != Some(429));
        passed.map(|(_, at)| *at).collect()
    }
}
