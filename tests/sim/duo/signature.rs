//! Duo's request signatures, versions 2 and 5, checked from what arrived: nothing here is shared with the client.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use sha2::{Digest, Sha512};

use super::super::wire::{Request, decode_query};

/// A way to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scheme {
    /// Version 2 with HMAC-SHA1.
    V2Sha1,
    /// Version 2 with HMAC-SHA512.
    V2Sha512,
    /// Version 5, always with HMAC-SHA512.
    V5,
}

/// Why a request's credentials are refused: what Duo calls it, in its order of looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No usable Authorization header.
    MissingCredentials,
    /// An integration key that nobody has.
    UnknownIntegration,
    /// Neither Date nor X-Duo-Date.
    MissingDate,
    /// A date that cannot be read or is too far away.
    BadDate,
    /// Signed otherwise, or not by this key.
    BadSignature,
}

/// What a signature covers, as it is before it is brought into its canonical form.
#[derive(Clone, Debug)]
pub struct Signable<'a> {
    /// The date, byte for byte as sent.
    pub date: &'a str,
    /// The method.
    pub method: &'a str,
    /// The host, without a port.
    pub host: &'a str,
    /// The path, as sent.
    pub path: &'a str,
    /// The parameters, decoded, in any order.
    pub parameters: Vec<(String, String)>,
    /// The body, as sent.
    pub body: &'a [u8],
    /// The `X-Duo-*` headers.
    pub duo_headers: Vec<(String, String)>,
}

/// What stays as it is; everything else becomes `%XX`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~');

impl Signable<'_> {
    /// The lines that are signed.
    pub fn canonical(&self, scheme: Scheme) -> String {
        let mut lines = vec![
            self.date.to_owned(),
            self.method.to_ascii_uppercase(),
            self.host.to_ascii_lowercase(),
            self.path.to_owned(),
            canonical_parameters(&self.parameters),
        ];
        if scheme == Scheme::V5 {
            lines.push(hex(&Sha512::digest(self.body)));
            lines.push(hex(&Sha512::digest(canonical_headers(&self.duo_headers))));
        }
        lines.join("\n")
    }

    /// The signature, in lower-case hexadecimal.
    pub fn signature(&self, scheme: Scheme, secret_key: &str) -> String {
        let canonical = self.canonical(scheme);
        match scheme {
            Scheme::V2Sha1 => code::<Hmac<Sha1>>(secret_key, &canonical),
            Scheme::V2Sha512 | Scheme::V5 => code::<Hmac<Sha512>>(secret_key, &canonical),
        }
    }

    /// The value of the Authorization header.
    pub fn authorization(&self, scheme: Scheme, integration_key: &str, secret_key: &str) -> String {
        let pair = format!("{integration_key}:{}", self.signature(scheme, secret_key));
        format!("Basic {}", STANDARD.encode(pair))
    }
}

/// What a check needs to know beside the request.
pub(super) struct Check<'a> {
    pub(super) integration_key: &'a str,
    pub(super) secret_key: &'a str,
    pub(super) signed_host: Option<&'a str>,
    pub(super) now: i64,
    pub(super) skew_seconds_max: i64,
}

impl Check<'_> {
    /// Finds out how a request was signed, if it was signed well.
    pub(super) fn verify(&self, request: &Request) -> Result<Scheme, Refusal> {
        let (integration_key, given) = credentials(request).ok_or(Refusal::MissingCredentials)?;
        if integration_key != self.integration_key {
            return Err(Refusal::UnknownIntegration);
        }
        let date = request.header("x-duo-date").or_else(|| request.header("date")).ok_or(Refusal::MissingDate)?;
        let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).map_err(|_| Refusal::BadDate)?;
        if self.now.abs_diff(at.as_second()) > self.skew_seconds_max.unsigned_abs() {
            return Err(Refusal::BadDate);
        }
        let host = request.header("host").unwrap_or_default();
        let host = self.signed_host.unwrap_or_else(|| host.rsplit_once(':').map_or(host, |(host, _)| host));
        [Scheme::V5, Scheme::V2Sha512, Scheme::V2Sha1]
            .into_iter()
            .find(|&scheme| signable(request, scheme, host, date).signature(scheme, self.secret_key) == given)
            .ok_or(Refusal::BadSignature)
    }
}

/// What this request's signature should cover under this scheme.
fn signable<'a>(request: &'a Request, scheme: Scheme, host: &'a str, date: &'a str) -> Signable<'a> {
    let writes = matches!(request.method.to_ascii_uppercase().as_str(), "POST" | "PUT" | "PATCH");
    let parameters = if writes && scheme != Scheme::V5 {
        decode_query(&String::from_utf8_lossy(&request.body))
    } else {
        request.parameters()
    };
    Signable {
        date,
        method: &request.method,
        host,
        path: &request.path,
        parameters,
        body: &request.body,
        duo_headers: request.headers.iter().filter(|(name, _)| name.starts_with("x-duo-")).cloned().collect(),
    }
}

/// The integration key and the signature that a request gives.
fn credentials(request: &Request) -> Option<(String, String)> {
    let encoded = request.header("authorization")?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (integration_key, signature) = pair.split_once(':')?;
    Some((integration_key.to_owned(), signature.to_owned()))
}

/// Sorted by encoded key, then by encoded value, as text.
fn canonical_parameters(parameters: &[(String, String)]) -> String {
    let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    let mut pairs: Vec<_> = parameters.iter().map(|(key, value)| (encode(key), encode(value))).collect();
    pairs.sort_unstable();
    pairs.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&")
}

/// Names in lower case and sorted; everything separated by NUL.
fn canonical_headers(headers: &[(String, String)]) -> String {
    let mut headers: Vec<_> = headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.as_str())).collect();
    headers.sort_unstable();
    headers.iter().map(|(name, value)| format!("{name}\0{value}")).collect::<Vec<_>>().join("\0")
}

fn code<M: Mac + KeyInit>(key: &str, text: &str) -> String {
    // An HMAC takes keys of any length, so there is always a code; no signature equals the empty text.
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(text.as_bytes());
    hex(&mac.finalize().into_bytes())
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}
