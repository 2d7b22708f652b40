//! A small parser of filters, by RFC 7644 and RFC 8259 alone. For `fuzz/` and unit tests only.

use super::MemberRemoval;
use super::filter::{Key, encode, equals};
use super::group::remove_members;
use super::patch;
use crate::model::ScimId;

/// No value can leave its place in a filter, in a path or in a PATCH: what is asked for is what was meant.
///
/// # Panics
/// When it is not so.
pub fn filters(value: &str) {
    for (key, name) in [(Key::UserName, "userName"), (Key::ExternalId, "externalId"), (Key::DisplayName, "displayName")]
    {
        let expression = decoded(&equals(key, value));
        assert_eq!(comparison(&expression), Some((name, value.to_owned(), "")), "{expression}");
    }
    assert_eq!(decoded(&encode(value)), value);
    let body = patch::body(remove_members(&[ScimId::new(value)], MemberRemoval::Filter));
    let path = body.pointer("/Operations/0/path").and_then(serde_json::Value::as_str).unwrap_or_default();
    let inner = path.strip_prefix("members[").and_then(comparison);
    assert_eq!(inner, Some(("value", value.to_owned(), "]")), "{path}");
}

/// One part of a URL, decoded by RFC 3986.
fn decoded(part: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        assert!(byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte), "{part}");
        let digit = |digit: Option<u8>| digit.and_then(|digit| char::from(digit).to_digit(16));
        let byte = if byte == b'%' {
            let (high, low) = (digit(rest.next()), digit(rest.next()));
            high.zip(low).and_then(|(high, low)| u8::try_from(high * 16 + low).ok())
        } else {
            Some(byte)
        };
        assert!(byte.is_some(), "{part}");
        bytes.extend(byte);
    }
    let text = String::from_utf8(bytes);
    assert!(text.is_ok(), "{part}");
    text.unwrap_or_default()
}

/// `attribute SP "eq" SP string`: the attribute, the string and what follows it.
fn comparison(expression: &str) -> Option<(&str, String, &str)> {
    let (attribute, rest) = expression.split_once(' ')?;
    let literal = rest.strip_prefix("eq ")?.strip_prefix('"')?;
    let mut value = String::new();
    let mut letters = literal.chars();
    loop {
        match letters.next()? {
            '"' => return Some((attribute, value, letters.as_str())),
            '\\' => value.push(escaped(&mut letters)?),
            c if c < ' ' => return None,
            c => value.push(c),
        }
    }
}

/// What stands behind a backslash. (Beyond the basic plane, JSON has pairs; nothing of ours is escaped there.)
fn escaped(letters: &mut std::str::Chars<'_>) -> Option<char> {
    Some(match letters.next()? {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'u' => {
            let digits: Option<u32> = (0..4).try_fold(0, |number, _| Some(number * 16 + letters.next()?.to_digit(16)?));
            char::from_u32(digits?)?
        }
        c @ ('"' | '\\' | '/') => c,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{comparison, filters};
    use crate::model::fuzz::LARGE;
    use crate::model::fuzz::seeds;

    #[test]
    fn the_laws_hold_for_every_seed() {
        for (_, seed) in seeds("names") {
            filters(&String::from_utf8(seed).unwrap());
        }
    }

    #[test]
    fn large_values_stay_in_their_quotation_marks() {
        filters(&"\"\\\u{0}漢%] or ".repeat(LARGE / 13));
    }

    #[test]
    fn what_is_no_comparison_is_none() {
        for odd in
            ["", "a", "a eq", "a eq b", "a eq \"b", "a ne \"b\"", "a eq \"\\x\"", "a eq \"\n\"", "a eq \"\\u12\""]
        {
            assert_eq!(comparison(odd), None, "{odd}");
        }
        assert_eq!(comparison(r#"a eq "\u00e9\/" or b"#), Some(("a", "é/".to_owned(), " or b")));
    }
}
