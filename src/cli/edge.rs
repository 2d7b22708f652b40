//! How a command ends that did not end well: a code, what happened, and what to do next.

use crate::config::Problems;
use crate::cycle::CycleError;
use crate::http::BuildTransportError;
use crate::report::plain;
use crate::store::{AcquireLockError, OpenStoreError, StoreError};
use std::borrow::Cow;
use std::error::Error;
use std::io::Write;

/// The end of a command, with everything that is said about it on stderr.
#[derive(Debug)]
pub(super) struct Ended {
    /// The exit code.
    pub(super) code: u8,
    lines: Vec<String>,
}

impl Ended {
    /// Ends with a code and a sentence.
    pub(super) fn with(code: u8, line: impl Into<String>) -> Self {
        Self { code, lines: vec![line.into()] }
    }

    /// Ends with a code; everything was said already.
    pub(super) const fn silently(code: u8) -> Self {
        Self { code, lines: Vec::new() }
    }

    /// The error and its causes, each on a line.
    pub(super) fn of(code: u8, error: &dyn Error) -> Self {
        let mut lines = vec![format!("error: {error}")];
        let mut source = error.source();
        while let Some(cause) = source {
            lines.push(format!("  because: {cause}"));
            source = cause.source();
        }
        Self { code, lines }
    }

    /// Adds what to do next.
    pub(super) fn next(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    /// Says it on stderr.
    pub(super) fn tell(&self) {
        let mut stderr = std::io::stderr().lock();
        for line in self.said() {
            let _ = writeln!(stderr, "{line}");
        }
    }

    /// The lines as they are said: names, values and other people's words steer no terminal.
    fn said(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.lines.iter().flat_map(|line| line.split('\n')).map(plain)
    }
}

impl From<Problems> for Ended {
    fn from(problems: Problems) -> Self {
        Self::with(2, problems.to_string().trim_end().to_owned()).next("nothing was contacted")
    }
}

/// The exit code of a command that cannot open the database.
pub(super) const fn code_of(error: &OpenStoreError) -> u8 {
    match error {
        OpenStoreError::Foreign { .. } => 2,
        OpenStoreError::File { .. }
        | OpenStoreError::Damaged { .. }
        | OpenStoreError::LeftOver { .. }
        | OpenStoreError::Copy { .. }
        | OpenStoreError::Alien { .. }
        | OpenStoreError::Newer { .. }
        | OpenStoreError::Sqlite { .. } => 8,
    }
}

impl From<OpenStoreError> for Ended {
    fn from(error: OpenStoreError) -> Self {
        Self::of(code_of(&error), &error)
    }
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Self::of(8, &error)
    }
}

impl From<AcquireLockError> for Ended {
    fn from(error: AcquireLockError) -> Self {
        let code = match error {
            AcquireLockError::Taken { .. } => 75,
            AcquireLockError::File { .. } => 8,
        };
        Self::of(code, &error)
    }
}

impl From<CycleError> for Ended {
    fn from(error: CycleError) -> Self {
        Self::of(error.exit_code(), &error)
    }
}

impl From<BuildTransportError> for Ended {
    fn from(error: BuildTransportError) -> Self {
        Self::of(2, &error)
    }
}

#[cfg(test)]
mod tests {
    use super::{AcquireLockError, Ended};

    #[test]
    fn whoever_waited_in_vain_for_another_instance_ends_with_75() {
        let taken = AcquireLockError::Taken { database: "state.db".into(), lock: "state.db.lock".into() };
        assert_eq!(Ended::from(taken).code, 75);
    }

    #[test]
    fn an_error_with_an_escape_sequence_steers_no_terminal() {
        let ended = Ended::with(7, "error: for another host (\u{1b}[2J\u{202e}, here\r\u{9b}1m)\n  two").next("next");
        let said: Vec<_> = ended.said().collect();
        assert_eq!(said, ["error: for another host (\\u{1b}[2J\\u{202e}, here\\r\\u{9b}1m)", "  two", "next"]);
    }
}
