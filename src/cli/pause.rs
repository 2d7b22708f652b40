//! `pause` and `resume`: the brake.

use super::args::{Global, PauseOptions};
use super::edge::Ended;
use super::output::put;
use super::{setup, who};
use crate::clock::Clock;
use crate::config::Config;
use crate::model::Timestamp;
use crate::report::plain;
use crate::store::{Brake, BrakeRecord, BrakeState};

/// Needs no database, no secret and no sound configuration: it must work when nothing else does.
pub(super) fn pause(global: &Global, options: &PauseOptions) -> Result<(), Ended> {
    let brake = setup::find_brake(global)?;
    let now = Timestamp::from_seconds(Clock::system().now_seconds());
    let record = BrakeRecord::new(now, &who::who(), options.note.trim());
    brake.pull(&record).map_err(|error| {
        Ended::of(8, &error)
            .next(format!("cannot write {}: check the folder; until then, stop the service", brake.path().display()))
    })?;
    put(&format!("paused by {} at {now}: nothing is sent by any command, also after a restart", plain(&record.by)));
    put(&format!("To go on: {}", setup::command_line(global, "resume")));
    Ok(())
}

pub(super) fn resume(global: &Global) -> Result<(), Ended> {
    let brake = setup::find_brake(global)?;
    let before = brake.state();
    brake.release().map_err(|error| {
        Ended::of(8, &error).next(format!("cannot remove {}: remove it by hand", brake.path().display()))
    })?;
    put(&match before {
        BrakeState::Off => "sending was not paused".to_owned(),
        BrakeState::Paused(record) => format!("resumed; it was paused by {} at {}", plain(&record.by), record.at),
        BrakeState::Foreign => format!("resumed; another program had created {}", brake.path().display()),
    });
    let_updates_go_on(global)
}

/// What stopped itself goes on as well: attribute updates (S11) and removals of members (S15).
fn let_updates_go_on(global: &Global) -> Result<(), Ended> {
    let Ok(config) = setup::read_config_without_secrets(global) else { return Ok(()) };
    let mut store = match setup::open_store(&config) {
        Ok(store) => store,
        Err(ended) => return look_only(&config, ended),
    };
    if store.allow_updates()? {
        put("attribute updates go on");
    }
    if store.allow_removals()? {
        put("removals of members go on; the first goes alone, and what it did is looked at");
    }
    Ok(())
}

/// The database cannot be written, and perhaps not be read: what stopped itself and stays so is said.
fn look_only(config: &Config, ended: Ended) -> Result<(), Ended> {
    let Ok(store) = setup::open_store_to_read(config) else {
        put("whether the sync had stopped something by itself is not known: the database cannot be used; see `check`");
        return Ok(());
    };
    let removals = store.removals_stopped()?.map(|(_, reason)| reason);
    let stopped: Vec<String> = store.updates_stopped()?.into_iter().chain(removals).collect();
    if stopped.is_empty() {
        put("nothing else had stopped; the database, which cannot be written now, was not changed");
        return Ok(());
    }
    Err(stopped.into_iter().fold(ended, |ended, reason| ended.next(format!("still stopped: {reason}"))))
}

/// What the brake says, as a line for people; none when it is off.
pub(super) fn line(brake: &Brake) -> Option<String> {
    match brake.state() {
        BrakeState::Off => None,
        BrakeState::Paused(record) => {
            let note = if record.note.is_empty() { String::new() } else { format!(": {}", plain(&record.note)) };
            Some(format!("by {} at {}{note}", plain(&record.by), record.at))
        }
        BrakeState::Foreign => Some(format!("by the file {}", brake.path().display())),
    }
}
