//! What was printed, without what differs from run to run.

/// The text with moments as `TIME`, ages as `AGE`, fingerprints as `PLAN` and whoever runs the tests as `SOMEBODY`.
pub(super) fn tidy(text: &str) -> String {
    let somebody = whoever();
    let ends = [" at", ",", ";", ":", "\n"];
    let text = ends
        .iter()
        .fold(text.to_owned(), |text, end| text.replace(&format!("by {somebody}{end}"), &format!("by SOMEBODY{end}")));
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        let starts_word = !out.ends_with(|c: char| c.is_ascii_alphanumeric());
        let found = moment(rest).map(|length| ("TIME", length));
        let found = found.or_else(|| fingerprint(rest).map(|length| ("PLAN", length)));
        let found = found.or_else(|| age(rest).map(|length| ("AGE", length)));
        let (word, length) = match found {
            Some(found) if starts_word => found,
            _ => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
                continue;
            }
        };
        out.push_str(word);
        rest = &rest[length..];
    }
    out
}

/// The login name behind this process.
fn whoever() -> String {
    let uid = nix::unistd::getuid();
    let user = nix::unistd::User::from_uid(uid).ok().flatten();
    user.map_or_else(|| format!("uid {uid}"), |user| user.name)
}

/// The length of a moment such as `2026-11-23T14:02:11Z` at the beginning.
fn moment(text: &str) -> Option<usize> {
    const SHAPE: &str = "0000-00-00T00:00:00Z";
    let fits = |(shape, byte): (u8, u8)| if shape == b'0' { byte.is_ascii_digit() } else { shape == byte };
    (text.len() >= SHAPE.len() && SHAPE.bytes().zip(text.bytes()).all(fits)).then_some(SHAPE.len())
}

/// The length of a fingerprint, short or whole, at the beginning.
fn fingerprint(text: &str) -> Option<usize> {
    let digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    let length = text.bytes().take_while(|byte| digit(byte)).count();
    let ends = !text[length..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
    (matches!(length, 12 | 64) && ends).then_some(length)
}

/// The length of `3 s ago` or of `in 355054 days` at the beginning.
fn age(text: &str) -> Option<usize> {
    let text_after = text.strip_prefix("in ").unwrap_or(text);
    let digits = text_after.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &text_after[digits..];
    let unit = if text_after.len() == text.len() { " s ago" } else { " days" };
    (digits > 0 && rest.starts_with(unit)).then_some(text.len() - rest.len() + unit.len())
}
