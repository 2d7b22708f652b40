//! From arguments to an open program: logging, configuration, clients, database.

use super::args::{Global, LogFormat};
use super::edge::Ended;
use super::progress::Line;
use crate::clock::Clock;
use crate::config;
use crate::config::Config;
use crate::config::Environment;
use crate::cycle;
use crate::cycle::{Mode, Report, Task};
use crate::duo;
use crate::scim;
use crate::store::AcquireLockError;
use crate::store::Binding;
use crate::store::Brake;
use crate::store::Settings;
use crate::store::Store;
use crate::store::WriterLock;
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// `sync` waits so long for a running cycle.
const LOCK_WAIT: Duration = Duration::from_mins(1);
/// It looks so often.
const LOCK_LOOK: Duration = Duration::from_millis(200);

pub(super) fn start_logging(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "info",
        (false, _) => "debug",
    };
    // rustls-platform-verifier logs an error of its own for each certificate that is refused; ours says more.
    let filter = EnvFilter::new(format!("off,duo_atlassian_sync={level}"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process (the demo) keeps the first.
    let _ = match global.log_format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}

/// Reads the configuration.
pub(super) fn read_config(global: &Global) -> Result<Config, Ended> {
    let environment = Environment::read();
    Ok(config::load(&environment.config_path(global.config.as_deref()), &environment)?)
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
        let _ = writeln!(stderr, "note: {warning}");
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
    let settings = Settings { database: config.state.database.clone() };
    let binding = Binding { api_host: config.duo.base_url.clone(), scim_base_url: config.scim.base_url.clone() };
    Ok(Store::open(&settings, &binding)?)
}

/// Waits up to a minute for a running cycle to end.
async fn lock_for_writing(config: &Config, clock: &Clock) -> Result<WriterLock, Ended> {
    let started = clock.monotonic();
    loop {
        match WriterLock::acquire(&config.state.database) {
            Ok(lock) => return Ok(lock),
            Err(AcquireLockError::Taken { .. }) if clock.monotonic().saturating_sub(started) < LOCK_WAIT => {
                clock.wait(LOCK_LOOK).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

pub(super) fn clients(config: &Config, clock: &Clock) -> Result<(duo::Client, scim::Client), Ended> {
    let duo = duo::Client::new(&config.duo, clock.clone())?;
    let brake = Brake::of(&config.state.database);
    let scim = scim::Client::with_brake(&config.scim, clock.clone(), Box::new(move || brake.is_on()))?;
    Ok((duo, scim))
}

fn cycle_settings(config: &Config) -> cycle::Settings {
    cycle::Settings {
        rules: config.rules.clone(),
        limits: config.limits,
        api_host: config.duo.api_host.clone(),
        scim_base_url: config.scim.base_url.clone(),
        requests_per_second: config.scim.requests_per_second,
        concurrent_requests_max: config.scim.concurrent_requests_max,
        members_per_request_max: config.scim.members_per_request_max,
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
            Mode::Apply => Some(lock_for_writing(config, clock).await?),
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
