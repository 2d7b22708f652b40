//! People and groups who are asked for by id: only Duo's own word that somebody is gone counts.

use super::super::super::sim::duo::UnknownIds;
use super::super::super::sim::wire::{Answer, Edit, Effect, Match};
use super::super::scene::Scene;
use super::bad_readings;
use super::world::{Way, always, by_ids, edited, edited_rows, in_one_page, list, rows, without_rows};
use serde_json::{Value, json};

fn is_a(row: &Value) -> bool {
    row["username"] == "a"
}

/// `a` is in no list, and every total agrees.
fn a_is_missing(scene: &Scene, way: Way) {
    in_one_page(scene);
    always(scene, list(scene, way), without_rows(is_a));
}

/// `a` is not among the people who are asked for together either.
fn a_is_not_among_them(scene: &Scene, way: Way) {
    a_is_missing(scene, way);
    always(scene, by_ids(), without_rows(is_a));
}

/// Alone, `a` is answered for so.
fn a_alone(scene: &Scene, way: Way, answer: Answer) {
    a_is_not_among_them(scene, way);
    let path = format!("/admin/v1/users/{}", scene.duo(|duo| duo.id("a")));
    always(scene, Match::get(&path), Effect::Answer(answer));
}

fn not_found(code: &Value) -> Answer {
    Answer::json(404, &json!({ "stat": "FAIL", "code": code, "message": "Resource not found" }))
}

/// Somebody else instead of `a`.
fn somebody_else(scene: &Scene, way: Way) {
    let other = rows(scene, Way::Everyone).into_iter().find(|row| row["username"] == "b").expect("b");
    a_alone(scene, way, Answer::json(200, &json!({ "stat": "OK", "response": other })));
}

/// Others are given than were asked for.
fn other_people(scene: &Scene, way: Way) {
    a_is_missing(scene, way);
    let others: Vec<Value> = rows(scene, Way::Everyone)
        .into_iter()
        .take(3)
        .map(|mut row| {
            row["user_id"] = json!(format!("{}X", row["user_id"].as_str().unwrap_or_default()));
            row
        })
        .collect();
    always(scene, by_ids(), edited(move |body| body["response"] = json!(others)));
}

fn somebody_twice(scene: &Scene, way: Way) {
    a_is_missing(scene, way);
    always(
        scene,
        by_ids(),
        edited(|body| {
            let first = body["response"][0].clone();
            body["response"].as_array_mut().into_iter().for_each(|rows| rows.push(first.clone()));
        }),
    );
}

fn by_ids_answer(scene: &Scene, way: Way, answer: Answer) {
    a_is_missing(scene, way);
    always(scene, by_ids(), Effect::Answer(answer));
}

fn half_a_body(scene: &Scene, way: Way) {
    a_is_missing(scene, way);
    let cut: Edit = Box::new(|_, answer| answer.body.truncate(answer.body.len() / 2));
    always(scene, by_ids(), Effect::Rewrite(cut));
}

/// eng is not in the list of groups, and by its id the answer is this.
fn eng_alone(scene: &Scene, answer: Answer) {
    always(scene, Match::get("/admin/v1/groups"), without_rows(|row| row["name"] == "eng"));
    let path = format!("/admin/v2/groups/{}", scene.duo(|duo| duo.group_id("eng")));
    always(scene, Match::get(&path), Effect::Answer(answer));
}

fn another_group(scene: &Scene) {
    let ops = scene.duo(|duo| duo.sim.world.find_group("ops").expect("ops").json());
    eng_alone(scene, Answer::json(200, &json!({ "stat": "OK", "response": ops })));
}

const NOTHING: &str = "Nothing was to be sent";

bad_readings! {
    somebody_missing_from_the_list_is_there_by_id: Everyone, Quiet, [NOTHING], a_is_missing;
    somebody_missing_from_a_group_is_there_by_id: Members, Quiet, [NOTHING], a_is_missing;
    somebody_missing_among_people_by_id_is_there_alone: Everyone, Quiet, [NOTHING], a_is_not_among_them;
    members_missing_among_people_by_id_are_there_alone: Members, Quiet, [NOTHING], |s, _| {
        always(s, by_ids(), without_rows(|row| row["username"] != "b"));
    };
    a_404_without_duos_code: Everyone, Unread, [], |s, w| a_alone(s, w, not_found(&Value::Null));
    a_404_with_another_code: Everyone, Unread, [], |s, w| a_alone(s, w, not_found(&json!(40_400)));
    a_404_of_a_member_with_another_code: Members, Unread, [], |s, w| a_alone(s, w, not_found(&json!(40_402)));
    a_404_of_a_proxy: Everyone, Unread, ["does not answer like Duo: HTTP 404"], |s, w| a_alone(s, w, Answer::html(404, "<h1>404</h1>"));
    a_404_at_200: Everyone, Unread, ["does not answer like Duo"], |s, w| {
        a_alone(s, w, Answer::json(200, &json!({ "code": 40_401, "message": "Resource not found" })));
    };
    somebody_else_in_somebodys_place: Everyone, Unread, ["Duo gave person", "instead"], somebody_else;
    people_by_id_are_other_people: Everyone, Quiet, [NOTHING], other_people;
    members_by_id_are_other_people: Members, Quiet, [NOTHING], other_people;
    a_person_by_id_twice: Everyone, Unread, ["came twice"], somebody_twice;
    a_member_by_id_twice: Members, Unread, ["came twice"], somebody_twice;
    people_by_id_are_a_page_of_a_proxy: Everyone, Unread, ["does not answer like Duo"], |s, w| by_ids_answer(s, w, Answer::html(200, "<p>Hello"));
    people_by_id_are_a_redirect: Members, Unread, ["it redirects to"], |s, w| {
        by_ids_answer(s, w, Answer::empty(302).with_header("Location", "https://portal.example.com/"));
    };
    people_by_id_are_forbidden: Everyone, Unread, ["Duo forbids this"], |s, w| {
        by_ids_answer(s, w, Answer::json(403, &json!({ "stat": "FAIL", "code": 40_301, "message": "Access forbidden" })));
    };
    people_by_id_are_cut: Members, Unread, ["no JSON"], half_a_body;
    people_by_id_have_no_list_of_groups: Members, Unread, ["comes without a list of groups"], |s, w| {
        a_is_missing(s, w);
        always(s, by_ids(), edited_rows(|row| row["groups"] = Value::Null));
    };
    people_by_id_are_refused_together_and_given_alone: Everyone, Quiet, [NOTHING], |s, w| {
        a_is_not_among_them(s, w);
        s.duo(|duo| duo.sim.switches.unknown_ids = UnknownIds::BadRequest);
        let refusal = json!({ "stat": "FAIL", "code": 40_002, "message": "Invalid request parameters" });
        always(s, by_ids(), Effect::Answer(Answer::json(400, &refusal)));
    };
    a_group_is_not_found_by_a_proxy: Everyone, Unread, ["does not answer like Duo"], |s, _| eng_alone(s, Answer::html(404, "<h1>404</h1>"));
    a_group_is_not_found_without_duos_code: Members, Unread, [], |s, _| eng_alone(s, not_found(&Value::Null));
    another_group_in_a_groups_place: Everyone, Unread, ["Duo gave group"], |s, _| another_group(s);
}
