//! Refusals, in the three shapes that Atlassian's specification gives them.

use serde_json::{Value, json};

use super::super::wire::Answer;

/// The schema of an error body.
pub const ERROR_URN: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// A request that was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Which of the three bodies it has.
    pub shape: Shape,
    /// What went wrong.
    pub detail: String,
}

/// The three bodies of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `ScimError` without a `scimType`.
    Plain,
    /// `ScimError` with one.
    Scim(&'static str),
    /// `Failure`: what stands before the SCIM service answers like this (401, 403).
    Gateway,
    /// `BadRequestException`: documented for PUT of a group.
    Exception(&'static str),
}

impl Refusal {
    /// A 400 with a `scimType`.
    pub fn bad(scim_type: &'static str, detail: impl Into<String>) -> Self {
        Self { status: 400, shape: Shape::Scim(scim_type), detail: detail.into() }
    }

    /// A value that the attribute cannot have.
    pub fn value(detail: impl Into<String>) -> Self {
        Self::bad("invalidValue", detail)
    }

    /// Something that is not there.
    pub fn missing(detail: impl Into<String>) -> Self {
        Self { status: 404, shape: Shape::Plain, detail: detail.into() }
    }

    /// Something that is there already.
    pub fn taken(detail: impl Into<String>) -> Self {
        Self { status: 409, shape: Shape::Scim("uniqueness"), detail: detail.into() }
    }

    /// A refusal by what stands before the service.
    pub fn gateway(status: u16, detail: impl Into<String>) -> Self {
        Self { status, shape: Shape::Gateway, detail: detail.into() }
    }

    /// The answer; `request` numbers the trace.
    pub fn answer(&self, request: u64) -> Answer {
        let status = self.status.to_string();
        let body = match self.shape {
            Shape::Plain => json!({ "schemas": [ERROR_URN], "status": status, "detail": self.detail }),
            Shape::Scim(scim_type) => {
                json!({ "schemas": [ERROR_URN], "status": status, "scimType": scim_type, "detail": self.detail })
            }
            Shape::Gateway => json!({ "error": self.detail, "traceId": format!("{request:032x}") }),
            Shape::Exception(scim_type) => json!({
                "message": self.detail,
                "localizedMessage": self.detail,
                "responseStatus": "BAD_REQUEST",
                "scimErrorType": scim_type,
                "stackTrace": [],
                "suppressed": [],
            }),
        };
        match self.shape {
            Shape::Gateway => answer_as(self.status, "application/json", &body),
            Shape::Plain | Shape::Scim(_) | Shape::Exception(_) => answer_json(self.status, &body),
        }
    }
}

/// An answer with a SCIM body.
pub fn answer_json(status: u16, body: &Value) -> Answer {
    answer_as(status, "application/scim+json", body)
}

fn answer_as(status: u16, content_type: &str, body: &Value) -> Answer {
    Answer {
        status,
        headers: vec![("content-type".to_owned(), content_type.to_owned())],
        body: body.to_string().into_bytes(),
    }
}
