//! People who are really added, moved and removed while the lists are read: nobody loses anything by it that they keep
//! in Duo, and the next sync ends where Duo is.

use super::super::super::sim::duo::DuoSim;
use super::super::super::sim::wire::{Effect, Fault, Match};
use super::super::scene::Scene;
use super::all_together;
use super::world::{Way, settled};
use std::collections::{BTreeMap, BTreeSet};

/// What happens at a moment.
#[derive(Clone, Copy, Debug)]
enum Move {
    /// Somebody new in eng.
    Hired,
    /// The first of the list is gone for good: all rows behind move up.
    First,
    /// Somebody of the last page is gone for good.
    Last,
    /// Somebody changes from eng to ops.
    Moved,
    /// One goes and one comes: the total stays.
    Replaced,
}

const MOVES: [Move; 5] = [Move::Hired, Move::First, Move::Last, Move::Moved, Move::Replaced];

fn act(kind: Move, sim: &mut DuoSim) {
    let world = &mut sim.world;
    let group = |name: &str| world.find_group(name).map(|group| group.group_id.clone()).expect("a group");
    let (eng, ops) = (group("eng"), group("ops"));
    let id = |name: &str| world.find_person(name).map(|person| person.user_id.clone()).expect("somebody");
    let (a, b, l) = (id("a"), id("b"), id("l"));
    let hire = |world: &mut super::super::super::sim::duo::DuoWorld| {
        let id = world.add_person("new", "new@example.com");
        world.join(&id, &eng);
    };
    match kind {
        Move::Hired => hire(world),
        Move::First => world.remove_person(&a),
        Move::Last => world.remove_person(&l),
        Move::Moved => {
            world.leave(&b, &eng);
            world.join(&b, &ops);
        }
        Move::Replaced => {
            world.remove_person(&a);
            hire(world);
        }
    }
}

/// Who is in which group in Duo.
fn in_duo(scene: &Scene) -> BTreeMap<String, BTreeSet<String>> {
    let members = |sim: &DuoSim, name: &str| {
        let group = sim.world.find_group(name).expect("a group");
        let people = group.members.iter().filter_map(|id| sim.world.person(id));
        people.filter(|person| person.status == "active").map(|person| person.username.clone()).collect()
    };
    scene.duo(|duo| ["eng", "ops"].map(|name| (name.to_owned(), members(duo.sim, name))).into_iter().collect())
}

fn in_atlassian(scene: &Scene) -> BTreeMap<String, BTreeSet<String>> {
    scene.atlassian(|sim| ["eng", "ops"].map(|name| (name.to_owned(), sim.members_of(name))).into_iter().collect())
}

/// Who has an active account.
fn active(scene: &Scene) -> BTreeSet<String> {
    let users = |sim: &mut super::super::super::sim::atlassian::AtlassianSim| {
        sim.users().filter(|user| user.active()).map(|user| user.user_name().to_owned()).collect()
    };
    scene.atlassian(users)
}

fn moves_at(way: Way, kind: Move, moment: usize) {
    let scene = settled(way);
    // Something is due in any case, so that a reading that is wrong would be acted upon.
    scene.duo(|duo| duo.status("z", "disabled"));
    scene.forget();
    let change = Effect::WorldAfter(Box::new(move |sim: &mut DuoSim| act(kind, sim)));
    scene.stage.duo.fault(Fault::once(Match::any(), change).after(moment));
    let ran = scene.run(&["sync"]);
    let told = format!("{way:?}, {kind:?} after request {moment}: {ran:?}");
    match ran.code {
        Some(3 | 5) => scene.nothing_was_sent(),
        Some(0) => {
            // Whoever is in Duo and was here before is here still.
            let (duo, atlassian) = (in_duo(&scene), in_atlassian(&scene));
            for (group, members) in &duo {
                let kept = members.iter().filter(|name| *name != "new" && !(*name == "b" && group == "ops"));
                kept.for_each(|name| assert!(atlassian[group].contains(name), "{name} left {group}; {told}"));
            }
            let there: BTreeSet<String> = duo.into_values().flatten().filter(|name| name != "new").collect();
            assert!(there.is_subset(&active(&scene)), "{told}");
        }
        _ => panic!("{told}"),
    }
    scene.stage.duo.clear_faults();
    if scene.source_requests().len() > moment {
        scene.ends(0, &["sync"]);
        assert_eq!(in_atlassian(&scene), in_duo(&scene), "{told}");
        assert_eq!(active(&scene), in_duo(&scene).into_values().flatten().collect(), "{told}");
    }
}

/// Before each request of a reading, and before those that ask for people by their ids.
fn at_every_moment(way: Way) {
    let moments = if way == Way::Everyone { 6 } else { 8 };
    let all: Vec<(Move, usize)> = MOVES.into_iter().flat_map(|kind| (0..moments).map(move |at| (kind, at))).collect();
    all_together(&all, |(kind, at)| moves_at(way, *kind, *at));
}

#[test]
fn people_who_come_and_go_while_everyone_is_read_lose_nothing_that_they_keep() {
    at_every_moment(Way::Everyone);
}

#[test]
fn people_who_come_and_go_while_members_are_read_lose_nothing_that_they_keep() {
    at_every_moment(Way::Members);
}
