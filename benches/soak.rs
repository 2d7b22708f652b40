//! Thirty days of the daemon within minutes: what it holds on to, while people come, go and change every hour, and both
//! services fail now and then.
//!
//! `cargo bench --bench soak`. The daemon is a process of its own whose clock moves on whenever it waits; the
//! simulators are in this one, and tell the time by the requests. Every day its resident memory, open files and
//! database are measured. Ends with 1 when memory after day 30 is more than 5 % above that of day 2, when a file was
//! left open, or when the database grew faster in the last week than in the one before.

#[path = "../tests/sim/mod.rs"]
mod sim;

use duo_atlassian_sync::cli;
use duo_atlassian_sync::clock::Clock;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sim::company::Company;
use sim::duo::DuoSim;
use sim::stage::Stage;
use sim::wire::{Answer, Effect, Fault, Match};
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const PEOPLE: usize = 500;
const GROUPS: usize = 20;
const DAYS: i64 = 30;
const HOUR: i64 = 3_600;
/// The argument that makes this program the daemon.
const DAEMON: &str = "--as-daemon";
/// How much more memory day 30 may take than day 2, in percent.
const MORE_MAX: u64 = 5;

const LIMITS: &str = "\
[guard]
first_plan = \"apply\"
deactivations_max = { count = 100000, percent = 100, at_most = 100000 }
reactivations_max = { count = 100000, percent = 100, at_most = 100000 }
leaves_max = { count = 100000, percent = 100, at_most = 100000 }
leaves_per_group_max = { count = 100000, percent = 100, at_most = 100000 }
updates_max = { count = 100000, percent = 100, at_most = 100000 }
identity_changes_max = { count = 100000, percent = 100, at_most = 100000 }
creates_max = { count = 100000, percent = 100, at_most = 100000 }
";

/// The program's own.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What was measured at the end of a day.
#[derive(Clone, Copy, Debug)]
struct Day {
    number: i64,
    resident_kib: u64,
    open_files: usize,
    database_kib: u64,
    cycles: i64,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == DAEMON) {
        let program = OsString::from("duo-atlassian-sync");
        let now = jiff::Timestamp::now().as_second();
        return Ok(cli::main_by(&Clock::simulated(now, 7), std::iter::once(program).chain(arguments)));
    }
    let days = soak()?;
    let out = &mut io::stdout();
    for day in &days {
        let Day { number, resident_kib, open_files, database_kib, cycles } = day;
        writeln!(
            out,
            "day {number:>2}: {resident_kib:>6} KiB resident, {open_files} files open, database {database_kib:>5} KiB, {cycles:>5} cycles"
        )?;
    }
    let at = |number: i64| days.iter().find(|day| day.number == number).copied().ok_or("a day is missing");
    let (early, late) = (at(2)?, at(DAYS)?);
    let grew = |from: i64, to: i64| Ok::<_, &str>(at(to)?.database_kib.saturating_sub(at(from)?.database_kib));
    let (before, last) = (grew(DAYS - 15, DAYS - 8)?, grew(DAYS - 7, DAYS)?);
    writeln!(
        out,
        "memory: {} % of day 2 (at most {})",
        late.resident_kib * 100 / early.resident_kib.max(1),
        100 + MORE_MAX
    )?;
    // Idle connections come and go: as many as in the first week at most.
    let open_files_max = days.iter().filter(|day| day.number <= 7).map(|day| day.open_files).max().unwrap_or(0);
    writeln!(out, "files: {} (at most {open_files_max})", late.open_files)?;
    writeln!(out, "database: {before} KiB more in the last week but one, {last} KiB in the last")?;
    let is_well = late.resident_kib * 100 <= early.resident_kib * (100 + MORE_MAX)
        && late.open_files <= open_files_max
        && last <= before + before / 4 + 64;
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn soak() -> Result<Vec<Day>, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let stage = Stage::set(folder.path(), vec![env!("CARGO_BIN_EXE_duo-atlassian-sync").to_owned()])?;
    let mut company = Company::seeded(10);
    stage.duo.with(|duo| {
        company.fill(duo, PEOPLE, GROUPS);
        // The daemon's clock runs ahead.
        duo.switches.skew_seconds_max = i64::MAX / 4;
    });
    stage.atlassian.with(|atlassian| atlassian.settings_mut().strict = false);
    let socket = folder.path().join("http.sock");
    let sections = format!(
        "[scope]\ngroups = [{{ name = \"*\" }}]\n{LIMITS}[schedule]\nmode = \"apply\"\n[state]\nhistory_days = 30\n\
         [http]\nlisten = \"unix:{}\"\n",
        socket.display()
    );
    stage.configure_services("requests_per_minute = 60000", "requests_per_second = 1000.0", &sections)?;
    let told = Arc::new(AtomicI64::new(0));
    let tells = Arc::clone(&told);
    stage.duo.on_request(Box::new(move |request, _| {
        let date = request.header("x-duo-date").or_else(|| request.header("date")).unwrap_or_default();
        if let Ok(at) = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date) {
            tells.fetch_max(at.as_second(), Ordering::Relaxed);
        }
    }));
    let mut daemon = start(&stage)?;
    let days = watch(&stage, &mut company, (&daemon, &told));
    kill(Pid::from_raw(i32::try_from(daemon.id())?), Signal::SIGTERM)?;
    let ended = daemon.wait()?;
    if ended.code() != Some(0) {
        return Err(format!("the daemon ended with {ended}").into());
    }
    days
}

fn start(stage: &Stage) -> io::Result<Child> {
    let log = fs::File::create(stage.folder.join("log"))?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(DAEMON).arg("--config").arg(stage.config()).arg("daemon");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()
}

fn watch(
    stage: &Stage,
    company: &mut Company,
    (daemon, told): (&Child, &AtomicI64),
) -> Result<Vec<Day>, Box<dyn Error>> {
    let (mut days, mut began, mut hour) = (Vec::new(), 0, 0);
    while hour < DAYS * 24 {
        pause();
        let now = told.load(Ordering::Relaxed);
        if began == 0 {
            began = now;
        }
        if now - began < (hour + 1) * HOUR {
            if fs::metadata(format!("/proc/{}", daemon.id())).is_err() {
                return Err("the daemon is gone".into());
            }
            continue;
        }
        hour = (now - began) / HOUR;
        stage.duo.with(|duo| change(duo, company));
        if company.below(3) == 0 {
            fail(stage, company);
        }
        stage.duo.forget_seen();
        stage.atlassian.forget_seen();
        let number = hour / 24;
        if days.last().map_or(0, |day: &Day| day.number) < number {
            days.push(measure(stage, daemon, number)?);
        }
    }
    Ok(days)
}

/// What happens in a company within an hour. Nearly as many come as go, so that what is held stays of one size.
fn change(duo: &mut DuoSim, company: &mut Company) {
    let people: Vec<String> = duo.world.people().map(|person| person.user_id.clone()).collect();
    let groups: Vec<String> = duo.world.groups().map(|group| group.group_id.clone()).collect();
    let mut somebody = || people.get(company.below(people.len())).cloned().unwrap_or_default();
    let (moved, renamed, switched) = (somebody(), somebody(), somebody());
    let (from, to) = (company.below(groups.len()), company.below(groups.len()));
    if let (Some(from), Some(to)) = (groups.get(from), groups.get(to)) {
        duo.world.leave(&moved, from);
        duo.world.join(&moved, to);
    }
    duo.world.person_mut(&renamed).realname = Some(company.hire().full);
    let is_disabled = duo.world.person(&switched).is_some_and(|person| person.status == "disabled");
    duo.world.set_status(&switched, if is_disabled { "active" } else { "disabled" });
}

/// One of the services answers a few requests badly.
fn fail(stage: &Stage, company: &mut Company) {
    let times = company.below(3) + 1;
    macro_rules! effect {
        () => {
            match company.below(6) {
                0 => Effect::CloseBefore,
                1 => Effect::CloseAfter,
                2 => Effect::CutBody(40),
                3 => Effect::Answer(Answer::html(200, "<html>Sign in</html>")),
                4 => Effect::Answer(Answer::empty(503)),
                _ => Effect::Answer(Answer::empty(429).with_header("Retry-After", "2")),
            }
        };
    }
    for _ in 0..times {
        if company.below(2) == 0 {
            stage.duo.fault(Fault::once(Match::any(), effect!()));
        } else {
            stage.atlassian.fault(Fault::once(Match::any(), effect!()));
        }
    }
}

fn measure(stage: &Stage, daemon: &Child, number: i64) -> Result<Day, Box<dyn Error>> {
    let process = Path::new("/proc").join(daemon.id().to_string());
    let status = fs::read_to_string(process.join("status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let resident_kib = line.split_whitespace().next().unwrap_or_default().parse()?;
    let database = stage.folder.join("state.db");
    let cycles = rusqlite::Connection::open(&database)?.query_row("SELECT max(id) FROM cycle", [], |row| row.get(0))?;
    let size = |suffix: &str| fs::metadata(format!("{}{suffix}", database.display())).map_or(0, |file| file.len());
    Ok(Day {
        number,
        resident_kib,
        open_files: fs::read_dir(process.join("fd"))?.count(),
        database_kib: (size("") + size("-wal")) / 1_024,
        cycles,
    })
}

fn pause() {
    #[expect(clippy::disallowed_methods, reason = "a look every few milliseconds")]
    std::thread::sleep(std::time::Duration::from_millis(5));
}
