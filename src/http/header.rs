//! Headers that speak of time: `Date`, `Retry-After`, `X-RateLimit-Reset`.

use jiff::fmt::rfc2822::DateTimeParser;
use std::time::Duration;

/// An HTTP date (`Wed, 21 Oct 2015 07:28:00 GMT`) in seconds since 1970.
pub(super) fn http_date(text: &str) -> Option<i64> {
    DateTimeParser::new().parse_timestamp(text.trim()).ok().map(jiff::Timestamp::as_second)
}

/// `Retry-After`: seconds (a fraction is rounded up) or an HTTP date. A moment that has passed is zero.
pub(super) fn retry_after(text: &str, now: i64) -> Option<Duration> {
    let text = text.trim();
    match text.parse::<f64>() {
        Ok(seconds) if seconds >= 0.0 => Duration::try_from_secs_f64(seconds.ceil()).ok(),
        Ok(_) => None,
        Err(_) => http_date(text).map(|at| until(at, now)),
    }
}

/// `X-RateLimit-Reset`: an ISO 8601 moment (Atlassian's REST documentation), or seconds or milliseconds since 1970
/// (elsewhere). A number too small for a date is taken for seconds from now.
pub(super) fn rate_limit_reset(text: &str, now: i64) -> Option<Duration> {
    const SMALLEST_DATE: i64 = 1_000_000_000;
    const SMALLEST_MILLISECONDS: i64 = 100_000_000_000;
    let text = text.trim();
    match text.parse::<i64>() {
        Ok(number) if number >= SMALLEST_MILLISECONDS => Some(until(number / 1_000, now)),
        Ok(number) if number >= SMALLEST_DATE => Some(until(number, now)),
        Ok(number) => u64::try_from(number).ok().map(Duration::from_secs),
        Err(_) => text.parse::<jiff::Timestamp>().ok().map(|at| until(at.as_second(), now)),
    }
}

fn until(at: i64, now: i64) -> Duration {
    Duration::from_secs(u64::try_from(at.saturating_sub(now)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{Duration, http_date, rate_limit_reset, retry_after};

    const NOW: i64 = 1_795_442_531; // 2026-11-23T14:02:11Z

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let seconds = |text| retry_after(text, NOW).map(|wait| wait.as_secs());
        assert_eq!(seconds("30"), Some(30));
        assert_eq!(seconds(" 0.2 "), Some(1));
        assert_eq!(seconds("Mon, 23 Nov 2026 14:02:31 GMT"), Some(20));
        assert_eq!(seconds("Mon, 23 Nov 2026 14:00:00 GMT"), Some(0), "has passed");
        for odd in ["", "-1", "soon", "NaN", "inf"] {
            assert_eq!(seconds(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_reset_is_a_moment_in_any_of_the_forms_seen() {
        let in_20 = Some(Duration::from_secs(20));
        assert_eq!(rate_limit_reset("2026-11-23T14:02:31Z", NOW), in_20);
        assert_eq!(rate_limit_reset("2026-11-23T15:02:31+01:00", NOW), in_20);
        assert_eq!(rate_limit_reset("2026-11-23T14:03Z", NOW), Some(Duration::from_secs(49)), "without seconds");
        assert_eq!(rate_limit_reset("1795442551", NOW), in_20);
        assert_eq!(rate_limit_reset("1795442551000", NOW), in_20);
        assert_eq!(rate_limit_reset("20", NOW), in_20);
        assert_eq!(rate_limit_reset("later", NOW), None);
    }

    #[test]
    fn a_date_is_read_in_the_forms_that_servers_send() {
        assert_eq!(http_date("Mon, 23 Nov 2026 14:02:11 GMT"), Some(NOW));
        assert_eq!(http_date("Mon, 23 Nov 2026 14:02:11 -0000"), Some(NOW));
        assert_eq!(http_date("today"), None);
    }
}
