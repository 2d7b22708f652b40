//! The writing requests: each function sends exactly one, and decides nothing.
//!
//! There is no PUT, which clears what is not named, and no DELETE, which drops the record for good (both documented).

use super::Activity;
use super::answer::About;
use super::client::Answered;
use super::client::Client;
use super::error::RequestError;
use super::filter;
use super::group;
use super::patch;
use super::patch::Operation;
use super::schema::ParseResourceError;
use super::user;
use crate::http::Method;
use crate::model::Attributes;
use crate::model::ObservedAccount;
use crate::model::ObservedGroup;
use crate::model::ScimId;
use serde_json::Value;

/// A record that was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created<T> {
    /// The id that the service gave it.
    pub id: ScimId,
    /// The record as answered, when the answer has it.
    pub resource: Option<T>,
}

type Parse<T> = fn(&Value) -> Result<(ScimId, T), ParseResourceError>;

impl Client {
    /// Creates an active user. Where the address is that of a managed account, Atlassian links to it (documented). An
    /// address, a `userName` or an `externalId` that is taken is a conflict.
    pub async fn create_user(
        &self,
        external_id: &str,
        attributes: &Attributes,
    ) -> Result<Created<ObservedAccount>, RequestError> {
        let body = user::create_body(external_id, attributes);
        created(&self.write(Method::Post, "/Users", &body, About::Directory).await?, user::parse)
    }

    /// Sets these attributes and no other. Without any, nothing is sent: a PATCH of nothing is invalid, and one that
    /// changes nothing unlinked accounts (ACCESS-1003).
    pub async fn update_user(
        &self,
        id: &ScimId,
        changed: &Attributes,
    ) -> Result<Option<ObservedAccount>, RequestError> {
        self.patch("/Users", id, user::changes(changed), user::parse).await
    }

    /// Sets `active` and nothing else. Memberships stay as they are.
    pub async fn set_active(&self, id: &ScimId, activity: Activity) -> Result<Option<ObservedAccount>, RequestError> {
        self.patch("/Users", id, vec![user::set_activity(activity)], user::parse).await
    }

    /// Sets these attributes and `active: true`, in one request.
    pub async fn reactivate_user(
        &self,
        id: &ScimId,
        changed: &Attributes,
    ) -> Result<Option<ObservedAccount>, RequestError> {
        let mut operations = user::changes(changed);
        operations.push(user::set_activity(Activity::Active));
        self.patch("/Users", id, operations, user::parse).await
    }

    /// Creates an empty group. Names are unique in the whole organization; the name of a default or built-in group is
    /// answered with success and never appears on a site (both documented).
    pub async fn create_group(&self, display_name: &str) -> Result<Created<ObservedGroup>, RequestError> {
        let body = group::create_body(display_name);
        created(&self.write(Method::Post, "/Groups", &body, About::Directory).await?, group::parse)
    }

    /// Adds members, [`Client::members_per_request_max`] at most. 404 may mean the group or a member (documented).
    pub async fn add_members(&self, id: &ScimId, members: &[ScimId]) -> Result<Option<ObservedGroup>, RequestError> {
        let operations = if members.is_empty() { Vec::new() } else { group::add_members(members) };
        self.patch("/Groups", id, operations, group::parse).await
    }

    /// Removes members, [`Client::members_per_request_max`] at most. Success may mean that nothing happened, or, in the
    /// dialect [`super::MemberRemoval::Values`], that a strict service removed everybody: compare the answer.
    pub async fn remove_members(&self, id: &ScimId, members: &[ScimId]) -> Result<Option<ObservedGroup>, RequestError> {
        let operations =
            if members.is_empty() { Vec::new() } else { group::remove_members(members, self.member_removal()) };
        self.patch("/Groups", id, operations, group::parse).await
    }

    async fn patch<T>(
        &self,
        path: &str,
        id: &ScimId,
        operations: Vec<Operation>,
        parse: Parse<T>,
    ) -> Result<Option<T>, RequestError> {
        if operations.is_empty() {
            return Ok(None);
        }
        let path = format!("{path}/{}", filter::encode(id.as_str()));
        let answered = self.write(Method::Patch, &path, &patch::body(operations), About::Record).await?;
        patched(answered.body.as_ref(), id, parse)
    }
}

/// Without a body, success is believed. A body that is about something else, such as a page that says that the service
/// is not there, is no success: what became of the request is looked up.
pub(super) fn patched<T>(body: Option<&Value>, id: &ScimId, parse: Parse<T>) -> Result<Option<T>, RequestError> {
    let is_nothing = |body: &&Value| body.is_null() || body.as_object().is_some_and(serde_json::Map::is_empty);
    let Some(body) = body.filter(|body| !is_nothing(body)) else { return Ok(None) };
    match parse(body) {
        Ok((answered_id, resource)) if answered_id == *id => Ok(Some(resource)),
        // The record itself, with something in it that cannot be read.
        Err(_) if super::schema::id(body).as_ref() == Some(id) => Ok(None),
        Ok(_) | Err(_) => Err(RequestError::AnotherRecord),
    }
}

/// The id comes from the body, or else from `Location`, of which Atlassian says nothing.
pub(super) fn created<T>(answered: &Answered, parse: Parse<T>) -> Result<Created<T>, RequestError> {
    if let Some(Ok((id, resource))) = answered.body.as_ref().map(parse) {
        return Ok(Created { id, resource: Some(resource) });
    }
    let body_id = answered.body.as_ref().and_then(super::schema::id);
    let id = body_id.or_else(|| answered.location.as_deref().and_then(id_of_location)).ok_or(RequestError::NoId)?;
    Ok(Created { id, resource: None })
}

/// The last part of the path of a `Location` below `/Users` or `/Groups`.
fn id_of_location(location: &str) -> Option<ScimId> {
    let path = location.split(['?', '#']).next()?;
    let (before, last) = path.rsplit_once('/')?;
    let is_below = before.ends_with("/Users") || before.ends_with("/Groups");
    let id = percent_encoding::percent_decode_str(last).decode_utf8().ok()?;
    (is_below && !id.is_empty()).then(|| ScimId::new(id))
}

#[cfg(test)]
mod tests {
    use super::{Created, created, patched};
    use crate::model::ScimId;
    use crate::scim::client::Answered;
    use crate::scim::error::RequestError;
    use crate::scim::group;
    use crate::scim::user;
    use serde_json::json;

    fn answered(body: Option<serde_json::Value>, location: Option<&str>) -> Answered {
        Answered { body, location: location.map(str::to_owned) }
    }

    #[test]
    fn the_id_of_what_was_created_comes_from_the_body_or_the_location() {
        let id = |answered: &Answered| created(answered, user::parse).map(|created| created.id);
        let url = "https://api.example.com/scim/directory/d/Users/a%2Fb?x=/y";
        assert_eq!(id(&answered(Some(json!({"id": "1"})), Some(url))).unwrap().as_str(), "1");
        assert_eq!(id(&answered(Some(json!({})), Some(url))).unwrap().as_str(), "a/b");
        assert_eq!(id(&answered(None, Some("/scim/Users/7"))).unwrap().as_str(), "7");
        for nothing in [None, Some("https://example.com/"), Some("https://example.com/Users/"), Some("7")] {
            assert!(matches!(id(&answered(None, nothing)), Err(RequestError::NoId)));
        }
    }

    #[test]
    fn a_change_is_believed_without_a_body_and_not_with_one_that_is_about_something_else() {
        let read = |body: Option<serde_json::Value>| {
            let answer = patched(body.as_ref(), &ScimId::new("1"), user::parse);
            answer.map(|user| user.is_some()).map_err(|error| matches!(error, RequestError::AnotherRecord))
        };
        for nothing in [None, Some(json!(null)), Some(json!({}))] {
            assert_eq!(read(nothing), Ok(false));
        }
        assert_eq!(read(Some(json!({ "id": "1", "userName": "ana" }))), Ok(true));
        let nameless = patched(Some(&json!({ "id": "1", "members": [] })), &ScimId::new("1"), group::parse);
        assert!(matches!(nameless, Ok(None)), "it is about the record, and cannot be compared");
        for other in
            [json!({ "id": "2", "userName": "ana" }), json!({ "message": "maintenance" }), json!([]), json!("")]
        {
            assert_eq!(read(Some(other)), Err(true));
        }
    }

    #[test]
    fn a_group_without_a_name_in_the_answer_was_created_all_the_same() {
        let answer = created(&answered(Some(json!({"id": "g"})), None), group::parse).unwrap();
        assert_eq!(answer, Created { id: ScimId::new("g"), resource: None });
    }
}
