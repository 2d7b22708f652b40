//! Why Duo could not be read, and what an administrator does about it.

use super::line::{cut, line};
use crate::http::Failure;
use crate::http::Phase;

/// So much is said of what does not add up.
const DETAIL_CHARACTERS_MAX: usize = 200;

/// Nothing, or not everything, could be read. Nothing may be concluded from what is missing (S1).
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No connection.
    #[error(
        "cannot reach Duo at {host}; check api_host, DNS, the firewall and the proxy settings (duo.proxy, HTTPS_PROXY, NO_PROXY)"
    )]
    Unreachable {
        /// Duo's host.
        host: String,
        /// Why.
        source: Failure,
    },
    /// No trust.
    #[error(
        "cannot trust {host} over TLS; if the network inspects TLS, name its certificate authority in duo.ca_file, else \
         check the system's CA certificates and clock"
    )]
    Tls {
        /// Duo's host.
        host: String,
        /// Why.
        source: Failure,
    },
    /// Sent, but no whole answer came, several times.
    #[error(
        "Duo at {host} did not give a whole answer; the next cycle tries again; if it goes on, check the network and Duo's status page"
    )]
    Broken {
        /// Duo's host.
        host: String,
        /// Why.
        source: Failure,
    },
    /// 401: Duo does not know the integration key, or the secret key is not its own.
    #[error(
        "Duo refused the {key} ({code}: {message}); copy integration key, secret key and api_host anew from the Admin \
         API application in the Duo Admin Panel"
    )]
    WrongKey {
        /// `integration key` or `secret key`.
        key: &'static str,
        /// Duo's code, or the HTTP status when there is none.
        code: u32,
        /// Duo's words.
        message: String,
    },
    /// 401 40105: the time in our request is not Duo's.
    #[error("Duo refused the request's time: this computer's clock is {}; set the clock (NTP)", skew(*.seconds))]
    ClockOff {
        /// Our clock minus Duo's, in seconds, when Duo told its time.
        seconds: Option<i64>,
    },
    /// 403.
    #[error(
        "Duo forbids this ({code}: {message}); the keys must belong to an Admin API application (not Auth API) with the \
         permission \"Grant read resource\", and its networks for API access must include this computer"
    )]
    Forbidden {
        /// Duo's code, or the HTTP status when there is none.
        code: u32,
        /// Duo's words.
        message: String,
    },
    /// 404 in Duo's own words.
    #[error(
        "Duo does not have what was asked for, {what}; if it was deleted just now, the next cycle sees it, else take it out of the configuration"
    )]
    NotFound {
        /// What was asked for.
        what: String,
        /// Duo's code; 40401 is "resource not found".
        code: Option<u32>,
    },
    /// 429 to the last try.
    #[error(
        "Duo goes on refusing requests as too many; lower duo.requests_per_minute, or see which other program uses the same application"
    )]
    RateLimited,
    /// 5xx to the last try.
    #[error(
        "Duo failed with HTTP {status} while {what} was read ({message}); the next cycle tries again; see Duo's status page"
    )]
    Failing {
        /// HTTP status.
        status: u16,
        /// What was asked for.
        what: String,
        /// Duo's words, or the beginning of the page.
        message: String,
    },
    /// The answer is not one of Duo's Admin API.
    #[error(
        "{host} does not answer like Duo: {detail}; check api_host, and whether a proxy or a sign-in page stands in between"
    )]
    NotDuo {
        /// Whom we asked.
        host: String,
        /// What came instead.
        detail: String,
    },
    /// What was read does not add up, several times.
    #[error(
        "{what} could not be read completely: {detail}; the next cycle reads again; if it goes on, it is a fault of the service or in between"
    )]
    Incomplete {
        /// What was read.
        what: String,
        /// What does not add up.
        detail: String,
    },
    /// Any other refusal in Duo's own words.
    #[error("Duo refused to give {what} (HTTP {status}, code {}: {message}); the next cycle tries again", code_text(*.code))]
    Refused {
        /// What was asked for.
        what: String,
        /// HTTP status.
        status: u16,
        /// Duo's code, when there is one.
        code: Option<u32>,
        /// Duo's words.
        message: String,
    },
}

impl ReadError {
    /// Names a transport's failure.
    pub(super) fn from_failure(failure: Failure, host: &str) -> Self {
        let host = host.to_owned();
        match &failure {
            Failure::Tls { .. } => Self::Tls { host, source: failure },
            Failure::Connect { .. } | Failure::Proxy { .. } | Failure::TimedOut { phase: Phase::Connect, .. } => {
                Self::Unreachable { host, source: failure }
            }
            Failure::Throttled { .. } => Self::RateLimited,
            Failure::TimedOut { .. }
            | Failure::Cut { .. }
            | Failure::TooLarge { .. }
            | Failure::Withheld
            | Failure::InvalidRequest { .. } => Self::Broken { host, source: failure },
        }
    }

    /// The reading does not add up. What and why may hold ids and values of Duo's.
    pub(super) fn incomplete(what: &str, detail: &str) -> Self {
        Self::Incomplete { what: line(what), detail: cut(detail, DETAIL_CHARACTERS_MAX) }
    }

    /// Whether asking again at once may give another answer: the service said 200 but not what it should.
    pub(super) fn is_worth_asking_again(&self) -> bool {
        matches!(self, Self::NotDuo { .. } | Self::Incomplete { .. } | Self::Refused { status: 200, .. })
    }

    /// Whether Duo itself says that the thing does not exist: 404 with code 40401 (S2). Nothing else confirms it.
    pub(super) fn confirms_absence(&self) -> bool {
        matches!(self, Self::NotFound { code: Some(40_401), .. })
    }
}

fn skew(seconds: Option<i64>) -> String {
    match seconds {
        Some(0) => "right by Duo's Date header, so something changes the Date header on the way".to_owned(),
        Some(seconds) if seconds > 0 => format!("{} ahead of Duo's", about(seconds.unsigned_abs())),
        Some(seconds) => format!("{} behind Duo's", about(seconds.unsigned_abs())),
        None => "off by an unknown time".to_owned(),
    }
}

/// A Date header has whole seconds and was on its way: beyond two minutes, a second more says nothing.
fn about(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        _ => format!("{} min", seconds.saturating_add(30) / 60),
    }
}

fn code_text(code: Option<u32>) -> String {
    code.map_or_else(|| "none".to_owned(), |code| code.to_string())
}

#[cfg(test)]
mod tests {
    use super::ReadError;

    #[test]
    fn a_wrong_clock_says_which_way() {
        let text = |seconds| ReadError::ClockOff { seconds }.to_string();
        assert!(text(Some(119)).contains("119 s ahead of Duo's; set the clock"));
        assert!(text(Some(600)).contains("10 min ahead of Duo's; set the clock"));
        assert!(text(Some(-600)).contains("10 min behind Duo's"));
        assert!(text(None).contains("unknown"));
    }

    #[test]
    fn a_second_on_the_way_changes_nothing_that_is_said_of_a_wrong_clock() {
        let text = |seconds| ReadError::ClockOff { seconds: Some(seconds) }.to_string();
        assert_eq!((text(599), text(-599)), (text(601), text(-601)));
    }

    #[test]
    fn only_duos_own_word_confirms_an_absence() {
        let not_found = |code| ReadError::NotFound { what: "person".into(), code };
        assert!(not_found(Some(40_401)).confirms_absence());
        assert!(!not_found(Some(40_400)).confirms_absence());
        assert!(!not_found(None).confirms_absence());
        assert!(!ReadError::RateLimited.confirms_absence());
    }
}
