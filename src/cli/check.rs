//! `check`: every problem at once, each with its remedy. Reads only.

use super::args::{CheckOptions, Global};
use super::edge::Ended;
use super::output::put;
use super::setup;
use crate::clock::Clock;
use crate::config::Config;
use crate::desired::{Selection, select};
use crate::duo;
use crate::model::Group;
use crate::scim;
use std::collections::BTreeSet;
use std::error::Error;

/// A clock that is off by more is mentioned before Duo refuses it (its own limit is not published; five minutes by
/// hearsay).
const SKEW_NOTED_SECONDS: i64 = 60;

/// What a check found: lines for stdout, and the code to end with.
#[derive(Default)]
struct Findings {
    code: u8,
}

impl Findings {
    fn good(line: &str) {
        put(&format!("ok       {line}"));
    }

    fn note(line: &str) {
        put(&format!("note     {line}"));
    }

    fn bad(&mut self, code: u8, error: &dyn Error) {
        let mut text = format!("PROBLEM  {error}");
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(&format!("\n         because: {cause}"));
            source = cause.source();
        }
        put(&text);
        if self.code == 0 {
            self.code = code;
        }
    }
}

pub(super) fn run(global: &Global, options: &CheckOptions) -> Result<(), Ended> {
    let config = setup::read_config(global)?;
    Findings::good(&format!("configuration {}", config.path.display()));
    for warning in &config.warnings {
        Findings::note(warning);
    }
    if options.offline {
        return Ok(());
    }
    let clock = Clock::system();
    let (duo, scim) = setup::clients(&config, &clock)?;
    let mut findings = Findings::default();
    setup::block_on(async {
        check_duo(&config, &duo, &mut findings).await;
        check_scim(&config, &scim, &mut findings).await;
    })?;
    match findings.code {
        0 => Ok(()),
        code => Err(Ended::with(code, "error: the check found problems; nothing was changed anywhere")),
    }
}

async fn check_duo(config: &Config, duo: &duo::Client, findings: &mut Findings) {
    match duo.probe().await {
        Ok(probe) => {
            let people = probe.people.map(|people| format!(", {people} people")).unwrap_or_default();
            Findings::good(&format!("Duo {}: keys, permission and clock{people}", config.duo.api_host));
            if let Some(skew) = probe.clock_skew_seconds.filter(|skew| skew.abs() > SKEW_NOTED_SECONDS) {
                Findings::note(&format!(
                    "this computer's clock differs from Duo's by {skew} s: set it (NTP) before Duo refuses it"
                ));
            }
        }
        Err(error) => return findings.bad(3, &error),
    }
    let groups = match duo.read_groups().await {
        Ok(groups) => groups,
        Err(error) => return findings.bad(3, &error),
    };
    match select(&groups, &config.rules.groups, &[]) {
        Ok(selection) => check_roster(config, duo, (&groups, &selection), findings).await,
        Err(errors) => errors.iter().for_each(|error| findings.bad(3, error)),
    }
}

async fn check_roster(
    config: &Config,
    duo: &duo::Client,
    (groups, selection): (&[Group], &Selection),
    findings: &mut Findings,
) {
    let wanted: Vec<Group> = groups.iter().filter(|group| selection.groups.contains_key(&group.id)).cloned().collect();
    let attributes: BTreeSet<String> = config.rules.duo_attributes().into_iter().map(str::to_owned).collect();
    match duo.read_roster(&wanted, &attributes, &|_| ()).await {
        Ok(roster) => {
            for (id, selected) in &selection.groups {
                let members = roster.groups.get(id).map_or(0, |(_, members)| members.len());
                let (name, target) = (&selected.group.name, selected.target_name());
                let renamed = if *name == target { String::new() } else { format!(", {target:?} in Atlassian") };
                Findings::good(&format!("group {name:?} ({id}): {members} members{renamed}"));
            }
            Findings::good(&format!("{} people in scope, read with {} requests", roster.people.len(), roster.requests));
        }
        Err(error) => findings.bad(3, &error),
    }
}

async fn check_scim(config: &Config, scim: &scim::Client, findings: &mut Findings) {
    match scim.read_service().await {
        Ok(service) => {
            Findings::good(&format!("Atlassian {}: the key opens the directory", config.scim.base_url));
            if service.patch == Some(false) {
                Findings::note("the service says that it does not take PATCH, which this program needs");
            }
        }
        Err(error) => findings.bad(4, &error),
    }
}
