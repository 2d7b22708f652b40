//! What was not read completely is unread: nothing follows from it.

use super::super::sim::duo::DuoSim;
use super::super::sim::wire::{Answer, Edit, Effect, Fault, Match};
use super::picture::tidy;
use super::scene::Scene;
use insta::assert_snapshot;
use serde_json::{Value, json};

/// Edits the JSON of an answer.
fn edited(change: impl Fn(&mut Value) + Send + 'static) -> Effect<DuoSim> {
    let edit: Edit = Box::new(move |_, answer| {
        let mut body: Value = serde_json::from_slice(&answer.body).expect("JSON");
        change(&mut body);
        answer.body = body.to_string().into_bytes();
    });
    Effect::Rewrite(edit)
}

/// The ways in which the list of people can be unreadable. Each is read three times before it counts.
fn faults() -> Vec<(&'static str, Effect<DuoSim>)> {
    vec![
        ("wrong JSON", Effect::Answer(Answer::text(200, "application/json", "{\"stat\": \"OK\", \"response\": ["))),
        ("HTML", Effect::Answer(Answer::html(200, "<html><title>Sign in</title><body>Corporate proxy</body></html>"))),
        (
            "HTTP 200 with stat FAIL",
            Effect::Answer(Answer::json(200, &json!({ "stat": "FAIL", "code": 50001, "message": "Internal error" }))),
        ),
        ("an empty list with a total", edited(|body| body["response"] = json!([]))),
        ("a row missing", edited(|body| drop(body["response"].as_array_mut().map(Vec::pop)))),
        (
            "a page missing",
            edited(|body| {
                body["metadata"]["next_offset"] = Value::Null;
                if let Some(rows) = body["response"].as_array_mut() {
                    rows.truncate(2);
                }
            }),
        ),
        ("a person twice", edited(|body| body["response"][1] = body["response"][0].clone())),
        (
            "a person without groups",
            edited(|body| drop(body["response"][0].as_object_mut().map(|row| row.remove("groups")))),
        ),
        ("not a list", edited(|body| body["response"] = json!({}))),
    ]
}

#[test]
fn an_unreadable_list_of_people_ends_with_3_and_changes_nothing_and_is_on_record() {
    let told: Vec<String> = std::thread::scope(|all| {
        // Each waits a few seconds between its three readings, so they wait together.
        let runs: Vec<_> = faults().into_iter().map(|(name, effect)| all.spawn(move || told(name, effect))).collect();
        runs.into_iter().map(|run| run.join().expect("a scene")).collect()
    });
    assert_snapshot!(told.join("\n"), @r#"
    wrong JSON
      error: Duo could not be read completely; nothing was sent
        because: 127.0.0.1 does not answer like Duo: HTTP 200 with no JSON (application/json), beginning "{\"stat\": \"OK\", \"response\": ["; check api_host, and whether a proxy or a sign-in page stands in between
    HTML
      error: Duo could not be read completely; nothing was sent
        because: 127.0.0.1 does not answer like Duo: HTTP 200 with no JSON (text/html; charset=utf-8), beginning "Sign in Corporate proxy"; check api_host, and whether a proxy or a sign-in page stands in between
    HTTP 200 with stat FAIL
      error: Duo could not be read completely; nothing was sent
        because: Duo failed with HTTP 500 while the list of people was read (Internal error); the next cycle tries again; see Duo's status page
    an empty list with a total
      error: Duo could not be read completely; nothing was sent
        because: the list of people could not be read completely: 0 rows were received, but Duo counts 4; the next cycle reads again; if it goes on, it is a fault of the service or in between
    a row missing
      error: Duo could not be read completely; nothing was sent
        because: the list of people could not be read completely: 3 rows were received, but Duo counts 4; the next cycle reads again; if it goes on, it is a fault of the service or in between
    a page missing
      error: Duo could not be read completely; nothing was sent
        because: the list of people could not be read completely: 2 rows were received, but Duo counts 4; the next cycle reads again; if it goes on, it is a fault of the service or in between
    a person twice
      error: Duo could not be read completely; nothing was sent
        because: the list of people could not be read completely: DUMOU9DVF9HXE7X171O0 came twice; the next cycle reads again; if it goes on, it is a fault of the service or in between
    a person without groups
      error: Duo could not be read completely; nothing was sent
        because: the list of people could not be read completely: person DUMOU9DVF9HXE7X171O0 comes without a list of groups; the next cycle reads again; if it goes on, it is a fault of the service or in between
    not a list
      error: Duo could not be read completely; nothing was sent
        because: the list of people could not be read completely: the answer holds no list; the next cycle reads again; if it goes on, it is a fault of the service or in between
    "#);
}

fn told(name: &str, effect: Effect<DuoSim>) -> String {
    let scene = Scene::settled(&["ana in eng", "bo in eng", "cy in eng ops", "dan in ops"]);
    scene.day(|duo| duo.status("ana", "disabled"));
    scene.stage.duo.fault(Fault::always(Match::get("/admin/v1/users"), effect));
    let sync = scene.changes_nothing(3, &["sync"]);
    assert!(scene.target_requests().is_empty());
    let last: i64 = scene.open().query_row("SELECT MAX(id) FROM cycle", [], |row| row.get(0)).expect("a cycle");
    let shown = scene.ends(0, &["show", "cycle", &last.to_string()]);
    assert!(shown.stdout.contains("with 3: Duo could not be read completely"), "{}", shown.stdout);
    let status = scene.ends(4, &["status"]);
    assert!(status.stdout.starts_with("failing\nlast sync        cycle"), "{}", status.stdout);
    // Once it is readable again, what is due is done.
    scene.stage.duo.clear_faults();
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["ana left eng", "deactivated ana"], "{name}");
    let said: Vec<&str> = sync.stderr.lines().filter(|line| !line.starts_with("note:")).collect();
    tidy(&format!("{name}\n  {}", said.join("\n  ")))
}

#[test]
fn a_body_that_is_cut_once_is_read_again() {
    let scene = Scene::settled(&["ana in eng", "bo in eng", "cy in eng"]);
    scene.day(|duo| duo.status("ana", "disabled"));
    scene.stage.duo.fault(Fault::once(Match::get("/admin/v1/users"), Effect::CutBody(40)));
    scene.ends(0, &["sync"]);
    assert_eq!(scene.effects(), ["ana left eng", "deactivated ana"]);
}

#[test]
fn a_missing_group_in_the_list_that_duo_still_has_is_unread() {
    let scene = Scene::settled(&["ana in eng", "bo in ops"]);
    scene.forget();
    let hide = edited(|body| {
        if let Some(rows) = body["response"].as_array_mut() {
            rows.retain(|group| group["name"] != "ops");
            let count = rows.len();
            body["metadata"]["total_objects"] = json!(count);
        }
    });
    scene.stage.duo.fault(Fault::always(Match::get("/admin/v1/groups"), hide));
    let ran = scene.changes_nothing(3, &["sync"]);
    assert_snapshot!(super::scene::picture(&ran), @"
    note: scope.groups: `*` selects every group of Duo
    error: Duo could not be read completely; nothing was sent
      because: the list of groups could not be read completely: it lacks group DG2XR11EM4PMS0C8YCI0, which Duo gives when asked for by its id; the next cycle reads again; if it goes on, it is a fault of the service or in between
    exit 3
    ");
}

#[test]
fn whoever_is_missing_from_the_list_is_asked_for_by_id_before_anything_is_taken_away() {
    let scene = Scene::settled(&["ana in eng", "bo in eng", "cy in eng"]);
    scene.forget();
    // The list leaves bo out and adds up all the same.
    let hide = edited(|body| {
        if let Some(rows) = body["response"].as_array_mut() {
            if rows.len() > 1 {
                rows.retain(|person| person["username"] != "bo");
            }
            let count = rows.len();
            body["metadata"]["total_objects"] = json!(count);
        }
    });
    scene.stage.duo.fault(Fault::always(Match::get("/admin/v1/users"), hide));
    scene.ends(0, &["sync"]);
    assert!(scene.target_requests().is_empty());
    assert!(scene.source_requests().iter().any(|line| line.contains("user_id_list")), "{:#?}", scene.source_requests());
}

#[test]
fn a_target_that_cannot_be_read_is_not_written_to() {
    let scene = Scene::with(&["ana in eng"]);
    scene.stage.atlassian.fault(Fault::always(
        Match::method("GET").containing("/Users"),
        Effect::Answer(Answer::html(200, "<html><title>Sign in</title></html>")),
    ));
    let ran = scene.changes_nothing(4, &["sync"]);
    assert_snapshot!(super::scene::picture(&ran), @"
    note: scope.groups: `*` selects every group of Duo
    error: Atlassian could not be read; nothing was sent
      because: the answer (200, text/html; charset=utf-8) is not SCIM; check the SCIM base URL and what stands before it
      because: the service said: <html><title>Sign in</title></html>
    exit 4
    ");
}
