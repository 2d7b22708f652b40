//! What both simulators share: one request, one answer, a service that turns one into the other, and the HTTP between.

mod connection;
mod fault;
mod head;
mod memory;
mod query;
mod server;

pub use fault::{Edit, Effect, End, Fault, Match, MethodMatch, PathMatch};
pub use memory::Memory;
pub use query::{decode_component, decode_query, decode_segments};
pub use server::{Seen, Simulator, Watcher};

use serde_json::Value;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    /// Upper case, as sent.
    pub method: String,
    /// The path as sent, without the query.
    pub path: String,
    /// The query as sent, without the question mark; empty when there is none.
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, whole.
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of this (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The query's parameters, decoded, in the order they were sent.
    pub fn parameters(&self) -> Vec<(String, String)> {
        decode_query(&self.query)
    }

    /// The first parameter of this name, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.parameters().into_iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }

    /// The body as JSON, if it is.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// One answer as it will be sent.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers beside Content-Length and Date.
    pub headers: Vec<(String, String)>,
    /// The body, whole.
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// A JSON answer, as `application/json`.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json", &body.to_string())
    }

    /// A web page, as gateways send it when the service behind them does not answer.
    pub fn html(status: u16, body: &str) -> Self {
        Self::text(status, "text/html; charset=utf-8", body)
    }

    /// Any text under any content type.
    pub fn text(status: u16, content_type: &str, body: &str) -> Self {
        Self::empty(status).with_header("Content-Type", content_type).with_body(body.as_bytes())
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same answer with this body.
    #[must_use]
    pub fn with_body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    /// The first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// A simulated service: a state and what it answers. Synchronous: requests have an order, as in a database.
pub trait Service: Send + 'static {
    /// Answers one request, changing the state where the request does.
    fn answer(&mut self, request: &Request) -> Answer;
}
