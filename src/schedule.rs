//! When something is due: six cron fields, seconds first, in UTC, so that no clock change can skip or repeat it.
//!
//! Arithmetic only: what wakes the daemon is [`crate::daemon`]'s trigger, which reads schedules the same way.

use crate::model::Timestamp;
use croner::Cron;
use croner::parser::{CronParser, Seconds};
use std::fmt;

/// A schedule that was understood.
#[derive(Clone)]
pub struct Schedule {
    text: String,
    /// None: it never comes.
    cron: Option<Cron>,
}

/// The text is no schedule.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is no schedule: {reason}")]
pub struct ParseScheduleError {
    text: String,
    reason: String,
}

impl Schedule {
    /// Understands six fields: second, minute, hour, day of month, month, day of week.
    ///
    /// # Errors
    /// When the text cannot be understood, or names no moment at all (30 February).
    pub fn parse(text: &str) -> Result<Self, ParseScheduleError> {
        let refuse = |reason: String| ParseScheduleError { text: text.to_owned(), reason };
        // As the trigger's library reads them: with both a day of month and a day of week, both must fit.
        let parser = CronParser::builder().seconds(Seconds::Required).dom_and_dow(true).build();
        let cron = parser.parse(text).map_err(|error| refuse(error.to_string()))?;
        let schedule = Self { text: text.to_owned(), cron: Some(cron) };
        match schedule.next_after(Timestamp::from_seconds(0)) {
            Some(_) => Ok(schedule),
            None => Err(refuse("it names no moment that ever comes".to_owned())),
        }
    }

    /// What never comes: it stands for a schedule that was refused.
    pub fn never() -> Self {
        Self { text: String::new(), cron: None }
    }

    /// The first moment after this one; none when there is none within some thousand years.
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        let from = chrono::DateTime::from_timestamp(now.seconds(), 0)?;
        let next = self.cron.as_ref()?.find_next_occurrence(&from, false).ok()?;
        Some(Timestamp::from_seconds(next.timestamp()))
    }

    /// How many moments lie after `since` and not after `until`; counted up to `most`.
    pub fn count_between(&self, since: Timestamp, until: Timestamp, most: usize) -> usize {
        let moments = std::iter::successors(self.next_after(since), |moment| self.next_after(*moment));
        moments.take_while(|moment| *moment <= until).take(most).count()
    }

    /// The fields as they were written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Schedule {}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Schedule").field(&self.text).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{Schedule, Timestamp};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_next_moment_is_after_now_in_utc() {
        let every_ten_minutes = Schedule::parse("0 */10 * * * *").unwrap();
        let next = |now| every_ten_minutes.next_after(at(now));
        assert_eq!(next("2026-11-23T14:02:11Z"), Some(at("2026-11-23T14:10:00Z")));
        assert_eq!(next("2026-11-23T14:10:00Z"), Some(at("2026-11-23T14:20:00Z")), "not now again");
        let nightly = Schedule::parse("0 30 3 * * *").unwrap();
        // The night in which clocks in Europe jump from 2 to 3.
        assert_eq!(nightly.next_after(at("2026-03-28T04:00:00Z")), Some(at("2026-03-29T03:30:00Z")));
    }

    #[test]
    fn a_day_of_month_and_a_day_of_week_must_both_fit() {
        let schedule = Schedule::parse("0 0 6 13 * FRI").unwrap();
        assert_eq!(schedule.next_after(at("2026-04-01T00:00:00Z")), Some(at("2026-11-13T06:00:00Z")));
    }

    #[test]
    fn moments_are_counted_up_to_a_number() {
        let every_ten_minutes = Schedule::parse("0 */10 * * * *").unwrap();
        let count = |until, most| every_ten_minutes.count_between(at("2026-11-23T14:00:00Z"), at(until), most);
        assert_eq!(count("2026-11-23T14:09:59Z", 3), 0);
        assert_eq!(count("2026-11-23T14:30:00Z", 9), 3);
        assert_eq!(count("2027-11-23T14:30:00Z", 3), 3);
        assert_eq!(count("2020-11-23T14:30:00Z", 3), 0, "a clock that was set back");
    }

    #[test]
    fn what_never_comes_is_refused() {
        for text in ["", "* * * * *", "0 0 0 30 2 *", "61 * * * * *", "x"] {
            let error = Schedule::parse(text).unwrap_err();
            assert!(error.to_string().contains("is no schedule"), "{text}: {error}");
        }
    }
}
