//! Intents without an outcome: after a crash, a time-out or a cut connection, what is true is looked up (S13).
//!
//! How is a table, in [`look_up`]. One record that cannot be looked up waits, and the others go on (S14); a key, a
//! directory or a network that fails stops everything.

use super::admit::{MEMBERS, STOPPED};
use super::check;
use super::members::{Around, Deed};
use super::pause::{Pauses, Waits};
use super::send::Answered;
use super::task::all_members;
use super::{note_link, remember};
use crate::clock::Clock;
use crate::model::Attribute;
use crate::model::Attributes;
use crate::model::GroupId;
use crate::model::ObservedAccount;
use crate::model::ObservedGroup;
use crate::model::Owned;
use crate::model::PersonId;
use crate::model::ScimId;
use crate::model::Timestamp;
use crate::scim::Client;
use crate::scim::RequestError;
use crate::store::CycleId;
use crate::store::Effect;
use crate::store::Failing;
use crate::store::FailingKey;
use crate::store::JournalRecord;
use crate::store::LOOKED_UP;
use crate::store::Outcome;
use crate::store::OutcomeKind;
use crate::store::Request;
use crate::store::Store;
use crate::store::StoreError;
use std::collections::{BTreeMap, BTreeSet};

/// What a look-up says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// As if the target had answered this.
    Happened(Answered),
    /// It is not there; it may be sent again.
    DidNotHappen,
    /// What is there fits neither, and says why: it stays unknown.
    CannotTell(String),
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

/// The kind of a failing record whose earlier request could not be looked up. Only settling ends it.
pub const UNSETTLED: &str = "unsettled";

/// A create, of a user or a group, that is not visible after a day did not happen, in seconds.
const VISIBLE_WITHIN: i64 = 86_400;

/// So many look-ups fail one after the other before the rest is left for the next cycle: each is tried for a minute.
pub(super) const FAILED_IN_A_ROW_MAX: usize = 3;

/// Settles every intent without an outcome. Returns the records of which nobody knows what became of them: nothing
/// new is sent for them, but for what can be repeated.
pub async fn settle(
    store: &mut Store,
    scim: &Client,
    (clock, cycle, pauses): (&Clock, CycleId, Pauses),
) -> Result<BTreeSet<String>, SettleError> {
    let unsettled = store.read_unsettled().map_err(SettleError::Store)?;
    let owned = store.read_owned().map_err(SettleError::Store)?;
    let linked = store.read_linked().map_err(SettleError::Store)?;
    let waits = Waits::new(store.read_failing().map_err(SettleError::Store)?, pauses);
    let blocked = BTreeSet::new();
    let mut settling = Settling {
        store,
        scim,
        clock,
        cycle,
        owned,
        linked,
        waits,
        blocked,
        suspects: Vec::new(),
        under_way: under_way(&unsettled),
        failed_in_a_row: 0,
        is_there: false,
    };
    let first_create = first_creates(&unsettled);
    for record in in_order(&unsettled) {
        let since = first_create.get(&record.request.record()).copied();
        settling.one(record, since.unwrap_or(record.intended_at)).await?;
    }
    Ok(settling.blocked)
}

/// The newest create first: of several of one person, which made the record is not known, and what counts against the
/// limits of a day (S4) is the one that was sent last.
fn in_order(unsettled: &[JournalRecord]) -> impl Iterator<Item = &JournalRecord> {
    let is_create = |record: &&JournalRecord| is_create(&record.request);
    let (creates, others): (Vec<_>, Vec<_>) = unsettled.iter().partition(is_create);
    creates.into_iter().rev().chain(others)
}

/// Since when the creates of a record are unknown: one that is repeated every hour must not be recent for ever.
fn first_creates(unsettled: &[JournalRecord]) -> BTreeMap<String, Timestamp> {
    let mut first = BTreeMap::new();
    for record in unsettled.iter().filter(|record| is_create(&record.request)) {
        let at: &mut Timestamp = first.entry(record.request.record()).or_insert(record.intended_at);
        *at = record.intended_at.min(*at);
    }
    first
}

/// Whether a request creates a record, which may not be visible at once.
pub(super) const fn is_create(request: &Request) -> bool {
    matches!(request, Request::CreateUser { .. } | Request::CreateGroup { .. })
}

fn under_way(unsettled: &[JournalRecord]) -> BTreeMap<GroupId, BTreeSet<ScimId>> {
    let mut under_way: BTreeMap<GroupId, BTreeSet<ScimId>> = BTreeMap::new();
    for record in unsettled {
        if let Request::AddMembers { group, members, .. } | Request::RemoveMembers { group, members, .. } =
            &record.request
        {
            under_way.entry(group.clone()).or_default().extend(members.iter().map(|(_, id)| id.clone()));
        }
    }
    under_way
}

struct Settling<'a> {
    store: &'a mut Store,
    scim: &'a Client,
    clock: &'a Clock,
    cycle: CycleId,
    owned: Owned,
    /// Whose accounts are linked to an Atlassian account.
    linked: BTreeSet<PersonId>,
    waits: Waits,
    blocked: BTreeSet<String>,
    /// Groups whose members a request that was cut off may have taken along.
    suspects: Vec<Failing>,
    /// Whom other requests that were cut off are about, by group: nothing follows from them.
    under_way: BTreeMap<GroupId, BTreeSet<ScimId>>,
    failed_in_a_row: usize,
    /// Whether the directory answered since a look-up failed: then it is the record.
    is_there: bool,
}

impl Settling<'_> {
    async fn one(&mut self, record: &JournalRecord, since: Timestamp) -> Result<(), SettleError> {
        let name = record.request.record();
        let key = FailingKey::part(&name, UNSETTLED);
        let pauses = !record.request.takes_away();
        let waits = pauses && self.waits.of(&key, UNSETTLED, self.now()).is_some();
        if waits || self.failed_in_a_row >= FAILED_IN_A_ROW_MAX {
            self.blocked.insert(name);
            return Ok(());
        }
        let found = match look_up(self.scim, &record.request).await {
            Ok(found) => {
                self.failed_in_a_row = 0;
                found
            }
            Err(error) => {
                let reason = format!("what became of an earlier request cannot be looked up: {}", said(&error));
                self.blame_the_record(error).await?;
                self.failed_in_a_row += 1;
                Found::CannotTell(reason)
            }
        };
        let outcome = self.outcome(record, found, since)?;
        let (healed, mut failing) = if outcome.kind == OutcomeKind::Unknown && self.blocked.contains(&name) {
            let pause = if pauses { self.waits.next(&key, UNSETTLED) } else { 0 };
            let (kind, digest) = (UNSETTLED.to_owned(), UNSETTLED.to_owned());
            let of = record.request.name(&self.owned);
            (BTreeSet::new(), vec![Failing { key, name: of, kind, reason: outcome.detail.clone(), digest, pause }])
        } else {
            (BTreeSet::from([key]), Vec::new())
        };
        failing.append(&mut self.suspects);
        let now = self.now();
        // The outcome last: after a crash between the two, the request is still open, and is looked up again.
        self.store.record_failing(&failing, &healed, now).map_err(SettleError::Store)?;
        self.store.record_wave(self.cycle, &[outcome], &[], now).map_err(SettleError::Store).map(drop)
    }

    /// A look-up that failed is the record's fault if the directory answers otherwise.
    async fn blame_the_record(&mut self, error: RequestError) -> Result<(), SettleError> {
        if error.stops_everything() {
            return Err(SettleError::Target(error));
        }
        if !self.is_there {
            self.scim.read_service().await.map_err(SettleError::Target)?;
            self.is_there = true;
        }
        Ok(())
    }

    fn outcome(&mut self, record: &JournalRecord, found: Found, since: Timestamp) -> Result<Outcome, SettleError> {
        Ok(match found {
            Found::Happened(answered) => {
                let (mut outcome, beside) = happened(record, &answered, (&mut self.owned, &self.under_way));
                self.note_beside(record, &beside).map_err(SettleError::Store)?;
                if outcome.kind == OutcomeKind::Done {
                    let link = check::link(&record.request, &answered, &self.linked);
                    if let Some(effect) = &link {
                        note_link(&mut self.linked, effect);
                    }
                    outcome.effects.extend(link);
                }
                outcome
            }
            // It may only not be visible yet: kept open, so that a 409 to the next create is recognised as ours.
            Found::DidNotHappen if is_create(&record.request) && self.now().seconds_since(since) < VISIBLE_WITHIN => {
                ended(record, OutcomeKind::Unknown, "looked up: not there; may be sent again")
            }
            Found::DidNotHappen => ended(record, OutcomeKind::Refused, "looked up: it did not happen"),
            Found::CannotTell(reason) => {
                self.blocked.insert(record.request.record());
                ended(record, OutcomeKind::Unknown, &reason)
            }
        })
    }

    /// What a look-up shows about others, which a request of long ago need not have done: the target is read whole
    /// before anything is planned, so that a database that is not trusted is judged by all of it (S19). If a change of
    /// members may have taken everybody else along, that is said (S15).
    fn note_beside(&mut self, record: &JournalRecord, beside: &Beside) -> Result<(), StoreError> {
        if beside.is_other {
            self.store.ask_for_refresh()?;
        }
        let removal = self.scim.member_removal();
        let Some(reason) = beside.deed.reason(removal).filter(|_| beside.deed.takes_others()) else { return Ok(()) };
        if let Deed::Emptied(_) = beside.deed {
            self.store.doubt_removals()?;
        }
        let key = all_members(&record.request.record());
        let (name, kind, digest) = (record.request.name(&self.owned), STOPPED.to_owned(), MEMBERS.to_owned());
        self.suspects.push(Failing { key, name, kind, reason, digest, pause: 0 });
        Ok(())
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.clock.now_seconds())
    }
}

/// An error with the service's own words.
pub(super) fn said(error: &RequestError) -> String {
    error.said().map_or_else(|| error.to_string(), |said| format!("{error}; {said}"))
}

fn happened(
    record: &JournalRecord,
    answered: &Answered,
    (owned, under_way): (&mut Owned, &BTreeMap<GroupId, BTreeSet<ScimId>>),
) -> (Outcome, Beside) {
    let linked = |group: &GroupId, found: &ScimId| {
        owned.groups.contains_key(group) || owned.groups.values().any(|group| group.scim_id == *found)
    };
    let is_linked = match (&record.request, answered) {
        (Request::CreateUser { person, .. }, Answered::Found(found, _)) => {
            owned.accounts.iter().any(|(other, account)| other == person || account.scim_id == *found)
        }
        (Request::Adopt { person, scim_id, .. }, _) => {
            owned.accounts.iter().any(|(other, account)| other == person || account.scim_id == *scim_id)
        }
        (Request::CreateGroup { group, .. }, Answered::Group(found, _)) => linked(group, found),
        (Request::AdoptGroup { group, scim_id, .. }, _) => linked(group, scim_id),
        (
            Request::CreateUser { .. }
            | Request::CreateGroup { .. }
            | Request::UpdateUser { .. }
            | Request::DeactivateUser { .. }
            | Request::AddMembers { .. }
            | Request::RemoveMembers { .. },
            _,
        ) => false,
    };
    if is_linked {
        let outcome = ended(record, OutcomeKind::Refused, "settled by a later request, or linked already");
        return (outcome, Beside::default());
    }
    let under_way = record.request.group().and_then(|group| under_way.get(group));
    let around = Around { before: None, under_way };
    let checked = check::effects(&record.request, (answered, around), owned);
    let (effects, others) = of_the_request(&record.request, checked.effects);
    for effect in &effects {
        remember(owned, effect);
    }
    let beside = Beside { is_other: others || checked.is_foreign, deed: checked.deed };
    (Outcome { effects, ..ended(record, OutcomeKind::Done, LOOKED_UP) }, beside)
}

/// What a look-up shows beside what the request was to do.
#[derive(Debug, Default)]
struct Beside {
    /// Whether something else is not as the snapshot has it.
    is_other: bool,
    deed: Deed,
}

/// What the request itself was to do, and whether it shows more: others who left the group since.
fn of_the_request(request: &Request, effects: Vec<Effect>) -> (Vec<Effect>, bool) {
    let asked: BTreeSet<&PersonId> = match request {
        Request::RemoveMembers { members, .. } => members.iter().map(|(person, _)| person).collect(),
        Request::Adopt { .. }
        | Request::AdoptGroup { .. }
        | Request::CreateUser { .. }
        | Request::UpdateUser { .. }
        | Request::DeactivateUser { .. }
        | Request::CreateGroup { .. }
        | Request::AddMembers { .. } => BTreeSet::new(),
    };
    let mut shows_more = false;
    let mut kept = Vec::new();
    for effect in effects {
        if let Effect::Left(group, people) = effect {
            let (its, others): (Vec<PersonId>, Vec<PersonId>) =
                people.into_iter().partition(|person| asked.contains(person));
            shows_more |= !others.is_empty();
            kept.extend((!its.is_empty()).then_some(Effect::Left(group, its)));
        } else {
            kept.push(effect);
        }
    }
    (kept, shows_more)
}

fn ended(record: &JournalRecord, kind: OutcomeKind, detail: &str) -> Outcome {
    Outcome { id: record.id, kind, detail: detail.to_owned(), effects: Vec::new() }
}

/// What became of one request: the table of S13.
///
/// | Request | Looked up by | It happened if | It did not if | It cannot be told if |
/// | --- | --- | --- | --- | --- |
/// | create a user | `externalId`, then `userName` | a record has our `externalId` | none has | several have |
/// | update | stored id | the record holds the new values | it does not, or is gone | – |
/// | reactivate | stored id | that, and it is active | it is not, or is gone | – |
/// | deactivate | stored id | the record is inactive | it is active, does not say, or is gone | – |
/// | create a group | `displayName` | one of that name is there, empty | none is, or it has members | several are |
/// | add members | stored id of the group | for each on its own: is in | nobody is in, or the group is gone | – |
/// | remove members | stored id of the group | for each on its own: is out | all are in, or the group is gone | – |
/// | link | – | always: nothing was to be sent | – | – |
///
/// Each row has its tests in `tests/it/scenario/settling`. A look-up that fails leaves the request unknown.
pub(super) async fn look_up(scim: &Client, request: &Request) -> Result<Found, RequestError> {
    Ok(match request {
        Request::CreateUser { person, attributes, .. } => {
            users(look_up_create(scim, person.as_str(), attributes).await?, person.as_str())
        }
        Request::UpdateUser { scim_id, changes, reactivate, .. } => {
            let is_so = |user: &ObservedAccount| holds(user, changes) && (!reactivate || user.active != Some(false));
            user_if(scim.read_user(scim_id).await?, scim_id, is_so)
        }
        Request::DeactivateUser { scim_id, .. } => {
            user_if(scim.read_user(scim_id).await?, scim_id, |user| user.active == Some(false))
        }
        Request::CreateGroup { name, .. } => groups(scim.find_groups_by_display_name(name).await?, name),
        Request::AddMembers { scim_id, members, .. } => {
            let any_in = |group: &ObservedGroup| members.iter().any(|(_, id)| group.members.contains(id));
            group_if(scim.read_group(scim_id).await?, scim_id, any_in)
        }
        Request::RemoveMembers { scim_id, members, .. } => {
            let any_out = |group: &ObservedGroup| members.iter().any(|(_, id)| !group.members.contains(id));
            group_if(scim.read_group(scim_id).await?, scim_id, any_out)
        }
        Request::Adopt { .. } | Request::AdoptGroup { .. } => Found::Happened(Answered::Linked),
    })
}

/// Records with our `externalId`: whatever filter finds them.
async fn look_up_create(
    scim: &Client,
    external_id: &str,
    attributes: &Attributes,
) -> Result<BTreeMap<ScimId, ObservedAccount>, RequestError> {
    let by_external_id = scim.find_users_by_external_id(external_id).await?;
    if !by_external_id.is_empty() {
        return Ok(by_external_id);
    }
    let name = attributes.value(Attribute::UserName).unwrap_or_default();
    let mut by_name = scim.find_users_by_user_name(name).await?;
    by_name.retain(|_, record| record.external_id.as_deref() == Some(external_id));
    Ok(by_name)
}

/// Whether a record of somebody else's has the `userName` of a create, or a group its name: then that is what a 409 is
/// about, and not an earlier create of ours.
pub(super) async fn is_explained(scim: &Client, request: &Request) -> bool {
    match request {
        Request::CreateUser { person, attributes, .. } => {
            let name = attributes.value(Attribute::UserName).unwrap_or_default();
            let found = scim.find_users_by_user_name(name).await;
            found.is_ok_and(|found| found.values().any(|user| user.external_id.as_deref() != Some(person.as_str())))
        }
        Request::CreateGroup { name, .. } => {
            scim.find_groups_by_display_name(name).await.is_ok_and(|found| !found.is_empty())
        }
        Request::Adopt { .. }
        | Request::AdoptGroup { .. }
        | Request::UpdateUser { .. }
        | Request::DeactivateUser { .. }
        | Request::AddMembers { .. }
        | Request::RemoveMembers { .. } => false,
    }
}

fn users(mut found: BTreeMap<ScimId, ObservedAccount>, external_id: &str) -> Found {
    if found.len() > 1 {
        let ids: Vec<&str> = found.keys().map(ScimId::as_str).collect();
        return Found::CannotTell(format!(
            "{} records in Atlassian have the externalId {external_id} ({}): remove all but one there",
            ids.len(),
            ids.join(", ")
        ));
    }
    let happened = |(id, record)| Found::Happened(Answered::Found(id, record));
    found.pop_first().map_or(Found::DidNotHappen, happened)
}

fn groups(mut found: BTreeMap<ScimId, ObservedGroup>, name: &str) -> Found {
    if found.len() > 1 {
        return Found::CannotTell(format!(
            "{} groups in Atlassian are named {name:?}: remove all but one there",
            found.len()
        ));
    }
    // What a create leaves behind is empty. A group with members is another's: it is adopted, with an approval, or not.
    let ours = found.pop_first().filter(|(_, group)| group.members.is_empty());
    ours.map_or(Found::DidNotHappen, |(id, group)| Found::Happened(Answered::Group(id, Some(group))))
}

fn user_if(user: Option<ObservedAccount>, id: &ScimId, is_so: impl Fn(&ObservedAccount) -> bool) -> Found {
    let user = user.filter(is_so);
    user.map_or(Found::DidNotHappen, |user| Found::Happened(Answered::User(id.clone(), Some(user))))
}

fn group_if(group: Option<ObservedGroup>, id: &ScimId, is_so: impl Fn(&ObservedGroup) -> bool) -> Found {
    let group = group.filter(is_so);
    group.map_or(Found::DidNotHappen, |group| Found::Happened(Answered::Group(id.clone(), Some(group))))
}

fn holds(record: &ObservedAccount, changes: &Attributes) -> bool {
    changes.iter().all(|(attribute, value)| {
        record.attributes.value(attribute).is_some_and(|shown| attribute.is_same(shown, value))
    })
}
