//! A service may give back what it was sent, and what it says is shown: without the key, wherever it comes from (S20).

use super::message::Answer;
use reqwest::header::AUTHORIZATION;

/// What stands in the place of a key.
const REMOVED: &str = "[removed]";

/// No real key is so short; a word that is could stand in any answer.
const LENGTH_MIN: usize = 8;

/// The part of the request that must not be shown again, when there is one.
pub(super) fn credential_of(request: &reqwest::Request) -> Option<String> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let credential = value.rsplit(' ').next().unwrap_or(value);
    (credential.len() >= LENGTH_MIN).then(|| credential.to_owned())
}

/// Takes it out of an answer; as it is, and as some write it in JSON.
pub(super) fn remove(answer: &mut Answer, credential: &str) {
    let escaped = credential.replace('/', "\\/");
    for form in [credential, &escaped] {
        if holds(&answer.body, form.as_bytes()) {
            answer.body = replaced(&answer.body, form.as_bytes());
        }
        for text in [&mut answer.location, &mut answer.content_type].into_iter().flatten() {
            *text = text.replace(form, REMOVED);
        }
    }
}

fn holds(body: &[u8], form: &[u8]) -> bool {
    body.windows(form.len()).any(|window| window == form)
}

fn replaced(body: &[u8], form: &[u8]) -> Vec<u8> {
    let (mut kept, mut rest) = (Vec::with_capacity(body.len()), body);
    while let Some((first, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(form) {
            kept.extend_from_slice(REMOVED.as_bytes());
            rest = after;
        } else {
            kept.push(*first);
            rest = after;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::{credential_of, remove};
    use crate::http::Answer;
    use reqwest::header::{AUTHORIZATION, HeaderValue};

    fn answer(body: &str) -> Answer {
        Answer {
            status: 400,
            content_type: Some("text/plain".to_owned()),
            retry_after: None,
            location: None,
            body: body.as_bytes().to_vec(),
            date: None,
            quota: None,
        }
    }

    fn without(body: &str, credential: &str) -> String {
        let mut answer = answer(body);
        remove(&mut answer, credential);
        String::from_utf8(answer.body).unwrap()
    }

    #[test]
    fn what_was_sent_is_taken_out_of_what_comes_back() {
        assert_eq!(without("Bearer ab/cd/ef/gh is void", "ab/cd/ef/gh"), "Bearer [removed] is void");
        assert_eq!(without(r#"{"detail":"ab\/cd\/ef\/gh"}"#, "ab/cd/ef/gh"), r#"{"detail":"[removed]"}"#);
        assert_eq!(without("12345678123456781234", "12345678"), "[removed][removed]1234");
        assert_eq!(without("nothing of it", "12345678"), "nothing of it");
        assert_eq!(without("", "12345678"), "");
        let mut moved = answer("");
        moved.location = Some("https://example.com/?token=12345678".to_owned());
        remove(&mut moved, "12345678");
        assert_eq!(moved.location.as_deref(), Some("https://example.com/?token=[removed]"));
    }

    #[test]
    fn the_credential_is_what_follows_the_scheme() {
        let credential = |value: Option<&'static str>| {
            let url = reqwest::Url::parse("https://example.com").unwrap();
            let mut request = reqwest::Request::new(reqwest::Method::GET, url);
            request.headers_mut().extend(value.map(|value| (AUTHORIZATION, HeaderValue::from_static(value))));
            credential_of(&request)
        };
        assert_eq!(credential(Some("Bearer a-long-key")).as_deref(), Some("a-long-key"));
        assert_eq!(credential(Some("a-long-key")).as_deref(), Some("a-long-key"));
        assert_eq!(credential(Some("Bearer short")), None);
        assert_eq!(credential(None), None);
    }
}
