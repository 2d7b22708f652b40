//! Reads Duo's envelope: leniently in its types, strictly in its meaning.

use super::error::ReadError;
use super::line::line;
use crate::http::Answer;
use serde_json::Value;

/// A successful answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Envelope {
    /// `response`: a list, an object or a text.
    pub(super) response: Value,
    /// `metadata.next_offset`.
    pub(super) next_offset: Option<u64>,
    /// `metadata.total_objects`.
    pub(super) total: Option<u64>,
    /// Duo's clock, in seconds since 1970.
    pub(super) date: Option<i64>,
}

/// What is known about the request, for the messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// The host.
    pub(super) host: &'a str,
    /// What was asked for.
    pub(super) what: &'a str,
    /// Our clock when the answer came, in seconds since 1970.
    pub(super) now: i64,
}

/// Opens an answer, or says why it cannot be used.
pub(super) fn open(answer: &Answer, asked: Asked<'_>) -> Result<Envelope, ReadError> {
    let not_duo = |detail: String| ReadError::NotDuo { host: asked.host.to_owned(), detail };
    let body = serde_json::from_slice::<Value>(&answer.body).ok();
    let stat = body.as_ref().and_then(|body| body.get("stat")).and_then(Value::as_str);
    match (answer.status, &body, stat) {
        (300..=399, _, _) => Err(not_duo(format!("it redirects to {}", redirected_to(answer)))),
        (200..=299, Some(body), Some("OK")) => success(body, answer, asked),
        (_, Some(body), Some("FAIL")) => Err(failure(body, answer, asked)),
        (429, _, _) => Err(ReadError::RateLimited),
        (status @ 500..=599, _, _) => {
            Err(ReadError::Failing { status, what: line(asked.what), message: excerpt(&answer.body) })
        }
        _ => Err(not_duo(describe(answer, body.is_some()))),
    }
}

fn success(body: &Value, answer: &Answer, asked: Asked<'_>) -> Result<Envelope, ReadError> {
    let metadata = |name: &str| body.get("metadata").and_then(|metadata| metadata.get(name));
    let number = |name: &str| {
        read_number(metadata(name)).map_err(|odd| ReadError::incomplete(asked.what, &format!("its {name} is {odd}")))
    };
    Ok(Envelope {
        response: body.get("response").cloned().unwrap_or_default(),
        next_offset: number("next_offset")?,
        total: number("total_objects")?,
        date: answer.date,
    })
}

/// A number, a numeric string, or nothing (absent, null and empty alike). Duo's Go client takes `json.Number`, its
/// Ruby client converts strings.
fn read_number(value: Option<&Value>) -> Result<Option<u64>, String> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) => text.trim().parse().map(Some).map_err(|_| format!("{text:?}")),
        Some(Value::Number(number)) => number.as_u64().map(Some).ok_or_else(|| number.to_string()),
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => Err("not a number".to_owned()),
    }
}

/// Names a FAIL. The first three digits of Duo's code are an HTTP status; it counts when the answer said 200.
fn failure(body: &Value, answer: &Answer, asked: Asked<'_>) -> ReadError {
    // `code` may be an integer, a string, an empty string or absent (duo_api_golang, NullableInt32).
    let number = read_number(body.get("code")).unwrap_or_default();
    let code = number.and_then(|code| u32::try_from(code).ok());
    let message = words(body);
    let of_code = code.and_then(|code| u16::try_from(code / 100).ok());
    let status = match answer.status {
        200 => of_code.filter(|status| (400..=599).contains(status)).unwrap_or(200),
        status => status,
    };
    let shown = code.unwrap_or_else(|| u32::from(status));
    let what = line(asked.what);
    let says = |word: &str| message.to_ascii_lowercase().contains(word);
    match (status, code) {
        (401, Some(40_105)) => clock_off(answer, asked),
        (401, Some(40_103)) => ReadError::WrongKey { key: "secret key", code: shown, message },
        (401, _) if says("timestamp") => clock_off(answer, asked),
        (401, _) if says("signature") => ReadError::WrongKey { key: "secret key", code: shown, message },
        (401, _) => ReadError::WrongKey { key: "integration key", code: shown, message },
        (403, _) => ReadError::Forbidden { code: shown, message },
        (404, _) => ReadError::NotFound { what, code },
        (429, _) => ReadError::RateLimited,
        (500..=599, _) => ReadError::Failing { status, what, message },
        _ => ReadError::Refused { what, status, code, message },
    }
}

fn clock_off(answer: &Answer, asked: Asked<'_>) -> ReadError {
    ReadError::ClockOff { seconds: answer.date.map(|theirs| asked.now.saturating_sub(theirs)) }
}

fn words(body: &Value) -> String {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().trim();
    let joined = match (text("message"), text("message_detail")) {
        ("", "") => "no message",
        ("", detail) => detail,
        (message, "") => message,
        (message, detail) => return line(&format!("{message}: {detail}")),
    };
    line(joined)
}

fn describe(answer: &Answer, is_json: bool) -> String {
    let kind = answer.content_type.as_deref().map_or_else(|| "no content type".to_owned(), line);
    let form = if is_json { "JSON without Duo's stat" } else { "no JSON" };
    format!("HTTP {} with {form} ({kind}), beginning {:?}", answer.status, excerpt(&answer.body))
}

/// Scheme and host of a redirect; the rest may hold anything.
fn redirected_to(answer: &Answer) -> String {
    let Some(location) = &answer.location else { return "an unknown place".to_owned() };
    let end = location.find("://").map_or(0, |at| at.saturating_add(3));
    let (scheme, rest) = location.split_at_checked(end).unwrap_or(("", location));
    match rest.split(['/', '?', '#']).next() {
        Some(host) if !host.is_empty() => line(&format!("{scheme}{}", host.rsplit('@').next().unwrap_or(host))),
        _ => "another path".to_owned(),
    }
}

/// The beginning of a page as plain text: no tags, no control characters, one space at a time.
fn excerpt(body: &[u8]) -> String {
    let start = body.get(..body.len().min(4_096)).unwrap_or_default();
    let text = String::from_utf8_lossy(start);
    let mut plain = String::new();
    let mut in_tag = false;
    for c in text.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                plain.push(' ');
            }
            _ if in_tag => {}
            c => plain.push(c),
        }
    }
    line(&plain)
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
