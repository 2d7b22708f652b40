use super::{Answer, Asked, Envelope, ReadError, open};
use serde_json::json;

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, body: body.into(), date: Some(1_000), ..Answer::default() }
}

fn opened(answer: &Answer) -> Result<Envelope, ReadError> {
    open(answer, Asked { host: "api-x.duosecurity.com", what: "the list of people", now: 1_600 })
}

fn refusal(status: u16, body: &str) -> ReadError {
    opened(&answer(status, body)).unwrap_err()
}

#[test]
fn numbers_come_in_many_clothes() {
    let numbers = |metadata: &str| {
        let envelope = opened(&answer(200, &format!(r#"{{"stat":"OK","response":[],"metadata":{metadata}}}"#)));
        envelope.map(|envelope| (envelope.next_offset, envelope.total))
    };
    assert_eq!(numbers(r#"{"next_offset":100,"total_objects":951}"#).unwrap(), (Some(100), Some(951)));
    assert_eq!(numbers(r#"{"next_offset":"100","total_objects":" 951 "}"#).unwrap(), (Some(100), Some(951)));
    assert_eq!(numbers(r#"{"next_offset":null,"total_objects":""}"#).unwrap(), (None, None));
    for nothing in ["{}", "null", "[]", "\"\""] {
        assert_eq!(numbers(nothing).unwrap(), (None, None), "{nothing}");
    }
    for odd in ["-1", "1.5", "\"x\"", "{}", "true", "[1]"] {
        let error = numbers(&format!(r#"{{"next_offset":{odd}}}"#)).unwrap_err();
        assert!(matches!(error, ReadError::Incomplete { .. }), "{odd}: {error}");
    }
}

#[test]
fn unknown_fields_and_a_missing_response_do_no_harm() {
    let envelope = opened(&answer(200, r#"{"stat":"OK","new":1}"#)).unwrap();
    assert_eq!(envelope, Envelope { date: Some(1_000), ..Envelope::default() });
    assert_eq!(opened(&answer(200, r#"{"stat":"OK","response":"x"}"#)).unwrap().response, json!("x"));
}

#[test]
fn a_refusal_says_what_to_do() {
    let fail = |status: u16, code: &str, message: &str| {
        refusal(status, &format!(r#"{{"stat":"FAIL","code":{code},"message":"{message}"}}"#))
    };
    let bad_signature = fail(401, "40103", "Invalid signature in request credentials");
    assert!(matches!(bad_signature, ReadError::WrongKey { key: "secret key", code: 40_103, .. }));
    assert!(matches!(fail(401, "40101", "x"), ReadError::WrongKey { key: "integration key", .. }));
    assert!(matches!(fail(401, "\"40102\"", "x"), ReadError::WrongKey { key: "integration key", code: 40_102, .. }));
    assert!(matches!(fail(401, "40105", "Bad request timestamp"), ReadError::ClockOff { seconds: Some(600) }));
    assert!(matches!(fail(401, "\"\"", "Missing request timestamp"), ReadError::ClockOff { .. }));
    assert!(matches!(fail(403, "40301", "Access forbidden"), ReadError::Forbidden { code: 40_301, .. }));
    assert!(fail(404, "40401", "Resource not found").confirms_absence());
    assert!(!fail(404, "null", "Resource not found").confirms_absence());
    assert!(matches!(fail(429, "42901", "Too Many Requests"), ReadError::RateLimited));
    assert!(matches!(fail(500, "50000", "x"), ReadError::Failing { status: 500, .. }));
    assert!(matches!(fail(400, "40002", "x"), ReadError::Refused { status: 400, code: Some(40_002), .. }));
}

#[test]
fn a_failure_at_200_is_a_failure() {
    let with_code = refusal(200, r#"{"stat":"FAIL","code":40301,"message":"m"}"#);
    assert!(matches!(with_code, ReadError::Forbidden { .. }), "{with_code}");
    let bare = refusal(200, r#"{"stat":"FAIL","response":[]}"#);
    assert!(matches!(bare, ReadError::Refused { status: 200, code: None, .. }), "{bare}");
    assert!(bare.is_worth_asking_again());
    let detail = refusal(400, r#"{"stat":"FAIL","message":"Invalid","message_detail":"limit"}"#);
    assert!(detail.to_string().contains("Invalid: limit"), "{detail}");
}

#[test]
fn what_is_not_duo_is_described_and_tamed() {
    let mut page = answer(200, "<html>\u{1b}[31m<title>Sign in</title>\n\n  to the network</html>");
    page.content_type = Some("text/html".into());
    let error = opened(&page).unwrap_err().to_string();
    assert!(error.contains(r#"HTTP 200 with no JSON (text/html), beginning "[31m Sign in to the network""#), "{error}");
    assert!(matches!(refusal(200, ""), ReadError::NotDuo { .. }));
    assert!(matches!(refusal(200, r#"{"stat":"OK","response":["#), ReadError::NotDuo { .. }));
    assert!(matches!(refusal(403, r#"{"message":"Forbidden"}"#), ReadError::NotDuo { .. }));
    assert!(matches!(refusal(404, "nothing here"), ReadError::NotDuo { .. }), "no absence without Duo's word");
    assert!(matches!(refusal(502, "<h1>Bad gateway</h1>"), ReadError::Failing { status: 502, .. }));
    assert!(matches!(refusal(429, ""), ReadError::RateLimited));
    assert!(matches!(refusal(200, r#"{"stat":"ok","response":[]}"#), ReadError::NotDuo { .. }));
    let mut redirect = answer(302, "");
    redirect.location = Some("https://u:p@login.example.com/path?secret=1".into());
    let error = opened(&redirect).unwrap_err().to_string();
    assert!(error.contains("redirects to https://login.example.com;"), "{error}");
}
