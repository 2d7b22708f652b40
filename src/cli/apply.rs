//! `apply FILE`: exactly what was reviewed, or nothing.

use super::args::{ApplyOptions, Global, PlanFormat};
use super::edge::Ended;
use super::output::put;
use super::{plan, setup, sync, who};
use crate::clock::Clock;
use crate::config::Config;
use crate::cycle::{Approval, End, IfMoved, Listed, Mode, Report, Task};
use crate::plan::{ActionDocument, Fingerprint};
use crate::report::{PlanDocument, plain};
use crate::store::Store;
use std::collections::BTreeSet;
use std::path::Path;

pub(super) fn run(global: &Global, options: &ApplyOptions) -> Result<(), Ended> {
    let config = setup::read_config(global)?;
    let document = read(&options.file)?;
    let clock = Clock::system();
    let mut store = setup::open_store(&config)?;
    belongs_here(&document, &config, &store)
        .map_err(|ended| ended.next(format!("or make a new plan: {}", new_plan(global, options, &document))))?;
    let listed = listed(&document, options, &config)?;
    setup::tell_warnings(global, &config);
    let task = (Mode::Apply, Task::Listed(&listed), "apply");
    let report = setup::run_cycle(global, (&config, &clock), &mut store, task)
        .map_err(|ended| if ended.code == 7 { moved(global, (options, &document), ended) } else { ended })?;
    plan::print(&report.document, PlanFormat::Text);
    for sentence in &report.not_sent {
        put(&format!("  not sent: {}", plain(sentence)));
    }
    put(&sync::outcome(&report));
    if report.end == End::Held {
        return Err(held(global, (options, &document), (&store, &report))?);
    }
    sync::end(global, (&store, &report), "sync")
}

/// The way on is this file, not a sync, which would send all of today's plan.
fn held(
    global: &Global,
    (options, document): (&ApplyOptions, &PlanDocument),
    (store, report): (&Store, &Report),
) -> Result<Ended, Ended> {
    let mut words = format!("apply {} --approve {}", setup::quoted(&options.file), document.short_fingerprint());
    // The same part of the plan as before, and no more.
    if options.still_valid {
        words.push_str(" --still-valid");
    }
    for (option, ids) in [(" --only", &options.only), (" --except", &options.except)] {
        if !ids.is_empty() {
            words.push_str(option);
        }
        for id in ids {
            words.extend([" ", &setup::quoted(Path::new(id))]);
        }
    }
    let line = format!("To approve and send it: {}", setup::command_line(global, &words));
    let why = sync::rejected(store, &report.document)?.unwrap_or_else(|| sync::WAITS.to_owned());
    let ended = Ended::with(5, why).next(line);
    Ok(plan::leaver_lines(global, &report.document).into_iter().fold(ended, Ended::next))
}

/// What can be done about a file that does not hold any more.
fn moved(global: &Global, (options, document): (&ApplyOptions, &PlanDocument), ended: Ended) -> Ended {
    ended
        .next("To send only what still holds, give --still-valid as well")
        .next(format!("To make a new plan: {}", new_plan(global, options, document)))
}

/// The command that makes a plan of today's in the place of the file.
fn new_plan(global: &Global, options: &ApplyOptions, document: &PlanDocument) -> String {
    // What follows from Atlassian alone is planned only by a command that reads it.
    let refresh = if document.actions.iter().any(ActionDocument::follows_from_target) { " --refresh" } else { "" };
    setup::command_line(global, &format!("plan{refresh} --out {}", setup::quoted(&options.file)))
}

/// A plan file that cannot be trusted ends with 7: nothing is sent on its word.
fn refused(path: &Path, why: &str) -> Ended {
    Ended::with(7, format!("error: {} {why}; nothing was sent", path.display()))
        .next("To make a new one: duo-atlassian-sync plan --out FILE")
}

fn read(path: &Path) -> Result<PlanDocument, Ended> {
    let bytes = std::fs::read(path)
        .map_err(|error| Ended::with(2, format!("error: cannot read the plan file {}: {error}", path.display())))?;
    PlanDocument::read(&bytes).map_err(|error| refused(path, &error.to_string()))
}

fn belongs_here(document: &PlanDocument, config: &Config, store: &Store) -> Result<(), Ended> {
    let pairs = [
        ("Duo host", document.source.api_host.as_str(), config.duo.api_host.as_str()),
        ("directory", document.target.scim_base_url.as_str(), config.scim.base_url.as_str()),
        ("database", document.base.database_id.as_str(), store.database_id()),
    ];
    for (what, theirs, ours) in pairs {
        if theirs != ours {
            let line =
                format!("error: the plan is for another {what} ({theirs}, and here it is {ours}); nothing was sent");
            return Err(Ended::with(7, line).next("use --config with the configuration that it was made with,"));
        }
    }
    Ok(())
}

fn listed(document: &PlanDocument, options: &ApplyOptions, config: &Config) -> Result<Listed, Ended> {
    let ids: BTreeSet<&str> = document.actions.iter().map(|action| action.id.as_str()).collect();
    let unknown: Vec<&String> =
        options.only.iter().chain(&options.except).filter(|id| !ids.contains(id.as_str())).collect();
    if !unknown.is_empty() {
        let line =
            format!("error: the plan has no action {unknown:?}; ids look like \"create:DU...\" and stand in the file");
        return Err(Ended::with(2, line));
    }
    let is_out = |id: &&str| {
        let named = |list: &[String]| list.iter().any(|named| named == id);
        (!options.only.is_empty() && !named(&options.only)) || named(&options.except)
    };
    let approval = match &options.approve {
        None => None,
        Some(fingerprint) => {
            let fits = Fingerprint::parse(fingerprint).is_some_and(|f| document.fingerprint.starts_with(f.as_str()));
            if !fits {
                let line = format!(
                    "error: the file holds plan {}, and {fingerprint} was approved",
                    document.short_fingerprint()
                );
                return Err(Ended::with(7, line).next(
                    "give apply the file that was reviewed, or review this one and approve it by its own fingerprint",
                ));
            }
            if config.approval.note_required {
                let line =
                    "error: approval.note_required: approve the plan with `approve FINGERPRINT --note TEXT` first";
                return Err(Ended::with(2, line));
            }
            Some(Approval {
                fingerprint: document.fingerprint.clone(),
                who: who::who(),
                valid_hours: config.approval.valid_hours,
            })
        }
    };
    Ok(Listed {
        left_out: ids.iter().filter(|id| is_out(id)).map(|id| (*id).to_owned()).collect(),
        actions: document.actions.clone(),
        moved: if options.still_valid { IfMoved::SendTheRest } else { IfMoved::Refuse },
        approval,
    })
}
