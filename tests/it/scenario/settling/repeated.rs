//! The same request, cut off more than once; and a create that is answered with 409 because it had happened.

use super::super::super::sim::wire::{Effect, Fault, Match};
use super::super::scene::Scene;
use super::super::timed::Timed;
use duo_atlassian_sync::cycle::End;

fn company() -> Scene {
    let scene = Scene::with(&["ana in eng", "bo in eng"]);
    scene.configure("[guard]\nfirst_plan = \"apply\"\n");
    scene
}

/// New users are found by no filter for a long time: who looked and found nothing sends the same create again.
fn invisible(scene: &Scene) {
    scene.atlassian(|sim| {
        sim.settings_mut().visible_after = 10_000;
        sim.settings_mut().strict = false;
    });
}

#[test]
fn an_update_that_is_cut_off_twice_is_looked_up_twice_and_done_once() {
    let scene = company();
    let mut timed = Timed::of(&scene);
    timed.syncs().expect("a first sync");
    scene.day(|duo| duo.person("ana").realname = Some("Ana Maria".to_owned()));
    scene.stage.atlassian.fault(Fault::always(Match::writes(), Effect::CloseBefore).times(2));
    for minutes in [0, 1] {
        timed.minutes_pass(minutes);
        let report = timed.syncs().expect("a cycle");
        assert_eq!((report.end, report.applied.expect("it sends").unknown), (End::Failing, 1));
        assert_eq!(timed.store.read_unsettled().expect("the journal").len(), 1);
    }
    timed.minutes_pass(2);
    assert_eq!(timed.syncs().expect("a cycle").end, End::Done);
    assert_eq!(scene.effects(), ["changed displayName of ana"]);
    assert_eq!(timed.store.read_unsettled().expect("the journal"), []);
}

#[test]
fn a_create_that_finds_an_older_record_is_done_when_the_record_is_as_it_should() {
    let scene = company();
    let mut timed = Timed::of(&scene);
    timed.syncs().expect("a first sync");
    scene.day(|duo| duo.hire("cy in eng").email = "cy.lee@example.com".to_owned());
    let id = scene.duo(|duo| duo.person("cy").user_id.clone());
    scene.atlassian(|sim| drop(sim.add_user("cy", Some(&id))));
    scene.stage.atlassian.fault(Fault::once(Match::method("POST").containing("/Users"), Effect::CloseBefore));
    assert_eq!(timed.syncs().expect("a cycle").end, End::Failing);
    let reason = timed.failing().first().map(|record| record.failing.reason.clone()).expect("a record that fails");
    assert!(reason.starts_with("an earlier create made the record, with another emails"), "{reason}");
    timed.minutes_pass(10);
    assert_eq!(timed.syncs().expect("a cycle").end, End::Done);
    assert!(scene.effects().contains(&"changed emails of cy".to_owned()), "{:?}", scene.effects());
    assert_eq!(timed.failing(), []);
}

#[test]
fn a_create_that_happened_twice_unseen_is_one_account() {
    let scene = company();
    invisible(&scene);
    scene.stage.atlassian.fault(Fault::once(Match::method("POST").containing("/Users"), Effect::CloseAfter));
    let mut timed = Timed::of(&scene);
    let report = timed.syncs().expect("a cycle");
    assert_eq!(report.applied.expect("it sends").unknown, 1);
    // It is sent again, and answered with 409: most likely it is ours, so it stays unknown, and nothing is adopted.
    timed.minutes_pass(10);
    let applied = timed.syncs().expect("a cycle").applied.expect("it sends");
    assert_eq!((applied.unknown, applied.refused), (1, 0), "{:?}", applied.failing);
    assert_eq!(applied.failing[0].kind, "unknown");
    assert!(applied.failing[0].reason.contains("perhaps an earlier create that was cut off"));
    assert_eq!(timed.store.read_unsettled().expect("the journal").len(), 2);
    assert!(timed.store.foreign_writes().expect("the database").is_none(), "nobody else is at work");
    // It becomes visible: both are settled, and nothing is sent for it.
    scene.atlassian(|sim| sim.settings_mut().visible_after = 0);
    timed.minutes_pass(10);
    assert_eq!(timed.syncs().expect("a cycle").end, End::Done);
    assert_eq!(timed.store.read_unsettled().expect("the journal"), []);
    let created = scene.effects().iter().filter(|line| line.starts_with("created user")).count();
    assert_eq!(created, 2, "{:?}", scene.effects());
    assert_eq!(scene.atlassian(|sim| sim.members_of("eng").len()), 2);
}

#[test]
fn a_create_that_stays_invisible_for_a_day_is_a_conflict_then_and_offered_for_adoption() {
    let scene = company();
    invisible(&scene);
    scene.stage.atlassian.fault(Fault::once(Match::method("POST").containing("/Users"), Effect::CloseAfter));
    let mut timed = Timed::of(&scene);
    let mut kinds = Vec::new();
    for _ in 0..27 {
        let report = timed.syncs().expect("a cycle");
        if let Some(failing) = report.applied.and_then(|applied| applied.failing.first().cloned()) {
            kinds.push(failing.kind);
        }
        timed.minutes_pass(61);
    }
    kinds.dedup();
    assert_eq!(kinds, ["unknown", "conflict"]);
    let report = timed.syncs().expect("a cycle");
    assert_eq!((report.end, report.document.summary.adopt), (End::Held, 1));
    assert!(timed.store.foreign_writes().expect("the database").is_none(), "the journal knows that it was ours");
}

#[test]
fn when_neither_writing_nor_reading_is_answered_sending_stops_after_a_few() {
    let people: Vec<String> = (0..40).map(|number| format!("p{number:02} in eng")).collect();
    let scene = Scene::with(&people.iter().map(String::as_str).collect::<Vec<_>>());
    scene.configure("[guard]\nfirst_plan = \"apply\"\n");
    let mut timed = Timed::of(&scene);
    let wave = 8;
    // The directory is read for adoption; then the service falls over.
    let answer = super::super::super::sim::wire::Answer::json(503, &serde_json::json!({ "detail": "down" }));
    scene.stage.atlassian.fault(Fault::always(Match::writes(), Effect::Answer(answer.clone())));
    scene.stage.atlassian.fault(Fault::always(Match::method("GET").with_query("filter"), Effect::Answer(answer)));
    let report = timed.syncs().expect("a cycle");
    let applied = report.applied.expect("it sends");
    assert_eq!(report.end, End::Failing);
    assert!(applied.stopped.is_some());
    assert_eq!((applied.unknown, applied.waiting), (wave, 42 - wave), "one wave, and not everybody");
    scene.stage.atlassian.clear_faults();
    timed.minutes_pass(10);
    assert_eq!(timed.syncs().expect("a cycle").end, End::Done);
    assert_eq!(scene.atlassian(|sim| sim.members_of("eng").len()), 40);
}
