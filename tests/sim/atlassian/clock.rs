//! Time as the simulator sees it: never the machine's unless a caller hands it in.

use jiff::Timestamp;

/// 2026-01-05 09:00:00 UTC.
const START_MS: i64 = 1_767_603_600_000;

/// Where the simulator's "now" comes from, in milliseconds since 1970.
pub enum Clock {
    /// One second later at every request.
    Counting {
        /// The time of the latest request.
        last_ms: i64,
    },
    /// Stands still until it is set again.
    Set(i64),
    /// Somebody else's clock.
    Followed(Box<dyn Fn() -> i64 + Send>),
}

impl Clock {
    /// The clock that a new simulator has.
    pub const fn counting() -> Self {
        Self::Counting { last_ms: START_MS }
    }

    /// The time of the next request.
    pub fn tick(&mut self) -> i64 {
        match self {
            Self::Counting { last_ms } => {
                *last_ms += 1_000;
                *last_ms
            }
            Self::Set(now_ms) => *now_ms,
            Self::Followed(clock) => clock(),
        }
    }
}

/// A moment, which falls back to 1970 where it cannot be one.
pub fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A moment as Atlassian writes it: six fraction digits, or five where the sixth would be a zero
/// (`2021-02-15T13:26:34.13545Z` and `…41.185473Z` were both captured).
pub fn written(ms: i64, salt: u64) -> String {
    let micros = ms.rem_euclid(1_000) * 1_000 + i64::try_from(salt.wrapping_mul(7_919) % 1_000).unwrap_or(0);
    let seconds = timestamp(ms).strftime("%Y-%m-%dT%H:%M:%S");
    if micros % 10 == 0 { format!("{seconds}.{:05}Z", micros / 10) } else { format!("{seconds}.{micros:06}Z") }
}
