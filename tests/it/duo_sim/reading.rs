//! Reading people and groups.

use serde_json::json;

use super::client::{NOW, get, read, tenant};
use crate::sim::company::Company;
use crate::sim::duo::{DuoSim, Ends, MemberShape, Numbers, Totals, Trashed, UnknownIds};
use crate::sim::wire::Simulator;

/// Five people, of whom the first four are in one group.
fn office() -> (Simulator<DuoSim>, String, Vec<String>) {
    let mut duo = tenant();
    let group = duo.world.add_group("eng");
    let people: Vec<String> = ["ana", "bo", "cleo", "dan", "eve"]
        .into_iter()
        .map(|name| duo.world.add_person(name, &format!("{name}@example.com")))
        .collect();
    for person in people.iter().take(4) {
        duo.world.join(person, &group);
    }
    (Simulator::start(duo), group, people)
}

#[test]
fn pages_lead_from_one_to_the_next() {
    let (simulator, _, _) = office();
    let page = |query: &str| {
        let reply = read(&simulator, &format!("/admin/v1/users?{query}"));
        format!("{} {}", reply.column("username").join(" "), reply.metadata())
    };
    assert_eq!(page("limit=2"), r#"ana bo {"next_offset":2,"prev_offset":null,"total_objects":5}"#);
    assert_eq!(page("limit=2&offset=2"), r#"cleo dan {"next_offset":4,"prev_offset":0,"total_objects":5}"#);
    assert_eq!(page("limit=2&offset=4"), r#"eve {"next_offset":null,"prev_offset":2,"total_objects":5}"#);
    assert_eq!(page("limit=2&offset=9"), r#" {"next_offset":null,"prev_offset":7,"total_objects":5}"#);
}

#[test]
fn metadata_can_take_every_shape_that_clients_have_met() {
    let (simulator, _, _) = office();
    simulator.with(|duo| {
        duo.switches.page_max = Some(3);
        duo.switches.ends = Ends::Absent;
        duo.switches.totals = Totals::Omitted;
        duo.switches.numbers = Numbers::Strings;
    });
    let reply = read(&simulator, "/admin/v1/users?limit=300");
    assert_eq!(reply.column("username").len(), 3, "the server chooses the size");
    assert_eq!(reply.metadata(), r#"{"next_offset":"3"}"#);
    assert_eq!(read(&simulator, "/admin/v1/users?offset=3").metadata(), r#"{"prev_offset":"0"}"#);
}

#[test]
fn limits_are_clamped_to_each_list() {
    let mut duo = tenant();
    let filled = Company::seeded(1).fill(&mut duo, 700, 120);
    let group = duo.world.add_group("everybody");
    filled.people.iter().for_each(|person| duo.world.join(person, &group));
    let simulator = Simulator::start(duo);
    let rows = |target: &str| read(&simulator, target).json()["response"].as_array().unwrap().len();
    let members = format!("/admin/v2/groups/{group}/users");
    assert_eq!(rows("/admin/v1/users"), 100);
    assert_eq!(rows("/admin/v1/users?limit=1000"), 300);
    assert_eq!(rows("/admin/v1/groups?limit=1000"), 100);
    simulator.with(|duo| duo.switches.groups_page_max = 500);
    assert_eq!(rows("/admin/v1/groups?limit=1000"), 121);
    assert_eq!(rows(&members), 100);
    assert_eq!(rows(&format!("{members}?limit=1000")), 500);
}

#[test]
fn members_carry_little_and_users_carry_their_groups() {
    let (simulator, group, people) = office();
    let members = format!("/admin/v2/groups/{group}/users?limit=1");
    let row = json!([{ "user_id": people[0], "username": "ana" }]);
    assert_eq!(read(&simulator, &members).json()["response"], row);
    simulator.with(|duo| duo.switches.members = MemberShape::Full);
    assert_eq!(read(&simulator, &members).json()["response"][0]["email"], "ana@example.com");

    let user = read(&simulator, &format!("/admin/v1/users/{}", people[0])).json()["response"].clone();
    assert_eq!(user["groups"][0]["group_id"], json!(group));
    assert_eq!(user["status"], "active");
    assert_eq!(read(&simulator, &format!("/admin/v1/users/{}/groups", people[0])).column("name"), ["eng"]);
    for version in ["v1", "v2"] {
        let reply = read(&simulator, &format!("/admin/{version}/groups/{group}"));
        assert_eq!(reply.json()["response"]["status"], "Active");
    }
}

#[test]
fn filters_find_names_aliases_addresses_and_ids() {
    let (simulator, group, people) = office();
    simulator.with(|duo| duo.world.person_mut(&people[1]).aliases = vec!["boris".to_owned()]);
    let found = |query: &str| read(&simulator, &format!("/admin/v1/users?{query}")).column("username").join(" ");
    assert_eq!(found("username=cleo"), "cleo");
    assert_eq!(found("username=BORIS"), "bo");
    assert_eq!(found("username=nobody"), "");
    assert_eq!(found("email=Dan%40Example.com"), "dan");
    assert_eq!(found("username_list=[%22eve%22,+%22boris%22]"), "eve bo");
    let ids = format!(r#"user_id_list=["{}","DUNOBODY","{}"]"#, people[4], people[0]);
    assert_eq!(found(&ids), "eve ana");
    let groups = format!(r#"/admin/v1/groups?group_id_list=["DGNONE","{group}"]"#);
    assert_eq!(read(&simulator, &groups).column("name"), ["eng"]);
    simulator.with(|duo| duo.switches.unknown_ids = UnknownIds::NotFound);
    assert_eq!(read(&simulator, &groups).status, 404);
}

#[test]
fn people_leave_change_and_vanish() {
    let (simulator, group, people) = office();
    simulator.with(|duo| {
        duo.world.leave(&people[0], &group);
        duo.world.rename(&people[1], "robert");
        duo.world.trash(&people[2]);
        duo.world.remove_person(&people[3]);
        duo.world.set_status(&people[4], "locked out");
        duo.world.person_mut(&people[4]).custom.insert("realname".to_owned(), json!(7));
    });
    let members = format!("/admin/v2/groups/{group}/users");
    assert_eq!(read(&simulator, &members).column("username"), ["robert", "cleo"]);
    let users = read(&simulator, "/admin/v1/users");
    assert_eq!(users.column("status"), ["active", "active", "pending deletion", "locked out"]);
    assert_eq!(users.json()["response"][3]["realname"], 7);
    assert_eq!(read(&simulator, &format!("/admin/v1/users/{}", people[3])).status, 404);

    simulator.with(|duo| {
        duo.switches.trashed_in_users = Trashed::Hidden;
        duo.switches.trashed_in_members = Trashed::Hidden;
        duo.world.remove_group(&group);
    });
    assert_eq!(read(&simulator, "/admin/v1/users").column("username"), ["ana", "robert", "eve"]);
    assert_eq!(read(&simulator, &members).status, 404);
    let summary = read(&simulator, "/admin/v1/info/summary").json()["response"].clone();
    assert_eq!((&summary["user_count"], &summary["user_pending_deletion_count"]), (&json!(3), &json!(1)));
}

#[test]
fn the_time_is_told_without_credentials() {
    let simulator = Simulator::start(tenant());
    simulator.with(|duo| duo.switches.clock_offset_seconds = 60);
    let reply = get(&simulator, "/auth/v2/ping", &[]);
    assert_eq!(reply.json(), json!({ "stat": "OK", "response": { "time": NOW + 60 } }));
    assert!(reply.head.contains("\r\nDate: Tue, 21 Aug 2012 17:30:18 GMT\r\n"), "{}", reply.head);
}

#[test]
fn a_company_of_ten_thousand_is_the_same_each_time() {
    let company = || {
        let mut duo = tenant();
        Company::seeded(42).fill(&mut duo, 10_000, 40);
        duo
    };
    let (one, other) = (company(), company());
    assert!(one.world.people().zip(other.world.people()).all(|(a, b)| format!("{a:?}") == format!("{b:?}")));
    let names: std::collections::BTreeSet<_> = one.world.people().map(|person| &person.username).collect();
    let ids: std::collections::BTreeSet<_> = one.world.people().map(|person| &person.user_id).collect();
    assert_eq!((names.len(), ids.len()), (10_000, 10_000));
    assert!(ids.iter().all(|id| id.len() == 20 && id.starts_with("DU")));
    assert!(names.iter().all(|name| name.is_ascii()));
    assert!(one.world.people().all(|person| (1..=3).contains(&person.groups.len())));
    assert!(one.world.groups().all(|group| !group.members.is_empty()));
}
