//! Answers that are not Duo's, or not what was asked for.

use super::super::super::sim::wire::{Answer, Edit, Effect, Fault, Match};
use super::super::scene::Scene;
use super::bad_readings;
use super::world::{Way, always, edited, instead, list};
use serde_json::json;

const NOT_DUO: &str = "does not answer like Duo";

fn page(scene: &Scene, way: Way) {
    instead(scene, way, Answer::html(200, "<html><title>Sign in</title><body>Corporate proxy</body></html>"));
}

/// Half of the body, with a length that fits.
fn half_a_body(scene: &Scene, way: Way) {
    let cut: Edit = Box::new(|_, answer| answer.body.truncate(answer.body.len() / 2));
    always(scene, list(scene, way), Effect::Rewrite(cut));
}

/// A portal that wants to be signed in to. It stands where nobody may be asked: at the target.
fn portal(scene: &Scene, way: Way) {
    let location = format!("{}/login?next=users", scene.stage.atlassian.url());
    instead(scene, way, Answer::html(302, "").with_header("Location", &location));
}

fn fails(scene: &Scene, way: Way, code: u32, message: &str) {
    instead(scene, way, Answer::json(200, &json!({ "stat": "FAIL", "code": code, "message": message })));
}

fn every_request(scene: &Scene, answer: Answer) {
    always(scene, Match::any(), Effect::Answer(answer));
}

/// Bytes that say that they are compressed, once; then all is well.
fn not_compressed_once(scene: &Scene, way: Way) {
    let answer =
        Answer::json(200, &json!({})).with_header("Content-Encoding", "gzip").with_body(&[0x1f, 0x8b, 9, 9, 9]);
    scene.stage.duo.fault(Fault::once(list(scene, way), Effect::Answer(answer)));
}

fn enormous(scene: &Scene, way: Way) {
    let body = format!("{{\"stat\": \"OK\", \"response\": [\"{}\"]}}", "x".repeat(65 << 20));
    instead(scene, way, Answer::text(200, "application/json", &body));
}

bad_readings! {
    a_proxys_page: Everyone, Unread, [NOT_DUO, "Corporate proxy"], page;
    a_proxys_page_among_members: Members, Unread, [NOT_DUO, "Corporate proxy"], page;
    a_proxys_page_everywhere: Everyone, Unread, [NOT_DUO], |s, _| {
        every_request(s, Answer::html(200, "<p>Welcome</p>"));
    };
    a_truncated_body: Everyone, Unread, [NOT_DUO, "no JSON"], half_a_body;
    a_truncated_body_of_members: Members, Unread, [NOT_DUO, "no JSON"], half_a_body;
    an_empty_body: Everyone, Unread, [NOT_DUO, "no JSON"], |s, w| {
        instead(s, w, Answer::text(200, "application/json", ""));
    };
    a_204: Members, Unread, [NOT_DUO], |s, w| instead(s, w, Answer::empty(204));
    a_captive_portal: Everyone, Unread, [NOT_DUO, "it redirects to http"], portal;
    a_captive_portal_among_members: Members, Unread, [NOT_DUO, "it redirects to http"], portal;
    a_failure_at_200: Everyone, Unread, ["Duo failed with HTTP 500", "Internal error"], |s, w| {
        fails(s, w, 50_001, "Internal error");
    };
    a_refusal_at_200: Members, Unread, ["Duo forbids this"], |s, w| fails(s, w, 40_301, "Access forbidden");
    a_failure_without_a_code: Everyone, Unread, ["Something went wrong"], |s, w| {
        instead(s, w, Answer::json(200, &json!({ "stat": "FAIL", "message": "Something went wrong" })));
    };
    json_of_another_shape: Everyone, Unread, [NOT_DUO, "JSON without Duo's stat"], |s, w| {
        instead(s, w, Answer::json(200, &json!({ "users": [], "ok": true })));
    };
    json_that_is_a_bare_list: Members, Unread, [NOT_DUO, "JSON without Duo's stat"], |s, w| {
        instead(s, w, Answer::json(200, &json!([])));
    };
    an_object_where_a_list_should_be: Everyone, Unread, ["the answer holds no list"], |s, w| {
        always(s, list(s, w), edited(|body| body["response"] = json!({})));
    };
    rows_that_are_texts: Members, Unread, ["a member has no user_id"], |s, w| {
        always(s, list(s, w), edited(|body| body["response"] = json!(["DU1", "DU2"])));
    };
    a_content_type_that_is_wrong: Everyone, Quiet, ["Nothing was to be sent"], |s, w| {
        let edit: Edit = Box::new(|_, answer| {
            answer.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
            answer.headers.push(("Content-Type".to_owned(), "text/html".to_owned()));
        });
        always(s, list(s, w), Effect::Rewrite(edit));
    };
    a_body_without_end: Everyone, Unread, ["answered with more than"], enormous;
    a_body_that_is_not_compressed_though_it_says_so: Everyone, Quiet, ["Nothing was to be sent"], not_compressed_once;
    duos_clock_is_off: Everyone, Unread, ["clock", "15 min"], |s, _| {
        s.duo(|duo| duo.sim.switches.clock_offset_seconds = 900);
    };
    a_secret_key_that_was_changed: Everyone, Unread, ["Duo refused the secret key"], |s, w| {
        let answer = json!({ "stat": "FAIL", "code": 40103, "message": "Invalid signature in request credentials" });
        let fault = Fault::always(list(s, w).with_query("offset=5"), Effect::Answer(Answer::json(401, &answer)));
        s.stage.duo.fault(fault);
    };
    an_application_that_was_deleted: Members, Unread, ["Duo refused the integration key"], |s, _| {
        let answer = json!({ "stat": "FAIL", "code": 40102, "message": "Invalid integration key in request credentials" });
        every_request(s, Answer::json(401, &answer));
    };
    a_permission_that_was_never_there: Everyone, Unread, ["Duo forbids this"], |s, _| {
        s.duo(|duo| duo.sim.switches.read_resource = false);
    };
    a_404_for_the_list_of_people: Everyone, Unread, ["nothing was sent"], |s, w| {
        instead(s, w, Answer::json(404, &json!({ "stat": "FAIL", "code": 40401, "message": "Resource not found" })));
    };
    a_404_page_for_a_group: Members, Unread, [NOT_DUO], |s, w| instead(s, w, Answer::html(404, "<h1>Not found</h1>"));
}
