//! `daemon`: the configuration becomes what the daemon works with.

use super::args::Global;
use super::edge::Ended;
use super::setup;
use crate::clock::Clock;
use crate::config;
use crate::config::Config;
use crate::cycle::Mode;
use crate::daemon;
use crate::daemon::{Setup, StartError, StopFlag};
use crate::duo;
use crate::http::BuildTransportError;
use crate::notice::Webhook;
use crate::scim;
use crate::store;
use crate::store::Binding;
use crate::store::Brake;
use std::cell::RefCell;
use std::error::Error;
use std::time::Duration;

pub(super) fn run(global: &Global, clock: &Clock) -> Result<(), Ended> {
    // What is wrong at the start ends the command as it would end any other; later it only keeps the old one.
    let first = RefCell::new(Some(setup::read_config(global)?));
    let load = |clock: &Clock, stop: &StopFlag| -> Result<Setup, Box<dyn Error + Send + Sync>> {
        let config = match first.take() {
            Some(config) => config,
            None => setup::load_config(global)?,
        };
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        Ok(make(&config, clock, stop)?)
    };
    setup::block_on(daemon::run(&load, clock))?.map_err(ended)
}

fn make(config: &Config, clock: &Clock, stop: &StopFlag) -> Result<Setup, BuildTransportError> {
    let (brake, stop) = (Brake::of(&config.state.database), stop.clone());
    Ok(Setup {
        mode: match config.schedule.mode {
            config::Mode::Observe => Mode::Preview,
            config::Mode::Apply => Mode::Apply,
        },
        cycles: config.schedule.cycle_cron.clone(),
        refreshes: config.schedule.refresh_cron.clone(),
        jitter_max: Duration::from_secs(u64::from(config.schedule.jitter_seconds_max)),
        store: store::Settings { database: config.state.database.clone() },
        binding: Binding { api_host: config.duo.base_url.clone(), scim_base_url: config.scim.base_url.clone() },
        cycle: setup::cycle_settings(config),
        member_removal: config.scim.member_removal.as_str(),
        duo: duo::Client::new(&config.duo, clock.clone())?,
        scim: scim::Client::with_brake(&config.scim, clock.clone(), Box::new(move || stop.is_set() || brake.is_on()))?,
        webhook: config.notice.as_ref().map(|settings| Webhook::new(settings, clock.clone())).transpose()?,
        key_expires: config.api_key_expires,
        listen: config.http_listen.clone(),
    })
}

fn ended(error: StartError) -> Ended {
    match error {
        StartError::Open(error) => error.into(),
        StartError::Lock(error) => error.into(),
        StartError::Serve(error) => Ended::of(2, &error),
        StartError::Setup(error) => Ended::of(2, error.as_ref()),
        error @ (StartError::Signals(_) | StartError::Trigger(_)) => Ended::of(1, &error),
    }
}
