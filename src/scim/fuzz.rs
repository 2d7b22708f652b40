//! What must hold of any answer of a SCIM service. For `fuzz/` and unit tests only.

use super::answer::{About, Received, Sent};
use super::client::Answered;
use super::error::RequestError;
use super::list::{Next, Page, Walk};
use super::patch;
use super::schema::ParseResourceError;
use super::user::{Activity, changes, create_body, set_activity};
use super::writing::created;
use super::{Service, group, user};
use crate::http::Effect;
use crate::model::Attribute;
use crate::model::Attributes;
use crate::model::ObservedAccount;
use crate::model::ObservedGroup;
use crate::model::ScimId;
use crate::model::Timestamp;
use crate::model::fuzz::assert_tame;
use crate::model::fuzz::assert_tame_error;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What stands between the pages of one listing.
const NEXT_PAGE: u8 = 0x1e;

type Parse<T> = fn(&Value) -> Result<(ScimId, T), ParseResourceError>;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    User,
    Group,
    Users,
    Groups,
    Service,
}

/// Answers with one meaning: a line such as `ur200` or `Uw409 text/html`, then the body, or the bodies of several pages
/// with the byte 0x1e between them. `u` and `g` are a user and a group, `U` and `G` lists of them, `s` is what the
/// service says about itself; `r` answers a reading, `w` a writing request. Without such a line: a list of users.
///
/// # Panics
/// When a law is broken.
pub fn answers(input: &[u8]) {
    let (kind, sent, status, content_type, body) =
        head(input).unwrap_or((Kind::Users, Sent::Reading, 200, Some("application/scim+json"), input));
    let (mut users, mut groups) = (Some(Walk::new()), Some(Walk::new()));
    for body in body.split(|byte| *byte == NEXT_PAGE) {
        let about = if matches!(kind, Kind::User | Kind::Group) { About::Record } else { About::Directory };
        let received = Received { status, content_type, body };
        let json = serde_json::from_slice::<Value>(body).ok();
        let answer = match received.judge(sent, about) {
            Ok(Some(answer)) => answer,
            Ok(None) => {
                assert!((200..=299).contains(&status) && body.trim_ascii().is_empty());
                check_created(None, content_type);
                continue;
            }
            Err(error) => {
                check_error(&error, (status, sent, about), json.as_ref());
                continue;
            }
        };
        assert!((200..=299).contains(&status), "{status} is no success");
        assert_eq!(Some(&answer), json.as_ref(), "the answer is what the service says");
        check_created(Some(&answer), content_type);
        match kind {
            Kind::User => check_user(&answer),
            Kind::Group => check_group(&answer),
            Kind::Service => check_service(&answer),
            Kind::Users => users = take(users, &answer, user::parse, check_user),
            Kind::Groups => groups = take(groups, &answer, group::parse, check_group),
        }
    }
}

/// What was asked for and how, the status and type of the answer, and its body.
type Head<'i> = (Kind, Sent, u16, Option<&'i str>, &'i [u8]);

fn head(input: &[u8]) -> Option<Head<'_>> {
    let end = input.iter().position(|byte| *byte == b'\n')?;
    let (line, body) = input.split_at_checked(end)?;
    let line = std::str::from_utf8(line).ok()?;
    let mut letters = line.chars();
    let kind = match letters.next()? {
        'u' => Kind::User,
        'g' => Kind::Group,
        'U' => Kind::Users,
        'G' => Kind::Groups,
        's' => Kind::Service,
        _ => return None,
    };
    let sent = match letters.next()? {
        'r' => Sent::Reading,
        'w' => Sent::Writing,
        _ => return None,
    };
    let rest = letters.as_str();
    let (status, content_type) = rest.split_once(' ').map_or((rest, None), |(status, kind)| (status, Some(kind)));
    Some((kind, sent, status.parse().ok()?, content_type, body.get(1..)?))
}

/// Nothing of what the service says can do harm, and what may have happened is not taken for nothing.
fn check_error(error: &RequestError, (status, sent, about): (u16, Sent, About), json: Option<&Value>) {
    assert_tame_error(error);
    let may_have_happened = sent == Sent::Writing && matches!(status, 200..=299 | 500..);
    assert_eq!(error.effect(), if may_have_happened { Effect::Unknown } else { Effect::None }, "{status}");
    if let Some(said) = error.said() {
        for word in [Some(&said.detail), said.scim_type.as_ref(), said.trace_id.as_ref()].into_iter().flatten() {
            assert!(word.chars().count() <= 303, "{word}");
            assert_tame(word);
        }
    }
    if let RequestError::NotFound { .. } = error {
        assert!(status == 404 && about == About::Record, "{status}");
    }
    let is_success = (200..=299).contains(&status) && json.is_some();
    assert!(!is_success, "a success is refused: {error}");
}

/// Who was created is known from the body, else from the last part of `Location` (here: whatever stands in its place).
fn check_created(body: Option<&Value>, location: Option<&str>) {
    let answered = Answered { body: body.cloned(), location: location.map(str::to_owned) };
    let id = created(&answered, user::parse).ok().map(|created| created.id.to_string());
    if let Some(of_body) = body.and_then(|body| text(body, "id")) {
        assert_eq!(id.as_deref(), Some(of_body));
    } else if let Some(id) = id {
        let path = location.unwrap_or_default().split(['?', '#']).next().unwrap_or_default();
        let (above, last) = path.rsplit_once('/').unwrap_or_default();
        assert!(above.ends_with("/Users") || above.ends_with("/Groups"), "{path}");
        assert_eq!(percent_encoding::percent_decode_str(last).collect::<Vec<u8>>(), id.into_bytes());
    }
}

/// A member of an object by its name in any case; the exact name goes first.
fn member<'v>(object: &'v Map<String, Value>, name: &str) -> &'v Value {
    let same = object.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
    let (exact, others): (Vec<_>, Vec<_>) = same.partition(|(key, _)| *key == name);
    exact.first().or(others.first()).map_or(&Value::Null, |(_, value)| *value)
}

/// A member that is a text and not empty.
fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    member(value.as_object()?, name).as_str().filter(|text| !text.is_empty())
}

fn truth(value: &Value, name: &str) -> Option<bool> {
    match member(value.as_object()?, name) {
        Value::Bool(truth) => Some(*truth),
        Value::String(word) if word.eq_ignore_ascii_case("true") => Some(true),
        Value::String(word) if word.eq_ignore_ascii_case("false") => Some(false),
        Value::String(_) | Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn count(value: &Value, name: &str) -> Option<u64> {
    match member(value.as_object()?, name) {
        Value::String(digits) => digits.parse().ok(),
        Value::Number(number) => number.as_u64(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    let list = value.as_object().and_then(|object| member(object, name).as_array());
    list.map_or(&[], Vec::as_slice)
}

fn check_user(row: &Value) {
    let (id, account) = match user::parse(row) {
        Ok(read) => read,
        Err(error) => {
            assert_eq!(text(row, "id"), None, "{error}");
            return assert_tame_error(&error);
        }
    };
    assert_eq!(Some(id.as_str()), text(row, "id"));
    assert_eq!(account.external_id.as_deref(), text(row, "externalId"));
    assert_eq!(account.active, truth(row, "active"));
    let link = row.as_object().map(|row| member(row, "urn:scim:schemas:extension:atlassian-external:1.0"));
    assert_eq!(account.atlassian_account_id.as_deref(), link.and_then(|link| text(link, "atlassianAccountId")));
    let meta = row.as_object().map(|row| member(row, "meta"));
    let created = meta.and_then(|meta| text(meta, "created"));
    assert_eq!(account.created_at, created.and_then(|text| text.parse::<Timestamp>().ok()));
    for attribute in [Attribute::UserName, Attribute::DisplayName, Attribute::Title] {
        assert_eq!(account.attributes.value(attribute), text(row, attribute.path()));
    }
    let name = row.as_object().map_or(&Value::Null, |row| member(row, "name"));
    assert_eq!(account.attributes.value(Attribute::NameGivenName), text(name, "givenName"));
    let addresses =
        list(row, "emails").iter().filter_map(|email| Some((text(email, "value")?, truth(email, "primary"))));
    let addresses: Vec<_> = addresses.collect();
    let primary = addresses.iter().find(|(_, primary)| *primary == Some(true)).or(addresses.first());
    let primary = primary.map(|(address, _)| address.to_lowercase());
    assert_eq!(account.attributes.value(Attribute::Emails), primary.as_deref());
    check_writing(&account);
}

/// A body as it is answered: with an id.
fn with_id(mut body: Value) -> Value {
    if let Some(body) = body.as_object_mut() {
        body.insert("id".to_owned(), "1".into());
    }
    body
}

/// What is written is read back, by a POST and by a PATCH.
fn check_writing(account: &ObservedAccount) {
    let external_id = account.external_id.as_deref().unwrap_or("DU1");
    let created = with_id(create_body(external_id, &account.attributes));
    let read = user::parse(&created).map(|(_, read)| read);
    let expected = ObservedAccount {
        external_id: Some(external_id.to_owned()),
        active: Some(true),
        atlassian_account_id: None,
        created_at: None,
        attributes: account.attributes.clone(),
    };
    assert_eq!(read.as_ref(), Ok(&expected));

    let mut patched = Map::from_iter([("id".to_owned(), Value::from("1"))]);
    let mut operations = changes(&account.attributes);
    operations.push(set_activity(Activity::Inactive));
    apply(&mut patched, &patch::body(operations));
    let read = user::parse(&Value::Object(patched)).map(|(_, read)| (read.attributes, read.active));
    assert_eq!(read, Ok((account.attributes.clone(), Some(false))));
}

/// A service that takes a PATCH as RFC 7644 has it, as far as ours go.
fn apply(resource: &mut Map<String, Value>, body: &Value) {
    for operation in list(body, "Operations") {
        assert_eq!(text(operation, "op"), Some("replace"));
        let path = text(operation, "path").unwrap_or_default();
        let urn = path.starts_with("urn:").then(|| path.rsplit_once(':')).flatten();
        let value = operation.get("value").cloned().unwrap_or_default();
        match urn.or_else(|| path.split_once('.')) {
            Some((parent, child)) => {
                let within = resource.entry(parent).or_insert_with(|| Value::Object(Map::new()));
                let old = within.as_object_mut().and_then(|within| within.insert(child.to_owned(), value));
                assert_eq!(old, None, "{path} is set twice");
            }
            None => drop(resource.insert(path.to_owned(), value)),
        }
    }
}

fn check_group(row: &Value) {
    let (id, group) = match group::parse(row) {
        Ok(read) => read,
        Err(error) => {
            assert!(text(row, "id").is_none() || text(row, "displayName").is_none(), "{error}");
            return assert_tame_error(&error);
        }
    };
    assert_eq!((Some(id.as_str()), Some(&*group.display_name)), (text(row, "id"), text(row, "displayName")));
    let members: BTreeSet<&str> = list(row, "members").iter().filter_map(|member| text(member, "value")).collect();
    assert_eq!(group.members.iter().map(ScimId::as_str).collect::<BTreeSet<_>>(), members);
    let created = with_id(group::create_body(&group.display_name));
    let empty = ObservedGroup { display_name: group.display_name, members: BTreeSet::new() };
    assert_eq!(group::parse(&created), Ok((ScimId::new("1"), empty)));
}

fn check_service(body: &Value) {
    let part = |name: &str| body.as_object().map_or(&Value::Null, |body| member(body, name));
    let expected = Service {
        patch: truth(part("patch"), "supported"),
        filter: truth(part("filter"), "supported"),
        filter_results_max: count(part("filter"), "maxResults"),
        etag: truth(part("etag"), "supported"),
    };
    assert_eq!(Service::parse(body), expected);
}

/// Takes a page into a walk. None: the walk has ended.
fn take<T>(walk: Option<Walk<T>>, body: &Value, parse: Parse<T>, check: fn(&Value)) -> Option<Walk<T>> {
    let mut walk = walk?;
    let rows = list(body, "Resources");
    rows.iter().for_each(check);
    let ids: Option<Vec<&str>> = rows.iter().map(|row| text(row, "id")).collect();
    let page = match Page::parse(body, parse) {
        Ok(page) => page,
        Err(error) => {
            assert_tame_error(&RequestError::Page { what: "users", source: error });
            let is_whole = count(body, "totalResults").is_some() && rows.iter().all(|row| parse(row).is_ok());
            assert!(!is_whole, "{error}");
            return None;
        }
    };
    assert!(ids.is_some() && count(body, "totalResults").is_some());
    let (before, start) = (walk.len(), walk.start_index());
    let total = count(body, "totalResults").unwrap_or_default();
    let new = ids.into_iter().flatten().collect::<BTreeSet<_>>().len() as u64;
    let next = walk.take(page);
    assert_eq!(walk.start_index(), start + rows.len() as u64);
    assert!((before.max(new)..=before + new).contains(&walk.len()));
    match next {
        Ok(Next::Page) => {
            assert!(walk.len() < total && walk.len() > before, "a walk ends");
            return Some(walk);
        }
        Ok(Next::Done) => assert!(walk.len() >= total, "a listing that is whole has all its rows"),
        Err(end) => assert_eq!((end.received, end.total), (walk.len(), total)),
    }
    None
}

/// A user with these values, one a line in the order of [`Attribute::ALL`], is read back as it was written.
///
/// # Panics
/// When it is not.
pub fn written_user(text: &str) {
    let mut attributes = Attributes::new();
    for (attribute, value) in Attribute::ALL.iter().zip(text.split('\n')) {
        let is_address = *attribute == Attribute::Emails;
        attributes.set(*attribute, &if is_address { value.to_lowercase() } else { value.to_owned() });
    }
    let external_id = Some(text.to_owned()).filter(|text| !text.is_empty());
    check_writing(&ObservedAccount { external_id, attributes, ..ObservedAccount::default() });
}

#[cfg(test)]
mod tests {
    use super::{NEXT_PAGE, answers, written_user};
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
        for (_, seed) in seeds("scim_answers") {
            answers(&seed);
        }
        for (_, seed) in seeds("names") {
            written_user(&String::from_utf8(seed).unwrap());
        }
    }

    #[test]
    fn deep_answers_are_refused() {
        for deep in deep() {
            for head in ["ur200", "Uw200 text/html", "ur404", "uw409", "Ur403", "sr503"] {
                answered(head, &deep);
                answered(head, &format!(r#"{{"id":"1","detail":{deep}}}"#));
            }
            answered("Ur200", &format!(r#"{{"totalResults":1,"Resources":[{{"id":"1","emails":{deep}}}]}}"#));
        }
    }

    #[test]
    fn long_texts_are_read_and_not_repeated_in_a_message() {
        let (long, digits) = (long(), digits());
        answered("Uw409", &long);
        answered("uw409", &format!(r#"{{"detail":{long},"scimType":{long}}}"#));
        answered("ur403", &format!(r#"{{"traceId":{long}}}"#));
        answered(&format!("ur404 {long}"), "<html>");
        answered("Ur200", &format!(r#"{{"totalResults":{digits}}}"#));
        answered("ur200", &format!(r#"{{"id":"1","userName":{long}}}"#));
        answered("ur200", &format!(r#"{{"id":{long},"emails":[{{"value":"İ","primary":{digits}}}]}}"#));
        answered("gr200", &format!(r#"{{"id":"g","displayName":{long}}}"#));
        answered("ur200", &wide());
    }

    #[test]
    fn large_listings_are_read() {
        let rows: Vec<String> = (0..LARGE / 48).map(|n| format!(r#"{{"id":"{n:018}","userName":"ana"}}"#)).collect();
        answered("Ur200", &format!(r#"{{"totalResults":{},"Resources":[{}]}}"#, rows.len(), rows.join(",")));
        let page = |row: &String| format!(r#"{{"totalResults":99999999,"Resources":[{row}]}}"#);
        let pages: Vec<String> = rows.iter().take(LARGE / 128).map(page).collect();
        answered("Ur200", &pages.join(&char::from(NEXT_PAGE).to_string()));
        let members: Vec<String> = (0..LARGE / 32).map(|n| format!(r#"{{"value":"{n:018}"}}"#)).collect();
        answered("gr200", &format!(r#"{{"id":"g","displayName":"eng","members":[{}]}}"#, members.join(",")));
        let emails: Vec<String> = (0..LARGE / 32).map(|n| format!(r#"{{"value":"{n:014}@x.y"}}"#)).collect();
        answered("ur200", &format!(r#"{{"id":"u","emails":[{}]}}"#, emails.join(",")));
    }

    #[test]
    fn large_values_are_written_and_read_back() {
        for text in ["\"\\\n\u{0}", "İ"] {
            written_user(&text.repeat(LARGE / text.len()));
        }
    }
}
