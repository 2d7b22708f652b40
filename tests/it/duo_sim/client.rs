//! A client that signs, over a plain socket.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a client of tests fails the test")]

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::sim::duo::{DuoSim, INTEGRATION_KEY, SECRET_KEY, Scheme, Signable};
use crate::sim::wire::{Service, Simulator, decode_query};

/// Where the clock of these tests stands.
pub(super) const NOW: i64 = 1_345_570_158;
/// The same, as Duo's clients write it.
pub(super) const DATE: &str = "Tue, 21 Aug 2012 17:29:18 -0000";

/// A tenant whose clock stands.
pub(super) fn tenant() -> DuoSim {
    DuoSim::standing_at(NOW)
}

/// What a server sent, as far as it came.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Status, code and message, as in Duo's own words.
    pub(super) fn refusal(&self) -> String {
        let body = self.json();
        let detail = body["message_detail"].as_str().map(|detail| format!(" ({detail})")).unwrap_or_default();
        format!("{} {}/{} {}{detail}", body["stat"].as_str().unwrap(), self.status, body["code"], body["message"])
    }

    /// The values of this field in the rows.
    pub(super) fn column(&self, field: &str) -> Vec<String> {
        self.json()["response"].as_array().unwrap().iter().map(|row| row[field].as_str().unwrap().to_owned()).collect()
    }

    /// The metadata, in one line.
    pub(super) fn metadata(&self) -> String {
        self.json()["metadata"].to_string()
    }
}

/// Opens a connection.
pub(super) fn connect<S: Service>(simulator: &Simulator<S>) -> TcpStream {
    TcpStream::connect(("127.0.0.1", simulator.port())).unwrap()
}

/// Sends a request as it is.
pub(super) fn send(stream: &mut TcpStream, method: &str, target: &str, headers: &[(&str, &str)], body: &str) {
    let mut text = format!("{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:1\r\n");
    for (name, value) in headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    text.extend(["Content-Length: ", &body.len().to_string(), "\r\n\r\n", body]);
    stream.write_all(text.as_bytes()).unwrap();
}

/// Reads one answer; `None` if the connection closed before one began.
pub(super) fn receive(stream: &mut TcpStream) -> std::io::Result<Option<Reply>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).map_or(0, |n| n.parse().unwrap());
    let mut body = Vec::new();
    stream.take(length).read_to_end(&mut body)?;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(Some(Reply { status, head, body }))
}

/// GET with these headers.
pub(super) fn get<S: Service>(simulator: &Simulator<S>, target: &str, headers: &[(&str, &str)]) -> Reply {
    let mut stream = connect(simulator);
    send(&mut stream, "GET", target, headers, "");
    receive(&mut stream).unwrap().unwrap_or_else(|| panic!("no answer to GET {target}"))
}

/// GET, signed in version 5 with the right keys.
pub(super) fn read(simulator: &Simulator<DuoSim>, target: &str) -> Reply {
    let authorization = authorization(target, Scheme::V5, DATE, SECRET_KEY);
    get(simulator, target, &[("Date", DATE), ("Authorization", &authorization)])
}

/// What goes into the Authorization header of a GET.
pub(super) fn authorization(target: &str, scheme: Scheme, date: &str, secret_key: &str) -> String {
    sign("GET", target, scheme, date, secret_key)
}

/// What goes into the Authorization header of a request without a body.
pub(super) fn sign(method: &str, target: &str, scheme: Scheme, date: &str, secret_key: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let signable = Signable {
        date,
        method,
        host: "127.0.0.1",
        path,
        parameters: decode_query(query),
        body: b"",
        duo_headers: Vec::new(),
    };
    signable.authorization(scheme, INTEGRATION_KEY, secret_key)
}
