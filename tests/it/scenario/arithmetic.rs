//! The arithmetic of lock-outs: small waves that add up, a group that all but vanishes, a small team.

use super::scene::Scene;

const GUARD: &str = "[scope]\ngroups = [{ name = \"*\" }]\n";

/// So many people in `all`, the first of them in `big` too, after their first sync.
fn company(people: usize, big: usize) -> Scene {
    let scene = Scene::empty();
    scene.duo(|duo| {
        let (all, large) = (duo.group("all").group_id.clone(), duo.group("big").group_id.clone());
        for number in 0..people {
            let id = duo.hire(&format!("p{number}")).user_id.clone();
            duo.world().join(&id, &all);
            if number < big {
                duo.world().join(&id, &large);
            }
        }
    });
    scene.configure_atlassian("", GUARD);
    // Many at once: the order does not matter here.
    let text = std::fs::read_to_string(scene.stage.config()).expect("a configuration");
    let text = text.replace("concurrent_requests_max = 1\n", "concurrent_requests_max = 16\n");
    let text = text.replace("members_per_request_max = 100", "members_per_request_max = 1000");
    std::fs::write(scene.stage.config(), text).expect("a configuration");
    scene.settle();
    scene
}

fn inactive(scene: &Scene) -> usize {
    scene.atlassian(|sim| sim.users().filter(|user| !user.active()).count())
}

/// A directory sync that takes fifty more out every ten minutes.
#[test]
fn four_thousand_people_and_a_directory_sync_that_takes_fifty_out_every_ten_minutes() {
    let scene = company(4_000, 0);
    let wave = |number: usize| {
        let names = (number * 50..(number + 1) * 50).map(|person| format!("p{person}"));
        scene.day(|duo| names.for_each(|name| duo.status(&name, "pending deletion")));
    };
    wave(0);
    scene.ends(0, &["sync"]);
    assert_eq!(inactive(&scene), 50, "fifty in a day are not held: guard.deactivations_max, at_most");
    for number in 1..=3 {
        wave(number);
        let held = scene.changes_nothing(5, &["sync"]);
        let waiting = number * 50;
        for said in [
            format!("{waiting} deactivations after 50 without approval in the last 24 hours"),
            "the limit is 50 in 24 hours, with 3950 active accounts".to_owned(),
            format!(
                "{waiting} of {waiting} for one reason, pending deletion in Duo: looks like directory sync, not like leavers"
            ),
            "[guard.deactivations_max]".to_owned(),
            format!("{waiting} wait behind it to lose access"),
        ] {
            assert!(
                format!("{}{}", held.stdout, held.stderr).contains(&said),
                "{said}\n{}{}",
                held.stdout,
                held.stderr
            );
        }
    }
    assert_eq!(inactive(&scene), 50);
}

#[test]
fn a_group_that_goes_from_three_thousand_to_one() {
    let scene = company(3_010, 3_000);
    scene.day(|duo| (1..3_000).for_each(|number| duo.leave(&format!("p{number}"), "big")));
    let held = scene.changes_nothing(5, &["sync"]);
    for said in [
        "2999 of 3000 members would leave group big, at most 500 allowed in 24 hours",
        "looks like a list that was replaced, not like people who moved",
        "[guard.leaves_per_group_max]",
    ] {
        assert!(held.stdout.contains(said), "{said}\n{}", held.stdout);
    }
    assert_eq!(scene.atlassian(|sim| sim.members_of("big").len()), 3_000);
}

#[test]
fn eight_people_of_whom_five_go() {
    let scene = Scene::settled(&["a in t", "b in t", "c in t", "d in t", "e in t", "f in t", "g in t", "h in t"]);
    scene.day(|duo| ["a", "b", "c", "d", "e"].into_iter().for_each(|name| duo.remove(name)));
    let held = scene.changes_nothing(5, &["sync"]);
    let said = "5 of 8 accounts would be deactivated within 24 hours, half or more of all";
    assert!(held.stdout.contains(said), "{}", held.stdout);
    assert_eq!(inactive(&scene), 0);
}

/// The same five, one after the other: what was sent counts, until half would be gone.
#[test]
fn eight_people_of_whom_five_go_one_by_one() {
    let scene = Scene::settled(&["a in t", "b in t", "c in t", "d in t", "e in t", "f in t", "g in t", "h in t"]);
    for name in ["a", "b", "c"] {
        scene.day(|duo| duo.remove(name));
        scene.ends(0, &["sync"]);
    }
    for name in ["d", "e"] {
        scene.day(|duo| duo.remove(name));
        scene.changes_nothing(5, &["sync"]);
    }
    assert_eq!(inactive(&scene), 3);
}
