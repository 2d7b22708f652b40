//! The rate limit: a token bucket on injected time.
//!
//! Atlassian publishes no limit for SCIM, and its specification lists no 429. The headers are those of the sister admin
//! APIs on the same host (`X-RateLimit-*`, reset as ISO 8601) and those of its product APIs (`Retry-After`).

use jiff::fmt::rfc2822::DateTimePrinter;

use super::super::wire::Answer;
use super::clock::timestamp;
use super::refusal::Refusal;
use super::setting::{LimitHeaders, RateLimit, RetryHint};

/// Thousandths of a token, so that no fraction is lost.
const TOKEN: i64 = 1_000;

/// What the bucket holds.
#[derive(Debug, Default)]
pub struct Bucket {
    filled: Option<(i64, i64)>,
}

impl Bucket {
    /// Takes a token, or says in how many milliseconds there will be one.
    pub fn take(&mut self, limit: RateLimit, now_ms: i64) -> Result<(), i64> {
        let capacity = i64::from(limit.burst.max(1)) * TOKEN;
        let rate = i64::from(limit.per_second.max(1));
        let (held, since) = self.filled.unwrap_or((capacity, now_ms));
        let held = held.saturating_add((now_ms - since).max(0).saturating_mul(rate)).min(capacity);
        if held >= TOKEN {
            self.filled = Some((held - TOKEN, now_ms));
            Ok(())
        } else {
            self.filled = Some((held, now_ms));
            Err((TOKEN - held + rate - 1) / rate)
        }
    }

    fn remaining(&self, limit: RateLimit) -> i64 {
        self.filled.map_or(i64::from(limit.burst), |(held, _)| held / TOKEN)
    }

    /// Adds the headers that every answer carries.
    pub fn stamp(&self, limit: RateLimit, answer: &mut Answer) {
        match limit.headers {
            LimitHeaders::Sent => {
                answer.headers.push(("x-ratelimit-limit".to_owned(), limit.burst.to_string()));
                answer.headers.push(("x-ratelimit-remaining".to_owned(), self.remaining(limit).to_string()));
            }
            LimitHeaders::Absent => {}
        }
    }
}

/// The 429 for somebody who may come back in `wait_ms`.
pub fn too_many(limit: RateLimit, now_ms: i64, wait_ms: i64, request: u64) -> Answer {
    let mut answer = Refusal::gateway(429, "Too Many Requests").answer(request);
    let seconds = (wait_ms + 999) / 1_000;
    // Rounded up to a whole second: every one of these forms is coarser than the bucket.
    let back = timestamp(((now_ms + wait_ms + 999) / 1_000) * 1_000);
    let hint = match limit.hint {
        RetryHint::Seconds => Some(("retry-after", seconds.to_string())),
        RetryHint::HttpDate => {
            DateTimePrinter::new().timestamp_to_rfc9110_string(&back).ok().map(|date| ("retry-after", date))
        }
        RetryHint::ResetIso => Some(("x-ratelimit-reset", back.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())),
        RetryHint::ResetEpoch => Some(("x-ratelimit-reset", back.as_second().to_string())),
        RetryHint::Silent => None,
    };
    answer.headers.extend(hint.map(|(name, value)| (name.to_owned(), value)));
    answer
}
