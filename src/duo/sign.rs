//! Signs Admin API calls. Pure: the same call has the same signature.
//!
//! Rules and vectors: `canonicalize` and `canon_params` of Duo's client `duo_client_python` 5.7.0, and
//! `duo_hmac_python`.

use super::settings::SignatureVersion;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use sha2::Digest as _;
use std::fmt::Write as _;

/// RFC 3986's unreserved characters stay; all others become `%XX` in upper case. A space is `%20`, never `+`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The digest of the HMAC. Version 5 always goes with SHA-512; version 2 is seen with both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// HMAC-SHA1, as in Duo's published example.
    Sha1,
    /// HMAC-SHA512.
    Sha512,
}

/// One call, in the parts that are signed.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The `Date` header, byte for byte.
    pub date: &'a str,
    /// Any case; signed in upper case.
    pub method: &'a str,
    /// Any case; signed in lower case. No scheme, no port.
    pub host: &'a str,
    /// As sent, case kept, without the query.
    pub path: &'a str,
    /// As [`canonical_params`] gives them; of a version 5 POST: none, they are in the body.
    pub params: &'a str,
    /// The body; empty for a GET.
    pub body: &'a [u8],
}

/// One path segment or parameter, percent-encoded as it is signed and sent.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Sorts by encoded key, then by encoded value as text, and joins with `=` and `&`. An empty value keeps its `=`.
pub fn canonical_params<K: AsRef<str>, V: AsRef<str>>(params: &[(K, V)]) -> String {
    let mut encoded: Vec<_> =
        params.iter().map(|(key, value)| (encode(key.as_ref()), encode(value.as_ref()))).collect();
    encoded.sort();
    let pairs: Vec<_> = encoded.iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join("&")
}

/// The text that is signed: five lines in version 2; two more in version 5, the digests of the body and of the
/// `X-Duo-*` headers, of which we send none.
pub fn canonical_call(version: SignatureVersion, call: &Call<'_>) -> String {
    let Call { date, path, params, .. } = call;
    let (method, host) = (call.method.to_uppercase(), call.host.to_lowercase());
    let five = format!("{date}\n{method}\n{host}\n{path}\n{params}");
    match version {
        SignatureVersion::V2 => five,
        SignatureVersion::V5 => format!("{five}\n{}\n{}", sha512_hex(call.body), sha512_hex(b"")),
    }
}

/// The HMAC of a canonical text in lower-case hex. The secret's characters are the key; they are not decoded.
pub fn sign(secret: &SecretString, digest: Digest, canonical: &str) -> String {
    let (key, text) = (secret.expose_secret().as_bytes(), canonical.as_bytes());
    match digest {
        Digest::Sha1 => mac_hex::<Hmac<sha1::Sha1>>(key, text),
        Digest::Sha512 => mac_hex::<Hmac<sha2::Sha512>>(key, text),
    }
}

/// The value of the `Authorization` header.
pub fn authorization(integration_key: &str, signature: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{integration_key}:{signature}")))
}

/// The digest that the product uses with a version.
pub const fn digest_of(version: SignatureVersion) -> Digest {
    match version {
        SignatureVersion::V5 => Digest::Sha512,
        SignatureVersion::V2 => Digest::Sha1,
    }
}

/// A `Date` header in the form of Duo's own client: `Tue, 21 Aug 2012 17:29:18 -0000`.
pub fn date(seconds: i64) -> String {
    let moment = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    // Fails only for negative years, which seconds since 1970 on a running computer are not.
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_string(&moment).unwrap_or_default()
}

fn mac_hex<M: Mac + KeyInit>(key: &[u8], text: &[u8]) -> String {
    // HMAC takes a key of any length, so the other branch is never taken; Duo would refuse an empty signature.
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return String::new() };
    mac.update(text);
    hex(&mac.finalize().into_bytes())
}

fn sha512_hex(bytes: &[u8]) -> String {
    hex(&sha2::Sha512::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{Call, Digest, SignatureVersion, authorization, canonical_call, canonical_params, date, encode, sign};

    #[derive(serde::Deserialize)]
    struct Vector {
        name: String,
        version: u8,
        digest: String,
        integration_key: String,
        secret_key: String,
        method: String,
        host: String,
        path: String,
        params: Vec<(String, String)>,
        date: String,
        canonical: String,
        signature: String,
        authorization: String,
    }

    #[test]
    fn every_vector_of_the_official_clients_is_reproduced() {
        let vectors: Vec<Vector> =
            serde_json::from_str(include_str!("../../tests/vectors/duo-signature-vectors.json")).unwrap();
        assert!(vectors.len() > 20);
        for vector in vectors {
            let version = if vector.version == 5 { SignatureVersion::V5 } else { SignatureVersion::V2 };
            let digest = if vector.digest == "sha1" { Digest::Sha1 } else { Digest::Sha512 };
            let params = canonical_params(&vector.params);
            let call = Call {
                date: &vector.date,
                method: &vector.method,
                host: &vector.host,
                path: &vector.path,
                params: &params,
                body: b"",
            };
            let canonical = canonical_call(version, &call);
            assert_eq!(canonical, vector.canonical, "{}", vector.name);
            let signature = sign(&vector.secret_key.into(), digest, &canonical);
            assert_eq!(signature, vector.signature, "{}", vector.name);
            assert_eq!(authorization(&vector.integration_key, &signature), vector.authorization, "{}", vector.name);
        }
    }

    #[test]
    fn a_body_is_part_of_version_5() {
        // duo_api_nodejs, tests/duo_sig.js
        let call = Call {
            date: "Tue, 21 Aug 2012 17:29:18 -0000",
            method: "POST",
            host: "test.duosecurity.com",
            path: "/test/v1",
            params: "",
            body: br#"{"realname":"First Last","username":"root"}"#,
        };
        let signature = sign(&"test_skey".into(), Digest::Sha512, &canonical_call(SignatureVersion::V5, &call));
        assert!(signature.starts_with("7d02409a152764843cccd8284da153b3"), "{signature}");
    }

    #[test]
    fn parameters_are_sorted_by_what_is_sent() {
        assert_eq!(canonical_params::<&str, &str>(&[]), "");
        assert_eq!(canonical_params(&[("foo_bar", "2"), ("foo", "1")]), "foo=1&foo_bar=2");
        let odd = [("a", "2"), ("a", "10"), ("a", "1"), ("B", "x y~*+%"), ("b", "é"), ("c", "")];
        assert_eq!(canonical_params(&odd), "B=x%20y~%2A%2B%25&a=1&a=10&a=2&b=%C3%A9&c=");
        assert_eq!(encode("DG/../x"), "DG%2F..%2Fx");
    }

    #[test]
    fn the_date_has_the_form_of_duos_client() {
        assert_eq!(date(1_345_570_158), "Tue, 21 Aug 2012 17:29:18 -0000");
    }
}
