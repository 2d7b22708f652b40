//! "Did you mean …?"

/// The known name that a misspelt one was probably meant to be.
pub(super) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let length = name.chars().count();
    let distance_max = (length + 1) / 3;
    // Names of another length are that far away at least.
    let near = known.iter().filter(|candidate| candidate.chars().count().abs_diff(length) <= distance_max);
    let near = near.map(|candidate| (distance(name, candidate), *candidate)).min();
    let near = near.filter(|(distance, _)| *distance <= distance_max).map(|(_, candidate)| candidate);
    near.or_else(|| known.iter().copied().find(|candidate| name.len() >= 4 && candidate.starts_with(name)))
}

/// How many letters must be put, taken or changed (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, to) in row.iter_mut().zip(std::iter::once(None).chain(b.chars().map(Some))) {
            let cost = match to {
                None => i + 1,
                Some(to) => (diagonal + usize::from(from != to)).min(*cell + 1).min(left + 1),
            };
            diagonal = *cell;
            *cell = cost;
            left = cost;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn the_distance_counts_letters() {
        for (a, b, expected) in
            [("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("guard", "gaurd", 2), ("x", "x", 0)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn only_what_is_near_is_suggested() {
        let known = ["api_host", "secret_key_file", "signature"];
        assert_eq!(nearest("apihost", &known), Some("api_host"));
        assert_eq!(nearest("secret_key", &known), Some("secret_key_file"));
        assert_eq!(nearest("gaurd", &["guard", "state"]), Some("guard"));
        assert_eq!(nearest("colour", &known), None);
    }
}
