//! How a command ends that did not end well: a code, what happened, and what to do next.

use crate::config::Problems;
use crate::cycle::CycleError;
use crate::http::BuildTransportError;
use crate::store::{AcquireLockError, OpenStoreError, StoreError};
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
        for line in &self.lines {
            let _ = writeln!(stderr, "{line}");
        }
    }
}

impl From<Problems> for Ended {
    fn from(problems: Problems) -> Self {
        Self::with(2, problems.to_string().trim_end().to_owned()).next("nothing was contacted")
    }
}

impl From<OpenStoreError> for Ended {
    fn from(error: OpenStoreError) -> Self {
        let code = match error {
            OpenStoreError::Foreign { .. } => 2,
            OpenStoreError::File { .. }
            | OpenStoreError::Damaged { .. }
            | OpenStoreError::Alien { .. }
            | OpenStoreError::Newer { .. }
            | OpenStoreError::Sqlite { .. } => 8,
        };
        Self::of(code, &error)
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
