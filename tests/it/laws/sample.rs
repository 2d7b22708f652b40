//! How random worlds are drawn.

use super::world::{
    GROUPS, GroupSpec, Lists, OwnedSpec, PEOPLE, PersonSpec, RECORDS, RecordSpec, RulesSpec, Spec, VALUES,
};
use proptest::prelude::*;

const BITS: u8 = 1 << GROUPS;

fn owned() -> impl Strategy<Value = OwnedSpec> {
    (prop::bool::weighted(0.8), 0..3_usize, 0..BITS, 0..VALUES + 1, 0..48_i64).prop_map(
        |(active, title, groups, refused, left_hours_ago)| OwnedSpec { active, title, groups, refused, left_hours_ago },
    )
}

fn person() -> impl Strategy<Value = PersonSpec> {
    let duo = (prop::bool::weighted(0.8), 0..7_usize, 0..VALUES, 0..VALUES + 2, 0..3_usize, 0..BITS);
    (duo, any::<bool>(), prop::option::of(owned())).prop_map(
        |((in_duo, status, login, address, title, groups), confirmed, owned)| PersonSpec {
            in_duo,
            status,
            login,
            address,
            title,
            groups,
            confirmed,
            owned,
        },
    )
}

fn group() -> impl Strategy<Value = GroupSpec> {
    (prop::bool::weighted(0.85), 0..5_usize, 0..6_usize, any::<bool>())
        .prop_map(|(in_duo, status, name, owned)| GroupSpec { in_duo, status, name, owned })
}

fn rules() -> impl Strategy<Value = RulesSpec> {
    (0..BITS, prop::bool::weighted(0.15), any::<u8>()).prop_map(|(selected, users_only, switches)| RulesSpec {
        selected,
        users_only,
        switches,
    })
}

/// Mostly empty.
fn listed() -> impl Strategy<Value = u8> {
    prop_oneof![3 => Just(0_u8), 1 => 0..1_u8 << PEOPLE]
}

fn record() -> impl Strategy<Value = RecordSpec> {
    (0..PEOPLE + 4, any::<Option<bool>>(), 0..BITS).prop_map(|(external_id, active, groups)| RecordSpec {
        external_id,
        active,
        groups,
    })
}

fn places() -> impl Strategy<Value = Vec<usize>> {
    Just((0..VALUES).collect::<Vec<usize>>()).prop_shuffle()
}

pub(super) fn specs() -> impl Strategy<Value = Spec> {
    let lists =
        (listed(), listed(), listed()).prop_map(|(pilot, excluded, blocked)| Lists { pilot, excluded, blocked });
    let people = prop::collection::vec(person(), PEOPLE);
    let groups = prop::collection::vec(group(), GROUPS);
    let records = prop::collection::vec(record(), RECORDS);
    let members_max = prop_oneof![Just(2_usize), Just(PEOPLE)];
    let before = prop::option::weighted(0.3, rules());
    let observed = (prop::bool::weighted(0.4), records, places(), places(), members_max);
    (people, groups, rules(), before, lists, observed).prop_map(
        |(people, groups, rules, before, lists, (observed, records, logins, addresses, members_max))| Spec {
            people,
            groups,
            rules,
            before,
            lists,
            observed,
            records,
            logins,
            addresses,
            members_max,
        },
    )
}

/// Worlds without anything that the one who comes first gets: everyone has names and addresses of their own, groups are
/// large enough, and nothing but Duo and the snapshot counts.
pub(super) fn specs_without_clashes() -> impl Strategy<Value = Spec> {
    specs().prop_map(|mut spec| {
        for (at, person) in spec.people.iter_mut().enumerate() {
            person.login = 2 * at + person.login % 2;
            person.address = if person.address < VALUES { 2 * at + person.address % 2 } else { person.address };
            person.owned = None;
        }
        for (at, group) in spec.groups.iter_mut().enumerate() {
            group.name = [0, 2, 5][at];
            group.owned = false;
        }
        spec.rules.switches &= 0b01_1111;
        spec.before = None;
        spec.observed = false;
        spec.members_max = PEOPLE;
        spec
    })
}
