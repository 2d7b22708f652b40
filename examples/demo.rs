//! The main job without any account: both simulators, a company of a hundred people, and the real program.
//!
//! `cargo run --example demo` plays a first day and an ordinary day, and prints what an administrator would see. This
//! executable is the program, too: called with `as-program`, it is `duo-atlassian-sync`.

#[path = "../tests/sim/mod.rs"]
mod sim;

use duo_atlassian_sync::cli;
use sim::company::Company;
use sim::duo::{DuoSim, SimPerson};
use sim::stage::{Ran, Stage};
use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

/// Of a long answer, so many lines are shown at the beginning and at the end.
const LINES_SHOWN: usize = 12;
/// A budget that lets the demo end within a minute; the default is 5 requests a second.
const FASTER: &str = "requests_per_second = 100.0\n";
const SECTIONS: &str = "[scope]\ngroups = [\n  { name = \"engineering\", atlassian_name = \"jira-engineering\" },\n  \
                        { name = \"operations\" },\n  { name = \"finance\" },\n  { name = \"sales\" },\n]\n";

fn main() -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|argument| argument == "as-program") {
        arguments.remove(1);
        return cli::main_with(arguments);
    }
    match play() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "the demo failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn play() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let program = std::env::current_exe()?.to_string_lossy().into_owned();
    let stage = Stage::set(folder.path(), vec![program, "as-program".to_owned()])?;
    stage.configure_services("", FASTER, SECTIONS)?;
    let mut company = Company::seeded(2026);
    stage.duo.with(|duo| company.fill(duo, 100, 4));
    first_day(&stage)?;
    ordinary_day(&stage, &mut company)?;
    bad_day(&stage)?;
    let violations = stage.atlassian.with(|atlassian| atlassian.violations());
    if !violations.is_empty() {
        return Err(format!("the simulator saw what should never be sent: {violations:?}").into());
    }
    say("That was the whole of it. Every request that changed something is in the journal: `show cycle N`.")
}

fn first_day(stage: &Stage) -> Result<(), Box<dyn Error>> {
    say("A company of 100 people in 4 groups of Duo; an empty directory in Atlassian. First: is everything set up?")?;
    run(stage, &["check"], 0)?;
    say("What would be sent? A dry run reads both sides and sends nothing.")?;
    run(stage, &["sync", "--dry-run"], 0)?;
    say(
        "The first plan of a database waits for a person, however small it is. So `sync` sends nothing and ends with 5.",
    )?;
    let held = run(stage, &["sync"], 5)?;
    say("A person has read the plan, and approves exactly that one, by its fingerprint.")?;
    let fingerprint = held.stdout.split_whitespace().nth(1).unwrap_or_default().to_owned();
    run(stage, &["approve", &fingerprint, "--note", "first sync, reviewed with Ana"], 0)?;
    run(stage, &["sync"], 0)?;
    say("Once more: nothing has changed, so nothing is sent. Atlassian is not even asked.")?;
    run(stage, &["sync"], 0).map(drop)
}

fn ordinary_day(stage: &Stage, company: &mut Company) -> Result<(), Box<dyn Error>> {
    say("An ordinary day in Duo: one joins, one moves to another group, one leaves, one is disabled, one marries.")?;
    stage.duo.with(|duo| a_day(duo, company));
    run(stage, &["sync", "--dry-run"], 0)?;
    say("All of it is within the limits of [guard], so it is sent without asking anybody.")?;
    run(stage, &["sync"], 0)?;
    run(stage, &["status"], 0).map(drop)
}

fn bad_day(stage: &Stage) -> Result<(), Box<dyn Error>> {
    say("A bad day: a directory sync goes wrong, and Duo moves 40 people to its trash. Nobody is locked out by that.")?;
    let people = stage.duo.with(|duo| {
        let people: Vec<(String, String)> =
            active(duo).take(40).map(|p| (p.user_id.clone(), p.status.clone())).collect();
        for (id, _) in &people {
            duo.world.set_status(id, "pending deletion");
        }
        people
    });
    let held = run(stage, &["sync"], 5)?;
    let fingerprint = held.stdout.split_whitespace().nth(1).unwrap_or_default().to_owned();
    say("That is not what leavers look like. It is rejected, Duo is repaired, and all is as it was.")?;
    run(stage, &["reject", &fingerprint, "--note", "directory sync went wrong"], 0)?;
    stage.duo.with(|duo| {
        for (id, status) in &people {
            duo.world.set_status(id, status);
        }
    });
    run(stage, &["sync"], 0).map(drop)
}

fn active(duo: &DuoSim) -> impl Iterator<Item = &SimPerson> {
    duo.world.people().filter(|person| person.status == "active")
}

/// A joiner, a mover, a leaver, a disabled person, and a new name.
fn a_day(duo: &mut DuoSim, company: &mut Company) {
    let group = |duo: &DuoSim, name: &str| duo.world.find_group(name).map(|group| group.group_id.clone());
    let (Some(operations), Some(finance), Some(sales)) =
        (group(duo, "operations"), group(duo, "finance"), group(duo, "sales"))
    else {
        return;
    };
    let sellers = duo.world.group(&sales).map(|group| group.members.clone()).unwrap_or_default();
    let everyone: Vec<String> = active(duo).map(|person| person.user_id.clone()).collect();
    let employee = company.hire();
    let joiner = duo.world.add_person(&employee.username, &employee.email);
    duo.world.person_mut(&joiner).realname = Some(employee.full);
    duo.world.join(&joiner, &operations);
    if let [mover, leaver, ..] = sellers.as_slice() {
        duo.world.leave(mover, &sales);
        duo.world.join(mover, &finance);
        duo.world.remove_person(leaver);
        let others: Vec<&String> = everyone.iter().filter(|id| *id != mover && *id != leaver).collect();
        if let [disabled, married, ..] = others.as_slice() {
            duo.world.set_status(disabled, "disabled");
            duo.world.person_mut(married).realname = Some("Anastasía O'Brien-Müller".to_owned());
        }
    }
}

/// Runs the program, prints what an administrator would see, and insists on the exit code.
fn run(stage: &Stage, arguments: &[&str], code: i32) -> Result<Ran, Box<dyn Error>> {
    let ran = stage.run(arguments)?;
    let tidy = |text: &str| text.replace(" --config FOLDER/config.toml", "");
    let mut out = io::stdout().lock();
    let words: Vec<String> = arguments
        .iter()
        .map(|word| if word.contains(' ') { format!("{word:?}") } else { (*word).to_owned() })
        .collect();
    writeln!(out, "$ duo-atlassian-sync {}", words.join(" "))?;
    let (stdout, stderr) = (tidy(&ran.stdout), tidy(&ran.stderr));
    let lines: Vec<&str> = stdout.lines().collect();
    let hidden = lines.len().saturating_sub(2 * LINES_SHOWN);
    for (index, line) in lines.iter().enumerate() {
        if hidden > 1 && (LINES_SHOWN..LINES_SHOWN + hidden).contains(&index) {
            if index == LINES_SHOWN {
                writeln!(out, "  ... {hidden} more lines ...")?;
            }
        } else {
            writeln!(out, "{line}")?;
        }
    }
    for line in stderr.lines().filter(|line| !line.starts_with("note: ")) {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "(exit code {})\n", ran.code.unwrap_or(-1))?;
    if ran.code == Some(code) {
        return Ok(ran);
    }
    Err(format!("`{}` ended with {:?} instead of {code}\n{stdout}{stderr}", arguments.join(" "), ran.code).into())
}

fn say(text: &str) -> Result<(), Box<dyn Error>> {
    writeln!(io::stdout().lock(), "--- {text}\n")?;
    Ok(())
}
