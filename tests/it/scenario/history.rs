//! A database that has been at work for years.

use super::scene::Scene;
use serde_json::Value;

const DAY: i64 = 86_400;

/// Moves all that happened so far into the past, and lets so many idle cycles of today follow.
fn passes(scene: &Scene, days: i64, idle: u32) {
    let connection = scene.open();
    for (table, columns) in [
        ("cycle", &["started_at", "ended_at"][..]),
        ("journal", &["intended_at", "settled_at"]),
        ("spent", &["at"]),
        ("plan", &["created_at"]),
        ("decision", &["at", "expires_at"]),
    ] {
        for column in columns {
            let sql = format!("UPDATE {table} SET {column} = {column} - ?1");
            connection.execute(&sql, [days * DAY]).expect("a move");
        }
    }
    let idle_cycle = "INSERT INTO cycle (command, started_at, ended_at, exit_code, message) \
                      SELECT 'sync', unixepoch() - 60, unixepoch() - 59, 0, 'nothing to do'";
    for _ in 0..idle {
        connection.execute(idle_cycle, []).expect("a cycle");
    }
}

fn history(scene: &Scene) -> Vec<Value> {
    let ran = scene.ends(0, &["history", "--format", "json", "--limit", "1000"]);
    serde_json::from_str(&ran.stdout).expect("JSON")
}

#[test]
fn old_cycles_go_and_what_is_kept_can_be_shown_and_undone() {
    let scene = Scene::settled(&["ana in eng", "bo in eng", "cy in eng"]);
    passes(&scene, 400, 0);
    scene.day(|duo| duo.status("ana", "disabled"));
    scene.ends(0, &["sync"]);
    let ana_went = history(&scene)[0]["cycle"].to_string();
    for _ in 0..3 {
        scene.ends(0, &["sync"]);
    }
    passes(&scene, 800, 250);
    scene.ends(0, &["sync"]);
    // The first sync is older than 1,100 days; the idle cycles after the second one are together.
    let kept = history(&scene);
    let old: Vec<_> = kept.iter().filter(|cycle| cycle["message"] != "nothing to do" || cycle["alike"] != 1).collect();
    assert_eq!(old.len(), 2, "{old:#?}");
    assert_eq!((&old[0]["alike"], &old[0]["message"]), (&3.into(), &"nothing to do".into()));
    assert_eq!(old[1]["cycle"].to_string(), ana_went);
    let text = scene.ends(0, &["history", "--limit", "1000"]).stdout;
    assert!(text.contains("nothing to do; the last of 3 alike on that day"), "{text}");
    let last = text.lines().last().unwrap_or_default();
    assert!(last.starts_with("Older ones are not kept: 2 cycles until 20"), "{last}");
    assert!(last.ends_with("(state.history_days = 1100)."), "{last}");
    assert!(!scene.ends(0, &["history"]).stdout.contains("not kept"), "it may not be where the list ends");
    let shown = scene.ends(0, &["show", "cycle", &ana_went]).stdout;
    assert!(shown.contains("deactivate:"), "{shown}");
    let fingerprint = old[1]["plan"].as_str().expect("a fingerprint");
    scene.ends(0, &["show", "plan", fingerprint]);
    for command in [&["show", "cycle", "1"][..], &["undo", "1"]] {
        let ran = scene.ends(2, command);
        assert!(ran.stderr.contains("cycle 1 is not kept: "), "{}", ran.stderr);
    }
    scene.ends(0, &["undo", &ana_went]);
    let lines = scene.effects();
    assert!(scene.atlassian(|sim| sim.user_by_user_name("ana").is_some_and(sim_active)), "{lines:?}");
}

fn sim_active(user: &super::super::sim::atlassian::User) -> bool {
    user.active()
}

#[test]
fn the_history_that_is_kept_is_configured() {
    let scene = Scene::settled(&["ana in eng"]);
    passes(&scene, 40, 250);
    scene.ends(0, &["sync"]);
    assert!(history(&scene).iter().any(|cycle| cycle["message"] == "done"));
    scene.configure("[state]\nhistory_days = 30\n");
    // Once a day: it is as if another one had passed.
    passes(&scene, 9, 250);
    scene.ends(0, &["sync"]);
    assert!(!history(&scene).iter().any(|cycle| cycle["message"] == "done"));
    scene.ends(0, &["show", "person", "ana"]);
    scene.configure("[state]\nhistory_days = 7\n");
    scene.ends(2, &["sync"]);
}
