//! What is needed to reach the SCIM service.

use secrecy::SecretString;
use std::path::PathBuf;

/// How members are removed from a group. Both forms are seen in the wild; which one Atlassian takes is not verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberRemoval {
    /// `{"op":"remove","path":"members[value eq \"…\"]"}`, one operation a member: RFC 7644 section 3.5.2.2.
    Filter,
    /// `{"op":"remove","path":"members","value":[{"value":"…"}]}`: what Entra's generic client sends.
    Values,
}

impl MemberRemoval {
    /// The value of `atlassian.member_removal`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Values => "values",
        }
    }

    /// The form to try when this one does not do what it should.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Filter => Self::Values,
            Self::Values => Self::Filter,
        }
    }
}

/// Everything the SCIM client needs, validated.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The SCIM base URL as Atlassian shows it, without a slash at the end.
    pub base_url: String,
    /// The bearer key of the directory.
    pub api_key: SecretString,
    /// The request budget, per second.
    pub requests_per_second: f64,
    /// So many requests may be under way at once.
    pub concurrent_requests_max: usize,
    /// So many members are added or removed by one request.
    pub members_per_request_max: usize,
    /// How members are removed.
    pub member_removal: MemberRemoval,
    /// A further certificate authority (PEM).
    pub ca_file: Option<PathBuf>,
    /// An HTTP proxy, `http://HOST:PORT`. None: what the environment says.
    pub proxy: Option<String>,
}
