//! The wire between program and services: a call, on simulated time.

use super::city::{City, Departure};
use super::sabotage::Sabotage;
use super::weather::{Fate, Side};
use crate::sim::wire::{Answer, End, Request};
use duo_atlassian_sync::clock::Clock;
use duo_atlassian_sync::http::{Arriving, Exchange, Failure};
use duo_atlassian_sync::store::Brake;
use futures_util::future::{BoxFuture, pending};
use futures_util::stream;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The way of one client to its service.
pub struct Line {
    /// To whom.
    pub side: Side,
    /// Everything outside.
    pub city: Arc<Mutex<City>>,
    /// The one clock.
    pub clock: Clock,
    /// The brake of the program's database: nothing that writes may leave while it is on.
    pub brake: Brake,
}

/// Looks at everything outside.
pub fn lock(city: &Mutex<City>) -> MutexGuard<'_, City> {
    city.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Exchange for Line {
    fn exchange(&self, request: reqwest::Request) -> BoxFuture<'_, Result<Arriving, Failure>> {
        Box::pin(async move {
            let host = request.url().host_str().unwrap_or_default().to_owned();
            let request = as_received(&request);
            let is_paused = request.method != "GET" && self.brake.is_on();
            let departure = lock(&self.city).leaves(self.side, &request, is_paused);
            let Some(Departure { fate, there, back, survives }) = departure else { return pending().await };
            if fate == Fate::Refused {
                self.clock.wait(there).await;
                return Err(Failure::Connect { host, cause: "refused".to_owned() });
            }
            let arrives_at = self.clock.monotonic() + there;
            let flight = Flight { line: self, under_way: Some(request), fate, arrives_at, survives };
            self.clock.wait(there).await;
            let cut = |cause: &str| Failure::Cut { host: host.clone(), cause: cause.to_owned() };
            match flight.arrives() {
                None | Some(End::Silence) => pending().await,
                Some(End::Reset | End::Closed) => {
                    self.clock.wait(back).await;
                    Err(cut("reset"))
                }
                Some(End::Answered { answer, body_bytes, delay }) => {
                    // A slow answer is slow before its head or before its body.
                    let (head, body) =
                        if delay.as_secs() % 2 == 0 { (delay, Duration::ZERO) } else { (Duration::ZERO, delay) };
                    self.clock.wait(back + head).await;
                    Ok(self.arriving(&answer, (body_bytes, body), cut("the body is cut")))
                }
            }
        })
    }
}

impl Line {
    fn arriving(&self, answer: &Answer, (bytes, delay): (usize, Duration), cut: Failure) -> Arriving {
        let mut headers = HeaderMap::new();
        let is_deaf = lock(&self.city).sabotage == Some(Sabotage::IsDeaf);
        for (name, value) in answer.headers.iter().filter(|_| !is_deaf) {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                headers.append(name, value);
            }
        }
        let whole = answer.body.get(..bytes).is_none();
        let body = answer.body.get(..bytes).unwrap_or(&answer.body).to_vec();
        let (clock, city, side, answer) = (self.clock.clone(), Arc::clone(&self.city), self.side, answer.clone());
        // Who does not hear that time is asked for takes it for trouble.
        let status = if is_deaf && matches!(answer.status, 429 | 503) { 500 } else { answer.status };
        let first = stream::once(async move {
            clock.wait(delay).await;
            if whole {
                lock(&city).watch.answered(side, &answer, clock.monotonic());
            }
            Ok(body.into())
        });
        let then = stream::iter((!whole).then_some(Err(cut)));
        Arriving { status, headers, body: Box::pin(stream::StreamExt::chain(first, then)) }
    }
}

/// A request on its way. Dropped before it arrives, it has lost its sender, and may arrive all the same.
struct Flight<'a> {
    line: &'a Line,
    under_way: Option<Request>,
    fate: Fate,
    arrives_at: Duration,
    survives: bool,
}

impl Flight<'_> {
    fn arrives(mut self) -> Option<End> {
        let request = self.under_way.take()?;
        lock(&self.line.city).arrives(self.line.side, &request, self.fate)
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if let Some(request) = self.under_way.take().filter(|_| self.survives) {
            lock(&self.line.city).abandon(self.line.side, request, (self.fate, self.arrives_at));
        }
    }
}

/// A request as a server reads it.
pub fn as_received(request: &reqwest::Request) -> Request {
    let header = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let mut headers: Vec<(String, String)> = request.headers().iter().map(header).collect();
    headers.push(("host".to_owned(), request.url().host_str().unwrap_or_default().to_owned()));
    Request {
        method: request.method().as_str().to_owned(),
        path: request.url().path().to_owned(),
        query: request.url().query().unwrap_or_default().to_owned(),
        headers,
        body: request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default().to_vec(),
    }
}
