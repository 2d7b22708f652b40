//! Sends a notice as JSON. The address is a secret: whoever has it can post there.

use super::ledger::Notice;
use crate::clock::Clock;
use crate::http::{BuildTransportError, Failure, Method, Paths, Request, Transport, TransportSettings};
use crate::model::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::fmt;
use std::path::PathBuf;

/// The format of a notice; a change that could break a receiver gets another number.
const FORMAT: &str = "duo-atlassian-sync.notice/1";

/// Slack, and most of its kind, take one message a second.
const REQUESTS_PER_SECOND: f64 = 1.0;

/// Where notices go, and what they may say.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The whole address: https, or http on loopback.
    pub url: SecretString,
    /// Whether the people concerned are named.
    pub people: People,
    /// A further certificate authority.
    pub ca_file: Option<PathBuf>,
    /// An HTTP proxy, `http://HOST:PORT`. None: what the environment says.
    pub proxy: Option<String>,
}

/// Whether people are named outside of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum People {
    /// Numbers only.
    Counted,
    /// By username, ten at most.
    Named,
}

/// The way to the receiver.
#[derive(Clone)]
pub struct Webhook {
    transport: Transport,
    settings: Settings,
}

/// So many people are named.
const NAMED_MAX: usize = 10;

impl Webhook {
    /// Sets it up; contacts nobody.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub fn new(settings: &Settings, clock: Clock) -> Result<Self, BuildTransportError> {
        let url = settings.url.expose_secret();
        let mut transport = TransportSettings::new(origin(url), REQUESTS_PER_SECOND);
        transport.ca_file.clone_from(&settings.ca_file);
        transport.proxy.clone_from(&settings.proxy);
        transport.service = "notice";
        transport.paths = Paths::Secret;
        // A receiver that hangs must not hold up the sync.
        transport.total_timeout = std::time::Duration::from_secs(20);
        transport.first_byte_timeout = transport.total_timeout;
        transport.body_bytes_max = 1 << 20;
        Ok(Self { transport: Transport::new(transport, clock)?, settings: settings.clone() })
    }

    /// Sends one notice; any 2xx is a success. `directory` names the sync to whoever has several.
    ///
    /// # Errors
    /// Why it did not arrive. It is sent again after the next cycle.
    pub async fn send(&self, notice: &Notice, (directory, now): (&str, Timestamp)) -> Result<(), SendNoticeError> {
        let body = self.body(notice, (directory, now));
        let request = Request {
            method: Method::Post,
            url: self.settings.url.expose_secret().to_owned(),
            headers: vec![("Content-Type", "application/json".to_owned())],
            body: Some(body.to_string().into_bytes()),
        };
        let answer = self.transport.send_once(request).await.map_err(SendNoticeError::Failed)?;
        match answer.status {
            200..300 => Ok(()),
            status => Err(SendNoticeError::Refused { status }),
        }
    }

    fn body(&self, notice: &Notice, (directory, now): (&str, Timestamp)) -> serde_json::Value {
        let condition = &notice.condition;
        let people = match self.settings.people {
            People::Counted => None,
            People::Named => Some(condition.people.iter().take(NAMED_MAX).collect::<Vec<_>>()),
        };
        // `text` is what chat services show.
        let mut body = json!({
            "format": FORMAT,
            "event": notice.event.as_str(),
            "about": condition.event.as_str(),
            "at": now,
            "directory": directory,
            "text": format!("duo-atlassian-sync: {}", condition.message),
            "next": condition.next,
            "people_count": condition.people.len(),
            "reminder": notice.reminder,
        });
        if let (Some(people), Some(body)) = (people, body.as_object_mut()) {
            body.insert("people".to_owned(), json!(people));
        }
        body
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Webhook").field(&self.transport.host()).finish()
    }
}

/// A notice did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum SendNoticeError {
    /// No answer.
    #[error("the notice did not arrive; it is sent again after the next cycle")]
    Failed(#[source] Failure),
    /// An answer that is no success.
    #[error("the receiver of notices answered {status}; check the address in notice.webhook_url_file")]
    Refused {
        /// Its status.
        status: u16,
    },
}

/// Scheme, host and port.
fn origin(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(after_scheme..).and_then(|rest| rest.find(['/', '?', '#'])).map(|at| at + after_scheme);
    end.and_then(|end| url.get(..end)).unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::{Clock, People, Settings, Webhook, origin};
    use secrecy::SecretString;

    #[test]
    fn the_origin_is_all_before_the_path() {
        assert_eq!(origin("https://hooks.example.com:8443/a/b?c=d"), "https://hooks.example.com:8443");
        assert_eq!(origin("http://127.0.0.1:9/?a"), "http://127.0.0.1:9");
        assert_eq!(origin("https://example.com"), "https://example.com");
        assert_eq!(origin("nonsense"), "nonsense");
    }

    #[test]
    fn an_address_is_never_shown() {
        let url = "https://hooks.example.com/services/SECRET";
        let settings = Settings { url: SecretString::from(url), people: People::Counted, ca_file: None, proxy: None };
        let webhook = Webhook::new(&settings, Clock::simulated(0, 1)).unwrap();
        assert!(!format!("{settings:?} {webhook:?}").contains("SECRET"));
        for bad in ["http://example.com/x", "ftp://example.com", "", "https://user:pw@example.com/"] {
            let settings = Settings { url: SecretString::from(bad), ..settings.clone() };
            assert!(Webhook::new(&settings, Clock::simulated(0, 1)).is_err(), "{bad}");
        }
    }
}
