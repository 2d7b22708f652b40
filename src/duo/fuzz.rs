//! What must hold of any answer of Duo. For `fuzz/` and unit tests only.

use super::answer::{Asked, Envelope, open};
use super::client::rows;
use super::error::ReadError;
use super::page::{Ended, Fault, Next, Page, Reading};
use super::record::{PersonWithGroups, read_group, read_member, read_person};
use crate::http::Answer;
use crate::model::Group;
use crate::model::GroupId;
use crate::model::GroupStatus;
use crate::model::PersonStatus;
use crate::model::fuzz::assert_tame_error;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What stands between the pages of one listing.
const NEXT_PAGE: u8 = 0x1e;

/// Rows of a page, as they are asked for.
const LIMIT: u64 = 3;

/// The attributes that are asked for: one of each kind.
const ATTRIBUTES: [&str; 7] =
    ["email", "realname", "status", "alias1", "alias8", "custom_attributes.team", "custom_attributes.a.b"];

const ASKED: Asked<'_> = Asked { host: "api-1a2b3c4d.duosecurity.com", what: "the list of people", now: 1_600 };

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Groups,
    People,
    Members,
    Group,
    Person,
}

/// Answers with one meaning: a line such as `P200` or `g302 https://login.example.com/`, then the body, or the bodies
/// of several pages with the byte 0x1e between them. `G`, `P` and `M` are lists of groups, people and members; `g` and
/// `p` one record. Without such a line: a list of people.
///
/// # Panics
/// When a law is broken.
pub fn answers(input: &[u8]) {
    let (kind, status, location, body) = head(input).unwrap_or((Kind::People, 200, None, input));
    let mut listing =
        Listing { groups: Some(Reading::new(LIMIT)), people: Some(Reading::new(LIMIT)), sums: Sums::default() };
    for body in body.split(|byte| *byte == NEXT_PAGE) {
        let answer = Answer {
            status,
            content_type: location.map(str::to_owned),
            location: location.map(str::to_owned),
            body: body.to_vec(),
            date: Some(1_000),
            ..Answer::default()
        };
        let json = serde_json::from_slice::<Value>(body).ok();
        match open(&answer, ASKED) {
            Ok(envelope) => {
                check_envelope(&envelope, status, json.as_ref());
                check_rows(kind, &envelope, &mut listing);
            }
            Err(error) => check_error(&error, status, json.as_ref()),
        }
    }
}

fn head(input: &[u8]) -> Option<(Kind, u16, Option<&str>, &[u8])> {
    let (kind, rest) = input.split_first()?;
    let kind = match kind {
        b'G' => Kind::Groups,
        b'P' => Kind::People,
        b'M' => Kind::Members,
        b'g' => Kind::Group,
        b'p' => Kind::Person,
        _ => return None,
    };
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let (line, body) = rest.split_at_checked(end)?;
    let line = std::str::from_utf8(line).ok()?;
    let (status, location) = line.split_once(' ').map_or((line, None), |(status, location)| (status, Some(location)));
    Some((kind, status.parse().ok()?, location, body.get(1..)?))
}

/// A member of an object; null where there is none.
fn at<'v>(value: &'v Value, name: &str) -> &'v Value {
    value.get(name).unwrap_or(&Value::Null)
}

/// A scalar as Duo's clients understand it.
fn scalar(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    if text.is_empty() { None } else { Some(text) }
}

fn number(value: &Value) -> Option<u64> {
    scalar(value).filter(|_| !value.is_boolean())?.parse().ok()
}

fn check_envelope(envelope: &Envelope, status: u16, json: Option<&Value>) {
    assert!((200..=299).contains(&status), "{status} is no success");
    let json = json.unwrap_or(&Value::Null);
    assert_eq!(*at(json, "stat"), "OK");
    assert_eq!(envelope.response, *at(json, "response"), "the response is what the answer says");
    assert_eq!(envelope.next_offset, number(at(at(json, "metadata"), "next_offset")));
    assert_eq!(envelope.total, number(at(at(json, "metadata"), "total_objects")));
}

fn check_error(error: &ReadError, status: u16, json: Option<&Value>) {
    assert_tame_error(error);
    let json = json.unwrap_or(&Value::Null);
    let is_success = (200..=299).contains(&status) && *at(json, "stat") == "OK";
    assert!(!is_success || matches!(error, ReadError::Incomplete { .. }), "a success is refused: {error}");
    if error.confirms_absence() {
        assert_eq!((at(json, "stat"), number(at(json, "code"))), (&json!("FAIL"), Some(40_401)));
        assert!(matches!(status, 200 | 404), "{status} confirms no absence");
    }
}

struct Listing {
    groups: Option<Reading<Group>>,
    people: Option<Reading<PersonWithGroups>>,
    sums: Sums,
}

/// The rows of all pages so far, and what the pages said that there are.
#[derive(Default)]
struct Sums {
    received: usize,
    totals: BTreeSet<u64>,
}

fn check_rows(kind: Kind, envelope: &Envelope, listing: &mut Listing) {
    let attributes: BTreeSet<String> = ATTRIBUTES.iter().map(ToString::to_string).collect();
    match kind {
        Kind::Group => check_group(&envelope.response),
        Kind::Person => check_person(&envelope.response, &attributes),
        Kind::Groups | Kind::People | Kind::Members => {
            let rows = match rows(envelope) {
                Ok(rows) => rows,
                Err(detail) => {
                    let nothing = envelope.response.is_null() && envelope.total == Some(0);
                    return assert!(!envelope.response.is_array() && !nothing, "{detail}");
                }
            };
            assert!(envelope.response.as_array().is_none_or(|array| array == rows));
            for row in rows {
                match kind {
                    Kind::Groups | Kind::Group => check_group(row),
                    Kind::People | Kind::Person => check_person(row, &attributes),
                    Kind::Members => check_member(row),
                }
            }
            listing.sums.received += rows.len();
            listing.sums.totals.extend(envelope.total);
            let group = |row: &Value| read_group(row).map(|group| (group.id.to_string(), group));
            let person = |row: &Value| read_person(row, &attributes).map(|it| (it.person.id.to_string(), it));
            listing.groups = take(listing.groups.take(), (rows, envelope), group, &listing.sums);
            listing.people = take(listing.people.take(), (rows, envelope), person, &listing.sums);
        }
    }
}

/// Takes a page into a reading. None: the reading has ended.
fn take<T: Clone>(
    reading: Option<Reading<T>>,
    (rows, envelope): (&[Value], &Envelope),
    parse: impl Fn(&Value) -> Result<(String, T), String>,
    Sums { received, totals }: &Sums,
) -> Option<Reading<T>> {
    let mut reading = reading?;
    let rows: Vec<_> = rows.iter().map(parse).collect::<Result<_, _>>().ok()?;
    let page = Page { rows, next_offset: envelope.next_offset, total: envelope.total };
    match reading.accept(page) {
        Ok(Next::At(offset)) => {
            assert_eq!(usize::try_from(offset), Ok(*received), "the next page begins where this one ended");
            return Some(reading);
        }
        Ok(Next::End) => {}
        Err(fault) => return check_fault(&fault),
    }
    match reading.end() {
        Ok(Ended::Whole(rows)) => {
            assert_eq!(rows.len(), *received, "every row is another one");
            assert!(totals.iter().all(|total| usize::try_from(*total) == Ok(*received)), "{totals:?} {received}");
        }
        Ok(Ended::Moved(rows)) => assert!(totals.len() > 1 && rows.len() <= *received, "{totals:?} {received}"),
        Err(fault) => return check_fault(&fault),
    }
    None
}

fn check_fault<T>(fault: &Fault) -> Option<T> {
    assert_tame_error(&ReadError::incomplete(ASKED.what, &fault.to_string()));
    None
}

/// What makes a record unreadable is said in one line.
fn check_refusal(detail: &str) {
    assert_tame_error(&ReadError::incomplete(ASKED.what, detail));
}

fn check_member(row: &Value) {
    match read_member(row) {
        Ok(id) => assert_eq!(Some(id.to_string()), scalar(at(row, "user_id"))),
        Err(detail) => {
            assert_eq!(scalar(at(row, "user_id")), None);
            check_refusal(&detail);
        }
    }
}

fn check_group(row: &Value) {
    let group = match read_group(row) {
        Ok(group) => group,
        Err(detail) => {
            assert_eq!(scalar(at(row, "group_id")), None);
            return check_refusal(&detail);
        }
    };
    assert_eq!(Some(group.id.to_string()), scalar(at(row, "group_id")));
    let status = scalar(at(row, "status")).unwrap_or_default();
    let word = match &group.status {
        GroupStatus::Active => "Active",
        GroupStatus::Bypass => "Bypass",
        GroupStatus::Disabled => "Disabled",
        GroupStatus::Unknown(text) => {
            assert!(!["active", "bypass", "disabled"].contains(&&*text.to_ascii_lowercase()), "{text} is known");
            assert_eq!(&**text, status, "an unknown status is kept as it is");
            text
        }
    };
    assert!(word.eq_ignore_ascii_case(&status), "{word} was read for {status}");
    let again = json!({ "group_id": group.id.as_str(), "name": group.name, "status": word });
    assert_eq!(read_group(&again), Ok(group));
}

fn check_person(row: &Value, attributes: &BTreeSet<String>) {
    let groups: Option<BTreeSet<String>> = at(row, "groups")
        .as_array()
        .and_then(|groups| groups.iter().map(|group| scalar(at(group, "group_id"))).collect());
    let read = match read_person(row, attributes) {
        Ok(read) => read,
        Err(detail) => {
            assert!(groups.is_none() || scalar(at(row, "user_id")).is_none(), "{detail}");
            return check_refusal(&detail);
        }
    };
    let person = &read.person;
    assert_eq!(Some(person.id.to_string()), scalar(at(row, "user_id")));
    assert_eq!(person.username, scalar(at(row, "username")).unwrap_or_default());
    assert_eq!(Some(read.groups.iter().map(ToString::to_string).collect()), groups, "all groups, and no other");
    let status = scalar(at(row, "status")).unwrap_or_default();
    assert!(person.status.as_str().eq_ignore_ascii_case(&status));
    if let PersonStatus::Unknown(text) = &person.status {
        let known = ["active", "bypass", "disabled", "locked out", "pending deletion"];
        assert!(!known.contains(&&*text.to_ascii_lowercase()), "{text} is known");
        assert_eq!(&**text, status, "an unknown status is kept as it is");
    }
    for (name, value) in &person.values {
        assert!(attributes.contains(name) && !value.is_empty() && value.trim() == value, "{name}={value:?}");
    }
    for name in ["email", "realname", "status"] {
        assert_eq!(person.values.get(name), scalar(at(row, name)).as_ref());
    }
    assert_eq!(read_person(&written(&read), attributes).as_ref(), Ok(&read));
}

/// The record as Duo would have written what was read.
fn written(read: &PersonWithGroups) -> Value {
    let person = &read.person;
    let groups: Vec<Value> = read.groups.iter().map(|id: &GroupId| json!({ "group_id": id.as_str() })).collect();
    let seconds = person.last_directory_sync.map(crate::model::Timestamp::seconds);
    let mut row = serde_json::Map::new();
    row.extend(person.values.iter().map(|(name, value)| (name.clone(), json!(value))));
    row.insert("user_id".to_owned(), json!(person.id.as_str()));
    row.insert("username".to_owned(), json!(person.username));
    row.insert("groups".to_owned(), json!(groups));
    // A mapping may ask for these two: then they stand as Duo wrote them.
    row.entry("status").or_insert_with(|| json!(person.status.as_str()));
    row.entry("last_directory_sync").or_insert_with(|| json!(seconds));
    Value::Object(row)
}

#[cfg(test)]
mod tests {
    use super::{NEXT_PAGE, answers};
    use crate::model::fuzz::LARGE;
    use crate::model::fuzz::deep;
    use crate::model::fuzz::digits;
    use crate::model::fuzz::long;
    use crate::model::fuzz::seeds;
    use crate::model::fuzz::wide;

    fn answered(head: &str, body: &str) {
        answers(format!("{head}\n{body}").as_bytes());
    }

    #[test]
    fn the_laws_hold_for_every_seed() {
        for (_, seed) in seeds("duo_answers") {
            answers(&seed);
        }
    }

    #[test]
    fn an_id_with_line_breaks_forges_no_line_of_a_message() {
        answered("P200", r#"{"stat":"OK","response":[{"user_id":"DU1\nerror: \u001b[2J"}]}"#);
        answered("P200", r#"{"stat":"OK","response":[{"user_id":"a\nb","groups":[]},{"user_id":"a\nb","groups":[]}]}"#);
    }

    #[test]
    fn a_number_of_many_digits_is_not_repeated_in_a_message() {
        let digits = "9".repeat(2_000);
        answered("P200", &format!(r#"{{"stat":"OK","response":[],"metadata":{{"total_objects":"{digits}"}}}}"#));
    }

    fn responded(head: &str, response: &str) {
        answered(head, &format!(r#"{{"stat":"OK","response":{response}}}"#));
    }

    #[test]
    fn deep_answers_are_refused() {
        for deep in deep() {
            answered("P200", &deep);
            answered("p404", &format!(r#"{{"stat":"FAIL","code":{deep},"message":{deep}}}"#));
            answered("P200", &format!(r#"{{"stat":"OK","response":[],"metadata":{{"next_offset":{deep}}}}}"#));
            responded("P200", &deep);
            responded("p200", &format!(r#"{{"user_id":"DU1","groups":[],"custom_attributes":{deep}}}"#));
        }
    }

    #[test]
    fn long_texts_are_read_and_not_repeated_in_a_message() {
        let (long, digits) = (long(), digits());
        answered("P502", &long);
        answered(&format!("P302 {long}"), "");
        answered("P400", &format!(r#"{{"stat":"FAIL","code":40002,"message_detail":{long}}}"#));
        answered("P200", &format!(r#"{{"stat":"OK","response":[],"metadata":{{"next_offset":{digits}}}}}"#));
        responded("p200", &format!(r#"{{"user_id":{long}}}"#));
        responded("p200", &format!(r#"{{"user_id":"DU1","groups":[],"status":{long}}}"#));
        responded("g200", &format!(r#"{{"group_id":{digits},"name":{long}}}"#));
        responded("p200", &format!(r#"{{"user_id":"DU1","groups":[],"custom_attributes":{}}}"#, wide()));
    }

    #[test]
    fn large_listings_are_read() {
        let row = |n: usize| format!(r#"{{"user_id":"DU{n:018}","groups":[],"status":"active"}}"#);
        let rows: Vec<String> = (0..LARGE / 64).map(row).collect();
        responded("P200", &format!("[{}]", rows.join(",")));
        let page = |(row, next)| format!(r#"{{"stat":"OK","response":[{row}],"metadata":{{"next_offset":{next}}}}}"#);
        let pages: Vec<String> = rows.iter().zip(1..LARGE / 128).map(page).collect();
        answered("P200", &pages.join(&char::from(NEXT_PAGE).to_string()));
        let groups: Vec<String> = (0..LARGE / 40).map(|n| format!(r#"{{"group_id":"DG{n:018}"}}"#)).collect();
        responded("p200", &format!(r#"{{"user_id":"DU1","groups":[{}]}}"#, groups.join(",")));
    }
}
