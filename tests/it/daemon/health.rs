//! `/livez`, `/readyz`, `/metrics`: over TCP on loopback, and over a Unix socket.

use super::super::sim::wire::{Answer, Effect, Fault, Match};
use super::running::{LOG, Setting};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;

/// Asks over a Unix socket; the status line and the body.
pub(super) fn ask(socket: &std::path::Path, path: &str) -> (String, String) {
    ask_over(UnixStream::connect(socket).expect("somebody listens"), path)
}

fn ask_over(mut stream: impl Read + Write, path: &str) -> (String, String) {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("it is sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    (head.lines().next().expect("a status").to_owned(), body.to_owned())
}

#[test]
fn health_follows_the_cycles_and_names_nobody() {
    let setting = Setting::with(&["ana in eng"], "mode = \"apply\"");
    let socket = setting.file("http.sock");
    setting.configure(&format!("[http]\nlisten = \"unix:{}\"\n", socket.display()));
    let daemon = setting.start();
    daemon.until("READY=1");
    assert_eq!(ask(&socket, "/livez").0, "HTTP/1.1 200 OK");
    daemon.until_status(|status| status.contains("held"));
    let (status, body) = ask(&socket, "/readyz");
    assert_eq!(status, "HTTP/1.1 200 OK", "{body}");
    assert!(body.starts_with("held: "), "{body}");
    let (_, metrics) = ask(&socket, "/metrics");
    assert!(metrics.contains("duo_atlassian_sync_held 1"), "{metrics}");
    assert!(metrics.contains("duo_atlassian_sync_people 1"), "{metrics}");
    assert!(metrics.contains("duo_atlassian_sync_requests_total{service=\"duo\",status=\"2xx\"}"), "{metrics}");
    assert!(!metrics.contains("changes_total"), "nothing was sent: {metrics}");
    assert!(metrics.contains("duo_atlassian_sync_rejected 0"), "{metrics}");
    assert!(!metrics.contains("ana"), "{metrics}");
    let plan = setting.ends(0, &["plan", "--format", "json"]).stdout;
    let plan: serde_json::Value = serde_json::from_str(&plan).expect("a plan document");
    setting.ends(0, &["reject", plan["fingerprint"].as_str().expect("a fingerprint")]);
    // The second of the cycles that follow began after it.
    for _ in 0..2 {
        daemon.drain();
        daemon.until_status(|status| status.contains("held"));
    }
    let (_, metrics) = ask(&socket, "/metrics");
    for line in ["duo_atlassian_sync_held 1\n", "duo_atlassian_sync_rejected 1\n"] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    setting.approve();
    daemon.until_status(|status| status.starts_with("good") && status.contains("done"));
    let (_, metrics) = ask(&socket, "/metrics");
    for action in ["create", "create_group", "join"] {
        let line = format!("duo_atlassian_sync_changes_total{{action=\"{action}\",outcome=\"done\"}} 1");
        assert!(metrics.contains(&line), "{line}: {metrics}");
    }
    assert_eq!(ask(&socket, "/anything").0, "HTTP/1.1 404 Not Found");
    daemon.ends(0);
    assert!(!socket.exists());
}

#[test]
fn an_address_that_is_taken_stops_no_cycle_and_is_tried_again() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let setting = Setting::with(&["ana in eng"], "mode = \"apply\"");
    setting.configure(&format!("[guard]\nfirst_plan = \"apply\"\n[http]\nlisten = \"{address}\"\n"));
    let daemon = setting.start();
    daemon.until("READY=1");
    let unserved = "; health and metrics are not served (see the journal)";
    let ready = daemon.received().into_iter().rfind(|line| line.starts_with("STATUS=")).expect("a status");
    assert!(ready.ends_with(unserved), "{ready}");
    let said = daemon.until("STATUS=good: ");
    assert!(said.contains(" done; next at ") && said.ends_with(unserved), "{said}");
    assert_eq!(setting.effects().len(), 3);
    let log = std::fs::read_to_string(setting.file(LOG)).expect("a log");
    assert!(log.contains(&format!("cannot listen on {address} for health and metrics")), "{log}");
    drop(taken);
    while daemon.until("STATUS=good: ").ends_with(unserved) {}
    let stream = TcpStream::connect(address).expect("somebody listens");
    assert_eq!(ask_over(stream, "/readyz").0, "HTTP/1.1 200 OK");
    daemon.ends(0);
}

#[test]
fn a_daemon_without_a_good_cycle_says_since_when() {
    let setting = Setting::with(&["ana in eng"], "mode = \"apply\"");
    let socket = setting.file("http.sock");
    setting.configure(&format!("[http]\nlisten = \"unix:{}\"\n", socket.display()));
    let refusal = Answer::json(403, &serde_json::json!({ "stat": "FAIL", "code": 40301, "message": "no" }));
    setting.stage.duo.fault(Fault::always(Match::any(), Effect::Answer(refusal)));
    let daemon = setting.start();
    for _ in 0..2 {
        daemon.until("STATUS=failing: ");
    }
    let (_, metrics) = ask(&socket, "/metrics");
    daemon.ends(0);
    let history = setting.ends(0, &["history", "--format", "json"]);
    let history: serde_json::Value = serde_json::from_str(&history.stdout).expect("a history");
    let first = history.as_array().and_then(|cycles| cycles.last()).expect("a cycle");
    let began: jiff::Timestamp = first["started_at"].as_str().expect("a time").parse().expect("a time");
    let line = format!("duo_atlassian_sync_last_good_cycle_timestamp_seconds {}\n", began.as_second());
    assert!(metrics.contains(&line), "{line}: {metrics}");
}

#[test]
fn memberships_are_counted_one_by_one() {
    let setting = Setting::with(&["ana in eng", "bo in eng"], "mode = \"apply\"");
    let socket = setting.file("http.sock");
    let listen = format!("[http]\nlisten = \"unix:{}\"\n", socket.display());
    setting.configure(&format!("[guard]\nfirst_plan = \"apply\"\n{listen}"));
    let daemon = setting.start();
    daemon.until_status(|status| status.ends_with("done"));
    let (_, metrics) = ask(&socket, "/metrics");
    let line = "duo_atlassian_sync_changes_total{action=\"join\",outcome=\"done\"} 2\n";
    assert!(metrics.contains(line), "{metrics}");
    daemon.ends(0);
}

#[test]
fn a_file_that_is_no_socket_is_left_alone() {
    let setting = Setting::with(&[], "");
    let file = setting.file("precious");
    std::fs::write(&file, "data").expect("a file");
    setting.configure(&format!("[http]\nlisten = \"unix:{}\"\n", file.display()));
    setting.ends(2, &["daemon"]);
    assert_eq!(std::fs::read_to_string(&file).expect("it is there"), "data");
}
