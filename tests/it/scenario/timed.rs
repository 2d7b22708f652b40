//! A scene under a clock that the test moves: the same cycles as the program's, run in this process, on its database.

use super::super::sim::duo::Clock as DuoClock;
use super::scene::Scene;
use duo_atlassian_sync::clock::Clock;
use duo_atlassian_sync::config;
use duo_atlassian_sync::config::{Config, Environment};
use duo_atlassian_sync::cycle;
use duo_atlassian_sync::cycle::{CycleError, Mode, Report, Services, Settings, Task};
use duo_atlassian_sync::duo;
use duo_atlassian_sync::scim;
use duo_atlassian_sync::store;
use duo_atlassian_sync::store::{Binding, FailingRecord, Store};
use std::time::Duration;

/// The time at which a story begins.
pub(super) const NOW: i64 = 1_795_442_531;

/// The program's parts, set up by the scene's configuration.
pub(super) struct Timed<'a> {
    pub(super) scene: &'a Scene,
    pub(super) clock: Clock,
    pub(super) store: Store,
    pub(super) scim: scim::Client,
    duo: duo::Client,
    config: Config,
}

impl<'a> Timed<'a> {
    pub(super) fn of(scene: &'a Scene) -> Self {
        let clock = Clock::simulated(NOW, 1);
        let config = config::load(&scene.stage.config(), &Environment::default()).expect("a sound configuration");
        let settings = store::Settings { database: config.state.database.clone() };
        let (api_host, scim_base_url) = (config.duo.base_url.clone(), config.scim.base_url.clone());
        let store = Store::open(&settings, &Binding { api_host, scim_base_url }).expect("a database");
        let duo = duo::Client::new(&config.duo, clock.clone()).expect("a client");
        let scim = scim::Client::new(&config.scim, clock.clone()).expect("a client");
        let timed = Self { scene, clock, store, scim, duo, config };
        timed.minutes_pass(0);
        timed
    }

    /// Time passes in both worlds.
    pub(super) fn minutes_pass(&self, minutes: u64) {
        self.clock.advance(Duration::from_mins(minutes));
        let now = self.clock.now_seconds();
        self.scene.stage.duo.with(|duo| duo.clock = DuoClock::Stands(now));
    }

    /// One whole cycle that sends.
    pub(super) fn syncs(&mut self) -> Result<Report, CycleError> {
        self.cycle(Mode::Apply, Task::Everybody)
    }

    /// One cycle.
    pub(super) fn cycle(&mut self, mode: Mode, task: Task<'_>) -> Result<Report, CycleError> {
        let services = Services { duo: &self.duo, scim: &self.scim, clock: &self.clock };
        let settings = Settings {
            trusted_hours: 72,
            history_days: 1_100,
            sending_minutes_max: 30,
            next_due: None,
            rules: self.config.rules.clone(),
            limits: self.config.limits,
            api_host: self.config.duo.api_host.clone(),
            scim_base_url: self.config.scim.base_url.clone(),
            requests_per_second: self.config.scim.requests_per_second,
            concurrent_requests_max: self.config.scim.concurrent_requests_max,
            members_per_request_max: self.config.scim.members_per_request_max,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let cycle = cycle::run((mode, task), "sync", (&mut self.store, &services, &settings), &|_| ());
        runtime.block_on(cycle)
    }

    /// What fails now.
    pub(super) fn failing(&self) -> Vec<FailingRecord> {
        self.store.read_failing().expect("the failing records")
    }

    /// Writing requests that the target saw since they were last forgotten.
    pub(super) fn writes(&self) -> Vec<String> {
        self.scene.target_requests().into_iter().filter(|line| !line.starts_with("GET ")).collect()
    }
}
