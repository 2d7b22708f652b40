//! stdout.

use std::io::Write;

/// Writes text to stdout. A reader that went away (`| head`) is no failure of the command.
pub(super) fn put(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    let _ = write!(stdout, "{text}{newline}");
    let _ = stdout.flush();
}

/// A JSON value on stdout, indented.
pub(super) fn put_json(value: &impl serde::Serialize) {
    put(&serde_json::to_string_pretty(value).unwrap_or_default());
}
