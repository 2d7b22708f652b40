//! The story of a play, told only to whoever listens.

use std::time::Duration;

/// Takes each line.
pub type Listener = Box<dyn FnMut(&str) + Send>;

/// Tells what happens.
#[derive(Default)]
pub struct Story(Option<Listener>);

impl Story {
    /// Nobody listens, and nothing is put into words.
    pub const fn untold() -> Self {
        Self(None)
    }

    /// Told to this listener.
    pub fn told_to(listener: Listener) -> Self {
        Self(Some(listener))
    }

    /// A line, which is made only if somebody listens.
    pub fn say(&mut self, at: Duration, line: impl FnOnce() -> String) {
        if let Some(listener) = &mut self.0 {
            let (seconds, millis) = (at.as_secs(), at.subsec_millis());
            let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
            listener(&format!("{days}d {hours:02}:{minutes:02}:{:02}.{millis:03} {}", seconds % 60, line()));
        }
    }
}
