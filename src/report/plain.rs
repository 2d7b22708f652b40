//! Text from outside made fit for a line: nothing in a name can forge a line, steer a terminal or turn the text around.

use std::borrow::Cow;

/// The text with control characters and invisible marks of direction written out, such as `\n` or `\u{202e}`.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unfit) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unfit(c) {
            plain.extend(c.escape_default());
        } else {
            plain.push(c);
        }
    }
    Cow::Owned(plain)
}

/// Joiners (U+200C, U+200D) are fit: names in Persian and emoji are written with them.
fn is_unfit(c: char) -> bool {
    let breaks_lines = matches!(c, '\u{2028}' | '\u{2029}');
    let turns_around =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || breaks_lines || turns_around || matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_could_forge_a_line_is_written_out_and_names_stay_as_they_are() {
        assert_eq!(plain("a\n- b\u{1b}[31m\u{202e}c\u{200b}"), "a\\n- b\\u{1b}[31m\\u{202e}c\\u{200b}");
        for name in ["Ana Lima", "👩\u{200d}💻", "می\u{200c}خواهم", "back\\slash \"quoted\""] {
            assert_eq!(plain(name), name);
        }
    }
}
