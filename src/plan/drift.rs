//! Drift: what the target says, compared with the snapshot, and the snapshot corrected by it.
//!
//! Of owned objects only. What follows from it is planned on the corrected snapshot; nothing is decided here. The lists
//! limit what is told, never what is true: for people whom they leave out, the snapshot is corrected without a word.

mod wording;

pub use wording::DriftFound;

use super::person::left_out_by;
use crate::desired::Desired;
use crate::desired::Rules;
use crate::desired::Standing;
use crate::model::Attribute;
use crate::model::GroupId;
use crate::model::Observed;
use crate::model::ObservedAccount;
use crate::model::Owned;
use crate::model::OwnedAccount;
use crate::model::OwnedGroup;
use crate::model::PersonId;
use crate::model::ScimId;
use crate::model::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Whether what a database says of the target can be believed (S19).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// It is the one that did the last thing that was done.
    #[default]
    Trusted,
    /// It is a copy that `backup` made.
    Restored {
        /// When the copy was made.
        backup_at: Timestamp,
    },
    /// Nothing was sent with it for longer than `state.trusted_hours`: it may be an old copy.
    Idle {
        /// When its last cycle was.
        since: Timestamp,
    },
}

impl Trust {
    /// Whether it is believed.
    pub const fn is_trusted(self) -> bool {
        matches!(self, Self::Trusted)
    }

    /// Since when it may be out of date.
    pub const fn untrusted_since(self) -> Option<Timestamp> {
        match self {
            Self::Trusted => None,
            Self::Restored { backup_at: since } | Self::Idle { since } => Some(since),
        }
    }

    /// Whether something that was made at this moment may be unknown to the database. Two computers' clocks differ by
    /// less than an hour, or Duo would have refused the requests of one.
    fn may_not_know_of(self, made_at: Timestamp) -> bool {
        match self {
            Self::Trusted => false,
            Self::Restored { backup_at: since } | Self::Idle { since } => made_at >= since.plus_seconds(-3_600),
        }
    }
}

/// One way in which an account is not as the snapshot says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountDifference {
    /// The record does not exist any more.
    Gone,
    /// `active` is this now, and was the other.
    Active(bool),
    /// An attribute of the mapping has another value.
    Value {
        /// Which.
        attribute: Attribute,
        /// What the snapshot says; none: nothing.
        was: Option<String>,
        /// What the target says; none: nothing.
        now: Option<String>,
    },
}

/// One way in which a group is not as the snapshot says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupDifference {
    /// The record does not exist any more.
    Gone,
    /// It has another name.
    Renamed(String),
    /// A member of ours is not in it any more.
    Missing(PersonId),
    /// A person of ours is in it whom the snapshot does not have in it, and the membership is taken for ours.
    Extra(PersonId),
}

/// A record that has the id of a person of ours as its `externalId`, and that no link of ours leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlinked {
    /// Whose id.
    pub person: PersonId,
    /// The record.
    pub scim_id: ScimId,
    /// Its `userName`.
    pub user_name: String,
    /// Whether it was made when the database was not looking, so that this program may have made it.
    pub is_recent: bool,
}

/// What is compared.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'a> {
    /// What the target says.
    pub observed: &'a Observed,
    /// The snapshot.
    pub owned: &'a Owned,
    /// What should be true.
    pub desired: &'a Desired,
    /// The rules of today.
    pub rules: &'a Rules,
    /// Whether the snapshot can be believed.
    pub trust: Trust,
    /// Everybody who was asked for by id.
    pub confirmed: &'a BTreeSet<PersonId>,
    /// Memberships of people of ours that were there at an earlier reading, and are not ours.
    pub foreign: &'a BTreeSet<(GroupId, PersonId)>,
    /// For whom the journal holds a create of which nobody knows whether it happened.
    pub creating: &'a BTreeSet<PersonId>,
}

/// What is different, and the snapshot as it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// Whether the snapshot could be believed.
    pub trust: Trust,
    /// The snapshot as it was.
    pub before: Owned,
    /// The snapshot, corrected.
    pub owned: Owned,
    /// Differences of accounts.
    pub accounts: BTreeMap<PersonId, Vec<AccountDifference>>,
    /// Differences of groups.
    pub groups: BTreeMap<GroupId, Vec<GroupDifference>>,
    /// Records of people of ours that are not linked.
    pub unlinked: Vec<Unlinked>,
    /// Memberships of people of ours that are not ours.
    pub foreign: BTreeSet<(GroupId, PersonId)>,
}

impl Drift {
    /// Compares and corrects.
    pub fn compute(comparison: &Comparison<'_>) -> Self {
        let mut drift = Self { trust: comparison.trust, before: comparison.owned.clone(), ..Self::default() };
        for (id, account) in &comparison.owned.accounts {
            drift.compare_account(comparison, id, account);
        }
        let people: BTreeMap<&ScimId, &PersonId> = comparison
            .owned
            .accounts
            .iter()
            .filter(|(id, _)| drift.owned.accounts.contains_key(*id))
            .map(|(id, account)| (&account.scim_id, id))
            .collect();
        for (id, group) in &comparison.owned.groups {
            drift.compare_group(comparison, &people, (id, group));
        }
        if !comparison.desired.manages_groups {
            // Not looked at now, and still somebody else's when they are looked at again.
            drift.foreign.clone_from(comparison.foreign);
        }
        drift.unlinked = unlinked(comparison);
        drift
    }

    /// Whether everything that is ours is as the snapshot says.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.groups.is_empty()
    }

    /// Everybody whom it concerns.
    pub(super) fn people(&self) -> impl Iterator<Item = &PersonId> {
        let members = self.groups.values().flatten().filter_map(|difference| match difference {
            GroupDifference::Missing(person) | GroupDifference::Extra(person) => Some(person),
            GroupDifference::Gone | GroupDifference::Renamed(_) => None,
        });
        self.accounts.keys().chain(members)
    }

    fn compare_account(&mut self, comparison: &Comparison<'_>, id: &PersonId, account: &OwnedAccount) {
        let mut corrected = account.clone();
        let differences = match comparison.observed.accounts.get(&account.scim_id) {
            None => vec![AccountDifference::Gone],
            Some(seen) => correct(comparison, id, seen, &mut corrected),
        };
        if !differences.contains(&AccountDifference::Gone) {
            self.owned.accounts.insert(id.clone(), corrected);
        }
        if !differences.is_empty() && comparison.tells_of(id) {
            self.accounts.insert(id.clone(), differences);
        }
    }

    fn compare_group(
        &mut self,
        comparison: &Comparison<'_>,
        people: &BTreeMap<&ScimId, &PersonId>,
        (id, group): (&GroupId, &OwnedGroup),
    ) {
        let mut corrected = group.clone();
        // Who has no account any more is no member.
        corrected.members.retain(|person| self.owned.accounts.contains_key(person));
        let mut differences = Vec::new();
        match comparison.observed.groups.get(&group.scim_id) {
            _ if !comparison.desired.manages_groups => {}
            None => {
                self.groups.insert(id.clone(), vec![GroupDifference::Gone]);
                return;
            }
            Some(seen) => {
                if !seen.display_name.is_empty() && seen.display_name != group.name {
                    corrected.name.clone_from(&seen.display_name);
                    differences.push(GroupDifference::Renamed(seen.display_name.clone()));
                }
                let there: BTreeSet<&PersonId> =
                    seen.members.iter().filter_map(|member| people.get(member).copied()).collect();
                for person in corrected.members.iter().filter(|person| !there.contains(person)) {
                    differences.push(GroupDifference::Missing(person.clone()));
                }
                corrected.members.retain(|person| there.contains(person));
                for person in there.into_iter().filter(|person| !group.members.contains(*person)) {
                    if comparison.takes_for_ours((id, &group.name), person) {
                        corrected.members.insert(person.clone());
                        differences.push(GroupDifference::Extra(person.clone()));
                    } else {
                        self.foreign.insert((id.clone(), person.clone()));
                    }
                }
            }
        }
        let silent = |difference: &GroupDifference| match difference {
            GroupDifference::Missing(person) => !comparison.tells_of(person),
            GroupDifference::Gone | GroupDifference::Renamed(_) | GroupDifference::Extra(_) => false,
        };
        differences.retain(|difference| !silent(difference));
        if !differences.is_empty() {
            self.groups.insert(id.clone(), differences);
        }
        self.owned.groups.insert(id.clone(), corrected);
    }
}

impl Comparison<'_> {
    /// Whether anything is said of a person. Who is in no action at all, by the lists, is changed by others at will.
    fn tells_of(&self, id: &PersonId) -> bool {
        let known = self.owned.accounts.get(id).map(|account| account.username.as_str());
        let now = self.desired.accounts.get(id).map(|desired| desired.username.as_str());
        let names: Vec<&str> = known.into_iter().chain(now).collect();
        left_out_by(self.rules, &names, id).is_none()
    }

    /// Whether a membership that this database did not make is ours from now on.
    fn takes_for_ours(&self, (group, name): (&GroupId, &str), person: &PersonId) -> bool {
        let was_there = || self.foreign.contains(&(group.clone(), person.clone()));
        let maker = if self.trust.is_trusted() || was_there() { Maker::SomebodyElse } else { Maker::PerhapsUs };
        self.tells_of(person) && maker.gives((self.desired, self.rules), (group, name), person)
    }
}

/// Who made a membership that a database did not make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Maker {
    /// The database is trusted, or the membership was there before.
    SomebodyElse,
    /// The database is not trusted: this program made it when the database was not looking, most likely.
    PerhapsUs,
}

impl Maker {
    /// Whether the membership is ours from now on. One that Duo wants is: it is not asked for again, and it is taken
    /// away when Duo does not want it any more. Any other that somebody else made is not (S7).
    pub(super) fn gives(
        self,
        (desired, rules): (&Desired, &Rules),
        (group, name): (&GroupId, &str),
        person: &PersonId,
    ) -> bool {
        let group = desired.groups.get(group);
        let is_touched = group.is_none_or(|group| group.untouched.is_none());
        if !is_touched || rules.protected_groups.contains(&name.to_lowercase()) {
            return false;
        }
        let has_access = desired.accounts.get(person).is_some_and(|account| match account.standing {
            Standing::Active | Standing::Keep(_) => true,
            Standing::Inactive(_) | Standing::Untouched(_) => false,
        });
        self == Self::PerhapsUs || (has_access && group.is_some_and(|group| group.members.contains(person)))
    }
}

/// Corrects an account that is there, and says what was wrong.
fn correct(
    comparison: &Comparison<'_>,
    id: &PersonId,
    seen: &ObservedAccount,
    account: &mut OwnedAccount,
) -> Vec<AccountDifference> {
    let mut differences = Vec::new();
    // A record that does not say whether it is active says nothing against the snapshot.
    if let Some(active) = seen.active.filter(|active| *active != account.active) {
        account.active = active;
        differences.push(AccountDifference::Active(active));
    }
    let desired = comparison.desired.accounts.get(id).and_then(|desired| desired.attributes.as_ref().ok());
    for attribute in comparison.rules.mapping.keys().copied() {
        let was = account.attributes.value(attribute).map(str::to_owned);
        let now = seen.attributes.value(attribute).map(str::to_owned);
        let is_same = match (&was, &now) {
            (None, None) => true,
            (Some(was), Some(now)) => attribute.is_same(was, now),
            // What we never wrote the target may fill in itself; it matters when Duo has a value for it.
            (None, Some(_)) => desired.is_none_or(|desired| desired.value(attribute).is_none()),
            (Some(_), None) => false,
        };
        if !is_same {
            account.attributes.set(attribute, now.as_deref().unwrap_or_default());
            // It reads differently than when a value was not taken: that one may be tried again.
            account.refused.set(attribute, "");
            differences.push(AccountDifference::Value { attribute, was, now });
        }
    }
    differences
}

/// Records with the id of somebody of ours, beside those that are linked. Before the first plan they are not unusual.
fn unlinked(comparison: &Comparison<'_>) -> Vec<Unlinked> {
    let owned = comparison.owned;
    if owned.is_empty() && comparison.trust.is_trusted() {
        return Vec::new();
    }
    let linked: BTreeSet<&ScimId> = owned.accounts.values().map(|account| &account.scim_id).collect();
    let records = comparison.observed.accounts.iter().filter(|(scim_id, _)| !linked.contains(scim_id));
    let of_ours = |(scim_id, record): (&ScimId, &ObservedAccount)| {
        let person = PersonId::new(record.external_id.as_ref()?);
        let is_known = comparison.desired.accounts.contains_key(&person)
            || owned.accounts.contains_key(&person)
            || comparison.confirmed.contains(&person);
        let is_told = is_known && !comparison.creating.contains(&person) && comparison.tells_of(&person);
        is_told.then(|| Unlinked {
            person,
            scim_id: scim_id.clone(),
            user_name: record.attributes.value(Attribute::UserName).unwrap_or_default().to_owned(),
            is_recent: record.created_at.is_some_and(|at| comparison.trust.may_not_know_of(at)),
        })
    };
    records.filter_map(of_ours).collect()
}
