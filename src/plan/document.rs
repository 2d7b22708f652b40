//! Actions as they stand in a plan document.

use super::action::{Action, Change, GroupRef, PersonRef, Step};
use crate::model::Attribute;
use serde_json::{Map, Value, json};

/// One entry of `actions`.
pub fn action_document(action: &Action) -> Value {
    let mut entry = canonical_action(action);
    if let Value::Object(fields) = &mut entry {
        fields.insert("reason".into(), action.reason.as_str().into());
    }
    entry
}

/// The entry without its reason. Keys are sorted (`serde_json` keeps objects in a `BTreeMap`), numbers do not occur: the
/// text of this value is the same on any machine.
pub(super) fn canonical_action(action: &Action) -> Value {
    let mut entry = Map::new();
    entry.insert("id".into(), action.id().into());
    entry.insert("action".into(), action.step.name().into());
    entry.insert("cause".into(), action.cause.as_str().into());
    if let Some(person) = action.step.person() {
        entry.insert("person".into(), person_document(person));
    }
    if let Some(group) = action.step.group() {
        entry.insert("group".into(), group_document(group));
    }
    match &action.step {
        Step::Adopt { scim_id, attributes, active, .. } => {
            entry.insert("scim_id".into(), scim_id.as_str().into());
            entry.insert("account".into(), json!(attributes));
            entry.insert("active".into(), (*active).into());
        }
        Step::Create { attributes, .. } => {
            let changes = attributes.iter().map(|(attribute, to)| change(attribute, None, to));
            entry.insert("changes".into(), Value::Object(changes.collect()));
        }
        Step::Update { changes, .. } | Step::Reactivate { changes, .. } => {
            let changes = changes.iter().map(|(attribute, Change { from, to })| change(*attribute, from.as_deref(), to));
            entry.insert("changes".into(), Value::Object(changes.collect()));
        }
        Step::Deactivate { .. } | Step::CreateGroup { .. } => {}
        Step::AdoptGroup { scim_id, members, .. } => {
            entry.insert("scim_id".into(), scim_id.as_str().into());
            entry.insert("members".into(), json!(members));
        }
        Step::UpdateMembers { join, leave, .. } => {
            entry.insert("join".into(), json!(join));
            entry.insert("leave".into(), json!(leave));
        }
    }
    Value::Object(entry)
}

fn change(attribute: Attribute, from: Option<&str>, to: &str) -> (String, Value) {
    (attribute.path().to_owned(), json!({ "from": from, "to": to }))
}

/// A person as documents name them.
pub(crate) fn person_document(person: &PersonRef) -> Value {
    json!({ "user_id": person.user_id, "username": person.username })
}

/// A group as documents name it.
pub(crate) fn group_document(group: &GroupRef) -> Value {
    json!({ "group_id": group.group_id, "name": group.name })
}
