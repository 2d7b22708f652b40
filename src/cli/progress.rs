//! Progress on stderr, when it is a terminal.

use crate::clock::Clock;
use crate::cycle::Progress;
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::Duration;

/// So often the line is written anew.
const EVERY: Duration = Duration::from_millis(100);

/// One line that is written over and over, and wiped in the end.
pub(super) struct Line {
    clock: Clock,
    is_shown: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: Option<Duration>,
    sending_since: Option<Duration>,
    width: usize,
}

impl Line {
    pub(super) fn new(clock: &Clock, quiet: bool) -> Self {
        let is_shown = std::io::stderr().is_terminal() && !quiet;
        Self { clock: clock.clone(), is_shown, state: Mutex::default() }
    }

    pub(super) fn tell(&self, progress: Progress) {
        if !self.is_shown {
            return;
        }
        let now = self.clock.monotonic();
        let Ok(mut state) = self.state.lock() else { return };
        if let Progress::Sending(_) = progress {
            state.sending_since.get_or_insert(now);
        }
        if state.last.is_some_and(|last| now.saturating_sub(last) < EVERY) {
            return;
        }
        state.last = Some(now);
        let spent = state.sending_since.map(|since| now.saturating_sub(since));
        let text = text(progress, spent);
        let width = text.chars().count();
        let _ = write!(std::io::stderr(), "\r{text:<pad$}", pad = state.width);
        state.width = width;
    }

    /// Wipes the line.
    pub(super) fn end(&self) {
        if let Ok(state) = self.state.lock()
            && state.width > 0
        {
            let _ = write!(std::io::stderr(), "\r{:<pad$}\r", "", pad = state.width);
        }
    }
}

fn text(progress: Progress, spent: Option<Duration>) -> String {
    match progress {
        Progress::Reading(done, Some(total)) => format!("reading Duo: {done} of {total}"),
        Progress::Reading(done, None) => format!("reading Duo: {done}"),
        Progress::ReadingTarget(count) => format!("reading Atlassian: {count} users and groups"),
        Progress::Confirming(count) => format!("asking Duo for {count} people one by one"),
        Progress::Sending(sending) => {
            let left = spent.and_then(|spent| {
                let sent = u32::try_from(sending.sent).ok().filter(|sent| *sent > 0)?;
                let left = u32::try_from(sending.total.saturating_sub(sending.sent)).ok()?;
                Some(spent.saturating_mul(left) / sent)
            });
            let left = left.map_or_else(String::new, |left| format!(", about {} s left", left.as_secs()));
            format!("sending: {} of {} requests{left}", sending.sent, sending.total)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::text;
    use crate::apply;
    use crate::cycle::Progress;
    use std::time::Duration;

    #[test]
    fn the_time_that_is_left_follows_from_the_time_that_was_spent() {
        let sending = Progress::Sending(apply::Progress { sent: 10, total: 50 });
        assert_eq!(text(sending, Some(Duration::from_secs(5))), "sending: 10 of 50 requests, about 20 s left");
        assert_eq!(text(Progress::Reading(300, None), None), "reading Duo: 300");
    }
}
