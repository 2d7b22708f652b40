//! What is sent and what comes back.

use super::quota::Quota;
use std::fmt;
use std::time::Duration;

/// How a request acts. The product has no other way to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates.
    Post,
    /// Changes what it names and nothing else.
    Patch,
}

impl Method {
    /// Upper case, as sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
        }
    }
}

/// One request. Its `Debug` form shows no header value, no query and no body.
#[derive(Clone)]
pub struct Request {
    /// How it acts.
    pub method: Method,
    /// The whole address, sent byte for byte; must begin with the transport's base URL.
    pub url: String,
    /// Headers in the order in which they are sent; `Authorization` is kept out of every log.
    pub headers: Vec<(&'static str, String)>,
    /// The body, when there is one.
    pub body: Option<Vec<u8>>,
}

impl Request {
    /// A GET without headers.
    pub fn get(url: impl Into<String>) -> Self {
        Self { method: Method::Get, url: url.into(), headers: Vec::new(), body: None }
    }

    /// The path, without host and query: all of the address that may be logged.
    pub fn path(&self) -> &str {
        path_and_query(&self.url).split('?').next().unwrap_or("/")
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", &self.method).field("path", &self.path()).finish_non_exhaustive()
    }
}

/// Everything after the host.
pub(super) fn path_and_query(url: &str) -> &str {
    let after = url.split_once("://").map_or(url, |(_, rest)| rest);
    let at = after.find(['/', '?']).unwrap_or(after.len());
    after.get(at..).unwrap_or("")
}

/// One answer, read to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`, as sent.
    pub content_type: Option<String>,
    /// How long the server asks to wait: `Retry-After`, or `X-RateLimit-Reset` of a 429 or 503.
    pub retry_after: Option<Duration>,
    /// `Location`, as sent.
    pub location: Option<String>,
    /// The body, decompressed.
    pub body: Vec<u8>,
    /// The server's clock (`Date`), in seconds since 1970: to tell when a clock is wrong.
    pub date: Option<i64>,
    /// What it says about the service's request limit, when it says something.
    pub quota: Option<Quota>,
}

#[cfg(test)]
mod tests {
    use super::Request;

    #[test]
    fn only_the_path_is_shown() {
        let mut request = Request::get("https://api.example.com/scim/Users?filter=ana%40example.com");
        request.headers.push(("Authorization", "Bearer secret".into()));
        assert_eq!(request.path(), "/scim/Users");
        assert_eq!(format!("{request:?}"), r#"Request { method: Get, path: "/scim/Users", .. }"#);
    }
}
