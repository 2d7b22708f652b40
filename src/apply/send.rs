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
    /// A user who was found by a look-up. An earlier request may have made the record, with values of its own.
    Found(ScimId, ObservedAccount),
    /// A group; the record when the answer had it.
    Group(ScimId, Option<ObservedGroup>),
}

/// One request and what is known around it.
#[derive(Debug)]
pub(super) struct Exchange {
    /// The group as it was right before, where it was looked at.
    pub(super) before: Option<ObservedGroup>,
    pub(super) answer: Result<Answered, RequestError>,
}

/// Whether a group is read before members are removed from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Yes, and after it where the answer has no group: nothing proved yet that only those go who are meant.
    First,
    /// No: one request.
    No,
}

/// Sends one request, and looks at what it is about first where that is asked for.
pub(super) async fn exchange(scim: &Client, request: &Request, look: Look) -> Exchange {
    let (Request::RemoveMembers { scim_id, members, .. }, Look::First) = (request, look) else {
        return Exchange { before: None, answer: send(scim, request).await };
    };
    let before = match scim.read_group(scim_id).await {
        Ok(Some(before)) => before,
        Ok(None) => return Exchange { before: None, answer: Err(RequestError::NotFound { said: None }) },
        Err(error) => return Exchange { before: None, answer: Err(error) },
    };
    let answer = if members.iter().any(|(_, id)| before.members.contains(id)) {
        seen(scim, send(scim, request).await).await
    } else {
        // Nobody is in it any more: there is nothing to send.
        Ok(Answered::Group(scim_id.clone(), Some(before.clone())))
    };
    Exchange { before: Some(before), answer }
}

/// The answer with the group, which is read where the answer has none.
async fn seen(scim: &Client, answer: Result<Answered, RequestError>) -> Result<Answered, RequestError> {
    match answer {
        Ok(Answered::Group(id, None)) => {
            // That it cannot be read is no failure of the request.
            let group = scim.read_group(&id).await.ok().flatten();
            Ok(Answered::Group(id, group))
        }
        answer => answer,
    }
}

/// Sends one request. Links send nothing.
async fn send(scim: &Client, request: &Request) -> Result<Answered, RequestError> {
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
