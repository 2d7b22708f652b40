//! Why a request brought nothing, and what is to be done about it.

use super::answer;
use super::answer::Sent;
use super::atlassian;
use super::atlassian::Said;
use super::list::ParsePageError;
use super::schema::ParseResourceError;
use crate::http::Effect;
use crate::http::Failure;

/// A request that did not bring what it should.
///
/// What the service said is the source of the error, not part of its `Display`: it may name people (S20).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// No connection, so that nothing happened.
    #[error("the SCIM service could not be reached")]
    Unreachable {
        /// What went wrong.
        #[source]
        source: Failure,
    },
    /// The request could not be made, so that nothing happened.
    #[error(
        "the request to the SCIM service could not be made; check the SCIM base URL and the key for stray characters"
    )]
    NotSent {
        /// What is wrong with it.
        #[source]
        source: Failure,
    },
    /// The brake is on (S22), so that nothing was sent.
    #[error("sending is paused")]
    Paused,
    /// No trust in whom we reached, so that nothing was sent.
    #[error("the SCIM service, or what stands before it, could not be trusted")]
    Tls {
        /// What went wrong.
        #[source]
        source: Failure,
    },
    /// 401.
    #[error(
        "the SCIM key was not accepted (401): it is not the key of a SCIM directory, was regenerated, or is older than a year; \
         make a new one under {} (the old one stops at once) and give it to this program",
        atlassian::REGENERATE_KEY_MENU
    )]
    WrongKey {
        /// What the service said.
        #[source]
        said: Option<Said>,
    },
    /// 403, or 404 on the directory itself: Atlassian answers either without saying why (third party).
    #[error(
        "the SCIM key and the SCIM base URL do not open a directory ({status}): the key is that of another directory, \
         the directory is gone, or there is no Atlassian Guard Standard; both are shown together when the key is made anew under {}",
        atlassian::REGENERATE_KEY_MENU
    )]
    WrongDirectory {
        /// 403 or 404.
        status: u16,
        /// What the service said.
        #[source]
        said: Option<Said>,
    },
    /// 409. Trying again does not help: such a record is there already, perhaps where no filter finds it.
    #[error("the SCIM service has such a record already (409)")]
    Conflict {
        /// What the service said; `scimType` is `uniqueness`, where it is there.
        #[source]
        said: Option<Said>,
    },
    /// 404 on one resource; for a PATCH of a group it may be the group or a member (documented), so look.
    #[error("the SCIM service does not know this record, or a member that was named (404)")]
    NotFound {
        /// What the service said.
        #[source]
        said: Option<Said>,
    },
    /// Another status from 400 to 499: this request is not accepted as it is.
    #[error("the SCIM service refused the request ({status})")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What the service said.
        #[source]
        said: Option<Said>,
    },
    /// 429, after every pause that is allowed.
    #[error("the SCIM service asks for fewer requests (429); lower `requests_per_second`, or wait for the next cycle")]
    RateLimited {
        /// What the service said.
        #[source]
        said: Option<Said>,
    },
    /// 500 and above. Documented as worth another try; a write may have happened all the same.
    #[error("the SCIM service failed ({status})")]
    ServerFailed {
        /// HTTP status.
        status: u16,
        /// Unknown for a write.
        effect: Effect,
        /// What the service said.
        #[source]
        said: Option<Said>,
    },
    /// An answer that does not come from a SCIM service, or is cut: a login page, a proxy, another address.
    #[error("the answer ({status}, {content_type}) is not SCIM; check the SCIM base URL and what stands before it")]
    NotScim {
        /// HTTP status.
        status: u16,
        /// `Content-Type`, or a word for its absence.
        content_type: String,
        /// Unknown for a write that was answered with success.
        effect: Effect,
        /// What is wrong with it, or how it begins.
        #[source]
        said: Said,
    },
    /// A page of a listing cannot be read.
    #[error("a page of {what} cannot be read")]
    Page {
        /// `users` or `groups`.
        what: &'static str,
        /// Why.
        #[source]
        source: ParsePageError,
    },
    /// A resource that was asked for cannot be read.
    #[error("the answer to a reading of one record cannot be read")]
    Resource {
        /// Why.
        #[source]
        source: ParseResourceError,
    },
    /// The listing ended before its end: unread, and nothing may follow from it (S1).
    #[error("the listing of {what} ended at {received} of {total}; nothing is concluded from it")]
    Incomplete {
        /// `users` or `groups`.
        what: &'static str,
        /// Different rows that arrived.
        received: u64,
        /// Rows by `totalResults`.
        total: u64,
    },
    /// The request may have left and no whole answer came: a time-out or a cut connection.
    #[error("no whole answer came from the SCIM service")]
    NoAnswer {
        /// Unknown for a write.
        effect: Effect,
        /// What went wrong.
        #[source]
        source: Failure,
    },
    /// A write was answered with success, and with something that is not the record that was meant.
    #[error("the answer to a write is not about the record that was meant")]
    AnotherRecord,
    /// A create was answered with success and with no id, in the body or as `Location`.
    #[error("the record was created, but the answer does not say under which id")]
    NoId,
}

impl RequestError {
    /// Why no answer came.
    pub(super) fn from_failure(source: Failure, sent: Sent) -> Self {
        match (&source, source.effect()) {
            (Failure::Tls { .. }, _) => Self::Tls { source },
            (Failure::InvalidRequest { .. }, _) => Self::NotSent { source },
            (Failure::Withheld, _) => Self::Paused,
            (Failure::Throttled { .. }, _) => Self::RateLimited { said: None },
            (_, Effect::None) => Self::Unreachable { source },
            (_, Effect::Unknown) => Self::NoAnswer { effect: answer::effect_of(sent), source },
        }
    }

    /// Whether every other request would fail the same way, so that sending stops and no record is to blame (S14).
    pub const fn stops_everything(&self) -> bool {
        matches!(
            self,
            Self::WrongKey { .. }
                | Self::WrongDirectory { .. }
                | Self::Tls { .. }
                | Self::Unreachable { .. }
                | Self::Paused
        )
    }

    /// Whether the request may have changed something all the same. Always none for what only reads.
    pub const fn effect(&self) -> Effect {
        match self {
            Self::ServerFailed { effect, .. } | Self::NotScim { effect, .. } | Self::NoAnswer { effect, .. } => *effect,
            Self::NoId | Self::AnotherRecord => Effect::Unknown,
            Self::Unreachable { .. }
            | Self::NotSent { .. }
            | Self::Paused
            | Self::Tls { .. }
            | Self::WrongKey { .. }
            | Self::WrongDirectory { .. }
            | Self::Conflict { .. }
            | Self::NotFound { .. }
            | Self::Refused { .. }
            | Self::RateLimited { .. }
            | Self::Page { .. }
            | Self::Resource { .. }
            | Self::Incomplete { .. } => Effect::None,
        }
    }

    /// What the service said, when it said something.
    pub const fn said(&self) -> Option<&Said> {
        match self {
            Self::WrongKey { said }
            | Self::WrongDirectory { said, .. }
            | Self::Conflict { said }
            | Self::NotFound { said }
            | Self::Refused { said, .. }
            | Self::RateLimited { said }
            | Self::ServerFailed { said, .. } => said.as_ref(),
            Self::NotScim { said, .. } => Some(said),
            Self::Unreachable { .. }
            | Self::NotSent { .. }
            | Self::Paused
            | Self::Tls { .. }
            | Self::Page { .. }
            | Self::Resource { .. }
            | Self::Incomplete { .. }
            | Self::NoAnswer { .. }
            | Self::AnotherRecord
            | Self::NoId => None,
        }
    }
}
