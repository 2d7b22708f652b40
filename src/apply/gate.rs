//! What is left of a wave stays here as soon as an answer, or the time, says that nothing more is to be sent.

use super::check;
use super::send::Answered;
use super::task::Task;
use crate::model::PersonId;
use crate::scim::RequestError;
use crate::store::Effect;
use crate::store::Request;
use std::cell::Cell;
use std::collections::BTreeSet;

/// Why a request of a wave was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// The time for sending is over.
    Late,
    /// The key, the directory or the network is at fault, or the brake is on.
    Stopped,
    /// An update of the same wave unlinked somebody (S11).
    Unlinked,
}

impl Kept {
    /// For the journal.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Late => "not sent: the time for sending was over",
            Self::Stopped => "not sent: sending stopped",
            Self::Unlinked => "not sent: an update before it unlinked an account",
        }
    }
}

/// What the requests of one wave, which one task sends, know of each other's answers.
#[derive(Debug, Default)]
pub(super) struct Gate {
    is_stopped: Cell<bool>,
    is_unlinked: Cell<bool>,
}

impl Gate {
    /// Whether a request is not to be sent, and why.
    pub(super) fn keeps(&self, task: &Task, is_late: bool) -> Option<Kept> {
        // What only links sends nothing.
        let sends = !matches!(task.intent.request, Request::Adopt { .. } | Request::AdoptGroup { .. });
        match sends {
            true if self.is_stopped.get() => Some(Kept::Stopped),
            true if self.is_unlinked.get() && task.updates_attributes() => Some(Kept::Unlinked),
            true if is_late => Some(Kept::Late),
            _ => None,
        }
    }

    /// What an answer means for those that were not sent yet.
    pub(super) fn note(&self, request: &Request, answer: &Result<Answered, RequestError>, linked: &BTreeSet<PersonId>) {
        match answer {
            Ok(answered) => {
                let link = check::link(request, answered, linked);
                self.is_unlinked.set(self.is_unlinked.get() || matches!(link, Some(Effect::Unlinked(_))));
            }
            Err(error) => self.is_stopped.set(self.is_stopped.get() || error.stops_everything()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Kept;
    use crate::store::NOT_SENT;

    #[test]
    fn what_was_kept_is_known_by_its_words() {
        for kept in [Kept::Late, Kept::Stopped, Kept::Unlinked] {
            assert!(kept.as_str().starts_with(NOT_SENT), "{kept:?}");
        }
    }
}
