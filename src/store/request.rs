//! What a journal entry is about.

use super::Request;
use crate::model::GroupId;
use crate::model::Owned;
use crate::model::PersonId;

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

    /// Whether it changes attributes: that is what can unlink an account (S11).
    pub fn updates_attributes(&self) -> bool {
        matches!(self, Self::UpdateUser { changes, .. } if !changes.is_empty())
    }

    /// Whether it takes access away from somebody.
    pub const fn takes_away(&self) -> bool {
        matches!(self, Self::DeactivateUser { .. } | Self::RemoveMembers { .. })
    }
}
