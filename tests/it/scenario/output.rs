//! Output that cannot be written: said, and never the end of a command that ended well.

use super::scene::Scene;
use std::fs::OpenOptions;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

/// What writes to stdout fails as on a full disk. How it ended, and what it said.
fn on_a_full_disk(scene: &Scene, arguments: &[&str]) -> (Option<i32>, String) {
    let full = OpenOptions::new().write(true).open("/dev/full").expect("a device that is always full");
    let output = scene.stage.command(arguments).stdout(full).output().expect("the program runs");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn output_that_could_not_be_written_is_said_and_no_command_ends_well_then() {
    let scene = Scene::settled(&["ana in eng", "bo in eng"]);
    let plan = scene.plan()["fingerprint"].as_str().expect("a fingerprint").to_owned();
    for arguments in [
        &["plan"][..],
        &["plan", "--format", "json"],
        &["history"],
        &["history", "--format", "json"],
        &["check"],
        &["status"],
        &["status", "--format", "json"],
        &["show", "plan", &plan],
        &["show", "person", "ana"],
        &["completions", "bash"],
        &["man"],
        &["--help"],
        &["--version"],
    ] {
        let (code, said) = on_a_full_disk(&scene, arguments);
        assert_eq!(code, Some(8), "{arguments:?}: {said}");
        assert!(said.contains("error: the output could not be written\n"), "{arguments:?}: {said}");
        assert!(said.contains("because: No space left on device"), "{arguments:?}: {said}");
    }
}

#[test]
fn what_a_sync_sends_is_sent_and_recorded_when_its_output_cannot_be_written() {
    let scene = Scene::settled(&["ana in eng", "bo in eng", "cy in eng", "di in eng"]);
    scene.day(|duo| duo.status("bo", "disabled"));
    let (code, said) = on_a_full_disk(&scene, &["sync"]);
    assert_eq!(code, Some(8), "{said}");
    assert!(said.contains("what the command did is done and recorded"), "{said}");
    assert_eq!(scene.effects(), ["bo left eng", "deactivated bo"]);
    assert!(scene.ends(0, &["history"]).stdout.lines().next().is_some_and(|line| line.contains("done, 2 requests")));
    // How the command ended itself comes first.
    scene.day(|duo| ["ana", "cy", "di"].iter().for_each(|name| duo.remove(name)));
    let (code, said) = on_a_full_disk(&scene, &["sync"]);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("held: ") && said.contains("error: the output could not be written\n"), "{said}");
}

#[test]
fn a_reader_that_went_away_is_no_failure() {
    let scene = Scene::settled(&["ana in eng"]);
    for arguments in [&["plan"][..], &["history"], &["--help"]] {
        let mut command = scene.stage.command(arguments);
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = command.stdout(writer).stderr(Stdio::piped()).spawn().expect("it starts");
        let output = output.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
        assert!(!said.contains("written"), "{arguments:?}: {said}");
    }
}

/// How many cycles the database knows of.
fn cycles(scene: &Scene) -> i64 {
    scene.open().query_row("SELECT COUNT(*) FROM cycle", [], |row| row.get(0)).expect("a number")
}

/// Refused before anything was contacted or recorded; what was said.
#[track_caller]
fn is_refused_at_once(scene: &Scene, path: &Path) -> String {
    scene.forget();
    let before = cycles(scene);
    let ran = scene.changes_nothing(8, &["plan", "--out", &path.display().to_string()]);
    assert!(scene.source_requests().is_empty() && scene.target_requests().is_empty(), "{}", ran.stderr);
    assert_eq!((cycles(scene), ran.stdout.as_str()), (before, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("nothing was contacted"), "{}", ran.stderr);
    ran.stderr
}

#[test]
fn what_is_no_regular_file_is_never_replaced_by_a_plan() {
    let scene = Scene::settled(&["ana in eng"]);
    let (pipe, folder, socket) = (scene.file("pipe"), scene.file("folder"), scene.file("socket"));
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    std::fs::create_dir(&folder).expect("a folder");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    let (to_pipe, round) = (scene.file("to-pipe"), scene.file("round"));
    symlink("pipe", &to_pipe).expect("a link");
    symlink("round", &round).expect("a link");
    for path in [&pipe, &folder, &socket, &to_pipe, &round] {
        let before = std::fs::symlink_metadata(path).expect("it is there").file_type();
        let said = is_refused_at_once(&scene, path);
        assert_eq!(std::fs::symlink_metadata(path).expect("it is there").file_type(), before);
        let is_link_to_itself = path == &round;
        assert!(is_link_to_itself || said.contains("name a file to be written"), "{said}");
    }
}

#[test]
fn a_plan_goes_to_the_file_to_which_a_link_leads() {
    let scene = Scene::settled(&["ana in eng"]);
    std::fs::create_dir(scene.file("far")).expect("a folder");
    let (link, between, file) = (scene.file("link"), scene.file("far/between"), scene.file("far/plan.json"));
    symlink("far/between", &link).expect("a link");
    symlink("plan.json", &between).expect("a link");
    // First to nothing, then to a file.
    for _ in 0..2 {
        scene.ends(0, &["plan", "--out", &link.display().to_string()]);
        let plan = std::fs::read_to_string(&file).expect("the plan");
        assert!(plan.starts_with("{\n  \"format\""), "{plan}");
        for link in [&link, &between] {
            assert!(std::fs::symlink_metadata(link).expect("the link").is_symlink());
        }
        std::fs::write(&file, "older").expect("a file");
    }
    let left: Vec<_> = std::fs::read_dir(scene.file("far")).expect("the folder").collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn a_plan_that_cannot_be_written_ends_with_8_before_duo_is_read() {
    let scene = Scene::settled(&["ana in eng"]);
    let said = is_refused_at_once(&scene, &scene.file("none/plan.json"));
    assert!(said.contains("cannot write the plan to FOLDER/none/plan.json"), "{said}");
    std::fs::write(scene.file("file"), "a file").expect("a file");
    is_refused_at_once(&scene, &scene.file("file/plan.json"));
    scene.changes_nothing(8, &["sync", "--dry-run", "--out", &scene.file("none/plan.json").display().to_string()]);
}
