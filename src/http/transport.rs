//! Sends one request, or tries it again as the retry table says.

use super::budget::Budget;
use super::build::{BuildTransportError, Paths, Place, TransportSettings, client, place};
use super::echo;
use super::exchange::{Arriving, Exchange, Network};
use super::failure::{Failure, Phase};
use super::header;
use super::message::{Answer, Method, Request, path_and_query};
use super::retry::{JITTER_MAX, Kind, Tries};
use crate::clock::Clock;
use crate::telemetry::metric;
use futures_util::StreamExt;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// The way to one service. Cheap to clone; clones share the budget, the connections and the counter.
#[derive(Clone)]
pub struct Transport(Arc<Inner>);

struct Inner {
    place: Place,
    exchange: Arc<dyn Exchange>,
    settings: TransportSettings,
    clock: Clock,
    budget: Budget,
    permits: Semaphore,
    sent: AtomicU64,
}

impl Transport {
    /// Sets up a transport; contacts nobody.
    ///
    /// # Errors
    /// When the base URL or the certificate authority cannot be used.
    pub fn new(settings: TransportSettings, clock: Clock) -> Result<Self, BuildTransportError> {
        let place = place(&settings)?;
        let client = client(&settings, &place)?;
        let connect_seconds = settings.connect_timeout.as_secs();
        let network = Network { client, host: place.host.clone(), connect_seconds };
        Ok(Self::over(settings, clock, (place, Arc::new(network))))
    }

    /// The same over something else than the network: for simulations. The base URL is checked all the same.
    ///
    /// # Errors
    /// When the base URL cannot be used.
    pub fn with_exchange(
        settings: TransportSettings,
        clock: Clock,
        exchange: Arc<dyn Exchange>,
    ) -> Result<Self, BuildTransportError> {
        let place = place(&settings)?;
        Ok(Self::over(settings, clock, (place, exchange)))
    }

    fn over(settings: TransportSettings, clock: Clock, (place, exchange): (Place, Arc<dyn Exchange>)) -> Self {
        let budget = Budget::new(settings.requests_per_second, settings.burst_max);
        let permits = Semaphore::new(settings.concurrent_requests_max.clamp(1, Semaphore::MAX_PERMITS));
        Self(Arc::new(Inner { place, exchange, settings, clock, budget, permits, sent: AtomicU64::new(0) }))
    }

    /// The host that is reached.
    pub fn host(&self) -> &str {
        &self.0.place.host
    }

    /// The address that every request begins with, without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.0.place.base_url
    }

    /// How many requests were sent so far, tries included.
    pub fn requests_sent(&self) -> u64 {
        self.0.sent.load(Ordering::Relaxed)
    }

    /// Reads: tries again on 429, 500, 502, 503, 504 and on failures that another try may heal, at most seven times
    /// and five minutes. `make` is called for every try, so that each is signed anew.
    ///
    /// # Errors
    /// The last failure. A last answer of any status is an `Ok`.
    pub async fn read(&self, mut make: impl FnMut() -> Request) -> Result<Answer, Failure> {
        self.send(Kind::Read, || Some(make())).await
    }

    /// Writes: tries again only on 429, and when no connection came about. Anything else may have had its effect.
    ///
    /// `make` is called when the request is about to leave, after every wait; without a request, nothing is sent.
    ///
    /// # Errors
    /// The last failure; [`Failure::effect`] tells what it may have done. [`Failure::Withheld`] when `make` makes none.
    pub async fn write(&self, make: impl FnMut() -> Option<Request>) -> Result<Answer, Failure> {
        self.send(Kind::Write, make).await
    }

    async fn send(&self, kind: Kind, mut make: impl FnMut() -> Option<Request>) -> Result<Answer, Failure> {
        let clock = &self.0.clock;
        let began = clock.monotonic();
        let until = began.saturating_add(self.patience());
        let mut tries = Tries::default();
        let mut before = None;
        loop {
            // The budget is waited for first: a request is signed when it leaves, not when it queues.
            let result = self.send_when_due(&mut make, until).await;
            if let (Err(Failure::Throttled { .. }), Some(before)) = (&result, before.take()) {
                return before;
            }
            let elapsed = clock.monotonic().saturating_sub(began);
            let Some(wait) = tries.count(kind, &result, elapsed, clock.jitter(JITTER_MAX)) else { return result };
            let why = result.as_ref().map_or_else(ToString::to_string, |answer| answer.status.to_string());
            tracing::debug!(http.why = %why, http.wait_ms = milliseconds(wait), "request will be tried again");
            clock.wait(wait).await;
            before = Some(result);
        }
    }

    /// Sends one request once, within the budget.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn send_once(&self, request: Request) -> Result<Answer, Failure> {
        let mut request = Some(request);
        let until = self.0.clock.monotonic().saturating_add(self.patience());
        self.send_when_due(&mut || request.take(), until).await
    }

    /// How long one request may wait in all.
    fn patience(&self) -> Duration {
        self.0.budget.patience(self.0.settings.concurrent_requests_max)
    }

    async fn send_when_due(
        &self,
        make: &mut impl FnMut() -> Option<Request>,
        until: Duration,
    ) -> Result<Answer, Failure> {
        let inner = &*self.0;
        let clock = &inner.clock;
        // Nobody closes the semaphore. Who has a permit and waits for a token keeps nobody from one: tokens come in
        // turn.
        let _permit = inner.permits.acquire().await.ok();
        let Some(token) = inner.budget.take(clock, until).await else {
            let seconds = self.patience().as_secs();
            return Err(Failure::Throttled { host: self.host().to_owned(), seconds });
        };
        let Some(request) = make() else { return Err(Failure::Withheld) };
        let (method, path) = (request.method, self.shown_path(&request));
        let prepared = self.prepare(request)?;
        inner.sent.fetch_add(1, Ordering::Relaxed);
        let began = clock.monotonic();
        let total = inner.settings.total_timeout;
        let exchanged = clock.timeout(total, self.exchange(prepared)).await;
        let result = exchanged.unwrap_or_else(|| Err(self.timed_out(Phase::WholeAnswer, total)));
        let elapsed = clock.monotonic().saturating_sub(began);
        let elapsed_ms = milliseconds(elapsed);
        metric::count_request(inner.settings.service, result.as_ref().ok().map(|answer| answer.status), elapsed);
        match &result {
            Ok(answer) => {
                tracing::debug!(
                    http.method = method.as_str(),
                    http.path = %path,
                    http.status = answer.status,
                    http.elapsed_ms = elapsed_ms,
                    "answered"
                );
                inner.budget.hear(token, answer, clock.monotonic());
            }
            Err(failure) => {
                tracing::debug!(
                    http.method = method.as_str(),
                    http.path = %path,
                    http.elapsed_ms = elapsed_ms,
                    error = %failure,
                    "not answered"
                );
            }
        }
        result
    }

    fn shown_path(&self, request: &Request) -> String {
        match self.0.settings.paths {
            Paths::Logged => request.path().to_owned(),
            Paths::Secret => "(secret)".to_owned(),
        }
    }

    /// Turns a request into reqwest's, or refuses it: what would be sent must be what was given, and go to our host.
    fn prepare(&self, request: Request) -> Result<reqwest::Request, Failure> {
        let refuse = |reason: &str| Failure::InvalidRequest { reason: reason.to_owned() };
        let rest = request.url.strip_prefix(self.base_url()).ok_or_else(|| refuse("it is for another host"))?;
        if !(rest.is_empty() || rest.starts_with(['/', '?'])) {
            return Err(refuse("it is for another host"));
        }
        let url = reqwest::Url::parse(&request.url).map_err(|_| refuse("its address is not a URL"))?;
        let wanted = path_and_query(&request.url);
        let is_the_same = wanted.is_empty() || path_and_query(url.as_str()) == wanted;
        if !is_the_same || url.fragment().is_some() {
            return Err(refuse("its address would be changed on the way"));
        }
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
        };
        let mut prepared = reqwest::Request::new(method, url);
        for (name, value) in request.headers {
            let mut value = HeaderValue::from_str(&value).map_err(|_| refuse("a header holds a control character"))?;
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refuse("a header's name is not valid"))?;
            value.set_sensitive(name == reqwest::header::AUTHORIZATION);
            prepared.headers_mut().append(name, value);
        }
        *prepared.body_mut() = request.body.map(reqwest::Body::from);
        Ok(prepared)
    }

    async fn exchange(&self, request: reqwest::Request) -> Result<Answer, Failure> {
        let inner = &*self.0;
        let first_byte = inner.settings.first_byte_timeout;
        let credential = echo::credential_of(&request);
        let Some(begun) = inner.clock.timeout(first_byte, inner.exchange.exchange(request)).await else {
            return Err(self.timed_out(Phase::FirstByte, first_byte));
        };
        let Arriving { status, headers, mut body } = begun?;
        let mut answer = read_head(status, &headers, inner.clock.now_seconds());
        let bytes_max = inner.settings.body_bytes_max;
        while let Some(piece) = body.next().await {
            let piece = piece?;
            if answer.body.len().saturating_add(piece.len()) > bytes_max {
                return Err(Failure::TooLarge { host: self.host().to_owned(), bytes_max });
            }
            answer.body.extend_from_slice(&piece);
        }
        if let Some(credential) = credential {
            echo::remove(&mut answer, &credential);
        }
        Ok(answer)
    }

    fn timed_out(&self, phase: Phase, limit: Duration) -> Failure {
        Failure::TimedOut { host: self.host().to_owned(), phase, seconds: limit.as_secs() }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Transport").field(&self.base_url()).finish()
    }
}

fn read_head(status: u16, headers: &HeaderMap, now: i64) -> Answer {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let reset = || match status {
        429 | 503 => text("x-ratelimit-reset").and_then(|value| header::rate_limit_reset(value, now)),
        _ => None,
    };
    Answer {
        status,
        content_type: text("content-type").map(str::to_owned),
        retry_after: text("retry-after").and_then(|value| header::retry_after(value, now)).or_else(reset),
        location: text("location").map(str::to_owned),
        body: Vec::new(),
        date: text("date").and_then(header::http_date),
        quota: header::quota(text, now),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
