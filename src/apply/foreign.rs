//! Something else that writes to the same directory is found from the answers (S17): what they show otherwise than
//! this program left it, and did not just write.

use super::send::Answered;
use crate::model::Attribute;
use crate::model::Attributes;
use crate::model::ObservedAccount;
use crate::model::Owned;
use crate::store::ForeignWrites;
use crate::store::Request;
use std::collections::BTreeSet;

/// Whether the answer to a PATCH of a user shows a managed value, or `active`, otherwise than the snapshot. What is
/// not in the answer at all says nothing.
pub(super) fn is_foreign(request: &Request, answered: &Answered, owned: &Owned, managed: &BTreeSet<Attribute>) -> bool {
    let none = Attributes::new();
    let (person, sent, is_active_sent) = match request {
        Request::UpdateUser { person, changes, reactivate, .. } => (person, changes, *reactivate),
        Request::DeactivateUser { person, .. } => (person, &none, true),
        Request::Adopt { .. }
        | Request::AdoptGroup { .. }
        | Request::CreateUser { .. }
        | Request::CreateGroup { .. }
        | Request::AddMembers { .. }
        | Request::RemoveMembers { .. } => return false,
    };
    let (Some(account), Answered::User(_, Some(shown))) = (owned.accounts.get(person), answered) else { return false };
    let is_active_other = !is_active_sent && shown.active.is_some_and(|active| active != account.active);
    let is_other = |attribute: &Attribute| match (account.attributes.value(*attribute), value(shown, *attribute)) {
        (Some(left), Some(shown)) => !attribute.is_same(left, shown),
        (None, _) | (_, None) => false,
    };
    is_active_other || managed.iter().filter(|attribute| !is_touched(**attribute, sent)).any(is_other)
}

fn value(account: &ObservedAccount, attribute: Attribute) -> Option<&str> {
    account.attributes.value(attribute)
}

/// Whether writing these attributes may change that one: an update of `displayName` overwrites first and last name
/// (Atlassian's knowledge base, read 2026-11-23).
fn is_touched(attribute: Attribute, sent: &Attributes) -> bool {
    let is_sent = |attribute| sent.value(attribute).is_some();
    let is_name = matches!(
        attribute,
        Attribute::DisplayName
            | Attribute::NameFormatted
            | Attribute::NameGivenName
            | Attribute::NameFamilyName
            | Attribute::NameMiddleName
    );
    let names = [Attribute::DisplayName, Attribute::NameFormatted, Attribute::NameGivenName, Attribute::NameFamilyName];
    is_sent(attribute) || (is_name && names.into_iter().any(is_sent))
}

/// What is reported of it, in a sentence.
pub fn describe_foreign_writes(writes: &ForeignWrites) -> String {
    let count = writes.records.len();
    let copy = if writes.is_copy {
        ", and a record with the externalId of one of our people is there that this database never created: perhaps a \
         copy of it is at work on another machine, or an older backup of it was restored"
    } else {
        ""
    };
    format!(
        "something else writes to this directory: {count} {} otherwise than this program left {}, last at {}{copy}; \
         look for a second instance, for Duo's own provisioning, and for changes by hand",
        if count == 1 { "record was" } else { "records were" },
        if count == 1 { "it" } else { "them" },
        writes.last_at
    )
}

#[cfg(test)]
mod tests {
    use super::{Answered, Attribute, Attributes, ObservedAccount, Owned, Request, is_foreign};
    use crate::model::{OwnedAccount, PersonId, ScimId};

    const MANAGED: [Attribute; 4] =
        [Attribute::UserName, Attribute::Emails, Attribute::DisplayName, Attribute::NameGivenName];

    fn values(values: &[(Attribute, &str)]) -> Attributes {
        values.iter().copied().collect()
    }

    fn owned() -> Owned {
        let account = OwnedAccount {
            scim_id: ScimId::new("s"),
            username: "ana".to_owned(),
            attributes: values(&[
                (Attribute::UserName, "ana"),
                (Attribute::Emails, "ana@example.com"),
                (Attribute::DisplayName, "Ana"),
                (Attribute::NameGivenName, "Ana"),
                (Attribute::Title, "Boss"),
            ]),
            active: true,
            refused: Attributes::new(),
            left_scope_at: None,
        };
        Owned { accounts: [(PersonId::new("DU1"), account)].into(), ..Owned::default() }
    }

    /// What an answer to an update of these attributes means that shows these others instead.
    fn answered(sent: &[(Attribute, &str)], shown: &[(Attribute, &str)], active: Option<bool>) -> bool {
        let request = Request::UpdateUser {
            person: PersonId::new("DU1"),
            username: "ana".to_owned(),
            scim_id: ScimId::new("s"),
            changes: values(sent),
            before: Attributes::new(),
            reactivate: false,
        };
        let mut attributes = owned().accounts[&PersonId::new("DU1")].attributes.clone();
        for (attribute, value) in sent.iter().chain(shown) {
            attributes.set(*attribute, value);
        }
        let record = ObservedAccount { attributes, active, ..ObservedAccount::default() };
        let answered = Answered::User(ScimId::new("s"), Some(record));
        is_foreign(&request, &answered, &owned(), &MANAGED.into())
    }

    #[test]
    fn what_we_did_not_write_and_finds_itself_changed_is_somebody_elses() {
        let email = (Attribute::Emails, "ana.lima@example.com");
        assert!(!answered(&[email], &[], Some(true)));
        assert!(answered(&[email], &[(Attribute::DisplayName, "Anna")], Some(true)));
        assert!(answered(&[email], &[], Some(false)), "somebody deactivated her");
        assert!(!answered(&[email], &[], None), "the answer does not say");
    }

    #[test]
    fn what_is_not_ours_to_say_or_follows_from_our_own_writing_is_not() {
        let email = (Attribute::Emails, "ana.lima@example.com");
        assert!(!answered(&[email], &[(Attribute::Title, "Chief")], Some(true)), "not managed");
        assert!(!answered(&[email], &[(Attribute::DisplayName, "")], Some(true)), "not in the answer");
        assert!(!answered(&[email], &[(Attribute::UserName, "ANA")], Some(true)), "the same");
        let name = (Attribute::DisplayName, "Ana Lima");
        assert!(!answered(&[name], &[(Attribute::NameGivenName, "Ana Lima")], Some(true)), "the name follows");
    }
}
