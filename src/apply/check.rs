//! What was sent is checked: the answer has the new state, which is compared with what was meant (S15).

use super::members;
use super::members::{Around, Deed};
use super::send::Answered;
use crate::model::Attributes;
use crate::model::ObservedAccount;
use crate::model::Owned;
use crate::model::OwnedAccount;
use crate::model::OwnedGroup;
use crate::model::PersonId;
use crate::model::ScimId;
use crate::store::Effect;
use crate::store::Request;
use std::collections::BTreeSet;

/// What a success really did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Checked {
    /// What it changed.
    pub(super) effects: Vec<Effect>,
    /// Values that the target did not take; the record is well otherwise.
    pub(super) remarks: Vec<String>,
    /// Why the record fails all the same.
    pub(super) failed: Option<String>,
    /// Of a change of members: for whom it fails.
    pub(super) failed_people: BTreeSet<PersonId>,
    /// What a change of members did.
    pub(super) deed: Deed,
    /// Whether the answer shows something of ours otherwise than we left it (S17).
    pub(super) is_foreign: bool,
}

pub(super) fn effects(request: &Request, (answered, around): (&Answered, Around<'_>), owned: &Owned) -> Checked {
    match (request, answered) {
        (Request::Adopt { person, username, scim_id, attributes, active, groups }, _) => {
            let mut account = account(scim_id.clone(), username);
            account.attributes = attributes.clone();
            account.active = *active;
            let memberships = groups.iter().map(|group| Effect::Joined(group.clone(), vec![person.clone()]));
            let effects = std::iter::once(Effect::LinkAccount(person.clone(), account)).chain(memberships);
            Checked { effects: effects.collect(), ..Checked::default() }
        }
        (Request::AdoptGroup { group, name, scim_id, members }, _) => {
            let members = members.iter().cloned().collect();
            let link = OwnedGroup { scim_id: scim_id.clone(), name: name.clone(), members };
            done(Effect::LinkGroup(group.clone(), link))
        }
        (Request::CreateUser { person, username, attributes }, Answered::User(scim_id, answer)) => {
            let before = account(scim_id.clone(), username);
            let (account, remarks) = taken(before, attributes, answer.as_ref(), username);
            let effect = Effect::LinkAccount(person.clone(), activated(account, answer.as_ref()));
            Checked { effects: vec![effect], remarks, ..Checked::default() }
        }
        (Request::CreateUser { person, username, attributes }, Answered::Found(scim_id, record)) => {
            let (account, failed) = found(account(scim_id.clone(), username), attributes, record);
            let effect = Effect::LinkAccount(person.clone(), activated(account, Some(record)));
            Checked { effects: vec![effect], failed, ..Checked::default() }
        }
        (Request::UpdateUser { person, username, changes, reactivate, .. }, Answered::User(_, answer)) => {
            let Some(before) = owned.accounts.get(person).cloned() else { return Checked::default() };
            let (mut account, remarks) = taken(before, changes, answer.as_ref(), username);
            account.username.clone_from(username);
            if *reactivate {
                account = activated(account, answer.as_ref());
            }
            let failed = (*reactivate && !account.active).then(|| {
                "Atlassian answers that the account is still inactive; look at its troubleshooting log".to_owned()
            });
            Checked { effects: vec![Effect::Account(person.clone(), account)], remarks, failed, ..Checked::default() }
        }
        (Request::DeactivateUser { person, .. }, Answered::User(_, answer)) => {
            deactivated(person, answer.as_ref(), owned)
        }
        (Request::CreateGroup { group, name }, Answered::Group(scim_id, answer)) => {
            let shown = answer.as_ref().map(|group| group.display_name.clone()).filter(|shown| !shown.is_empty());
            let link = OwnedGroup {
                scim_id: scim_id.clone(),
                name: shown.unwrap_or_else(|| name.clone()),
                members: BTreeSet::new(),
            };
            done(Effect::LinkGroup(group.clone(), link))
        }
        (Request::AddMembers { group, members, .. }, Answered::Group(..)) => {
            members::joined(group, members, (answered, around), owned)
        }
        (Request::RemoveMembers { group, members, .. }, Answered::Group(..)) => {
            members::left(group, members, (answered, around), owned)
        }
        (
            Request::CreateUser { .. }
            | Request::UpdateUser { .. }
            | Request::DeactivateUser { .. }
            | Request::CreateGroup { .. }
            | Request::AddMembers { .. }
            | Request::RemoveMembers { .. },
            _,
        ) => Checked::default(),
    }
}

/// Whether a create was answered with a record that it did not make (S7): one that is linked already, has another
/// `externalId`, or is a group with members.
pub(super) fn is_anothers(request: &Request, answered: &Answered, owned: &Owned) -> bool {
    match (request, answered) {
        (Request::CreateUser { person, .. }, Answered::User(id, record)) => {
            let external_id = record.as_ref().and_then(|record| record.external_id.as_deref());
            external_id.is_some_and(|id| !id.eq_ignore_ascii_case(person.as_str())) || is_linked(person, id, owned)
        }
        (Request::CreateUser { person, .. }, Answered::Found(id, _)) => is_linked(person, id, owned),
        (Request::CreateGroup { group, .. }, Answered::Group(id, record)) => {
            let is_linked = owned.groups.iter().any(|(other, link)| other != group && link.scim_id == *id);
            is_linked || record.as_ref().is_some_and(|record| !record.members.is_empty())
        }
        _ => false,
    }
}

/// Whether a record is the account of somebody else of ours.
fn is_linked(person: &PersonId, id: &ScimId, owned: &Owned) -> bool {
    owned.accounts.iter().any(|(other, account)| other != person && account.scim_id == *id)
}

/// What an answer says about the link between the record and an Atlassian account, when it says something new (S11).
pub(super) fn link(request: &Request, answered: &Answered, linked: &BTreeSet<PersonId>) -> Option<Effect> {
    let (Request::CreateUser { person, .. }
    | Request::UpdateUser { person, .. }
    | Request::DeactivateUser { person, .. }) = request
    else {
        return None;
    };
    let (Answered::User(_, Some(account)) | Answered::Found(_, account)) = answered else { return None };
    match (account.atlassian_account_id.is_some(), linked.contains(person)) {
        (true, false) => Some(Effect::Linked(person.clone())),
        (false, true) if request.updates_attributes() => Some(Effect::Unlinked(person.clone())),
        (true, true) | (false, _) => None,
    }
}

fn done(effect: Effect) -> Checked {
    Checked { effects: vec![effect], ..Checked::default() }
}

fn account(scim_id: ScimId, username: &str) -> OwnedAccount {
    OwnedAccount {
        scim_id,
        username: username.to_owned(),
        attributes: Attributes::new(),
        active: true,
        refused: Attributes::new(),
        left_scope_at: None,
    }
}

fn activated(mut account: OwnedAccount, answer: Option<&ObservedAccount>) -> OwnedAccount {
    account.active = answer.and_then(|answer| answer.active).unwrap_or(true);
    account
}

/// The account with the values that were taken. Without a record in the answer, they are believed.
fn taken(
    mut account: OwnedAccount,
    meant: &Attributes,
    answer: Option<&ObservedAccount>,
    username: &str,
) -> (OwnedAccount, Vec<String>) {
    let mut remarks = Vec::new();
    for (attribute, value) in meant.iter() {
        let shown = answer.map(|answer| answer.attributes.value(attribute));
        let same = |shown: &str| attribute.is_same(shown, value);
        if shown.is_none_or(|shown| shown.is_some_and(same)) {
            account.attributes.set(attribute, value);
            account.refused.set(attribute, "");
        } else {
            account.attributes.set(attribute, shown.flatten().unwrap_or_default());
            account.refused.set(attribute, value);
            remarks.push(format!(
                "{username}: Atlassian did not take the new {attribute}; it is not sent again until it changes in Duo"
            ));
        }
    }
    (account, remarks)
}

/// The account as it was found: what it has otherwise was not refused, and is planned next.
fn found(mut account: OwnedAccount, meant: &Attributes, record: &ObservedAccount) -> (OwnedAccount, Option<String>) {
    let mut other = Vec::new();
    for (attribute, value) in meant.iter() {
        let found = record.attributes.value(attribute).unwrap_or_default();
        account.attributes.set(attribute, found);
        if !attribute.is_same(found, value) {
            other.push(attribute.to_string());
        }
    }
    let failed = (!other.is_empty()).then(|| {
        format!("an earlier create made the record, with another {}: the next sync changes it", other.join(", "))
    });
    (account, failed)
}

fn deactivated(person: &PersonId, answer: Option<&ObservedAccount>, owned: &Owned) -> Checked {
    let Some(before) = owned.accounts.get(person) else { return Checked::default() };
    if answer.and_then(|answer| answer.active) == Some(true) {
        let failed =
            "Atlassian answers that the account is still active: deactivate it in Atlassian Administration".to_owned();
        return Checked { failed: Some(failed), ..Checked::default() };
    }
    done(Effect::Account(person.clone(), OwnedAccount { active: false, ..before.clone() }))
}
