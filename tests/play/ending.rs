//! The last act: nothing goes wrong any more, everything right is approved, and soon there is nothing left to do.

use super::city::City;
use super::config::{Config, Scope, Selected};
use super::office;
use super::office::{is_right, stored};
use super::program::{Program, Ran};
use super::sabotage::Sabotage;
use super::truth::Truth;
use super::verify::is_value;
use super::watch::{Broken, Promise};
use crate::sim::atlassian::User;
use crate::sim::duo::SimPerson;
use duo_atlassian_sync::cycle::End;
use duo_atlassian_sync::model::Owned;
use duo_atlassian_sync::store::{JournalRecord, Request};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// All pauses have elapsed after this.
const HOURS: u64 = 6;
/// After this, a create that was cut off and never found is taken for one that did not happen (S13): only then is a
/// record that has the address a candidate for adoption (S7).
const HOURS_TO_BE_FOUND: u64 = 25;
/// Two cycles that do something, then one that has nothing to do.
const WORKING_MAX: usize = 2;
/// Approvals on the way there.
const HELD_MAX: usize = 6;

/// Plays the last act.
pub fn end_well(program: &mut Program) -> Result<(), Broken> {
    program.becomes_immortal();
    let is_create = |record: &JournalRecord| matches!(record.request, Request::CreateUser { .. });
    let is_open = stored(program, |store| store.read_unsettled())?.iter().any(is_create);
    let hours = if is_open { HOURS_TO_BE_FOUND } else { HOURS };
    {
        let mut city = program.town();
        city.say(|| "the last act: nothing goes wrong any more".to_owned());
        city.weather.clears_up();
        city.interruptions.clear();
        heal(&mut city);
        city.clock.advance(Duration::from_hours(hours));
        city.let_ghosts_arrive();
        city.watch.touch(&None);
        city.look_around();
    }
    program.brake().release().map_err(|error| program.blame(Promise::TheDatabaseIsSound, error.to_string()))?;
    office::resume(program)?;
    office::release_pins(program)?;
    converge(program)?;
    spoil(program)?;
    if is_as_it_should_be(program).is_err() && program.town().watch.is_haunted() {
        // Of a request that came late nobody knows before the target is read, which happens once a day.
        program.town().watch.broken = None;
        office::refresh(program)?;
        converge(program)?;
    }
    is_as_it_should_be(program)?;
    is_sound(program)
}

/// What a program would leave behind that forgets somebody, or damages its database.
fn spoil(program: &mut Program) -> Result<(), Broken> {
    let sabotage = program.town().sabotage;
    if sabotage == Some(Sabotage::ForgetsSomebody) {
        let mut city = program.town();
        let people: Vec<String> = city.duo.service.world.people().map(|person| person.user_id.clone()).collect();
        for person in people {
            city.duo.service.world.person_mut(&person).realname = Some("Somebody Else".to_owned());
        }
    }
    if sabotage == Some(Sabotage::DamagesItsDatabase) {
        let stray = || -> rusqlite::Result<()> {
            let connection = Connection::open(program.database())?;
            connection.pragma_update(None, "foreign_keys", "OFF")?;
            connection.execute("INSERT INTO membership (group_id, user_id) VALUES ('DG', 'DU')", []).map(drop)
        };
        stray().map_err(|error| program.blame(Promise::EveryCycleEnds, error.to_string()))?;
    }
    Ok(())
}

/// Whoever decides approves what is right; nothing else may be planned now.
fn approve(program: &mut Program) -> Result<(), Broken> {
    let Some(plan) = stored(program, |store| store.read_held_plan())? else {
        return Err(program.blame(Promise::ItConverges, "held, and no plan is".to_owned()));
    };
    let truth = program.town().truth();
    if let Some(wrong) = plan.risky.iter().find(|item| !is_right(item, &truth)) {
        return Err(program.blame(Promise::ItConverges, format!("this is planned, and wrong: {wrong:?}")));
    }
    office::approve(program, &plan)
}

/// What an administrator would have to correct before anything can be as it should.
fn heal(city: &mut City) {
    if let Scope::Names(names) = &city.config.scope {
        city.config.scope = Scope::Ids(names.values().cloned().collect());
    }
    let world = &mut city.duo.service.world;
    // A selector that matches nothing is a mistake in the configuration.
    world.add_group("team-final");
    if let Scope::Ids(ids) = &mut city.config.scope {
        ids.retain(|id| world.group(id).is_some());
        if ids.is_empty() {
            city.config.scope = Scope::Pattern("*".to_owned());
        }
    }
    city.config.rules.pilot_people.clear();
    city.config.rules.grace_hours = 0;
    clear_up_clashes(city);
    let sim = &mut city.atlassian.service;
    let others = |id: &str| id == "somebody-else";
    let conflicts: Vec<String> = sim
        .users()
        .filter(|user| user.external_id().is_some_and(others))
        .map(|user| user.user_name().to_owned())
        .collect();
    for name in &conflicts {
        sim.remove_user(name);
    }
}

/// Nobody shares a name or an address, and nobody waits for one that another holds.
fn clear_up_clashes(city: &mut City) {
    let (sim, links) = (&city.atlassian.service, &city.watch.links);
    let world = &mut city.duo.service.world;
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for person in world.people() {
        *names.entry(person.username.to_lowercase()).or_default() += 1;
        *names.entry(person.email.to_lowercase()).or_default() += 1;
    }
    let people: Vec<String> = world.people().map(|person| person.user_id.clone()).collect();
    let usernames: BTreeMap<String, String> =
        world.people().map(|person| (person.username.to_lowercase(), person.user_id.clone())).collect();
    // Another externalId than that of who wants the name is a conflict, which only people can end; and a userName of
    // somebody else's comes before an address (S7).
    let is_somebodys = |holder: &User, person: &str| {
        let of_name = usernames.get(&holder.user_name().to_lowercase());
        links.is_known(&holder.id)
            || holder.external_id().is_some_and(|id| id != person)
            || (holder.external_id().is_none() && of_name.is_some_and(|id| id != person))
    };
    for (at, id) in people.iter().enumerate() {
        let own = links.record(id).map(str::to_owned);
        let person = world.person_mut(id);
        let is_taken = |value: &str, holder: Option<&User>| {
            let is_shared = value.is_empty() || names.get(&value.to_lowercase()).is_some_and(|count| *count > 1);
            let is_held =
                |holder: &User| own.as_deref().map_or_else(|| is_somebodys(holder, id), |own| holder.id != own);
            is_shared || holder.is_some_and(is_held)
        };
        if is_taken(&person.username, sim.user_by_user_name(&person.username)) {
            person.username = format!("final.{at}");
        }
        let email = person.email.to_lowercase();
        if is_taken(&email, sim.users().find(|user| user.email().to_lowercase() == email)) {
            person.email = format!("final.{at}@example.com");
        }
    }
}

/// Syncs until there is nothing to do, and approves what is held.
fn converge(program: &mut Program) -> Result<(), Broken> {
    let (mut working, mut held) = (0, 0);
    loop {
        program.town().clock.advance(Duration::from_mins(10));
        let ran = office::sync(program)?;
        let Ran::Ended(report) = &ran else {
            return Err(program.blame(Promise::ItConverges, format!("a cycle in fine weather: {ran:?}")));
        };
        match report.end {
            End::Held => {
                held += 1;
                approve(program)?;
            }
            _ if report.document.actions.is_empty() => return Ok(()),
            _ => working += 1,
        }
        if working > WORKING_MAX || held > HELD_MAX {
            let what = format!("{working} cycles, {held} held, and still: {:?}", report.document.summary);
            return Err(program.blame(Promise::ItConverges, what));
        }
    }
}

/// The target is what Duo says, as far as it is ours.
fn is_as_it_should_be(program: &mut Program) -> Result<(), Broken> {
    let owned = stored(program, |store| store.read_owned())?;
    let city = program.town();
    let truth = city.truth();
    let wrong = people(&city, &truth, &owned).or_else(|| groups(&city, &truth, &owned));
    drop(city);
    wrong.map_or(Ok(()), |what| Err(program.blame(Promise::ItConverges, what)))
}

fn people(city: &City, truth: &Truth, owned: &Owned) -> Option<String> {
    let sim = &city.atlassian.service;
    let records: BTreeMap<&str, _> = sim.users().map(|user| (user.id.as_str(), user)).collect();
    for person in city.duo.service.world.people() {
        let should = truth.should(&person.user_id);
        let account = owned.accounts.get(person.user_id.as_str());
        let record = account.and_then(|account| records.get(account.scim_id.as_str()));
        if should.left_alone || should.stays {
            continue;
        }
        if should.may_lose && record.is_some_and(|record| record.active()) {
            return Some(format!("{} should have no active account", person.user_id));
        }
        if !should.may_gain {
            continue;
        }
        let Some(record) = record.filter(|record| record.active()) else {
            return Some(format!("{} should have an active account", person.user_id));
        };
        if let Some(path) = differs(person, |path, value| is_value(record, path, value), city, record.email()) {
            return Some(format!("{} has another {path}", person.user_id));
        }
    }
    let gone = owned.accounts.iter().find(|(id, account)| {
        city.duo.service.world.person(id.as_str()).is_none()
            && !city.config.rules.excluded_people.contains(id.as_str())
            && records.get(account.scim_id.as_str()).is_some_and(|record| record.active())
    });
    gone.map(|(id, _)| format!("{id} is gone from Duo, and has an active account"))
}

/// The first attribute that is not as in Duo; those of an unmanaged account stay as they are.
fn differs(person: &SimPerson, is: impl Fn(&str, &str) -> bool, city: &City, held: &str) -> Option<&'static str> {
    let is_managed = |email: &str| city.atlassian.service.settings().manages(email);
    if !is_managed(held) || !is_managed(&person.email) {
        return None;
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let values = [
        ("userName", person.username.clone()),
        ("emails", person.email.clone()),
        ("displayName", text(&person.realname)),
        ("name.givenName", text(&person.firstname)),
        ("name.familyName", text(&person.lastname)),
    ];
    values.into_iter().find(|(path, value)| !is(path, value)).map(|(path, _)| path)
}

fn groups(city: &City, truth: &Truth, owned: &Owned) -> Option<String> {
    if !truth.manages_groups {
        return None;
    }
    let sim = &city.atlassian.service;
    let whose: BTreeMap<&str, &str> =
        owned.accounts.iter().map(|(id, account)| (account.scim_id.as_str(), id.as_str())).collect();
    for group in truth.groups.keys() {
        let is_there = owned.groups.contains_key(group.as_str());
        let world = city.duo.service.world.group(group);
        if !is_there && world.is_some_and(|group| !group.members.is_empty()) {
            return Some(format!("group {group} should be there"));
        }
    }
    for (id, link) in &owned.groups {
        let name = sim.groups().find(|group| group.id == link.scim_id.as_str()).map(|group| group.name.clone())?;
        let status_is_known =
            city.duo.service.world.group(id.as_str()).is_none_or(|_| truth.groups.contains_key(id.as_str()));
        let selected = selected(&city.config, city, id.as_str());
        if selected == Selected::Yes && !status_is_known {
            continue;
        }
        let there: BTreeSet<&str> = sim
            .members_of(&name)
            .iter()
            .filter_map(|user| sim.user_by_user_name(user))
            .filter_map(|user| whose.get(user.id.as_str()).copied())
            .filter(|person| {
                link.members.contains(*person) || city.watch.joined.contains(&(id.to_string(), (*person).to_owned()))
            })
            .collect();
        for (person, should) in &truth.people {
            if should.left_alone || should.stays || !owned.accounts.contains_key(person.as_str()) {
                continue;
            }
            let is_in = there.contains(person.as_str());
            let wanted = should.groups.contains(id.as_str()) && !should.may_lose;
            let is_inactive = !wanted_account(city, owned, person);
            if is_in != wanted && !(wanted && is_inactive) {
                return Some(format!("{person} in {id}: {is_in}, and should be: {wanted}"));
            }
        }
    }
    None
}

/// Whether somebody has an active account. Who keeps an inactive one keeps its memberships as they are.
fn wanted_account(city: &City, owned: &Owned, person: &str) -> bool {
    let record = owned.accounts.get(person).map(|account| account.scim_id.as_str());
    city.atlassian.service.users().any(|user| Some(user.id.as_str()) == record && user.active())
}

fn selected(config: &Config, city: &City, group: &str) -> Selected {
    let name = city.duo.service.world.group(group).map(|group| group.name.clone());
    name.map_or(Selected::No, |name| config.selects(group, &name))
}

/// SQLite's own word.
fn is_sound(program: &Program) -> Result<(), Broken> {
    let check = || -> rusqlite::Result<String> {
        let connection = Connection::open(program.database())?;
        let integrity: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
        let strays = statement.query_map([], |_| Ok(()))?.count();
        Ok(if strays > 0 { format!("{strays} rows refer to nothing") } else { integrity })
    };
    match check() {
        Ok(word) if word == "ok" => Ok(()),
        Ok(word) => Err(program.blame(Promise::TheDatabaseIsSound, word)),
        Err(error) => Err(program.blame(Promise::TheDatabaseIsSound, error.to_string())),
    }
}
