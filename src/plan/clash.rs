//! Addresses and userNames that two people would share, and ones that go round in a circle (S3).
//!
//! Atlassian refuses the second of them with 409, so they are found here. The one who is linked goes on.

use super::person::World;
use crate::desired::Standing;
use crate::model::Attribute;
use crate::model::Attributes;
use crate::model::OwnedAccount;
use crate::model::PersonId;
use std::collections::{BTreeMap, BTreeSet};

const UNIQUE: [(Attribute, &str); 2] = [(Attribute::UserName, "userName"), (Attribute::Emails, "address")];

/// Whose new values are not sent, and why.
pub(super) fn losers(world: &World<'_>) -> BTreeMap<PersonId, String> {
    let mut losers = BTreeMap::new();
    loop {
        let claims = claims(world, &losers);
        let mut fresh = BTreeMap::new();
        for (attribute, word) in UNIQUE {
            shared(world, &claims, (attribute, word), &mut fresh);
        }
        fresh.retain(|id, _| !losers.contains_key(id));
        if fresh.is_empty() {
            fresh = circles(world, &claims);
            fresh.retain(|id, _| !losers.contains_key(id));
        }
        if fresh.is_empty() {
            return losers;
        }
        losers.append(&mut fresh);
    }
}

/// What somebody will hold after the plan.
struct Claim<'a> {
    new: Option<&'a Attributes>,
    account: Option<&'a OwnedAccount>,
}

impl Claim<'_> {
    /// The value, folded. One that the target refused is not sent again (S15): the old one stays.
    fn value(&self, attribute: Attribute) -> Option<String> {
        let refused = self.account.and_then(|account| account.refused.value(attribute));
        let new = self.new.and_then(|new| new.value(attribute)).filter(|value| refused != Some(*value));
        new.or_else(|| self.account?.attributes.value(attribute)).map(str::to_lowercase)
    }
}

/// What everybody will hold after the plan, if nobody else loses.
fn claims<'a>(world: &World<'a>, losers: &BTreeMap<PersonId, String>) -> BTreeMap<&'a PersonId, Claim<'a>> {
    let mut claims = BTreeMap::new();
    for id in world.people() {
        let account = world.account(id);
        let desired =
            world.desired.accounts.get(id).and_then(|desired| match (&desired.standing, &desired.attributes) {
                (Standing::Active, Ok(attributes)) => Some(attributes),
                (Standing::Keep(_), Ok(attributes)) if account.is_some_and(|account| account.active) => {
                    Some(attributes)
                }
                _ => None,
            });
        let moves = world.may_act_on(id)
            && !losers.contains_key(id)
            && desired.is_some_and(|new| account.is_none_or(|account| world.attributes_stay(new, account).is_none()));
        let new = desired.filter(|_| moves);
        if new.is_some() || account.is_some() {
            claims.insert(id, Claim { new, account });
        }
    }
    claims
}

fn folded(attributes: &Attributes, attribute: Attribute) -> Option<String> {
    attributes.value(attribute).map(str::to_lowercase)
}

fn shared(
    world: &World<'_>,
    claims: &BTreeMap<&PersonId, Claim<'_>>,
    (attribute, word): (Attribute, &str),
    losers: &mut BTreeMap<PersonId, String>,
) {
    let mut by_value: BTreeMap<String, Vec<&PersonId>> = BTreeMap::new();
    for (id, claim) in claims {
        if let Some(value) = claim.value(attribute) {
            by_value.entry(value).or_default().push(id);
        }
    }
    by_value.retain(|_, people| people.len() > 1);
    for (value, people) in by_value {
        let holds = |id: &&&PersonId| {
            world.account(id).and_then(|account| folded(&account.attributes, attribute)).as_ref() == Some(&value)
        };
        let linked = |id: &&&PersonId| world.account(id).is_some();
        let winner = only(people.iter().filter(holds).copied().collect())
            .or_else(|| only(people.iter().filter(linked).copied().collect()));
        let names: Vec<String> = people.iter().map(|id| format!("{} ({id})", world.username(id))).collect();
        for id in people.iter().filter(|id| Some(**id) != winner) {
            let reason = match winner {
                None => format!("{} share the {word} {value}: give each their own in Duo", names.join(" and ")),
                Some(winner) if world.desired.accounts.contains_key(winner) => format!(
                    "the {word} {value} is {}'s ({winner}), whose account has it: give each their own in Duo",
                    world.username(winner)
                ),
                Some(winner) => format!(
                    "the {word} {value} is still on the account of {} ({winner}), who is not in scope: change it there, \
                     in Atlassian, first",
                    world.username(winner)
                ),
            };
            losers.insert((*id).clone(), reason);
        }
    }
}

fn only(mut found: Vec<&PersonId>) -> Option<&PersonId> {
    if found.len() == 1 { found.pop() } else { None }
}

/// People who wait for one another to give up a value: nobody can go first.
fn circles(world: &World<'_>, claims: &BTreeMap<&PersonId, Claim<'_>>) -> BTreeMap<PersonId, String> {
    let mut waits: BTreeMap<&PersonId, BTreeSet<&PersonId>> = BTreeMap::new();
    for (attribute, _) in UNIQUE {
        let mut holders: BTreeMap<String, &PersonId> = BTreeMap::new();
        for id in claims.keys() {
            if let Some(value) = world.account(id).and_then(|account| folded(&account.attributes, attribute)) {
                holders.insert(value, id);
            }
        }
        for (id, claim) in claims {
            let holder = claim.value(attribute).and_then(|value| holders.get(&value).copied());
            if let Some(holder) = holder.filter(|holder| holder != id) {
                waits.entry(id).or_default().insert(holder);
            }
        }
    }
    loop {
        let waiting: BTreeSet<&PersonId> = waits.keys().copied().collect();
        let before = waits.len();
        waits.retain(|_, on| on.iter().any(|holder| waiting.contains(holder)));
        if waits.len() == before {
            break;
        }
    }
    let names: Vec<String> = waits.keys().map(|id| world.username(id)).collect();
    let reason = format!(
        "{} exchange an address or userName: give one of them a temporary value in Duo first, since Atlassian takes no \
         two changes at once",
        names.join(" and ")
    );
    waits.keys().map(|id| ((*id).clone(), reason.clone())).collect()
}
