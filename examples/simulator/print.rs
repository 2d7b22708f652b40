//! What the program prints and records.

use crate::sim::duo::INTEGRATION_KEY;
use crate::sim::duo::SECRET_KEY;
use crate::sim::stage::API_KEY;
use crate::sim::stage::Stage;
use crate::sim::wire::Request;
use serde_json::Value;
use serde_json::json;

/// Addresses and keys, for programs.
pub(crate) fn document(stage: &Stage) -> String {
    json!({
        "duo": stage.duo.url(),
        "integration_key": INTEGRATION_KEY,
        "secret_key": SECRET_KEY,
        "scim_base_url": stage.scim_base_url(),
        "api_key": API_KEY,
        "config": stage.config(),
    })
    .to_string()
}

/// Addresses, keys and what to try, for people.
pub(crate) fn text(stage: &Stage) -> String {
    let (people, groups, person, group) = stage.duo.with(|duo| {
        let person = duo.world.people().next().map_or("somebody", |person| &person.username).to_owned();
        let group = duo.world.groups().next().map_or("a group", |group| &group.name).to_owned();
        (duo.world.people().count(), duo.world.groups().count(), person, group)
    });
    let run = format!("cargo run -- --config {}", stage.config().display());
    let (duo, scim) = (stage.duo.url(), stage.scim_base_url());
    format!(
        "\
Duo        {duo}
           integration key {INTEGRATION_KEY}, secret key {SECRET_KEY}
           {people} people in {groups} groups
Atlassian  {scim}
           API key {API_KEY}
           an empty directory

Try, in another terminal:
  {run} check
  {run} plan
  {run} sync         held: the first plan waits for a person
  {run} approve ...  with the fingerprint that it showed
  {run} sync
  curl -H 'Authorization: Bearer {API_KEY}' '{scim}/Users?count=2'

Change Duo here, one line of JSON at a time, and sync again (all orders: --help):
  {set}
  {leave}

It runs until Ctrl-C or the end of its input.",
        set = json!({ "set": { "person": person, "realname": "Somebody Else" } }),
        leave = json!({ "leave": { "person": person, "group": group } }),
    )
}

/// A request as a line of the record.
pub(crate) fn recorded(service: &str, request: &Request) -> String {
    let body = match (request.body.is_empty(), request.json()) {
        (true, _) => Value::Null,
        (false, Some(body)) => body,
        (false, None) => String::from_utf8_lossy(&request.body).into_owned().into(),
    };
    let Request { method, path, query, .. } = request;
    json!({ "service": service, "method": method, "path": path, "query": query, "body": body }).to_string()
}
