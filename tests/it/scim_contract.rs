//! The SCIM client against the simulated directory, over real sockets.
#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]

use crate::sim::atlassian::AtlassianSettings;
use crate::sim::atlassian::AtlassianSim;
use crate::sim::atlassian::Guard;
use crate::sim::atlassian::MemberRemoval as Removal;
use crate::sim::wire::Answer;
use crate::sim::wire::Effect;
use crate::sim::wire::Fault;
use crate::sim::wire::Match;
use crate::sim::wire::Simulator;
use duo_atlassian_sync::clock::Clock;
use duo_atlassian_sync::http::Effect as Done;
use duo_atlassian_sync::model::Attribute;
use duo_atlassian_sync::model::Attributes;
use duo_atlassian_sync::model::ScimId;
use duo_atlassian_sync::scim::Activity;
use duo_atlassian_sync::scim::Client;
use duo_atlassian_sync::scim::MemberRemoval;
use duo_atlassian_sync::scim::RequestError;
use duo_atlassian_sync::scim::Settings;

const KEY: &str = "simulated-scim-key";

fn directory() -> Simulator<AtlassianSim> {
    Simulator::start(AtlassianSim::new(AtlassianSettings::default()))
}

fn client_with(sim: &Simulator<AtlassianSim>, key: &str, member_removal: MemberRemoval) -> Client {
    let settings = Settings {
        base_url: format!("{}{}", sim.url(), sim.with(|sim| sim.base_path())),
        api_key: key.into(),
        requests_per_second: 1_000.0,
        concurrent_requests_max: 2,
        members_per_request_max: 100,
        member_removal,
        ca_file: None,
        proxy: None,
    };
    Client::new(&settings, Clock::simulated(1_795_442_531, 1)).unwrap()
}

fn client(sim: &Simulator<AtlassianSim>) -> Client {
    client_with(sim, KEY, MemberRemoval::Filter)
}

fn person(name: &str) -> Attributes {
    let email = format!("{name}@example.com");
    [(Attribute::UserName, &*email), (Attribute::Emails, &email), (Attribute::DisplayName, name)].into_iter().collect()
}

async fn created(client: &Client, name: &str) -> ScimId {
    client.create_user(&format!("DU{name}"), &person(name)).await.unwrap().id
}

#[tokio::test]
async fn an_account_is_created_found_changed_and_deactivated() {
    let sim = directory();
    let client = client(&sim);
    let made = client.create_user("DUana", &person("ana")).await.unwrap();
    let account = made.resource.unwrap();
    assert_eq!((account.external_id.as_deref(), account.active), (Some("DUana"), Some(true)));
    assert_eq!(account.attributes, person("ana"));
    assert!(account.atlassian_account_id.is_some());

    assert!(client.find_users_by_external_id("DUana").await.unwrap().contains_key(&made.id));
    assert!(client.find_users_by_external_id("duANA").await.unwrap().is_empty(), "an externalId has a case");
    assert!(client.find_users_by_user_name("ANA@example.com").await.unwrap().contains_key(&made.id));

    let changed: Attributes =
        [(Attribute::Title, "Engineer"), (Attribute::Emails, "ana.lima@example.com")].into_iter().collect();
    let account = client.update_user(&made.id, &changed).await.unwrap().unwrap();
    assert_eq!(account.attributes.value(Attribute::Emails), Some("ana.lima@example.com"));
    assert_eq!(account.attributes.value(Attribute::Title), Some("Engineer"));
    assert_eq!(account.attributes.value(Attribute::DisplayName), Some("ana"), "what is not named stays");

    assert_eq!(client.set_active(&made.id, Activity::Inactive).await.unwrap().unwrap().active, Some(false));
    let renamed: Attributes = [(Attribute::DisplayName, "Ana Lima")].into_iter().collect();
    let account = client.reactivate_user(&made.id, &renamed).await.unwrap().unwrap();
    assert_eq!((account.active, account.attributes.value(Attribute::DisplayName)), (Some(true), Some("Ana Lima")));
    assert_eq!(client.writes_sent(), 4);
    assert_eq!(sim.with(|sim| sim.violations()), Vec::<String>::new());
}

#[tokio::test]
async fn every_attribute_is_taken_as_it_is_sent() {
    let sim = directory();
    let client = client(&sim);
    let mut all: Attributes = Attribute::ALL.iter().map(|attribute| (*attribute, "\"Ção\" +&#")).collect();
    all.set(Attribute::UserName, "ana@example.com");
    all.set(Attribute::Emails, "ana@example.com");
    all.set(Attribute::Timezone, "Europe/Lisbon");
    all.set(Attribute::PreferredLanguage, "pt-PT");
    let made = client.create_user("DUana", &all).await.unwrap();
    assert_eq!(made.resource.unwrap().attributes, all);
    let read = client.read_user(&made.id).await.unwrap().unwrap();
    assert_eq!(read.attributes, all);
    for (attribute, value) in all.iter().filter(|(attribute, _)| *attribute != Attribute::UserName) {
        let value = if attribute == Attribute::Emails { "new@example.com" } else { value };
        let changed: Attributes = [(attribute, value)].into_iter().collect();
        let answered = client.update_user(&made.id, &changed).await.unwrap().unwrap();
        assert_eq!(answered.attributes.value(attribute), Some(value), "{attribute}");
    }
}

#[tokio::test]
async fn members_come_and_go_in_both_dialects() {
    for removal in [MemberRemoval::Filter, MemberRemoval::Values] {
        let sim = directory();
        let client = client_with(&sim, KEY, removal);
        let people = [created(&client, "ana").await, created(&client, "bo").await, created(&client, "cy").await];
        let name = "eng \"core\" +&#\\ \u{1f980}";
        let group = client.create_group(name).await.unwrap().id;
        let found = client.find_groups_by_display_name(name).await.unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), [&group]);
        let answered = client.add_members(&group, &people).await.unwrap().unwrap();
        assert_eq!(answered.members.len(), 3);
        client.add_members(&group, &people[..1]).await.unwrap();
        let answered = client.remove_members(&group, &people[1..]).await.unwrap().unwrap();
        assert_eq!(answered.members.iter().collect::<Vec<_>>(), [&people[0]]);
        assert_eq!(client.read_group(&group).await.unwrap().unwrap(), answered);
        let unknown = client.add_members(&group, &[ScimId::new("nobody")]).await.unwrap_err();
        assert!(matches!(unknown, RequestError::NotFound { .. }), "{unknown}");
    }
}

#[tokio::test]
async fn the_wrong_dialect_is_seen_in_the_answer() {
    let sim = directory();
    sim.with(|sim| sim.settings_mut().member_removal = Removal::ValuesOnly);
    let client = client(&sim);
    let ana = created(&client, "ana").await;
    let group = client.create_group("eng").await.unwrap().id;
    client.add_members(&group, std::slice::from_ref(&ana)).await.unwrap();
    let answered = client.remove_members(&group, std::slice::from_ref(&ana)).await.unwrap().unwrap();
    assert!(answered.members.contains(&ana), "200, and nothing happened");
}

#[tokio::test]
async fn everything_is_read_over_many_pages() {
    let sim = directory();
    sim.with(|sim| {
        for n in 0..250 {
            sim.add_user(&format!("p{n}@example.com"), Some(&format!("DU{n}")));
        }
        sim.add_group("eng");
        sim.add_member("eng", "p7@example.com");
    });
    let client = client(&sim);
    let seen = std::sync::Mutex::new(Vec::new());
    let all = client.read_all(&|so_far| seen.lock().unwrap().push(so_far)).await.unwrap();
    assert_eq!((all.accounts.len(), all.groups.len()), (250, 1));
    assert_eq!(all.groups.values().next().unwrap().members.len(), 1);
    assert_eq!(*seen.lock().unwrap(), [100, 200, 250, 251]);
    assert_eq!((client.requests_sent(), client.writes_sent()), (4, 0));
    assert_eq!(client.read_service().await.unwrap().patch, Some(true));
}

#[tokio::test]
async fn what_is_taken_is_a_conflict_and_what_is_gone_is_none() {
    let sim = directory();
    let client = client(&sim);
    created(&client, "ana").await;
    let conflict = client.create_user("DUother", &person("ana")).await.unwrap_err();
    assert!(matches!(conflict, RequestError::Conflict { .. }), "{conflict}");
    assert_eq!(conflict.said().unwrap().scim_type.as_deref(), Some("uniqueness"));
    let nobody = ScimId::new("00000000-0000-0000-0000-000000000000");
    assert_eq!(client.read_user(&nobody).await.unwrap(), None);
    assert_eq!(client.read_group(&nobody).await.unwrap(), None);
    let gone = client.set_active(&nobody, Activity::Inactive).await.unwrap_err();
    assert!(matches!(gone, RequestError::NotFound { .. }), "{gone}");
    assert!(client.find_users_by_user_name("nobody").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_wrong_key_or_directory_stops_everything() {
    let sim = directory();
    let stranger = client_with(&sim, "other", MemberRemoval::Filter);
    let error = stranger.read_all(&|_| {}).await.unwrap_err();
    assert!(matches!(error, RequestError::WrongKey { .. }) && error.stops_everything(), "{error}");
    let client = client(&sim);
    for guard in [Guard::LapsedForbidden, Guard::LapsedNotFound] {
        sim.with(|sim| sim.settings_mut().guard = guard);
        let nobody = ScimId::new("00000000-0000-0000-0000-000000000000");
        let error = client.read_user(&nobody).await.unwrap_err();
        assert!(
            matches!(error, RequestError::WrongDirectory { .. }),
            "nobody is gone because a subscription is: {error}"
        );
        let error = client.create_group("eng").await.unwrap_err();
        assert!(error.stops_everything(), "{error}");
    }
}

#[tokio::test]
async fn after_a_lost_answer_the_effect_is_unknown_and_nothing_is_sent_twice() {
    let sim = directory();
    let client = client(&sim);
    sim.fault(Fault::once(Match::writes(), Effect::CloseAfter));
    let lost = client.create_user("DUana", &person("ana")).await.unwrap_err();
    assert_eq!(lost.effect(), Done::Unknown, "{lost}");
    assert_eq!(sim.with(|sim| sim.users().count()), 1);
    assert_eq!(client.find_users_by_external_id("DUana").await.unwrap().len(), 1);

    let page = Answer { status: 503, headers: Vec::new(), body: b"<html>busy</html>".to_vec() };
    sim.fault(Fault::once(Match::writes(), Effect::Answer(page)));
    let failed = client.create_group("eng").await.unwrap_err();
    assert_eq!(failed.effect(), Done::Unknown, "{failed}");
    assert_eq!(client.writes_sent(), 2);
}

#[tokio::test]
async fn an_answer_without_a_body_is_a_success() {
    let sim = directory();
    let client = client(&sim);
    let ana = created(&client, "ana").await;
    let empty = |_: &_, answer: &mut Answer| {
        answer.status = 204;
        answer.body.clear();
    };
    sim.fault(Fault::once(Match::writes(), Effect::Rewrite(Box::new(empty))));
    assert_eq!(client.set_active(&ana, Activity::Inactive).await.unwrap(), None);
    assert_eq!(client.read_user(&ana).await.unwrap().unwrap().active, Some(false));
    assert_eq!(client.update_user(&ana, &Attributes::new()).await.unwrap(), None);
    assert_eq!(client.writes_sent(), 2, "a change of nothing is not sent");
}
