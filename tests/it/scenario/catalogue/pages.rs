//! Pages that do not add up, in both ways of reading.

use super::super::super::sim::duo::{Numbers, Totals};
use super::super::super::sim::wire::{Answer, Effect, Fault};
use super::super::scene::Scene;
use super::bad_readings;
use super::world::Way;
use super::world::{Dealt, PAGE, deal, edited, honest, in_one_page, instead, list};
use super::world::{always, rows, without_rows};
use serde_json::{Value, json};

/// Nothing in the list, whatever it says of the total.
fn no_rows(scene: &Scene, way: Way) {
    deal(scene, way, |_, all| Dealt { rows: 0..0, next: None, total: Some(all) });
}

/// Nothing in the list, and the total agrees.
fn no_rows_and_no_total(scene: &Scene, way: Way) {
    deal(scene, way, |_, _| Dealt { rows: 0..0, next: None, total: Some(0) });
}

/// The second page is the first once more.
fn a_page_again(scene: &Scene, way: Way) {
    deal(scene, way, |offset, all| Dealt {
        rows: if offset == PAGE { 0..PAGE } else { honest(offset, all).rows },
        ..honest(offset, all)
    });
}

/// The second page begins one row too late; the sum is one short.
fn a_page_skips(scene: &Scene, way: Way) {
    deal(scene, way, |offset, all| match offset {
        0 => honest(0, all),
        _ => Dealt {
            rows: offset + 1..(offset + PAGE + 1).min(all),
            next: (offset + PAGE + 1 < all).then_some(offset + PAGE),
            total: Some(all),
        },
    });
}

/// The second page loses its last two rows, and the third begins where it would have begun.
fn a_page_shrinks(scene: &Scene, way: Way) {
    deal(scene, way, |offset, all| {
        let page = honest(offset, all);
        let end = if offset == PAGE { page.rows.end - 2 } else { page.rows.end };
        Dealt { rows: page.rows.start..end, next: page.next.or((offset == PAGE).then_some(all)), ..page }
    });
}

/// The second page is the last, though Duo counts more.
fn a_page_is_missing(scene: &Scene, way: Way) {
    deal(scene, way, |offset, all| {
        let page = honest(offset, all);
        if offset == 0 { Dealt { next: None, ..page } } else { page }
    });
}

fn next_says(scene: &Scene, way: Way, next: fn(usize, usize) -> usize) {
    let rows = rows(scene, way).len();
    always(
        scene,
        list(scene, way),
        edited(move |body| {
            let Some(honest) = body["metadata"]["next_offset"].as_u64() else { return };
            body["metadata"]["next_offset"] = json!(next(usize::try_from(honest).expect("an offset"), rows));
        }),
    );
}

fn total_says(scene: &Scene, way: Way, total: Value) {
    always(scene, list(scene, way), edited(move |body| body["metadata"]["total_objects"] = total.clone()));
}

/// A page that ends the list and knows no total.
fn the_first_page_ends_it(scene: &Scene, way: Way) {
    deal(scene, way, |_, all| Dealt { next: None, total: None, ..honest(0, all) });
}

/// Each page knows another total.
fn totals_that_differ(scene: &Scene, way: Way) {
    deal(scene, way, |offset, all| Dealt { total: Some(all - usize::from(offset == 0)), ..honest(offset, all) });
}

fn a_row_twice(scene: &Scene, way: Way) {
    in_one_page(scene);
    always(scene, list(scene, way), edited(|body| body["response"][1] = body["response"][0].clone()));
}

fn a_row_without_an_id(scene: &Scene, way: Way) {
    in_one_page(scene);
    always(
        scene,
        list(scene, way),
        edited(|body| {
            drop(body["response"][2].as_object_mut().map(|row| row.remove("user_id")));
        }),
    );
}

/// A permission that is taken away while the list is read.
fn forbidden_after_the_first_page(scene: &Scene, way: Way) {
    let answer = json!({ "stat": "FAIL", "code": 40301, "message": "Access forbidden" });
    let fault = Fault::always(list(scene, way).with_query("offset=5"), Effect::Answer(Answer::json(403, &answer)));
    scene.stage.duo.fault(fault);
}

fn half_of_it_is_missing(scene: &Scene, way: Way) {
    in_one_page(scene);
    always(
        scene,
        list(scene, way),
        without_rows(|row| row["username"].as_str().is_some_and(|name| ["a", "c", "e", "g"].contains(&name))),
    );
}

fn odd_numbers(scene: &Scene, _way: Way) {
    scene.duo(|duo| duo.sim.switches.numbers = Numbers::Strings);
}

fn no_totals(scene: &Scene, _way: Way) {
    scene.duo(|duo| duo.sim.switches.totals = Totals::Omitted);
}

fn a_null(scene: &Scene, way: Way) {
    instead(
        scene,
        way,
        Answer::json(200, &json!({ "stat": "OK", "response": null, "metadata": { "total_objects": 9 } })),
    );
}

fn no_response(scene: &Scene, way: Way) {
    instead(scene, way, Answer::json(200, &json!({ "stat": "OK" })));
}

bad_readings! {
    an_empty_list_with_the_old_total: Everyone, Unread, ["0 rows were received, but Duo counts 13"], no_rows;
    an_empty_group_with_the_old_total: Members, Unread, ["0 rows were received, but Duo counts 9"], no_rows;
    an_empty_list_that_the_records_contradict: Everyone, Quiet, ["Nothing was to be sent"], no_rows_and_no_total;
    an_empty_group_that_the_records_contradict: Members, Quiet, ["Nothing was to be sent"], no_rows_and_no_total;
    a_page_that_repeats: Everyone, Unread, ["came twice"], a_page_again;
    a_page_of_members_that_repeats: Members, Unread, ["came twice"], a_page_again;
    a_page_that_skips: Everyone, Unread, ["12 rows were received, but Duo counts 13"], a_page_skips;
    a_page_of_members_that_skips: Members, Unread, ["8 rows were received, but Duo counts 9"], a_page_skips;
    a_page_that_shrinks: Everyone, Unread, ["next_offset 10 skips rows: 8 were received"], a_page_shrinks;
    a_page_of_members_that_shrinks: Members, Unread, ["next_offset 9 skips rows: 7 were received"], a_page_shrinks;
    a_page_that_is_missing: Everyone, Unread, ["5 rows were received, but Duo counts 13"], a_page_is_missing;
    a_page_of_members_that_is_missing: Members, Unread, ["5 rows were received, but Duo counts 9"], a_page_is_missing;
    next_offset_stands_still: Everyone, Unread, ["does not go on from 0"], |s, w| next_says(s, w, |next, _| next - PAGE);
    next_offset_of_members_stands_still: Members, Unread, ["does not go on from 0"], |s, w| next_says(s, w, |next, _| next - PAGE);
    next_offset_goes_back: Everyone, Unread, ["next_offset 3 goes back: 5 rows"], |s, w| next_says(s, w, |_, _| 3);
    next_offset_of_members_goes_back: Members, Unread, ["next_offset 3 goes back: 5 rows"], |s, w| next_says(s, w, |_, _| 3);
    next_offset_jumps: Everyone, Unread, ["next_offset 6 skips rows: 5 were received"], |s, w| next_says(s, w, |next, _| next + 1);
    next_offset_of_members_jumps: Members, Unread, ["next_offset 6 skips rows"], |s, w| next_says(s, w, |next, _| next + 1);
    next_offset_jumps_behind_the_end: Everyone, Unread, ["next_offset 13 skips rows"], |s, w| next_says(s, w, |_, all| all);
    a_total_that_is_too_large: Everyone, Unread, ["13 rows were received, but Duo counts 400"], |s, w| total_says(s, w, json!(400));
    a_total_of_members_that_is_too_large: Members, Unread, ["9 rows were received, but Duo counts 10"], |s, w| total_says(s, w, json!(10));
    a_total_that_is_too_small: Everyone, Unread, ["13 rows were received, but Duo counts 12"], |s, w| total_says(s, w, json!(12));
    a_total_of_members_that_is_too_small: Members, Unread, ["9 rows were received, but Duo counts 1"], |s, w| total_says(s, w, json!(1));
    a_total_that_is_negative: Everyone, Unread, ["its total_objects is -1"], |s, w| total_says(s, w, json!(-1));
    a_total_that_is_no_number: Members, Unread, ["its total_objects is \"many\""], |s, w| total_says(s, w, json!("many"));
    totals_that_differ_from_page_to_page: Everyone, Quiet, ["kept changing while being read"], totals_that_differ;
    totals_of_members_that_differ_from_page_to_page: Members, Quiet, ["kept changing while being read"], totals_that_differ;
    a_first_page_that_knows_neither_total_nor_next: Everyone, Quiet, ["Nothing was to be sent"], the_first_page_ends_it;
    a_first_page_of_members_that_knows_neither_total_nor_next: Members, Quiet, [], the_first_page_ends_it;
    a_person_twice: Everyone, Unread, ["came twice"], a_row_twice;
    a_member_twice: Members, Unread, ["came twice"], a_row_twice;
    a_person_without_an_id: Everyone, Unread, ["a person has no user_id"], a_row_without_an_id;
    a_member_without_an_id: Members, Unread, ["a member has no user_id"], a_row_without_an_id;
    a_permission_that_is_lost_after_the_first_page: Everyone, Unread, ["Duo forbids this", "Grant read resource"], forbidden_after_the_first_page;
    a_permission_that_is_lost_among_members: Members, Unread, ["Duo forbids this", "Grant read resource"], forbidden_after_the_first_page;
    half_of_the_list_is_missing_and_the_records_know_better: Everyone, Quiet, ["Nothing was to be sent"], half_of_it_is_missing;
    half_of_a_group_is_missing_and_the_records_know_better: Members, Quiet, [], half_of_it_is_missing;
    numbers_as_texts: Everyone, Quiet, ["Nothing was to be sent"], odd_numbers;
    numbers_of_members_as_texts: Members, Quiet, ["Nothing was to be sent"], odd_numbers;
    lists_without_totals: Everyone, Quiet, ["Nothing was to be sent"], no_totals;
    lists_of_members_without_totals: Members, Quiet, ["Nothing was to be sent"], no_totals;
    a_response_that_is_null: Everyone, Unread, ["the answer holds no list"], a_null;
    members_that_are_null: Members, Unread, ["the answer holds no list"], a_null;
    an_answer_without_a_response: Everyone, Unread, ["the answer holds no list"], no_response;
}
