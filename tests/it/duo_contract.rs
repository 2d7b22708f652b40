//! The real client against the simulated Duo: what it reads, what it refuses to believe, and what it costs.
#![expect(clippy::unwrap_used, reason = "helpers of tests, where a surprise ends the test")]

use std::collections::BTreeSet;

use duo_atlassian_sync::clock::Clock;
use duo_atlassian_sync::duo::{Client, ReadError, Settings, SignatureVersion};
use duo_atlassian_sync::model::Group;
use duo_atlassian_sync::model::Roster;

use crate::sim::company::Company;
use crate::sim::duo::{DuoSim, INTEGRATION_KEY, SECRET_KEY};
use crate::sim::wire::Simulator;

mod reading;
mod refusals;
mod transport;
mod unread;

/// The time in both worlds.
const NOW: i64 = 1_795_442_531;
const HOST: &str = "api-simulator.duosecurity.com";

/// A tenant with so many people in so many groups.
fn tenant(people: usize, groups: usize) -> Simulator<DuoSim> {
    let mut duo = DuoSim::standing_at(NOW);
    duo.switches.signed_host = Some(HOST.to_owned());
    Company::seeded(7).fill(&mut duo, people, groups);
    Simulator::start(duo)
}

fn settings(simulator: &Simulator<DuoSim>) -> Settings {
    Settings {
        api_host: HOST.to_owned(),
        base_url: simulator.url(),
        integration_key: INTEGRATION_KEY.to_owned(),
        secret_key: SECRET_KEY.into(),
        signature: SignatureVersion::V5,
        requests_per_minute: 180,
        ca_file: None,
        proxy: None,
    }
}

fn client_at(simulator: &Simulator<DuoSim>, now: i64) -> Client {
    Client::new(&settings(simulator), Clock::simulated(now, 1)).unwrap()
}

fn client(simulator: &Simulator<DuoSim>) -> Client {
    client_at(simulator, NOW)
}

fn attributes() -> BTreeSet<String> {
    ["username", "email", "realname"].map(str::to_owned).into()
}

async fn read(client: &Client, groups: &[Group]) -> Result<Roster, ReadError> {
    client.read_roster(groups, &attributes(), &|_| {}).await
}

/// The groups of these names, in the order of their ids.
async fn groups(client: &Client, names: &[&str]) -> Vec<Group> {
    let mut all = client.read_groups().await.unwrap();
    all.retain(|group| names.contains(&group.name.as_str()));
    all
}

/// What the simulated tenant really holds, for these groups.
fn truth(simulator: &Simulator<DuoSim>, groups: &[Group]) -> Vec<(String, BTreeSet<String>)> {
    simulator.with(|duo| {
        let members = |id: &str| duo.world.group(id).unwrap().members.iter().cloned().collect();
        groups.iter().map(|group| (group.id.to_string(), members(group.id.as_str()))).collect()
    })
}

fn held(roster: &Roster) -> Vec<(String, BTreeSet<String>)> {
    let members = |members: &BTreeSet<_>| members.iter().map(ToString::to_string).collect();
    roster.groups.iter().map(|(id, (_, list))| (id.to_string(), members(list))).collect()
}
