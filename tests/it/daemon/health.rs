//! `/livez`, `/readyz`, `/metrics`: over TCP on loopback, and over a Unix socket.

use super::running::Setting;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;

/// Asks over a Unix socket; the status line and the body.
fn ask(socket: &std::path::Path, path: &str) -> (String, String) {
    let mut stream = UnixStream::connect(socket).expect("somebody listens");
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
fn an_address_that_is_taken_is_a_clear_end() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let setting = Setting::with(&[], "");
    setting.configure(&format!("[http]\nlisten = \"{}\"\n", taken.local_addr().expect("an address")));
    let ran = setting.ends(2, &["daemon"]);
    assert!(ran.stderr.contains("cannot listen on 127.0.0.1:"), "{}", ran.stderr);
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
