//! Drift in words, for reasons and findings.

use super::{AccountDifference, Drift, GroupDifference, Trust};
use crate::desired::Desired;
use crate::model::PersonId;
use std::collections::BTreeSet;
use std::fmt;

/// What a finding says of a drift.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DriftFound {
    /// What is different about what is ours, kind by kind: "2 accounts gone (ana, bo)".
    pub changes: Vec<String>,
    /// Whom it concerns.
    pub people: BTreeSet<PersonId>,
    /// The userNames of records that have the id of a person of ours and that no link leads to.
    pub unlinked: Vec<String>,
}

impl DriftFound {
    /// Whether the target is as the snapshot says.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.unlinked.is_empty()
    }

    /// The records that no link leads to, as one phrase.
    pub fn unlinked_phrase(&self) -> Option<String> {
        let people: BTreeSet<String> = self.unlinked.iter().cloned().collect();
        let noun = "records with the id of a person in Duo that this database did not make";
        let one = "record with the id of a person in Duo that this database did not make";
        phrase(&people, (one, noun))
    }
}

/// So many names are examples.
const EXAMPLES_MAX: usize = 3;

fn phrase(names: &BTreeSet<String>, (one, many): (&str, &str)) -> Option<String> {
    let examples: Vec<&str> = names.iter().take(EXAMPLES_MAX).map(String::as_str).collect();
    let more = if names.len() > examples.len() { ", ..." } else { "" };
    let noun = if names.len() == 1 { one } else { many };
    (!names.is_empty()).then(|| format!("{} {noun} ({}{more})", names.len(), examples.join(", ")))
}

impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trusted => f.write_str("the database is trusted"),
            Self::Restored { backup_at } => write!(f, "the database is a backup of {backup_at}"),
            Self::Idle { since } => write!(f, "nothing was synced with this database since {since}"),
        }
    }
}

impl Drift {
    /// What is different, for findings.
    pub fn found(&self, desired: &Desired) -> DriftFound {
        let name = |id: &PersonId| {
            let known = self.before.accounts.get(id).map(|account| &account.username);
            let now = desired.accounts.get(id).map(|desired| &desired.username);
            now.or(known).map_or_else(|| id.to_string(), Clone::clone)
        };
        let mut kinds: [BTreeSet<String>; 8] = Default::default();
        let mut people: BTreeSet<PersonId> = self.accounts.keys().cloned().collect();
        let [gone, activated, deactivated, changed, groups, renamed, missing, extra] = &mut kinds;
        for (id, difference) in self.accounts.iter().flat_map(|(id, all)| all.iter().map(move |one| (id, one))) {
            match difference {
                AccountDifference::Gone => gone.insert(name(id)),
                AccountDifference::Active(true) => activated.insert(name(id)),
                AccountDifference::Active(false) => deactivated.insert(name(id)),
                AccountDifference::Value { attribute, .. } => changed.insert(format!("{attribute} of {}", name(id))),
            };
        }
        for (id, difference) in self.groups.iter().flat_map(|(id, all)| all.iter().map(move |one| (id, one))) {
            let group = self.before.groups.get(id).map_or(id.as_str(), |group| group.name.as_str());
            match difference {
                GroupDifference::Gone => groups.insert(group.to_owned()),
                GroupDifference::Renamed(now) => renamed.insert(format!("{group}: {now}")),
                GroupDifference::Missing(person) => missing.insert(format!("{} in {group}", name(person))),
                GroupDifference::Extra(person) => extra.insert(format!("{} in {group}", name(person))),
            };
            if let GroupDifference::Missing(person) | GroupDifference::Extra(person) = difference {
                people.insert(person.clone());
            }
        }
        let nouns = [
            ("account gone", "accounts gone"),
            ("account made active", "accounts made active"),
            ("account made inactive", "accounts made inactive"),
            ("value changed", "values changed"),
            ("group gone", "groups gone"),
            ("group renamed", "groups renamed"),
            ("membership gone", "memberships gone"),
            ("membership added", "memberships added"),
        ];
        let changes = kinds.iter().zip(nouns).filter_map(|(names, noun)| phrase(names, noun)).collect();
        people.extend(self.unlinked.iter().map(|record| record.person.clone()));
        DriftFound { changes, people, unlinked: self.unlinked.iter().map(|record| record.user_name.clone()).collect() }
    }

    /// What somebody else changed about one account, as the beginning of a reason; none: nothing.
    pub(in crate::plan) fn told(&self, person: &PersonId) -> Option<String> {
        let differences = self.accounts.get(person)?;
        let word = |active: bool| if active { "active" } else { "inactive" };
        let ours = if self.trust.is_trusted() { "this program left" } else { "this database says" };
        let told = |difference: &AccountDifference| match difference {
            AccountDifference::Gone => "the account is gone in Atlassian".to_owned(),
            AccountDifference::Active(now) if self.trust.is_trusted() => {
                format!("Atlassian says active={now}, {ours} it {}", word(!now))
            }
            AccountDifference::Active(now) => format!("Atlassian says active={now}, {ours} {}", word(!now)),
            AccountDifference::Value { attribute, was, now } => {
                let shown = |value: &Option<String>| value.as_ref().map_or("nothing".to_owned(), |v| format!("{v:?}"));
                format!("Atlassian says {attribute} = {}, {ours} {}", shown(now), shown(was))
            }
        };
        let told: Vec<String> = differences.iter().map(told).collect();
        Some(format!("{}; {}", told.join("; "), self.by_whom()))
    }

    /// Who changed it, as far as it is known.
    pub(in crate::plan) const fn by_whom(&self) -> &'static str {
        match self.trust {
            Trust::Trusted => "somebody else changed it",
            Trust::Restored { .. } | Trust::Idle { .. } => "it changed since, and who did it is not known here",
        }
    }
}
