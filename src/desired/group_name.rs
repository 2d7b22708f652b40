//! Names of groups: Duo's suffix for synced groups, and `*` patterns.

/// The name without the suffix that Duo gives to groups of a directory sync, such as ` (from AD sync "Corp")`.
///
/// Seen for Active Directory only; other directories are assumed to use the same form with another word before `sync`.
pub fn strip_directory_suffix(name: &str) -> &str {
    let stripped = name.strip_suffix("\")").and_then(|rest| {
        let (base, suffix) = rest.rsplit_once(" (from ")?;
        (suffix.contains(" sync \"") && !base.is_empty()).then_some(base)
    });
    stripped.unwrap_or(name)
}

/// Whether a name fits a pattern in which `*` stands for any characters, none included.
pub fn matches_pattern(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else { return false };
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::{matches_pattern, strip_directory_suffix};

    #[test]
    fn the_suffix_of_a_directory_sync_is_not_part_of_the_name() {
        assert_eq!(strip_directory_suffix("eng (from AD sync \"Corp (new)\")"), "eng");
        assert_eq!(strip_directory_suffix("eng (from Azure AD sync \"Corp\")"), "eng");
        assert_eq!(strip_directory_suffix("eng (from Lisbon)"), "eng (from Lisbon)");
        assert_eq!(strip_directory_suffix(" (from AD sync \"Corp\")"), " (from AD sync \"Corp\")");
        assert_eq!(strip_directory_suffix("eng"), "eng");
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name, fits) in [
            ("team-*", "team-red", true),
            ("team-*", "team-", true),
            ("team-*", "my team-red", false),
            ("*-admins", "site-admins", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("*", "", true),
            ("équipe-*", "équipe-é", true),
            ("eng", "eng", true),
            ("eng", "engineering", false),
        ] {
            assert_eq!(matches_pattern(pattern, name), fits, "{pattern} {name}");
        }
    }
}
