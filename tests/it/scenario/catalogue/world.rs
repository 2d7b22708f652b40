//! The worlds of the catalogue, one for each way of reading, and what can go wrong with an answer.

use super::super::super::sim::duo::DuoSim;
use super::super::super::sim::wire::{Answer, Edit, Effect, Fault, Match, Request};
use super::super::scene::Scene;
use serde_json::{Value, json};
use std::ops::Range;

/// How the program reads a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The list of all people.
    Everyone,
    /// The members of each group, then those people by id.
    Members,
}

/// Eight in eng and eight in ops, four of them in both; z is the one who will have to go.
const PEOPLE: [&str; 13] = [
    "a in eng",
    "b in eng",
    "c in eng",
    "d in eng",
    "e in eng ops",
    "f in eng ops",
    "g in eng ops",
    "h in eng ops",
    "i in ops",
    "j in ops",
    "k in ops",
    "l in ops",
    "z in eng",
];
/// Rows of a page, so that every list has several.
pub(super) const PAGE: usize = 5;
/// People outside of the scope make the way by members the cheaper one.
const OUTSIDERS: usize = 950;

/// A world after its first sync.
pub(super) fn settled(way: Way) -> Scene {
    peopled(way, &PEOPLE)
}

/// The same, with these people.
pub(super) fn peopled(way: Way, people: &[&str]) -> Scene {
    let scene = Scene::empty();
    scene.duo(|duo| {
        if way == Way::Members {
            (0..OUTSIDERS).for_each(|number| drop(duo.hire(&format!("outsider{number}")).user_id.clone()));
        }
        for line in people {
            duo.hire(line);
        }
        duo.sim.switches.page_max = Some(PAGE);
    });
    scene.configure("[guard]\nfirst_plan = \"apply\"\n");
    scene.ends(0, &["sync"]);
    scene.forget();
    scene
}

/// The usernames of the settled world.
pub(super) fn usernames() -> impl Iterator<Item = &'static str> {
    PEOPLE.into_iter().filter_map(|line| line.split_whitespace().next())
}

/// The requests for pages of the list that says who is in eng.
pub(super) fn list(scene: &Scene, way: Way) -> Match {
    match way {
        Way::Everyone => Match::get("/admin/v1/users").with_query("offset="),
        Way::Members => Match::get(&format!("/admin/v2/groups/{}/users", scene.duo(|duo| duo.group_id("eng")))),
    }
}

/// All rows of that list.
pub(super) fn rows(scene: &Scene, way: Way) -> Vec<Value> {
    scene.duo(|duo| {
        let eng = duo.group_id("eng");
        let world = duo.world();
        match way {
            Way::Everyone => world.people().map(|person| world.person_json(person)).collect(),
            Way::Members => {
                let people = world.people().filter(|person| person.groups.contains(&eng));
                people.map(|person| json!({ "user_id": person.user_id, "username": person.username })).collect()
            }
        }
    })
}

/// One page as somebody deals it.
pub(super) struct Dealt {
    pub(super) rows: Range<usize>,
    /// What it says of the next page.
    pub(super) next: Option<usize>,
    /// What it says of the number of all rows.
    pub(super) total: Option<usize>,
}

/// The page at this offset of so many rows, as it should be.
pub(super) fn honest(offset: usize, all: usize) -> Dealt {
    let end = offset.saturating_add(PAGE).min(all);
    Dealt { rows: offset.min(end)..end, next: (end < all).then_some(end), total: Some(all) }
}

/// Pages of the list of eng as `deal` makes them from the offset and the number of all rows.
pub(super) fn deal(scene: &Scene, way: Way, deal: fn(usize, usize) -> Dealt) {
    let rows = rows(scene, way);
    let edit: Edit = Box::new(move |request, answer| {
        let page = deal(offset_of(request), rows.len());
        let shown = rows.get(page.rows).unwrap_or_default();
        *answer = answer_of(shown, page.next, page.total);
    });
    always(scene, list(scene, way), Effect::Rewrite(edit));
}

/// A page in Duo's envelope.
fn answer_of(rows: &[Value], next: Option<usize>, total: Option<usize>) -> Answer {
    let mut metadata = json!({ "next_offset": next });
    if let Some(total) = total {
        metadata["total_objects"] = json!(total);
    }
    Answer::json(200, &json!({ "stat": "OK", "response": rows, "metadata": metadata }))
}

pub(super) fn offset_of(request: &Request) -> usize {
    request.parameter("offset").and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// From now on, at every such request.
pub(super) fn always(scene: &Scene, on: Match, effect: Effect<DuoSim>) {
    scene.stage.duo.fault(Fault::always(on, effect));
}

/// This answer to every request for the list of eng.
pub(super) fn instead(scene: &Scene, way: Way, answer: Answer) {
    always(scene, list(scene, way), Effect::Answer(answer));
}

/// Edits the JSON of an answer.
pub(super) fn edited(change: impl Fn(&mut Value) + Send + 'static) -> Effect<DuoSim> {
    let edit: Edit = Box::new(move |_, answer| {
        let mut body: Value = serde_json::from_slice(&answer.body).expect("JSON");
        change(&mut body);
        answer.body = body.to_string().into_bytes();
    });
    Effect::Rewrite(edit)
}

/// Edits every row of an answer.
pub(super) fn edited_rows(change: impl Fn(&mut Value) + Send + 'static) -> Effect<DuoSim> {
    edited(move |body| body["response"].as_array_mut().into_iter().flatten().for_each(&change))
}

/// Leaves rows out of an answer, whose total then agrees.
pub(super) fn without_rows(is_out: impl Fn(&Value) -> bool + Send + 'static) -> Effect<DuoSim> {
    edited(move |body| {
        if let Some(rows) = body["response"].as_array_mut() {
            rows.retain(|row| !is_out(row));
            let count = rows.len();
            body["metadata"]["total_objects"] = json!(count);
        }
    })
}

/// Lists come in one page.
pub(super) fn in_one_page(scene: &Scene) {
    scene.duo(|duo| duo.sim.switches.page_max = None);
}

/// Requests for people by their ids.
pub(super) fn by_ids() -> Match {
    Match::get("/admin/v1/users").with_query("user_id_list=")
}
