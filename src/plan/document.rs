//! Actions as they stand in a plan document.

use super::action::{Action, Cause, GroupRef, PersonRef, Skipped, Step, Subject};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A person as documents name them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonDocument {
    /// Duo's `user_id`.
    pub user_id: String,
    /// Duo's `username`.
    pub username: String,
}

/// A group as documents name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupDocument {
    /// Duo's `group_id`.
    pub group_id: String,
    /// The name in Atlassian.
    pub name: String,
}

/// Old and new value of one attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeDocument {
    /// What the target holds, as far as we know.
    pub from: Option<String>,
    /// What it will hold.
    pub to: String,
}

/// One entry of `actions`. Which of the optional fields are there depends on `action`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionDocument {
    /// Unique in the plan.
    pub id: String,
    /// `create`, `update`, …
    pub action: String,
    /// `source`, `configuration`, …
    pub cause: String,
    /// For people; not part of the fingerprint.
    pub reason: String,
    /// For actions on one account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonDocument>,
    /// For actions on a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupDocument>,
    /// For `create`, `update` and `reactivate`, by SCIM attribute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<BTreeMap<String, ChangeDocument>>,
    /// For `update_members`: who is added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<Vec<String>>,
    /// For `update_members`: who is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leave: Option<Vec<String>>,
    /// For `adopt` and `adopt_group`: which record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scim_id: Option<String>,
    /// For `adopt`: what the record holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<BTreeMap<String, String>>,
    /// For `adopt`: whether the record is active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// For `adopt`: the groups of ours that it is in, and whose memberships become ours. Not there without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// For `adopt_group`: whose memberships become ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<String>>,
}

impl From<&PersonRef> for PersonDocument {
    fn from(person: &PersonRef) -> Self {
        Self { user_id: person.user_id.to_string(), username: person.username.clone() }
    }
}

impl From<&GroupRef> for GroupDocument {
    fn from(group: &GroupRef) -> Self {
        Self { group_id: group.group_id.to_string(), name: group.name.clone() }
    }
}

impl From<&Action> for ActionDocument {
    fn from(action: &Action) -> Self {
        let ids = |people: &[crate::model::PersonId]| people.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut entry = Self {
            id: action.id(),
            action: action.step.name().to_owned(),
            cause: action.cause.as_str().to_owned(),
            reason: action.reason.clone(),
            person: action.step.person().map(PersonDocument::from),
            group: action.step.group().map(GroupDocument::from),
            changes: None,
            join: None,
            leave: None,
            scim_id: None,
            account: None,
            active: None,
            groups: None,
            members: None,
        };
        match &action.step {
            Step::Adopt { scim_id, attributes, active, groups, .. } => {
                entry.scim_id = Some(scim_id.to_string());
                entry.account =
                    Some(attributes.iter().map(|(a, value)| (a.path().to_owned(), value.to_owned())).collect());
                entry.active = Some(*active);
                let groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
                entry.groups = (!groups.is_empty()).then_some(groups);
            }
            Step::Create { attributes, .. } => {
                let change = |to: &str| ChangeDocument { from: None, to: to.to_owned() };
                entry.changes = Some(attributes.iter().map(|(a, to)| (a.path().to_owned(), change(to))).collect());
            }
            Step::Update { changes, .. } | Step::Reactivate { changes, .. } => {
                let change = |c: &super::Change| ChangeDocument { from: c.from.clone(), to: c.to.clone() };
                entry.changes = Some(changes.iter().map(|(a, c)| (a.path().to_owned(), change(c))).collect());
            }
            Step::Deactivate { .. } | Step::CreateGroup { .. } => {}
            Step::AdoptGroup { scim_id, members, .. } => {
                entry.scim_id = Some(scim_id.to_string());
                entry.members = Some(ids(members));
            }
            Step::UpdateMembers { join, leave, .. } => {
                entry.join = Some(ids(join));
                entry.leave = Some(ids(leave));
            }
        }
        entry
    }
}

impl ActionDocument {
    /// Whether it follows from what the target says: then a plan has it only if the target was read.
    pub fn follows_from_target(&self) -> bool {
        [Cause::Drift, Cause::Adoption].iter().any(|cause| self.cause == cause.as_str())
    }

    /// The entry without its reason, as canonical text: keys sorted (`serde_json` keeps objects in a `BTreeMap`), no
    /// numbers, no white space. The same on any machine.
    pub fn canonical(&self) -> String {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Value::Object(fields) = &mut value {
            fields.remove("reason");
        }
        value.to_string()
    }
}

/// One entry of `skipped`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedDocument {
    /// Whom it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonDocument>,
    /// Or what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupDocument>,
    /// Why, and what to do.
    pub reason: String,
}

impl From<&Skipped> for SkippedDocument {
    fn from(skipped: &Skipped) -> Self {
        let (person, group) = match &skipped.subject {
            Subject::Person(person) => (Some(person.into()), None),
            Subject::Group(group) => (None, Some(group.into())),
        };
        Self { person, group, reason: skipped.reason.clone() }
    }
}
