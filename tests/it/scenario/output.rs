//! Output that cannot be written: said, and never the end of a command that ended well.

use super::scene::Scene;
use std::fs::OpenOptions;
use std::process::Stdio;

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
