//! Headers that speak of time: `Date`, `Retry-After`, `X-RateLimit-Reset`.

use super::quota::Quota;
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

/// `X-RateLimit-*`, as far as they are there and can be read.
pub(super) fn quota<'a>(text: impl Fn(&str) -> Option<&'a str>, now: i64) -> Option<Quota> {
    let number = |name| text(name).and_then(leading_number);
    let quota = Quota {
        limit: number("x-ratelimit-limit"),
        remaining: number("x-ratelimit-remaining"),
        reset: text("x-ratelimit-reset").and_then(|value| rate_limit_reset(value, now)),
        is_near_limit: text("x-ratelimit-nearlimit").is_some_and(|value| value.trim().eq_ignore_ascii_case("true")),
    };
    (quota != Quota::default()).then_some(quota)
}

/// `100`, or `100, 100;w=60` as a draft of the IETF had it.
fn leading_number(text: &str) -> Option<u32> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(end)?;
    // More than fits is as good as no end. A sign, a fraction or a word is no number.
    let is_whole = !number.is_empty() && (rest.is_empty() || rest.starts_with([',', ';']));
    is_whole.then(|| number.parse().unwrap_or(u32::MAX))
}

fn until(at: i64, now: i64) -> Duration {
    Duration::from_secs(u64::try_from(at.saturating_sub(now)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{Duration, Quota, http_date, quota, rate_limit_reset, retry_after};

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
    fn a_quota_is_read_from_what_is_there() {
        let read = |headers: &[(&str, &'static str)]| {
            quota(|name| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value), NOW)
        };
        let all = read(&[
            ("x-ratelimit-limit", "100"),
            ("x-ratelimit-remaining", " 7 "),
            ("x-ratelimit-reset", "2026-11-23T14:02:31Z"),
            ("x-ratelimit-nearlimit", "True"),
        ]);
        let reset = Some(Duration::from_secs(20));
        assert_eq!(all, Some(Quota { limit: Some(100), remaining: Some(7), reset, is_near_limit: true }));
        assert_eq!(read(&[("date", "x")]), None);
        let remaining = |text| read(&[("x-ratelimit-remaining", text)]).and_then(|quota| quota.remaining);
        assert_eq!(remaining("100, 100;w=60"), Some(100));
        assert_eq!(remaining("99999999999999999999"), Some(u32::MAX));
        for odd in ["", "-1", "1.5", "many", "1e9", "NaN", "1 000"] {
            assert_eq!(remaining(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_date_is_read_in_the_forms_that_servers_send() {
        assert_eq!(http_date("Mon, 23 Nov 2026 14:02:11 GMT"), Some(NOW));
        assert_eq!(http_date("Mon, 23 Nov 2026 14:02:11 -0000"), Some(NOW));
        assert_eq!(http_date("today"), None);
    }
}
