//! Lists that add up, and hold what cannot be.

use super::super::super::sim::duo::{DuoSim, Trashed};
use super::super::super::sim::wire::{Answer, Edit, Effect, Fault, Match};
use super::super::scene::Scene;
use super::bad_readings;
use super::world::{Way, always, edited, edited_rows, instead, list, settled, usernames, without_rows};
use serde_json::{Value, json};

const NOTHING: &str = "Nothing was to be sent";
const GROUPS: &str = "/admin/v1/groups";

/// Changes every person of the world.
fn everybody(scene: &Scene, change: impl Fn(&mut super::super::super::sim::duo::SimPerson)) {
    scene.duo(|duo| usernames().for_each(|name| change(duo.person(name))));
}

fn status(scene: &Scene, status: &str) {
    everybody(scene, |person| status.clone_into(&mut person.status));
}

/// The trash is in no list; by id its people are still found.
fn hidden_trash(scene: &Scene, _way: Way) {
    status(scene, "pending deletion");
    scene.duo(|duo| {
        duo.sim.switches.trashed_in_users = Trashed::Hidden;
        duo.sim.switches.trashed_in_members = Trashed::Hidden;
    });
}

fn group_status(scene: &Scene, status: &str) {
    scene.duo(|duo| ["eng", "ops"].into_iter().for_each(|name| status.clone_into(&mut duo.group(name).status)));
}

/// The same names and addresses under other ids, in groups of the same ids.
fn other_people(scene: &Scene, _way: Way) {
    scene.duo(|duo| {
        for name in usernames() {
            let groups = duo.person(name).groups.clone();
            duo.remove(name);
            let id = duo.hire(name).user_id.clone();
            for group in &groups {
                duo.world().join(&id, group);
            }
        }
    });
}

fn no_groups(scene: &Scene) {
    scene.duo(|duo| {
        for name in ["eng", "ops"] {
            let id = duo.group_id(name);
            duo.world().remove_group(&id);
        }
    });
}

/// Nothing is as it was, though all names are.
fn another_tenant(scene: &Scene, way: Way) {
    let members = |name| scene.atlassian(|sim| sim.members_of(name));
    let (eng, ops) = (members("eng"), members("ops"));
    no_groups(scene);
    other_people(scene, way);
    scene.duo(|duo| {
        for (group, members) in [("eng", &eng), ("ops", &ops)] {
            for name in members {
                duo.join(name, group);
            }
        }
    });
}

/// Everybody is gone for good, and every list agrees.
fn an_empty_tenant(scene: &Scene, _way: Way) {
    scene.duo(|duo| usernames().for_each(|name| duo.remove(name)));
}

fn nobody_in_any_group(scene: &Scene, _way: Way) {
    scene.duo(|duo| {
        for name in usernames() {
            let groups = duo.person(name).groups.clone();
            let id = duo.id(name);
            for group in &groups {
                duo.world().leave(&id, group);
            }
        }
    });
}

/// Six people who were in one group only are in none.
fn six_leave(scene: &Scene, _way: Way) {
    scene.duo(|duo| {
        for name in ["a", "b", "c", "d"] {
            duo.leave(name, "eng");
        }
        for name in ["i", "j"] {
            duo.leave(name, "ops");
        }
    });
}

fn records_name(scene: &Scene, on: Match, groups: Value) {
    always(scene, on, edited_rows(move |row| row["groups"] = groups.clone()));
}

/// Both lists of members in each other's place.
fn swapped_groups(scene: &Scene, _way: Way) {
    for (asked, given) in [("eng", "ops"), ("ops", "eng")] {
        let path = format!("/admin/v2/groups/{}/users", scene.duo(|duo| duo.group_id(asked)));
        let members: Vec<Value> = scene.duo(|duo| {
            let members = duo.sim.world.find_group(given).map(|group| group.members.clone()).unwrap_or_default();
            members.iter().map(|id| json!({ "user_id": id })).collect()
        });
        always(scene, Match::get(&path), Effect::Answer(whole(&members)));
    }
}

/// People of the tenant who are in no group at all, as the members of eng.
fn members_of_something_else(scene: &Scene, way: Way) {
    let strangers: Vec<Value> = scene.duo(|duo| {
        let people = duo.sim.world.people().filter(|person| person.groups.is_empty());
        people.take(20).map(|person| json!({ "user_id": person.user_id })).collect()
    });
    instead(scene, way, whole(&strangers));
}

fn whole(rows: &[Value]) -> Answer {
    let total = rows.len();
    Answer::json(200, &json!({ "stat": "OK", "response": rows, "metadata": { "total_objects": total } }))
}

/// eng is removed when the list of groups has left.
fn eng_vanishes(scene: &Scene, _way: Way) {
    let eng = scene.duo(|duo| duo.group_id("eng"));
    let remove = move |sim: &mut DuoSim| sim.world.remove_group(&eng);
    scene.stage.duo.fault(Fault::once(Match::get(GROUPS), Effect::WorldAfter(Box::new(remove))));
}

/// The second page of groups never comes, and the first does not tell of it.
fn half_of_the_groups(scene: &Scene, _way: Way) {
    scene.duo(|duo| duo.sim.switches.groups_page_max = 1);
    always(scene, Match::get(GROUPS), edited(|body| body["metadata"]["next_offset"] = Value::Null));
}

/// The same, and no total either.
fn half_of_the_groups_and_no_total(scene: &Scene, _way: Way) {
    scene.duo(|duo| duo.sim.switches.groups_page_max = 1);
    always(scene, Match::get(GROUPS), edited(|body| body["metadata"] = json!({})));
}

fn same_page_of_groups(scene: &Scene, _way: Way) {
    let again: Edit = Box::new(|_, answer| {
        let mut body: Value = serde_json::from_slice(&answer.body).expect("JSON");
        let first = body["response"][0].clone();
        if let Some(rows) = body["response"].as_array_mut() {
            rows.push(first);
        }
        answer.body = body.to_string().into_bytes();
    });
    always(scene, Match::get(GROUPS), Effect::Rewrite(again));
}

/// The name is remembered; nothing else follows from it.
#[test]
fn a_group_bears_anothers_name() {
    let scene = settled(Way::Everyone);
    scene.duo(|duo| duo.rename_group("eng", "ops"));
    let directory = scene.atlassian(|sim| sim.snapshot());
    let ran = scene.ends(0, &["sync"]);
    assert!(ran.stdout.contains("is named \"ops\" in Duo now; it stays selected"), "{}", ran.stdout);
    scene.changes_nothing(0, &["sync"]);
    assert!(scene.target_requests().is_empty());
    assert_eq!(scene.atlassian(|sim| sim.snapshot()), directory);
}

bad_readings! {
    everybody_is_disabled: Everyone, Held, ["13 of 13 accounts would be deactivated", "one change in Duo, not like leavers"], |s, _| status(s, "disabled");
    everybody_is_disabled_among_members: Members, Held, ["13 of 13 accounts would be deactivated"], |s, _| status(s, "disabled");
    everybody_is_in_the_trash: Everyone, Held, ["looks like directory sync, not like leavers"], |s, _| status(s, "pending deletion");
    everybody_is_in_the_trash_and_in_no_list: Everyone, Held, ["looks like directory sync, not like leavers"], hidden_trash;
    everybody_is_in_the_trash_and_in_no_group: Members, Held, ["looks like directory sync, not like leavers"], hidden_trash;
    every_status_is_unknown: Everyone, Quiet, ["unknown status \"frozen\" in Duo: left as it is", NOTHING], |s, _| status(s, "frozen");
    every_status_is_unknown_among_members: Members, Quiet, ["unknown status \"\" in Duo: left as it is", NOTHING], |s, _| status(s, "");
    every_address_is_emptied: Everyone, Quiet, ["no address in Duo (email is empty)", NOTHING], |s, _| everybody(s, |person| person.email.clear());
    every_address_is_emptied_among_members: Members, Quiet, ["no address in Duo (email is empty)", NOTHING], |s, _| everybody(s, |person| person.email.clear());
    every_address_is_no_address: Everyone, Quiet, ["is not an address", NOTHING], |s, _| everybody(s, |person| "see notes".clone_into(&mut person.email));
    every_address_is_the_same: Everyone, Quiet, [NOTHING], |s, _| everybody(s, |person| "all@example.com".clone_into(&mut person.email));
    every_address_is_in_another_domain: Everyone, Quiet, [NOTHING], |s, _| everybody(s, |person| person.email = format!("{}@example.net", person.username));
    every_address_is_another: Everyone, Held, ["13 changes of userName or address; the limit is 5"], |s, _| everybody(s, |person| person.email = format!("x-{}", person.email));
    every_username_is_another: Everyone, Held, ["13 changes of userName or address; the limit is 5"], |s, _| everybody(s, |person| person.username = format!("x-{}", person.username));
    every_username_is_another_among_members: Members, Held, ["13 changes of userName or address; the limit is 5"], |s, _| everybody(s, |person| person.username = format!("x-{}", person.username));
    every_username_is_empty: Everyone, Quiet, [NOTHING], |s, _| everybody(s, |person| person.username.clear());
    another_tenants_people: Everyone, Held, ["13 of 13 accounts would be deactivated", "looks like a purge or another tenant"], other_people;
    another_tenants_people_as_members: Members, Held, ["13 of 13 accounts would be deactivated", "looks like a purge or another tenant"], other_people;
    another_tenants_people_and_groups: Everyone, Held, ["is not in Duo any more", "looks like a purge or another tenant"], another_tenant;
    another_tenants_people_and_groups_by_members: Members, Held, ["is not in Duo any more", "looks like a purge or another tenant"], another_tenant;
    an_empty_tenant_that_adds_up: Everyone, Held, ["Duo lists nobody at all in the selected groups", "had 9 people and has none now"], an_empty_tenant;
    empty_groups_that_add_up: Members, Held, ["Duo lists nobody at all in the selected groups", "had 9 people and has none now"], an_empty_tenant;
    everybody_left_every_group: Everyone, Held, ["Duo lists nobody at all", "looks like groups that were emptied or replaced"], nobody_in_any_group;
    half_of_the_people_left_and_the_records_agree: Everyone, Held, ["6 deactivations; the limit is 5"], six_leave;
    half_of_the_members_left_and_the_records_agree: Members, Held, ["6 deactivations; the limit is 5"], six_leave;
    people_without_groups_in_the_list_alone: Everyone, Quiet, [NOTHING], |s, w| records_name(s, list(s, w), json!([]));
    people_in_groups_of_another_tenant_in_the_list_alone: Everyone, Quiet, [NOTHING], |s, w| {
        records_name(s, list(s, w), json!([{ "group_id": "DGXXXXXXXXXXXXXXXXXX", "name": "eng" }]));
    };
    people_without_groups_everywhere: Everyone, Held, ["Duo lists nobody at all"], |s, _| records_name(s, Match::get("/admin/v1/users"), json!([]));
    members_whose_records_name_no_group: Members, Unread, ["disagree about 13 of 13 people"], |s, _| records_name(s, Match::get("/admin/v1/users"), json!([]));
    members_lists_in_each_others_place: Members, Quiet, ["changed while being read; their own records count", NOTHING], swapped_groups;
    members_of_something_else_altogether: Members, Unread, ["disagree about"], members_of_something_else;
    people_without_a_list_of_groups: Everyone, Unread, ["comes without a list of groups"], |s, w| records_name(s, list(s, w), Value::Null);
    people_in_a_group_without_an_id: Everyone, Unread, ["has no group_id"], |s, w| records_name(s, list(s, w), json!([{ "name": "eng" }]));
    all_groups_are_disabled: Everyone, Quiet, [NOTHING], |s, _| group_status(s, "Disabled");
    all_groups_have_an_unknown_status: Members, Quiet, [NOTHING], |s, _| group_status(s, "Frozen");
    a_group_vanishes_while_being_read: Everyone, Held, ["had 9 people and has none now"], eng_vanishes;
    a_group_vanishes_before_its_members_are_read: Members, UnreadThisTime, ["Duo does not have what was asked for, the members of group DG"], eng_vanishes;
    all_groups_are_gone: Everyone, Held, ["is not in Duo any more"], |s, _| no_groups(s);
    the_list_of_groups_is_empty_and_the_groups_are_there: Everyone, Unread, ["which Duo gives when asked for by its id"], |s, _| always(s, Match::get(GROUPS), without_rows(|_| true));
    a_page_of_groups_is_missing: Everyone, Unread, ["the list of groups could not be read completely: 1 rows were received, but Duo counts 2"], half_of_the_groups;
    a_page_of_groups_is_missing_and_nothing_tells: Members, Unread, ["which Duo gives when asked for by its id"], half_of_the_groups_and_no_total;
    a_group_twice: Members, Unread, ["the list of groups could not be read completely: 3 rows"], same_page_of_groups;
    a_group_without_an_id: Everyone, Unread, ["a group has no group_id"], |s, _| {
        always(s, Match::get(GROUPS), edited(|body| body["response"][0]["group_id"] = Value::Null));
    };
}
