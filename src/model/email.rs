//! An address as SCIM's `emails` takes it.

use std::fmt;

/// A syntactically sound address in lower case.
///
/// Deliberately stricter than RFC 5321 (no quoted local parts, no address literals): Atlassian refuses those, and
/// what would be refused is found while planning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Email(Box<str>);

/// Why a text is not an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseEmailError {
    /// Nothing but white space.
    #[error("it is empty")]
    Empty,
    /// Not exactly one `@`, or nothing on one side of it.
    #[error("it is not of the form name@domain")]
    Shape,
    /// White space, a control character, or one of `"(),:;<>[\]`.
    #[error("it contains {0:?}")]
    Character(char),
    /// Dots at an end or side by side, a domain without a dot, or a part that is too long.
    #[error("its {0} is not valid")]
    Part(&'static str),
}

impl Email {
    /// Trims, lower-cases and checks an address.
    pub fn parse(text: &str) -> Result<Self, ParseEmailError> {
        let text = text.trim().to_lowercase();
        if text.is_empty() {
            return Err(ParseEmailError::Empty);
        }
        let forbidden = |c: &char| c.is_whitespace() || c.is_control() || "\"(),:;<>[\\]".contains(*c);
        if let Some(c) = text.chars().find(forbidden) {
            return Err(ParseEmailError::Character(c));
        }
        let Some((local, domain)) = text.split_once('@') else { return Err(ParseEmailError::Shape) };
        if local.is_empty() || domain.is_empty() || domain.contains('@') {
            return Err(ParseEmailError::Shape);
        }
        let dotted_badly = |part: &str| part.starts_with('.') || part.ends_with('.') || part.contains("..");
        if dotted_badly(local) || local.len() > 64 {
            return Err(ParseEmailError::Part("local part"));
        }
        let label_is_bad =
            |label: &str| label.is_empty() || label.starts_with('-') || label.ends_with('-') || label.len() > 63;
        if !domain.contains('.') || domain.len() > 253 || domain.split('.').any(label_is_bad) {
            return Err(ParseEmailError::Part("domain"));
        }
        Ok(Self(text.into_boxed_str()))
    }

    /// The address in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands behind the `@`.
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Email, ParseEmailError};

    #[test]
    fn an_address_is_trimmed_and_lower_cased() {
        let email = Email::parse(" Ana.Lima+jira@Example.COM ").unwrap();
        assert_eq!(email.as_str(), "ana.lima+jira@example.com");
        assert_eq!(email.domain(), "example.com");
    }

    #[test]
    fn an_address_is_as_long_as_it_is_kept() {
        // In lower case the letter has three bytes, and not two.
        let local = "İ".repeat(32);
        assert_eq!(Email::parse(&format!("{local}@example.com")), Err(ParseEmailError::Part("local part")));
        let label = "İ".repeat(31);
        assert_eq!(Email::parse(&format!("a@{label}.com")), Err(ParseEmailError::Part("domain")));
    }

    #[test]
    fn what_is_not_an_address_says_why() {
        let why = |text: &str| Email::parse(text).unwrap_err();
        assert_eq!(why("  "), ParseEmailError::Empty);
        assert_eq!(why("ana"), ParseEmailError::Shape);
        assert_eq!(why("@example.com"), ParseEmailError::Shape);
        assert_eq!(why("a@b@example.com"), ParseEmailError::Shape);
        assert_eq!(why("ana lima@example.com"), ParseEmailError::Character(' '));
        assert_eq!(why("ana\u{0}@example.com"), ParseEmailError::Character('\u{0}'));
        assert_eq!(why("ana..l@example.com"), ParseEmailError::Part("local part"));
        assert_eq!(why("ana@localhost"), ParseEmailError::Part("domain"));
        assert_eq!(why("ana@example..com"), ParseEmailError::Part("domain"));
        assert_eq!(why("ana@-example.com"), ParseEmailError::Part("domain"));
    }
}
