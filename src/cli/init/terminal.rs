//! Questions at a terminal.

use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use secrecy::SecretString;
use std::io::{self, BufRead, IsTerminal, Write};

/// A person at a terminal: questions go to stderr, answers come from stdin.
pub(super) struct Terminal {
    questions: io::Stderr,
    answers: io::Stdin,
}

impl Terminal {
    /// None where nobody can answer.
    pub(super) fn open() -> Option<Self> {
        let terminal = Self { questions: io::stderr(), answers: io::stdin() };
        (terminal.answers.is_terminal() && terminal.questions.is_terminal()).then_some(terminal)
    }

    /// Says something.
    pub(super) fn say(&mut self, text: &str) {
        let _ = writeln!(self.questions, "{text}");
    }

    /// Asks for a line; an empty one is the answer in brackets.
    pub(super) fn ask(&mut self, question: &str, otherwise: &str) -> io::Result<String> {
        let shown = if otherwise.is_empty() { String::new() } else { format!(" [{otherwise}]") };
        write!(self.questions, "{question}{shown}: ")?;
        self.questions.flush()?;
        let line = self.read_line()?;
        Ok(if line.is_empty() { otherwise.to_owned() } else { line })
    }

    /// Asks for a secret, which is not shown while it is typed. An empty one is none.
    pub(super) fn ask_secret(&mut self, question: &str) -> io::Result<Option<SecretString>> {
        let before = tcgetattr(&self.answers)?;
        let mut unseen = before.clone();
        unseen.local_flags.remove(LocalFlags::ECHO);
        // Before the question: whoever answers it quickly is neither seen nor, with what is flushed, forgotten.
        tcsetattr(&self.answers, SetArg::TCSAFLUSH, &unseen)?;
        let asked =
            write!(self.questions, "{question} (not shown; empty: later): ").and_then(|()| self.questions.flush());
        let line = asked.and_then(|()| self.read_line());
        // Whatever came of it, the terminal is as it was.
        let restored = tcsetattr(&self.answers, SetArg::TCSAFLUSH, &before);
        let _ = writeln!(self.questions);
        let line = line?;
        restored?;
        Ok((!line.is_empty()).then(|| SecretString::from(line)))
    }

    fn read_line(&self) -> io::Result<String> {
        let mut line = String::new();
        if self.answers.lock().read_line(&mut line)? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the answers ended"));
        }
        Ok(line.trim().to_owned())
    }
}
