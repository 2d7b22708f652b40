//! What Duo refuses, and what an administrator is told.

use super::{client, client_at, settings, tenant};
use crate::sim::duo::IntegrationKind;
use crate::sim::wire::{Answer, Effect, Fault, Match};
use duo_atlassian_sync::clock::Clock;
use duo_atlassian_sync::duo::{Client, ReadError};
use std::error::Error as _;

#[tokio::test]
async fn a_wrong_key_is_named() {
    let simulator = tenant(1, 1);
    let mut wrong = settings(&simulator);
    wrong.secret_key = "wrong".into();
    let error = Client::new(&wrong, Clock::simulated(super::NOW, 1)).unwrap().probe().await.unwrap_err();
    assert!(matches!(error, ReadError::WrongKey { key: "secret key", .. }), "{error}");
    let mut wrong = settings(&simulator);
    wrong.integration_key = "DIWRONG".into();
    let error = Client::new(&wrong, Clock::simulated(super::NOW, 1)).unwrap().probe().await.unwrap_err();
    assert!(matches!(error, ReadError::WrongKey { key: "integration key", .. }), "{error}");
}

#[tokio::test]
async fn a_wrong_clock_is_measured() {
    let simulator = tenant(1, 1);
    let error = client_at(&simulator, super::NOW + 1_000).probe().await.unwrap_err();
    assert!(matches!(error, ReadError::ClockOff { seconds: Some(1_000) }), "{error}");
    let probe = client_at(&simulator, super::NOW - 20).probe().await.unwrap();
    assert_eq!((probe.people, probe.clock_skew_seconds), (Some(1), Some(-20)));
}

#[tokio::test]
async fn a_missing_permission_or_wrong_application_is_forbidden() {
    let simulator = tenant(1, 1);
    simulator.with(|duo| duo.switches.read_resource = false);
    let error = client(&simulator).probe().await.unwrap_err();
    assert!(matches!(error, ReadError::Forbidden { .. }), "{error}");
    assert!(error.to_string().contains("Grant read resource"), "{error}");
    simulator.with(|duo| (duo.switches.read_resource, duo.switches.integration) = (true, IntegrationKind::AuthApi));
    let error = client(&simulator).probe().await.unwrap_err();
    assert!(matches!(error, ReadError::Forbidden { .. }), "{error}");
}

#[tokio::test]
async fn a_page_of_somebody_else_is_shown_and_not_believed() {
    let simulator = tenant(1, 1);
    let page = Answer::html(200, "<html><h1>Sign in to the network</h1></html>");
    simulator.fault(Fault::always(Match::any(), Effect::Answer(page)));
    let client = client(&simulator);
    let error = client.read_groups().await.unwrap_err();
    assert!(matches!(error, ReadError::NotDuo { .. }), "{error}");
    assert!(error.to_string().contains("Sign in to the network"), "{error}");
    assert_eq!(client.requests_sent(), 3, "asked three times");
    simulator.clear_faults();
    let redirect = Answer::empty(302).with_header("Location", &simulator.url());
    simulator.fault(Fault::always(Match::any(), Effect::Answer(redirect)));
    let error = client.read_groups().await.unwrap_err();
    assert!(error.to_string().contains("redirects to http://127.0.0.1"), "{error}");
}

#[tokio::test]
async fn a_failure_at_200_heals_or_ends_the_reading() {
    let simulator = tenant(1, 1);
    let fail = || Effect::Answer(Answer::text(200, "application/json", r#"{"stat":"FAIL","response":[]}"#));
    simulator.fault(Fault::once(Match::any(), fail()).times(2));
    assert_eq!(client(&simulator).read_groups().await.unwrap().len(), 1);
    simulator.fault(Fault::always(Match::any(), fail()));
    let error = client(&simulator).read_groups().await.unwrap_err();
    assert!(matches!(error, ReadError::Refused { status: 200, .. }), "{error}");
}

#[tokio::test]
async fn nobody_at_home_is_unreachable_after_three_tries() {
    let simulator = tenant(1, 1);
    let client = client(&simulator);
    drop(simulator);
    let error = client.probe().await.unwrap_err();
    assert!(matches!(error, ReadError::Unreachable { .. }), "{error}");
    assert!(error.source().unwrap().to_string().contains("refused"), "{:?}", error.source());
    assert_eq!(client.requests_sent(), 3);
}
