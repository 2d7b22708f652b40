//! stdout.

use super::edge::Ended;
use std::cell::RefCell;
use std::io;
use std::io::{ErrorKind, Write};

thread_local! {
    /// The first output that could not be written. A command runs on one thread, and does its work all the same.
    static FAILED: RefCell<Option<io::Error>> = const { RefCell::new(None) };
}

/// Writes text to stdout, with a line end. A reader that went away (`| head`) is no failure of the command; anything
/// else is said when the command ends.
pub(super) fn put(text: &str) {
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    put_bytes(format!("{text}{newline}").as_bytes());
}

/// Writes bytes to stdout, as they are.
pub(super) fn put_bytes(bytes: &[u8]) {
    let mut stdout = io::stdout().lock();
    note(stdout.write_all(bytes).and_then(|()| stdout.flush()));
}

/// A JSON value on stdout, indented.
pub(super) fn put_json(value: &impl serde::Serialize) {
    put(&serde_json::to_string_pretty(value).unwrap_or_default());
}

/// Keeps why something could not be written.
pub(super) fn note(written: io::Result<()>) {
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        FAILED.with_borrow_mut(|failed| {
            failed.get_or_insert(error);
        });
    }
}

/// How a command ends whose output could not be written; asked once, at the end.
pub(super) fn failure() -> Option<Ended> {
    let error = FAILED.take()?;
    let ended = Ended::with(8, "error: the output could not be written").next(format!("  because: {error}"));
    Some(ended.next("what the command did is done and recorded; free space, or write the output elsewhere"))
}
