//! What a journal entry is about.

use super::Request;
use crate::guard::Item;
use crate::model::Attribute;
use crate::model::GroupId;
use crate::model::Owned;
use crate::model::PersonId;
use crate::model::ScimId;

impl Request {
    /// The person whose account it is about.
    pub const fn person(&self) -> Option<&PersonId> {
        match self {
            Self::Adopt { person, .. }
            | Self::CreateUser { person, .. }
            | Self::UpdateUser { person, .. }
            | Self::DeactivateUser { person, .. } => Some(person),
            Self::AdoptGroup { .. }
            | Self::CreateGroup { .. }
            | Self::AddMembers { .. }
            | Self::RemoveMembers { .. } => None,
        }
    }

    /// The group that it is about.
    pub const fn group(&self) -> Option<&GroupId> {
        match self {
            Self::AdoptGroup { group, .. }
            | Self::CreateGroup { group, .. }
            | Self::AddMembers { group, .. }
            | Self::RemoveMembers { group, .. } => Some(group),
            Self::Adopt { .. } | Self::CreateUser { .. } | Self::UpdateUser { .. } | Self::DeactivateUser { .. } => {
                None
            }
        }
    }

    /// `person:DU…` or `group:DG…`.
    pub fn record(&self) -> String {
        match (self.person(), self.group()) {
            (Some(person), _) => format!("person:{person}"),
            (None, Some(group)) => format!("group:{group}"),
            (None, None) => String::new(),
        }
    }

    /// The name of that record, for people.
    pub fn name(&self, owned: &Owned) -> String {
        match self {
            Self::Adopt { username, .. } | Self::CreateUser { username, .. } | Self::UpdateUser { username, .. } => {
                username.clone()
            }
            Self::DeactivateUser { person, .. } => {
                owned.accounts.get(person).map(|account| account.username.clone()).unwrap_or_default()
            }
            Self::AdoptGroup { name, .. } | Self::CreateGroup { name, .. } => name.clone(),
            Self::AddMembers { group, .. } | Self::RemoveMembers { group, .. } => {
                owned.groups.get(group).map(|group| group.name.clone()).unwrap_or_default()
            }
        }
    }

    /// What is done when it is done, in the words of [`items_of`](crate::guard::items_of).
    pub fn items(&self) -> Vec<Item> {
        match self {
            Self::Adopt { person, scim_id, .. } => vec![Item::of_person(format!("adopt {scim_id}"), person)],
            Self::AdoptGroup { group, scim_id, .. } => vec![Item::of_group(format!("adopt {scim_id}"), group)],
            Self::CreateUser { person, attributes, .. } => {
                let name = attributes.value(Attribute::UserName).unwrap_or_default();
                vec![Item::of_person(format!("create {name}"), person)]
            }
            Self::UpdateUser { person, changes, reactivate, .. } => {
                let set =
                    changes.iter().map(|(attribute, to)| Item::of_person(format!("set {attribute}={to}"), person));
                reactivate.then(|| Item::of_person("reactivate", person)).into_iter().chain(set).collect()
            }
            Self::DeactivateUser { person, .. } => vec![Item::of_person("deactivate", person)],
            Self::CreateGroup { group, name } => vec![Item::of_group(format!("create {name}"), group)],
            Self::AddMembers { group, members, .. } => memberships("join", group, members),
            Self::RemoveMembers { group, members, .. } => memberships("leave", group, members),
        }
    }

    /// Whether it changes attributes: that is what can unlink an account (S11).
    pub fn updates_attributes(&self) -> bool {
        matches!(self, Self::UpdateUser { changes, .. } if !changes.is_empty())
    }

    /// Whether it takes access away from somebody.
    pub const fn takes_away(&self) -> bool {
        matches!(self, Self::DeactivateUser { .. } | Self::RemoveMembers { .. })
    }
}

fn memberships(what: &str, group: &GroupId, members: &[(PersonId, ScimId)]) -> Vec<Item> {
    members.iter().map(|(person, _)| Item::of_membership(what, group, person)).collect()
}
