//! The program: the real cycle, store and clients, run from command to command, and killed now and then.

use super::city::{City, Kill};
use super::config;
use super::crash::{Mark, Wreck};
use super::dice::Dice;
use super::drive::{Driven, drive};
use super::sabotage::Sabotage;
use super::verify;
use super::watch::{Broken, Promise, Running};
use super::weather::Side;
use super::wire::{Line, lock};
use crate::sim::duo::{INTEGRATION_KEY, SECRET_KEY};
use duo_atlassian_sync::clock::Clock;
use duo_atlassian_sync::cycle;
use duo_atlassian_sync::cycle::{CycleError, Mode, Report, Services, Task};
use duo_atlassian_sync::duo;
use duo_atlassian_sync::scim;
use duo_atlassian_sync::scim::MemberRemoval;
use duo_atlassian_sync::store::{Binding, Brake, Settings, Store};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// The program on one computer.
pub struct Program {
    /// Everything outside.
    pub city: Arc<Mutex<City>>,
    clock: Clock,
    database: PathBuf,
    dice: Dice,
    /// Kills in a thousand cycles.
    mortality: u64,
    /// Whether it lives on from cycle to cycle, as a daemon does.
    is_resident: bool,
    process: Option<Process>,
    /// Requests of the last cycle.
    requests: u64,
}

/// What lives as long as a process.
struct Process {
    store: Store,
    duo: duo::Client,
    scim: scim::Client,
}

/// How a command ended.
#[derive(Debug)]
pub enum Ran {
    /// With a report.
    Ended(Box<Report>),
    /// With an error.
    Failed(CycleError),
    /// Not at all.
    Killed,
}

impl Program {
    /// A program with a database in this folder.
    pub fn new(seed: u64, city: City, database: &Path) -> Self {
        let mut dice = Dice::of(seed, "program");
        let (mortality, is_resident) = (dice.one_of([0, 50, 200]), dice.happens(500));
        Self {
            clock: city.clock.clone(),
            city: Arc::new(Mutex::new(city)),
            database: database.to_owned(),
            dice,
            mortality,
            is_resident,
            process: None,
            requests: 10,
        }
    }

    /// Everything outside.
    pub fn town(&self) -> MutexGuard<'_, City> {
        lock(&self.city)
    }

    /// Nothing dies any more.
    pub const fn becomes_immortal(&mut self) {
        self.mortality = 0;
    }

    /// Time passes without the program; what is on its way arrives.
    pub fn pass(&self, time: Duration) {
        let mut city = self.town();
        city.clock.advance(time);
        city.let_ghosts_arrive();
    }

    /// The brake of the database.
    pub fn brake(&self) -> Brake {
        Brake::of(&self.database)
    }

    /// The file.
    pub fn database(&self) -> &Path {
        &self.database
    }

    /// Looks at the database, as a command that decides or shows does.
    pub fn with_store<T>(&mut self, look: impl FnOnce(&mut Store) -> T) -> Result<T, Broken> {
        let mut process = match self.process.take() {
            Some(process) => process,
            None => self.start()?,
        };
        let looked = look(&mut process.store);
        self.process = self.is_resident.then_some(process);
        Ok(looked)
    }

    /// Runs one command to its end, or to the end of the program.
    pub fn run(&mut self, (mode, task): (Mode, Task<'_>), command: &str, running: Running) -> Result<Ran, Broken> {
        let mut process = match self.process.take() {
            Some(process) => process,
            None => self.start()?,
        };
        let settings = self.town().config.settings();
        let kill = self.kill();
        {
            let mut city = self.town();
            city.begin();
            city.kill = kill;
            city.watch.running = if mode == Mode::Preview { Running::Reader } else { running };
            city.log = kill.map(|_| (Mark::default(), Mark::of(&self.database)));
            let seconds = city.clock.now_seconds();
            city.say(|| {
                format!(
                    "{command} ({mode:?}) at {seconds}{}",
                    kill.map(|k| format!(", dies: {k:?}")).unwrap_or_default()
                )
            });
        }
        let driven = {
            let services = Services { duo: &process.duo, scim: &process.scim, clock: &self.clock };
            let run = cycle::run((mode, task), command, (&mut process.store, &services, &settings), &|_| ());
            let city = &self.city;
            drive(&self.clock, run, || {
                let city = lock(city);
                city.is_dead || city.watch.broken.is_some()
            })
        };
        let ran = match driven {
            Driven::Stuck => return Err(self.blame(Promise::EveryCycleEnds, "nothing could go on".to_owned())),
            Driven::Killed => {
                let (pinned, config) = (pinned(&process.store), self.town().config.clone());
                self.town().watch.perhaps_compared(&pinned, &config);
                self.bury(process)?;
                Ran::Killed
            }
            Driven::Done(_) if kill.is_some() => {
                // It came to its end before the request at which it was to die: it dies while it writes that down.
                let (pinned, config) = (pinned(&process.store), self.town().config.clone());
                self.town().watch.perhaps_compared(&pinned, &config);
                self.town().die();
                self.bury(process)?;
                Ran::Killed
            }
            Driven::Done(result) => {
                let requests = self.town().requests();
                self.requests = requests;
                self.town().tamper();
                let ran = self.ended(mode, result, &mut process.store);
                self.process = self.is_resident.then_some(process);
                ran
            }
        };
        {
            let mut city = self.town();
            (city.kill, city.brake_at) = (None, None);
        }
        let broken = self.town().watch.broken.clone();
        broken.map_or(Ok(ran), Err)
    }

    /// What the end of a cycle says is compared with what is there.
    fn ended(&self, mode: Mode, result: Result<Report, CycleError>, store: &mut Store) -> Ran {
        let mut city = self.town();
        match result {
            Ok(report) => {
                let line = format!("ended {:?}, {} actions", report.end, report.document.actions.len());
                city.say(|| line);
                verify::end(mode, &report, store, &mut city);
                if mode == Mode::Apply && city.watch.running == Running::Sync {
                    let (now, config) = (city.clock.monotonic(), city.config.clone());
                    city.watch.compared(now, &pinned(store), &config);
                }
                Ran::Ended(Box::new(report))
            }
            Err(error) => {
                city.say(|| format!("failed: {error}"));
                verify::failure(&error, store, &mut city);
                let config = city.config.clone();
                city.watch.perhaps_compared(&pinned(store), &config);
                Ran::Failed(error)
            }
        }
    }

    /// Whether and where this cycle dies.
    fn kill(&mut self) -> Option<Kill> {
        if !self.dice.happens(self.mortality) {
            return None;
        }
        let at = self.dice.between(1, self.requests + 5);
        Some(Kill { at, after: self.dice.happens(500) })
    }

    /// A process that is dead: its files stay as they are, and nothing of it is closed.
    fn bury(&mut self, process: Process) -> Result<(), Broken> {
        let mark = self.town().mark_of_death();
        let failed = |error: std::io::Error| error.to_string();
        let wreck = Wreck::of(&self.database, mark, &mut self.dice).map_err(failed);
        drop(process);
        let restored = wreck.and_then(|wreck| wreck.restore(&self.database).map_err(failed));
        restored.map_err(|why| self.blame(Promise::TheDatabaseIsSound, why))
    }

    /// A new process.
    fn start(&self) -> Result<Process, Broken> {
        let mut city = self.town();
        let config = city.config.clone();
        city.watch.new_process();
        city.watch.limited.configure(&config.limits);
        let per_second = usize::try_from(config.scim_per_second).unwrap_or(usize::MAX);
        city.watch.set_budget(Side::Atlassian, (per_second + 1, Duration::from_secs(1)));
        let per_minute = usize::try_from(config.duo_per_minute).unwrap_or(usize::MAX);
        city.watch.set_budget(Side::Duo, (per_minute, Duration::from_mins(1)));
        drop(city);
        let opened = self.open(&config);
        opened.map_err(|why| self.blame(Promise::TheDatabaseIsSound, why))
    }

    fn sabotage(&self) -> Option<Sabotage> {
        self.town().sabotage
    }

    fn open(&self, config: &config::Config) -> Result<Process, String> {
        let duo_url = format!("https://{}", config::DUO_HOST);
        let binding = Binding { api_host: duo_url.clone(), scim_base_url: config::base_url() };
        let store = Store::open(&Settings { database: self.database.clone() }, &binding);
        let line = |side| {
            let (city, clock) = (Arc::clone(&self.city), self.clock.clone());
            Arc::new(Line { side, city, clock, brake: self.brake() })
        };
        let duo = duo::Settings {
            api_host: config::DUO_HOST.to_owned(),
            base_url: duo_url,
            integration_key: INTEGRATION_KEY.to_owned(),
            secret_key: SECRET_KEY.into(),
            signature: duo::SignatureVersion::V5,
            requests_per_minute: config.duo_per_minute,
            ca_file: None,
            proxy: None,
        };
        let (brake, is_ignored) = (self.brake(), self.sabotage() == Some(Sabotage::IgnoresTheBrake));
        let brake = Box::new(move || brake.is_on() && !is_ignored);
        let haste = if self.sabotage() == Some(Sabotage::Hurries) { 3 } else { 1 };
        let scim = scim::Settings {
            base_url: config::base_url(),
            api_key: config::API_KEY.into(),
            requests_per_second: f64::from(config.scim_per_second * haste),
            concurrent_requests_max: config.concurrent_max,
            members_per_request_max: config.members_max,
            member_removal: MemberRemoval::Filter,
            ca_file: None,
            proxy: None,
        };
        Ok(Process {
            store: store.map_err(|error| error.to_string())?,
            duo: duo::Client::with_exchange(&duo, self.clock.clone(), line(Side::Duo)).map_err(|e| e.to_string())?,
            scim: scim::Client::with_exchange(&scim, self.clock.clone(), brake, line(Side::Atlassian))
                .map_err(|error| error.to_string())?,
        })
    }

    /// A promise was broken; if another one was before, that one counts.
    pub fn blame(&self, promise: Promise, what: String) -> Broken {
        let mut city = self.town();
        city.watch.blame(promise, || what.clone());
        city.watch.broken.clone().unwrap_or(Broken { promise, what })
    }
}

/// Who is in no action since an undo.
fn pinned(store: &Store) -> BTreeSet<String> {
    let pins = store.read_pins().unwrap_or_default();
    pins.keys().map(|person| person.as_str().to_owned()).collect()
}
