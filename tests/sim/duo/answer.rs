//! Duo's envelope: what every answer, every page and every error looks like.

use serde_json::{Map, Value, json};

use super::super::wire::{Answer, Request};
use super::signature::Refusal;
use super::switch::{Ends, Numbers, Switches, Totals};

/// An answer that is one thing.
pub(super) fn object(response: &Value) -> Answer {
    Answer::json(200, &json!({ "stat": "OK", "response": response }))
}

/// An error; the first three digits of a code are its HTTP status.
pub(super) fn error(code: u32, message: &str, detail: Option<&str>) -> Answer {
    let mut body = json!({ "stat": "FAIL", "code": code, "message": message });
    if let (Some(detail), Value::Object(fields)) = (detail, &mut body) {
        fields.insert("message_detail".to_owned(), json!(detail));
    }
    Answer::json(u16::try_from(code / 100).unwrap_or(500), &body)
}

/// A parameter that cannot be used.
pub(super) fn invalid(parameter: &str) -> Answer {
    error(40002, "Invalid request parameters", Some(parameter))
}

/// An object or a path that does not exist.
pub(super) fn not_found() -> Answer {
    error(40401, "Resource not found", None)
}

/// A permission or an application type that does not fit.
pub(super) fn forbidden(detail: Option<&str>) -> Answer {
    error(40301, "Access forbidden", detail)
}

/// Too many requests in this minute.
pub(super) fn throttled(switches: &Switches) -> Answer {
    let answer = error(42901, "Too Many Requests", None);
    match &switches.retry_after {
        Some(after) => answer.with_header("Retry-After", after),
        None => answer,
    }
}

/// Credentials that are refused. Codes 40101, 40102 and 40104 are likely, not proven.
pub(super) fn refused(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::MissingCredentials => error(40101, "Missing request credentials", None),
        Refusal::UnknownIntegration => error(40102, "Invalid integration key in request credentials", None),
        Refusal::BadSignature => error(40103, "Invalid signature in request credentials", None),
        Refusal::MissingDate => error(40104, "Missing request timestamp", None),
        Refusal::BadDate => error(40105, "Bad request timestamp", None),
    }
}

/// Which part of a list is asked for.
#[derive(Clone, Copy)]
pub(super) struct Page {
    offset: usize,
    limit: usize,
}

impl Page {
    /// Reads `limit` and `offset`. A limit above the largest page is clamped, as Duo's Ruby client relies on.
    pub(super) fn read(request: &Request, switches: &Switches, largest: usize) -> Result<Self, Answer> {
        let number = |name: &str| request.parameter(name).map(|text| text.parse::<usize>()).transpose();
        let limit = number("limit").map_err(|_| invalid("limit"))?.unwrap_or(100);
        let offset = number("offset").map_err(|_| invalid("offset"))?.unwrap_or(0);
        if limit == 0 {
            return Err(invalid("limit"));
        }
        let limit = limit.min(largest).min(switches.page_max.unwrap_or(usize::MAX).max(1));
        Ok(Self { offset, limit })
    }

    /// A page of these rows, of which only those of the page are rendered.
    pub(super) fn answer<T>(self, switches: &Switches, rows: &[T], render: impl Fn(&T) -> Value) -> Answer {
        let shown: Vec<Value> = rows.iter().skip(self.offset).take(self.limit).map(render).collect();
        let behind = self.offset.saturating_add(self.limit);
        let next = (behind < rows.len()).then_some(behind);
        let previous = (self.offset > 0).then(|| self.offset.saturating_sub(self.limit));
        list(switches, shown, rows.len(), [("next_offset", next), ("prev_offset", previous)])
    }
}

/// A list that has no pages: all rows at once.
pub(super) fn whole(switches: &Switches, rows: Vec<Value>) -> Answer {
    let total = rows.len();
    list(switches, rows, total, [("next_offset", None), ("prev_offset", None)])
}

fn list(switches: &Switches, rows: Vec<Value>, total: usize, offsets: [(&str, Option<usize>); 2]) -> Answer {
    let number = |number: usize| match switches.numbers {
        Numbers::Integers => json!(number),
        Numbers::Strings => json!(number.to_string()),
    };
    let mut metadata = Map::new();
    for (name, offset) in offsets {
        match (offset, switches.ends) {
            (Some(offset), _) => drop(metadata.insert(name.to_owned(), number(offset))),
            (None, Ends::Null) => drop(metadata.insert(name.to_owned(), Value::Null)),
            (None, Ends::Absent) => {}
        }
    }
    if switches.totals == Totals::Shown {
        metadata.insert("total_objects".to_owned(), number(total));
    }
    // Put together by hand: `json!` would copy every row.
    let fields = [("stat", json!("OK")), ("response", Value::Array(rows)), ("metadata", Value::Object(metadata))];
    Answer::json(200, &Value::Object(fields.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()))
}
