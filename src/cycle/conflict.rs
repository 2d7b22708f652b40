//! Records that the target refuses because it has such a one already (S7): when it is read for them.
//!
//! The target is read whole once after the refusal, then when the record's pause is over, and at once when its source
//! changed. In between, only the records that are in the way are read, by id: the plan stays as it is, also while an
//! adoption waits for a person, and a correction in the target is noticed.

use super::read::Reading;
use super::{CycleError, Mode};
use crate::apply;
use crate::apply::CONFLICT;
use crate::apply::Pauses;
use crate::desired;
use crate::desired::Desired;
use crate::desired::Rules;
use crate::model::Attribute;
use crate::model::Attributes;
use crate::model::GroupId;
use crate::model::Observed;
use crate::model::Owned;
use crate::model::PersonId;
use crate::model::ScimId;
use crate::model::Timestamp;
use crate::plan::Plan;
use crate::plan::Subject;
use crate::scim::Client;
use crate::store::Failing;
use crate::store::FailingRecord;
use crate::store::Request;
use crate::store::Store;
use crate::store::StoreError;
use std::collections::BTreeSet;

/// What is read of the target for the sake of conflicts.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Nothing.
    Nothing,
    /// The users and groups that are in the way of these; with what is desired.
    Records(Vec<FailingRecord>, Box<Desired>),
    /// Everything.
    Whole,
}

/// Whose request is refused as a conflict.
enum Whose {
    Person(PersonId),
    Group(GroupId),
}

impl Whose {
    fn of(record: &FailingRecord) -> Option<Self> {
        let record = &record.failing.key.record;
        let person = record.strip_prefix("person:").map(|id| Self::Person(PersonId::new(id)));
        person.or_else(|| record.strip_prefix("group:").map(|id| Self::Group(GroupId::new(id))))
    }

    /// The digest of the create that today's source would lead to.
    fn digest(&self, desired: &Desired) -> Option<String> {
        Some(apply::digest(&match self {
            Self::Person(id) => {
                let attributes = desired.accounts.get(id)?.attributes.as_ref().ok()?.clone();
                Request::CreateUser { person: id.clone(), username: String::new(), attributes }
            }
            Self::Group(id) => Request::CreateGroup { group: id.clone(), name: desired.groups.get(id)?.name.clone() },
        }))
    }

    /// Records of the target that look like the one that is to be created, and are not ours.
    fn in_the_way(&self, observed: &Observed, desired: &Desired, owned: &Owned) -> Vec<ScimId> {
        match self {
            Self::Person(id) => {
                let linked: BTreeSet<&ScimId> = owned.accounts.values().map(|account| &account.scim_id).collect();
                let attributes = desired.accounts.get(id).and_then(|desired| desired.attributes.as_ref().ok());
                let free = observed.accounts.iter().filter(|(id, _)| !linked.contains(id));
                let like = free.filter(|(_, account)| {
                    account.external_id.as_deref() == Some(id.as_str())
                        || attributes.is_some_and(|wanted| is_alike(wanted, &account.attributes))
                });
                like.map(|(id, _)| id.clone()).collect()
            }
            Self::Group(id) => {
                let linked: BTreeSet<&ScimId> = owned.groups.values().map(|group| &group.scim_id).collect();
                let name = desired.groups.get(id).map(|group| group.name.to_lowercase());
                let free = observed.groups.iter().filter(|(id, _)| !linked.contains(id));
                let like = free.filter(|(_, group)| Some(group.display_name.to_lowercase()) == name);
                like.map(|(id, _)| id.clone()).collect()
            }
        }
    }
}

fn is_alike(wanted: &Attributes, there: &Attributes) -> bool {
    [Attribute::UserName, Attribute::Emails].into_iter().any(|attribute| {
        let same = |there: &str| wanted.value(attribute).is_some_and(|wanted| attribute.is_same(wanted, there));
        there.value(attribute).is_some_and(same)
    })
}

/// What has to be read. While nothing is owned, that is everything (S7).
pub(super) fn look(
    store: &Store,
    owned: &Owned,
    desired: impl FnOnce() -> Desired,
    (now, pauses): (Timestamp, Pauses),
) -> Result<Look, StoreError> {
    if owned.is_empty() {
        return Ok(Look::Whole);
    }
    let mut known = conflicts(store)?;
    if known.is_empty() {
        return Ok(Look::Nothing);
    }
    let desired = desired();
    let is_due = |record: &FailingRecord| {
        let digest = Whose::of(record).and_then(|whose| whose.digest(&desired));
        let is_other = digest.is_some_and(|digest| digest != record.failing.digest);
        record.found.is_none() || !record.waits(now) || is_other || pauses == Pauses::Ignored
    };
    if known.iter().any(is_due) {
        return Ok(Look::Whole);
    }
    known.retain(|record| record.found.as_ref().is_some_and(|found| !found.is_empty()));
    Ok(if known.is_empty() { Look::Nothing } else { Look::Records(known, Box::new(desired)) })
}

fn conflicts(store: &Store) -> Result<Vec<FailingRecord>, StoreError> {
    let failing = store.read_failing()?;
    Ok(failing.into_iter().filter(|record| record.failing.kind == CONFLICT).collect())
}

/// Reads what is in the way; none when something of it is gone or different, so that all has to be read.
pub(super) async fn read_records(
    scim: &Client,
    conflicts: &[FailingRecord],
    (owned, desired): (&Owned, &Desired),
) -> Result<Option<Observed>, CycleError> {
    let mut observed = Observed::default();
    for record in conflicts {
        let Some(whose) = Whose::of(record) else { continue };
        for id in record.found.iter().flatten() {
            let is_there = match whose {
                Whose::Person(_) => {
                    let found = scim.read_user(id).await.map_err(CycleError::Target)?;
                    found.map(|account| observed.accounts.insert(id.clone(), account)).is_some()
                }
                Whose::Group(_) => {
                    let found = scim.read_group(id).await.map_err(CycleError::Target)?;
                    found.map(|group| observed.groups.insert(id.clone(), group)).is_some()
                }
            };
            if !is_there {
                return Ok(None);
            }
        }
        if record.found.as_ref() != Some(&whose.in_the_way(&observed, desired, owned)) {
            return Ok(None);
        }
    }
    Ok(Some(observed))
}

/// Before sending: what the whole reading found is kept. Where nothing is in the way any more, it is tried at once.
pub(super) fn note_found(
    store: &mut Store,
    (mode, rules): (Mode, &Rules),
    reading: &Reading,
    plan: &Plan,
) -> Result<(), StoreError> {
    let Some(observed) = reading.observed.as_ref().filter(|_| mode == Mode::Apply) else { return Ok(()) };
    let desired = desired::compute(&reading.roster, rules, &reading.selection);
    for record in conflicts(store)? {
        let Some(whose) = Whose::of(&record) else { continue };
        let key = &record.failing.key;
        let found = whose.in_the_way(observed, &desired, &reading.owned);
        store.record_found(key, &found, reason_of(plan, &key.record))?;
        if found.is_empty() && record.found.is_some_and(|before| !before.is_empty()) {
            store.end_pause(key)?;
        }
    }
    Ok(())
}

/// Why the plan leaves a record out.
fn reason_of<'a>(plan: &'a Plan, record: &str) -> Option<&'a str> {
    let is_it = |subject: &Subject| match subject {
        Subject::Person(person) => record.strip_prefix("person:") == Some(person.user_id.as_str()),
        Subject::Group(group) => record.strip_prefix("group:") == Some(group.group_id.as_str()),
    };
    plan.skipped.iter().find(|skipped| is_it(&skipped.subject)).map(|skipped| skipped.reason.as_str())
}

/// After a cycle that read the target whole: a conflict whose time had come, and that was not sent again, waits longer.
pub(super) fn note_look(
    store: &mut Store,
    mode: Mode,
    reading: &Reading,
    (started, now): (Timestamp, Timestamp),
) -> Result<(), StoreError> {
    if reading.observed.is_none() || mode == Mode::Preview {
        return Ok(());
    }
    let was_due = |record: &FailingRecord| record.last_at < started && !record.waits(started);
    let still: Vec<Failing> = conflicts(store)?
        .into_iter()
        .filter(was_due)
        .map(|record| Failing { pause: apply::next_pause(Some(record.failing.pause)), ..record.failing })
        .collect();
    store.record_failing(&still, &BTreeSet::new(), now)
}
