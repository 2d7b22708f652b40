//! Duo's words, and ids that it gave, in one line of a message.

/// So much of a foreign text is shown.
const CHARACTERS_MAX: usize = 80;

/// One line of at most 80 printable characters.
pub(super) fn line(text: &str) -> String {
    cut(text, CHARACTERS_MAX)
}

/// One line of at most so many printable characters.
pub(super) fn cut(text: &str, characters_max: usize) -> String {
    let printable: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let single: Vec<_> = printable.split_whitespace().collect();
    single.join(" ").chars().take(characters_max).collect()
}
