//! Who carries a prepared request: the network, or, in a simulation, a call of a function.
//!
//! Everything that protects is on this side of it: what is sent and to whom is checked before, and time-outs, the cap
//! on bodies, retries and the budget hold for whatever comes back.

use super::failure::Failure;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use reqwest::header::HeaderMap;

/// Carries requests. The program itself has one, which is not public; a test may bring its own.
pub trait Exchange: Send + Sync {
    /// Carries one request, whose host and headers are checked, and brings the head of the answer.
    ///
    /// # Errors
    /// Why there is none; [`Failure::effect`] says whether the request may have arrived. When the future is dropped,
    /// nobody waits for the answer any more.
    fn exchange(&self, request: reqwest::Request) -> BoxFuture<'_, Result<Arriving, Failure>>;
}

/// An answer whose head has arrived.
pub struct Arriving {
    /// HTTP status.
    pub status: u16,
    /// As sent.
    pub headers: HeaderMap,
    /// Piece by piece, decompressed; a failure ends it.
    pub body: BoxStream<'static, Result<Bytes, Failure>>,
}

/// The network.
pub(super) struct Network {
    pub(super) client: reqwest::Client,
    pub(super) host: String,
    /// For the message about a connection that took too long.
    pub(super) connect_seconds: u64,
}

impl Exchange for Network {
    fn exchange(&self, request: reqwest::Request) -> BoxFuture<'_, Result<Arriving, Failure>> {
        Box::pin(async move {
            let connect_seconds = self.connect_seconds;
            let classify = move |error: &reqwest::Error, host: &str| Failure::classify(error, host, connect_seconds);
            let mut response = self.client.execute(request).await.map_err(|error| classify(&error, &self.host))?;
            let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
            let body = stream::try_unfold((response, self.host.clone()), move |(mut response, host)| async move {
                let piece = response.chunk().await.map_err(|error| classify(&error, &host))?;
                Ok(piece.map(|piece| (piece, (response, host))))
            });
            Ok(Arriving { status, headers, body: Box::pin(body) })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Arriving, BoxFuture, Bytes, Exchange, Failure, HeaderMap, stream};
    use crate::clock::Clock;
    use crate::http::{Answer, Effect, Phase, Request, Transport, TransportSettings};
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    /// Answers `pieces` times three bytes, after so long each, and counts.
    struct Fake {
        clock: Clock,
        pieces: u32,
        after: Duration,
        carried: AtomicUsize,
    }

    impl Exchange for Fake {
        fn exchange(&self, _: reqwest::Request) -> BoxFuture<'_, Result<Arriving, Failure>> {
            Box::pin(async move {
                self.carried.fetch_add(1, Ordering::Relaxed);
                self.clock.wait(self.after).await;
                let (clock, after) = (self.clock.clone(), self.after);
                let body = stream::unfold((self.pieces, clock), move |(left, clock)| async move {
                    clock.wait(after).await;
                    (left > 0).then(|| (Ok(Bytes::from_static(b"abc")), (left.saturating_sub(1), clock)))
                });
                Ok(Arriving { status: 200, headers: HeaderMap::new(), body: Box::pin(body) })
            })
        }
    }

    fn sent_once(url: &str, pieces: u32, after: Duration) -> (Result<Answer, Failure>, usize) {
        let clock = Clock::stepped(0, 1);
        let fake = Arc::new(Fake { clock: clock.clone(), pieces, after, carried: AtomicUsize::new(0) });
        let settings =
            TransportSettings { body_bytes_max: 6, ..TransportSettings::new("https://api.example.com/x", 1_000.0) };
        let transport = Transport::with_exchange(settings, clock.clone(), Arc::<Fake>::clone(&fake)).unwrap();
        let mut sending = pin!(transport.send_once(Request::get(url)));
        let result = loop {
            match sending.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(result) => break result,
                Poll::Pending => assert!(clock.step()),
            }
        };
        (result, fake.carried.load(Ordering::Relaxed))
    }

    const HERE: &str = "https://api.example.com/x/Users";

    #[test]
    fn what_may_not_leave_is_given_to_nobody() {
        for url in ["https://api.example.org/x/Users", "https://api.example.com/y", "https://api.example.com/x/a b"] {
            let (result, carried) = sent_once(url, 1, Duration::ZERO);
            assert!(matches!(result, Err(Failure::InvalidRequest { .. })), "{url}");
            assert_eq!(carried, 0, "{url}");
        }
        let (result, carried) = sent_once(HERE, 2, Duration::ZERO);
        assert_eq!((result.unwrap().body, carried), (b"abcabc".to_vec(), 1));
    }

    #[test]
    fn caps_and_time_outs_hold_whoever_carries() {
        let failure = |pieces, after| sent_once(HERE, pieces, Duration::from_secs(after)).0.unwrap_err();
        assert!(matches!(failure(3, 0), Failure::TooLarge { bytes_max: 6, .. }));
        let late = |phase, seconds| Failure::TimedOut { host: "api.example.com".to_owned(), phase, seconds };
        assert_eq!(failure(1, 61), late(Phase::FirstByte, 60));
        assert_eq!(failure(2, 45), late(Phase::WholeAnswer, 120));
        assert_eq!(failure(2, 45).effect(), Effect::Unknown);
    }

    #[test]
    fn a_base_url_is_checked_whoever_carries() {
        let clock = Clock::stepped(0, 1);
        let fake = Fake { clock: clock.clone(), pieces: 0, after: Duration::ZERO, carried: AtomicUsize::new(0) };
        let settings = TransportSettings::new("http://api.example.com", 1.0);
        assert!(Transport::with_exchange(settings, clock, Arc::new(fake)).is_err());
    }
}
