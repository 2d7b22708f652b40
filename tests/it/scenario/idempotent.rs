//! A second sync has nothing to do, and asks no more than it must.

use super::scene::{Scene, picture};
use insta::assert_snapshot;

/// So many people in one group.
fn crowd(people: usize) -> Scene {
    let lines: Vec<String> = (1..=people).map(|number| format!("p{number} in everyone")).collect();
    let scene = Scene::with(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    scene.settle();
    scene
}

#[test]
fn a_second_sync_sends_no_request_at_all_to_atlassian() {
    let scene = Scene::settled(&["ana in eng ops", "bo in eng"]);
    let ran = scene.ends(0, &["sync"]);
    assert!(scene.target_requests().is_empty(), "{:?}", scene.target_requests());
    assert_snapshot!(picture(&ran), @"
    plan PLAN   desired: Duo, 2 groups, 2 people, read completely by TIME
                        compared with: snapshot 4, 2 accounts owned, 3 memberships

    nothing to do, 2 unchanged
    Nothing was to be sent.
    note: scope.groups: `*` selects every group of Duo
    exit 0
    ");
}

#[test]
fn a_second_sync_asks_duo_for_one_page_of_groups_and_for_people_by_three_hundred() {
    for (people, pages) in [(0_usize, 1), (1, 1), (300, 1), (301, 2), (650, 3)] {
        let scene = crowd(people.max(1));
        if people == 0 {
            scene.day(|duo| duo.leave("p1", "everyone"));
            scene.settle();
        }
        scene.ends(0, &["sync"]);
        let requests = scene.source_requests();
        let groups = requests.iter().filter(|line| line.starts_with("GET /admin/v1/groups?")).count();
        assert_eq!((groups, requests.len() - groups), (1, pages), "{people} people: {requests:#?}");
        assert!(scene.target_requests().is_empty());
    }
}

#[test]
fn a_small_group_of_a_large_tenant_is_read_by_its_members() {
    let scene = Scene::empty();
    scene.duo(|duo| {
        (1..=1_500).for_each(|number| drop(duo.hire(&format!("p{number}")).user_id.clone()));
        duo.hire("ana in eng");
    });
    scene.configure("[scope]\ngroups = [{ name = \"eng\" }]\n");
    scene.settle();
    scene.ends(0, &["sync"]);
    let requests = scene.source_requests();
    assert!(requests.len() <= 4, "{requests:#?}");
    assert!(scene.target_requests().is_empty());
}

#[test]
fn several_requests_at_once_end_where_one_after_the_other_ends() {
    let people: Vec<String> = (1..=60).map(|number| format!("p{number} in g{} g{}", number % 7, number % 5)).collect();
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    let one = Scene::settled(&people);
    let many = Scene::with(&people);
    many.configure_atlassian("members_per_request_max = 3", "");
    let text = std::fs::read_to_string(many.stage.config()).expect("a configuration");
    let text = text.replace("concurrent_requests_max = 1", "concurrent_requests_max = 16");
    std::fs::write(many.stage.config(), text).expect("a configuration");
    many.settle();
    assert_eq!(one.atlassian(|sim| sim.snapshot()), many.atlassian(|sim| sim.snapshot()));
    many.ends(0, &["sync"]);
    assert!(many.target_requests().is_empty());
}
