//! `plan`, and `sync --dry-run` which is the same.

use super::args::{Global, PlanFormat, PlanOptions};
use super::edge::Ended;
use super::output::{put, put_json};
use super::place::Place;
use super::setup;
use crate::clock::Clock;
use crate::cycle::Mode;
use crate::model::Owned;
use crate::plan::ActionDocument;
use crate::report;
use crate::report::PlanDocument;
use crate::report::plain;
use std::collections::BTreeSet;

pub(super) fn run(global: &Global, command: &str, options: &PlanOptions) -> Result<(), Ended> {
    let config = setup::read_config(global)?;
    setup::tell_warnings(global, &config);
    let place = options.out.as_deref().map(Place::find).transpose()?;
    let clock = Clock::system();
    let mut store = setup::open_store(&config)?;
    let task = (Mode::Preview, options.task(), command);
    let document = setup::run_cycle(global, (&config, &clock), &mut store, task)?.document;
    // What follows from Atlassian alone is not seen by a sync that does not read it.
    let shows_target = document.actions.iter().any(ActionDocument::follows_from_target);
    let again = if options.refresh && shows_target { "sync --refresh" } else { "sync" };
    if let Some(place) = place {
        let text = serde_json::to_string_pretty(&document).unwrap_or_default();
        place.write(&(text + "\n"))?;
    }
    print(&document, options.format);
    if options.format == PlanFormat::Text {
        put(&what_next(global, &document, again));
    }
    match (options.detailed_exitcode, document.is_held(), document.actions.is_empty()) {
        (true, true, _) => Err(Ended::with(
            5,
            format!("held: the plan waits for a person. {}", approve_line(global, &document, again)),
        )),
        (true, false, false) => {
            Err(Ended::with(6, format!("changes are pending; to send them: {}", setup::command_line(global, again))))
        }
        _ => Ok(()),
    }
}

pub(super) fn print(document: &PlanDocument, format: PlanFormat) {
    match format {
        PlanFormat::Text => put(&report::text(document)),
        PlanFormat::Json => put_json(document),
        PlanFormat::Markdown => put(&report::markdown(document)),
    }
}

fn what_next(global: &Global, document: &PlanDocument, again: &str) -> String {
    if document.actions.is_empty() {
        return "Nothing was sent, and nothing is to be sent.".to_owned();
    }
    if document.is_held() {
        let mut lines = vec![format!("Nothing was sent. {}", approve_line(global, document, again))];
        lines.extend(leaver_lines(global, document));
        return lines.join("\n");
    }
    format!("Nothing was sent. To send it: {}", setup::command_line(global, again))
}

/// The command that approves a plan, exactly.
pub(super) fn approve_line(global: &Global, document: &PlanDocument, again: &str) -> String {
    format!("To approve it: {}", approve_commands(global, document, again))
}

/// The same for a plan that somebody rejected.
pub(super) fn approve_after_all_line(global: &Global, document: &PlanDocument, again: &str) -> String {
    format!("To approve it after all: {}", approve_commands(global, document, again))
}

fn approve_commands(global: &Global, document: &PlanDocument, again: &str) -> String {
    let approve = setup::command_line(global, &format!("approve {}", document.short_fingerprint()));
    format!("{approve}; then: {}", setup::command_line(global, again))
}

/// So many waiting leavers are named with their command.
const LEAVERS_NAMED: usize = 10;

/// Who waits, behind a held plan, to lose access, with the command that takes it away at once (S10).
pub(super) fn leaver_lines(global: &Global, document: &PlanDocument) -> Vec<String> {
    lines_of(global, document, &leavers(document), "the same, with the username or the Duo id")
}

/// The same of those who wait still, `more` of them somewhere else.
pub(super) fn lines_of(global: &Global, document: &PlanDocument, leavers: &[&str], more: &str) -> Vec<String> {
    if leavers.is_empty() {
        return Vec::new();
    }
    let mut lines =
        vec![format!("{} wait behind it to lose access. To take it away from one of them at once:", leavers.len())];
    for id in leavers.iter().take(LEAVERS_NAMED) {
        let name = plain(document.people.get(*id).map_or("", String::as_str));
        lines.push(format!("  {}   ({name})", setup::command_line(global, &format!("sync --person {id}"))));
    }
    if leavers.len() > LEAVERS_NAMED {
        lines.push(format!("  and {} more: {more}", leavers.len() - LEAVERS_NAMED));
    }
    lines
}

/// The Duo ids of those whom a plan takes access away from, in its order.
pub(super) fn leavers(document: &PlanDocument) -> Vec<&str> {
    // Whose account is only adopted by this plan is nobody's that the command could take it from.
    let adopted = document.actions.iter().filter(|action| action.action == "adopt");
    let adopted: Vec<_> = adopted.map(|action| &action.person).collect();
    let leavers =
        document.actions.iter().filter(|action| action.action == "deactivate" && !adopted.contains(&&action.person));
    leavers.filter_map(|action| action.person.as_ref()).map(|person| person.user_id.as_str()).collect()
}

/// Those of them who have access still: a stored plan does not know whom it was taken from since.
pub(super) fn waiting<'a>(document: &'a PlanDocument, owned: &Owned) -> Vec<&'a str> {
    let active = owned.accounts.iter().filter(|(_, account)| account.active);
    let active: BTreeSet<&str> = active.map(|(id, _)| id.as_str()).collect();
    leavers(document).into_iter().filter(|id| active.contains(id)).collect()
}
