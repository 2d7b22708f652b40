//! `[scope]` and `[deprovisioning]`.

use super::duo::is_key;
use super::mapping;
use super::problem::Fault;
use super::reader::{Place, Reader};
use super::selector;
use crate::desired::Access;
use crate::desired::Rules;
use std::collections::BTreeSet;

/// Reads the rules. The domains come from `[atlassian]`.
pub(super) fn read(reader: &mut Reader<'_>, verified_domains: BTreeSet<String>, is_loopback: bool) -> Rules {
    let protected_groups: BTreeSet<String> =
        reader.texts("scope.protected_groups").into_iter().map(|(name, _)| name.to_lowercase()).collect();
    let rules = Rules {
        groups: selector::read(reader, &protected_groups, is_loopback),
        exclude_group_information: reader.boolean("scope.exclude_group_information"),
        disabled_groups: access(reader, "scope.disabled_groups"),
        disabled_people: access(reader, "deprovisioning.disabled_people"),
        pending_deletion_people: access(reader, "deprovisioning.pending_deletion_people"),
        locked_out_people: access(reader, "deprovisioning.locked_out_people"),
        mapping: mapping::read(reader),
        blocked_people: people(reader, "scope.blocked_people"),
        pilot_people: people(reader, "scope.pilot_people"),
        excluded_people: people(reader, "scope.excluded_people"),
        protected_groups,
        verified_domains,
        grace_hours: reader.whole("deprovisioning.grace_hours", 0..=8_760),
    };
    check_lists(reader, &rules);
    rules
}

fn access(reader: &mut Reader<'_>, key: &str) -> Access {
    reader.choice(key, [("keep", Access::Keep), ("deactivate", Access::Deactivate)])
}

/// A list of people, normalised: usernames in lower case, ids as Duo writes them.
fn people(reader: &mut Reader<'_>, key: &str) -> BTreeSet<String> {
    let mut people = BTreeSet::new();
    for (text, _) in reader.texts(key) {
        let person = normalised(text);
        if !is_id(text) && is_id(&text.to_uppercase()) && text.contains(|c: char| c.is_ascii_digit()) {
            reader.warn(&format!(
                "{key}: `{text}` is taken for a username; if it is an id, write it in capitals, as Duo does: `{}`",
                text.to_uppercase()
            ));
        }
        people.insert(person);
    }
    people
}

fn is_id(text: &str) -> bool {
    is_key(text, "DU") && !text.bytes().any(|b| b.is_ascii_lowercase())
}

fn normalised(text: &str) -> String {
    if is_id(text) { text.to_owned() } else { text.to_lowercase() }
}

/// Nobody can be deactivated and left alone at once.
fn check_lists(reader: &mut Reader<'_>, rules: &Rules) {
    let key = "scope.blocked_people";
    let contradictory: Vec<(&str, Place)> =
        reader.texts(key).into_iter().filter(|(text, _)| rules.excluded_people.contains(&normalised(text))).collect();
    for (person, place) in contradictory {
        let message = format!("`{person}` is in excluded_people as well, which says: in no action at all");
        reader.refuse_at(key, place, Fault::new(message, "keep the person in one of the two lists"));
    }
    for person in rules.pilot_people.intersection(&rules.excluded_people) {
        reader.warn(&format!("scope.pilot_people: `{person}` is in excluded_people as well, which goes first"));
    }
    if !rules.pilot_people.is_empty() {
        for person in rules.blocked_people.difference(&rules.pilot_people) {
            reader.warn(&format!(
                "scope.blocked_people: `{person}` is not in pilot_people, and so in no action while the pilot lasts"
            ));
        }
    }
}
