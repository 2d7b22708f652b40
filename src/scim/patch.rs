//! The body of a PATCH (RFC 7644 section 3.5.2).

use super::schema::PATCH_OP;
use serde_json::Value;
use serde_json::json;

/// One operation, in lower case as in Atlassian's worked example.
///
/// There is no way to remove an attribute: an optional value that became empty is never cleared in the target.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operation {
    /// Adds values to a list; values that are there already change nothing.
    Add { path: &'static str, value: Value },
    /// Puts a value in the place of what is there. For a list: of the whole list, because a path such as
    /// `emails[type eq "work"].value` fails with `noTarget` where there is no work address.
    Replace { path: &'static str, value: Value },
    /// Removes what the path names.
    Remove { path: String },
    /// Removes these values from a list. Not RFC 7644: a strict server ignores `value` and empties the list.
    RemoveValues { path: &'static str, value: Value },
}

impl Operation {
    fn body(self) -> Value {
        match self {
            Self::Add { path, value } => json!({ "op": "add", "path": path, "value": value }),
            Self::Replace { path, value } => json!({ "op": "replace", "path": path, "value": value }),
            Self::Remove { path } => json!({ "op": "remove", "path": path }),
            Self::RemoveValues { path, value } => json!({ "op": "remove", "path": path, "value": value }),
        }
    }
}

/// The body. `Operations` with a capital letter: so in every worked example of Atlassian's, while the schema of the
/// same specification has a small one (file of 2023; names have no case in SCIM).
pub(super) fn body(operations: Vec<Operation>) -> Value {
    let operations: Vec<Value> = operations.into_iter().map(Operation::body).collect();
    json!({ "schemas": [PATCH_OP], "Operations": operations })
}
