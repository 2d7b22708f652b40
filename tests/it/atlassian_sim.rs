//! The simulator of Atlassian's SCIM service: one test for each thing that it imitates.

mod group;
mod patch;
mod service;
mod user;
mod watch;

use serde_json::{Value, json};

use crate::sim::atlassian::{AtlassianSettings, AtlassianSim};
use crate::sim::wire::{Answer, Request, Service as _};

/// What a request got.
struct Got {
    status: u16,
    headers: Vec<(String, String)>,
    body: Value,
}

impl Got {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    fn text(&self, pointer: &str) -> String {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    fn id(&self) -> String {
        self.text("/id")
    }

    /// Status, `scimType` and detail.
    fn refusal(&self) -> (u16, String, String) {
        (self.status, self.text("/scimType"), self.text("/detail"))
    }
}

impl From<Answer> for Got {
    fn from(answer: Answer) -> Self {
        let body = serde_json::from_slice(&answer.body).unwrap_or_default();
        Self { status: answer.status, headers: answer.headers, body }
    }
}

fn sim() -> AtlassianSim {
    AtlassianSim::new(AtlassianSettings::default())
}

/// A request below the directory, with its key.
fn request(sim: &AtlassianSim, method: &str, target: &str, body: &[u8]) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Request {
        method: method.to_owned(),
        path: format!("{}{path}", sim.base_path()),
        query: query.to_owned(),
        headers: vec![("authorization".to_owned(), format!("Bearer {}", sim.settings().api_key))],
        body: body.to_vec(),
    }
}

fn get(sim: &mut AtlassianSim, target: &str) -> Got {
    let request = request(sim, "GET", target, b"");
    sim.answer(&request).into()
}

fn send(sim: &mut AtlassianSim, method: &str, target: &str, body: &Value) -> Got {
    let request = request(sim, method, target, body.to_string().as_bytes());
    sim.answer(&request).into()
}

fn post(sim: &mut AtlassianSim, target: &str, body: &Value) -> Got {
    send(sim, "POST", target, body)
}

fn patch(sim: &mut AtlassianSim, target: &str, operations: &Value) -> Got {
    let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations });
    send(sim, "PATCH", target, &body)
}

/// A user as our product writes it.
fn person(name: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": format!("{name}@example.com"),
        "externalId": format!("DU-{name}"),
        "displayName": name,
        "emails": [{ "value": format!("{name}@example.com"), "type": "work", "primary": true }],
        "active": true,
    })
}

/// The same with one attribute changed; null removes it.
fn person_with(name: &str, attribute: &str, value: Value) -> Value {
    let mut person = person(name);
    if let Some(inner) = person.as_object_mut() {
        inner.remove(attribute);
        if !value.is_null() {
            inner.insert(attribute.to_owned(), value);
        }
    }
    person
}

fn team(name: &str) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name })
}

/// Ana and Bo, both in eng; their ids and the group's.
fn ana_and_bo(sim: &mut AtlassianSim) -> (String, String, String) {
    let (ana, bo) = (sim.add_user("ana@example.com", Some("DU-ana")), sim.add_user("bo@example.com", Some("DU-bo")));
    let eng = sim.add_group("eng");
    assert!(sim.add_member("eng", "ana@example.com") && sim.add_member("eng", "bo@example.com"), "both are there");
    (ana, bo, eng)
}

fn names(sim: &AtlassianSim, group: &str) -> Vec<String> {
    sim.members_of(group).into_iter().map(|name| name.replace("@example.com", "")).collect()
}
