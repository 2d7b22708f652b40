//! What the transport survives, and at what price.

use super::{NOW, client, settings, tenant};
use crate::sim::duo::Category;
use crate::sim::wire::{Answer, Effect, Fault, Match};
use duo_atlassian_sync::clock::Clock;
use duo_atlassian_sync::duo::{Client, ReadError};
use duo_atlassian_sync::http::{Effect as Done, Failure, Method, Request, Transport, TransportSettings};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

#[tokio::test]
async fn a_cut_a_reset_and_a_silence_are_survived() {
    let simulator = tenant(50, 2);
    for effect in [Effect::CutBody(20), Effect::CloseBefore, Effect::CloseAfter, Effect::Never] {
        simulator.fault(Fault::once(Match::any(), effect));
        let client = client(&simulator);
        assert_eq!(client.read_groups().await.unwrap().len(), 2);
        assert_eq!(client.requests_sent(), 2);
    }
    simulator.fault(Fault::always(Match::any(), Effect::CutBody(20)));
    let client = client(&simulator);
    let error = client.read_groups().await.unwrap_err();
    assert!(matches!(error, ReadError::Broken { .. }), "{error}");
    assert_eq!(client.requests_sent(), 7);
}

#[tokio::test]
async fn every_try_is_signed_anew() {
    let simulator = tenant(5, 1);
    simulator.fault(Fault::once(Match::any(), Effect::Answer(Answer::empty(503))).times(3));
    assert_eq!(client(&simulator).read_groups().await.unwrap().len(), 1);
    let dates: Vec<_> = simulator.seen().iter().map(|seen| seen.request.header("date").unwrap().to_owned()).collect();
    assert_eq!(dates.len(), 4);
    assert!(dates.windows(2).all(|pair| pair[0] != pair[1]), "{dates:?}");
}

#[tokio::test]
async fn what_the_server_asks_for_is_waited() {
    for wait in ["30", "Mon, 23 Nov 2026 14:02:41 GMT"] {
        let simulator = tenant(5, 1);
        let throttled = Answer::empty(429).with_header("Retry-After", wait);
        simulator.fault(Fault::once(Match::any(), Effect::Answer(throttled)));
        let clock = Clock::simulated(NOW, 1);
        let client = Client::new(&settings(&simulator), clock.clone()).unwrap();
        client.read_groups().await.unwrap();
        assert!((30..33).contains(&(clock.now_seconds() - NOW)), "{wait}: {}", clock.now_seconds() - NOW);
    }
}

#[tokio::test]
async fn too_many_requests_end_in_words_and_the_budget_avoids_them() {
    let simulator = tenant(5, 1);
    simulator.fault(Fault::always(Match::any(), Effect::Answer(Answer::empty(429))));
    let client = client(&simulator);
    assert!(matches!(client.probe().await.unwrap_err(), ReadError::RateLimited));
    assert_eq!(client.requests_sent(), 7);
    // 100 probes at 180 a minute take more than half a minute, and any minute of Duo's allows them.
    let simulator = tenant(5, 1);
    let clock = Clock::simulated(NOW, 1);
    simulator.with(|duo| duo.switches.requests_per_minute.insert(Category::Page, 180));
    let client = Client::new(&settings(&simulator), clock.clone()).unwrap();
    for _ in 0..100 {
        client.probe().await.unwrap();
    }
    assert_eq!(client.requests_sent(), 100, "none was refused");
    assert!((31..36).contains(&(clock.now_seconds() - NOW)), "{}", clock.now_seconds() - NOW);
}

fn transport(url: &str) -> Transport {
    Transport::new(TransportSettings::new(url, 100.0), Clock::simulated(NOW, 1)).unwrap()
}

#[tokio::test]
async fn a_write_is_not_repeated_when_its_effect_is_unknown() {
    let simulator = tenant(1, 1);
    let transport = transport(&simulator.url());
    let post = || {
        Some(Request {
            method: Method::Post,
            url: format!("{}/admin/v1/users", simulator.url()),
            headers: vec![("Content-Type", "application/json".to_owned())],
            body: Some(b"{}".to_vec()),
        })
    };
    for effect in [Effect::CloseAfter, Effect::CutBody(3), Effect::Never] {
        simulator.forget_seen();
        simulator.fault(Fault::once(Match::any(), effect));
        let failure = transport.write(post).await.unwrap_err();
        assert_eq!(failure.effect(), Done::Unknown, "{failure}");
        assert_eq!(simulator.seen().len(), 1, "{failure}");
    }
    simulator.forget_seen();
    simulator.fault(Fault::once(Match::any(), Effect::Answer(Answer::empty(503))));
    assert_eq!(transport.write(post).await.unwrap().status, 503);
    simulator.fault(Fault::once(Match::any(), Effect::Answer(Answer::empty(429))));
    assert_eq!(transport.write(post).await.unwrap().status, 401, "tried again after 429");
    assert_eq!(simulator.seen().len(), 3);
    assert_eq!(transport.write(|| None).await.unwrap_err(), Failure::Withheld);
    assert_eq!(simulator.seen().len(), 3, "nothing left");
}

#[tokio::test]
async fn nothing_goes_to_another_host_or_is_changed_on_the_way() {
    let simulator = tenant(1, 1);
    let transport = transport(&simulator.url());
    let evil = format!("{}.example.com/", simulator.url());
    let dots = format!("{}/a/../b", simulator.url());
    let space = format!("{}/a?b=c d", simulator.url());
    for url in ["https://example.com/", evil.as_str(), dots.as_str(), space.as_str()] {
        let failure = transport.send_once(Request::get(url)).await.unwrap_err();
        assert!(matches!(failure, Failure::InvalidRequest { .. }), "{url}: {failure}");
    }
    assert_eq!((simulator.seen().len(), transport.requests_sent()), (0, 0));
}

#[tokio::test]
async fn a_body_without_end_is_refused() {
    let simulator = tenant(1, 1);
    let settings = TransportSettings { body_bytes_max: 1_000, ..TransportSettings::new(simulator.url(), 100.0) };
    let transport = Transport::new(settings, Clock::simulated(NOW, 1)).unwrap();
    let page = Answer::html(200, &"x".repeat(1_001));
    simulator.fault(Fault::once(Match::any(), Effect::Answer(page)));
    let failure = transport.read(|| Request::get(format!("{}/x", simulator.url()))).await.unwrap_err();
    assert!(matches!(failure, Failure::TooLarge { bytes_max: 1_000, .. }), "{failure}");
}

#[tokio::test]
async fn a_host_without_tls_is_named_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0; 16]).unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let failure = transport(&url).read(|| Request::get(format!("{url}/x"))).await.unwrap_err();
    assert!(matches!(failure, Failure::Tls { .. }), "{failure}");
    server.join().unwrap();
}
