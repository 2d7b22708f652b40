//! What the target says right now.

use super::{Attributes, ScimId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// A user of the target, as read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedAccount {
    /// `externalId`, when there is one.
    pub external_id: Option<String>,
    /// Every attribute that we know, `userName` and the primary address (lower case) among them.
    pub attributes: Attributes,
    /// `active`; the target may leave it out.
    pub active: Option<bool>,
    /// The Atlassian account that the record is linked to, when there is one.
    pub atlassian_account_id: Option<String>,
    /// `meta.created`, when the target says it.
    pub created_at: Option<Timestamp>,
}

/// A group of the target, as read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedGroup {
    /// Its name.
    pub display_name: String,
    /// The SCIM ids of its members.
    pub members: BTreeSet<ScimId>,
}

/// One complete reading of the target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Users by SCIM id.
    pub accounts: BTreeMap<ScimId, ObservedAccount>,
    /// Groups by SCIM id.
    pub groups: BTreeMap<ScimId, ObservedGroup>,
}
