//! Reads Duo's group and user objects, whatever types they come in.

use crate::model::Group;
use crate::model::GroupId;
use crate::model::GroupStatus;
use crate::model::Person;
use crate::model::PersonId;
use crate::model::PersonStatus;
use crate::model::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One person and every group that Duo's record of that person names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonWithGroups {
    /// The person.
    pub person: Person,
    /// The ids of all groups of the person, selected or not.
    pub groups: BTreeSet<GroupId>,
}

/// Reads a group object. Without an id it is not one.
pub(super) fn read_group(value: &Value) -> Result<Group, String> {
    let id = text_at(value, "group_id").ok_or("a group has no group_id")?;
    // The name as it is: it may end in a directory's suffix, and people compare it with the Admin Panel.
    let name = value.get("name").and_then(Value::as_str).map(str::to_owned).or_else(|| text_at(value, "name"));
    let status = GroupStatus::parse(&text_at(value, "status").unwrap_or_default());
    Ok(Group { id: GroupId::new(id), name: name.unwrap_or_default(), status })
}

/// Reads the id of a member of a group; what else a member object carries is not documented.
pub(super) fn read_member(value: &Value) -> Result<PersonId, String> {
    let id = text_at(value, "user_id").ok_or("a member has no user_id")?;
    Ok(PersonId::new(id))
}

/// Reads a user object. It must have an id and, even if empty, a list of groups: without it, nobody could say in which
/// groups the person is.
pub(super) fn read_person(value: &Value, attributes: &BTreeSet<String>) -> Result<PersonWithGroups, String> {
    let id = text_at(value, "user_id").ok_or("a person has no user_id")?;
    let Some(groups) = value.get("groups").and_then(Value::as_array) else {
        return Err(format!("person {id} comes without a list of groups"));
    };
    let group_id = |group: &Value| text_at(group, "group_id").map(GroupId::new);
    let groups: Option<BTreeSet<_>> = groups.iter().map(group_id).collect();
    let groups = groups.ok_or_else(|| format!("a group of person {id} has no group_id"))?;
    let values: BTreeMap<_, _> =
        attributes.iter().filter_map(|name| Some((name.clone(), read_attribute(value, name)?))).collect();
    let person = Person {
        id: PersonId::new(id),
        username: text_at(value, "username").unwrap_or_default(),
        status: PersonStatus::parse(&text_at(value, "status").unwrap_or_default()),
        values,
        last_directory_sync: text_at(value, "last_directory_sync").and_then(|text| read_moment(&text)),
    };
    Ok(PersonWithGroups { person, groups })
}

/// One attribute by the name a mapping gives it: a field of the user object, `alias1` to `alias8`, or
/// `custom_attributes.<name>`.
fn read_attribute(value: &Value, name: &str) -> Option<String> {
    if let Some(custom) = name.strip_prefix("custom_attributes.") {
        // Duo's Python client 5.7.0 writes them under such names; how they are returned is not documented.
        let nested = value.get("custom_attributes").and_then(|all| read_custom(all, custom));
        return nested.or_else(|| text_at(value, name));
    }
    if name.strip_prefix("alias").is_some_and(|digit| matches!(digit.as_bytes(), [b'1'..=b'8'])) {
        // The map has replaced the fields `alias1` to `alias4`.
        let mapped = value.get("aliases").and_then(|aliases| text_at(aliases, name));
        return mapped.or_else(|| text_at(value, name));
    }
    text_at(value, name)
}

/// A scalar, or a list of one, by its name; also from a list of objects with `name` and `value`.
fn read_custom(all: &Value, name: &str) -> Option<String> {
    let is_named = |item: &&Value| item.get("name").and_then(Value::as_str) == Some(name);
    let found = match all.as_array() {
        Some(list) => list.iter().find(is_named)?.get("value"),
        None => all.get(name),
    }?;
    match found.as_array().map(Vec::as_slice) {
        None => text_of(found),
        Some([only]) => text_of(only),
        Some(_) => None,
    }
}

fn read_moment(text: &str) -> Option<Timestamp> {
    let seconds = text.parse::<i64>().ok().or_else(|| text.parse::<Timestamp>().ok().map(Timestamp::seconds))?;
    (seconds > 0).then(|| Timestamp::from_seconds(seconds))
}

fn text_at(value: &Value, name: &str) -> Option<String> {
    text_of(value.get(name)?)
}

/// A scalar as text, trimmed; nothing for null, an empty text, a list or an object.
fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::{read_group, read_member, read_person};
    use crate::model::GroupId;
    use crate::model::GroupStatus;
    use crate::model::PersonStatus;
    use serde_json::json;
    use std::collections::BTreeSet;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_person_keeps_what_was_asked_for_and_is_not_empty() {
        let user = json!({
            "user_id": "DU1", "username": " ana ", "email": "ana@example.com", "realname": null, "lastname": "",
            "notes": "  ", "is_enrolled": true, "created": 1_489_612_729, "status": "locked out", "phones": [{}],
            "groups": [{"group_id": "DG1", "name": "x"}, {"group_id": "DG2"}], "last_directory_sync": "1508789163",
            "aliases": {"alias1": "a1", "alias8": 8}, "alias1": "old", "alias2": "a2",
            "custom_attributes": {"team": ["red"], "floor": 3, "many": ["a", "b"]}, "unknown": {"x": 1}
        });
        let asked = names(&[
            "username",
            "email",
            "realname",
            "lastname",
            "notes",
            "is_enrolled",
            "created",
            "phones",
            "alias1",
            "alias2",
            "alias3",
            "alias8",
            "alias9",
            "custom_attributes.team",
            "custom_attributes.floor",
            "custom_attributes.many",
            "custom_attributes.none",
            "absent",
        ]);
        let read = read_person(&user, &asked).unwrap();
        assert_eq!(read.person.username, "ana");
        assert_eq!(read.person.status, PersonStatus::LockedOut);
        assert_eq!(read.person.last_directory_sync.unwrap().seconds(), 1_508_789_163);
        assert_eq!(read.groups.iter().map(GroupId::as_str).collect::<Vec<_>>(), ["DG1", "DG2"]);
        let values: Vec<_> = read.person.values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected = [
            ("alias1", "a1"),
            ("alias2", "a2"),
            ("alias8", "8"),
            ("created", "1489612729"),
            ("custom_attributes.floor", "3"),
            ("custom_attributes.team", "red"),
            ("email", "ana@example.com"),
            ("is_enrolled", "true"),
            ("username", "ana"),
        ];
        assert_eq!(values, expected);
    }

    #[test]
    fn custom_attributes_are_taken_in_other_forms_too() {
        let asked = names(&["custom_attributes.team"]);
        for custom in [
            json!({"user_id": 1, "groups": [], "custom_attributes": [{"name": "team", "value": "red"}]}),
            json!({"user_id": 1, "groups": [], "custom_attributes.team": "red"}),
        ] {
            assert_eq!(read_person(&custom, &asked).unwrap().person.values["custom_attributes.team"], "red");
        }
    }

    #[test]
    fn a_person_without_groups_or_id_is_unread() {
        let read = |user| read_person(&user, &BTreeSet::new());
        assert!(read(json!({"user_id": "DU1", "groups": []})).unwrap().groups.is_empty());
        for bad in [
            json!({"user_id": "DU1"}),
            json!({"user_id": "DU1", "groups": null}),
            json!({"user_id": "DU1", "groups": ["x"]}),
            json!({"groups": []}),
            json!({"user_id": "", "groups": []}),
            json!("DU1"),
        ] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_unknown_or_missing_status_is_unknown() {
        let person = read_person(&json!({"user_id": "DU1", "groups": []}), &BTreeSet::new()).unwrap().person;
        assert_eq!(person.status, PersonStatus::Unknown("".into()));
        let group =
            read_group(&json!({"group_id": "DG1", "name": "eng (from AD sync \"X\") ", "status": "Frozen"})).unwrap();
        assert_eq!(group.status, GroupStatus::Unknown("Frozen".into()));
        assert_eq!(group.name, "eng (from AD sync \"X\") ");
        assert!(read_group(&json!({"name": "x"})).is_err());
        assert_eq!(read_member(&json!({"user_id": "DU1", "username": 3})).unwrap().as_str(), "DU1");
    }
}
