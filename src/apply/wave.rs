//! How many requests are recorded, and sent, together.
//!
//! A wave is one transaction, and nothing leaves between the last request of a wave and its last answer: large waves
//! cost less time, small ones leave less to look up after a crash.

use std::time::Duration;

/// A wave has at least so many requests for each that may be under way at once: a transaction for fewer would cost more
/// than it is worth.
const PER_REQUEST: usize = 8;
/// It has no more than so many for each but one: nothing leaves while the last answers of a wave are waited for, and
/// with so many that costs at most one part in 64 of the time, however slow the answers are.
const PER_REQUEST_MAX: usize = 64;
/// Between the two, it has as many as leave in this time. After a crash each of them may have to be looked up, which
/// takes as long again.
const TIME: Duration = Duration::from_secs(10);

/// Requests of one wave, of which so many may be under way at once, and so many leave in a second.
///
/// One after the other they wait for each answer anyway: then small waves cost nothing.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` keeps a float in the integer's range"
)]
pub(super) fn size(concurrent_requests_max: usize, requests_per_second: f64) -> usize {
    let at_once = concurrent_requests_max.max(1);
    let leave = (requests_per_second * TIME.as_secs_f64()) as usize;
    leave.min((at_once - 1) * PER_REQUEST_MAX).max(at_once * PER_REQUEST)
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn a_wave_takes_ten_seconds_where_that_is_neither_few_nor_many_requests() {
        assert_eq!([5.0, 15.0].map(|rate| size(4, rate)), [50, 150]);
        assert_eq!([0.0, 1.0, f64::NAN].map(|rate| size(4, rate)), [32; 3], "at least eight for each at once");
        assert_eq!([50.0, 1_000.0, f64::INFINITY].map(|rate| size(4, rate)), [192; 3], "and 64 for each but one");
        assert_eq!([0, 1].map(|at_once| size(at_once, 1_000.0)), [8; 2]);
        assert_eq!(size(16, 50.0), 500);
    }
}
