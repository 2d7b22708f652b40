//! What administrators do with the program.

use super::city::City;
use super::config::Scope;
use super::dice::Dice;
use super::program::{Program, Ran};
use super::sabotage::Sabotage;
use super::truth::Truth;
use super::watch::{Approval, Broken, Promise, Running};
use duo_atlassian_sync::cycle::{IfMoved, Listed, Mode, Task, Undone};
use duo_atlassian_sync::desired::Access;
use duo_atlassian_sync::guard::Item;
use duo_atlassian_sync::model::{PersonId, Timestamp};
use duo_atlassian_sync::store::{CycleId, Decision, DecisionRecord, PlanRecord, StoreError, Who};
use std::time::Duration;

/// The administrators of a seed.
#[derive(Debug)]
pub struct Office {
    dice: Dice,
    /// Things that they do unasked, in a thousand cycles.
    zeal: u64,
}

/// Who they are.
pub fn who() -> Who {
    Who { login: "admin".to_owned(), sudo_user: None }
}

impl Office {
    /// The administrators of a seed.
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::of(seed, "office");
        let zeal = dice.one_of([0, 60, 200]);
        Self { dice, zeal }
    }

    /// Before a cycle: something that nobody asked for.
    pub fn work(&mut self, program: &mut Program) -> Result<(), Broken> {
        if !self.dice.happens(self.zeal) {
            return Ok(());
        }
        match self.dice.below(10) {
            0 => {
                program.town().say(|| "office: pause".to_owned());
                program.town().pull_the_brake();
                Ok(())
            }
            1 => {
                let at = self.dice.between(1, 30);
                program.town().brake_at = Some(at);
                Ok(())
            }
            2 => {
                program.brake().release().map_err(|error| broken(program, &error))?;
                resume(program)
            }
            3 => self.saved_plan(program),
            4 => self.undo(program),
            5 => release_pins(program),
            6 => self.one_leaver(program),
            _ => {
                self.reconfigure(&mut program.town());
                Ok(())
            }
        }
    }

    /// A plan is saved, and applied a little later, whole or in part.
    fn saved_plan(&mut self, program: &mut Program) -> Result<(), Broken> {
        let ran = program.run((Mode::Preview, Task::Everybody), "plan", Running::Reader)?;
        let Ran::Ended(report) = ran else { return Ok(()) };
        program.pass(Duration::from_mins(self.dice.between(2, 60)));
        if self.dice.happens(300) {
            program.town().happen();
        }
        let actions = report.document.actions;
        let left_out = actions.iter().filter(|_| self.dice.happens(150)).map(|action| action.id.clone()).collect();
        let moved = self.dice.one_of([IfMoved::Refuse, IfMoved::SendTheRest]);
        let listed = Listed { actions, left_out, moved, approval: None };
        program.run((Mode::Apply, Task::Listed(&listed)), "apply", Running::Sync).map(drop)
    }

    /// A cycle that sent something is undone.
    fn undo(&mut self, program: &mut Program) -> Result<(), Broken> {
        let cycles = stored(program, |store| store.read_cycles(10))?;
        let sent: Vec<CycleId> = cycles.iter().filter(|cycle| cycle.command == "sync").map(|cycle| cycle.id).collect();
        let Some(cycle) = self.dice.pick(&sent).copied() else { return Ok(()) };
        let undone = Undone { cycle, person: None, who: who() };
        program.town().watch.touch(&None);
        program.run((Mode::Apply, Task::Undo(&undone)), "undo", Running::Undo).map(drop)
    }

    /// Access is taken away from one person at once, who should have none.
    fn one_leaver(&mut self, program: &mut Program) -> Result<(), Broken> {
        let owned = stored(program, |store| store.read_owned())?;
        let truth = program.town().truth();
        let leaver = |id: &&PersonId| truth.should(id.as_str()).may_lose;
        let leavers: Vec<&PersonId> = owned.accounts.keys().filter(leaver).collect();
        let Some(person) = self.dice.pick(&leavers) else { return Ok(()) };
        program.run((Mode::Apply, Task::OnePerson(person)), "sync --person", Running::Person).map(drop)
    }

    fn reconfigure(&mut self, city: &mut City) {
        let people: Vec<String> = city.duo.service.world.people().map(|person| person.user_id.clone()).collect();
        let Some(person) = self.dice.pick(&people).cloned() else { return };
        let groups: Vec<(String, String)> =
            city.duo.service.world.groups().map(|group| (group.group_id.clone(), group.name.clone())).collect();
        let some: Vec<(String, String)> = groups.iter().filter(|_| self.dice.happens(700)).cloned().collect();
        let rules = &mut city.config.rules;
        let what = match self.dice.below(9) {
            0 => format!("blocked {person}: {}", rules.blocked_people.insert(person.clone())),
            1 => {
                rules.blocked_people.clear();
                "nobody is blocked".to_owned()
            }
            2 => format!("excluded {person}: {}", rules.excluded_people.insert(person.clone())),
            3 => {
                (rules.excluded_people, rules.pilot_people) = Default::default();
                "nobody is excluded, no pilot".to_owned()
            }
            4 => {
                rules.pilot_people = people.iter().filter(|_| self.dice.happens(600)).cloned().collect();
                "a pilot".to_owned()
            }
            5 => {
                rules.locked_out_people = self.dice.one_of([Access::Keep, Access::Deactivate]);
                rules.disabled_groups = self.dice.one_of([Access::Keep, Access::Deactivate]);
                format!("locked out: {:?}, groups: {:?}", rules.locked_out_people, rules.disabled_groups)
            }
            6 => {
                city.config.scope = Scope::Pattern(self.dice.one_of(["*", "team-*"]).to_owned());
                format!("{:?}", city.config.scope)
            }
            7 if !some.is_empty() => {
                city.config.scope = Scope::Ids(some.into_iter().map(|(id, _)| id).collect());
                format!("{:?}", city.config.scope)
            }
            8 if !some.is_empty() => {
                city.config.scope = Scope::Names(some.into_iter().map(|(id, name)| (name, id)).collect());
                format!("{:?}", city.config.scope)
            }
            _ => {
                rules.grace_hours = self.dice.one_of([0, 0, 1, 24]);
                format!("{} hours of grace", rules.grace_hours)
            }
        };
        city.say(|| format!("office: configured: {what}"));
        city.watch.touch(&None);
        city.look_around();
    }

    /// After a cycle: a held plan is looked at, now or later. Says whether there is a decision to be carried out.
    pub fn decide(&mut self, program: &mut Program) -> Result<bool, Broken> {
        let Some(plan) = stored(program, |store| store.read_held_plan())? else { return Ok(false) };
        if self.dice.happens(300) {
            return Ok(false);
        }
        let truth = program.town().truth();
        let is_right = plan.risky.iter().all(|item| is_right(item, &truth));
        if is_right {
            approve(program, &plan)?;
            return Ok(true);
        }
        if self.dice.happens(500) {
            decided(program, &plan, Decision::Rejected)?;
        }
        Ok(false)
    }
}

/// Whether a change is what Duo and the configuration ask for now.
pub fn is_right(item: &Item, truth: &Truth) -> bool {
    let should = |person: &PersonId| truth.should(person.as_str());
    let group = item.group.as_ref().map(|group| group.as_str().to_owned()).unwrap_or_default();
    match (item.what.split(' ').next().unwrap_or_default(), &item.person) {
        ("deactivate", Some(person)) => should(person).may_lose,
        ("reactivate" | "create", Some(person)) => should(person).may_gain,
        ("join", Some(person)) => should(person).groups.contains(&group) || should(person).perhaps.contains(&group),
        ("leave", Some(person)) => should(person).may_lose || !should(person).groups.contains(&group),
        _ => true,
    }
}

/// A person approves a held plan.
pub fn approve(program: &mut Program, plan: &PlanRecord) -> Result<(), Broken> {
    decided(program, plan, Decision::Approved)
}

fn decided(program: &mut Program, plan: &PlanRecord, decision: Decision) -> Result<(), Broken> {
    let (now, from, hours) = {
        let mut city = program.town();
        city.numbers.decisions += 1;
        city.say(|| format!("office: {} {}", decision.as_str(), plan.fingerprint.get(..12).unwrap_or_default()));
        (city.clock.now_seconds(), city.clock.monotonic(), city.config.approval_hours)
    };
    let expires_at = (decision == Decision::Approved).then(|| Timestamp::from_seconds(now + hours * 3_600));
    let record = DecisionRecord {
        fingerprint: plan.fingerprint.clone(),
        decision,
        at: Timestamp::from_seconds(now),
        expires_at,
        who: who(),
        note: String::new(),
        risky: plan.risky.clone(),
    };
    stored(program, |store| store.record_decision(&record))?;
    if decision == Decision::Approved {
        if program.town().sabotage == Some(Sabotage::ApprovesItself) {
            return Ok(());
        }
        let until = from + Duration::from_hours(u64::try_from(hours).unwrap_or(0)) + Duration::from_secs(1);
        program.town().watch.limited.approvals.push(Approval { items: plan.risky.clone(), from, until });
    }
    Ok(())
}

/// Attribute updates that stopped themselves go on.
pub fn resume(program: &mut Program) -> Result<(), Broken> {
    program.town().say(|| "office: resume".to_owned());
    stored(program, duo_atlassian_sync::store::Store::allow_updates).map(drop)
}

/// Everybody who is pinned is released.
pub fn release_pins(program: &mut Program) -> Result<(), Broken> {
    program.town().say(|| "office: release".to_owned());
    program.town().watch.touch(&None);
    stored(program, |store| {
        let pins = store.read_pins()?;
        store.release_pins(pins.keys())
    })
    .map(drop)
}

/// What the database says; it must say something.
pub fn stored<T>(
    program: &mut Program,
    ask: impl FnOnce(&mut duo_atlassian_sync::store::Store) -> Result<T, StoreError>,
) -> Result<T, Broken> {
    program.with_store(ask)?.map_err(|error| broken(program, &error))
}

fn broken(program: &Program, error: &dyn std::error::Error) -> Broken {
    program.blame(Promise::TheDatabaseIsSound, error.to_string())
}

/// A sync that reads the target as well, as the schedule starts it once a day.
pub fn refresh(program: &mut Program) -> Result<Ran, Broken> {
    program.run((Mode::Apply, Task::Refresh), "sync --refresh", Running::Sync)
}

/// A sync, as the schedule starts it.
pub fn sync(program: &mut Program) -> Result<Ran, Broken> {
    program.run((Mode::Apply, Task::Everybody), "sync", Running::Sync)
}
