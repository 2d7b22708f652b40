//! The client: addresses, headers, and what becomes of an answer or of its absence.

use super::MemberRemoval;
use super::Settings;
use super::answer::About;
use super::answer::Received;
use super::answer::Sent;
use super::error::RequestError;
use crate::clock::Clock;
use crate::http::Answer;
use crate::http::BuildTransportError;
use crate::http::Exchange;
use crate::http::Method;
use crate::http::Request;
use crate::http::Transport;
use crate::http::TransportSettings;
use secrecy::ExposeSecret;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

/// A group is answered whole. With 300 bytes a member (an estimate: `value`, `display`, `$ref`), the
/// greatest that Atlassian allows, 290,000 members, is 87 MB.
const BODY_BYTES_MAX: usize = 128 << 20;

/// Both types are documented as accepted and as sent.
const ACCEPT: &str = "application/scim+json, application/json";
/// As in the worked example of Atlassian's specification.
const CONTENT_TYPE: &str = "application/scim+json; charset=utf-8";

/// The way to one SCIM directory. Cheap to clone; clones share the budget and the counters.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    transport: Transport,
    settings: Settings,
    writes: AtomicU64,
    brake: Brake,
}

/// Asked right before every writing request leaves, after every wait: whether it may not (S22).
pub type Brake = Box<dyn Fn() -> bool + Send + Sync>;

/// A success.
#[derive(Debug)]
pub(super) struct Answered {
    /// The JSON, when there was any.
    pub(super) body: Option<Value>,
    /// `Location`.
    pub(super) location: Option<String>,
}

impl Client {
    /// Sets up a client without a brake; contacts nobody.
    pub fn new(settings: &Settings, clock: Clock) -> Result<Self, BuildTransportError> {
        Self::with_brake(settings, clock, Box::new(|| false))
    }

    /// Sets up a client whose writing requests stop when the brake says so; contacts nobody.
    pub fn with_brake(settings: &Settings, clock: Clock, brake: Brake) -> Result<Self, BuildTransportError> {
        let transport = Transport::new(transport_settings(settings), clock)?;
        Ok(Self::over(transport, settings, brake))
    }

    /// The same over something else than the network: for simulations.
    pub fn with_exchange(
        settings: &Settings,
        clock: Clock,
        brake: Brake,
        exchange: Arc<dyn Exchange>,
    ) -> Result<Self, BuildTransportError> {
        let transport = Transport::with_exchange(transport_settings(settings), clock, exchange)?;
        Ok(Self::over(transport, settings, brake))
    }

    fn over(transport: Transport, settings: &Settings, brake: Brake) -> Self {
        Self(Arc::new(Inner { transport, settings: settings.clone(), writes: AtomicU64::new(0), brake }))
    }

    /// How many requests were sent so far, tries included.
    pub fn requests_sent(&self) -> u64 {
        self.0.transport.requests_sent()
    }

    /// How many writing requests were begun so far, each counted once.
    pub fn writes_sent(&self) -> u64 {
        self.0.writes.load(Ordering::Relaxed)
    }

    /// How many members one request may add or remove; at least one. Who calls splits.
    pub fn members_per_request_max(&self) -> usize {
        self.0.settings.members_per_request_max.max(1)
    }

    /// In which form members are removed.
    pub fn member_removal(&self) -> MemberRemoval {
        self.0.settings.member_removal
    }

    /// Reads what stands at this path, which begins with a slash.
    pub(super) async fn read(&self, path: &str, about: About) -> Result<Value, RequestError> {
        let make = || self.request(Method::Get, path, None);
        match self.0.transport.read(make).await {
            Ok(answer) => received(&answer).judge_reading(about),
            Err(failure) => Err(RequestError::from_failure(failure, Sent::Reading)),
        }
    }

    /// Sends one writing request.
    pub(super) async fn write(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        about: About,
    ) -> Result<Answered, RequestError> {
        let body = body.to_string().into_bytes();
        self.0.writes.fetch_add(1, Ordering::Relaxed);
        let make = || (!(self.0.brake)()).then(|| self.request(method, path, Some(body.clone())));
        match self.0.transport.write(make).await {
            Ok(answer) => {
                let body = received(&answer).judge(Sent::Writing, about)?;
                Ok(Answered { body, location: answer.location })
            }
            Err(failure) => Err(RequestError::from_failure(failure, Sent::Writing)),
        }
    }

    fn request(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Request {
        let bearer = format!("Bearer {}", self.0.settings.api_key.expose_secret());
        let mut headers = vec![("Authorization", bearer), ("Accept", ACCEPT.to_owned())];
        if body.is_some() {
            headers.push(("Content-Type", CONTENT_TYPE.to_owned()));
        }
        Request { method, url: format!("{}{path}", self.0.transport.base_url()), headers, body }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.0.transport).finish()
    }
}

fn transport_settings(settings: &Settings) -> TransportSettings {
    let mut transport = TransportSettings::new(&settings.base_url, settings.requests_per_second);
    transport.ca_file.clone_from(&settings.ca_file);
    transport.proxy.clone_from(&settings.proxy);
    transport.concurrent_requests_max = settings.concurrent_requests_max;
    transport.body_bytes_max = BODY_BYTES_MAX;
    transport.service = "atlassian";
    transport
}

fn received(answer: &Answer) -> Received<'_> {
    Received { status: answer.status, content_type: answer.content_type.as_deref(), body: &answer.body }
}
