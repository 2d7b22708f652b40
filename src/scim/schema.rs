//! Names that RFC 7643 and RFC 7644 fix, and lenient reading of the JSON that follows them.

use crate::model::ScimId;
use serde_json::Map;
use serde_json::Value;

/// The schema of a user.
pub(super) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The schema of a group.
pub(super) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The extension that holds `department` and `organization` a second time.
pub(super) const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The schema of a PATCH body.
pub(super) const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A member of an object; names are compared without regard to case (RFC 7643 section 2.1). `null` is not there.
pub(super) fn field<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let by_any_case = || object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    object.get(name).or_else(by_any_case).filter(|value| !value.is_null())
}

/// A member that is a text and not empty.
pub(super) fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    field(object, name)?.as_str().filter(|text| !text.is_empty())
}

/// A member that is true or false; the texts `"true"` and `"False"`, which some peers write, are read as well.
pub(super) fn truth(object: &Map<String, Value>, name: &str) -> Option<bool> {
    let value = field(object, name)?;
    value.as_bool().or_else(|| value.as_str()?.to_ascii_lowercase().parse().ok())
}

/// A member that is a count; a number in quotation marks is read as well.
pub(super) fn count(object: &Map<String, Value>, name: &str) -> Option<u64> {
    let value = field(object, name)?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// A member that is a list; what is not there is empty.
pub(super) fn list<'a>(object: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    field(object, name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The `id` of a resource.
pub(super) fn id(resource: &Value) -> Option<ScimId> {
    text(resource.as_object()?, "id").map(ScimId::new)
}

/// Why a resource could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseResourceError {
    /// Not a JSON object.
    #[error("it is not a JSON object")]
    NotAnObject,
    /// No `id`, so that nothing can be done with it.
    #[error("it has no `id`")]
    NoId,
    /// A group without a name cannot be told from another.
    #[error("it has no `displayName`")]
    NoName,
    /// Another record than the one that was asked for.
    #[error("it has another `id` than the one that was asked for")]
    OtherId,
}

#[cfg(test)]
mod tests {
    use super::{count, field, list, text, truth};
    use serde_json::Value;

    #[test]
    fn names_have_no_case_and_null_is_absent() {
        let Value::Object(object) = serde_json::json!({
            "USERNAME": "ana", "active": "False", "id": null, "title": "", "totalResults": "12"
        }) else {
            panic!("an object");
        };
        assert_eq!(text(&object, "userName"), Some("ana"));
        assert_eq!(truth(&object, "active"), Some(false));
        assert_eq!(field(&object, "id"), None);
        assert_eq!(text(&object, "title"), None);
        assert_eq!(count(&object, "totalresults"), Some(12));
        assert!(list(&object, "Resources").is_empty());
    }
}
