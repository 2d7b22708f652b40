//! Requests of which nobody knows what became of them (S13): the rows of the table in `src/apply/settle.rs`, one by
//! one, against the simulated directory.

mod failed;
mod group;
mod repeated;
mod user;

use super::super::sim::wire::Edit;
use super::timed::Timed;
use duo_atlassian_sync::apply;
use duo_atlassian_sync::apply::{Pauses, SettleError};
use duo_atlassian_sync::model::{
    Attribute, Attributes, GroupId, OwnedAccount, OwnedGroup, PersonId, ScimId, Timestamp,
};
use duo_atlassian_sync::store::{Effect, Intent, Outcome, OutcomeKind, Request};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

fn attributes(name: &str) -> Attributes {
    let email = format!("{name}@example.com");
    [(Attribute::UserName, name), (Attribute::Emails, &email), (Attribute::DisplayName, name)].into_iter().collect()
}

fn person(name: &str) -> PersonId {
    PersonId::new(format!("DU{name}"))
}

fn group(name: &str) -> GroupId {
    GroupId::new(format!("DG{name}"))
}

fn create(name: &str) -> Request {
    Request::CreateUser { person: person(name), username: name.to_owned(), attributes: attributes(name) }
}

impl Timed<'_> {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.clock.now_seconds())
    }

    /// An account of ours, in both worlds.
    fn own(&mut self, name: &str) -> ScimId {
        let scim_id = ScimId::new(self.scene.atlassian(|sim| sim.add_user(name, Some(person(name).as_str()))));
        let account = OwnedAccount {
            scim_id: scim_id.clone(),
            username: name.to_owned(),
            attributes: attributes(name),
            active: true,
            refused: Attributes::new(),
            left_scope_at: None,
        };
        self.effect(create(name), Effect::LinkAccount(person(name), account));
        scim_id
    }

    /// A group of ours with these people, in both worlds.
    fn own_group(&mut self, name: &str, people: &[&str]) -> ScimId {
        let scim_id = ScimId::new(self.scene.atlassian(|sim| sim.add_group(name)));
        self.scene.atlassian(|sim| people.iter().for_each(|person| assert!(sim.add_member(name, person))));
        let members = people.iter().map(|name| person(name)).collect();
        let link = OwnedGroup { scim_id: scim_id.clone(), name: name.to_owned(), members };
        let request = Request::CreateGroup { group: group(name), name: name.to_owned() };
        self.effect(request, Effect::LinkGroup(group(name), link));
        scim_id
    }

    fn effect(&mut self, request: Request, effect: Effect) {
        let id = self.is_cut_off(request);
        let outcome = Outcome { id, kind: OutcomeKind::Done, detail: String::new(), effects: vec![effect] };
        let cycle = self.store.begin_cycle("sync", self.now()).expect("a cycle");
        self.store.record_wave(cycle, &[outcome], &[], self.now()).expect("an outcome");
    }

    /// An intent without an outcome.
    fn is_cut_off(&mut self, request: Request) -> duo_atlassian_sync::store::JournalId {
        let cycle = self.store.begin_cycle("sync", self.now()).expect("a cycle");
        let intent = Intent { action: request.record(), request, spending: Vec::new() };
        self.store.record_wave(cycle, &[], &[intent], self.now()).expect("an intent")[0]
    }

    /// Settles, and says which records are blocked.
    fn settles(&mut self) -> Result<BTreeSet<String>, SettleError> {
        let cycle = self.store.begin_cycle("sync", self.now()).expect("a cycle");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let settling = apply::settle(&mut self.store, &self.scim, (&self.clock, cycle, Pauses::Obeyed));
        runtime.block_on(settling)
    }

    /// What one request that was cut off is settled as: the outcome in a word, and why.
    fn settled(&mut self, request: Request) -> (String, String) {
        let id = self.is_cut_off(request);
        let blocked = self.settles().expect("it settles");
        assert!(blocked.is_empty(), "{blocked:?}");
        self.outcome(id.0)
    }

    /// An entry of the journal.
    fn outcome(&self, id: i64) -> (String, String) {
        let sql = "SELECT COALESCE(outcome, 'open'), detail FROM journal WHERE id = ?1";
        let row = self.scene.open().query_row(sql, [id], |row| Ok((row.get(0)?, row.get(1)?)));
        row.expect("an entry")
    }

    /// Who of ours is in a group, by the snapshot.
    fn members(&self, name: &str) -> BTreeSet<String> {
        let owned = self.store.read_owned().expect("the snapshot");
        owned.groups[&group(name)].members.iter().map(|person| person.as_str()[2..].to_owned()).collect()
    }

    fn accounts(&self) -> BTreeMap<PersonId, OwnedAccount> {
        self.store.read_owned().expect("the snapshot").accounts
    }
}

/// The rows of a listing, changed.
fn rows(change: impl Fn(&mut Vec<Value>) + Send + 'static) -> Edit {
    Box::new(move |_, answer| {
        let mut body: Value = serde_json::from_slice(&answer.body).expect("JSON");
        if let Some(rows) = body["Resources"].as_array_mut() {
            change(rows);
            let count = rows.len();
            body["totalResults"] = count.into();
            body["itemsPerPage"] = count.into();
        }
        answer.body = body.to_string().into_bytes();
    })
}
