//! The watchdog: what our product promises never to do. It changes no answer; it remembers.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::Value;

use super::super::wire::Request;
use super::setting::AtlassianSettings;
use super::world::World;

/// What was seen so far.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    violations: Vec<String>,
    /// Writes that were done, by method, path and a hash of the body.
    done: BTreeMap<(String, String), BTreeSet<u64>>,
}

impl Watch {
    /// The promises that were broken, in order.
    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    /// Notes a broken promise.
    pub fn note(&mut self, settings: &AtlassianSettings, what: impl Into<String>) {
        if settings.strict {
            self.violations.push(what.into());
        }
    }

    /// Looks at a write before it is done.
    pub fn before(&mut self, settings: &AtlassianSettings, request: &Request) {
        let what = format!("{} {}", request.method, request.path);
        match request.method.as_str() {
            "PUT" => self.note(settings, format!("PUT clears what it does not name: {what}")),
            "DELETE" => self.note(settings, format!("DELETE cannot be undone: {what}")),
            _ => {}
        }
        let Ok(Value::Object(body)) = serde_json::from_slice(&request.body) else { return };
        if body.get("schemas").and_then(Value::as_array).is_none_or(Vec::is_empty) {
            self.note(settings, format!("no `schemas`: {what}"));
        }
        if body.values().map(most_primaries).max() > Some(1) {
            self.note(settings, format!("more than one primary address: {what}"));
        }
        if request.method == "POST" && request.path.ends_with("/Users") {
            for name in ["active", "externalId"] {
                if !body.contains_key(name) {
                    self.note(settings, format!("a new user without `{name}`: {what}"));
                }
            }
        }
    }

    /// Looks at a write after it was answered with this status.
    pub fn after(&mut self, settings: &AtlassianSettings, request: &Request, status: u16, change: (u64, &World)) {
        let (revision_before, world) = change;
        let mut hasher = DefaultHasher::new();
        request.body.hash(&mut hasher);
        let (body, what) = (hasher.finish(), format!("{} {}", request.method, request.path));
        let done = (200..300).contains(&status);
        let bodies = self.done.entry((request.method.clone(), request.path.clone())).or_default();
        let repeated = bodies.contains(&body);
        if done {
            bodies.insert(body);
        }
        // A write that was done, and that changes the state again, follows upon a change back. One that was refused may
        // be tried again in a later cycle.
        if world.revision == revision_before {
            if repeated {
                self.note(settings, format!("the same write again: {what}"));
            } else if done {
                self.note(settings, format!("a write that changed nothing: {what}"));
            }
        }
    }
}

/// The greatest number of `"primary": true` in one list, wherever in the body it stands.
fn most_primaries(value: &Value) -> usize {
    match value {
        Value::Object(inner) => inner.values().map(most_primaries).max().unwrap_or(0),
        Value::Array(items) => {
            let here = items.iter().filter(|item| item.get("primary") == Some(&Value::Bool(true))).count();
            items.iter().map(most_primaries).max().unwrap_or(0).max(here)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}
