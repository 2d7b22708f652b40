//! The retry table: what is tried again, and after how long. Pure.

use super::failure::{Effect, Failure};
use super::message::Answer;
use std::time::Duration;

/// All tries of one request, as all of Duo's own clients do it (`duo_client_python` 5.7.0: 1, 2, 4, … 32 s).
const TRIES_MAX: u32 = 7;
/// Tries that end without a connection: more of them only delay the message.
const CONNECTS_MAX: u32 = 3;
/// A server that asks for more is asked again after this.
pub(super) const RETRY_AFTER_MAX: Duration = Duration::from_mins(2);
/// No new try begins later than this after the first.
pub(super) const WHOLE_MAX: Duration = Duration::from_mins(5);
/// Added to every wait, at random.
pub(super) const JITTER_MAX: Duration = Duration::from_secs(1);

/// What kind of request it is: a write may have been carried out although no answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Write,
}

/// How often it was tried so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tries {
    all: u32,
    without_connection: u32,
}

impl Tries {
    /// Counts one try and tells how long to wait for the next; `None`: this result stands.
    pub(super) fn count(
        &mut self,
        kind: Kind,
        result: &Result<Answer, Failure>,
        elapsed: Duration,
        jitter: Duration,
    ) -> Option<Duration> {
        self.all = self.all.saturating_add(1);
        if result.as_ref().is_err_and(|failure| failure.effect() == Effect::None) {
            self.without_connection = self.without_connection.saturating_add(1);
        }
        let worth_it = match result {
            Ok(answer) => is_worth_another(kind, answer.status),
            Err(
                Failure::Tls { .. }
                | Failure::InvalidRequest { .. }
                | Failure::TooLarge { .. }
                | Failure::Withheld
                | Failure::Throttled { .. },
            ) => false,
            Err(failure) => match failure.effect() {
                Effect::None => self.without_connection < CONNECTS_MAX,
                Effect::Unknown => kind == Kind::Read,
            },
        };
        if !worth_it || self.all >= TRIES_MAX {
            return None;
        }
        let asked = result.as_ref().ok().and_then(|answer| answer.retry_after).map(|wait| wait.min(RETRY_AFTER_MAX));
        let growing = Duration::from_secs(1 << (self.all.saturating_sub(1)).min(5));
        let wait = asked.unwrap_or(growing).saturating_add(jitter);
        (elapsed.saturating_add(wait) <= WHOLE_MAX).then_some(wait)
    }
}

fn is_worth_another(kind: Kind, status: u16) -> bool {
    match kind {
        Kind::Read => matches!(status, 429 | 500 | 502 | 503 | 504),
        Kind::Write => status == 429,
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Duration, Failure, Kind, Tries};

    fn status(status: u16) -> Answer {
        Answer { status, ..Answer::default() }
    }

    fn waits(kind: Kind, result: &Result<Answer, Failure>) -> Vec<u64> {
        let (mut tries, mut elapsed, mut seen) = (Tries::default(), Duration::ZERO, Vec::new());
        while let Some(wait) = tries.count(kind, result, elapsed, Duration::ZERO) {
            elapsed += wait;
            seen.push(wait.as_secs());
        }
        seen
    }

    #[test]
    fn a_read_is_tried_seven_times_with_growing_waits() {
        for code in [429, 500, 502, 503, 504] {
            assert_eq!(waits(Kind::Read, &Ok(status(code))), [1, 2, 4, 8, 16, 32], "{code}");
        }
        for code in [200, 301, 400, 401, 403, 404, 501] {
            assert!(waits(Kind::Read, &Ok(status(code))).is_empty(), "{code}");
        }
    }

    #[test]
    fn a_write_is_repeated_only_when_it_was_certainly_not_carried_out() {
        assert_eq!(waits(Kind::Write, &Ok(status(429))).len(), 6);
        for code in [500, 502, 503, 504, 409] {
            assert!(waits(Kind::Write, &Ok(status(code))).is_empty(), "{code}");
        }
        let cut = Err(Failure::Cut { host: "h".into(), cause: "c".into() });
        assert!(waits(Kind::Write, &cut).is_empty());
        assert_eq!(waits(Kind::Read, &cut).len(), 6);
        let connect = Err(Failure::Connect { host: "h".into(), cause: "c".into() });
        assert_eq!(waits(Kind::Write, &connect), [1, 2]);
        assert_eq!(waits(Kind::Read, &connect), [1, 2]);
    }

    #[test]
    fn no_certificate_gets_better_by_asking_again() {
        let tls = Err(Failure::Tls { host: "h".into(), cause: "c".into() });
        assert!(waits(Kind::Read, &tls).is_empty());
        assert!(waits(Kind::Read, &Err(Failure::InvalidRequest { reason: "r".into() })).is_empty());
    }

    #[test]
    fn the_servers_own_wait_wins_within_limits() {
        let asked = |seconds| Ok(Answer { retry_after: Some(Duration::from_secs(seconds)), ..status(429) });
        assert_eq!(waits(Kind::Read, &asked(7)), [7; 6]);
        assert_eq!(waits(Kind::Read, &asked(86_400)), [120, 120], "at most two minutes, and five in all");
    }
}
