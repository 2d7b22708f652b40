//! `sync --person`: Friday at five.

use super::args::{Global, PlanFormat};
use super::edge::Ended;
use super::output::put;
use super::{plan, setup, sync};
use crate::clock::Clock;
use crate::cycle::{Mode, Task};
use crate::model::{PersonId, Timestamp};
use crate::plan::Trust;
use crate::store::{Store, StoreError};

pub(super) fn run(global: &Global, person: &str) -> Result<(), Ended> {
    let config = setup::read_config(global)?;
    let clock = Clock::system();
    let mut store = setup::open_store(&config)?;
    let Some(id) = find(&store, person)? else {
        let line = format!(
            "error: {person:?} has no account that this program made or adopted: there is nothing to take away"
        );
        let trust = store.read_trust(Timestamp::from_seconds(clock.now_seconds()), config.state.trusted_hours)?;
        let ended = Ended::with(2, line);
        return Err(if trust.is_trusted() { ended } else { ended.next(doubt(global, trust)) });
    };
    let task = (Mode::Apply, Task::OnePerson(&id), "sync --person");
    let report = setup::run_cycle(global, (&config, &clock), &mut store, task)?;
    plan::print(&report.document, PlanFormat::Text);
    if report.document.actions.is_empty() {
        put(&format!("Nothing is to be taken away from {person} by what Duo and the configuration say now."));
        return Ok(());
    }
    put(&sync::outcome(&report));
    sync::end(global, (&store, &report), "sync")
}

/// A database that is not trusted may not know an account that is there.
fn doubt(global: &Global, trust: Trust) -> String {
    let plan = setup::command_line(global, "plan");
    format!("But {trust}: it may not know of an account that was made since. To see what Atlassian says: {plan}")
}

/// Somebody of the snapshot, by id or username.
pub(super) fn find(store: &Store, person: &str) -> Result<Option<PersonId>, StoreError> {
    let owned = store.read_owned()?;
    let named = |(id, account): &(&PersonId, &crate::model::OwnedAccount)| {
        id.as_str() == person || account.username.to_lowercase() == person.to_lowercase()
    };
    Ok(owned.accounts.iter().find(named).map(|(id, _)| id.clone()))
}
