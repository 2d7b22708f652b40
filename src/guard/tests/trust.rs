//! Drift, and databases that are not trusted (S19).

use super::*;
use crate::plan::{DriftFound, Trust};

fn drift() -> DriftFound {
    DriftFound {
        changes: vec!["2 accounts gone (p1, p2)".to_owned(), "1 group gone (ops)".to_owned()],
        people: [person("p1").user_id, person("p2").user_id].into(),
        unlinked: vec!["zoe".to_owned()],
    }
}

fn restored() -> Trust {
    Trust::Restored { backup_at: Timestamp::from_seconds(1_795_000_000) }
}

/// Within every limit: one joins, one is switched off.
fn small() -> Case {
    let case = Case::of(400).members("eng", &people(0..1), &[]);
    Case { limits: HUGE_LIMITS, ..case.deactivate(&people(1..2), &Departure::LeftScope) }
}

#[test]
fn a_backup_that_the_target_proves_wrong_holds_everything() {
    let mut case = small();
    case.situation.trust = restored();
    assert_eq!(case.picture(), "approved", "nothing is different");
    case.situation.drift = drift();
    insta::assert_snapshot!(case.picture(), @"untrusted: the database is a backup of 2026-11-18T11:06:40Z; since then Atlassian has changed: 2 accounts gone (p1, p2); 1 group gone (ops); 1 record with the id of a person in Duo that this database did not make (zoe) [2 people, 2 items]");
    case.situation.trust = Trust::Idle { since: Timestamp::from_seconds(1_795_000_000) };
    insta::assert_snapshot!(case.picture(), @"untrusted: nothing was synced with this database since 2026-11-18T11:06:40Z; since then Atlassian has changed: 2 accounts gone (p1, p2); 1 group gone (ops); 1 record with the id of a person in Duo that this database did not make (zoe) [2 people, 2 items, state.trusted_hours]");
}

#[test]
fn an_approval_of_everything_lets_a_doubtful_plan_through_and_one_of_a_part_does_not() {
    let mut case = small();
    case.situation.trust = restored();
    case.situation.drift = drift();
    let all = case.held().risky_items();
    assert_eq!(all.len(), 2);
    let part: BTreeSet<Item> = all.iter().take(1).cloned().collect();
    assert_eq!(case.clone().approve(part).kinds(), ["untrusted"]);
    assert!(matches!(case.approve(all).verdict(), Verdict::Approved(_)));
}

#[test]
fn a_doubtful_adoption_is_held_whatever_the_limits_say() {
    let mut case = Case { limits: HUGE_LIMITS, ..Case::of(400).adopt(&people(0..1)) };
    assert_eq!(case.picture(), "approved");
    case.situation.trust = restored();
    insta::assert_snapshot!(case.picture(), @"untrusted: the database is a backup of 2026-11-18T11:06:40Z; since then Atlassian has changed: accounts or groups exist that it does not know [0 people, 1 items]");
}

#[test]
fn drift_of_a_trusted_database_is_told_and_holds_nothing() {
    let mut case = small();
    case.situation.drift = drift();
    let verdict = case.verdict();
    assert!(matches!(verdict, Verdict::Approved(_)));
    let told: Vec<&str> = verdict.findings().iter().map(|finding| finding.message.as_str()).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
        Atlassian is not as this program left it; somebody else changed it: 2 accounts gone (p1, p2); 1 group gone (ops)
        1 record with the id of a person in Duo that this database did not make (zoe): looks like a copy of this program on another machine, or another provisioning for this directory; stop one of the two
        "#);
}
