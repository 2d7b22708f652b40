//! The group resource: what is sent, and what is read from an answer.

use super::MemberRemoval;
use super::filter;
use super::patch::Operation;
use super::schema;
use super::schema::ParseResourceError;
use crate::model::ObservedGroup;
use crate::model::ScimId;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeSet;

/// The body of a POST: the name only.
///
/// Atlassian's rendered documentation shows nothing else in this body. Whether `externalId` and `members` are taken is
/// not verified, so neither is sent; members follow by PATCH.
pub(super) fn create_body(display_name: &str) -> Value {
    json!({ "schemas": [schema::GROUP], "displayName": display_name })
}

/// Adds members: several in one operation, as in the worked example of Atlassian's specification. Adding one who is
/// there already changes nothing (RFC 7644 section 3.5.2.1).
pub(super) fn add_members(members: &[ScimId]) -> Vec<Operation> {
    vec![Operation::Add { path: "members", value: values(members) }]
}

/// Removes members in the dialect that is set.
pub(super) fn remove_members(members: &[ScimId], removal: MemberRemoval) -> Vec<Operation> {
    let filtered = |member: &ScimId| {
        let path = format!("members[value eq {}]", filter::quoted(member.as_str()));
        Operation::Remove { path }
    };
    match removal {
        MemberRemoval::Filter => members.iter().map(filtered).collect(),
        MemberRemoval::Values => vec![Operation::RemoveValues { path: "members", value: values(members) }],
    }
}

fn values(members: &[ScimId]) -> Value {
    members.iter().map(|member| json!({ "value": member.as_str() })).collect()
}

/// Reads a group. Members are a set; some peers name one twice, and leave the list out when there are none.
pub(super) fn parse(resource: &Value) -> Result<(ScimId, ObservedGroup), ParseResourceError> {
    let object = resource.as_object().ok_or(ParseResourceError::NotAnObject)?;
    let id = schema::id(resource).ok_or(ParseResourceError::NoId)?;
    let display_name = schema::text(object, "displayName").ok_or(ParseResourceError::NoName)?;
    let member = |value: &Value| schema::text(value.as_object()?, "value").map(ScimId::new);
    let members: BTreeSet<ScimId> = schema::list(object, "members").iter().filter_map(member).collect();
    Ok((id, ObservedGroup { display_name: display_name.to_owned(), members }))
}

#[cfg(test)]
mod tests {
    use super::{add_members, create_body, parse, remove_members};
    use crate::model::ScimId;
    use crate::scim::MemberRemoval;
    use crate::scim::patch;
    use crate::scim::schema::ParseResourceError;
    use serde_json::json;

    fn two() -> [ScimId; 2] {
        [ScimId::new("c6993c94"), ScimId::new("f0ae\"48f7")]
    }

    #[test]
    fn bodies_of_groups() {
        insta::assert_snapshot!(create_body("eng \"core\""), @r#"{"displayName":"eng \"core\"","schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"]}"#);
        insta::assert_snapshot!(patch::body(add_members(&two())), @r#"{"Operations":[{"op":"add","path":"members","value":[{"value":"c6993c94"},{"value":"f0ae\"48f7"}]}],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}"#);
        insta::assert_snapshot!(patch::body(remove_members(&two(), MemberRemoval::Filter)), @r#"{"Operations":[{"op":"remove","path":"members[value eq \"c6993c94\"]"},{"op":"remove","path":"members[value eq \"f0ae\\\"48f7\"]"}],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}"#);
        insta::assert_snapshot!(patch::body(remove_members(&two(), MemberRemoval::Values)), @r#"{"Operations":[{"op":"remove","path":"members","value":[{"value":"c6993c94"},{"value":"f0ae\"48f7"}]}],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}"#);
    }

    #[test]
    fn members_are_a_set_and_may_be_absent() {
        let (id, group) = parse(&json!({"id": "g", "displayName": "eng"})).unwrap();
        assert_eq!((id.as_str(), group.display_name.as_str(), group.members.len()), ("g", "eng", 0));
        let (_, group) = parse(&json!({"id": "g", "DisplayName": "eng", "Members": [
            {"type": "User", "value": "u1", "display": "ana", "$ref": "https://x/Users/u1"},
            {"value": "u1"}, {"value": "u2"}, {"display": "nobody"}, "u3"
        ]}))
        .unwrap();
        assert_eq!(group.members.into_iter().collect::<Vec<_>>(), [ScimId::new("u1"), ScimId::new("u2")]);
    }

    #[test]
    fn a_group_has_an_id_and_a_name() {
        assert_eq!(parse(&json!(null)).unwrap_err(), ParseResourceError::NotAnObject);
        assert_eq!(parse(&json!({"displayName": "eng"})).unwrap_err(), ParseResourceError::NoId);
        assert_eq!(parse(&json!({"id": "g"})).unwrap_err(), ParseResourceError::NoName);
    }
}
