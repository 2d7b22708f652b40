//! What an approval covers, and that nothing hides behind it (S10).

use super::*;

#[test]
fn what_a_person_approved_is_not_counted_again() {
    let case = Case::of(4_000).deactivate(&people(0..60), &Departure::Gone);
    let approved = case.held().risky_items();
    assert_eq!(approved.len(), 60);
    let case = case.approve(approved);
    assert_eq!(case.picture(), "approved");
    let more = case.clone().deactivate(&people(60..110), &Departure::Gone);
    assert_eq!(more.picture(), "approved", "fifty beyond the approval are within the limit");
    let too_many = case.deactivate(&people(60..111), &Departure::Gone);
    insta::assert_snapshot!(too_many.picture(), @r#"
    deactivations: 51 deactivations; the limit is 50 in 24 hours, with 4000 active accounts; 51 of 51 for one reason, no longer in Duo: looks like a purge or another tenant, not like leavers [51 people, 51 items, 51/50, guard.deactivations_max]
    "#);
}

#[test]
fn one_risky_item_beyond_the_approval_holds_with_that_item_alone() {
    let case = Case::of(8).deactivate(&people(0..5), &Departure::Gone);
    let mut case = case.clone().approve(case.held().risky_items());
    case.situation.history = History::None;
    assert_eq!(case.picture(), "approved", "also while it is the first plan");
    let case = case.deactivate(&people(5..6), &Departure::Gone);
    let held = case.held();
    assert_eq!(held.risky_items(), [Item::of_person("deactivate", &person("p5").user_id)].into());
    assert_eq!(case.kinds(), ["first_plan", "half_of_all"], "six of eight, though five of them are approved");
}

#[test]
fn an_approved_change_with_another_value_is_not_approved() {
    let mut case = Case::of(400).set(&people(0..1), &[Attribute::Emails]);
    case.limits.identity_changes = Limit { count: 0, percent: 0, at_most: 0 };
    let approved = case.held().risky_items();
    let mut other = case.clone().approve(approved);
    assert_eq!(other.picture(), "approved");
    let Step::Update { changes, .. } = &mut other.plan.actions[0].step else { panic!("an update") };
    changes.get_mut(&Attribute::Emails).unwrap().to = "somebody-else".into();
    assert_eq!(other.kinds(), ["identity_changes"]);
}

#[test]
fn an_approved_leave_does_not_stand_for_a_leave_of_another_group() {
    let mut case = Case::of(400).with_group("eng", 40).with_group("ops", 40).members("eng", &[], &people(0..1));
    case.limits.leaves = Limit { count: 0, percent: 0, at_most: 0 };
    let approved = case.held().risky_items();
    let case = case.approve(approved).members("ops", &[], &people(0..1));
    assert_eq!(
        case.held().risky_items(),
        [Item::of_membership("leave", &group("ops").group_id, &person("p0").user_id)].into()
    );
}

#[test]
fn a_plan_that_breaks_everything_has_every_finding() {
    let leavers = people(0..60);
    let mut case = Case::of(100)
        .adopt(&people(900..901))
        .deactivate(&leavers, &Departure::LeftScope)
        .set(&people(100..160), &[Attribute::UserName])
        .reactivate(&people(200..206))
        .create(&people(300..351))
        .with_group("eng", 150)
        .with_group("ops", 150);
    case.situation.memberships = 300;
    case = case.members("eng", &[], &people(100..180)).members("ops", &[], &leavers);
    case.add(
        Step::UpdateMembers { group: group("old"), join: vec![], leave: ids(&people(400..401)) },
        Cause::Configuration,
    );
    case = case.members("new", &people(500..501), &[]);
    case.plan.unconfirmed = ids(&leavers).into_iter().collect();
    let remembered = |name: &str| crate::desired::Remembered {
        selector: "{ name = \"*\" }".into(),
        group_id: group(name).group_id,
        name: name.into(),
        gone: false,
    };
    let situation = &mut case.situation;
    situation.history = History::None;
    situation.roster = RosterSize::BecameEmpty;
    situation.pilot = Pilot::Ended;
    situation.emptied_groups.push((group("eng").group_id, "eng".into(), 150));
    situation.scope_changes = vec![
        ScopeChange::Vanished(remembered("ops")),
        ScopeChange::LeftPattern { was: remembered("old"), name: "other".into() },
        ScopeChange::NewMatch(remembered("new")),
    ];
    insta::assert_snapshot!(case.picture(), @r#"
    first_plan: this is the first plan of this database: it is reviewed before anything is sent [200 people, 320 items, guard.first_plan]
    empty_roster: Duo lists nobody at all in the selected groups: looks like a mistake there, not like leavers [141 people, 201 items]
    empty_group: group eng (DGeng) had 150 people and has none now: looks like a mistake in Duo [80 people, 80 items]
    vanished_group: group ops (DGops), selected by { name = "*" }, is not in Duo any more [60 people, 120 items]
    left_pattern: group old (DGold) is named "other" now, which { name = "*" } does not select [1 people, 1 items]
    new_group: { name = "*" } selects group "new" (DGnew), which it did not before [1 people, 1 items]
    configuration: 1 people would lose access or memberships because the configuration changed, not because Duo changed: 0 deactivated, 1 memberships removed; 60 more leave by what Duo says [1 people, 1 items]
    pilot_ended: scope.pilot_people is empty now: everybody is acted on, not the pilot alone [200 people, 320 items, scope.pilot_people]
    unconfirmed: 60 people are missing from Duo's lists and were not asked for one by one yet: that happens before the plan is sent [60 people, 120 items]
    half_of_all: 60 of 100 accounts would be deactivated within 24 hours, half or more of all; 60 of 60 for one reason, left every group in scope: looks like groups that were emptied or replaced, not like leavers [60 people, 60 items, 60/100]
    deactivations: 60 deactivations; the limit is 5 in 24 hours, with 100 active accounts; 60 of 60 for one reason, left every group in scope: looks like groups that were emptied or replaced, not like leavers [60 people, 60 items, 60/5, guard.deactivations_max]
    leaves: 81 memberships removed; the limit is 50 in 24 hours, with 300 memberships [81 people, 81 items, 81/50, guard.leaves_max]
    leaves_per_group: 80 of 150 members would leave group eng, at most 75 allowed in 24 hours: looks like a list that was replaced, not like people who moved [80 people, 80 items, 80/75, guard.leaves_per_group_max]
    identity_changes: 60 changes of userName or address; the limit is 5 in 24 hours, with 100 active accounts [60 people, 60 items, 60/5, guard.identity_changes_max]
    updates: 60 accounts changed; the limit is 50 in 24 hours, with 100 active accounts [60 people, 60 items, 60/50, guard.updates_max]
    reactivations: 6 reactivations; the limit is 5 in 24 hours, with 100 active accounts [6 people, 6 items, 6/5, guard.reactivations_max]
    creates: 51 new accounts; the limit is 50 in 24 hours, with 100 active accounts [51 people, 51 items, 51/50, guard.creates_max]
    adoptions: 1 adoptions; the limit is 0 in 24 hours, with 100 active accounts [1 people, 1 items, 1/0, guard.adoptions_max]
    "#);
}
