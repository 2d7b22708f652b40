//! What must hold of any text that is read as an address or a moment. For `fuzz/` and unit tests only.

use super::{Email, Timestamp};

/// So many bytes of a message may be somebody else's words, and a little more of our own.
const MESSAGE_LENGTH_MAX: usize = 4_000;

/// Demands that a message is one line, with nothing in it that steers a terminal.
///
/// # Panics
/// When it is not so.
pub fn assert_one_line(message: &str) {
    let is_wild = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let is_plain = message.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    assert!(is_plain || !message.contains(is_wild), "a message could steer a terminal or forge a line: {message:?}");
}

/// Demands that a message can be printed: one line, and not long.
///
/// # Panics
/// When it is not so.
pub fn assert_tame(message: &str) {
    assert_one_line(message);
    let length = message.len();
    assert!(length <= MESSAGE_LENGTH_MAX, "a message has {length} bytes");
}

/// Demands that an error and all its causes can be printed.
///
/// # Panics
/// When it is not so.
pub fn assert_tame_error(error: &dyn std::error::Error) {
    let mut next = Some(error);
    while let Some(error) = next {
        assert_tame(&error.to_string());
        next = error.source();
    }
}

/// Bytes in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

/// An address is refused, or is one in lower case that is accepted again as it is.
///
/// # Panics
/// When a law is broken.
pub fn email(text: &str) {
    let Ok(email) = Email::parse(text).inspect_err(|error| assert_tame_error(error)) else { return };
    let address = email.as_str();
    assert_eq!(Email::parse(address).as_ref(), Ok(&email), "what is accepted is accepted again");
    assert_eq!(address, address.to_lowercase());
    assert!(!address.contains(|c: char| c.is_whitespace() || c.is_control() || "\"(),:;<>[\\]".contains(c)));
    let parts: Vec<&str> = address.split('@').collect();
    assert!(matches!(parts[..], [local, domain] if local.len() <= 64 && domain.len() <= 253), "{address:?}");
    assert_eq!(parts.last(), Some(&email.domain()));
    assert!(email.domain().split('.').count() > 1);
    assert!(email.domain().split('.').all(|label| !label.is_empty() && label.len() <= 63), "{address:?}");
    assert_eq!(text.trim().to_lowercase(), address, "nothing but case and the space around it changes");
}

/// A moment is refused, or is written so that it is read back.
///
/// # Panics
/// When a law is broken.
pub fn moment(text: &str) {
    if let Ok(moment) = text.parse::<Timestamp>() {
        let written = moment.to_string();
        assert_eq!(written.parse::<Timestamp>().ok(), Some(moment), "{written}");
        assert!(written.ends_with('Z'), "{written}");
    }
    if let Ok(seconds) = text.parse::<i64>() {
        assert_tame(&Timestamp::from_seconds(seconds).to_string());
    }
}

/// The seeds of one fuzz target, with their names.
#[cfg(test)]
pub(crate) fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let files = std::fs::read_dir(&folder).unwrap();
    let mut seeds: Vec<_> = files
        .map(|file| file.unwrap())
        .map(|file| (file.file_name().to_string_lossy().into_owned(), std::fs::read(file.path()).unwrap()))
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{} is empty", folder.display());
    seeds
}

/// So large are the inputs of the tests of large inputs: 1 MiB.
#[cfg(test)]
pub(crate) const LARGE: usize = 1 << 20;

/// JSON of 1 MiB that is deeper than any stack: not closed, closed, and of objects.
#[cfg(test)]
pub(crate) fn deep() -> [String; 3] {
    let many = |piece: &str, size: usize| piece.repeat(size / piece.len());
    [many("[", LARGE), format!("{}{}", many("[", LARGE / 2), many("]", LARGE / 2)), many("{\"a\":", LARGE)]
}

/// A text of 1 MiB in JSON, which would forge lines and steer a terminal.
#[cfg(test)]
pub(crate) fn long() -> String {
    format!("\"{}\"", "\\n\\u001b[2J".repeat(LARGE / 11))
}

/// A number of a million digits.
#[cfg(test)]
pub(crate) fn digits() -> String {
    "9".repeat(LARGE)
}

/// An object with so many names that it has 1 MiB.
#[cfg(test)]
pub(crate) fn wide() -> String {
    let names: Vec<String> = (0..LARGE / 32).map(|n| format!("\"a name of many bytes {n:06}\":1")).collect();
    format!("{{{}}}", names.join(","))
}

#[cfg(test)]
mod tests {
    use super::{LARGE, email, moment, seeds};

    #[test]
    fn the_laws_hold_for_every_seed() {
        for (_, seed) in seeds("names") {
            let text = String::from_utf8(seed).unwrap();
            email(&text);
            moment(&text);
        }
    }

    #[test]
    fn large_texts_are_no_addresses_and_no_moments() {
        for text in ["a", "@", "a.", "İ", " ", "9"] {
            let large = text.repeat(LARGE / text.len());
            email(&large);
            moment(&large);
            email(&format!("ana@{large}.com"));
        }
        email(&format!("{}ana@example.com", " ".repeat(LARGE)));
    }
}
