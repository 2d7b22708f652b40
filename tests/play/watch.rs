//! What is watched at every request: the promises, each with its own eye.

mod grace;
mod limit;
mod link;
mod pace;
mod twice;

pub use limit::Approval;

use super::config::Config;
use super::truth::{Should, Truth};
use super::weather::Side;
use crate::sim::atlassian::{AtlassianSim, Effect, User};
use crate::sim::wire::{Answer, Request};
use limit::Limited;
use link::Links;
use pace::Pace;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use twice::Twice;

/// A promise of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// Nobody in scope is deactivated.
    NobodyInScopeIsDeactivated,
    /// Nobody loses a membership that Duo says they have.
    NoMembershipOfDuoIsTaken,
    /// Nobody gets what Duo does not give.
    NothingIsGivenUnasked,
    /// Nothing is done twice unless something changed between.
    NothingIsDoneTwice,
    /// Who only left the scope keeps everything for as long as is configured.
    GraceIsGiven,
    /// The request budget.
    TheBudgetIsKept,
    /// A service that asks for time gets it.
    AWaitIsObeyed,
    /// Nothing of a held plan is sent, and nothing over a limit without an approval.
    AHeldPlanWaits,
    /// Whoever moves is in the old group or in the new one.
    AMoverKeepsAccess,
    /// What is not ours is not touched.
    TheForeignIsLeftAlone,
    /// Who is excluded, or outside the pilot, is in no action.
    ListsAreObeyed,
    /// Nothing leaves while the brake is on, and nothing ever from a command that only reads.
    TheBrakeHolds,
    /// A cycle ends as it says.
    TheEndIsTrue,
    /// The snapshot says what is there.
    TheSnapshotIsTrue,
    /// Intents come before requests.
    IntentComesFirst,
    /// What the simulated directory itself holds against us.
    TheDirectoryHasNoComplaint,
    /// Two cycles after the last fault, all is as it should be.
    ItConverges,
    /// A cycle with nothing to do sends nothing.
    NothingToDoIsQuiet,
    /// The database is sound.
    TheDatabaseIsSound,
    /// Every cycle ends.
    EveryCycleEnds,
}

impl Promise {
    /// Every one.
    pub const ALL: [Self; 20] = [
        Self::NobodyInScopeIsDeactivated,
        Self::NoMembershipOfDuoIsTaken,
        Self::NothingIsGivenUnasked,
        Self::NothingIsDoneTwice,
        Self::GraceIsGiven,
        Self::TheBudgetIsKept,
        Self::AWaitIsObeyed,
        Self::AHeldPlanWaits,
        Self::AMoverKeepsAccess,
        Self::TheForeignIsLeftAlone,
        Self::ListsAreObeyed,
        Self::TheBrakeHolds,
        Self::TheEndIsTrue,
        Self::TheSnapshotIsTrue,
        Self::IntentComesFirst,
        Self::TheDirectoryHasNoComplaint,
        Self::ItConverges,
        Self::NothingToDoIsQuiet,
        Self::TheDatabaseIsSound,
        Self::EveryCycleEnds,
    ];
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub promise: Promise,
    /// How.
    pub what: String,
}

/// Which command is running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Running {
    /// None, or one that sends nothing.
    Reader,
    /// `sync`, or a saved plan.
    Sync,
    /// `sync --person`.
    Person,
    /// `undo`.
    Undo,
}

/// A writing request that has arrived.
pub struct Arrived<'a> {
    /// The directory after it.
    pub sim: &'a AtlassianSim,
    /// The request.
    pub request: &'a Request,
    /// What it changed.
    pub effects: &'a [Effect],
    /// When.
    pub now: Duration,
    /// When it was sent, or given up at the latest.
    pub sent_at: Duration,
    /// What is configured.
    pub config: &'a Config,
}

/// The watch.
pub struct Watch {
    /// The first promise that was broken.
    pub broken: Option<Broken>,
    /// Which command is running.
    pub running: Running,
    /// What a person approved, as the program was told.
    pub limited: Limited,
    /// Who is who.
    pub links: Links,
    /// Writing requests of this cycle that left.
    pub writes: u64,
    /// The different ones among them.
    pub lines: BTreeSet<String>,
    /// Memberships that were made before our eyes, by group and person.
    pub joined: BTreeSet<(String, String)>,
    /// Of these, the memberships that the program takes for gone since it was shown a group as it had been.
    pub believed_gone: BTreeSet<(String, String)>,
    /// Since when somebody only left the scope.
    left_since: BTreeMap<String, Duration>,
    /// Until when a cycle must have noticed that.
    noticed_by: BTreeMap<String, Duration>,
    /// When the cycle began.
    began: Duration,
    /// Records that were shown as they had been: earlier, and in this cycle.
    misled: (BTreeSet<String>, BTreeSet<String>),
    /// Records to which a request came late.
    haunted: BTreeSet<String>,
    /// What should be, since the cycle began.
    truths: Vec<Arc<Truth>>,
    /// What lists out of the past said, since the cycle began.
    shown: Vec<Arc<Truth>>,
    pace: Pace,
    twice: Twice,
    /// Paths of writes of which the program could not know whether they were done.
    doubtful: BTreeSet<String>,
    complaints: usize,
}

impl Watch {
    /// Watches a program that keeps its links in this database.
    pub fn over(database: &Path) -> Self {
        Self {
            broken: None,
            running: Running::Reader,
            limited: Limited::default(),
            links: Links::of(database),
            writes: 0,
            lines: BTreeSet::new(),
            joined: BTreeSet::new(),
            believed_gone: BTreeSet::new(),
            left_since: BTreeMap::new(),
            noticed_by: BTreeMap::new(),
            began: Duration::ZERO,
            misled: Default::default(),
            haunted: BTreeSet::new(),
            truths: Vec::new(),
            shown: Vec::new(),
            pace: Pace::default(),
            twice: Twice::default(),
            doubtful: BTreeSet::new(),
            complaints: 0,
        }
    }

    /// A promise was broken; the first one counts.
    pub fn blame(&mut self, promise: Promise, what: impl FnOnce() -> String) {
        if self.broken.is_none() {
            self.broken = Some(Broken { promise, what: what() });
        }
    }

    /// A cycle begins; where requests of an earlier one are on their way, what was true then still counts.
    pub fn begin(&mut self, truth: Arc<Truth>, (now, sim): (Duration, &AtlassianSim), ghosts: bool) {
        if !ghosts {
            self.truths.clear();
            self.shown.clear();
        }
        self.truths.push(truth);
        self.writes = 0;
        self.lines.clear();
        self.began = now;
        self.misled.0.append(&mut self.misled.1);
        self.limited.begin(now, sim);
    }

    /// What should be has changed.
    pub fn see(&mut self, truth: Arc<Truth>, now: Duration) {
        for (person, _) in truth.people.iter().filter(|(_, should)| should.only_left) {
            self.left_since.entry(person.clone()).or_insert(now);
        }
        if self.truths.last() != Some(&truth) {
            self.truths.push(truth);
        }
    }

    /// A list out of the past was given.
    pub fn show(&mut self, truth: Arc<Truth>) {
        if let Some(now) = self.truths.last() {
            for (person, should) in &truth.people {
                if now.people.get(person) != Some(should) || now.records.get(person) != truth.records.get(person) {
                    self.twice.touch(person);
                }
            }
        }
        self.shown.push(truth);
    }

    /// Something changed about these people; none: about everybody.
    pub fn touch(&mut self, people: &Option<BTreeSet<String>>) {
        match people {
            Some(people) => people.iter().for_each(|person| self.twice.touch(person)),
            None => self.twice.touch_everybody(),
        }
    }

    /// A process began: it has a budget of its own.
    pub fn new_process(&mut self) {
        self.pace = Pace::default();
    }

    /// A request leaves the program.
    pub fn leaves(&mut self, (side, request): (Side, &Request), now: Duration, is_paused: bool) {
        if let Some(at) = self.pace.waits(side, now) {
            self.blame(Promise::AWaitIsObeyed, || format!("a request to {side:?} left at {now:?}, before {at:?}"));
        }
        if let Some(count) = self.pace.count(side, now) {
            self.blame(Promise::TheBudgetIsKept, || format!("{count} to {side:?} at {now:?}"));
        }
        if request.method == "GET" {
            return;
        }
        self.writes_one(request);
        let line = || format!("{} {}", request.method, request.path);
        if is_paused {
            self.blame(Promise::TheBrakeHolds, || format!("{} left while the brake was on", line()));
        }
        if side == Side::Duo || self.running == Running::Reader {
            self.blame(Promise::TheBrakeHolds, || format!("{} left from a command that only reads", line()));
        }
        if !self.limited.may_write() {
            self.blame(Promise::AHeldPlanWaits, || format!("{} left before anybody approved the first plan", line()));
        }
    }

    /// A writing request counts, whatever else is to be said of it.
    pub fn writes_one(&mut self, request: &Request) {
        self.writes += 1;
        let body = String::from_utf8_lossy(&request.body);
        self.lines.insert(format!("{} {} {body}", request.method, request.path));
    }

    /// Whether a command that may send is running.
    pub fn is_sending(&self) -> bool {
        self.running == Running::Sync
    }

    /// The budget of the program, as configured.
    pub fn set_budget(&mut self, side: Side, (most, window): (usize, Duration)) {
        self.pace.set(side, most, window);
    }

    /// An answer reaches the program.
    pub fn answered(&mut self, side: Side, answer: &Answer, now: Duration) {
        self.pace.answered(side, answer, now);
    }

    /// The program cannot know whether this was done.
    pub fn doubt(&mut self, request: &Request) {
        if request.method != "GET" {
            self.doubtful.insert(format!("{} {}", request.method, request.path));
        }
    }

    /// The program died: what it heard and had not written down yet, it does not know.
    pub fn doubt_what_was_sent(&mut self) {
        let target = |line: &String| line.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" ");
        self.doubtful.extend(self.lines.iter().map(target));
    }

    /// A record was shown as it had been: what was sent for it before may be taken for not done, and is sent again with
    /// the next plan that is carried out (S13).
    pub fn mislead(&mut self, request: &Request) {
        let (_, id) = target_of(request);
        self.misled.1.insert(id.to_owned());
    }

    /// A request arrives that was looked up long ago and taken for not done: nobody can know of it before the target is
    /// read, or the same is sent again.
    pub fn haunt(&mut self, request: &Request) {
        let (_, id) = target_of(request);
        self.haunted.insert(id.to_owned());
    }

    /// Whether any request came so late.
    pub fn is_haunted(&self) -> bool {
        !self.haunted.is_empty()
    }

    /// A plan was carried out to its end: what was taken for not done was sent again.
    pub fn carried_out(&mut self) {
        self.misled.0.clear();
    }

    /// Whether the program may be wrong about this record.
    pub fn is_misled_about(&self, record: &str) -> bool {
        self.misled.0.contains(record) || self.misled.1.contains(record) || self.haunted.contains(record)
    }

    /// Notes which memberships the program does not know of any more since it was misled about the group.
    pub fn believe_gone<'r>(
        &mut self,
        is_known: impl Fn(&(String, String)) -> bool,
        record: impl Fn(&str) -> Option<&'r str>,
    ) {
        let is_misled = |group: &str| record(group).is_some_and(|record| self.is_misled_about(record));
        let gone = self.joined.iter().filter(|pair| !is_known(pair) && is_misled(&pair.0)).cloned().collect::<Vec<_>>();
        self.believed_gone.retain(|pair| !is_known(pair));
        self.believed_gone.extend(gone);
    }

    /// Somebody else changed this record: a write to it may change nothing.
    pub fn doubt_path(&mut self, line: String) {
        self.doubtful.insert(line);
    }

    /// A writing request has arrived.
    pub fn arrived(&mut self, arrived: &Arrived<'_>) {
        self.complain(arrived);
        let (kind, id) = target_of(arrived.request);
        for effect in arrived.effects {
            match effect {
                Effect::CreatedUser { user } => self.created(arrived, user),
                Effect::CreatedGroup { group } => self.created_group(arrived, group),
                Effect::Deactivated { .. } | Effect::Reactivated { .. } | Effect::Changed { .. } => {
                    self.changed(arrived, id, effect);
                }
                Effect::Joined { user, .. } if kind == "Groups" => self.moved(arrived, (id, user), true),
                Effect::Left { user, .. } if kind == "Groups" => self.moved(arrived, (id, user), false),
                Effect::Joined { .. } | Effect::Left { .. } | Effect::Unlinked { .. } => {
                    self.blame(Promise::TheForeignIsLeftAlone, || format!("{effect}, by an update of the account"));
                }
                Effect::DeletedUser { .. } | Effect::DeletedGroup { .. } | Effect::ChangedGroup { .. } => {
                    self.blame(Promise::TheForeignIsLeftAlone, || effect.to_string());
                }
            }
        }
    }

    /// What the directory holds against us. That a write changed nothing is no fault of a program that could not know.
    fn complain(&mut self, arrived: &Arrived<'_>) {
        let violations = arrived.sim.violations();
        let new = violations.get(self.complaints..).unwrap_or_default();
        if new.is_empty() {
            return;
        }
        let line = format!("{} {}", arrived.request.method, arrived.request.path);
        // Nor of one that was shown the record as it had been.
        let record = target_of(arrived.request).1;
        let group = self.links.group(record).unwrap_or_default();
        let is_doubtful = self.doubtful.contains(&line)
            || self.is_misled_about(record)
            || self.believed_gone.iter().any(|(gone_from, _)| *gone_from == group);
        for complaint in new {
            let changes_nothing =
                complaint.starts_with("the same write again") || complaint.starts_with("a write that changed nothing");
            if !(changes_nothing && is_doubtful) {
                self.blame(Promise::TheDirectoryHasNoComplaint, || complaint.clone());
            }
        }
        self.complaints = violations.len();
    }

    fn created(&mut self, arrived: &Arrived<'_>, user: &str) {
        let record = arrived.sim.user_by_user_name(user);
        let Some((person, id)) = record.and_then(|user| Some((user.external_id()?.to_owned(), user.id.clone()))) else {
            self.blame(Promise::TheForeignIsLeftAlone, || format!("{user} was created without an externalId"));
            return;
        };
        if !self.links.made(&person, &id) {
            self.blame(Promise::NothingIsDoneTwice, || format!("{person} ({user}) has a second account"));
        }
        self.gains(arrived, &person, "a new account");
        self.done(arrived, ("create", &person, None));
    }

    fn created_group(&mut self, arrived: &Arrived<'_>, name: &str) {
        let record = arrived.sim.group_by_name(name).map(|group| group.id.clone()).unwrap_or_default();
        let named = |truth: &Arc<Truth>| {
            let groups = truth.groups.iter().chain(&truth.perhaps_groups);
            groups.filter(|(_, known)| known.as_str() == name).map(|(id, _)| id.clone()).collect::<Vec<_>>()
        };
        let asked: BTreeSet<String> = self.truths.iter().chain(&self.shown).flat_map(named).collect();
        let Some(group) = asked.first().filter(|_| asked.len() == 1) else {
            if asked.is_empty() {
                self.blame(Promise::NothingIsGivenUnasked, || {
                    format!("group {name} was created, which is not selected")
                });
            }
            return;
        };
        let before = self.links.record_of_group(group).map(str::to_owned);
        let is_filled = before.is_some_and(|before| self.is_filled_by_others(arrived.sim, (group, &before)));
        if !self.links.made_group(group, &record) && !is_filled {
            self.blame(Promise::NothingIsDoneTwice, || format!("group {group} ({name}) was created a second time"));
        }
    }

    /// Whether a group of ours was filled by somebody else before the program saw that it had made it: by S13 it is
    /// taken for somebody else's then.
    fn is_filled_by_others(&self, sim: &AtlassianSim, (group, record): (&str, &str)) -> bool {
        let is_filled = sim.groups().any(|group| group.id == record && !group.members.is_empty());
        let joined = self.joined.iter().any(|(joined, _)| joined == group);
        is_filled && !joined && !self.links.is_linked_group(record)
    }

    /// An effect on one account.
    fn changed(&mut self, arrived: &Arrived<'_>, id: &str, effect: &Effect) {
        let Some(person) = self.links.person(id) else {
            self.blame(Promise::TheForeignIsLeftAlone, || format!("{effect}, whose record {id} is not ours"));
            return;
        };
        self.left_alone(&person, effect);
        match effect {
            Effect::Deactivated { .. } => {
                let allowed = |should: &Should| should.may_lose;
                if !self.was_ever(&person, allowed) {
                    self.blame(Promise::NobodyInScopeIsDeactivated, || format!("{effect} ({person})"));
                }
                self.has_had_grace(arrived, &person);
                self.done(arrived, ("deactivate", &person, None));
            }
            Effect::Reactivated { .. } => {
                self.gains(arrived, &person, "an active account");
                self.done(arrived, ("reactivate", &person, None));
            }
            Effect::Changed { attribute, .. } => {
                let value =
                    arrived.sim.users().find(|user| user.id == id).map(|user| user.attributes.get(attribute).cloned());
                let what = format!("set {attribute}={value:?}");
                self.done(arrived, (&what, &person, None));
                if attribute == "userName" || attribute == "emails" {
                    let broken = self.limited.changes_identity(&person, arrived);
                    self.blame_limit(broken);
                }
            }
            _ => {}
        }
    }

    /// A member who came or went.
    fn moved(&mut self, arrived: &Arrived<'_>, (group_id, user): (&str, &str), joined: bool) {
        let id = arrived.sim.user_by_user_name(user).map(|user| user.id.clone()).unwrap_or_default();
        let word = if joined { "joined" } else { "left" };
        let (Some(person), Some(group)) = (self.links.person(&id), self.links.group(group_id)) else {
            self.blame(Promise::TheForeignIsLeftAlone, || format!("{user} {word} {group_id}: not both are ours"));
            return;
        };
        self.left_alone(&person, &format!("{word} {group}"));
        if joined {
            let asked = |should: &Should| should.groups.contains(&group) || should.perhaps.contains(&group);
            if self.running != Running::Undo && !self.was_ever_or_shown(&person, asked) {
                self.blame(Promise::NothingIsGivenUnasked, || format!("{person} ({user}) joined {group}"));
            }
            self.done(arrived, ("join", &person, Some(&group)));
            self.joined.insert((group, person));
            return;
        }
        let may_leave = |should: &Should| (should.may_lose || !should.groups.contains(&group)) && !should.stays;
        if !self.was_ever(&person, may_leave) || self.running == Running::Undo {
            self.blame(Promise::NoMembershipOfDuoIsTaken, || format!("{person} ({user}) left {group}"));
        }
        self.joined.remove(&(group.clone(), person.clone()));
        self.believed_gone.remove(&(group.clone(), person.clone()));
        self.done(arrived, ("leave", &person, Some(&group)));
        self.keeps_access(arrived, (&person, user));
    }

    /// Whoever has a group in Duo has one in Atlassian; an account that is inactive gives no access to keep.
    fn keeps_access(&mut self, arrived: &Arrived<'_>, (person, user): (&str, &str)) {
        let has_some = |truth: &Arc<Truth>| {
            let should = truth.should(person);
            !should.may_lose && truth.manages_groups && should.groups.iter().any(|id| truth.groups.contains_key(id))
        };
        let is_active = arrived.sim.user_by_user_name(user).is_some_and(User::active);
        if !is_active || !self.truths.iter().all(has_some) {
            return;
        }
        let groups: Vec<(String, String)> =
            arrived.sim.groups().map(|group| (group.id.clone(), group.name.clone())).collect();
        let is_in = |watch: &mut Self, (id, name): &(String, String)| {
            watch.links.group(id).is_some() && arrived.sim.members_of(name).contains(user)
        };
        if !groups.iter().any(|group| is_in(self, group)) {
            self.blame(Promise::AMoverKeepsAccess, || format!("{person} ({user}) is in no group any more"));
        }
    }

    fn gains(&mut self, arrived: &Arrived<'_>, person: &str, what: &str) {
        self.left_alone(person, &what);
        // Whoever is given access has a whole grace period ahead, also when the cycle that saw it right was killed.
        self.noticed_by.remove(person);
        if self.running != Running::Undo && !self.was_ever_or_shown(person, |should| should.may_gain) {
            let last = self.truths.last().map(|truth| truth.should(person));
            self.blame(Promise::NothingIsGivenUnasked, || format!("{person} got {what}: {last:?}"));
        }
        let _ = arrived;
    }

    fn left_alone(&mut self, person: &str, what: &dyn std::fmt::Display) {
        if self.truths.iter().all(|truth| truth.should(person).left_alone) {
            self.blame(Promise::ListsAreObeyed, || format!("{what} ({person}), who is in no action"));
        }
    }

    fn was_ever(&self, person: &str, wanted: impl Fn(&Should) -> bool) -> bool {
        self.truths.iter().any(|truth| wanted(&truth.should(person)))
    }

    fn was_ever_or_shown(&self, person: &str, wanted: impl Fn(&Should) -> bool) -> bool {
        self.truths.iter().chain(&self.shown).any(|truth| wanted(&truth.should(person)))
    }

    /// Something was done to somebody: not for the second time, and within the limits.
    fn done(&mut self, arrived: &Arrived<'_>, (what, person, group): (&str, &str, Option<&str>)) {
        if !self.twice.is_new(what, person, group) {
            self.blame(Promise::NothingIsDoneTwice, || {
                format!("{what} {person} {}: a second time, and nothing changed between", group.unwrap_or_default())
            });
        }
        if self.running != Running::Person {
            let stays = !self.was_ever(person, |should| should.may_lose);
            let broken = self.limited.takes((what, person, group), stays, arrived);
            self.blame_limit(broken);
        }
    }

    fn blame_limit(&mut self, broken: Option<String>) {
        if let Some(what) = broken {
            self.blame(Promise::AHeldPlanWaits, || what);
        }
    }
}

/// `Users` or `Groups`, and the id behind it.
fn target_of(request: &Request) -> (&str, &str) {
    let mut parts = request.path.rsplit('/');
    let last = parts.next().unwrap_or_default();
    match parts.next() {
        Some(kind @ ("Users" | "Groups")) => (kind, last),
        _ => (last, ""),
    }
}
