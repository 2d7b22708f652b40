//! A start that looks up what became of requests ends within the time that a service manager gives it.

use super::{Driven, Town, drive, settings};
use duo_atlassian_sync::cycle;
use duo_atlassian_sync::cycle::{CycleError, Services};
use duo_atlassian_sync::duo;
use duo_atlassian_sync::http::{Arriving, Exchange, Failure};
use duo_atlassian_sync::model::{GroupId, Timestamp};
use duo_atlassian_sync::scim;
use duo_atlassian_sync::store::{Intent, Request};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

/// A service that accepts every request, and answers none.
struct Mute;

impl Exchange for Mute {
    fn exchange(&self, _: reqwest::Request) -> BoxFuture<'_, Result<Arriving, Failure>> {
        Box::pin(std::future::pending())
    }
}

#[test]
fn a_start_gives_up_after_five_minutes_although_nothing_was_answered() {
    let town = Town::with(0, ("", ""));
    let (mut store, config) = (town.store(), town.config());
    let now = || Timestamp::from_seconds(town.clock.now_seconds());
    let killed = store.begin_cycle("daemon", now()).unwrap();
    let request = Request::CreateGroup { group: GroupId::new("DG1"), name: "eng".to_owned() };
    let intent = Intent { action: request.record(), request, spending: Vec::new() };
    store.record_wave(killed, &[], &[intent], now()).unwrap();
    let duo = duo::Client::with_exchange(&config.duo, town.clock.clone(), Arc::new(Mute)).unwrap();
    let scim =
        scim::Client::with_exchange(&config.scim, town.clock.clone(), Box::new(|| false), Arc::new(Mute)).unwrap();
    let services = Services { duo: &duo, scim: &scim, clock: &town.clock };
    let settings = settings(config, None);
    let began = town.clock.monotonic();
    let settled = cycle::settle("settle", (&mut store, &services, &settings));
    let Driven::Done(settled) = drive(&town.clock, settled, || false) else { panic!("nothing could go on") };
    assert_eq!(town.clock.monotonic().saturating_sub(began), Duration::from_mins(5));
    assert!(matches!(settled, Err(CycleError::SettlingTooLong)), "{settled:?}");
    // What happened is in the history, and the request is still open.
    let cycle = store.read_cycles(1).unwrap().remove(0);
    assert_eq!((cycle.command.as_str(), cycle.end.map(|end| end.exit_code)), ("settle", Some(4)));
    assert_eq!(store.read_unsettled().unwrap().len(), 1);
}
