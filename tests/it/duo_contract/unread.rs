//! S1: what does not add up is read again, and then is unread.
#![expect(clippy::panic, reason = "helpers of tests, where a surprise ends the test")]

use super::{client, groups, held, read, tenant, truth};
use crate::sim::duo::DuoSim;
use crate::sim::wire::{Effect, Fault, Match, Request};
use duo_atlassian_sync::duo::ReadError;
use serde_json::{Value, json};

/// The list of people.
fn people() -> Match {
    Match::get("/admin/v1/users")
}

/// Changes the JSON of an answer.
fn rewrite(mut edit: impl FnMut(&Request, &mut Value) + Send + 'static) -> Effect<DuoSim> {
    Effect::Rewrite(Box::new(move |request, answer| {
        let mut body = serde_json::from_slice(&answer.body).unwrap();
        edit(request, &mut body);
        answer.body = body.to_string().into_bytes();
    }))
}

fn set(path: &'static str, value: Value) -> Effect<DuoSim> {
    rewrite(move |_, body| *body.pointer_mut(path).unwrap() = value.clone())
}

/// 40 groups choose the way by everyone: 70 people, three pages of at most 30.
async fn outcome(fault: Fault<DuoSim>) -> Result<usize, String> {
    let simulator = tenant(70, 40);
    simulator.with(|duo| duo.switches.page_max = Some(30));
    let client = client(&simulator);
    let groups = client.read_groups().await.unwrap();
    simulator.fault(fault);
    match read(&client, &groups).await {
        Ok(roster) => {
            assert_eq!(held(&roster), truth(&simulator, &groups));
            Ok(roster.people.len())
        }
        Err(error @ ReadError::Incomplete { .. }) => Err(error.to_string()),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_lie_about_the_end_is_not_believed() {
    let lies = [
        ("/metadata/total_objects", json!(71)),
        ("/metadata/total_objects", json!(3)),
        ("/metadata/next_offset", json!(0)),
        ("/metadata/next_offset", json!(900)),
        ("/metadata/next_offset", json!("soon")),
        ("/response", json!([])),
        ("/response", json!(null)),
        ("/response", json!({})),
    ];
    for (path, lie) in lies {
        let on = || people().with_query("offset=30");
        assert_eq!(outcome(Fault::once(on(), set(path, lie.clone()))).await, Ok(70), "once: {path} {lie}");
        let error = outcome(Fault::always(people(), set(path, lie.clone()))).await.unwrap_err();
        assert!(error.contains("could not be read completely"), "always: {path} {lie}: {error}");
    }
    let no_next = || set("/metadata/next_offset", Value::Null);
    let error = outcome(Fault::always(people(), no_next())).await.unwrap_err();
    assert!(error.contains("30 rows were received, but Duo counts 70"), "{error}");
}

#[tokio::test]
async fn a_page_that_comes_twice_is_not_believed() {
    let simulator = tenant(700, 40);
    let again = || {
        let mut first = None;
        rewrite(move |_, body| {
            let rows = body["response"].take();
            body["response"] = first.get_or_insert(rows).clone();
        })
    };
    let client = client(&simulator);
    let groups = client.read_groups().await.unwrap();
    simulator.fault(Fault::always(people(), again()));
    let error = read(&client, &groups).await.unwrap_err().to_string();
    assert!(error.contains("came twice"), "{error}");
    simulator.clear_faults();
    simulator.fault(Fault::once(people(), again()).times(2));
    assert_eq!(read(&client, &groups).await.unwrap().people.len(), 700);
}

#[tokio::test]
async fn a_person_without_a_list_of_groups_is_unread() {
    let without = rewrite(|_, body| {
        body["response"][0].as_object_mut().unwrap().remove("groups");
    });
    let error = outcome(Fault::always(people(), without)).await.unwrap_err();
    assert!(error.contains("comes without a list of groups"), "{error}");
}

#[tokio::test]
async fn a_person_removed_between_pages_costs_a_second_reading() {
    let remove = Effect::WorldAfter(Box::new(|duo: &mut DuoSim| {
        let first = duo.world.people().next().unwrap().user_id.clone();
        duo.world.remove_person(&first);
    }));
    assert_eq!(outcome(Fault::once(people(), remove)).await, Ok(69));
}

#[tokio::test]
async fn a_tenant_that_never_rests_is_united_and_remarked() {
    let simulator = tenant(700, 40);
    let client = client(&simulator);
    let groups = client.read_groups().await.unwrap();
    let id = groups[0].id.to_string();
    let mut number = 0;
    let hire = Effect::WorldAfter(Box::new(move |duo: &mut DuoSim| {
        number += 1;
        let person = duo.world.add_person(&format!("new{number}"), "");
        duo.world.join(&person, &id);
    }));
    simulator.fault(Fault::always(people(), hire));
    let roster = read(&client, &groups).await.unwrap();
    assert!(roster.people.len() >= 700, "{}", roster.people.len());
    assert_eq!(roster.remarks.len(), 1);
    assert!(roster.remarks[0].contains("the list of people kept changing"), "{:?}", roster.remarks);
}

#[tokio::test]
async fn whoever_leaves_between_list_and_record_has_left() {
    let simulator = tenant(3_000, 120);
    let client = client(&simulator);
    let groups = groups(&client, &["engineering", "design"]).await;
    let (id, first) = simulator.with(|duo| {
        let group = duo.world.group(groups[0].id.as_str()).unwrap();
        (group.group_id.clone(), group.members[0].clone())
    });
    let leaver = first.clone();
    let leave = Effect::World(Box::new(move |duo: &mut DuoSim| duo.world.leave(&leaver, &id)));
    simulator.fault(Fault::once(people().with_query("user_id_list"), leave));
    let roster = read(&client, &groups).await.unwrap();
    assert_eq!(held(&roster), truth(&simulator, &groups));
    assert!(!roster.people.contains_key(first.as_str()));
    assert!(roster.remarks[0].contains("1 of"), "{:?}", roster.remarks);
}

#[tokio::test]
async fn records_that_contradict_the_lists_are_unread() {
    let simulator = tenant(3_000, 120);
    let client = client(&simulator);
    let groups = groups(&client, &["engineering", "design"]).await;
    let empty = rewrite(|_, body| {
        for person in body["response"].as_array_mut().unwrap() {
            person["groups"] = json!([]);
        }
    });
    simulator.fault(Fault::always(people().with_query("user_id_list"), empty));
    let error = read(&client, &groups).await.unwrap_err();
    assert!(error.to_string().contains("disagree"), "{error}");
}

#[tokio::test]
async fn a_group_that_vanishes_meanwhile_ends_the_reading() {
    let simulator = tenant(3_000, 120);
    let client = client(&simulator);
    let groups = groups(&client, &["engineering", "design"]).await;
    simulator.with(|duo| duo.world.remove_group(groups[1].id.as_str()));
    let error = read(&client, &groups).await.unwrap_err();
    assert!(matches!(error, ReadError::NotFound { code: Some(40_401), .. }), "{error}");
}
