//! Which update goes before which: a change that frees an address or a userName before the one that takes it.

use crate::model::Attribute;
use crate::plan::Changes;
use std::collections::BTreeMap;

/// The level of each update: those of a level may run at once, levels run one after the other.
///
/// The plan holds no circles (they are skipped when it is made); if one is there all the same, its members share a
/// level and the target refuses one of them.
pub(super) fn levels(updates: &[&Changes]) -> Vec<usize> {
    let mut freed: BTreeMap<(Attribute, String), usize> = BTreeMap::new();
    for (index, changes) in updates.iter().enumerate() {
        for (attribute, change) in *changes {
            if let Some(from) = &change.from {
                freed.insert((*attribute, from.to_lowercase()), index);
            }
        }
    }
    let waits_for: Vec<Vec<usize>> = updates
        .iter()
        .enumerate()
        .map(|(index, changes)| {
            let taken = changes.iter().filter(|(attribute, _)| attribute.is_identity());
            let holders = taken.filter_map(|(attribute, change)| freed.get(&(*attribute, change.to.to_lowercase())));
            holders.copied().filter(|holder| *holder != index).collect()
        })
        .collect();
    let mut levels = vec![0; updates.len()];
    for _ in 0..updates.len() {
        let deeper = |(index, waits): (usize, &Vec<usize>)| {
            let before = waits.iter().filter_map(|holder| levels.get(*holder)).max();
            let level = before.map_or(0, |level| level + 1);
            (level.min(updates.len()), index)
        };
        let next: Vec<(usize, usize)> = waits_for.iter().enumerate().map(deeper).collect();
        let next: Vec<usize> = next.into_iter().map(|(level, _)| level).collect();
        if next == levels {
            break;
        }
        levels = next;
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::levels;
    use crate::model::Attribute;
    use crate::plan::{Change, Changes};
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    fn moves(from: &str, to: &str) -> Changes {
        [(Attribute::Emails, Change { from: Some(from.into()), to: to.into() })].into()
    }

    #[test]
    fn who_frees_an_address_goes_before_who_takes_it() {
        let updates = [moves("c@x", "b@x"), moves("a@x", "new@x"), moves("b@x", "A@x"), moves("d@x", "e@x")];
        assert_eq!(levels(&updates.iter().collect::<Vec<_>>()), [2, 0, 1, 0]);
    }

    #[test]
    fn a_circle_ends() {
        let updates = [moves("a@x", "b@x"), moves("b@x", "a@x")];
        assert_eq!(levels(&updates.iter().collect::<Vec<_>>()).len(), 2);
    }

    /// Whether following who holds what one takes, and so on, comes back to where it began.
    fn goes_in_a_circle(takes: &[usize], from: usize) -> bool {
        let mut at = takes[from];
        for _ in takes {
            if at == from || at >= takes.len() {
                return at == from;
            }
            at = takes[at];
        }
        true
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 200,
            failure_persistence: None,
            rng_seed: RngSeed::Fixed(3),
            ..ProptestConfig::default()
        })]

        /// Six accounts hold the addresses 0 to 5; each takes another one of twelve.
        #[test]
        fn whoever_takes_an_address_goes_after_who_frees_it(
            takes in Just((0..12).collect::<Vec<usize>>()).prop_shuffle(),
        ) {
            let takes: Vec<usize> = takes.into_iter().take(6).collect();
            prop_assume!(!(0..6).any(|from| goes_in_a_circle(&takes, from)));
            let updates: Vec<Changes> =
                takes.iter().enumerate().map(|(from, to)| moves(&format!("{from}@x"), &format!("{to}@x"))).collect();
            let levels = levels(&updates.iter().collect::<Vec<_>>());
            for (who, holder) in takes.iter().enumerate().filter(|(_, holder)| **holder < takes.len()) {
                prop_assert!(levels[who] > levels[*holder], "{takes:?} {levels:?}");
            }
        }
    }
}
