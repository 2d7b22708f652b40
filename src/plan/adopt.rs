//! Matches what the target holds, and is not ours, with what is desired (S7).

use super::Inputs;
use super::action::{Action, Cause, GroupRef, PersonRef, Skipped, Step, Subject};
use super::drift::{Maker, Unlinked};
use super::person::permits;
use crate::desired::DesiredAccount;
use crate::desired::Standing;
use crate::model::Attribute;
use crate::model::GroupId;
use crate::model::Observed;
use crate::model::ObservedAccount;
use crate::model::OwnedAccount;
use crate::model::OwnedGroup;
use crate::model::PersonId;
use crate::model::ScimId;
use std::collections::{BTreeMap, BTreeSet};

/// What this plan adopts, in the form it will have once it is ours.
#[derive(Clone, Debug, Default)]
pub(super) struct Adopted {
    pub(super) accounts: BTreeMap<PersonId, (OwnedAccount, &'static str)>,
    pub(super) groups: BTreeMap<GroupId, OwnedGroup>,
    /// Memberships of groups that are owned already, which come with the accounts.
    pub(super) memberships: BTreeMap<GroupId, BTreeSet<PersonId>>,
    pub(super) conflicts: BTreeSet<PersonId>,
    pub(super) skipped: Vec<Skipped>,
}

impl Adopted {
    fn groups_of(&self, person: &PersonId) -> Vec<GroupId> {
        let is_in = |(_, members): &(&GroupId, &BTreeSet<PersonId>)| members.contains(person);
        self.memberships.iter().filter(is_in).map(|(group, _)| group.clone()).collect()
    }

    pub(super) fn actions(&self) -> Vec<Action> {
        let account = |(id, (account, by)): (&PersonId, &(OwnedAccount, &'static str))| Action {
            step: Step::Adopt {
                person: PersonRef { user_id: id.clone(), username: account.username.clone() },
                scim_id: account.scim_id.clone(),
                attributes: account.attributes.clone(),
                active: account.active,
                groups: self.groups_of(id),
            },
            reason: format!("exists in Atlassian already, with the same {by}"),
            cause: Cause::Adoption,
        };
        let group = |(id, group): (&GroupId, &OwnedGroup)| Action {
            step: Step::AdoptGroup {
                group: GroupRef { group_id: id.clone(), name: group.name.clone() },
                scim_id: group.scim_id.clone(),
                members: group.members.iter().cloned().collect(),
            },
            reason: "exists in Atlassian already, with the same name".to_owned(),
            cause: Cause::Adoption,
        };
        self.accounts.iter().map(account).chain(self.groups.iter().map(group)).collect()
    }
}

/// The keys by which a record is recognised, the strongest first.
const KEYS: [&str; 3] = [EXTERNAL_ID, "userName", "address"];
const EXTERNAL_ID: &str = "externalId";

pub(super) fn compute(inputs: &Inputs<'_>) -> Adopted {
    let mut adopted = Adopted::default();
    let Some(observed) = inputs.observed else { return adopted };
    let linked: BTreeSet<&ScimId> = inputs.owned.accounts.values().map(|account| &account.scim_id).collect();
    let free = || observed.accounts.iter().filter(|(id, _)| !linked.contains(*id));
    let mut taken: BTreeSet<ScimId> = BTreeSet::new();
    for key in KEYS {
        let mut records: BTreeMap<String, Vec<&ScimId>> = BTreeMap::new();
        for (id, account) in free().filter(|(id, _)| !taken.contains(*id)) {
            if let Some(value) = value_of_record(key, account) {
                records.entry(value).or_default().push(id);
            }
        }
        let mut seekers: BTreeMap<String, Vec<&PersonId>> = BTreeMap::new();
        for (id, desired) in candidates(inputs, &adopted) {
            if let Some(value) = value_of_person(key, id, desired).filter(|value| records.contains_key(value)) {
                seekers.entry(value).or_default().push(id);
            }
        }
        for (value, people) in seekers {
            let found = records.get(&value).map(Vec::as_slice).unwrap_or_default();
            take(inputs, observed, (key, &people, found), &mut adopted, &mut taken);
        }
        if key == EXTERNAL_ID {
            adopt_leavers(inputs, observed, &mut adopted, &mut taken);
        }
    }
    adopted.memberships = memberships(inputs, observed, &adopted);
    adopt_groups(inputs, observed, &mut adopted);
    adopted
}

/// Groups of ours in which an adopted account is already. As for any other account, a membership that Duo wants is ours
/// from now on, and one that it does not want only if this program made it, most likely.
fn memberships(inputs: &Inputs<'_>, observed: &Observed, adopted: &Adopted) -> BTreeMap<GroupId, BTreeSet<PersonId>> {
    let is_doubtful = inputs.drift.is_some_and(|drift| !drift.trust.is_trusted());
    let maker = if is_doubtful { Maker::PerhapsUs } else { Maker::SomebodyElse };
    let people: BTreeMap<&ScimId, &PersonId> =
        adopted.accounts.iter().map(|(id, (account, _))| (&account.scim_id, id)).collect();
    let mut memberships: BTreeMap<GroupId, BTreeSet<PersonId>> = BTreeMap::new();
    for (id, group) in &inputs.owned.groups {
        let Some(seen) = observed.groups.get(&group.scim_id).filter(|_| inputs.desired.manages_groups) else {
            continue;
        };
        let found = seen.members.iter().filter_map(|member| people.get(member).copied());
        let is_ours = |person: &&PersonId| maker.gives((inputs.desired, inputs.rules), (id, &group.name), person);
        let ours: BTreeSet<PersonId> = found.filter(is_ours).cloned().collect();
        if !ours.is_empty() {
            memberships.insert(id.clone(), ours);
        }
    }
    memberships
}

/// Who was given an account when the database was not looking, and has left since: nobody else would take it away.
///
/// Only active records that were made since then, by an `externalId` that Duo was asked for. What was there before is
/// somebody else's (S7).
fn adopt_leavers(inputs: &Inputs<'_>, observed: &Observed, adopted: &mut Adopted, taken: &mut BTreeSet<ScimId>) {
    let mut records: BTreeMap<&PersonId, Vec<&Unlinked>> = BTreeMap::new();
    for record in inputs.drift.iter().flat_map(|drift| &drift.unlinked) {
        records.entry(&record.person).or_default().push(record);
    }
    for (id, records) in records {
        let ([Unlinked { scim_id, user_name, is_recent: true, .. }], desired) =
            (records.as_slice(), inputs.desired.accounts.get(id))
        else {
            continue;
        };
        let is_left_alone = desired.is_some_and(|desired| matches!(desired.standing, Standing::Untouched(_)));
        let is_known = inputs.owned.accounts.contains_key(id) || adopted.accounts.contains_key(id);
        let username = desired.map_or(user_name, |desired| &desired.username);
        let may_act = permits(inputs.rules, username, id) && !adopted.conflicts.contains(id);
        let Some(record) = observed.accounts.get(scim_id).filter(|record| record.active != Some(false)) else {
            continue;
        };
        if inputs.confirmed.contains(id) && !is_left_alone && !is_known && may_act {
            let account = owned_account(scim_id, username, record);
            taken.insert(scim_id.clone());
            adopted.accounts.insert(id.clone(), (account, EXTERNAL_ID));
        }
    }
}

fn owned_account(scim_id: &ScimId, username: &str, record: &ObservedAccount) -> OwnedAccount {
    OwnedAccount {
        scim_id: scim_id.clone(),
        username: username.to_owned(),
        attributes: record.attributes.clone(),
        // A record that does not say is taken to be active: then access is taken away where it must be.
        active: record.active.unwrap_or(true),
        refused: crate::model::Attributes::new(),
        left_scope_at: None,
    }
}

/// People without an account of ours who are not left alone by rule or list.
fn candidates<'a>(inputs: &'a Inputs<'_>, adopted: &Adopted) -> Vec<(&'a PersonId, &'a DesiredAccount)> {
    let wanted = |(id, desired): &(&PersonId, &DesiredAccount)| {
        !inputs.owned.accounts.contains_key(*id)
            && !adopted.accounts.contains_key(*id)
            && !adopted.conflicts.contains(*id)
            && !matches!(desired.standing, Standing::Untouched(_))
            && !desired.groups.is_empty()
            && permits(inputs.rules, &desired.username, id)
    };
    inputs.desired.accounts.iter().filter(wanted).collect()
}

fn value_of_record(key: &str, account: &ObservedAccount) -> Option<String> {
    let folded = |attribute| account.attributes.value(attribute).map(str::to_lowercase);
    match key {
        EXTERNAL_ID => account.external_id.clone(),
        "userName" => folded(Attribute::UserName),
        _ => folded(Attribute::Emails),
    }
}

fn value_of_person(key: &str, id: &PersonId, desired: &DesiredAccount) -> Option<String> {
    let folded = |attribute| desired.attributes.as_ref().ok()?.value(attribute).map(str::to_lowercase);
    match key {
        EXTERNAL_ID => Some(id.as_str().to_owned()),
        "userName" => folded(Attribute::UserName),
        _ => folded(Attribute::Emails),
    }
}

/// Links the one record to the one person, or says why not.
fn take(
    inputs: &Inputs<'_>,
    observed: &Observed,
    (key, people, found): (&'static str, &[&PersonId], &[&ScimId]),
    adopted: &mut Adopted,
    taken: &mut BTreeSet<ScimId>,
) {
    let username = |id: &PersonId| inputs.desired.accounts.get(id).map(|d| d.username.clone()).unwrap_or_default();
    let conflict = |adopted: &mut Adopted, reason: &str| {
        for id in people {
            let person = PersonRef { user_id: (*id).clone(), username: username(id) };
            adopted.conflicts.insert((*id).clone());
            adopted.skipped.push(Skipped { subject: Subject::Person(person), reason: reason.to_owned() });
        }
    };
    let ([id], [scim_id]) = (people, found) else {
        let reason = format!(
            "conflict: {} people in Duo match {} records in Atlassian by {key}; make it unique on one side",
            people.len(),
            found.len()
        );
        conflict(adopted, &reason);
        return;
    };
    let Some(record) = observed.accounts.get(*scim_id) else { return };
    if record.external_id.as_deref().is_some_and(|other| !other.is_empty() && other != id.as_str()) {
        let reason = format!(
            "conflict: the Atlassian record with this {key} has the externalId {:?} of somebody else; \
             remove or correct that record in Atlassian first",
            record.external_id.as_deref().unwrap_or_default()
        );
        conflict(adopted, &reason);
        return;
    }
    let account = owned_account(scim_id, &username(id), record);
    taken.insert((*scim_id).clone());
    adopted.accounts.insert((*id).clone(), (account, key));
}

fn username<'a>(inputs: &'a Inputs<'_>, adopted: &'a Adopted, id: &PersonId) -> &'a str {
    let desired = inputs.desired.accounts.get(id).map(|desired| &desired.username);
    let owned = || inputs.owned.accounts.get(id).map(|account| &account.username);
    let fresh = || adopted.accounts.get(id).map(|(account, _)| &account.username);
    desired.or_else(owned).or_else(fresh).map_or("", String::as_str)
}

fn adopt_groups(inputs: &Inputs<'_>, observed: &Observed, adopted: &mut Adopted) {
    let linked: BTreeSet<&ScimId> = inputs.owned.groups.values().map(|group| &group.scim_id).collect();
    let mut by_name: BTreeMap<String, Vec<&ScimId>> = BTreeMap::new();
    for (id, group) in observed.groups.iter().filter(|(id, _)| !linked.contains(*id)) {
        by_name.entry(group.display_name.to_lowercase()).or_default().push(id);
    }
    let owned = inputs.owned.accounts.iter().map(|(id, account)| (&account.scim_id, id));
    let fresh = adopted.accounts.iter().map(|(id, (account, _))| (&account.scim_id, id));
    let people: BTreeMap<&ScimId, &PersonId> = owned.chain(fresh).collect();
    let mut wanted: BTreeMap<String, Vec<&GroupId>> = BTreeMap::new();
    for (id, group) in &inputs.desired.groups {
        wanted.entry(group.name.to_lowercase()).or_default().push(id);
    }
    let mut groups = BTreeMap::new();
    for (name, ids) in wanted {
        let found = by_name.get(&name).map(Vec::as_slice).unwrap_or_default();
        let ([id], [scim_id]) = (ids.as_slice(), found) else { continue };
        if inputs.owned.groups.contains_key(*id) || inputs.rules.protected_groups.contains(&name) {
            continue;
        }
        if inputs.desired.groups.get(*id).is_some_and(|group| group.untouched.is_some()) {
            continue;
        }
        let Some(group) = observed.groups.get(*scim_id) else { continue };
        let members = group.members.iter().filter_map(|member| people.get(member).copied());
        let members = members.filter(|id| permits(inputs.rules, username(inputs, adopted, id), id)).cloned().collect();
        let group = OwnedGroup { scim_id: (*scim_id).clone(), name: group.display_name.clone(), members };
        groups.insert((*id).clone(), group);
    }
    adopted.groups = groups;
}
