//! The numbers of `[guard]`.

use serde::Serialize;

/// One limit: min(max(`count`, `percent` of the base), `at_most`) (S4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// So many are always within the limit (below `at_most`).
    pub count: u64,
    /// Percent of the base, 0 to 100.
    pub percent: u8,
    /// The ceiling, whatever the base.
    pub at_most: u64,
}

impl Limit {
    /// The limit for a base.
    pub fn of(self, base: u64) -> u64 {
        let share = base.saturating_mul(u64::from(self.percent)) / 100;
        self.count.max(share).min(self.at_most)
    }
}

/// All limits of `[guard]` (S4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `deactivations_max`.
    pub deactivations: Limit,
    /// `reactivations_max`.
    pub reactivations: Limit,
    /// `leaves_max`, over all groups.
    pub leaves: Limit,
    /// `leaves_per_group_max`.
    pub leaves_per_group: Limit,
    /// `updates_max`.
    pub updates: Limit,
    /// `identity_changes_max`: changes of `userName` or the primary address.
    pub identity_changes: Limit,
    /// `creates_max`.
    pub creates: Limit,
    /// `adoptions_max`.
    pub adoptions: Limit,
    /// `accounts_max`, the user tier; 0: not known.
    pub accounts: u64,
    /// `first_plan = "hold"`.
    pub first_plan: FirstPlan,
}

/// What happens to the first writing plan of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstPlan {
    /// It waits for a person.
    Hold,
    /// It is judged by the limits alone.
    Apply,
}

#[cfg(test)]
mod tests {
    use super::Limit;

    #[test]
    fn a_limit_is_the_larger_of_count_and_share_below_the_ceiling() {
        let limit = Limit { count: 5, percent: 5, at_most: 50 };
        assert_eq!(limit.of(8), 5);
        assert_eq!(limit.of(400), 20);
        assert_eq!(limit.of(4_000), 50);
        assert_eq!(Limit { count: 0, percent: 0, at_most: 0 }.of(1_000), 0);
    }
}
