//! What both simulators share: one request, one answer, and a service that turns one into the other.

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

/// A simulated service: a state and what it answers. Synchronous: requests have an order, as in a database.
pub trait Service: Send + 'static {
    /// Answers one request, changing the state where the request does.
    fn answer(&mut self, request: &Request) -> Answer;
}
