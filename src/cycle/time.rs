//! How long a cycle may send, and what is said beforehand when that will not do.

use crate::model::Timestamp;
use crate::report::ForecastDocument;

/// Sentences about a plan that takes longer than a cycle may send, or than it is until the next one.
pub(super) fn remarks(
    forecast: ForecastDocument,
    (sending_minutes_max, next_due): (u32, Option<Timestamp>),
    now: Timestamp,
) -> Vec<String> {
    if forecast.requests == 0 {
        return Vec::new();
    }
    let max = u64::from(sending_minutes_max).saturating_mul(60);
    let takes = format!("sending {} requests takes about {} minutes", forecast.requests, forecast.seconds.div_ceil(60));
    let mut remarks = Vec::new();
    if forecast.seconds > max {
        remarks.push(format!(
            "{takes}, and schedule.sending_minutes_max is {sending_minutes_max}: the cycle ends before everything is sent, \
             and the next one plans the rest anew"
        ));
    }
    let seconds = i64::try_from(forecast.seconds.min(max)).unwrap_or(i64::MAX);
    if let Some(due) = next_due.filter(|due| due.seconds_since(now) < seconds) {
        remarks.push(format!("{takes}: the cycle cannot end before the next one is due at {due}, which begins later"));
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::{ForecastDocument, Timestamp, remarks};

    fn said(seconds: u64, due_in: Option<i64>) -> Vec<String> {
        let now = Timestamp::from_seconds(1_795_442_531);
        let due = due_in.map(|seconds| now.plus_seconds(seconds));
        remarks(ForecastDocument { requests: seconds * 5, seconds }, (30, due), now)
    }

    #[test]
    fn a_plan_that_takes_longer_than_a_cycle_sends_is_remarked_on() {
        assert_eq!(said(1_800, None), [""; 0]);
        let over = "sending 9005 requests takes about 31 minutes, and schedule.sending_minutes_max is 30: the cycle ends \
                    before everything is sent, and the next one plans the rest anew";
        assert_eq!(said(1_801, None), [over]);
    }

    #[test]
    fn a_cycle_that_cannot_end_before_the_next_is_due_is_remarked_on() {
        assert_eq!(said(600, Some(600)), [""; 0]);
        let late = "sending 3005 requests takes about 11 minutes: the cycle cannot end before the next one is due at \
                    2026-11-23T14:12:11Z, which begins later";
        assert_eq!(said(601, Some(600)), [late]);
        assert_eq!(said(0, Some(-5)), [""; 0], "nothing to send takes no time");
        assert_eq!(said(7_200, Some(1_800)).len(), 1, "by its own maximum it ends before then");
        assert_eq!(said(7_200, Some(1_799)).len(), 2);
    }
}
