//! What must hold of any name of a group and any pattern. For `fuzz/` and unit tests only.

use super::{matches_pattern, strip_directory_suffix};

/// So many characters are compared in the slow way.
const COMPARED_MAX: usize = 64;

/// A pattern fits what it fits by the plainest definition of `*`.
///
/// # Panics
/// When it is not so.
pub fn pattern(pattern: &str, name: &str) {
    let fits = matches_pattern(pattern, name);
    let (letters, of_name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    if letters.len() <= COMPARED_MAX && of_name.len() <= COMPARED_MAX {
        assert_eq!(fits, fits_slowly(&letters, &of_name), "{pattern:?} {name:?}");
    }
    assert!(matches_pattern("*", name) && matches_pattern(name, name), "{name:?} fits itself");
    assert!(!fits || matches_pattern(&format!("*{pattern}*"), name));
}

/// One row a letter of the pattern: whether the pattern so far fits so many letters of the name.
fn fits_slowly(pattern: &[char], name: &[char]) -> bool {
    let mut fits: Vec<bool> = std::iter::once(true).chain(name.iter().map(|_| false)).collect();
    for letter in pattern {
        let mut before = false;
        let mut next = Vec::with_capacity(fits.len());
        for (at, fit) in fits.iter().enumerate() {
            let of_name = at.checked_sub(1).and_then(|at| name.get(at));
            next.push(match letter {
                '*' => *fit || next.last().copied().unwrap_or(false),
                letter => before && of_name == Some(letter),
            });
            before = *fit;
        }
        fits = next;
    }
    fits.last().copied().unwrap_or(false)
}

/// A directory's suffix is taken off once, and something is left.
///
/// # Panics
/// When it is not so.
pub fn group_name(name: &str) {
    let stripped = strip_directory_suffix(name);
    assert!(name.starts_with(stripped));
    if stripped != name {
        assert!(!stripped.is_empty() && name.ends_with("\")"), "{name:?}");
        let suffix = name.strip_prefix(stripped).unwrap_or_default();
        assert!(suffix.starts_with(" (from ") && suffix.contains(" sync \""), "{name:?}");
    }
    let synced = format!("{name} (from AD sync \"Corp\")");
    assert_eq!(strip_directory_suffix(&synced), if name.is_empty() { &synced } else { name });
}

#[cfg(test)]
mod tests {
    use super::{group_name, pattern};
    use crate::model::fuzz::LARGE;
    use crate::model::fuzz::seeds;

    #[test]
    fn the_laws_hold_for_every_seed() {
        for (_, seed) in seeds("names") {
            let text = String::from_utf8(seed).unwrap();
            let (one, other) = text.split_once('\n').unwrap_or((&text, ""));
            pattern(one, other);
            group_name(one);
        }
        pattern("a*b**c", "a-b-b-c");
        pattern("ab*bc", "abc");
    }

    #[test]
    fn large_names_and_patterns_fit_or_do_not() {
        let a = "a".repeat(LARGE);
        for text in ["a*".repeat(LARGE / 2), format!("*{a}"), "*".repeat(LARGE)] {
            pattern(&text, &a);
        }
        for text in [" (from AD sync \"", "\")"] {
            group_name(&format!("{}\")", text.repeat(LARGE / text.len())));
        }
    }
}
