//! The three filters that Atlassian takes: exactly one attribute, exactly equal.

use percent_encoding::AsciiSet;
use percent_encoding::NON_ALPHANUMERIC;
use percent_encoding::utf8_percent_encode;
use serde_json::Value;

/// All but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What can be asked for (Atlassian's specification: no other attribute, operator or combination).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// Users by `userName`. Whether the case matters there is not documented.
    UserName,
    /// Users by `externalId`; the case matters. There is no such filter for groups.
    ExternalId,
    /// Groups by `displayName`.
    DisplayName,
}

impl Key {
    const fn path(self) -> &'static str {
        match self {
            Self::UserName => "userName",
            Self::ExternalId => "externalId",
            Self::DisplayName => "displayName",
        }
    }
}

/// The value of the query parameter `filter`, percent-encoded.
///
/// The value is a JSON string (RFC 7644 section 3.4.2.2), and the whole expression is encoded once.
pub(super) fn equals(key: Key, value: &str) -> String {
    encode(&format!("{} eq {}", key.path(), quoted(value)))
}

/// A value inside a filter, as a JSON string.
pub(super) fn quoted(value: &str) -> String {
    Value::from(value).to_string()
}

/// One part of a URL, percent-encoded.
pub(super) fn encode(part: &str) -> String {
    utf8_percent_encode(part, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::{Key, encode, equals};

    fn decoded(filter: &str) -> String {
        percent_encoding::percent_decode_str(filter).decode_utf8().unwrap().into_owned()
    }

    #[test]
    fn a_filter_is_encoded_once() {
        assert_eq!(equals(Key::UserName, "ana@example.com"), "userName%20eq%20%22ana%40example.com%22");
        assert_eq!(equals(Key::ExternalId, "DU1"), "externalId%20eq%20%22DU1%22");
        assert_eq!(equals(Key::DisplayName, "a+b & c#d%20"), "displayName%20eq%20%22a%2Bb%20%26%20c%23d%2520%22");
    }

    #[test]
    fn a_value_cannot_leave_its_quotation_marks() {
        for value in
            [r#"" or userName eq "x"#, r"back\slash", "Ção 漢字 🦀", "a+b&c#d?e=f%", "tab\tnew\nline\u{0}\u{1f}"]
        {
            let filter = equals(Key::UserName, value);
            assert!(filter.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)), "{filter}");
            let expression = decoded(&filter);
            let literal = expression.strip_prefix("userName eq ").unwrap();
            assert_eq!(serde_json::from_str::<String>(literal).unwrap(), value);
        }
        assert_eq!(decoded(&equals(Key::UserName, "a\"b\\c\n")), r#"userName eq "a\"b\\c\n""#);
    }

    #[test]
    fn an_id_cannot_leave_its_place_in_the_path() {
        assert_eq!(encode("../Groups?x#y"), "..%2FGroups%3Fx%23y");
    }
}
