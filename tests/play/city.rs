//! Everything outside of the program: both services, the wires between, and what is watched there.

use super::config::{API_KEY, Config, DIRECTORY_ID};
use super::crash::Mark;
use super::dice::Dice;
use super::office::who;
use super::sabotage::Sabotage;
use super::script::Script;
use super::story::Story;
use super::truth::Truth;
use super::watch::{Arrived, Promise, Running, Watch};
use super::weather::{Fate, Side, Weather};
use crate::sim::atlassian::{ActiveInReads, AtlassianSettings, AtlassianSim, LimitHeaders, Past, RateLimit, RetryHint};
use crate::sim::duo::{
    Category, Clock as DuoClock, DuoSim, DuoWorld, Ends, MemberShape, Numbers as Digits, Totals, Trashed, UnknownIds,
};
use crate::sim::wire::{End, Memory, Request};
use duo_atlassian_sync::clock::Clock;
use duo_atlassian_sync::model::Timestamp;
use duo_atlassian_sync::store::{Brake, BrakeRecord};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Where a program dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kill {
    /// At this request of the cycle, from 1.
    pub at: u64,
    /// Whether the service does what that request asks.
    pub after: bool,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Numbers {
    /// Cycles begun.
    pub cycles: u64,
    /// Requests that left.
    pub requests: u64,
    /// Changes of the target.
    pub effects: u64,
    /// Requests to which something happened.
    pub faults: u64,
    /// Programs that were killed.
    pub kills: u64,
    /// Plans that a person decided on.
    pub decisions: u64,
}

impl Numbers {
    /// Adds those of another seed.
    pub const fn add(&mut self, more: &Self) {
        self.cycles += more.cycles;
        self.requests += more.requests;
        self.effects += more.effects;
        self.faults += more.faults;
        self.kills += more.kills;
        self.decisions += more.decisions;
    }
}

/// A request whose sender is gone, and which arrives all the same.
struct Ghost {
    at: Duration,
    side: Side,
    request: Request,
    /// Which command has sent it.
    sent_by: Running,
    /// When nobody waited for it any more.
    abandoned_at: Duration,
}

/// What is known of a request when it leaves.
#[derive(Clone, Copy, Debug)]
pub struct Departure {
    /// What becomes of it.
    pub fate: Fate,
    /// So long it is on its way.
    pub there: Duration,
    /// So long its answer is.
    pub back: Duration,
    /// Whether it arrives although nobody waits for it any more.
    pub survives: bool,
}

/// Everything outside of the program.
pub struct City {
    /// The one clock.
    pub clock: Clock,
    /// The source.
    pub duo: Memory<DuoSim>,
    /// The target.
    pub atlassian: Memory<AtlassianSim>,
    /// What the administrator has configured.
    pub config: Config,
    /// What people do.
    pub script: Script,
    /// What goes wrong.
    pub weather: Weather,
    /// Where the running program dies.
    pub kill: Option<Kill>,
    /// Whether it is dead.
    pub is_dead: bool,
    /// At these requests of the cycle something happens in Duo.
    pub interruptions: Vec<u64>,
    /// At this request of the cycle somebody pulls the brake.
    pub brake_at: Option<u64>,
    /// What is wrong with the program on purpose.
    pub sabotage: Option<Sabotage>,
    /// Whether it was, in this cycle.
    pub has_misbehaved: bool,
    /// What is watched.
    pub watch: Watch,
    /// What is told.
    pub story: Story,
    /// What is counted.
    pub numbers: Numbers,
    /// How far the log of the database was written when the last two requests left; kept in a cycle that dies.
    pub log: Option<(Mark, Mark)>,
    /// The database.
    pub database: PathBuf,
    /// Requests of this cycle so far.
    requests: u64,
    ghosts: Vec<Ghost>,
    /// When the request was sent that arrives now, where that was earlier.
    sent_at: Option<Duration>,
    /// The source as it was before the last things happened.
    duo_past: Option<DuoWorld>,
    /// The target as it was, with the moment until which it was so.
    atlassian_past: VecDeque<(Duration, Past)>,
}

/// A replica lags behind by so much at most.
const LAG_MAX: Duration = Duration::from_mins(1);

/// A filter finds a new user within twelve hours: a create that is not found after a day did not happen (S13).
const VISIBLE_WITHIN_MS: i64 = 12 * 3_600_000;

impl City {
    /// A city of this seed at this moment, with nobody in it.
    pub fn new(seed: u64, clock: Clock, database: &Path, story: Story) -> Self {
        let mut dice = Dice::of(seed, "services");
        let config = Config::drawn(&mut Dice::of(seed, "configuration"));
        let duo = duo(&mut dice, &config);
        let atlassian = atlassian(&mut dice, &config);
        Self {
            clock,
            duo: Memory::new(duo),
            atlassian: Memory::new(atlassian),
            config,
            script: Script::of(seed),
            weather: Weather::of(seed),
            kill: None,
            is_dead: false,
            interruptions: Vec::new(),
            brake_at: None,
            sabotage: None,
            has_misbehaved: false,
            watch: Watch::over(database),
            story,
            log: None,
            database: database.to_owned(),
            numbers: Numbers::default(),
            requests: 0,
            ghosts: Vec::new(),
            sent_at: None,
            duo_past: None,
            atlassian_past: VecDeque::new(),
        }
    }

    /// The first day.
    pub fn found(&mut self) {
        self.script.found(&mut self.duo.service.world, &mut self.atlassian.service);
        let configured = format!("{:?}", self.config);
        self.say(|| configured);
    }

    /// Whether something is on its way whose sender is gone.
    pub const fn has_ghosts(&self) -> bool {
        !self.ghosts.is_empty()
    }

    /// A line of the story.
    pub fn say(&mut self, line: impl FnOnce() -> String) {
        let now = self.clock.monotonic();
        self.story.say(now, line);
    }

    /// What should be now.
    pub fn truth(&self) -> Truth {
        Truth::of(&self.duo.service.world, &self.config)
    }

    /// Something happens in Duo, or beside the program in Atlassian.
    pub fn happen(&mut self) {
        if self.weather.lags() {
            self.duo_past = Some(self.duo.service.world.clone());
        }
        let now = self.clock.monotonic();
        let (duo, atlassian) = (&mut self.duo.service.world, &mut self.atlassian.service);
        let (line, touched) = self.script.happen((duo, atlassian), &self.config);
        self.story.say(now, || format!("in town: {line}"));
        self.watch.touch(&touched);
        self.look_around();
    }

    /// Notes what should be from now on.
    pub fn look_around(&mut self) {
        let truth = Arc::new(self.truth());
        self.watch.see(truth, self.clock.monotonic());
    }

    /// A new cycle begins.
    pub fn begin(&mut self) {
        self.numbers.cycles += 1;
        (self.requests, self.is_dead, self.has_misbehaved) = (0, false, false);
        self.weather.turn();
        let truth = Arc::new(self.truth());
        let now = (self.clock.monotonic(), &self.atlassian.service);
        self.watch.begin(truth, now, !self.ghosts.is_empty());
    }

    /// Requests of this cycle so far.
    pub const fn requests(&self) -> u64 {
        self.requests
    }

    /// A request leaves the program; none: the program dies with it.
    pub fn leaves(&mut self, side: Side, request: &Request, is_paused: bool) -> Option<Departure> {
        self.requests += 1;
        self.numbers.requests += 1;
        let now = self.clock.monotonic();
        self.watch.leaves((side, request), now, is_paused);
        if let Some((_, last)) = self.log {
            self.log = Some((last, Mark::of(&self.database)));
        }
        if self.kill == Some(Kill { at: self.requests, after: false }) {
            self.die();
            return None;
        }
        if self.interruptions.contains(&self.requests) {
            self.happen();
        }
        if self.brake_at == Some(self.requests) {
            self.say(|| "office: pause, in the middle".to_owned());
            self.pull_the_brake();
        }
        let fate = self.weather.fate(side);
        if fate != Fate::Well {
            self.numbers.faults += 1;
        }
        self.say(|| {
            let fate = if fate == Fate::Well { String::new() } else { format!(" -> {fate:?}") };
            let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
            format!("  {side:?} {} {}{query} {}{fate}", request.method, request.path, short(&request.body))
        });
        if fate.leaves_doubt() {
            self.watch.doubt(request);
        }
        let late = if let Fate::Late(seconds) = fate { Duration::from_secs(seconds) } else { Duration::ZERO };
        let (there, back) = (self.weather.latency() + late, self.weather.latency());
        let survives = matches!(fate, Fate::Late(_)) || self.weather.arrives_all_the_same();
        Some(Departure { fate, there, back, survives })
    }

    /// Somebody pulls the brake.
    pub fn pull_the_brake(&mut self) {
        let record = BrakeRecord::new(Timestamp::from_seconds(self.clock.now_seconds()), &who(), "");
        if let Err(error) = Brake::of(&self.database).pull(&record) {
            self.watch.blame(Promise::TheBrakeHolds, || error.to_string());
        }
    }

    /// The program is dead from now on.
    pub fn die(&mut self) {
        self.is_dead = true;
        self.numbers.kills += 1;
        self.watch.doubt_what_was_sent();
        self.say(|| "KILLED".to_owned());
    }

    /// Since when nothing had left the program when it died, and nothing had come back that it wrote down; none: it
    /// died while it waited for an answer.
    pub fn mark_of_death(&self) -> Option<Mark> {
        let (before, last) = self.log?;
        match self.kill? {
            Kill { at, .. } if at > self.requests => Some(last),
            Kill { after: false, .. } => Some(before),
            Kill { after: true, .. } => None,
        }
    }

    /// A request arrives, and what becomes of it; none: the program died with it.
    pub fn arrives(&mut self, side: Side, request: &Request, fate: Fate) -> Option<End> {
        self.let_ghosts_arrive();
        let end = self.answer(side, request, fate);
        self.misbehave();
        if self.kill == Some(Kill { at: self.requests, after: true }) && !self.is_dead {
            self.die();
        }
        if self.is_dead {
            self.watch.doubt(request);
            return None;
        }
        if let End::Answered { answer, .. } = &end {
            self.say(|| format!("    {} {}", answer.status, short(&answer.body)));
        }
        Some(end)
    }

    /// Nobody waits any more for a request that is on its way.
    pub fn abandon(&mut self, side: Side, request: Request, (fate, arrives_at): (Fate, Duration)) {
        self.watch.doubt(&request);
        self.say(|| format!("    abandoned: {} {}", request.method, request.path));
        if matches!(fate, Fate::Well | Fate::Late(_) | Fate::Unanswered | Fate::Slow(_) | Fate::Cut(_)) {
            let sent_by = self.watch.running;
            let abandoned_at = self.clock.monotonic();
            self.ghosts.push(Ghost { at: arrives_at, side, request, sent_by, abandoned_at });
        }
    }

    /// What is on its way arrives in the order of its moments.
    pub fn let_ghosts_arrive(&mut self) {
        let now = self.clock.monotonic();
        self.ghosts.sort_by_key(|ghost| ghost.at);
        let due = self.ghosts.partition_point(|ghost| ghost.at <= now);
        for ghost in self.ghosts.drain(..due).collect::<Vec<_>>() {
            self.say(|| format!("  a ghost arrives: {} {}", ghost.request.method, ghost.request.path));
            let running = std::mem::replace(&mut self.watch.running, ghost.sent_by);
            self.watch.haunt(&ghost.request);
            self.sent_at = Some(ghost.abandoned_at);
            self.answer(ghost.side, &ghost.request, Fate::Well);
            self.sent_at = None;
            self.watch.running = running;
        }
    }

    /// What a service does with a request, and answers.
    pub fn answer(&mut self, side: Side, request: &Request, fate: Fate) -> End {
        let (now, seconds) = (self.clock.monotonic(), self.clock.now_seconds());
        match side {
            Side::Duo => {
                let duo = &mut self.duo;
                duo.service.clock = DuoClock::Stands(seconds);
                duo.faults.extend(fate.fault());
                let is_list = request.path.starts_with("/admin/v1/groups")
                    || request.path.ends_with("/users") && !request.query.contains("user");
                match &mut self.duo_past {
                    Some(past) if fate == Fate::Stale && is_list => {
                        std::mem::swap(&mut duo.service.world, past);
                        let end = duo.respond(request);
                        self.watch.show(Arc::new(Truth::of(&duo.service.world, &self.config)));
                        std::mem::swap(&mut duo.service.world, past);
                        end
                    }
                    _ => duo.respond(request),
                }
            }
            Side::Atlassian => {
                let started_ms = i64::try_from(now.as_millis()).unwrap_or(0) % 1_000;
                self.atlassian.service.set_time_ms(seconds * 1_000 + started_ms);
                self.answer_scim(request, fate, now)
            }
        }
    }

    fn answer_scim(&mut self, request: &Request, fate: Fate, now: Duration) -> End {
        if let Some(answer) = self.make_believe(request) {
            return End::Answered { answer, body_bytes: usize::MAX, delay: Duration::ZERO };
        }
        let is_reading = request.method == "GET";
        if self.weather.lags() {
            self.atlassian_past.retain(|(until, _)| *until + LAG_MAX >= now);
            if let (Fate::Stale, true, Some((_, past))) = (fate, is_reading, self.atlassian_past.front_mut()) {
                let answer = self.atlassian.service.answer_from(past, request);
                self.watch.mislead(request);
                return End::Answered { answer, body_bytes: usize::MAX, delay: Duration::ZERO };
            }
            if !is_reading {
                self.atlassian_past.push_back((now, self.atlassian.service.remember()));
            }
        }
        let before = self.atlassian.service.effects().len();
        self.atlassian.faults.extend(fate.fault());
        let end = self.atlassian.respond(request);
        if !is_reading {
            let sim = &self.atlassian.service;
            let effects = sim.effects().get(before..).unwrap_or_default().to_vec();
            self.numbers.effects += u64::try_from(effects.len()).unwrap_or(0);
            for effect in &effects {
                self.story.say(now, || format!("    * {effect}"));
            }
            let sent_at = self.sent_at.unwrap_or(now);
            self.watch.arrived(&Arrived { sim, request, effects: &effects, now, sent_at, config: &self.config });
        }
        end
    }
}

/// The beginning of a body: requests of ours fit in, lists do not.
fn short(body: &[u8]) -> String {
    const SHOWN: usize = 400;
    let text = String::from_utf8_lossy(body);
    let cut: String = text.chars().take(SHOWN).collect();
    if cut.len() < text.len() { format!("{cut}... ({} bytes)", body.len()) } else { cut }
}

fn duo(dice: &mut Dice, config: &Config) -> DuoSim {
    let mut duo = DuoSim::new();
    let switches = &mut duo.switches;
    switches.signed_host = None;
    switches.unknown_ids = dice.one_of([UnknownIds::Skipped, UnknownIds::NotFound, UnknownIds::BadRequest]);
    switches.page_max = dice.one_of([None, None, Some(5), Some(17)]);
    switches.members = dice.one_of([MemberShape::Brief, MemberShape::Full]);
    switches.trashed_in_users = dice.one_of([Trashed::Shown, Trashed::Hidden]);
    switches.trashed_in_members = dice.one_of([Trashed::Shown, Trashed::Hidden]);
    switches.totals = dice.one_of([Totals::Shown, Totals::Shown, Totals::Omitted]);
    switches.numbers = dice.one_of([Digits::Integers, Digits::Strings]);
    switches.ends = dice.one_of([Ends::Null, Ends::Absent]);
    if dice.happens(300) {
        let per_minute = if dice.happens(500) { config.duo_per_minute } else { config.duo_per_minute / 2 };
        switches.requests_per_minute = [(Category::Page, per_minute), (Category::Single, per_minute)].into();
    }
    duo
}

fn atlassian(dice: &mut Dice, config: &Config) -> AtlassianSim {
    let hint = dice.one_of([
        RetryHint::Seconds,
        RetryHint::HttpDate,
        RetryHint::ResetIso,
        RetryHint::ResetEpoch,
        RetryHint::Silent,
    ]);
    let per_second = if dice.happens(500) { config.scim_per_second } else { config.scim_per_second.div_ceil(2) };
    let limit = RateLimit { per_second, burst: 2, hint, headers: LimitHeaders::Sent };
    let limited = dice.happens(300);
    AtlassianSim::new(AtlassianSettings {
        directory_id: DIRECTORY_ID.to_owned(),
        api_key: API_KEY.to_owned(),
        visible_after: dice.one_of([0, 0, 0, 3]),
        visible_within_ms: VISIBLE_WITHIN_MS,
        active_in_reads: dice.one_of([ActiveInReads::Present, ActiveInReads::AbsentWhenTrue]),
        rate_limit: limited.then_some(limit),
        ..AtlassianSettings::default()
    })
}
