//! Resources as they are answered.

use serde_json::{Value, json};

use super::attribute::{CUSTOM_URN, ENTERPRISE_URN, EXTERNAL_URN, GROUP_URN, Object, USER_URN};
use super::clock::written;
use super::path::{Place, Target};
use super::query::Choice;
use super::setting::{ActiveInReads, AtlassianSettings, Extensions};
use super::world::{Group, User, World};

/// Why a resource is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// It was asked for.
    Read,
    /// It was written.
    Write,
}

/// The address of a resource below the directory.
pub fn location(settings: &AtlassianSettings, path: &str) -> String {
    format!("{}/scim/directory/{}/{path}", settings.public_url, settings.directory_id)
}

/// A user.
pub fn user(settings: &AtlassianSettings, world: &World, user: &User, occasion: Occasion) -> Object {
    let mut shown = user.attributes.clone();
    // In the order of a captured answer: Atlassian's own schema leads.
    let mut schemas = vec![USER_URN, ENTERPRISE_URN];
    if let (Some(account), Extensions::Atlassian) = (&user.account_id, settings.extensions) {
        schemas.insert(0, EXTERNAL_URN);
        shown.insert(EXTERNAL_URN.to_owned(), json!({ "atlassianAccountId": account }));
    }
    if shown.contains_key(CUSTOM_URN) {
        schemas.push(CUSTOM_URN);
    }
    match (settings.active_in_reads, occasion) {
        (ActiveInReads::AbsentWhenTrue, Occasion::Read) if user.active() => {
            shown.remove("active");
        }
        (ActiveInReads::AbsentWhenTrue | ActiveInReads::Present, Occasion::Read | Occasion::Write) => {}
    }
    let groups = user.groups.iter().filter_map(|key| world.groups.get(key)).map(|group| {
        json!({
            "type": "direct",
            "value": group.id,
            "display": group.name,
            "$ref": location(settings, &format!("Groups/{}", group.id)),
        })
    });
    shown.insert("groups".to_owned(), groups.collect());
    shown.insert("schemas".to_owned(), json!(schemas));
    shown.insert("id".to_owned(), json!(user.id));
    shown.insert("meta".to_owned(), meta(settings, "User", &user.id, (user.created_ms, user.modified_ms)));
    shown
}

/// A group with all of its members: nothing makes this answer smaller.
pub fn group(settings: &AtlassianSettings, world: &World, group: &Group) -> Value {
    let members = group.members.iter().filter_map(|key| world.users.get(key)).map(|user| {
        json!({
            "type": "User",
            "value": user.id,
            "display": user.user_name(),
            "$ref": location(settings, &format!("Users/{}", user.id)),
        })
    });
    let mut shown = json!({
        "schemas": [GROUP_URN],
        "id": group.id,
        "displayName": group.name,
        "members": members.collect::<Value>(),
        "meta": meta(settings, "Group", &group.id, (group.created_ms, group.modified_ms)),
    });
    if let (Some(external_id), Some(shown)) = (&group.external_id, shown.as_object_mut()) {
        shown.insert("externalId".to_owned(), json!(external_id));
    }
    shown
}

/// No `version`: Atlassian does not count the changes of a resource.
fn meta(settings: &AtlassianSettings, kind: &str, id: &str, (created_ms, modified_ms): (i64, i64)) -> Value {
    let salt = id.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    json!({
        "resourceType": kind,
        "location": location(settings, &format!("{kind}s/{id}")),
        "created": written(created_ms, salt),
        "lastModified": written(modified_ms, salt),
    })
}

/// The chosen attributes of a resource; `schemas` and `id` are always among them.
pub fn chosen(mut shown: Object, choice: &Choice) -> Value {
    match choice {
        Choice::All => Value::Object(shown),
        Choice::Only(targets) => {
            let mut kept = Object::new();
            for name in ["schemas", "id"] {
                if let Some(value) = shown.get(name) {
                    kept.insert(name.to_owned(), value.clone());
                }
            }
            for target in targets {
                keep(&shown, &mut kept, target);
            }
            Value::Object(kept)
        }
        Choice::Without(targets) => {
            for target in targets {
                omit(&mut shown, target);
            }
            Value::Object(shown)
        }
    }
}

fn keep(shown: &Object, kept: &mut Object, target: &Target) {
    match target {
        Target::Unknown => {}
        Target::Extension(extension) => {
            if let Some(value) = shown.get(extension.urn) {
                kept.insert(extension.urn.to_owned(), value.clone());
            }
        }
        Target::Attribute(place) => match place.extension {
            None => keep_place(shown, kept, place),
            Some(extension) => {
                let Some(held) = shown.get(extension.urn).and_then(Value::as_object) else { return };
                let inner = kept.entry(extension.urn).or_insert_with(|| json!({}));
                if let Some(inner) = inner.as_object_mut() {
                    keep_place(held, inner, place);
                }
            }
        },
    }
}

fn keep_place(shown: &Object, kept: &mut Object, place: &Place) {
    let name = place.attribute.name;
    let (Some(value), Some(part)) = (shown.get(name), place.part) else {
        if let Some(value) = shown.get(name) {
            kept.insert(name.to_owned(), value.clone());
        }
        return;
    };
    match (kept.get_mut(name), value) {
        // `emails.value,emails.type` names the same list twice.
        (Some(Value::Array(kept)), Value::Array(items)) => {
            for (kept, item) in kept.iter_mut().zip(items) {
                add_part(kept, item, part.name);
            }
        }
        (Some(kept), item) => add_part(kept, item, part.name),
        (None, Value::Array(items)) => {
            let items = items.iter().map(|item| only_part(item, part.name)).collect();
            kept.insert(name.to_owned(), items);
        }
        (None, item) => {
            kept.insert(name.to_owned(), only_part(item, part.name));
        }
    }
}

fn only_part(item: &Value, part: &str) -> Value {
    let mut kept = json!({});
    add_part(&mut kept, item, part);
    kept
}

fn add_part(kept: &mut Value, item: &Value, part: &str) {
    if let (Some(kept), Some(value)) = (kept.as_object_mut(), item.get(part)) {
        kept.insert(part.to_owned(), value.clone());
    }
}

fn omit(shown: &mut Object, target: &Target) {
    let place = match target {
        Target::Unknown => return,
        Target::Extension(extension) => {
            shown.remove(extension.urn);
            return;
        }
        Target::Attribute(place) => place,
    };
    let holder = match place.extension {
        None => Some(shown),
        Some(extension) => shown.get_mut(extension.urn).and_then(Value::as_object_mut),
    };
    let Some(holder) = holder else { return };
    match (place.attribute.name, place.part) {
        ("schemas" | "id", _) => {}
        (name, None) => {
            holder.remove(name);
        }
        (name, Some(part)) => match holder.get_mut(name) {
            Some(Value::Array(items)) => {
                for item in items.iter_mut().filter_map(Value::as_object_mut) {
                    item.remove(part.name);
                }
            }
            Some(Value::Object(inner)) => {
                inner.remove(part.name);
            }
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => {}
        },
    }
}
