//! Intents without an outcome: after a crash, a time-out or a cut connection, what is true is looked up (S13).
//!
//! | Request | Looked up by | It happened if |
//! | --- | --- | --- |
//! | create a user | `externalId`, then `userName` | a record has our `externalId` |
//! | update, reactivate | stored id | the record holds the new values (and is active) |
//! | deactivate | stored id | the record is inactive |
//! | create a group | `displayName` | a group of that name, which is not ours yet, exists |
//! | add, remove members | stored id of the group | for each member on its own |
//! | link | – | never cut off: intent and outcome are one transaction apart, and nothing was sent |

use super::check;
use super::remember;
use super::send::Answered;
use crate::clock::Clock;
use crate::model::Attribute;
use crate::model::Attributes;
use crate::model::ObservedAccount;
use crate::model::ObservedGroup;
use crate::model::ScimId;
use crate::model::Timestamp;
use crate::scim::Client;
use crate::scim::RequestError;
use crate::store::CycleId;
use crate::store::JournalRecord;
use crate::store::Outcome;
use crate::store::OutcomeKind;
use crate::store::Request;
use crate::store::Store;
use crate::store::StoreError;
use std::collections::BTreeMap;

/// What a look-up says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// As if the target had answered this.
    Happened(Answered),
    /// It is not there; it may be sent again.
    DidNotHappen,
}

/// Why settling did not end.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// The target could not be read.
    #[error("cannot look up what became of requests that were cut off")]
    Target(#[source] RequestError),
    /// The outcome could not be recorded.
    #[error("cannot record what became of requests that were cut off")]
    Store(#[source] StoreError),
}

/// Settles every intent without an outcome. Says how many there were.
pub async fn settle(store: &mut Store, scim: &Client, clock: &Clock, cycle: CycleId) -> Result<usize, SettleError> {
    let unsettled = store.read_unsettled().map_err(SettleError::Store)?;
    let mut owned = store.read_owned().map_err(SettleError::Store)?;
    for record in &unsettled {
        let outcome = match look_up(scim, &record.request).await.map_err(SettleError::Target)? {
            Found::Happened(answered) => {
                let taken = |id: &ScimId| owned.groups.values().any(|group| group.scim_id == *id);
                let is_create = matches!(record.request, Request::CreateGroup { .. });
                if is_create && matches!(&answered, Answered::Group(id, _) if taken(id)) {
                    ended(record, OutcomeKind::Refused, "a group of that name is linked already")
                } else {
                    happened(record, &answered, &mut owned)
                }
            }
            // It may only not be visible yet: kept open, so that a 409 to the next create is recognised as ours.
            Found::DidNotHappen if matches!(record.request, Request::CreateUser { .. }) && is_recent(record, clock) => {
                ended(record, OutcomeKind::Unknown, "looked up: not there; may be sent again")
            }
            Found::DidNotHappen => ended(record, OutcomeKind::Refused, "looked up: it did not happen"),
        };
        let now = Timestamp::from_seconds(clock.now_seconds());
        store.record_wave(cycle, &[outcome], &[], now).map_err(SettleError::Store)?;
    }
    Ok(unsettled.len())
}

/// A create that is not visible after a day did not happen.
const VISIBLE_WITHIN_SECONDS: i64 = 86_400;

fn is_recent(record: &JournalRecord, clock: &Clock) -> bool {
    Timestamp::from_seconds(clock.now_seconds()).seconds_since(record.intended_at) < VISIBLE_WITHIN_SECONDS
}

fn happened(record: &JournalRecord, answered: &Answered, owned: &mut crate::model::Owned) -> Outcome {
    let is_linked = match &record.request {
        Request::CreateUser { person, .. } | Request::Adopt { person, .. } => owned.accounts.contains_key(person),
        Request::CreateGroup { group, .. } | Request::AdoptGroup { group, .. } => owned.groups.contains_key(group),
        Request::UpdateUser { .. }
        | Request::DeactivateUser { .. }
        | Request::AddMembers { .. }
        | Request::RemoveMembers { .. } => false,
    };
    if is_linked {
        return ended(record, OutcomeKind::Refused, "settled by a later request");
    }
    let checked = check::effects(&record.request, answered, owned);
    for effect in &checked.effects {
        remember(owned, effect);
    }
    Outcome { effects: checked.effects, ..ended(record, OutcomeKind::Done, "looked up: it happened") }
}

fn ended(record: &JournalRecord, kind: OutcomeKind, detail: &str) -> Outcome {
    Outcome { id: record.id, kind, detail: detail.to_owned(), effects: Vec::new() }
}

/// Looks up what became of one request.
pub(super) async fn look_up(scim: &Client, request: &Request) -> Result<Found, RequestError> {
    match request {
        Request::Adopt { .. } | Request::AdoptGroup { .. } => Ok(Found::Happened(Answered::Linked)),
        Request::CreateUser { person, attributes, .. } => look_up_create(scim, person.as_str(), attributes).await,
        Request::UpdateUser { scim_id, changes, reactivate, .. } => {
            let record = scim.read_user(scim_id).await?;
            let holds =
                |record: &ObservedAccount| holds(record, changes) && (!reactivate || record.active != Some(false));
            Ok(user_if(scim_id, record, holds))
        }
        Request::DeactivateUser { scim_id, .. } => {
            let record = scim.read_user(scim_id).await?;
            Ok(user_if(scim_id, record, |record| record.active == Some(false)))
        }
        Request::CreateGroup { name, .. } => {
            let mut found = scim.find_groups_by_display_name(name).await?;
            let only = if found.len() == 1 { found.pop_first() } else { None };
            Ok(only.map_or(Found::DidNotHappen, |(id, group)| Found::Happened(Answered::Group(id, Some(group)))))
        }
        Request::AddMembers { scim_id, members, .. } => {
            let any = |group: &ObservedGroup| members.iter().any(|(_, id)| group.members.contains(id));
            group_if(scim, scim_id, any).await
        }
        Request::RemoveMembers { scim_id, members, .. } => {
            let any = |group: &ObservedGroup| members.iter().any(|(_, id)| !group.members.contains(id));
            group_if(scim, scim_id, any).await
        }
    }
}

async fn look_up_create(scim: &Client, external_id: &str, attributes: &Attributes) -> Result<Found, RequestError> {
    let by_external_id = scim.find_users_by_external_id(external_id).await?;
    if let Some(found) = only(by_external_id) {
        return Ok(found);
    }
    let name = attributes.value(Attribute::UserName).unwrap_or_default();
    let mut by_name = scim.find_users_by_user_name(name).await?;
    by_name.retain(|_, record| record.external_id.as_deref() == Some(external_id));
    Ok(only(by_name).unwrap_or(Found::DidNotHappen))
}

fn only(mut found: BTreeMap<ScimId, ObservedAccount>) -> Option<Found> {
    if found.len() != 1 {
        return None;
    }
    found.pop_first().map(|(id, record)| Found::Happened(Answered::User(id, Some(record))))
}

fn user_if(id: &ScimId, record: Option<ObservedAccount>, holds: impl Fn(&ObservedAccount) -> bool) -> Found {
    match record {
        Some(record) if holds(&record) => Found::Happened(Answered::User(id.clone(), Some(record))),
        Some(_) | None => Found::DidNotHappen,
    }
}

fn holds(record: &ObservedAccount, changes: &Attributes) -> bool {
    changes.iter().all(|(attribute, value)| {
        record.attributes.value(attribute).is_some_and(|shown| attribute.is_same(shown, value))
    })
}

async fn group_if(scim: &Client, id: &ScimId, any: impl Fn(&ObservedGroup) -> bool) -> Result<Found, RequestError> {
    Ok(match scim.read_group(id).await? {
        Some(group) if any(&group) => Found::Happened(Answered::Group(id.clone(), Some(group))),
        Some(_) | None => Found::DidNotHappen,
    })
}
