//! A grace period (S9) beside what fails or waits: it is given once, and whole.

use super::super::scene::Scene;
use super::super::timed::Timed;
use super::refuse_user;
use duo_atlassian_sync::cycle::{End, Report};

/// Whoever leaves the scope keeps everything for two hours.
fn company(deactivations: u64) -> Scene {
    let scene = Scene::with(&["ana in eng", "bo in eng", "cy in eng", "di in eng", "ed in eng"]);
    scene.configure(&format!(
        "[deprovisioning]\ngrace_hours = 2\n\n[guard]\nfirst_plan = \"apply\"\n\
         deactivations_max = {{ count = {deactivations}, percent = 0, at_most = 5 }}\n"
    ));
    scene
}

fn leaves(scene: &Scene, name: &str) {
    scene.day(|duo| duo.leave(name, "eng"));
}

fn deactivates(report: &Report) -> usize {
    report.document.actions.iter().filter(|action| action.action == "deactivate").count()
}

#[test]
fn who_could_not_be_deactivated_at_the_end_of_it_is_given_no_other_one() {
    let scene = company(5);
    let mut timed = Timed::of(&scene);
    timed.syncs().expect("a first sync");
    leaves(&scene, "ana");
    assert_eq!(deactivates(&timed.syncs().expect("a cycle")), 0);
    refuse_user(&scene, "ana");
    timed.minutes_pass(121);
    for _ in 0..2 {
        let report = timed.syncs().expect("a cycle");
        assert_eq!((report.end, deactivates(&report)), (End::Failing, 1));
        timed.minutes_pass(10);
    }
}

#[test]
fn who_comes_back_while_a_plan_is_held_has_all_of_it_when_leaving_again() {
    let scene = company(0);
    let mut timed = Timed::of(&scene);
    timed.syncs().expect("a first sync");
    leaves(&scene, "ana");
    timed.syncs().expect("a cycle");
    // Somebody else holds the plans from now on.
    scene.day(|duo| duo.person("bo").status = "disabled".to_owned());
    timed.minutes_pass(60);
    scene.day(|duo| duo.join("ana", "eng"));
    assert_eq!(timed.syncs().expect("a cycle").end, End::Held);
    leaves(&scene, "ana");
    timed.minutes_pass(90);
    let report = timed.syncs().expect("a cycle");
    assert_eq!((report.end, deactivates(&report)), (End::Held, 1), "bo alone");
    // And a plan that is held does not make it longer.
    timed.minutes_pass(121);
    assert_eq!(deactivates(&timed.syncs().expect("a cycle")), 2);
}
