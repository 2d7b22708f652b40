//! What an answer means: pure, from status, type and body.

use super::atlassian;
use super::atlassian::Said;
use super::error::RequestError;
use crate::http::Effect;
use serde_json::Value;

/// What kind of request was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Changes nothing.
    Reading,
    /// May have changed something.
    Writing,
}

/// What stands at the address that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// The directory: what it lists, and where it creates. It is always there, so 404 means another directory.
    Directory,
    /// One record, which may be gone.
    Record,
}

/// An answer, as far as it matters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Received<'a> {
    /// HTTP status.
    pub(super) status: u16,
    /// `Content-Type`.
    pub(super) content_type: Option<&'a str>,
    /// The body, whole.
    pub(super) body: &'a [u8],
}

impl Received<'_> {
    /// The JSON of a success, if it has a body at all (a PATCH may be answered with 204), or what went wrong.
    pub(super) fn judge(self, sent: Sent, about: About) -> Result<Option<Value>, RequestError> {
        let status = self.status;
        let said = || atlassian::parse_said(self.body);
        Err(match status {
            200..=299 if self.body.trim_ascii().is_empty() => return Ok(None),
            200..=299 => return self.json().map(Some).ok_or_else(|| self.not_scim(sent)),
            401 => RequestError::WrongKey { said: said() },
            403 => match said() {
                said if atlassian::is_scim_error(said.as_ref()) => RequestError::Refused { status, said },
                said => RequestError::WrongDirectory { status, said },
            },
            404 if about == About::Directory => RequestError::WrongDirectory { status, said: said() },
            // A page of a proxy must not be taken for the absence of a person (S1).
            404 if !self.body.trim_ascii().is_empty() && self.json().is_none() => self.not_scim(Sent::Reading),
            404 => RequestError::NotFound { said: said() },
            409 => RequestError::Conflict { said: said() },
            429 => RequestError::RateLimited { said: said() },
            400..=499 => RequestError::Refused { status, said: said() },
            500.. => RequestError::ServerFailed { status, effect: effect_of(sent), said: said() },
            _ => self.not_scim(Sent::Reading),
        })
    }

    /// For a reading, which always has a body.
    pub(super) fn judge_reading(self, about: About) -> Result<Value, RequestError> {
        self.judge(Sent::Reading, about)?.ok_or_else(|| self.not_scim(Sent::Reading))
    }

    fn json(self) -> Option<Value> {
        serde_json::from_slice(self.body).ok()
    }

    fn not_scim(self, sent: Sent) -> RequestError {
        RequestError::NotScim {
            status: self.status,
            content_type: self.content_type.map_or_else(|| "no type".to_owned(), |t| atlassian::start_of(t.as_bytes())),
            effect: effect_of(sent),
            said: Said { detail: atlassian::start_of(self.body), ..Said::default() },
        }
    }
}

/// What is known of a request after which no answer can be trusted.
pub(super) const fn effect_of(sent: Sent) -> Effect {
    match sent {
        Sent::Reading => Effect::None,
        Sent::Writing => Effect::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::{About, Received, Sent};
    use crate::http::Effect;
    use crate::scim::error::RequestError;
    use std::error::Error;
    use std::fmt::Write;

    fn received(status: u16, body: &str) -> Received<'_> {
        Received { status, content_type: Some("application/scim+json"), body: body.as_bytes() }
    }

    fn failure(status: u16, body: &str, sent: Sent, about: About) -> RequestError {
        received(status, body).judge(sent, about).unwrap_err()
    }

    #[test]
    fn every_success_counts_with_or_without_a_body() {
        let judge = |status, body: &str| received(status, body).judge(Sent::Writing, About::Record).unwrap();
        assert_eq!(judge(204, ""), None);
        assert_eq!(judge(200, " \n"), None);
        assert_eq!(judge(200, r#"{"id":"1"}"#), Some(serde_json::json!({"id": "1"})));
    }

    #[test]
    fn a_page_of_html_is_not_scim_and_leaves_a_write_unknown() {
        let page = "<html>\n<b>Sign in</b>";
        assert_eq!(failure(200, page, Sent::Writing, About::Record).effect(), Effect::Unknown);
        let error = failure(200, page, Sent::Reading, About::Directory);
        assert_eq!(error.effect(), Effect::None);
        assert_eq!(error.said().unwrap().detail, "<html> <b>Sign in</b>");
        let gone = failure(404, page, Sent::Reading, About::Record);
        assert!(matches!(gone, RequestError::NotScim { .. }), "nobody is gone because a proxy says 404");
        assert!(received(200, "").judge_reading(About::Directory).is_err());
        assert!(matches!(failure(302, "", Sent::Writing, About::Record), RequestError::NotScim { .. }));
    }

    #[test]
    fn a_404_is_about_the_directory_or_about_a_record() {
        let wrong = failure(404, "", Sent::Reading, About::Directory);
        assert!(wrong.stops_everything());
        let gone = failure(404, r#"{"status":"404"}"#, Sent::Reading, About::Record);
        assert!(matches!(gone, RequestError::NotFound { .. }) && !gone.stops_everything());
    }

    #[test]
    fn a_server_that_fails_may_have_written() {
        assert_eq!(failure(503, "", Sent::Reading, About::Record).effect(), Effect::None);
        assert_eq!(failure(503, "", Sent::Writing, About::Record).effect(), Effect::Unknown);
        assert_eq!(failure(429, "", Sent::Writing, About::Record).effect(), Effect::None);
    }

    #[test]
    fn a_403_about_one_record_does_not_stop_the_others() {
        let sensitive = r#"{"scimType":"sensitive","detail":"no"}"#;
        assert!(!failure(403, sensitive, Sent::Writing, About::Record).stops_everything());
        assert!(failure(403, r#"{"error":"no"}"#, Sent::Writing, About::Record).stops_everything());
    }

    #[test]
    fn every_message_says_what_to_do() {
        let gateway = r#"{"error":"Not authorized","traceId":"e40ee97f819a2465"}"#;
        let conflict = r#"{"scimType":"uniqueness","detail":"Resource [GROUP]: with displayName already exists."}"#;
        let mut messages = String::new();
        for (status, body) in
            [(401, gateway), (403, gateway), (409, conflict), (404, "{}"), (400, "bad"), (429, ""), (500, "")]
        {
            let error = failure(status, body, Sent::Writing, About::Record);
            writeln!(messages, "{error}").unwrap();
            if let Some(source) = error.source() {
                writeln!(messages, "  {source}").unwrap();
            }
        }
        insta::assert_snapshot!(messages, @r#"
        the SCIM key was not accepted (401): it is not the key of a SCIM directory, was regenerated, or is older than a year; make a new one under Atlassian Administration > Security > Identity providers > (your directory) > ... > Regenerate API key (the old one stops at once) and give it to this program
          the service said: Not authorized [traceId e40ee97f819a2465]
        the SCIM key and the SCIM base URL do not open a directory (403): the key is that of another directory, the directory is gone, or there is no Atlassian Guard Standard; both are shown together when the key is made anew under Atlassian Administration > Security > Identity providers > (your directory) > ... > Regenerate API key
          the service said: Not authorized [traceId e40ee97f819a2465]
        the SCIM service has such a record already (409)
          the service said: Resource [GROUP]: with displayName already exists. (uniqueness)
        the SCIM service does not know this record, or a member that was named (404)
        the SCIM service refused the request (400)
          the service said: bad
        the SCIM service asks for fewer requests (429); lower `requests_per_second`, or wait for the next cycle
        the SCIM service failed (500)
        "#);
    }
}
