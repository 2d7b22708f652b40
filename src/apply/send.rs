//! One journal entry becomes one request.

use crate::model::ObservedAccount;
use crate::model::ObservedGroup;
use crate::model::ScimId;
use crate::scim::Activity;
use crate::scim::Client;
use crate::scim::RequestError;
use crate::store::Request;

/// What the target answered to a request that it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    /// Nothing was sent: a link.
    Linked,
    /// A user; the record when the answer had it.
    User(ScimId, Option<ObservedAccount>),
    /// A group; the record when the answer had it.
    Group(ScimId, Option<ObservedGroup>),
}

/// Sends one request. Links send nothing.
pub(super) async fn send(scim: &Client, request: &Request) -> Result<Answered, RequestError> {
    match request {
        Request::Adopt { .. } | Request::AdoptGroup { .. } => Ok(Answered::Linked),
        Request::CreateUser { person, attributes, .. } => {
            let created = scim.create_user(person.as_str(), attributes).await?;
            Ok(Answered::User(created.id, created.resource))
        }
        Request::UpdateUser { scim_id, changes, reactivate: false, .. } => {
            let answer = scim.update_user(scim_id, changes).await?;
            Ok(Answered::User(scim_id.clone(), answer))
        }
        Request::UpdateUser { scim_id, changes, reactivate: true, .. } => {
            let answer = scim.reactivate_user(scim_id, changes).await?;
            Ok(Answered::User(scim_id.clone(), answer))
        }
        Request::DeactivateUser { scim_id, .. } => {
            let answer = scim.set_active(scim_id, Activity::Inactive).await?;
            Ok(Answered::User(scim_id.clone(), answer))
        }
        Request::CreateGroup { name, .. } => {
            let created = scim.create_group(name).await?;
            Ok(Answered::Group(created.id, created.resource))
        }
        Request::AddMembers { scim_id, members, .. } => {
            let ids: Vec<ScimId> = members.iter().map(|(_, id)| id.clone()).collect();
            let answer = scim.add_members(scim_id, &ids).await?;
            Ok(Answered::Group(scim_id.clone(), answer))
        }
        Request::RemoveMembers { scim_id, members, .. } => {
            let ids: Vec<ScimId> = members.iter().map(|(_, id)| id.clone()).collect();
            let answer = scim.remove_members(scim_id, &ids).await?;
            Ok(Answered::Group(scim_id.clone(), answer))
        }
    }
}
