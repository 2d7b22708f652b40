//! A program that breaks its promises, one at a time: each eye of the watch must see it.

use super::city::City;
use super::config::{API_KEY, DIRECTORY_ID};
use super::truth::Should;
use super::watch::Promise;
use super::weather::{Fate, Side};
use crate::sim::wire::{Answer, Request, Service as _};
use serde_json::{Value, json};

/// What goes wrong inside of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// It deactivates somebody in scope.
    DeactivatesSomebody,
    /// It does not wait for the end of a time of grace.
    IsGraceless,
    /// It takes a membership that Duo has.
    TakesAMembership,
    /// It gives a membership that Duo has not.
    GivesAMembership,
    /// It changes a name to and fro.
    RepeatsItself,
    /// It sends three times as fast as it may.
    Hurries,
    /// It does not hear that a service asks for time.
    IsDeaf,
    /// It takes plans for approved.
    ApprovesItself,
    /// It believes that people have joined who have not.
    LosesJoins,
    /// It touches what is not ours.
    TouchesStrangers,
    /// It touches who is in no action.
    TouchesTheExcluded,
    /// It does not look at the brake.
    IgnoresTheBrake,
    /// It believes that people are deactivated who are not.
    BelievesTooMuch,
    /// Its snapshot is wrong.
    IsWrongAboutPeople,
    /// It sends what is in no journal.
    SendsWithoutIntent,
    /// It deletes.
    Deletes,
    /// It leaves somebody's name as it was.
    ForgetsSomebody,
    /// It sends when there is nothing to send.
    SendsForNothing,
    /// It damages its database.
    DamagesItsDatabase,
}

impl Sabotage {
    /// Every one, with the promise that it breaks.
    pub const ALL: [(Self, Promise); 19] = [
        (Self::DeactivatesSomebody, Promise::NobodyInScopeIsDeactivated),
        (Self::IsGraceless, Promise::GraceIsGiven),
        (Self::TakesAMembership, Promise::NoMembershipOfDuoIsTaken),
        (Self::GivesAMembership, Promise::NothingIsGivenUnasked),
        (Self::RepeatsItself, Promise::NothingIsDoneTwice),
        (Self::Hurries, Promise::TheBudgetIsKept),
        (Self::IsDeaf, Promise::AWaitIsObeyed),
        (Self::ApprovesItself, Promise::AHeldPlanWaits),
        (Self::LosesJoins, Promise::AMoverKeepsAccess),
        (Self::TouchesStrangers, Promise::TheForeignIsLeftAlone),
        (Self::TouchesTheExcluded, Promise::ListsAreObeyed),
        (Self::IgnoresTheBrake, Promise::TheBrakeHolds),
        (Self::BelievesTooMuch, Promise::TheEndIsTrue),
        (Self::IsWrongAboutPeople, Promise::TheSnapshotIsTrue),
        (Self::SendsWithoutIntent, Promise::IntentComesFirst),
        (Self::Deletes, Promise::TheDirectoryHasNoComplaint),
        (Self::ForgetsSomebody, Promise::ItConverges),
        (Self::SendsForNothing, Promise::NothingToDoIsQuiet),
        (Self::DamagesItsDatabase, Promise::TheDatabaseIsSound),
    ];
}

/// A request that the program would have sent.
fn request(method: &str, path: &str, body: &Value) -> Request {
    Request {
        method: method.to_owned(),
        path: format!("/scim/directory/{DIRECTORY_ID}{path}"),
        query: String::new(),
        headers: vec![("authorization".to_owned(), format!("Bearer {API_KEY}"))],
        body: if body.is_null() { Vec::new() } else { body.to_string().into_bytes() },
    }
}

fn patch(path: &str, operation: &Value) -> Request {
    let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation] });
    request("PATCH", path, &body)
}

fn renamed(record: &str, name: &str) -> Request {
    patch(&format!("/Users/{record}"), &json!({ "op": "replace", "path": "displayName", "value": name }))
}

impl City {
    /// What goes wrong when a request of the program has arrived.
    pub fn misbehave(&mut self) {
        let Some(sabotage) = self.sabotage else { return };
        let is_sync = self.watch.is_sending();
        if !is_sync || self.has_misbehaved {
            return;
        }
        let sent = self.sabotaged_requests(sabotage);
        self.has_misbehaved = !sent.is_empty();
        for request in sent {
            self.say(|| format!("  sabotage: {sabotage:?}"));
            if matches!(sabotage, Sabotage::SendsWithoutIntent | Sabotage::SendsForNothing) {
                self.watch.writes_one(&request);
            }
            self.answer(Side::Atlassian, &request, Fate::Well);
        }
    }

    fn sabotaged_requests(&self, sabotage: Sabotage) -> Vec<Request> {
        let active = |should: &Should| should.may_gain && !should.left_alone && should.perhaps.is_empty();
        let name = format!("x{}", self.requests());
        let wrote = self.watch.writes > 0;
        match sabotage {
            Sabotage::DeactivatesSomebody | Sabotage::IsGraceless => {
                let operation = json!({ "op": "replace", "path": "active", "value": false });
                let has_left = |should: &Should| should.only_left;
                let victim =
                    if sabotage == Sabotage::IsGraceless { self.victim(has_left) } else { self.victim(active) };
                victim.map(|(_, id)| patch(&format!("/Users/{id}"), &operation)).into_iter().collect()
            }
            Sabotage::TakesAMembership => self.membership(true).into_iter().collect(),
            Sabotage::GivesAMembership => self.membership(false).into_iter().collect(),
            Sabotage::RepeatsItself => self
                .victim(active)
                .map_or_else(Vec::new, |(_, id)| vec![renamed(&id, "one"), renamed(&id, "two"), renamed(&id, "one")]),
            Sabotage::SendsWithoutIntent if wrote => self
                .victim(active)
                .map_or_else(Vec::new, |(_, id)| (0..30).map(|at| renamed(&id, &format!("{name}.{at}"))).collect()),
            Sabotage::SendsForNothing if !wrote => {
                self.victim(active).map(|(_, id)| renamed(&id, &name)).into_iter().collect()
            }
            Sabotage::TouchesStrangers => {
                let stranger = self.atlassian.service.users().find(|user| user.user_name().starts_with("stranger."));
                stranger.map(|user| renamed(&user.id, &name)).into_iter().collect()
            }
            Sabotage::TouchesTheExcluded => {
                self.victim(|should| should.left_alone).map(|(_, id)| renamed(&id, &name)).into_iter().collect()
            }
            Sabotage::Deletes => {
                let user = self.victim(active);
                user.map(|(_, id)| request("DELETE", &format!("/Users/{id}"), &Value::Null)).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// Somebody with a record of ours.
    fn victim(&self, wanted: impl Fn(&Should) -> bool) -> Option<(String, String)> {
        let truth = self.truth();
        let record = |person: &String| {
            let id = self.watch.links.record(person)?;
            let user = self.atlassian.service.users().find(|user| user.id == id)?;
            (user.active()).then(|| id.to_owned())
        };
        truth.people.iter().filter(|(_, should)| wanted(should)).find_map(|(id, _)| Some((id.clone(), record(id)?)))
    }

    /// Takes or gives a membership, against Duo's word.
    fn membership(&self, takes: bool) -> Option<Request> {
        let (truth, sim) = (self.truth(), &self.atlassian.service);
        for group in sim.groups() {
            let Some(of) = self.watch.links.known_group(&group.id) else { continue };
            let members = sim.members_of(&group.name);
            for user in sim.users() {
                let Some(person) = self.watch.links.known_person(&user.id) else { continue };
                let should = truth.should(person);
                let is_in = members.contains(user.user_name());
                let is_right = should.groups.contains(of) && !should.may_lose && !should.left_alone;
                let is_wrong = !should.groups.contains(of) && should.perhaps.is_empty() && !should.left_alone;
                let path = format!("/Groups/{}", group.id);
                if takes && is_in && is_right && truth.manages_groups {
                    let filter = format!("members[value eq \"{}\"]", user.id);
                    return Some(patch(&path, &json!({ "op": "remove", "path": filter })));
                }
                if !takes && !is_in && is_wrong {
                    let value = json!([{ "value": user.id }]);
                    return Some(patch(&path, &json!({ "op": "add", "path": "members", "value": value })));
                }
            }
        }
        None
    }

    /// What a program that believes too much hears instead of the answer to what it sent.
    pub fn make_believe(&mut self, request: &Request) -> Option<Answer> {
        let sent = request.json().filter(|_| request.method == "PATCH")?;
        let operation = sent.get("Operations")?.get(0)?.clone();
        let is = |name: &str, value: &Value| operation.get(name) == Some(value);
        let is_join = request.path.contains("/Groups/") && is("op", &json!("add"));
        let is_end = request.path.contains("/Users/") && is("value", &json!(false));
        match self.sabotage? {
            Sabotage::LosesJoins if is_join => {}
            Sabotage::BelievesTooMuch if is_end => {}
            _ => return None,
        }
        let read = Request { method: "GET".to_owned(), body: Vec::new(), ..request.clone() };
        let mut answer = self.atlassian.service.answer(&read);
        let mut body: Value = serde_json::from_slice(&answer.body).ok()?;
        if is_end {
            body.as_object_mut()?.insert("active".to_owned(), json!(false));
        } else {
            let members = body.as_object_mut()?.entry("members").or_insert_with(|| json!([])).as_array_mut()?;
            members.extend(operation.get("value")?.as_array()?.iter().cloned());
        }
        answer.body = body.to_string().into_bytes();
        Some(answer)
    }

    /// What is changed where nobody sees it, when a cycle is over.
    pub fn tamper(&mut self) {
        if self.sabotage != Some(Sabotage::IsWrongAboutPeople) {
            return;
        }
        let user = self.victim(|should| should.may_gain);
        let name = user.and_then(|(_, id)| {
            self.atlassian.service.users().find(|user| user.id == id).map(|user| user.user_name().to_owned())
        });
        if let Some(name) = name {
            let _ = self.atlassian.service.edit_user(&name, "active", json!(false));
        }
    }
}
