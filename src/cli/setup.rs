//! From arguments to an open program: logging, configuration, clients, database.

use super::args::{Command, Global, LogFormat};
use super::edge::Ended;
use super::progress::Line;
use crate::clock::Clock;
use crate::config;
use crate::config::Config;
use crate::config::Environment;
use crate::config::Problems;
use crate::cycle;
use crate::cycle::{Mode, Report, Task};
use crate::duo;
use crate::report::plain;
use crate::scim;
use crate::status;
use crate::store::Binding;
use crate::store::Brake;
use crate::store::OpenStoreError;
use crate::store::Settings;
use crate::store::Store;
use crate::store::WriterLock;
use crate::telemetry::log;
use std::io::Write;
use std::path::Path;

pub(super) fn start_logging(global: &Global, command: &Command) {
    let is_daemon = matches!(command, Command::Daemon);
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) if is_daemon => "info",
        (false, 0) => "warn",
        (false, 1) => "info",
        (false, _) => "debug",
    };
    let format = match global.log_format {
        Some(LogFormat::Json) => log::Format::Json,
        None if is_daemon => log::Format::Found,
        Some(LogFormat::Text) | None => log::Format::Text,
    };
    log::start(format, level);
}

/// Reads the configuration.
pub(super) fn read_config(global: &Global) -> Result<Config, Ended> {
    Ok(load_config(global)?)
}

/// Reads the configuration for a command that contacts nobody, and so needs no secret.
pub(super) fn read_config_without_secrets(global: &Global) -> Result<Config, Ended> {
    let environment = Environment::read();
    Ok(config::load_without_secrets(&environment.config_path(global.config.as_deref()), &environment)?)
}

/// Reads the configuration, and Atlassian's key from another file.
pub(super) fn read_config_with_atlassian_key(global: &Global, key_file: &Path) -> Result<Config, Ended> {
    let environment = Environment::read();
    let path = environment.config_path(global.config.as_deref());
    Ok(config::load_with_atlassian_key(&path, &environment, key_file)?)
}

/// The same as [`read_config`], with the problems as they are.
pub(super) fn load_config(global: &Global) -> Result<Config, Problems> {
    let environment = Environment::read();
    config::load(&environment.config_path(global.config.as_deref()), &environment)
}

/// The brake of the database that the configuration names, whatever else is wrong with it.
pub(super) fn find_brake(global: &Global) -> Result<Brake, Ended> {
    let environment = Environment::read();
    let database = config::load_database(&environment.config_path(global.config.as_deref()), &environment)?;
    Ok(Brake::of(&database))
}

/// Says on stderr what the configuration allows but perhaps does not mean.
pub(super) fn tell_warnings(global: &Global, config: &Config) {
    let mut stderr = std::io::stderr().lock();
    for warning in config.warnings.iter().filter(|_| !global.quiet) {
        let _ = writeln!(stderr, "note: {}", plain(warning));
    }
}

/// How to call this program again with the same configuration.
pub(super) fn command_line(global: &Global, command: &str) -> String {
    match &global.config {
        Some(path) => format!("duo-atlassian-sync --config {} {command}", quoted(path)),
        None => format!("duo-atlassian-sync {command}"),
    }
}

/// A word as a shell takes it.
pub(super) fn quoted(path: &Path) -> String {
    let word = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word;
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

pub(super) fn open_store(config: &Config) -> Result<Store, Ended> {
    let (settings, binding) = store_settings(config);
    Ok(Store::open(&settings, &binding)?)
}

/// The same for a command that only reads: it works on a full disk and on a read-only one, too.
pub(super) fn open_store_to_read(config: &Config) -> Result<Store, Ended> {
    let (settings, binding) = store_settings(config);
    Ok(Store::open_to_read(&settings, &binding)?)
}

/// Whether the database could be used, by a look that changes nothing; it need not be there.
pub(super) fn look_at_database(config: &Config) -> Result<(), OpenStoreError> {
    let (settings, binding) = store_settings(config);
    Store::look_at(&settings, &binding)
}

fn store_settings(config: &Config) -> (Settings, Binding) {
    let settings = Settings { database: config.state.database.clone() };
    let binding = Binding { api_host: config.duo.base_url.clone(), scim_base_url: config.scim.base_url.clone() };
    (settings, binding)
}

pub(super) fn clients(config: &Config, clock: &Clock) -> Result<(duo::Client, scim::Client), Ended> {
    let duo = duo::Client::new(&config.duo, clock.clone())?;
    let brake = Brake::of(&config.state.database);
    let scim = scim::Client::with_brake(&config.scim, clock.clone(), Box::new(move || brake.is_on()))?;
    Ok((duo, scim))
}

pub(super) fn cycle_settings(config: &Config) -> cycle::Settings {
    cycle::Settings {
        rules: config.rules.clone(),
        limits: config.limits,
        api_host: config.duo.api_host.clone(),
        scim_base_url: config.scim.base_url.clone(),
        requests_per_second: config.scim.requests_per_second,
        concurrent_requests_max: config.scim.concurrent_requests_max,
        members_per_request_max: config.scim.members_per_request_max,
        trusted_hours: config.state.trusted_hours,
        sending_minutes_max: config.schedule.sending_minutes_max,
        next_due: None,
        history_days: config.state.history_days,
    }
}

pub(super) fn status_settings(config: &Config) -> status::Settings<'_> {
    status::Settings {
        cycles: &config.schedule.cycle_cron,
        trusted_hours: config.state.trusted_hours,
        member_removal: config.scim.member_removal.as_str(),
    }
}

/// Runs one cycle, with progress on a terminal; one that may send waits for the writer lock first.
pub(super) fn run_cycle(
    global: &Global,
    (config, clock): (&Config, &Clock),
    store: &mut Store,
    (mode, task, command): (Mode, Task<'_>, &str),
) -> Result<Report, Ended> {
    let (duo, scim) = clients(config, clock)?;
    let services = cycle::Services { duo: &duo, scim: &scim, clock };
    let settings = cycle_settings(config);
    let line = Line::new(clock, global.quiet);
    let tell = |progress| line.tell(progress);
    let report = block_on(async {
        let _lock = match mode {
            Mode::Preview => None,
            Mode::Apply => Some(WriterLock::wait(&config.state.database, clock).await?),
        };
        Ok::<_, Ended>(cycle::run((mode, task), command, (store, &services, &settings), &tell).await?)
    })?;
    line.end();
    report
}

/// Runs a future to its end. One thread: a handful of requests at once needs no more.
pub(super) fn block_on<F: Future>(future: F) -> Result<F::Output, Ended> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => Ok(runtime.block_on(future)),
        Err(error) => Err(Ended::of(1, &error)),
    }
}
