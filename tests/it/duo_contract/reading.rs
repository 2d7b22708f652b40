//! What is read, and how many requests it takes.

use super::{attributes, client, groups, held, read, settings, tenant, truth};
use crate::sim::duo::{Ends, MemberShape, Numbers, Totals, UnknownIds};
use duo_atlassian_sync::clock::Clock;
use duo_atlassian_sync::duo::{Client, SignatureVersion};
use duo_atlassian_sync::model::PersonId;
use duo_atlassian_sync::model::PersonStatus;
use serde_json::json;

#[tokio::test]
async fn a_small_tenant_is_read_with_one_request() {
    let simulator = tenant(120, 5);
    let client = client(&simulator);
    let groups = client.read_groups().await.unwrap();
    assert_eq!((groups.len(), client.requests_sent()), (5, 1));
    let roster = read(&client, &groups).await.unwrap();
    assert_eq!(held(&roster), truth(&simulator, &groups));
    assert_eq!((roster.people.len(), roster.requests), (120, 1));
    assert_eq!(roster.remarks, Vec::<String>::new());
}

#[tokio::test]
async fn both_ways_give_the_same_roster() {
    let simulator = tenant(2_000, 130);
    let client = client(&simulator);
    let all = client.read_groups().await.unwrap();
    assert_eq!((all.len(), client.requests_sent()), (130, 2), "two pages of groups");
    let few = &all[..3];
    let by_members = read(&client, few).await.unwrap();
    let by_everyone = read(&client, &all).await.unwrap();
    assert_eq!(by_everyone.requests, 7, "2,000 people by 300");
    let people = u64::try_from(by_members.people.len()).unwrap();
    assert_eq!(by_members.requests, 1 + 3 + people.div_ceil(100), "one to choose, three lists, the people by 100");
    assert_eq!(held(&by_members), truth(&simulator, few));
    assert_eq!(held(&by_everyone), truth(&simulator, &all));
    for (id, person) in &by_members.people {
        assert_eq!(by_everyone.people.get(id), Some(person));
    }
    assert!(by_members.remarks.is_empty() && by_everyone.remarks.is_empty());
}

#[tokio::test]
async fn the_second_reading_chooses_without_a_request() {
    let simulator = tenant(2_000, 130);
    let client = client(&simulator);
    let few = client.read_groups().await.unwrap()[..3].to_vec();
    let first = read(&client, &few).await.unwrap();
    let second = read(&client, &few).await.unwrap();
    assert_eq!(second.requests, first.requests - 1);
    assert_eq!(held(&second), held(&first));
}

#[tokio::test]
async fn a_group_that_turns_out_large_costs_one_look() {
    let simulator = tenant(2_000, 1);
    let client = client(&simulator);
    let groups = client.read_groups().await.unwrap();
    let roster = read(&client, &groups).await.unwrap();
    assert_eq!((roster.people.len(), roster.requests), (2_000, 7 + 1));
    assert_eq!(read(&client, &groups).await.unwrap().requests, 7);
}

#[tokio::test]
async fn every_form_that_duo_may_answer_in_is_read() {
    let simulator = tenant(700, 40);
    let client = client(&simulator);
    let all = client.read_groups().await.unwrap();
    let few = &all[..1];
    let check = async || {
        assert_eq!(held(&read(&client, &all).await.unwrap()), truth(&simulator, &all));
        assert_eq!(held(&read(&client, few).await.unwrap()), truth(&simulator, few));
    };
    simulator.with(|duo| (duo.switches.numbers, duo.switches.ends) = (Numbers::Strings, Ends::Absent));
    check().await;
    simulator.with(|duo| (duo.switches.totals, duo.switches.members) = (Totals::Omitted, MemberShape::Full));
    check().await;
    simulator.with(|duo| duo.switches.page_max = Some(37));
    check().await;
}

#[tokio::test]
async fn the_old_signature_works_too() {
    let simulator = tenant(3, 1);
    let settings = duo_atlassian_sync::duo::Settings { signature: SignatureVersion::V2, ..settings(&simulator) };
    let client = Client::new(&settings, Clock::simulated(super::NOW, 1)).unwrap();
    assert_eq!(client.probe().await.unwrap().people, Some(3));
}

#[tokio::test]
async fn people_are_read_by_id_and_only_duo_says_who_is_gone() {
    let simulator = tenant(250, 2);
    let mut ids: Vec<PersonId> =
        simulator.with(|duo| duo.world.people().map(|person| PersonId::new(&person.user_id)).collect());
    ids.push(PersonId::new("DUGONE00000000000000"));
    for (unknown_ids, requests) in
        [(UnknownIds::Skipped, 3 + 1), (UnknownIds::NotFound, 3 + 100), (UnknownIds::BadRequest, 3 + 100)]
    {
        simulator.with(|duo| duo.switches.unknown_ids = unknown_ids);
        let client = client(&simulator);
        let people = client.read_people(&ids, &attributes()).await.unwrap();
        assert_eq!((people.len(), client.requests_sent()), (251, requests), "{unknown_ids:?}");
        assert_eq!(people.values().filter(|person| person.is_none()).count(), 1);
        assert_eq!(people.get("DUGONE00000000000000"), Some(&None));
    }
}

#[tokio::test]
async fn one_person_and_one_group_are_found_or_not() {
    let simulator = tenant(3, 2);
    let client = client(&simulator);
    let (username, alias_of) = simulator.with(|duo| {
        let person = duo.world.people().next().unwrap().clone();
        duo.world.person_mut(&person.user_id).aliases.push("nick name@x".to_owned());
        (person.username, person.user_id)
    });
    let found = client.read_person_by_username(&username, &attributes()).await.unwrap().unwrap();
    assert_eq!(found.person.id.as_str(), alias_of);
    let by_alias = client.read_person_by_username("nick name@x", &attributes()).await.unwrap().unwrap();
    assert_eq!(by_alias, found);
    assert_eq!(client.read_person_by_username("nobody", &attributes()).await.unwrap(), None);
    let group = client.read_groups().await.unwrap().remove(0);
    assert_eq!(client.read_group(&group.id).await.unwrap(), Some(group.clone()));
    simulator.with(|duo| duo.world.remove_group(group.id.as_str()));
    assert_eq!(client.read_group(&group.id).await.unwrap(), None);
}

#[tokio::test]
async fn everyone_is_kept_whatever_their_status() {
    let simulator = tenant(400, 2);
    let client = client(&simulator);
    let groups = groups(&client, &["engineering", "operations"]).await;
    let (trashed, frozen) = simulator.with(|duo| {
        let ids: Vec<_> = duo.world.people().take(2).map(|person| person.user_id.clone()).collect();
        duo.world.trash(&ids[0]);
        duo.world.set_status(&ids[1], "frozen");
        duo.world.person_mut(&ids[1]).custom.insert("realname".into(), json!(12));
        (ids[0].clone(), ids[1].clone())
    });
    let roster = read(&client, &groups).await.unwrap();
    assert_eq!(roster.people[trashed.as_str()].status, PersonStatus::PendingDeletion);
    assert_eq!(roster.people[frozen.as_str()].status, PersonStatus::Unknown("frozen".into()));
    assert_eq!(roster.people[frozen.as_str()].values["realname"], "12");
}

#[tokio::test]
async fn a_roster_can_be_read_from_another_task() {
    let simulator = tenant(30, 2);
    let client = client(&simulator);
    let task = tokio::spawn(async move {
        let groups = client.read_groups().await.unwrap();
        client.read_roster(&groups, &attributes(), &|_| {}).await.unwrap().people.len()
    });
    assert_eq!(task.await.unwrap(), 30);
}
