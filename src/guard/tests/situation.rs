//! Findings that no number decides (S5, S6, S7, S2).

use super::*;
use crate::desired::Remembered;

fn remembered(name: &str) -> Remembered {
    Remembered {
        selector: "{ name = \"team-*\" }".to_owned(),
        group_id: group(name).group_id,
        name: name.to_owned(),
        gone: false,
    }
}

/// `p0` leaves group `team-a` and keeps the account; `p1` loses both; `p2` leaves another group.
fn two_leave_team_a() -> Case {
    Case::of(400)
        .with_group("team-a", 40)
        .with_group("ops", 40)
        .deactivate(&people(1..2), &Departure::LeftScope)
        .members("ops", &[], &people(2..3))
        .members("team-a", &people(7..8), &people(0..2))
}

fn texts(case: &Case) -> String {
    let text = |item: &Item| {
        let id = |id: Option<&str>| id.map(|id| format!(" {id}")).unwrap_or_default();
        let person = id(item.person.as_ref().map(PersonId::as_str));
        format!("  {}{person}{}", item.what, id(item.group.as_ref().map(GroupId::as_str)))
    };
    let items: Vec<String> = case.held().risky_items().iter().map(text).collect();
    format!("{}\n{}", case.picture(), items.join("\n"))
}

#[test]
fn the_first_plan_of_a_database_waits_for_a_person() {
    let mut case = Case::of(0).create(&people(0..2)).members("eng", &people(0..2), &[]);
    case.situation.history = History::None;
    insta::assert_snapshot!(texts(&case), @r#"
    first_plan: this is the first plan of this database: it is reviewed before anything is sent [2 people, 4 items, guard.first_plan]
      create p0 DUp0
      create p1 DUp1
      join DUp0 DGeng
      join DUp1 DGeng
    "#);
    case.limits.first_plan = FirstPlan::Apply;
    assert_eq!(case.picture(), "approved", "unless the configuration says otherwise");
}

#[test]
fn a_roster_that_became_empty_is_held() {
    let mut case = two_leave_team_a();
    assert_eq!(case.picture(), "approved");
    case.situation.roster = RosterSize::BecameEmpty;
    insta::assert_snapshot!(texts(&case), @r#"
    empty_roster: Duo lists nobody at all in the selected groups: looks like a mistake there, not like leavers [3 people, 4 items]
      deactivate DUp1
      leave DUp0 DGteam-a
      leave DUp1 DGteam-a
      leave DUp2 DGops
    "#);
}

#[test]
fn a_group_that_became_empty_is_held_with_those_who_lose_their_account() {
    let mut case = two_leave_team_a();
    case.situation.emptied_groups.push((group("team-a").group_id, "team-a".into(), 3));
    insta::assert_snapshot!(texts(&case), @r#"
    empty_group: group team-a (DGteam-a) had 3 people and has none now: looks like a mistake in Duo [2 people, 3 items]
      deactivate DUp1
      leave DUp0 DGteam-a
      leave DUp1 DGteam-a
    "#);
    case.situation.emptied_groups.clear();
    assert_eq!(case.picture(), "approved", "a group of two is not given as emptied");
}

#[test]
fn a_group_that_vanished_is_held() {
    let mut case = two_leave_team_a();
    case.situation.scope_changes.push(ScopeChange::Vanished(remembered("team-a")));
    insta::assert_snapshot!(texts(&case), @r#"
    vanished_group: group team-a (DGteam-a), selected by { name = "team-*" }, is not in Duo any more [2 people, 3 items]
      deactivate DUp1
      leave DUp0 DGteam-a
      leave DUp1 DGteam-a
    "#);
}

#[test]
fn a_group_that_left_its_pattern_is_held() {
    let mut case = two_leave_team_a();
    let change = ScopeChange::LeftPattern { was: remembered("team-a"), name: "crew-a".into() };
    case.situation.scope_changes.push(change);
    insta::assert_snapshot!(texts(&case), @r#"
    left_pattern: group team-a (DGteam-a) is named "crew-a" now, which { name = "team-*" } does not select [2 people, 3 items]
      deactivate DUp1
      leave DUp0 DGteam-a
      leave DUp1 DGteam-a
    "#);
}

#[test]
fn a_group_that_a_selector_did_not_find_before_is_held_with_those_who_come_by_it() {
    let mut case = Case::of(400).create(&people(0..2)).reactivate(&people(2..3)).create(&people(8..9));
    case.add(Step::CreateGroup { group: group("team-b") }, Cause::Source);
    let mut case = case.members("ops", &people(8..9), &[]).members("team-b", &people(0..4), &[]);
    case.situation.scope_changes.push(ScopeChange::NewMatch(remembered("team-b")));
    insta::assert_snapshot!(texts(&case), @r#"
    new_group: { name = "team-*" } selects group "team-b" (DGteam-b), which it did not before [4 people, 8 items]
      create p0 DUp0
      create p1 DUp1
      create team-b DGteam-b
      join DUp0 DGteam-b
      join DUp1 DGteam-b
      join DUp2 DGteam-b
      join DUp3 DGteam-b
      reactivate DUp2
    "#);
}

#[test]
fn a_renamed_group_is_not_held() {
    let mut case = two_leave_team_a();
    case.situation.scope_changes.push(ScopeChange::Renamed { was: remembered("team-a"), name: "team-z".into() });
    assert_eq!(case.picture(), "approved");
}

#[test]
fn a_changed_selection_that_takes_nothing_is_not_held() {
    let mut case = Case::of(400).with_group("team-a", 0).create(&people(0..1));
    case.situation.scope_changes = vec![
        ScopeChange::Vanished(remembered("team-a")),
        ScopeChange::LeftPattern { was: remembered("team-a"), name: "x".into() },
    ];
    case.situation.emptied_groups.push((group("team-a").group_id, "team-a".into(), 3));
    case.situation.roster = RosterSize::BecameEmpty;
    assert_eq!(case.picture(), "approved");
}

#[test]
fn what_the_configuration_takes_away_is_held_and_what_it_gives_is_not() {
    let given = Case::of(400).create(&people(0..2)).set(&people(2..4), &[Attribute::Title]).by_configuration();
    assert_eq!(given.picture(), "approved");
    let taken = two_leave_team_a().by_configuration().members("eng", &[], &people(9..10)).with_group("eng", 40);
    insta::assert_snapshot!(texts(&taken), @"
    configuration: 3 people would lose access or memberships because the configuration changed, not because Duo changed: 1 deactivated, 3 memberships removed [3 people, 4 items]
      deactivate DUp1
      leave DUp0 DGteam-a
      leave DUp1 DGteam-a
      leave DUp2 DGops
    ");
}

#[test]
fn what_the_configuration_gives_counts_against_the_limits() {
    let case = Case::of(400).create(&people(0..51)).by_configuration();
    assert_eq!(case.kinds(), ["creates"]);
}

#[test]
fn a_pilot_that_ended_is_held() {
    let mut case = Case::of(400).create(&people(0..1)).set(&people(1..2), &[Attribute::Title]);
    case.situation.pilot = Pilot::Ended;
    insta::assert_snapshot!(texts(&case), @r#"
    pilot_ended: scope.pilot_people is empty now: everybody is acted on, not the pilot alone [2 people, 2 items, scope.pilot_people]
      create p0 DUp0
      set title=new-p1 DUp1
    "#);
}

#[test]
fn people_who_were_not_asked_for_are_held() {
    let mut case = two_leave_team_a();
    case.plan.unconfirmed = ids(&people(1..3)).into_iter().collect();
    insta::assert_snapshot!(texts(&case), @r#"
    unconfirmed: 2 people are missing from Duo's lists and were not asked for one by one yet: that happens before the plan is sent [2 people, 3 items]
      deactivate DUp1
      leave DUp1 DGteam-a
      leave DUp2 DGops
    "#);
}

#[test]
fn who_waits_in_a_grace_period_unconfirmed_holds_nothing() {
    let mut case = Case::of(400).create(&people(0..1));
    case.plan.unconfirmed = ids(&people(5..6)).into_iter().collect();
    case.plan.in_grace = case.plan.unconfirmed.clone();
    assert_eq!(case.picture(), "approved");
}

#[test]
fn an_approval_does_not_stand_for_asking_one_by_one() {
    let mut case = two_leave_team_a();
    case.plan.unconfirmed = ids(&people(1..3)).into_iter().collect();
    let mut case = case.clone().approve(case.held().risky_items());
    assert_eq!(case.kinds(), ["unconfirmed"], "it is approved, and still not confirmed");
    case.plan.unconfirmed.clear();
    assert_eq!(case.picture(), "approved");
}

/// The same changes where memberships are not managed: the plan cannot tell who was in which group.
fn two_lose_their_account() -> Case {
    Case::of(400)
        .deactivate(&people(0..1), &Departure::LeftScope)
        .deactivate(&people(1..2), &Departure::Gone)
        .deactivate(&people(2..3), &Departure::Status("disabled".into()))
}

#[test]
fn a_changed_selection_is_held_where_memberships_are_not_managed() {
    let changes = [
        ScopeChange::Vanished(remembered("team-a")),
        ScopeChange::LeftPattern { was: remembered("team-a"), name: "crew-a".into() },
    ];
    for change in changes {
        let mut case = two_lose_their_account();
        case.situation.scope_changes.push(change);
        assert_eq!(case.held().risky_items().len(), 2, "who is disabled did not leave with the group");
        let case = case.clone().approve(case.held().risky_items());
        assert_eq!(case.picture(), "approved");
    }
    let mut case = two_lose_their_account();
    case.situation.emptied_groups.push((group("team-a").group_id, "team-a".into(), 3));
    assert_eq!(case.kinds(), ["empty_group"]);
}

#[test]
fn a_new_group_is_held_where_memberships_are_not_managed() {
    let mut case = Case::of(400).create(&people(0..2)).set(&people(3..4), &[Attribute::Title]);
    case.situation.scope_changes.push(ScopeChange::NewMatch(remembered("team-b")));
    assert_eq!(case.held().risky_items().len(), 2);
    let case = case.clone().approve(case.held().risky_items());
    assert_eq!(case.picture(), "approved");
}
