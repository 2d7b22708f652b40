//! What a plan does, item by item: the unit that limits count and approvals name.

use crate::model::Attribute;
use crate::model::GroupId;
use crate::model::PersonId;
use crate::plan::Cause;
use crate::plan::Plan;
use crate::plan::Step;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A class of items with a limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Links to what exists.
    Adoption,
    /// New accounts.
    Create,
    /// Changed attributes.
    Update,
    /// Changed userName or primary address; counted as an update as well.
    IdentityChange,
    /// Accounts made active again.
    Reactivation,
    /// Accounts made inactive.
    Deactivation,
    /// Memberships removed from people who keep their account.
    Leave,
    /// Memberships removed from people who lose their account: counted as the deactivation only.
    LeaverLeave,
    /// Memberships added.
    Join,
    /// New groups.
    CreateGroup,
}

impl Class {
    /// Whether somebody loses an account or a membership by it.
    pub const fn takes_away(self) -> bool {
        match self {
            Self::Deactivation | Self::Leave | Self::LeaverLeave => true,
            Self::Adoption
            | Self::Create
            | Self::Update
            | Self::IdentityChange
            | Self::Reactivation
            | Self::Join
            | Self::CreateGroup => false,
        }
    }
}

/// One thing that a plan does, exactly: with its new value where it has one. Stable across plans.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Item {
    /// What is done, such as `deactivate`, `leave` or `set userName=ana`.
    pub what: String,
    /// To whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// In which group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
}

impl Item {
    /// An item about one account.
    pub fn of_person(what: impl Into<String>, person: &PersonId) -> Self {
        Self { what: what.into(), person: Some(person.clone()), group: None }
    }

    /// An item about one group.
    pub fn of_group(what: impl Into<String>, group: &GroupId) -> Self {
        Self { what: what.into(), person: None, group: Some(group.clone()) }
    }

    /// An item about one membership.
    pub fn of_membership(what: &str, group: &GroupId, person: &PersonId) -> Self {
        Self { what: what.to_owned(), person: Some(person.clone()), group: Some(group.clone()) }
    }
}

/// Every item of a plan with its class, in the order of the plan.
pub fn items_of(plan: &Plan) -> Vec<(Class, Item)> {
    let leavers = leavers(plan);
    let mut items = Vec::new();
    for action in &plan.actions {
        match &action.step {
            Step::Adopt { person, scim_id, .. } => {
                items.push((Class::Adoption, Item::of_person(format!("adopt {scim_id}"), &person.user_id)));
            }
            Step::AdoptGroup { group, scim_id, .. } => {
                items.push((Class::Adoption, Item::of_group(format!("adopt {scim_id}"), &group.group_id)));
            }
            Step::Create { person, attributes } => {
                let name = attributes.value(Attribute::UserName).unwrap_or_default();
                items.push((Class::Create, Item::of_person(format!("create {name}"), &person.user_id)));
            }
            Step::Reactivate { person, changes } => {
                items.push((Class::Reactivation, Item::of_person("reactivate", &person.user_id)));
                updates(&mut items, &person.user_id, changes);
            }
            Step::Update { person, changes } => updates(&mut items, &person.user_id, changes),
            Step::Deactivate { person, .. } => {
                items.push((Class::Deactivation, Item::of_person("deactivate", &person.user_id)));
            }
            Step::CreateGroup { group } => {
                items.push((Class::CreateGroup, Item::of_group(format!("create {}", group.name), &group.group_id)));
            }
            Step::UpdateMembers { group, join, leave } => {
                for person in join {
                    items.push((Class::Join, Item::of_membership("join", &group.group_id, person)));
                }
                for person in leave {
                    let class = if leavers.contains(person) { Class::LeaverLeave } else { Class::Leave };
                    items.push((class, Item::of_membership("leave", &group.group_id, person)));
                }
            }
        }
    }
    items
}

/// Who loses the account by this plan.
pub(super) fn leavers(plan: &Plan) -> BTreeSet<&PersonId> {
    let leaver = |step: &'_ Step| matches!(step, Step::Deactivate { .. });
    plan.actions.iter().filter(|a| leaver(&a.step)).filter_map(|a| a.step.person()).map(|p| &p.user_id).collect()
}

fn updates(items: &mut Vec<(Class, Item)>, person: &PersonId, changes: &crate::plan::Changes) {
    for (attribute, change) in changes {
        let class = if attribute.is_identity() { Class::IdentityChange } else { Class::Update };
        items.push((class, Item::of_person(format!("set {attribute}={}", change.to), person)));
    }
}

/// Items of actions with this cause, in the order of the plan.
pub(super) fn items_with_cause(plan: &Plan, cause: Cause) -> BTreeSet<Item> {
    let actions = plan.actions.iter().filter(|action| action.cause == cause).cloned().collect();
    let part = Plan { actions, ..Plan::default() };
    items_of(&part).into_iter().map(|(_, item)| item).collect()
}
