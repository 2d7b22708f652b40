//! `check`: every problem at once, each with its remedy. Reads only.

use super::args::{CheckOptions, Global};
use super::edge::{Ended, code_of};
use super::output::put;
use super::setup;
use crate::clock::Clock;
use crate::config::Config;
use crate::cycle;
use crate::desired;
use crate::desired::{Desired, Selection, select};
use crate::duo;
use crate::model::Group;
use crate::model::Roster;
use crate::model::Timestamp;
use crate::plan::Agreement;
use crate::plan::Unmanaged;
use crate::report::plain;
use crate::scim;
use crate::status::days_until;
use std::collections::BTreeSet;
use std::error::Error;

/// A clock that is off by more is mentioned before Duo refuses it (its own limit is not published; five minutes by
/// hearsay).
const SKEW_NOTED_SECONDS: i64 = 60;

/// From so many days before it expires, a key is mentioned.
const EXPIRY_NOTED_DAYS: i64 = 30;

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
        put(&format!("note     {}", plain(line)));
    }

    fn bad(&mut self, code: u8, error: &dyn Error) {
        let mut text = format!("PROBLEM  {}", plain(&error.to_string()));
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(&format!("\n         because: {}", plain(&cause.to_string())));
            source = cause.source();
        }
        put(&text);
        self.end_with(code);
    }

    /// What the program itself finds wrong.
    fn problem(&mut self, code: u8, line: &str) {
        put(&format!("PROBLEM  {}", plain(line)));
        self.end_with(code);
    }

    /// The first problem says how the check ends.
    const fn end_with(&mut self, code: u8) {
        if self.code == 0 {
            self.code = code;
        }
    }

    fn end(&self) -> Result<(), Ended> {
        match self.code {
            0 => Ok(()),
            code => Err(Ended::with(code, "error: the check found problems; nothing was changed anywhere")),
        }
    }
}

pub(super) fn run(global: &Global, options: &CheckOptions) -> Result<(), Ended> {
    let config = match (&options.atlassian_key_file, options.without_secrets) {
        (Some(file), _) => setup::read_config_with_atlassian_key(global, file)?,
        (None, true) => setup::read_config_without_secrets(global)?,
        (None, false) => setup::read_config(global)?,
    };
    Findings::good(&format!("configuration {}", config.path.display()));
    for warning in &config.warnings {
        Findings::note(warning);
    }
    note_expiry(&config);
    let mut findings = Findings::default();
    if let Err(error) = setup::look_at_database(&config) {
        findings.bad(code_of(&error), &error);
    }
    if options.offline {
        return findings.end();
    }
    let clock = Clock::system();
    let (duo, scim) = setup::clients(&config, &clock)?;
    setup::block_on(async {
        let desired = check_duo(&config, &duo, &mut findings).await;
        if check_scim(&config, &scim, &mut findings).await
            && let Some(desired) = desired
        {
            check_mapping(&config, &scim, &desired, &mut findings).await;
        }
    })?;
    findings.end()
}

/// A key that is dead by its date, or soon will be.
fn note_expiry(config: &Config) {
    let Some(day) = config.api_key_expires else { return };
    let now = Timestamp::from_seconds(Clock::system().now_seconds());
    let Some(days) = days_until(day, now) else { return };
    if days < 0 {
        Findings::note(&format!("Atlassian's key expired on {day}, as atlassian.api_key_expires says: make a new one"));
    } else if days <= EXPIRY_NOTED_DAYS {
        Findings::note(&format!("Atlassian's key expires on {day}, in {days} days: make a new one in time"));
    }
}

/// What Duo says should be, where it could be read.
async fn check_duo(config: &Config, duo: &duo::Client, findings: &mut Findings) -> Option<Desired> {
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
        Err(error) => {
            findings.bad(3, &error);
            return None;
        }
    }
    let groups = match duo.read_groups().await {
        Ok(groups) => groups,
        Err(error) => {
            findings.bad(3, &error);
            return None;
        }
    };
    match select(&groups, &config.rules.groups, &[]) {
        Ok(selection) => check_roster(config, duo, (&groups, &selection), findings).await,
        Err(errors) => {
            for error in &errors {
                findings.bad(3, error);
            }
            None
        }
    }
}

async fn check_roster(
    config: &Config,
    duo: &duo::Client,
    (groups, selection): (&[Group], &Selection),
    findings: &mut Findings,
) -> Option<Desired> {
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
            Findings::good(&format!(
                "people in scope: {}; requests to read them: {}",
                roster.people.len(),
                roster.requests
            ));
            note_unknown_people(config, &roster);
            let desired = desired::compute(&roster, &config.rules, selection);
            check_domains(config, &desired, findings);
            Some(desired)
        }
        Err(error) => {
            findings.bad(3, &error);
            None
        }
    }
}

/// So many domains outside are named.
const DOMAINS_NAMED: usize = 5;

/// Who has an address that Atlassian does not manage: guests, or everybody, where the list is wrong.
fn check_domains(config: &Config, desired: &Desired, findings: &mut Findings) {
    let unmanaged = Unmanaged::of(desired, &config.rules);
    let (count, people) = (unmanaged.count(), unmanaged.people);
    if count == 0 {
        return;
    }
    let mut domains: Vec<(&String, &usize)> = unmanaged.domains.iter().collect();
    domains.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let mut named: Vec<String> = domains.iter().take(DOMAINS_NAMED).map(|(domain, _)| (*domain).clone()).collect();
    let more = domains.len().saturating_sub(DOMAINS_NAMED);
    if more > 0 {
        named.push(format!("{more} more"));
    }
    let line = format!(
        "{count} of {people} people in scope have an address outside atlassian.verified_domains ({}): later changes of \
         their names and addresses are not sent; add the domains that your organization has verified in Atlassian",
        named.join(", ")
    );
    if unmanaged.is_doubtful() { findings.problem(2, &line) } else { Findings::note(&line) }
}

/// Somebody whom a list names and no selected group has: perhaps misspelt, and then not protected.
fn note_unknown_people(config: &Config, roster: &Roster) {
    let rules = &config.rules;
    let lists = [
        ("scope.pilot_people", &rules.pilot_people),
        ("scope.excluded_people", &rules.excluded_people),
        ("scope.blocked_people", &rules.blocked_people),
    ];
    let known: BTreeSet<String> = roster
        .people
        .iter()
        .flat_map(|(id, person)| [id.as_str().to_lowercase(), person.username.to_lowercase()])
        .collect();
    for (key, list) in lists {
        for name in list.iter().filter(|name| !known.contains(&name.to_lowercase())) {
            Findings::note(&format!("{key}: nobody in the selected groups is {name:?}; check the spelling"));
        }
    }
}

/// Whether the key opens the directory.
async fn check_scim(config: &Config, scim: &scim::Client, findings: &mut Findings) -> bool {
    match scim.read_service().await {
        Ok(service) => {
            Findings::good(&format!("Atlassian {}: the key opens the directory", config.scim.base_url));
            if service.patch == Some(false) {
                Findings::note("the service says that it does not take PATCH, which this program needs");
            }
            true
        }
        Err(error) => {
            findings.bad(4, &error);
            false
        }
    }
}

/// Whether the accounts that are there already are as the mapping would have them.
async fn check_mapping(config: &Config, scim: &scim::Client, desired: &Desired, findings: &mut Findings) {
    let observed = match scim.read_all(&|_| ()).await {
        Ok(observed) => observed,
        Err(error) => return findings.bad(4, &error),
    };
    let agreement = Agreement::of(desired, &config.rules, &observed, &cycle::capabilities());
    let differing = match agreement.differing {
        0 => String::new(),
        count => format!(", {count} of them with other values: `plan` shows each"),
    };
    Findings::good(&format!("{} people in scope have an account there already{differing}", agreement.accounts));
    for (attribute, count, change) in agreement.doubtful() {
        let from = change.from.as_deref().unwrap_or_default();
        Findings::note(&format!(
            "the mapping disagrees with existing accounts: {attribute} is otherwise for {count} of {}, as {from:?}, which \
             would become {:?}; look at [mapping] before the first plan is approved",
            agreement.accounts, change.to,
        ));
    }
}
