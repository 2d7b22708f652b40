//! `X-RateLimit-*` of an answer: what remains of a quota is stretched over the time to its reset. Pure.
//!
//! The names and the reset as a moment are those of Atlassian's admin APIs on the same host; that SCIM sends them is
//! not documented, and no header of Duo's is known. So they may slow requests down a little, and never speed them up.

use super::pace::interval;
use std::time::Duration;

/// What an answer says about the quota that it was taken from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// `X-RateLimit-Limit`: requests of a whole quota.
    pub limit: Option<u32>,
    /// `X-RateLimit-Remaining`: requests that are left.
    pub remaining: Option<u32>,
    /// `X-RateLimit-Reset`: so long from now until the quota is whole again.
    pub reset: Option<Duration>,
    /// `X-RateLimit-NearLimit`: less than a fifth is left.
    pub is_near_limit: bool,
}

/// A quota is near its end when less than this part of it remains: what `X-RateLimit-NearLimit` means.
const NEAR_PART: u32 = 5;
/// Without a limit: when it would be used up within so many seconds.
const NEAR_SECONDS: f64 = 10.0;
/// A quota of fewer seconds of requests than this is too small for a reset in whole seconds.
const SECONDS_MIN: f64 = 2.0;
/// No header of an answer that was not refused stops requests for longer than this.
pub(super) const QUOTA_WAIT_MAX: Duration = Duration::from_secs(30);
/// A moment in whole seconds may be so much later than it says.
const ROUNDING: Duration = Duration::from_secs(1);

/// What is made of it.
#[derive(Debug, Default)]
pub(super) struct Stretch {
    claim: Option<Claim>,
    /// It was seen that what was said does not hold: requests went on without the reset that they needed.
    is_senseless: bool,
}

#[derive(Clone, Copy, Debug)]
struct Claim {
    /// The number of the last request that the quota holds.
    end: u64,
    until: Duration,
    rate: f64,
}

impl Stretch {
    /// Hears what the answer to request `number` says, when `taken` requests have left so far, at this rate.
    pub(super) fn hear(&mut self, quota: &Quota, (number, taken): (u64, u64), rate: f64, now: Duration) {
        let (Some(remaining), Some(reset)) = (quota.remaining, quota.reset) else { return };
        if self.is_senseless || reset.is_zero() {
            return;
        }
        // Requests that left since are not counted in it yet.
        let end = number.saturating_add(u64::from(remaining));
        let under_way = taken.saturating_sub(number);
        let left = u32::try_from(end.saturating_sub(taken)).unwrap_or(u32::MAX);
        let bearable = f64::from(left) / reset.max(ROUNDING).as_secs_f64();
        if !is_near_end(quota, remaining, rate) || bearable >= rate {
            self.claim = None;
            return;
        }
        let until = now.saturating_add(reset).saturating_add(ROUNDING);
        match self.claim.filter(|claim| now < claim.until) {
            Some(before) if end > before.end.saturating_add(under_way).saturating_add(1) => {
                *self = Self { claim: None, is_senseless: true };
            }
            // The first word on the end stands, so that one that is put off again and again is found out.
            Some(before) => self.claim = Some(Claim { rate: bearable, ..before }),
            None => self.claim = Some(Claim { end, until, rate: bearable }),
        }
    }

    /// The time to the next request, when what remains has to be stretched.
    pub(super) fn interval(&self, now: Duration) -> Option<Duration> {
        let claim = self.claim.filter(|claim| now < claim.until)?;
        Some(interval(claim.rate).min(claim.until.saturating_sub(now)).min(QUOTA_WAIT_MAX))
    }
}

fn is_near_end(quota: &Quota, remaining: u32, rate: f64) -> bool {
    match quota.limit {
        Some(limit) if f64::from(limit) < rate * SECONDS_MIN => false,
        Some(limit) => quota.is_near_limit || remaining <= limit / NEAR_PART,
        None => quota.is_near_limit || f64::from(remaining) <= rate * NEAR_SECONDS,
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Quota, Stretch};

    const NOW: Duration = Duration::from_secs(1_000);

    fn quota(limit: u32, remaining: u32, reset: u64) -> Quota {
        let reset = Some(Duration::from_secs(reset));
        Quota { limit: Some(limit), remaining: Some(remaining), reset, is_near_limit: false }
    }

    /// The seconds between two requests after such an answer to the last request, at five a second.
    fn heard(quota: Quota) -> Option<f64> {
        let mut stretch = Stretch::default();
        stretch.hear(&quota, (50, 50), 5.0, NOW);
        stretch.interval(NOW).map(|interval| interval.as_secs_f64())
    }

    #[test]
    fn near_its_end_what_remains_is_stretched() {
        assert_eq!(heard(quota(100, 20, 40)), Some(2.0));
        assert_eq!(heard(quota(100, 21, 40)), None, "not near its end");
        assert_eq!(heard(Quota { is_near_limit: true, ..quota(100, 80, 40) }), Some(0.5), "but the service says so");
        assert_eq!(heard(Quota { limit: None, ..quota(0, 50, 100) }), Some(2.0), "ten seconds of requests");
        assert_eq!(heard(Quota { limit: None, ..quota(0, 51, 100) }), None);
        assert_eq!(heard(quota(100, 20, 4)), None, "enough at the rate of now");
        assert_eq!(heard(quota(9, 1, 1)), None, "too small for whole seconds");
        assert_eq!(heard(quota(100, 0, 20)), Some(21.0), "nothing left");
        assert_eq!(heard(quota(100, 0, 86_400)), Some(30.0), "at most this");
        assert_eq!(heard(quota(100, 0, 0)), None, "over already");
        assert_eq!(heard(Quota { reset: None, ..quota(100, 0, 0) }), None);
        assert_eq!(heard(Quota { remaining: None, ..quota(100, 0, 9) }), None);
    }

    #[test]
    fn requests_under_way_are_counted() {
        let mut stretch = Stretch::default();
        stretch.hear(&quota(100, 20, 40), (46, 50), 5.0, NOW);
        assert_eq!(stretch.interval(NOW), Some(Duration::from_millis(2_500)), "16 in 40 seconds");
        stretch.hear(&quota(100, 19, 40), (47, 50), 5.0, NOW);
        assert_eq!(stretch.interval(NOW), Some(Duration::from_millis(2_500)));
    }

    #[test]
    fn after_the_reset_the_rate_is_as_before() {
        let mut stretch = Stretch::default();
        stretch.hear(&quota(100, 20, 40), (50, 50), 5.0, NOW);
        assert!(stretch.interval(NOW + Duration::from_secs(40)).is_some());
        assert_eq!(stretch.interval(NOW + Duration::from_secs(41)), None);
        stretch.hear(&quota(100, 20, 40), (50, 50), 5.0, NOW);
        stretch.hear(&quota(100, 99, 59), (51, 51), 5.0, NOW + Duration::from_secs(2));
        assert_eq!(stretch.interval(NOW + Duration::from_secs(2)), None, "an answer says it earlier");
    }

    #[test]
    fn what_is_always_nearly_used_up_is_not_believed_for_long() {
        let mut stretch = Stretch::default();
        for number in 1..=3 {
            stretch.hear(&quota(100, 1, 3_600), (number, number), 5.0, NOW);
        }
        assert_eq!(stretch.interval(NOW), None);
        stretch.hear(&quota(100, 1, 3_600), (9, 9), 5.0, NOW);
        assert_eq!(stretch.interval(NOW), None, "nor ever after");
    }
}
