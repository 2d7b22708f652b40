//! What is wrong with a configuration: all of it at once, each with its remedy.

use std::fmt;
use std::path::{Path, PathBuf};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line in the file, from 1. A key in a section that is not in the file has none.
    pub line: Option<usize>,
    /// The column in that line, from 1, in characters.
    pub column: Option<usize>,
    /// The key, such as `guard.creates_max.percent`. Empty: the file as a whole.
    pub key: String,
    /// What is wrong. Never a secret.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl Problem {
    /// A mistake at a line and column.
    pub(super) fn new(place: Option<(usize, usize)>, key: &str, fault: Fault) -> Self {
        let (row, column) = place.unzip();
        let Fault { message, remedy } = fault;
        Self { line: row, column, key: line(key), message: line(&message), remedy: line(&remedy) }
    }
}

/// So many mistakes are told. Whoever has more has one that is behind most of them.
pub(super) const PROBLEMS_MAX: usize = 100;

/// The mistakes of one configuration file, sorted by line: at least one, and at most a hundred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    path: PathBuf,
    list: Vec<Problem>,
}

impl Problems {
    /// Sorts by line; what has no line comes last.
    pub(super) fn new(path: &Path, mut list: Vec<Problem>) -> Self {
        list.sort_by(|a, b| {
            let place = |p: &Problem| (p.line.is_none(), p.line, p.column);
            place(a).cmp(&place(b)).then_with(|| a.key.cmp(&b.key))
        });
        Self { path: path.to_path_buf(), list }
    }

    /// A single mistake of the file as a whole.
    pub(super) fn of_file(path: &Path, fault: Fault) -> Self {
        Self::new(path, vec![Problem::new(None, "", fault)])
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The mistakes, sorted by line.
    pub fn as_slice(&self) -> &[Problem] {
        &self.list
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        let noun = if self.list.len() == 1 { "problem" } else { "problems" };
        write!(f, "{} {noun} in {path}", self.list.len())?;
        if self.list.len() >= PROBLEMS_MAX {
            write!(f, ", and perhaps more")?;
        }
        for problem in &self.list {
            write!(f, "\n{path}:")?;
            if let Some(line) = problem.line {
                write!(f, "{line}:")?;
            }
            if !problem.key.is_empty() {
                write!(f, " {}:", problem.key)?;
            }
            write!(f, " {}\n    {}", problem.message, problem.remedy)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// A mistake whose place is not known yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) remedy: String,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { message: message.into(), remedy: remedy.into() }
    }
}

/// So many bytes are told of one mistake.
const LENGTH_MAX: usize = 1_000;

/// A text from the file in one line, which is not long: nothing in it can forge a line or steer a terminal.
pub(super) fn line(text: &str) -> String {
    let mut line = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
        if line.len() >= LENGTH_MAX && !rest.as_str().is_empty() {
            line.push_str("...");
            break;
        }
    }
    line
}

/// So many letters and digits in a row may be a key that was put on the wrong line. Ids of Duo have 20, the parts of a
/// UUID at most 12, Duo's secret key 40.
const RUN_MAX: usize = 31;

/// A value as a message may show it. What could hold a key (`user:key@host`, or something long) is not shown.
pub(super) fn shown(value: &str) -> String {
    let has_long_run = value.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| run.len() > RUN_MAX);
    let may_be_secret = has_long_run || value.contains('@') || value.chars().count() > 100;
    if may_be_secret { "the value".to_owned() } else { format!("`{value}`") }
}
