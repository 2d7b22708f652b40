//! What can be switched: where real tenants differ, or where nobody outside of Duo knows.

use std::collections::{BTreeMap, BTreeSet};

use super::Scheme;

/// How the simulated tenant behaves.
#[derive(Clone, Debug)]
pub struct Switches {
    /// The integration's permission "Grant read resource": people and groups.
    pub read_resource: bool,
    /// The integration's permission "Grant read information": the summary.
    pub read_information: bool,
    /// What kind of application the keys belong to.
    pub integration: IntegrationKind,
    /// The signatures that are accepted.
    pub accepted: BTreeSet<Scheme>,
    /// The host that signatures cover; `None`: the Host header without its port, in lower case.
    pub signed_host: Option<String>,
    /// How far Duo's clock is ahead of [`super::DuoSim::clock`].
    pub clock_offset_seconds: i64,
    /// How far a request's date may be from Duo's clock. Five minutes is what third parties report.
    pub skew_seconds_max: i64,
    /// What `user_id_list`, `username_list` and `group_id_list` do with ids that nobody has.
    pub unknown_ids: UnknownIds,
    /// The largest page of `/admin/v1/groups`. Duo's own sources disagree: 100 or 500.
    pub groups_page_max: usize,
    /// No page of any list is larger than this. Duo treats `limit` as a wish.
    pub page_max: Option<usize>,
    /// What a row of a group's member list carries.
    pub members: MemberShape,
    /// Whether people in the Trash appear in the list of users.
    pub trashed_in_users: Trashed,
    /// Whether people in the Trash appear in member lists.
    pub trashed_in_members: Trashed,
    /// Whether `total_objects` is there.
    pub totals: Totals,
    /// How the numbers of `metadata` are written.
    pub numbers: Numbers,
    /// How the first and last page say that nothing is before or behind them.
    pub ends: Ends,
    /// Requests a minute, by category; none: no limit.
    pub requests_per_minute: BTreeMap<Category, u32>,
    /// What `Retry-After` of a 429 says. No evidence was found that Duo sends it.
    pub retry_after: Option<String>,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            read_resource: true,
            read_information: true,
            integration: IntegrationKind::AdminApi,
            accepted: BTreeSet::from([Scheme::V2Sha1, Scheme::V2Sha512, Scheme::V5]),
            signed_host: None,
            clock_offset_seconds: 0,
            skew_seconds_max: 300,
            unknown_ids: UnknownIds::Skipped,
            groups_page_max: 100,
            page_max: None,
            members: MemberShape::Brief,
            trashed_in_users: Trashed::Shown,
            trashed_in_members: Trashed::Shown,
            totals: Totals::Shown,
            numbers: Numbers::Integers,
            ends: Ends::Null,
            requests_per_minute: BTreeMap::new(),
            retry_after: None,
        }
    }
}

/// The kind of application that the keys belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntegrationKind {
    /// "Admin API".
    AdminApi,
    /// "Auth API", which administrators confuse with it.
    AuthApi,
}

/// What a list filter does with an id that nobody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownIds {
    /// It is left out.
    Skipped,
    /// 404 / 40401.
    NotFound,
    /// 400 / 40002.
    BadRequest,
}

/// What a row of a group's member list carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberShape {
    /// `user_id` and `username` only.
    Brief,
    /// The whole user object.
    Full,
}

/// Whether people in the Trash are in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trashed {
    /// They are, as `pending deletion`.
    Shown,
    /// They are not; by id or name they are still found.
    Hidden,
}

/// Whether `total_objects` is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Totals {
    /// It is.
    Shown,
    /// It is not.
    Omitted,
}

/// How the numbers of `metadata` are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// `100`.
    Integers,
    /// `"100"`, which Duo's Ruby client takes as well.
    Strings,
}

/// How the first and last page say that nothing is before or behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// The offset is null.
    Null,
    /// The offset is absent.
    Absent,
}

/// What a rate limit counts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// A page of a list.
    Page,
    /// A single object.
    Single,
}
