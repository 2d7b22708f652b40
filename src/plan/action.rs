//! What a plan is made of: actions, each complete in itself, and what is left out.

use crate::model::Attribute;
use crate::model::Attributes;
use crate::model::GroupId;
use crate::model::PersonId;
use crate::model::ScimId;
use std::collections::BTreeMap;
use std::fmt;

/// Old and new value of one attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What the target holds, as far as we know.
    pub from: Option<String>,
    /// What it will hold.
    pub to: String,
}

/// Changed attributes.
pub type Changes = BTreeMap<Attribute, Change>;

/// A person in an action: the key, and a name for people to read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PersonRef {
    /// Duo's `user_id`.
    pub user_id: PersonId,
    /// Duo's `username`.
    pub username: String,
}

/// A group in an action: the key, and its name in Atlassian.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupRef {
    /// Duo's `group_id`.
    pub group_id: GroupId,
    /// The name in Atlassian.
    pub name: String,
}

/// Why somebody loses their account. Findings count these: 39 of 41 with one status look like a directory sync.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Departure {
    /// In no selected group any more.
    LeftScope,
    /// Not in Duo any more.
    Gone,
    /// A status of Duo, as it spells it.
    Status(String),
    /// In a selected group that is disabled in Duo.
    GroupDisabled,
    /// Listed in `scope.blocked_people`.
    Blocked,
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeftScope => f.write_str("left every group in scope"),
            Self::Gone => f.write_str("no longer in Duo"),
            Self::Status(status) => write!(f, "{status} in Duo"),
            Self::GroupDisabled => f.write_str("in a group that is disabled in Duo"),
            Self::Blocked => f.write_str("listed in scope.blocked_people"),
        }
    }
}

/// Where a change comes from (S6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Duo changed.
    Source,
    /// Our configuration changed.
    Configuration,
    /// The target held something when it was adopted.
    Adoption,
    /// Somebody else changed the target.
    Drift,
    /// An earlier cycle is reversed.
    Undo,
}

impl Cause {
    /// The name in plan documents and action ids.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Configuration => "configuration",
            Self::Adoption => "adoption",
            Self::Drift => "drift",
            Self::Undo => "undo",
        }
    }
}

/// What one action does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Links an account that already exists. Writes nothing to the target.
    Adopt {
        /// Whose account.
        person: PersonRef,
        /// Which record.
        scim_id: ScimId,
        /// What it holds.
        attributes: Attributes,
        /// Whether it is active.
        active: bool,
        /// The groups of ours that it is in already, and whose memberships become ours.
        groups: Vec<GroupId>,
    },
    /// Creates an account.
    Create {
        /// Whose account.
        person: PersonRef,
        /// With these values.
        attributes: Attributes,
    },
    /// Changes attributes.
    Update {
        /// Whose account.
        person: PersonRef,
        /// Old and new values.
        changes: Changes,
    },
    /// Makes an account active again, with what changed meanwhile.
    Reactivate {
        /// Whose account.
        person: PersonRef,
        /// Old and new values.
        changes: Changes,
    },
    /// Makes an account inactive.
    Deactivate {
        /// Whose account.
        person: PersonRef,
        /// Why.
        departure: Departure,
    },
    /// Links a group that already exists. Writes nothing to the target.
    AdoptGroup {
        /// The group.
        group: GroupRef,
        /// Which record.
        scim_id: ScimId,
        /// The people in it whose accounts are linked: their memberships become ours.
        members: Vec<PersonId>,
    },
    /// Creates a group.
    CreateGroup {
        /// The group.
        group: GroupRef,
    },
    /// Adds and removes members, one such action per group and cause.
    UpdateMembers {
        /// The group.
        group: GroupRef,
        /// Who is added.
        join: Vec<PersonId>,
        /// Who is removed.
        leave: Vec<PersonId>,
    },
}

impl Step {
    /// The `action` of the plan document.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Adopt { .. } => "adopt",
            Self::Create { .. } => "create",
            Self::Update { .. } => "update",
            Self::Reactivate { .. } => "reactivate",
            Self::Deactivate { .. } => "deactivate",
            Self::AdoptGroup { .. } => "adopt_group",
            Self::CreateGroup { .. } => "create_group",
            Self::UpdateMembers { .. } => "update_members",
        }
    }

    /// The person concerned, for actions on one account.
    pub const fn person(&self) -> Option<&PersonRef> {
        match self {
            Self::Adopt { person, .. }
            | Self::Create { person, .. }
            | Self::Update { person, .. }
            | Self::Reactivate { person, .. }
            | Self::Deactivate { person, .. } => Some(person),
            Self::AdoptGroup { .. } | Self::CreateGroup { .. } | Self::UpdateMembers { .. } => None,
        }
    }

    /// The group concerned, for actions on a group.
    pub const fn group(&self) -> Option<&GroupRef> {
        match self {
            Self::AdoptGroup { group, .. } | Self::CreateGroup { group } | Self::UpdateMembers { group, .. } => {
                Some(group)
            }
            Self::Adopt { .. }
            | Self::Create { .. }
            | Self::Update { .. }
            | Self::Reactivate { .. }
            | Self::Deactivate { .. } => None,
        }
    }

    /// Everyone concerned.
    pub fn people(&self) -> Vec<&PersonId> {
        match self {
            Self::Adopt { person, .. }
            | Self::Create { person, .. }
            | Self::Update { person, .. }
            | Self::Reactivate { person, .. }
            | Self::Deactivate { person, .. } => vec![&person.user_id],
            Self::AdoptGroup { members, .. } => members.iter().collect(),
            Self::CreateGroup { .. } => Vec::new(),
            Self::UpdateMembers { join, leave, .. } => join.iter().chain(leave).collect(),
        }
    }

    /// Plans list their actions by this, then by id.
    const fn rank(&self) -> u8 {
        match self {
            Self::Adopt { .. } => 0,
            Self::AdoptGroup { .. } => 1,
            Self::Deactivate { .. } => 2,
            Self::Update { .. } => 3,
            Self::Reactivate { .. } => 4,
            Self::Create { .. } => 5,
            Self::CreateGroup { .. } => 6,
            Self::UpdateMembers { .. } => 7,
        }
    }
}

/// One action: what, why, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// What is done.
    pub step: Step,
    /// Why, for people to read. Not part of the fingerprint.
    pub reason: String,
    /// Where it comes from.
    pub cause: Cause,
}

impl Action {
    /// The id of this action in its plan, such as `create:DU…` or `members:DG…:source`.
    pub fn id(&self) -> String {
        match &self.step {
            Step::UpdateMembers { group, .. } => format!("members:{}:{}", group.group_id, self.cause.as_str()),
            Step::Adopt { person, .. }
            | Step::Create { person, .. }
            | Step::Update { person, .. }
            | Step::Reactivate { person, .. }
            | Step::Deactivate { person, .. } => format!("{}:{}", self.step.name(), person.user_id),
            Step::AdoptGroup { group, .. } | Step::CreateGroup { group } => {
                format!("{}:{}", self.step.name(), group.group_id)
            }
        }
    }

    pub(super) fn sort_key(&self) -> (u8, String) {
        (self.step.rank(), self.id())
    }
}

/// Whom or what an entry of `skipped` is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A person.
    Person(PersonRef),
    /// A group.
    Group(GroupRef),
}

/// Somebody or something that is left as it is, with the reason and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// Whom or what.
    pub subject: Subject,
    /// Why, and what to do.
    pub reason: String,
}
