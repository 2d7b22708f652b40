//! What can go wrong on the wire, and that it does. The service here only counts.

use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::Duration;

use super::client::{Reply, connect, get, receive, send};
use crate::sim::wire::{Answer, Effect, Fault, Match, Request, Service, Simulator};

/// Answers with the number of its requests.
#[derive(Default)]
struct Counter {
    answered: usize,
    offset: usize,
}

impl Service for Counter {
    fn answer(&mut self, request: &Request) -> Answer {
        self.answered += 1;
        Answer::text(200, "text/plain", &format!("{} {}", self.answered + self.offset, request.body.len()))
    }
}

fn counter() -> Simulator<Counter> {
    Simulator::start(Counter::default())
}

fn text(reply: &Reply) -> String {
    format!("{} {}", reply.status, String::from_utf8_lossy(&reply.body))
}

/// The answer on a new connection, or how it failed to come.
fn outcome(simulator: &Simulator<Counter>, method: &str) -> String {
    let mut stream = connect(simulator);
    send(&mut stream, method, "/a?b=c+d", &[], "");
    match receive(&mut stream) {
        Ok(Some(reply)) => text(&reply),
        Ok(None) => "closed".to_owned(),
        Err(failure) => format!("{:?}", failure.kind()),
    }
}

fn statuses(simulator: &Simulator<Counter>) -> Vec<Option<u16>> {
    simulator.seen().iter().map(|seen| seen.status).collect()
}

#[test]
fn an_answer_instead_leaves_the_service_untouched() {
    let simulator = counter();
    simulator.fault(Fault::once(Match::any(), Effect::Answer(Answer::html(502, "<h1>Bad Gateway</h1>"))).after(1));
    assert_eq!(outcome(&simulator, "GET"), "200 1 0");
    assert_eq!(outcome(&simulator, "GET"), "502 <h1>Bad Gateway</h1>");
    assert_eq!(outcome(&simulator, "GET"), "200 2 0");
    assert_eq!(statuses(&simulator), [Some(200), Some(502), Some(200)]);
}

#[test]
fn answers_instead_queue_up_and_other_effects_join_in() {
    let simulator = counter();
    simulator.fault(Fault::once(Match::any(), Effect::Answer(Answer::empty(500))));
    simulator.fault(Fault::once(Match::any(), Effect::Answer(Answer::empty(503))));
    simulator.fault(Fault::always(Match::any(), Effect::Rewrite(Box::new(|_, answer| answer.body.push(b'!')))));
    assert_eq!([(); 3].map(|()| outcome(&simulator, "GET")), ["500 !", "503 !", "200 1 0!"]);
    simulator.clear_faults();
    assert_eq!(outcome(&simulator, "GET"), "200 2 0");
}

#[test]
fn the_world_changes_before_and_after_an_answer() {
    let simulator = counter();
    simulator.fault(Fault::once(Match::any(), Effect::World(Box::new(|counter| counter.offset = 10))));
    simulator.fault(Fault::once(Match::any(), Effect::WorldAfter(Box::new(|counter| counter.offset = 100))));
    assert_eq!([(); 2].map(|()| outcome(&simulator, "GET")), ["200 11 0", "200 102 0"]);
}

#[test]
fn a_connection_closes_before_or_after_the_deed() {
    let simulator = counter();
    simulator.fault(Fault::once(Match::writes(), Effect::CloseBefore));
    simulator.fault(Fault::once(Match::writes(), Effect::CloseAfter));
    assert_eq!(outcome(&simulator, "GET"), "200 1 0");
    assert_eq!(outcome(&simulator, "POST"), "ConnectionReset");
    assert_eq!(simulator.with(|counter| counter.answered), 1);
    assert_eq!(outcome(&simulator, "POST"), "closed");
    assert_eq!(simulator.with(|counter| counter.answered), 2);
    assert_eq!(outcome(&simulator, "POST"), "200 3 0");
    assert_eq!(statuses(&simulator), [Some(200), None, None, Some(200)]);
}

#[test]
fn a_body_is_cut() {
    let simulator = counter();
    simulator.fault(Fault::once(Match::any(), Effect::CutBody(2)));
    let reply = get(&simulator, "/", &[]);
    assert!(reply.head.contains("Content-Length: 3\r\n"), "{}", reply.head);
    assert_eq!(text(&reply), "200 1 ");
}

#[test]
fn silence_and_slowness_differ_in_what_was_done() {
    for (effect, done) in [(Effect::Never, 0), (Effect::Delay(Duration::from_hours(1)), 1)] {
        let simulator = counter();
        let (arrived, arrival) = mpsc::channel();
        simulator.on_request(Box::new(move |request, number| arrived.send((request.path.clone(), number)).unwrap()));
        simulator.fault(Fault::once(Match::get("/slow"), effect));
        let mut stream = connect(&simulator);
        send(&mut stream, "GET", "/slow", &[], "");
        assert_eq!(arrival.recv().unwrap(), ("/slow".to_owned(), 1));

        assert_eq!(outcome(&simulator, "GET"), format!("200 {} 0", done + 1), "the others go on");
        assert_eq!(arrival.recv().unwrap(), ("/a".to_owned(), 2));
        stream.set_nonblocking(true).unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    }
    let simulator = counter();
    simulator.fault(Fault::once(Match::any(), Effect::Delay(Duration::from_millis(1))));
    assert_eq!(outcome(&simulator, "GET"), "200 1 0");
}

#[test]
fn faults_pick_their_requests() {
    let picks = |on: Match| {
        let simulator = counter();
        simulator.fault(Fault::always(on, Effect::Answer(Answer::empty(500))));
        outcome(&simulator, "GET").starts_with("500")
    };
    assert!(picks(Match::get("/a")));
    assert!(picks(Match::method("GET").under("/")));
    assert!(picks(Match::any().containing("a").with_query("b=c d")));
    assert!(picks(Match::any().with_query("c+d")));
    assert!(!picks(Match::any().with_query("e")));
    assert!(!picks(Match::writes()));
    assert!(!picks(Match::method("POST").at("/a")));
}

#[test]
fn a_connection_serves_many_requests_and_waits_for_bodies() {
    let simulator = counter();
    let mut stream = connect(&simulator);
    send(&mut stream, "GET", "http://example.com/absolute?x", &[], "");
    send(&mut stream, "POST", "/b", &[], "hello");
    assert_eq!(text(&receive(&mut stream).unwrap().unwrap()), "200 1 0");
    assert_eq!(text(&receive(&mut stream).unwrap().unwrap()), "200 2 5");

    let head = "POST /c HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    std::io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
    assert_eq!(receive(&mut stream).unwrap().unwrap().status, 100);
    std::io::Write::write_all(&mut stream, b"hi").unwrap();
    assert_eq!(text(&receive(&mut stream).unwrap().unwrap()), "200 3 2");

    send(&mut stream, "HEAD", "/d", &[("Connection", "close")], "");
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("Content-Length: 3\r\nConnection: close\r\n\r\n"), "{rest}");
    let paths: Vec<_> = simulator.seen().into_iter().map(|seen| seen.request.path).collect();
    assert_eq!(paths, ["/absolute", "/b", "/c", "/d"]);
    simulator.forget_seen();
    assert!(simulator.seen().is_empty());
}

#[test]
fn chunked_bodies_and_nonsense_are_refused() {
    let simulator = counter();
    let status = |text: &str| {
        let mut stream = connect(&simulator);
        std::io::Write::write_all(&mut stream, text.as_bytes()).unwrap();
        receive(&mut stream).unwrap().unwrap().status
    };
    assert_eq!(status("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), 411);
    assert_eq!(status("hello\r\n\r\n"), 400);
    assert_eq!(status("GET / HTTP/9\r\n\r\n"), 505);
    assert!(simulator.seen().is_empty());
}

#[test]
fn the_last_clone_stops_it_and_frees_the_port() {
    let simulator = counter();
    let port = simulator.port();
    let clone = simulator.clone();
    drop(simulator);
    assert_eq!(outcome(&clone, "GET"), "200 1 0");
    drop(clone);
    let again = Simulator::start_at(Counter::default(), SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
    assert_eq!(again.url(), format!("http://127.0.0.1:{port}"));
    assert_eq!(outcome(&again, "GET"), "200 1 0");
}

#[test]
fn it_is_quiet_when_a_client_that_is_gone_was_served() {
    let simulator = counter();
    for answered in 1..20 {
        let mut stream = connect(&simulator);
        send(&mut stream, "POST", "/", &[], "");
        drop(stream);
        simulator.until_quiet().unwrap();
        assert_eq!(simulator.with(|counter| counter.answered), answered);
    }
}
