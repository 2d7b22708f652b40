//! Why there is no answer, and whether the request may have had an effect.

use std::error::Error;
use std::fmt;
use std::io;

/// What a request may have done although no answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It certainly did not reach the service.
    None,
    /// It may have been carried out: look it up before it is sent again (S13).
    Unknown,
}

/// Which part of a request took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Name look-up, connection and TLS.
    Connect,
    /// From the request to the first byte of the answer.
    FirstByte,
    /// Until the whole answer was there.
    WholeAnswer,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "accept a connection",
            Self::FirstByte => "begin to answer",
            Self::WholeAnswer => "finish its answer",
        })
    }
}

/// There is no answer. Texts name the innermost cause and never a header, a query or a body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connection: name look-up, routing, a refusal.
    #[error("could not connect to {host}: {cause}; check the name, DNS, the network and the firewall")]
    Connect {
        /// Whom we wanted.
        host: String,
        /// The innermost cause.
        cause: String,
    },
    /// A connection, but no trust.
    #[error(
        "could not agree on TLS with {host}: {cause}; if the network inspects TLS, name its certificate authority in \
         ca_file, else check that the system's CA certificates are installed and the clock is right"
    )]
    Tls {
        /// Whom we wanted.
        host: String,
        /// The innermost cause.
        cause: String,
    },
    /// The proxy did not open a tunnel.
    #[error(
        "the proxy did not let us through to {host}: {cause}; check the key proxy of its section, HTTPS_PROXY and NO_PROXY"
    )]
    Proxy {
        /// Whom we wanted.
        host: String,
        /// The innermost cause.
        cause: String,
    },
    /// It took too long.
    #[error("{host} did not {phase} within {seconds} s; try again later, or check the network")]
    TimedOut {
        /// Whom we wanted.
        host: String,
        /// What took too long.
        phase: Phase,
        /// The limit.
        seconds: u64,
    },
    /// The connection ended before the answer did, or what came was not HTTP.
    #[error("the connection to {host} ended before the answer did: {cause}; try again later, or check the network")]
    Cut {
        /// Whom we wanted.
        host: String,
        /// The innermost cause.
        cause: String,
    },
    /// The answer is larger than any of this service's should be.
    #[error("{host} answered with more than {bytes_max} bytes; check that it is the right host")]
    TooLarge {
        /// Whom we asked.
        host: String,
        /// The limit.
        bytes_max: usize,
    },
    /// Who makes the requests made none: sending is paused.
    #[error("the request was withheld: sending is paused")]
    Withheld,
    /// The request never left: whoever came before was asked to wait, for longer than a request may wait.
    #[error("{host} asks for a longer wait than {seconds} s; try again later, or lower the request budget")]
    Throttled {
        /// Whom we wanted.
        host: String,
        /// So long a request may wait.
        seconds: u64,
    },
    /// The request cannot be sent; a mistake in this program or its configuration.
    #[error("the request cannot be sent: {reason}")]
    InvalidRequest {
        /// What is wrong with it.
        reason: String,
    },
}

impl Failure {
    /// What the request may have done.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Connect { .. }
            | Self::Tls { .. }
            | Self::Proxy { .. }
            | Self::InvalidRequest { .. }
            | Self::Withheld
            | Self::Throttled { .. }
            | Self::TimedOut { phase: Phase::Connect, .. } => Effect::None,
            Self::TimedOut { .. } | Self::Cut { .. } | Self::TooLarge { .. } => Effect::Unknown,
        }
    }

    /// Classifies what reqwest says. Its own text is left out: it holds the address with the query.
    pub(super) fn classify(error: &reqwest::Error, host: &str, connect_seconds: u64) -> Self {
        let host = host.to_owned();
        let causes = Causes::of(error);
        let cause = causes.innermost;
        if !error.is_connect() {
            return if error.is_builder() { Self::InvalidRequest { reason: cause } } else { Self::Cut { host, cause } };
        }
        if causes.proxy {
            Self::Proxy { host, cause }
        } else if causes.tls {
            Self::Tls { host, cause }
        } else if error.is_timeout() {
            Self::TimedOut { host, phase: Phase::Connect, seconds: connect_seconds }
        } else {
            Self::Connect { host, cause }
        }
    }
}

/// What the chain of causes tells.
struct Causes {
    innermost: String,
    tls: bool,
    proxy: bool,
}

impl Causes {
    fn of(error: &reqwest::Error) -> Self {
        let mut found = Self { innermost: "no cause was given".to_owned(), tls: false, proxy: false };
        let mut next = error.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            let lower = text.to_ascii_lowercase();
            // rustls reports a refused certificate or alert as InvalidData; a hang-up in the handshake only as text.
            let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
            found.tls |=
                kind == Some(io::ErrorKind::InvalidData) || lower.contains("tls") || lower.contains("certificate");
            found.proxy |= lower.contains("tunnel") || lower.contains("proxy");
            found.innermost = text;
            next = cause.source().or_else(|| inner_of(cause));
        }
        found
    }
}

/// An `io::Error` made from another error gives that one's cause as its own: look at the wrapped error itself.
fn inner_of<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped: &'a (dyn Error + 'static) = cause.downcast_ref::<io::Error>()?.get_ref()?;
    Some(wrapped)
}

#[cfg(test)]
mod tests {
    use super::{Effect, Failure, Phase};

    #[test]
    fn only_what_was_certainly_not_sent_has_no_effect() {
        let host = || "h".to_owned();
        let cause = || "c".to_owned();
        assert_eq!(Failure::Connect { host: host(), cause: cause() }.effect(), Effect::None);
        assert_eq!(Failure::Tls { host: host(), cause: cause() }.effect(), Effect::None);
        assert_eq!(Failure::Cut { host: host(), cause: cause() }.effect(), Effect::Unknown);
        let timed_out = |phase| Failure::TimedOut { host: host(), phase, seconds: 1 };
        assert_eq!(timed_out(Phase::Connect).effect(), Effect::None);
        assert_eq!(timed_out(Phase::FirstByte).effect(), Effect::Unknown);
        assert_eq!(timed_out(Phase::WholeAnswer).effect(), Effect::Unknown);
    }
}
