//! `undo`: gives back what a cycle took, and keeps it so.

use super::args::{Global, PlanFormat, UndoOptions};
use super::edge::Ended;
use super::output::put;
use super::{person, plan, setup, sync, who};
use crate::clock::Clock;
use crate::cycle::{Mode, Task, Undone};
use crate::model::PersonId;
use crate::report::plain;
use crate::store::{CycleId, Store};

pub(super) fn run(global: &Global, options: &UndoOptions) -> Result<(), Ended> {
    if let Some(name) = &options.release {
        let config = setup::read_config_without_secrets(global)?;
        return release(&mut setup::open_store(&config)?, name);
    }
    let config = setup::read_config(global)?;
    let clock = Clock::system();
    let mut store = setup::open_store(&config)?;
    let Some(cycle) = options.cycle else {
        return Err(Ended::with(2, "error: say which cycle to undo (`history` lists them), or --release PERSON"));
    };
    let undone = Undone {
        cycle: CycleId(cycle),
        person: options.person.as_ref().map(|name| known(&store, name)).transpose()?,
        who: who::who(),
    };
    let (mode, command) = if options.dry_run { (Mode::Preview, "undo --dry-run") } else { (Mode::Apply, "undo") };
    let task = (mode, Task::Undo(&undone), command);
    let report = setup::run_cycle(global, (&config, &clock), &mut store, task)?;
    plan::print(&report.document, PlanFormat::Text);
    if report.document.actions.is_empty() {
        put("Nothing is to be given back.");
        return Ok(());
    }
    let again = undone.person.as_ref().map_or_else(String::new, |person| format!(" --person {person}"));
    let again = format!("undo {}{again}", undone.cycle);
    if mode == Mode::Preview {
        put("Nothing was sent.");
        if report.document.is_held() {
            put(&plan::approve_line(global, &report.document, &again));
        }
        return Ok(());
    }
    put(&sync::outcome(&report));
    if report.applied.as_ref().is_some_and(|applied| applied.done + applied.unknown > 0) {
        put(
            "Pinned: nothing is taken from these people until their record changes in Duo; to release one: undo --release PERSON",
        );
    }
    sync::end(global, (&store, &report), &again)
}

fn known(store: &Store, name: &str) -> Result<PersonId, Ended> {
    let found = person::find(store, name)?;
    found.ok_or_else(|| Ended::with(2, format!("error: no person {name:?} is in the database")))
}

fn release(store: &mut Store, name: &str) -> Result<(), Ended> {
    let pins = store.read_pins()?;
    let named = |(id, pin): &(&PersonId, &crate::store::Pin)| {
        id.as_str() == name || pin.username.to_lowercase() == name.to_lowercase()
    };
    let Some((id, pin)) = pins.iter().find(named) else {
        return Err(Ended::with(2, format!("error: {name:?} is not pinned; `status` lists the pins")));
    };
    store.release_pins([id])?;
    put(&format!("released: {} is planned again from the next sync on", plain(&pin.username)));
    Ok(())
}
