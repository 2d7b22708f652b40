//! What a simulated directory is told about itself, and the switches for what nobody could verify about the real one.

/// The settings of one directory. Tests may change them in the middle of a story.
#[derive(Clone, Debug)]
pub struct AtlassianSettings {
    /// The id in the path.
    pub directory_id: String,
    /// The only key that is accepted; replace it to regenerate the key, which kills the old one at once.
    pub api_key: String,
    /// From this moment (milliseconds since 1970) on the key is refused. Atlassian's keys live for a year.
    pub api_key_expires_at_ms: Option<i64>,
    /// Scheme and host in `meta.location` and `$ref`.
    pub public_url: String,
    /// Accounts with an address in these domains are managed.
    pub verified_domains: Vec<String>,
    /// Default access groups and built-in groups: created with 201 and never seen on the site.
    pub reserved_group_names: Vec<String>,
    /// Names of groups that exist in the organization outside this directory: 409, and no query finds them.
    pub taken_group_names: Vec<String>,
    /// Addresses that another account or directory holds: 409, and no query finds them.
    pub taken_emails: Vec<String>,
    /// What a request for another directory is answered with.
    pub other_directory: OtherDirectory,
    /// Whether the organization pays for Guard.
    pub guard: Guard,
    /// Whether answers to reads name `active`.
    pub active_in_reads: ActiveInReads,
    /// Which extensions answers and discovery name.
    pub extensions: Extensions,
    /// What a rename of a group is answered with.
    pub rename: Rename,
    /// Which of the two forms of removing a member works.
    pub member_removal: MemberRemoval,
    /// Members that one request may name; 0 means any number.
    pub members_per_request_max: usize,
    /// Requests that pass before a filter finds a new user.
    pub visible_after: u64,
    /// After so many milliseconds a filter finds a new user in any case.
    pub visible_within_ms: i64,
    /// Active users that the licence allows.
    pub seats_max: Option<usize>,
    /// Requests a second that are answered.
    pub rate_limit: Option<RateLimit>,
    /// Whether breaches of our product's promises are recorded. They never change an answer.
    pub strict: bool,
}

impl Default for AtlassianSettings {
    fn default() -> Self {
        Self {
            directory_id: "315e79ae-404a-4061-8a88-df91c8c7db34".to_owned(),
            api_key: "simulated-scim-key".to_owned(),
            api_key_expires_at_ms: None,
            public_url: "https://api.atlassian.com".to_owned(),
            verified_domains: vec!["example.com".to_owned()],
            // Support page "Default groups and permissions": the names that every site is born with.
            reserved_group_names: [
                "administrators",
                "confluence-users",
                "jira-administrators",
                "jira-servicemanagement-users",
                "jira-software-users",
                "site-admins",
                "system-administrators",
                "trusted-users",
            ]
            .map(str::to_owned)
            .to_vec(),
            taken_group_names: Vec::new(),
            taken_emails: Vec::new(),
            other_directory: OtherDirectory::NotFound,
            guard: Guard::Subscribed,
            active_in_reads: ActiveInReads::Present,
            extensions: Extensions::Atlassian,
            rename: Rename::Ignored,
            member_removal: MemberRemoval::Both,
            members_per_request_max: 0,
            visible_after: 0,
            visible_within_ms: i64::MAX,
            seats_max: None,
            rate_limit: None,
            strict: true,
        }
    }
}

/// What a request for another directory is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherDirectory {
    /// 404: "the directory does not exist" is documented for every endpoint.
    NotFound,
    /// 403: the key belongs to another directory.
    Forbidden,
}

/// Whether the organization pays for Guard. Without it the API answers 403 or 404 and does not say why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// It does.
    Subscribed,
    /// It does not: 403.
    LapsedForbidden,
    /// It does not: 404.
    LapsedNotFound,
}

/// Whether answers to reads name `active`; a user fetched by another client was seen without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActiveInReads {
    /// Always.
    Present,
    /// Never while it is true.
    AbsentWhenTrue,
}

/// Which extensions answers and discovery name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extensions {
    /// Also Atlassian's own, and first among the `schemas` of a user, as in a captured answer.
    Atlassian,
    /// Only those of the RFC, for testers that take the first of the `schemas` for the core one, or cannot read a URN
    /// that ends in `1.0`.
    Standard,
}

/// What a rename of a group is answered with: "not supported" is documented, the answer is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rename {
    /// 200, and the old name stays.
    Ignored,
    /// 400 `mutability`.
    Refused,
}

/// Which of the two forms of removing a member works. Atlassian shows neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberRemoval {
    /// `members[value eq "id"]` and `members` with a list of values.
    Both,
    /// Only the RFC's filter. A list of values is not read, so that `remove members` **empties the group**.
    FilterOnly,
    /// Only the list of values. The filter is answered with 200 and does nothing.
    ValuesOnly,
}

/// A token bucket.
#[derive(Clone, Copy, Debug)]
pub struct RateLimit {
    /// Tokens that arrive in a second.
    pub per_second: u32,
    /// Tokens that the bucket holds.
    pub burst: u32,
    /// How a 429 says when to come back.
    pub hint: RetryHint,
    /// Whether every answer carries `X-RateLimit-Limit` and `X-RateLimit-Remaining`.
    pub headers: LimitHeaders,
}

/// How a 429 says when to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryHint {
    /// `Retry-After: 2`.
    Seconds,
    /// `Retry-After` with an HTTP date.
    HttpDate,
    /// `X-RateLimit-Reset` as ISO 8601, as the sister admin APIs on the same host send it.
    ResetIso,
    /// `X-RateLimit-Reset` in seconds since 1970.
    ResetEpoch,
    /// It does not say.
    Silent,
}

/// Whether every answer carries `X-RateLimit-Limit` and `X-RateLimit-Remaining`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitHeaders {
    /// It does.
    Sent,
    /// It does not.
    Absent,
}
