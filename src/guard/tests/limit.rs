//! Limits: at their edges, over 24 hours, and what a finding says about them (S4).

use super::*;

/// Tries `count` and one more of them against a limit of `count`.
fn edge(count: usize, case: impl Fn(&[String]) -> Case) -> String {
    assert_eq!(case(&people(0..count)).picture(), "approved", "as many as the limit");
    case(&people(0..count + 1)).picture()
}

#[test]
fn deactivations_up_to_the_limit_pass() {
    let held = edge(20, |who| Case::of(400).deactivate(who, &Departure::Blocked));
    insta::assert_snapshot!(held, @r#"
    deactivations: 21 deactivations; the limit is 20 in 24 hours, with 400 active accounts; 21 of 21 for one reason, listed in scope.blocked_people: looks like one change of the configuration, not like leavers [21 people, 21 items, 21/20, guard.deactivations_max]
    "#);
}

#[test]
fn reactivations_up_to_the_limit_pass() {
    insta::assert_snapshot!(edge(5, |who| Case::of(99).reactivate(who)), @r#"
    reactivations: 6 reactivations; the limit is 5 in 24 hours, with 99 active accounts [6 people, 6 items, 6/5, guard.reactivations_max]
    "#);
}

#[test]
fn creates_up_to_the_limit_pass() {
    insta::assert_snapshot!(edge(50, |who| Case::of(10).create(who)), @r#"
    creates: 51 new accounts; the limit is 50 in 24 hours, with 10 active accounts [51 people, 51 items, 51/50, guard.creates_max]
    "#);
}

#[test]
fn updates_up_to_the_limit_pass_and_are_counted_by_person() {
    let held = edge(60, |who| Case::of(600).set(who, &[Attribute::DisplayName, Attribute::Title]));
    insta::assert_snapshot!(held, @r#"
    updates: 61 accounts changed; the limit is 60 in 24 hours, with 600 active accounts [61 people, 122 items, 61/60, guard.updates_max]
    "#);
}

#[test]
fn identity_changes_up_to_the_limit_pass_and_are_counted_by_person() {
    let held = edge(8, |who| Case::of(400).set(who, &[Attribute::UserName, Attribute::Emails, Attribute::Title]));
    insta::assert_snapshot!(held, @r#"
    identity_changes: 9 changes of userName or address; the limit is 8 in 24 hours, with 400 active accounts [9 people, 18 items, 9/8, guard.identity_changes_max]
    "#);
}

#[test]
fn an_identity_change_counts_as_an_update_too() {
    let mut case = Case::of(400);
    case.limits.identity_changes = HUGE;
    case.limits.updates = Limit { count: 3, percent: 0, at_most: 3 };
    let case = case.set(&people(0..2), &[Attribute::Emails]).set(&people(2..3), &[Attribute::Title]);
    assert_eq!(case.picture(), "approved");
    insta::assert_snapshot!(case.set(&people(3..4), &[Attribute::UserName]).picture(), @r#"
    updates: 4 accounts changed; the limit is 3 in 24 hours, with 400 active accounts [4 people, 4 items, 4/3, guard.updates_max]
    "#);
}

#[test]
fn changes_that_come_with_a_reactivation_count_as_changes() {
    let mut case = Case::of(400);
    case.limits.identity_changes = Limit { count: 0, percent: 0, at_most: 0 };
    let changes = [(Attribute::Emails, Change { from: None, to: "ana@example.com".into() })].into();
    case.add(Step::Reactivate { person: person("ana"), changes }, Cause::Source);
    assert_eq!(case.kinds(), ["identity_changes"]);
}

#[test]
fn leaves_up_to_the_limit_pass() {
    let held = edge(50, |who| {
        let (some, others) = who.split_at(who.len() / 2);
        let case = Case::of(30).with_group("eng", 1_000).with_group("ops", 1_000);
        case.members("eng", &[], some).members("ops", &[], others)
    });
    insta::assert_snapshot!(held, @r#"
    leaves: 51 memberships removed; the limit is 50 in 24 hours, with 300 memberships [51 people, 51 items, 51/50, guard.leaves_max]
    "#);
}

#[test]
fn leaves_of_one_group_up_to_the_limit_pass() {
    let held = edge(12, |who| Case::of(400).with_group("eng", 24).members("eng", &[], who));
    insta::assert_snapshot!(held, @r#"
    leaves_per_group: 13 of 24 members would leave group eng, at most 12 allowed in 24 hours: looks like a list that was replaced, not like people who moved [13 people, 13 items, 13/12, guard.leaves_per_group_max]
    "#);
}

#[test]
fn an_adoption_is_held_by_default() {
    let mut case = edge(0, |who| Case::of(0).adopt(who));
    let group = Step::AdoptGroup { group: group("eng"), scim_id: ScimId::new("g"), members: ids(&people(0..2)) };
    let mut of_group = Case::of(0);
    of_group.add(group, Cause::Adoption);
    case = format!("{case}\n{}", of_group.picture());
    insta::assert_snapshot!(case, @r#"
    adoptions: 1 adoptions; the limit is 0 in 24 hours, with 0 active accounts [1 people, 1 items, 1/0, guard.adoptions_max]
    adoptions: 1 adoptions; the limit is 0 in 24 hours, with 0 active accounts [0 people, 1 items, 1/0, guard.adoptions_max]
    "#);
}

#[test]
fn the_ceiling_holds_where_the_share_is_larger() {
    let held = edge(50, |who| Case::of(4_000).deactivate(who, &Departure::GroupDisabled));
    insta::assert_snapshot!(held, @r#"
    deactivations: 51 deactivations; the limit is 50 in 24 hours, with 4000 active accounts; 51 of 51 for one reason, in a group that is disabled in Duo: looks like one change in Duo, not like leavers [51 people, 51 items, 51/50, guard.deactivations_max]
    "#);
}

#[test]
fn what_was_sent_within_a_day_counts() {
    let first = Case::of(4_000).deactivate(&people(0..50), &Departure::Gone);
    assert_eq!(first.picture(), "approved");
    let ten_minutes_later =
        Case::of(3_950).deactivate(&people(50..100), &Departure::Gone).spent(Class::Deactivation, 50);
    insta::assert_snapshot!(ten_minutes_later.picture(), @r#"
    deactivations: 50 deactivations after 50 without approval in the last 24 hours; the limit is 50 in 24 hours, with 3950 active accounts; 50 of 50 for one reason, no longer in Duo: looks like a purge or another tenant, not like leavers [50 people, 50 items, 100/50, guard.deactivations_max]
    "#);
    let one_more = Case::of(3_950).deactivate(&people(50..51), &Departure::Gone).spent(Class::Deactivation, 50);
    assert_eq!(one_more.kinds(), ["deactivations"], "not even one");
}

#[test]
fn what_was_sent_within_a_day_counts_in_every_class() {
    let who = people(0..1);
    let eng = Case::of(100).with_group("eng", 10);
    let cases = [
        (Class::Reactivation, eng.clone().reactivate(&who)),
        (Class::Create, eng.clone().create(&who)),
        (Class::Update, eng.clone().set(&who, &[Attribute::Title])),
        (Class::IdentityChange, eng.clone().set(&who, &[Attribute::Emails])),
        (Class::Leave, eng.clone().members("eng", &[], &who)),
    ];
    let mut pictures: Vec<String> = Vec::new();
    for (class, case) in cases {
        assert_eq!(case.picture(), "approved", "{class:?}");
        pictures.push(case.spent(class, 1_000).picture());
    }
    let mut of_group = eng.members("eng", &[], &who);
    of_group.situation.spent_leaves.insert(group("eng").group_id, 10);
    pictures.push(of_group.picture());
    insta::assert_snapshot!(pictures.join("\n"), @r#"
    reactivations: 1 reactivations after 1000 without approval in the last 24 hours; the limit is 5 in 24 hours, with 100 active accounts [1 people, 1 items, 1001/5, guard.reactivations_max]
    creates: 1 new accounts after 1000 without approval in the last 24 hours; the limit is 50 in 24 hours, with 100 active accounts [1 people, 1 items, 1001/50, guard.creates_max]
    updates: 1 accounts changed after 1000 without approval in the last 24 hours; the limit is 50 in 24 hours, with 100 active accounts [1 people, 1 items, 1001/50, guard.updates_max]
    identity_changes: 1 changes of userName or address after 1000 without approval in the last 24 hours; the limit is 5 in 24 hours, with 100 active accounts [1 people, 1 items, 1001/5, guard.identity_changes_max]
    leaves: 1 memberships removed after 1000 without approval in the last 24 hours; the limit is 100 in 24 hours, with 1000 memberships [1 people, 1 items, 1001/100, guard.leaves_max]
    leaves_per_group: 1 of 10 members would leave group eng after 10 without approval in the last 24 hours, at most 10 allowed in 24 hours [1 people, 1 items, 11/10, guard.leaves_per_group_max]
    "#);
}

#[test]
fn what_was_spent_holds_nothing_that_takes_nothing_of_it() {
    let case = Case::of(100).spent(Class::Deactivation, 90).spent(Class::Leave, 5_000).create(&people(0..1));
    assert_eq!(case.picture(), "approved");
}

#[test]
fn a_group_that_lost_nearly_all_of_its_people_who_stay_elsewhere() {
    let case = Case::of(100_000).with_group("everyone", 3_000).members("everyone", &[], &people(1..3_000));
    insta::assert_snapshot!(case.picture(), @r#"
    leaves: 2999 memberships removed; the limit is 1000 in 24 hours, with 1000000 memberships [2999 people, 2999 items, 2999/1000, guard.leaves_max]
    leaves_per_group: 2999 of 3000 members would leave group everyone, at most 500 allowed in 24 hours: looks like a list that was replaced, not like people who moved [2999 people, 2999 items, 2999/500, guard.leaves_per_group_max]
    "#);
}

#[test]
fn a_group_that_lost_nearly_all_of_its_people_who_lose_everything() {
    let leavers = people(1..3_000);
    let case = Case::of(100_000).with_group("everyone", 3_000).members("everyone", &[], &leavers);
    insta::assert_snapshot!(case.deactivate(&leavers, &Departure::LeftScope).picture(), @r#"
    deactivations: 2999 deactivations; the limit is 50 in 24 hours, with 100000 active accounts; 2999 of 2999 for one reason, left every group in scope: looks like groups that were emptied or replaced, not like leavers [2999 people, 2999 items, 2999/50, guard.deactivations_max]
    "#);
}

#[test]
fn the_leaves_of_a_leaver_count_as_the_deactivation_only() {
    let leavers = people(0..5);
    let mut case = Case::of(100).deactivate(&leavers, &Departure::Gone);
    for name in people(0..40) {
        case = case.with_group(&name, 5).members(&name, &[], &leavers);
    }
    assert_eq!(case.picture(), "approved", "200 memberships of five leavers");
}

#[test]
fn half_of_all_accounts_is_held_whatever_the_limits_say() {
    let mut case = Case::of(8);
    case.limits = HUGE_LIMITS;
    assert_eq!(case.clone().deactivate(&people(0..3), &Departure::Gone).picture(), "approved");
    assert_eq!(case.clone().deactivate(&people(0..4), &Departure::Gone).kinds(), ["half_of_all"], "four of eight");
    insta::assert_snapshot!(case.deactivate(&people(0..5), &Departure::Gone).picture(), @r#"
    half_of_all: 5 of 8 accounts would be deactivated within 24 hours, half or more of all; 5 of 5 for one reason, no longer in Duo: looks like a purge or another tenant, not like leavers [5 people, 5 items, 5/8]
    "#);
}

#[test]
fn five_of_eight_people_are_half_though_the_limit_is_five() {
    assert_eq!(Case::of(8).deactivate(&people(0..5), &Departure::Gone).kinds(), ["half_of_all"]);
    let last = Case::of(1).deactivate(&people(0..1), &Departure::Gone);
    assert_eq!(last.kinds(), ["half_of_all"], "the only account");
}

#[test]
fn half_of_all_is_added_up_over_a_day() {
    let mut case = Case::of(6).spent(Class::Deactivation, 2);
    case.limits = HUGE_LIMITS;
    assert_eq!(case.clone().deactivate(&people(0..1), &Departure::Gone).picture(), "approved", "three of eight");
    insta::assert_snapshot!(case.deactivate(&people(0..2), &Departure::Gone).picture(), @r#"
    half_of_all: 4 of 8 accounts would be deactivated within 24 hours, half or more of all [2 people, 2 items, 4/8]
    "#);
}

#[test]
fn many_departures_of_one_kind_look_like_something() {
    let looks = |departure: &Departure| {
        let case = Case::of(400).deactivate(&people(0..39), departure);
        case.deactivate(&people(39..41), &Departure::Status("disabled".into())).picture()
    };
    let status = |status: &str| Departure::Status(status.into());
    let departures = [
        status("pending deletion"),
        status("locked out"),
        Departure::Gone,
        Departure::LeftScope,
        Departure::GroupDisabled,
        Departure::Blocked,
    ];
    let messages: Vec<String> = departures.iter().map(looks).collect();
    insta::assert_snapshot!(messages.join("\n"), @r#"
    deactivations: 41 deactivations; the limit is 20 in 24 hours, with 400 active accounts; 39 of 41 for one reason, pending deletion in Duo: looks like directory sync, not like leavers [41 people, 41 items, 41/20, guard.deactivations_max]
    deactivations: 41 deactivations; the limit is 20 in 24 hours, with 400 active accounts; 39 of 41 for one reason, locked out in Duo: looks like one change in Duo, not like leavers [41 people, 41 items, 41/20, guard.deactivations_max]
    deactivations: 41 deactivations; the limit is 20 in 24 hours, with 400 active accounts; 39 of 41 for one reason, no longer in Duo: looks like a purge or another tenant, not like leavers [41 people, 41 items, 41/20, guard.deactivations_max]
    deactivations: 41 deactivations; the limit is 20 in 24 hours, with 400 active accounts; 39 of 41 for one reason, left every group in scope: looks like groups that were emptied or replaced, not like leavers [41 people, 41 items, 41/20, guard.deactivations_max]
    deactivations: 41 deactivations; the limit is 20 in 24 hours, with 400 active accounts; 39 of 41 for one reason, in a group that is disabled in Duo: looks like one change in Duo, not like leavers [41 people, 41 items, 41/20, guard.deactivations_max]
    deactivations: 41 deactivations; the limit is 20 in 24 hours, with 400 active accounts; 39 of 41 for one reason, listed in scope.blocked_people: looks like one change of the configuration, not like leavers [41 people, 41 items, 41/20, guard.deactivations_max]
    "#);
}

#[test]
fn mixed_departures_look_like_nothing() {
    let case = Case::of(10).deactivate(&people(0..4), &Departure::Gone);
    let case = case.deactivate(&people(4..8), &Departure::LeftScope);
    insta::assert_snapshot!(case.picture(), @r#"
    half_of_all: 8 of 10 accounts would be deactivated within 24 hours, half or more of all [8 people, 8 items, 8/10]
    deactivations: 8 deactivations; the limit is 5 in 24 hours, with 10 active accounts [8 people, 8 items, 8/5, guard.deactivations_max]
    "#);
}

#[test]
fn leaves_of_a_group_that_is_adopted_by_this_plan_are_limited_too() {
    let held = edge(20, |who| {
        let mut case = Case::of(400);
        case.limits.adoptions = HUGE;
        let members = ids(&people(0..40));
        case.add(Step::AdoptGroup { group: group("eng"), scim_id: ScimId::new("g"), members }, Cause::Adoption);
        case.members("eng", &[], who)
    });
    insta::assert_snapshot!(held, @r#"
    leaves_per_group: 21 of 40 members would leave group eng, at most 20 allowed in 24 hours: looks like a list that was replaced, not like people who moved [21 people, 21 items, 21/20, guard.leaves_per_group_max]
    "#);
}
