//! `[guard]`.

use super::reader::Reader;
use crate::guard::FirstPlan;
use crate::guard::Limit;
use crate::guard::Limits;

/// Far above what Atlassian takes (8,000,000 memberships): room for who wants no limit.
const COUNT_MAX: i64 = 1_000_000_000;

/// Reads the limits.
pub(super) fn read(reader: &mut Reader<'_>) -> Limits {
    Limits {
        deactivations: limit(reader, "deactivations_max"),
        reactivations: limit(reader, "reactivations_max"),
        leaves: limit(reader, "leaves_max"),
        leaves_per_group: limit(reader, "leaves_per_group_max"),
        updates: limit(reader, "updates_max"),
        identity_changes: limit(reader, "identity_changes_max"),
        creates: limit(reader, "creates_max"),
        adoptions: limit(reader, "adoptions_max"),
        accounts: reader.whole("guard.accounts_max", 0..=COUNT_MAX),
        first_plan: reader.choice("guard.first_plan", [("hold", FirstPlan::Hold), ("apply", FirstPlan::Apply)]),
    }
}

/// A part that is left out keeps its default.
fn limit(reader: &mut Reader<'_>, name: &str) -> Limit {
    let limit = Limit {
        count: reader.whole(&format!("guard.{name}.count"), 0..=COUNT_MAX),
        percent: reader.whole(&format!("guard.{name}.percent"), 0..=100),
        at_most: reader.whole(&format!("guard.{name}.at_most"), 0..=COUNT_MAX),
    };
    if limit.count > limit.at_most {
        reader.warn(&format!(
            "guard.{name}: count {} is above at_most {}, which wins; raise at_most as well if that is not meant",
            limit.count, limit.at_most
        ));
    }
    limit
}
