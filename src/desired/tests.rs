//! People, groups and rules in small; what comes out, as text.

use super::*;
use crate::model::Attribute;
use crate::model::Group;
use crate::model::Person;
use crate::model::PersonStatus;

fn rules() -> Rules {
    Rules {
        groups: vec![Selector { wanted: Wanted::Pattern("*".into()), atlassian_name: None }],
        exclude_group_information: false,
        disabled_groups: Access::Keep,
        disabled_people: Access::Deactivate,
        pending_deletion_people: Access::Deactivate,
        locked_out_people: Access::Keep,
        mapping: [
            (Attribute::UserName, "username"),
            (Attribute::Emails, "email"),
            (Attribute::DisplayName, "realname"),
        ]
        .map(|(attribute, source)| (attribute, source.to_owned()))
        .into(),
        blocked_people: BTreeSet::new(),
        pilot_people: BTreeSet::new(),
        excluded_people: BTreeSet::new(),
        protected_groups: BTreeSet::new(),
        verified_domains: ["example.com".to_owned()].into(),
        grace_hours: 0,
    }
}

fn group(id: &str, name: &str, status: &str) -> Group {
    Group { id: GroupId::new(id), name: name.into(), status: GroupStatus::parse(status) }
}

fn person(id: &str, status: &str, email: &str) -> Person {
    let username = id.to_lowercase();
    let values = [("username", username.as_str()), ("email", email)];
    Person {
        id: PersonId::new(id),
        username: username.clone(),
        status: PersonStatus::parse(status),
        values: values.into_iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| (k.into(), v.into())).collect(),
        last_directory_sync: None,
    }
}

fn roster(groups: &[(Group, &[&str])], people: Vec<Person>) -> Roster {
    let groups = groups
        .iter()
        .map(|(group, members)| (group.id.clone(), (group.clone(), members.iter().map(PersonId::new).collect())));
    let people = people.into_iter().map(|person| (person.id.clone(), person)).collect();
    Roster { groups: groups.collect(), people, ..Roster::default() }
}

fn selection(roster: &Roster, selectors: &[Selector]) -> Selection {
    let groups: Vec<Group> = roster.groups.values().map(|(group, _)| group.clone()).collect();
    select(&groups, selectors, &[]).unwrap()
}

fn standings(roster: &Roster, rules: &Rules) -> Vec<String> {
    let desired = compute(roster, rules, &selection(roster, &rules.groups));
    let line = |(id, account): (&PersonId, &DesiredAccount)| {
        let mapped = if account.attributes.is_ok() { "mapped" } else { "not mapped" };
        format!("{id} {:?} {mapped}", account.standing)
    };
    desired.accounts.iter().map(line).collect()
}

#[test]
fn a_status_that_takes_access_away_works_without_an_address() {
    let eng = group("DG1", "eng", "Active");
    let people = vec![
        person("A", "active", "a@example.com"),
        person("B", "bypass", ""),
        person("C", "disabled", ""),
        person("D", "pending deletion", "d@example.com"),
        person("E", "locked out", "e@example.com"),
        person("F", "quarantined", "f@example.com"),
    ];
    let roster = roster(&[(eng, &["A", "B", "C", "D", "E", "F"])], people);
    insta::assert_snapshot!(standings(&roster, &rules()).join("\n"), @r#"
    A Active mapped
    B Active not mapped
    C Inactive(Status("disabled")) not mapped
    D Inactive(Status("pending deletion")) mapped
    E Keep("locked out in Duo") mapped
    F Untouched("unknown status \"quarantined\" in Duo") mapped
    "#);
}

#[test]
fn a_disabled_group_and_a_group_of_unknown_status() {
    let groups = [
        (group("DG1", "eng", "Active"), ["A", "B"].as_slice()),
        (group("DG2", "old", "Disabled"), &["B"]),
        (group("DG3", "odd", "Frozen"), &["C"]),
    ];
    let people = ["A", "B", "C"].map(|id| person(id, "active", "x@example.com")).to_vec();
    let roster = roster(&groups, people);
    let mut rules = rules();
    rules.blocked_people = ["a".to_owned()].into();
    insta::assert_snapshot!(standings(&roster, &rules).join("\n"), @r#"
    A Inactive(Blocked) mapped
    B Active mapped
    C Untouched("in groups of unknown status only") mapped
    "#);
    rules.disabled_groups = Access::Deactivate;
    assert_eq!(standings(&roster, &rules)[1], "B Inactive(GroupDisabled(\"old\")) mapped");
}

#[test]
fn who_was_asked_for_by_id_and_is_in_no_group_left_the_scope() {
    let mut roster = roster(&[(group("DG1", "eng", "Active"), &["A"])], vec![person("A", "active", "a@example.com")]);
    roster.confirm(&PersonId::new("A"), Some((person("A", "active", "a@example.com"), BTreeSet::new())));
    assert_eq!(standings(&roster, &rules()), ["A Inactive(LeftScope) mapped"]);
    roster.confirm(&PersonId::new("A"), None);
    assert!(standings(&roster, &rules()).is_empty());
}

#[test]
fn who_is_disabled_or_deleted_and_left_the_scope_did_not_only_leave_it() {
    let mut rules = rules();
    (rules.disabled_people, rules.pending_deletion_people) = (Access::Keep, Access::Keep);
    for (status, standing) in [
        ("locked out", "LeftScope"),
        ("disabled", "Status(\"disabled\")"),
        ("pending deletion", "Status(\"pending deletion\")"),
    ] {
        let somebody = || person("A", status, "a@example.com");
        let mut roster = roster(&[(group("DG1", "eng", "Active"), &["A"])], vec![somebody()]);
        assert_eq!(standings(&roster, &rules), [format!("A Keep(\"{status} in Duo\") mapped")]);
        roster.confirm(&PersonId::new("A"), Some((somebody(), BTreeSet::new())));
        assert_eq!(standings(&roster, &rules), [format!("A Inactive({standing}) mapped")]);
    }
}

#[test]
fn a_name_finds_a_synced_group_and_the_target_name_has_no_suffix() {
    let synced = group("DG1", "eng (from AD sync \"Corp\")", "Active");
    let by_name = |name: &str| Selector { wanted: Wanted::Name(name.into()), atlassian_name: None };
    let found = select(std::slice::from_ref(&synced), &[by_name("eng")], &[]).unwrap();
    assert_eq!(found.groups[&GroupId::new("DG1")].target_name(), "eng");
    let twin = group("DG2", "eng", "Active");
    let errors = select(&[synced, twin], &[by_name("eng"), by_name("ops")], &[]).unwrap_err();
    let text: Vec<String> = errors.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(text.join("\n"), @r#"
    scope.groups: { name = "eng" } matches 2 groups in Duo: DG1 "eng (from AD sync \"Corp\")", DG2 "eng"; select the one you mean by its id
    scope.groups: { name = "ops" } matches no group in Duo; correct it, or take it out (names are compared exactly, capital letters included)
    "#);
}

#[test]
fn what_a_selector_found_is_remembered() {
    let pattern = [Selector { wanted: Wanted::Pattern("team-*".into()), atlassian_name: None }];
    let before = [group("DG1", "team-a", "Active"), group("DG2", "team-b", "Active"), group("DG3", "team-c", "Active")];
    let remembered = select(&before, &pattern, &[]).unwrap().remembered();
    let now = [group("DG1", "team-z", "Active"), group("DG2", "crew-b", "Active"), group("DG4", "team-d", "Active")];
    let found = select(&now, &pattern, &remembered).unwrap();
    let ids: Vec<&str> = found.groups.keys().map(GroupId::as_str).collect();
    assert_eq!(ids, ["DG1", "DG4"]);
    let kinds: Vec<&str> = found
        .changes
        .iter()
        .map(|change| match change {
            ScopeChange::Vanished(was) | ScopeChange::StillGone(was) => was.group_id.as_str(),
            ScopeChange::LeftPattern { name, .. } | ScopeChange::Renamed { name, .. } => name,
            ScopeChange::NewMatch(found) => &found.name,
        })
        .collect();
    assert_eq!(kinds, ["DG3", "crew-b", "team-z", "team-d"]);
}

#[test]
fn another_group_under_a_known_name_is_a_new_match() {
    let eng = [Selector { wanted: Wanted::Name("eng".into()), atlassian_name: None }];
    let remembered = select(&[group("DG1", "eng", "Active")], &eng, &[]).unwrap().remembered();
    let found = select(&[group("DG9", "eng", "Active")], &eng, &remembered).unwrap();
    assert!(matches!(found.changes.as_slice(), [ScopeChange::Vanished(_), ScopeChange::NewMatch(_)]));
    let renamed = select(&[group("DG1", "ops", "Active"), group("DG9", "eng", "Active")], &eng, &remembered).unwrap();
    assert!(renamed.groups.contains_key(&GroupId::new("DG1")), "the group stays selected under its new name");
    assert!(!renamed.groups.contains_key(&GroupId::new("DG9")));
}

#[test]
fn a_selector_that_lost_its_last_group_is_no_mistake_and_takes_no_other_group_for_it() {
    for wanted in [Wanted::Name("eng".into()), Wanted::Id(GroupId::new("DG1")), Wanted::Pattern("e*".into())] {
        let selectors = [Selector { wanted: wanted.clone(), atlassian_name: None }];
        let remembered = select(&[group("DG1", "eng", "Active")], &selectors, &[]).unwrap().remembered();
        let gone = select(&[], &selectors, &remembered).unwrap();
        assert!(matches!(gone.changes.as_slice(), [ScopeChange::Vanished(_)]));
        let later = select(&[], &selectors, &gone.remembered()).unwrap();
        assert_eq!(later.groups.len(), 0, "{wanted:?}");
        if !matches!(wanted, Wanted::Id(_)) {
            let again = select(&[group("DG9", "eng", "Active")], &selectors, &later.remembered()).unwrap();
            assert!(again.changes.iter().any(|change| matches!(change, ScopeChange::NewMatch(_))), "{wanted:?}");
        }
    }
}

#[test]
fn a_group_that_two_selectors_find_is_not_new_in_every_cycle() {
    let by_id = Selector { wanted: Wanted::Id(GroupId::new("DG1")), atlassian_name: None };
    let selectors = [by_id, Selector { wanted: Wanted::Pattern("team-*".into()), atlassian_name: None }];
    let groups = [group("DG1", "team-a", "Active"), group("DG2", "team-b", "Active")];
    let remembered = select(&groups, &selectors, &[]).unwrap().remembered();
    assert_eq!(select(&groups, &selectors, &remembered).unwrap().changes, []);
    let without = select(&groups, &selectors[1..], &remembered).unwrap();
    assert_eq!(without.changes, [], "nor when the more exact selector is taken out");
    let remembered = select(&groups[..1], &selectors, &[]).unwrap().remembered();
    let grown = select(&groups, &selectors, &remembered).unwrap().changes;
    let [ScopeChange::NewMatch(found)] = grown.as_slice() else { panic!("{grown:?}") };
    assert_eq!(found.name, "team-b", "though the pattern had found nothing but what the other selector names");
}

#[test]
fn candidates_are_named_in_one_order_whatever_order_duo_lists_them_in() {
    let eng = [Selector { wanted: Wanted::Name("eng".into()), atlassian_name: None }];
    let groups = [group("DG1", "eng (from AD sync \"A\")", "Active"), group("DG2", "eng", "Active")];
    let [first, second] = groups.clone();
    assert_eq!(select(&groups, &eng, &[]), select(&[second, first], &eng, &[]));
}

#[test]
fn a_group_that_vanished_is_remembered_so_that_the_others_go_on() {
    let eng = [Selector { wanted: Wanted::Name("eng".into()), atlassian_name: None }];
    let remembered = select(&[group("DG1", "eng", "Active")], &eng, &[]).unwrap().remembered();
    let vanished = select(&[], &eng, &remembered).unwrap();
    assert!(matches!(vanished.changes.as_slice(), [ScopeChange::Vanished(_)]));
    let still = select(&[], &eng, &vanished.remembered()).unwrap();
    assert!(matches!(still.changes.as_slice(), [ScopeChange::StillGone(_)]), "reported, not held again");
    let back = select(&[group("DG1", "eng", "Active")], &eng, &still.remembered()).unwrap();
    assert!(matches!(back.changes.as_slice(), [ScopeChange::NewMatch(_)]), "held like any new group");
    assert!(back.groups.contains_key(&GroupId::new("DG1")));
}

#[test]
fn what_changed_in_the_rules_is_named_as_the_configuration_names_it() {
    let before = rules();
    let mut now = rules();
    now.groups = vec![Selector { wanted: Wanted::Name("eng".into()), atlassian_name: None }];
    now.blocked_people = ["mallory".to_owned()].into();
    now.locked_out_people = Access::Deactivate;
    now.grace_hours = 24;
    now.mapping.remove(&Attribute::DisplayName);
    insta::assert_snapshot!(describe_changes(&before, &now).join("\n"), @r#"
    scope.groups no longer lists { name = "*" }
    scope.groups lists { name = "eng" } now
    scope.blocked_people lists mallory now
    deprovisioning.locked_out_people is "deactivate" now
    deprovisioning.grace_hours is 24 now
    [mapping] is another
    "#);
    assert!(describe_changes(&before, &before).is_empty());
}
