//! Friday at five: takes access away from one person, whatever else is held, and does nothing else.
//!
//! The person is read by id. What their record and the rules say must go is sent at once; nothing is given, and nobody
//! else is looked at. The grace period does not count: somebody asks for it now.

use super::compare;
use super::read::confirm_vanished;
use super::read::select_leniently;
use super::target;
use super::{CycleError, Mode, Report, Snapshot, Tools, finish};
use crate::desired;
use crate::desired::Rules;
use crate::guard;
use crate::model::Group;
use crate::model::GroupId;
use crate::model::Owned;
use crate::model::PersonId;
use crate::model::Roster;
use crate::model::Timestamp;
use crate::plan::Comparison;
use crate::plan::Drift;
use crate::plan::Inputs;
use crate::plan::Plan;
use crate::plan::left_out_by;
use crate::report::SourceDocument;
use crate::store::CycleId;
use std::collections::{BTreeMap, BTreeSet};

pub(super) async fn steps(
    mode: Mode,
    cycle: CycleId,
    person: &PersonId,
    tools: &mut Tools<'_, '_>,
) -> Result<Report, CycleError> {
    let (services, settings) = (tools.services, tools.settings);
    let requests_before = services.duo.requests_sent();
    let mut owned = tools.store.read_owned()?;
    let Some(account) = owned.accounts.get(person).cloned() else {
        return Err(CycleError::Unknown(format!("{person} has no account that this program made or adopted")));
    };
    let groups = services.duo.read_groups().await?;
    let selection = select_leniently(&groups, &settings.rules, &tools.store.read_remembered()?);
    confirm_vanished(&selection, services).await?;
    let attributes = settings.rules.duo_attributes().into_iter().map(str::to_owned).collect();
    let mut roster = empty_roster(&groups, &selection.groups.keys().collect());
    for (id, found) in services.duo.read_people(std::slice::from_ref(person), &attributes).await? {
        roster.confirm(&id, found.map(|found| (found.person, found.groups)));
    }
    let now = Timestamp::from_seconds(services.clock.now_seconds());
    let rules = Rules { grace_hours: 0, ..settings.rules.clone() };
    let desired = desired::compute(&roster, &rules, &selection);
    if !tools.trust.is_trusted() {
        // What this person has now is not what the database says.
        let observed = target::read_for_one(&owned, &account, services).await?;
        let drift = Drift::compute(&Comparison {
            observed: &observed,
            owned: &only(&owned, person),
            desired: &desired,
            rules: &rules,
            trust: tools.trust,
            confirmed: &roster.confirmed,
            foreign: &tools.store.read_foreign_memberships()?,
            creating: &BTreeSet::new(),
        });
        replace(&mut owned, person, &drift.owned);
    }
    let plan = Plan::compute(&Inputs {
        desired: &desired,
        rules: &rules,
        before: None,
        owned: &only(&owned, person),
        drift: None,
        observed: None,
        confirmed: &roster.confirmed,
        pinned: &BTreeMap::new(),
        capabilities: &compare::capabilities(),
        now,
    });
    let plan = plan.taking_away_only();
    let source = SourceDocument {
        api_host: settings.api_host.clone(),
        groups: selection.groups.len(),
        people: roster.people.len(),
        requests: services.duo.requests_sent().saturating_sub(requests_before),
    };
    let mut header = compare::header_of((&owned, source), tools.store, (settings, &plan), now)?;
    header.remarks.extend(left_out(&owned, &roster, person, &rules));
    let verdict = guard::review_one_leaver(plan);
    finish(mode, cycle, (&verdict, header), (tools, Snapshot { owned: &owned, drift: None })).await
}

fn empty_roster(groups: &[Group], selected: &BTreeSet<&GroupId>) -> Roster {
    let chosen = groups.iter().filter(|group| selected.contains(&group.id));
    let groups: BTreeMap<_, _> = chosen.map(|group| (group.id.clone(), (group.clone(), BTreeSet::new()))).collect();
    Roster { groups, ..Roster::default() }
}

/// What is owned of one person.
fn only(owned: &Owned, person: &PersonId) -> Owned {
    let account = owned.accounts.get_key_value(person).map(|(id, account)| (id.clone(), account.clone()));
    let groups = owned.groups.iter().map(|(id, group)| {
        let mut group = group.clone();
        group.members.retain(|member| member == person);
        (id.clone(), group)
    });
    Owned { accounts: account.into_iter().collect(), groups: groups.collect() }
}

/// Takes over what is owned of one person.
fn replace(owned: &mut Owned, person: &PersonId, one: &Owned) {
    owned.accounts.remove(person);
    owned.accounts.extend(one.accounts.clone());
    for (id, group) in &mut owned.groups {
        group.members.remove(person);
        group.members.extend(one.groups.get(id).into_iter().flat_map(|group| group.members.iter().cloned()));
    }
}

/// Why nothing can happen to a person at all.
fn left_out(owned: &Owned, roster: &Roster, person: &PersonId, rules: &Rules) -> Option<String> {
    let known = owned.accounts.get(person).map(|account| account.username.as_str());
    let now = roster.people.get(person).map(|person| person.username.as_str());
    let names: Vec<&str> = known.into_iter().chain(now).collect();
    let list = left_out_by(rules, &names, person)?;
    let name = names.last().copied().unwrap_or(person.as_str());
    Some(format!("{name} ({person}) is {list}: in no action at all"))
}
