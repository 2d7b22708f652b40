//! The check of signatures, against Duo's own examples.
#![expect(clippy::indexing_slicing, reason = "the vectors are JSON that is part of this repository")]

use serde_json::Value;

use super::client::{DATE, NOW, authorization, get, read, tenant};
use crate::sim::duo::{DuoSim, Refusal, SECRET_KEY, Scheme, Signable};
use crate::sim::wire::{Request, Service, Simulator};

struct Vector {
    name: String,
    scheme: Scheme,
    value: Value,
}

impl Vector {
    fn text(&self, field: &str) -> &str {
        self.value[field].as_str().unwrap_or_default()
    }

    fn parameters(&self) -> Vec<(String, String)> {
        let pairs = self.value["params"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        pairs.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect()
    }

    fn signable(&self) -> Signable<'_> {
        Signable {
            date: self.text("date"),
            method: self.text("method"),
            host: self.text("host"),
            path: self.text("path"),
            parameters: self.parameters(),
            body: b"",
            duo_headers: Vec::new(),
        }
    }

    /// The request as Duo's Python client would send it: parameters in their first order, spaces as `+`.
    fn request(&self) -> Request {
        let form = |text: &str| {
            let everything = percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
            everything.to_string().replace("%20", "+")
        };
        let pairs: Vec<_> = self.parameters().iter().map(|(k, v)| format!("{}={}", form(k), form(v))).collect();
        let method = self.text("method").to_ascii_uppercase();
        let in_body = method == "POST" && self.scheme != Scheme::V5;
        let (query, body) = if in_body { (String::new(), pairs.join("&")) } else { (pairs.join("&"), String::new()) };
        let headers = [("host", "unused"), ("date", self.text("date")), ("authorization", self.text("authorization"))];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Request { method, path: self.text("path").to_owned(), query, headers, body: body.into_bytes() }
    }
}

fn vectors() -> Vec<Vector> {
    let all: Vec<Value> =
        serde_json::from_str(include_str!("../../vectors/duo-signature-vectors.json")).unwrap_or_default();
    let named = all.into_iter().map(|value| {
        let scheme = match (value["version"].as_u64(), value["digest"].as_str()) {
            (Some(5), _) => Scheme::V5,
            (_, Some("sha1")) => Scheme::V2Sha1,
            _ => Scheme::V2Sha512,
        };
        Vector { name: value["name"].to_string(), scheme, value }
    });
    named.collect()
}

#[test]
fn every_known_signature_comes_out_the_same() {
    let vectors = vectors();
    assert!(vectors.len() > 20);
    for vector in vectors {
        let (signable, secret_key) = (vector.signable(), vector.text("secret_key"));
        assert_eq!(signable.canonical(vector.scheme), vector.text("canonical"), "{}", vector.name);
        assert_eq!(signable.signature(vector.scheme, secret_key), vector.text("signature"), "{}", vector.name);
        let authorization = signable.authorization(vector.scheme, vector.text("integration_key"), secret_key);
        assert_eq!(authorization, vector.text("authorization"), "{}", vector.name);
    }
}

#[test]
fn every_known_request_is_let_in_however_its_query_is_written() {
    for vector in vectors() {
        let date = vector.text("date");
        let at = if date == DATE { NOW } else { 1_354_900_680 };
        let mut duo = DuoSim::standing_at(at);
        vector.text("integration_key").clone_into(&mut duo.integration_key);
        vector.text("secret_key").clone_into(&mut duo.secret_key);
        duo.switches.signed_host = Some(vector.text("host").to_owned());
        let mut request = vector.request();
        assert_eq!(duo.check(&request), Ok(vector.scheme), "{}", vector.name);
        request.path.push('x');
        assert_eq!(duo.check(&request), Err(Refusal::BadSignature), "{}", vector.name);
    }
}

/// The complete example of Duo's own signing library: the date is in `x-duo-date`, which the signature covers.
#[test]
fn further_duo_headers_are_covered_in_version_5() {
    let mut duo = DuoSim::standing_at(1_716_552_000);
    "DIABCDEFGHIJKLMNOPQR".clone_into(&mut duo.integration_key);
    "testtesttesttesttesttesttesttesttesttest".clone_into(&mut duo.secret_key);
    duo.switches.signed_host = Some("api-xxxxxxxx.duosecurity.com".to_owned());
    let authorization = "Basic RElBQkNERUZHSElKS0xNTk9QUVI6ZDQ2NTU2NzI2ODAwNDE1ZGM3OGNlZmMzZmI0ZTExZGNmM2VlMTM0MjkwNGYyNzZlZDVjOGUzNDI3ODc4YmQ1Mzc2ZWE2YzU1NTFiOTBiZjcwN2ZhYjUzZjZmMWQyMGExMTQ4OTg4OTg3MDVkMjgyNjg4MjRlZGQwYmU1ZjFkNTM=";
    let headers = [
        ("x-duo-date", "Fri, 24 May 2024 12:00:00 -0000"),
        ("x-other", "ignored"),
        ("x-duo-foo", "bar"),
        ("authorization", authorization),
        ("x-duo-bar", "foo"),
    ];
    let mut request = Request {
        method: "GET".to_owned(),
        path: "/api/path".to_owned(),
        query: "one=1&foo=bar&bool=true".to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        body: Vec::new(),
    };
    assert!(duo.check(&request).is_ok());
    request.headers.push(("x-duo-more".to_owned(), "more".to_owned()));
    assert!(duo.check(&request).is_err());
}

#[test]
fn a_scheme_that_is_not_accepted_is_a_bad_signature() {
    let simulator = Simulator::start(tenant());
    simulator.with(|duo| duo.switches.accepted = [Scheme::V5].into());
    let old = authorization("/admin/v1/users", Scheme::V2Sha1, DATE, SECRET_KEY);
    let reply = get(&simulator, "/admin/v1/users", &[("Date", DATE), ("Authorization", &old)]);
    assert_eq!(reply.refusal(), r#"FAIL 401/40103 "Invalid signature in request credentials""#);
    assert_eq!(read(&simulator, "/admin/v1/users").status, 200);
}

#[test]
fn a_bare_question_mark_changes_nothing() {
    let simulator = Simulator::start(tenant());
    assert_eq!(read(&simulator, "/admin/v1/groups?").status, 200);
    let mut bare = tenant();
    let path = "/admin/v1/groups".to_owned();
    let request =
        Request { method: "GET".to_owned(), path, query: String::new(), headers: Vec::new(), body: Vec::new() };
    assert_eq!(bare.answer(&request).status, 401);
}
