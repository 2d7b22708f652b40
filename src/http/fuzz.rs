//! What must hold of any header that speaks of time. For `fuzz/` and unit tests only.

use super::header::{http_date, rate_limit_reset, retry_after};
use jiff::fmt::rfc2822::DateTimePrinter;
use std::time::Duration;

/// 2026-11-23T14:02:11Z.
const NOW: i64 = 1_795_442_531;

/// A wait is never shorter than what was asked for, and a moment that has passed is no wait.
///
/// # Panics
/// When a law is broken.
pub fn headers(text: &str) {
    let trimmed = text.trim();
    let date = http_date(text);
    if let Some(seconds) = date {
        let moment = jiff::Timestamp::from_second(seconds).ok();
        let written = moment.and_then(|it| DateTimePrinter::new().timestamp_to_rfc9110_string(&it).ok());
        assert_eq!(written.as_deref().and_then(http_date), Some(seconds), "{written:?}");
    }
    let until = |at: i64| Duration::from_secs(u64::try_from(i128::from(at) - i128::from(NOW)).unwrap_or(0));
    let asked = retry_after(text, NOW);
    match (trimmed.parse::<f64>(), asked) {
        (Ok(seconds), Some(wait)) => {
            assert!(seconds >= 0.0 && wait.as_secs_f64() >= seconds && wait.subsec_nanos() == 0, "{text:?} {wait:?}");
            assert!(wait.as_secs_f64() - 1.0 < seconds || seconds > 1e15, "{text:?} {wait:?}");
        }
        (Ok(seconds), None) => assert!(!(0.0..1e19).contains(&seconds), "{text:?}"),
        (Err(_), asked) => assert_eq!(asked, date.map(until), "{text:?}"),
    }
    let reset = rate_limit_reset(text, NOW);
    let moment = || trimmed.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second);
    match (trimmed.parse::<i64>(), reset) {
        (Ok(..0), reset) => assert_eq!(reset, None),
        (Ok(number), reset) => {
            let readings = [Duration::from_secs(number.unsigned_abs()), until(number), until(number / 1_000)];
            assert!(reset.is_some_and(|reset| readings.contains(&reset)), "{text:?} {reset:?}");
        }
        (Err(_), reset) => assert_eq!(reset, moment().map(until)),
    }
}

#[cfg(test)]
mod tests {
    use super::headers;
    use crate::model::fuzz::LARGE;
    use crate::model::fuzz::seeds;

    #[test]
    fn the_laws_hold_for_every_seed() {
        for (_, seed) in seeds("wire") {
            headers(&String::from_utf8(seed).unwrap());
        }
    }

    #[test]
    fn large_headers_are_read_or_refused() {
        for text in ["9", "0.", " ", "Mon, ", "(", "2026-11-23T14:02:31Z", "\u{0}"] {
            headers(&text.repeat(LARGE / text.len()));
        }
        headers(&format!("1.{}", "0".repeat(LARGE)));
        headers(&format!("Mon, 23 Nov 2026 14:02:11 {}", "(".repeat(LARGE)));
    }
}
