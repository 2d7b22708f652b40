//! A second, slow and plain signer, to compare with. For `fuzz/` and unit tests only.

use super::settings::SignatureVersion;
use super::sign::{Call, Digest, authorization, canonical_call, canonical_params, date, digest_of, encode, sign};
use crate::model::fuzz::hex;
use sha2::Digest as _;
use std::borrow::Cow;

/// The last moment that RFC 2822 can print: 9999-12-30T22:00:00Z.
const LAST_DATE: i64 = 253_402_207_200;

/// A name and a value, decoded.
type Pair<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// Lines: secret key, integration key, method, host, path, seconds since 1970; then one parameter a line, its name
/// before the first tab.
///
/// # Panics
/// When the two signers do not agree.
pub fn signature(text: &str) {
    let mut lines = text.split('\n');
    let [secret, integration_key, method, host, path, seconds] = std::array::from_fn(|_| lines.next().unwrap_or(""));
    let params: Vec<(&str, &str)> = lines.map(|line| line.split_once('\t').unwrap_or((line, ""))).collect();
    let canonical = check_params(&params);
    let segment = encode(path);
    assert!(segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)), "{segment}");
    assert_eq!(percent_encoding::percent_decode_str(&segment).collect::<Vec<u8>>(), path.as_bytes());

    let seconds = seconds.parse().unwrap_or(0_i64);
    let date = date(seconds);
    if (0..=LAST_DATE).contains(&seconds) {
        assert_eq!(date, date_of(seconds));
    }
    let call = Call { date: &date, method, host, path, params: &canonical, body: path.as_bytes() };
    for version in [SignatureVersion::V2, SignatureVersion::V5] {
        let mut lines =
            vec![date.clone(), method.to_uppercase(), host.to_lowercase(), path.to_owned(), canonical.clone()];
        if version == SignatureVersion::V5 {
            lines.extend([hex(&sha2::Sha512::digest(path)), hex(&sha2::Sha512::digest(""))]);
        }
        let expected = lines.join("\n");
        let signed = canonical_call(version, &call);
        assert_eq!(signed, expected);
        for digest in [Digest::Sha1, digest_of(version)] {
            let signature = sign(&secret.into(), digest, &signed);
            assert_eq!(signature, hmac(secret.as_bytes(), digest, signed.as_bytes()));
            let header = authorization(integration_key, &signature);
            assert_eq!(header, format!("Basic {}", base64(format!("{integration_key}:{signature}").as_bytes())));
        }
    }
}

/// What is sent is what is meant, in the order in which it is signed.
fn check_params(params: &[(&str, &str)]) -> String {
    let canonical = canonical_params(params);
    // Sorted once: a parameter for each line of an input is many, and most of the time goes here.
    let mut ordered: Vec<(String, String, &(&str, &str))> =
        params.iter().map(|pair| (escaped(pair.0), escaped(pair.1), pair)).collect();
    ordered.sort_unstable();
    let joined: Vec<String> = ordered.iter().map(|(key, value, _)| format!("{key}={value}")).collect();
    assert_eq!(canonical, joined.join("&"));
    let meant = ordered.iter().map(|(_, _, (key, value))| (key.as_bytes().into(), value.as_bytes().into()));
    assert!(pairs(&canonical).into_iter().eq(meant) || params.is_empty(), "{canonical}");
    canonical
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(char::from(byte)),
            _ => escaped.extend(['%', digit(byte >> 4), digit(byte & 15)]),
        }
    }
    escaped
}

/// A digit of percent-encoding.
fn digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase()
}

/// What a server understands.
fn pairs(query: &str) -> Vec<Pair<'_>> {
    let decoded = |text| Cow::from(percent_encoding::percent_decode_str(text));
    query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(k, v)| (decoded(k), decoded(v)))
        .collect()
}

/// RFC 2104, by its words.
fn hmac(key: &[u8], digest: Digest, text: &[u8]) -> String {
    let hash = |parts: [&[u8]; 2]| match digest {
        Digest::Sha1 => sha1::Sha1::new().chain_update(parts[0]).chain_update(parts[1]).finalize().to_vec(),
        Digest::Sha512 => sha2::Sha512::new().chain_update(parts[0]).chain_update(parts[1]).finalize().to_vec(),
    };
    let block = match digest {
        Digest::Sha1 => 64,
        Digest::Sha512 => 128,
    };
    let mut key = if key.len() > block { hash([key, &[]]) } else { key.to_vec() };
    key.resize(block, 0);
    let padded = |pad: u8, text: &[u8]| hash([&key.iter().map(|byte| byte ^ pad).collect::<Vec<_>>(), text]);
    hex(&padded(0x5c, &padded(0x36, text)))
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0_usize, |bits, at| (bits << 8) | usize::from(three.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let letter = LETTERS.get((bits >> (18 - 6 * at)) & 63).map_or('?', |letter| char::from(*letter));
            text.push(if at > three.len() { '=' } else { letter });
        }
    }
    text
}

/// A date by Howard Hinnant's `civil_from_days`.
fn date_of(seconds: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_based = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_based + 2) / 5 + 1;
    let month = if march_based < 10 { march_based + 2 } else { march_based - 10 };
    let year = year_of_era + era * 400 + i64::from(month < 2);
    let word = |words: &[&'static str], at: i64| usize::try_from(at).ok().and_then(|at| words.get(at).copied());
    format!(
        "{}, {day} {} {year:04} {:02}:{:02}:{:02} -0000",
        word(&DAYS, days % 7).unwrap_or_default(),
        word(&MONTHS, month).unwrap_or_default(),
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::{check_params, signature};
    use crate::model::fuzz::LARGE;
    use crate::model::fuzz::seeds;

    #[test]
    fn both_signers_agree_on_every_seed() {
        for (_, seed) in seeds("wire") {
            signature(&String::from_utf8(seed).unwrap());
        }
    }

    #[test]
    fn large_parameters_are_written_alike() {
        let (one, other) = ("aé%\n".repeat(LARGE / 10), "&= ".repeat(LARGE / 6));
        check_params(&[(&*one, &*other)]);
        let many: Vec<String> = (0..LARGE / 16).map(|n| (n * 7_919 % 65_536).to_string()).collect();
        check_params(&many.iter().map(|n| (&**n, "é")).collect::<Vec<_>>());
        signature(&format!("{one}\nkey\nGET\nhost\n/path\n-1"));
    }
}
