//! Sending ends when its time is over, and everything says so.

use super::{DuoClock, End, Mode, NOW, Town};
use duo_atlassian_sync::model::Timestamp;

/// 500 people at five a second: 101 seconds for the accounts, and the time is one minute.
fn town() -> Town {
    Town::with(500, ("requests_per_second = 5.0", "[schedule]\nsending_minutes_max = 1\n"))
}

#[test]
fn sending_ends_after_its_time_and_the_next_cycles_do_the_rest() {
    let town = town();
    let report = town.cycle(Mode::Apply, None);
    assert_eq!(report.end, End::OutOfTime);
    let applied = report.applied.unwrap();
    assert!((300..340).contains(&applied.done), "a minute, and the requests that were under way: {}", applied.done);
    assert_eq!((applied.done + applied.late, applied.late), (506, applied.waiting), "nothing is lost");
    assert!(applied.failing.is_empty() && applied.stopped.is_none(), "nobody is at fault");
    let end = town.recorded().end.unwrap();
    assert_eq!((end.exit_code, end.message), (4, format!("out of time: {} requests were not sent", applied.late)));
    assert_eq!(end.report["sent"]["late"], applied.late);
    // What was done of a plan that was cut short is not yet what later changes of the configuration are judged by.
    assert!(town.store().read_rules().unwrap().is_none());

    let report = town.cycle(Mode::Apply, None);
    assert_eq!((report.end, report.applied.unwrap().waiting), (End::Done, 0));
    assert!(town.store().read_rules().unwrap().is_some());
    assert_eq!(town.stage.atlassian.with(|sim| sim.users().count()), 500);
    assert_eq!(town.answered_with(409), 0, "nothing is sent twice");
    assert_eq!(town.recorded().end.unwrap().exit_code, 0);
}

#[test]
fn status_says_that_time_was_over_and_how_much_waits() {
    let town = town();
    let late = town.cycle(Mode::Apply, None).applied.unwrap().late;
    let said = town.stage.run(&["status"]).unwrap();
    assert_eq!(said.code, Some(4), "{}", said.stderr);
    assert!(said.stdout.starts_with("failing\n"), "{}", said.stdout);
    let line = format!("not sent yet     {late} requests, since schedule.sending_minutes_max was over: ");
    assert!(said.stdout.contains(&line), "{}", said.stdout);
    assert!(!said.stdout.contains("failing  "), "no record fails: {}", said.stdout);
    let json = town.stage.run(&["status", "--format", "json"]).unwrap().stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["late_requests"], &json["failing"]), (&serde_json::json!(late), &serde_json::json!([])));
    town.cycle(Mode::Apply, None);
    let said = town.stage.run(&["status"]).unwrap();
    assert!(said.code == Some(0) && !said.stdout.contains("not sent yet"), "{}", said.stdout);
}

#[test]
fn a_plan_says_beforehand_that_its_time_will_not_do() {
    let town = town();
    let soon = Timestamp::from_seconds(NOW + 30);
    let remarks = town.cycle(Mode::Preview, Some(soon)).document.remarks;
    let [over, due] = &remarks[..] else { panic!("{remarks:?}") };
    assert!(over.contains("506 requests takes about 2 minutes, and schedule.sending_minutes_max is 1"), "{over}");
    assert!(due.contains("cannot end before the next one is due at 2026-11-23T14:02:41Z"), "{due}");
    // The program itself has the computer's clock.
    town.stage.duo.with(|duo| duo.clock = DuoClock::real());
    let shown = town.stage.run(&["plan"]).unwrap().stdout;
    assert!(shown.contains("schedule.sending_minutes_max is 1"), "{shown}");
}
