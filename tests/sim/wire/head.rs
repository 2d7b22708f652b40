//! The text of HTTP/1.1: heads read, heads written. Only what the clients of a simulator need.

use super::{Answer, Request};

/// A request's head, and how its body and its connection go on.
pub(super) struct Head {
    /// The request, its body still empty.
    pub(super) request: Request,
    /// The length of the body that follows.
    pub(super) body_length: usize,
    /// Whether the client waits for leave to send the body.
    pub(super) expects_continue: bool,
    /// What becomes of the connection.
    pub(super) connection: Persistence,
}

/// What becomes of the connection after the answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Persistence {
    /// HTTP/1.1: it stays unless somebody says otherwise.
    Stays,
    /// HTTP/1.0, asked to stay: the answer has to agree.
    StaysAsAsked,
    /// It closes.
    Closes,
}

/// Where the head ends in what was received, if it has ended.
pub(super) fn find_end(received: &[u8]) -> Option<usize> {
    received.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

/// Reads a head, or says with which status it is refused.
pub(super) fn parse(head: &[u8]) -> Result<Head, u16> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split("\r\n").filter(|line| !line.is_empty());
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(400);
    };
    let mut headers = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(400_u16)?;
        headers.push((name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()));
    }
    let target = origin_form(target);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (method, path, query) = (method.to_owned(), path.to_owned(), query.to_owned());
    let request = Request { method, path, query, headers, body: Vec::new() };

    if request.header("transfer-encoding").is_some() {
        return Err(411);
    }
    let body_length = match request.header("content-length") {
        None => 0,
        Some(length) => length.parse().map_err(|_| 400_u16)?,
    };
    let wish = request.header("connection").unwrap_or_default().to_ascii_lowercase();
    let connection = match version {
        "HTTP/1.1" if wish.contains("close") => Persistence::Closes,
        "HTTP/1.1" => Persistence::Stays,
        "HTTP/1.0" if wish.contains("keep-alive") => Persistence::StaysAsAsked,
        "HTTP/1.0" => Persistence::Closes,
        _ => return Err(505),
    };
    let expects_continue = request.header("expect").is_some_and(|wish| wish.eq_ignore_ascii_case("100-continue"));
    Ok(Head { request, body_length, expects_continue, connection })
}

/// A target as proxies get it (`http://host/path`) without its beginning.
fn origin_form(target: &str) -> &str {
    let Some((_, rest)) = target.split_once("://").filter(|_| !target.starts_with('/')) else { return target };
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
}

/// The head of an answer, with the length of its whole body.
pub(super) fn render(answer: &Answer, connection: Persistence) -> String {
    let mut head = format!("HTTP/1.1 {} {}\r\n", answer.status, reason(answer.status));
    for (name, value) in &answer.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    if answer.header("date").is_none() {
        // An answer without its service's own idea of the time carries the real one, as every HTTP server's does.
        let now = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT");
        head.extend(["Date: ", &now.to_string(), "\r\n"]);
    }
    if answer.status != 204 && answer.status != 304 && answer.header("content-length").is_none() {
        head.extend(["Content-Length: ", &answer.body.len().to_string(), "\r\n"]);
    }
    match connection {
        Persistence::Stays => {}
        Persistence::StaysAsAsked => head.push_str("Connection: keep-alive\r\n"),
        Persistence::Closes => head.push_str("Connection: close\r\n"),
    }
    head.push_str("\r\n");
    head
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}
