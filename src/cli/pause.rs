//! `pause` and `resume`: the brake.

use super::args::{Global, PauseOptions};
use super::edge::Ended;
use super::output::put;
use super::{setup, who};
use crate::clock::Clock;
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
    put(&format!("paused by {} at {now}: nothing is sent by any command, also after a restart", record.by));
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

/// What stopped itself goes on as well: attribute updates (S11) and removals of members (S15). Without a usable
/// database there is nothing to say.
fn let_updates_go_on(global: &Global) -> Result<(), Ended> {
    let opened = setup::read_config_without_secrets(global).and_then(|config| setup::open_store(&config));
    let Ok(mut store) = opened else { return Ok(()) };
    if store.allow_updates()? {
        put("attribute updates go on");
    }
    if store.allow_removals()? {
        put("removals of members go on; the first goes alone, and what it did is looked at");
    }
    Ok(())
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
