//! A dry run sends nothing and says exactly what a sync would do.

use super::scene::{Scene, picture};
use insta::assert_snapshot;
use std::os::unix::fs::PermissionsExt;

/// A day with something of everything.
fn busy_day(scene: &Scene) {
    scene.day(|duo| {
        duo.hire("cy in eng");
        duo.leave("bo", "ops");
        duo.join("ana", "ops");
        duo.leave("dan", "eng");
        duo.status("eve", "disabled");
        duo.person("flo").realname = Some("Flora".to_owned());
    });
}

const TEAM: &[&str] = &["ana in eng", "bo in eng ops", "dan in eng", "eve in ops", "flo in ops"];

#[test]
fn a_dry_run_before_the_first_sync_sends_nothing_and_links_nothing() {
    let scene = Scene::with(TEAM);
    let ran = scene.changes_nothing(0, &["sync", "--dry-run"]);
    assert!(!scene.snapshot().contains("DU"), "{}", scene.snapshot());
    assert_snapshot!(picture(&ran), @r#"
    plan PLAN   desired: Duo, 2 groups, 5 people, read completely by TIME
                        compared with: snapshot 0, 0 accounts owned, 0 memberships

      + create         ana       ana@example.com; in eng
      + create         bo        bo@example.com; in ops, eng
      + create         dan       dan@example.com; in eng
      + create         eve       eve@example.com; in ops
      + create         flo       flo@example.com; in ops
      + create group   eng       selected in Duo as "eng"
      + create group   ops       selected in Duo as "ops"
      ~ update members eng       +3 (ana, bo, dan)
      ~ update members ops       +3 (bo, eve, flo)

    5 to create, 2 groups to create, 6 to join, 0 unchanged; 9 requests in about 1 s
    active accounts: 0 -> 5
    guard: HELD, 1 finding
      * this is the first plan of this database: it is reviewed before anything is sent [guard.first_plan]
        dan, bo, eve, flo, ana
    Nothing was sent. To approve it: duo-atlassian-sync --config FOLDER/config.toml approve PLAN; then: duo-atlassian-sync --config FOLDER/config.toml sync
    note: scope.groups: `*` selects every group of Duo
    exit 0
    "#);
    // The second one finds a database.
    scene.changes_nothing(0, &["sync", "--dry-run"]);
    scene.changes_nothing(5, &["sync", "--dry-run", "--detailed-exitcode"]);
}

#[test]
fn a_dry_run_on_a_changed_world_sends_nothing_and_a_sync_carries_out_that_very_plan() {
    let scene = Scene::settled(TEAM);
    busy_day(&scene);
    let dry = scene.changes_nothing(0, &["sync", "--dry-run"]);
    assert!(scene.target_requests().is_empty());
    assert_snapshot!(picture(&dry), @r#"
    plan PLAN   desired: Duo, 2 groups, 5 people, read completely by TIME
                        compared with: snapshot 4, 5 accounts owned, 6 memberships

      - deactivate     dan       left every group in scope (was in: eng)
      - deactivate     eve       disabled in Duo (was in: ops)
      ~ update         flo       displayName "Flo" -> "Flora"; changed in Duo: displayName
      + create         cy        cy@example.com; in eng
      ~ update members eng       +1 (cy); -1 (dan)
      ~ update members ops       +1 (ana); -2 (bo, eve)

    1 to create, 1 to update, 2 to deactivate, 2 to join, 3 to leave, 2 unchanged; 9 requests in about 1 s
    active accounts: 5 -> 4
    guard: approved
    Nothing was sent. To send it: duo-atlassian-sync --config FOLDER/config.toml sync
    note: scope.groups: `*` selects every group of Duo
    exit 0
    "#);
    let fingerprint = scene.plan()["fingerprint"].clone();
    let short = fingerprint.as_str().expect("a fingerprint")[..12].to_owned();
    assert!(dry.stdout.contains(&short));
    let synced = scene.ends(0, &["sync"]);
    assert!(synced.stdout.starts_with(&format!("plan {short}")), "{}", synced.stdout);
    assert_snapshot!(scene.effects_text(), @"
    eve left ops
    dan left eng
    deactivated dan
    deactivated eve
    changed displayName of flo
    created user cy
    ana joined ops
    cy joined eng
    bo left ops
    ");
}

#[test]
fn a_plan_written_to_a_file_is_the_json_form_and_its_owners_alone() {
    let scene = Scene::with(TEAM);
    let out = scene.file("plan.json");
    let ran = scene.ends(0, &["plan", "--out", out.to_str().expect("a path"), "--format", "json"]);
    let written = std::fs::read_to_string(&out).expect("the plan");
    assert_eq!(written.replace(&scene.stage.atlassian.url(), "http://atlassian"), ran.stdout);
    assert_eq!(std::fs::metadata(&out).expect("the plan").permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_plan_file_is_its_owners_alone_even_where_a_leftover_was_everybodys() {
    let scene = Scene::with(TEAM);
    let (out, part) = (scene.file("plan.json"), scene.file("plan.json.part"));
    let elsewhere = scene.file("elsewhere");
    std::fs::write(&elsewhere, "mine").expect("a file");
    std::os::unix::fs::symlink(&elsewhere, &part).expect("a link");
    scene.ends(0, &["plan", "--out", out.to_str().expect("a path")]);
    assert_eq!(std::fs::metadata(&out).expect("the plan").permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(&elsewhere).expect("the file"), "mine");
    std::fs::write(&part, "left over").expect("a file");
    std::fs::set_permissions(&part, PermissionsExt::from_mode(0o666)).expect("its mode");
    scene.ends(0, &["plan", "--out", out.to_str().expect("a path")]);
    assert_eq!(std::fs::metadata(&out).expect("the plan").permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_detailed_exit_code_tells_held_pending_and_nothing_to_do_apart() {
    let scene = Scene::with(TEAM);
    scene.changes_nothing(5, &["plan", "--detailed-exitcode"]);
    scene.settle();
    scene.changes_nothing(0, &["plan", "--detailed-exitcode"]);
    busy_day(&scene);
    let ran = scene.changes_nothing(6, &["plan", "--detailed-exitcode"]);
    assert_snapshot!(super::picture::tidy(&ran.stderr), @"
    note: scope.groups: `*` selects every group of Duo
    changes are pending; to send them: duo-atlassian-sync --config FOLDER/config.toml sync
    ");
}

const HOSTILE: &str =
    "a|b<img src=x>`[c](http://x)*_#\\\u{1b}[31m\u{202e}gro\u{200b}\n- deactivate everybody &lt; @all https://x.y ~z~";

#[test]
fn markdown_escapes_hostile_names() {
    let scene = Scene::with(TEAM);
    scene.duo(|duo| duo.person("ana").realname = Some(HOSTILE.to_owned()));
    scene.duo(|duo| duo.person("bo").username = HOSTILE.to_owned());
    scene.duo(|duo| duo.rename_group("eng", HOSTILE));
    let ran = scene.ends(0, &["plan", "--format", "markdown"]);
    assert_snapshot!(picture(&ran), @r#"
    # Plan PLAN

    Duo `127.0.0.1` (2 groups, 5 people) to `http://atlassian/scim/directory/11111111-2222-4333-8444-PLAN`, made TIME, compared with snapshot 0 (0 accounts).

    **Guard: held.** 5 to create, 2 groups to create, 6 to join, 0 unchanged; 9 requests in about 1 s.

    - this is the first plan of this database: it is reviewed before anything is sent (dan, a\|b\<img src=x\>\`\[c\](http\://x)\*\_\#\\\\u{1b}\[31m\\u{202e}gro\\u{200b}\\n- deactivate everybody \&lt; @all https\://x.y \~z\~, eve, flo, ana)

    | Action | Who or what | Why |
    | --- | --- | --- |
    | create | dan | dan@example.com; in a\|b\<img src=x\>\`\[c\](http\://x)\*\_\#\\\\u{1b}\[31m\\u{202e}gro\\u{200b}\\n- deactivate everybody \&lt; @all https\://x.y \~z\~ |
    | create | a\|b\<img src=x\>\`\[c\](http\://x)\*\_\#\\\\u{1b}\[31m\\u{202e}gro\\u{200b}\\n- deactivate everybody \&lt; @all https\://x.y \~z\~ | bo@example.com; in ops, a\|b\<img src=x\>\`\[c\](http\://x)\*\_\#\\\\u{1b}\[31m\\u{202e}gro\\u{200b}\\n- deactivate everybody \&lt; @all https\://x.y \~z\~ |
    | create | eve | eve@example.com; in ops |
    | create | flo | flo@example.com; in ops |
    | create | ana | ana@example.com; in a\|b\<img src=x\>\`\[c\](http\://x)\*\_\#\\\\u{1b}\[31m\\u{202e}gro\\u{200b}\\n- deactivate everybody \&lt; @all https\://x.y \~z\~ |
    | create_group | ops | selected in Duo as "ops" |
    | create_group | a\|b\<img src=x\>\`\[c\](http\://x)\*\_\#\\\\u{1b}\[31m\\u{202e}gro\\u{200b}\\n- deactivate everybody \&lt; @all https\://x.y \~z\~ | selected in Duo as "a\|b\<img src=x\>\`\[c\](http\://x)\*\_\#\\\\\\u{1b}\[31m\\u{202e}gro\\u{200b}\\n- deactivate everybody \&lt; @all https\://x.y \~z\~" |
    | update_members | ops | +3 (a\|b\<img src=x\>\`\[c\](http\://x)\*\_\#\\\\u{1b}\[31m\\u{202e}gro\\u{200b}\\n- deactivate everybody \&lt; @all https\://x.y \~z\~, eve, flo) |
    | update_members | a\|b\<img src=x\>\`\[c\](http\://x)\*\_\#\\\\u{1b}\[31m\\u{202e}gro\\u{200b}\\n- deactivate everybody \&lt; @all https\://x.y \~z\~ | +3 (ana, a\|b\<img src=x\>\`\[c\](http\://x)\*\_\#\\\\u{1b}\[31m\\u{202e}gro\\u{200b}\\n- deactivate everybody \&lt; @all https\://x.y \~z\~, dan) |

    Fingerprint: `PLAN`
    note: scope.groups: `*` selects every group of Duo
    exit 0
    "#);
}

#[test]
fn a_hostile_name_cannot_forge_lines_of_a_plan_nor_steer_a_terminal() {
    let scene = Scene::settled(TEAM);
    scene.duo(|duo| duo.person("ana").realname = Some(HOSTILE.to_owned()));
    scene.duo(|duo| duo.person("bo").username = HOSTILE.to_owned());
    scene.duo(|duo| duo.hire("cy in eng").email = HOSTILE.to_owned());
    scene.duo(|duo| duo.rename_group("eng", HOSTILE));
    scene.duo(|duo| duo.status("dan", HOSTILE));
    let ran = scene.ends(0, &["plan"]);
    assert_snapshot!(picture(&ran), @r#"
    plan PLAN   desired: Duo, 2 groups, 6 people, read completely by TIME
                        compared with: snapshot 4, 5 accounts owned, 6 memberships

      ~ update         ana                                       displayName "Ana" -> "a|b<img src=x>`[c](http://x)*_#\\u{1b}[31m\u{202e}gro\u{200b}\n- deactivate everybody &lt; @all https://x.y ~z~"; changed in Duo: displayName
      ~ update         a|b<img src=x>`[c](http://x)*_#\\u{1b}[31m\u{202e}gro\u{200b}\n- deactivate everybody &lt; @all https://x.y ~z~  userName "bo" -> "a|b<img src=x>`[c](http://x)*_#\\u{1b}[31m\u{202e}gro\u{200b}\n- deactivate everybody &lt; @all https://x.y ~z~"; changed in Duo: userName
      ? skip           dan                                       unknown status "a|b<img src=x>`[c](http://x)*_#\\\u{1b}[31m\u{202e}gro\u{200b}\n- deactivate everybody &lt; @all https://x.y ~z~" in Duo: left as it is
      ? skip           cy                                        "a|b<img src=x>`[c](http://x)*_#\\\u{1b}[31m\u{202e}gro\u{200b}\n- deactivate everybody &lt; @all https://x.y ~z~" in Duo (email) is not an address, it contains '<': correct it there
      ! group eng (DGMSXQ37BKCBE064H690) is named "a|b<img src=x>`[c](http://x)*_#\\\u{1b}[31m\u{202e}gro\u{200b}\n- deactivate everybody &lt; @all https://x.y ~z~" in Duo now; it stays selected and keeps its Atlassian name, since Atlassian renames no group

    2 to update, 2 skipped, 3 unchanged; 2 requests in about 1 s
    guard: approved
    Nothing was sent. To send it: duo-atlassian-sync --config FOLDER/config.toml sync
    note: scope.groups: `*` selects every group of Duo
    exit 0
    "#);
    for text in [&ran.stdout, &ran.stderr] {
        let odd: Vec<char> = text.chars().filter(|c| *c != '\n' && (c.is_control() || *c == '\u{202e}')).collect();
        assert!(odd.is_empty(), "{odd:?}");
    }
}
