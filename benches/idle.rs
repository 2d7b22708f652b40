//! What the daemon takes while it has nothing to do, after a cycle of 10,000 people.
//!
//! `cargo bench --bench idle`. The real program, with its own clock; the simulators are in this process. It is looked
//! at for two minutes after its first cycle, with health and metrics served and a scheduler that ticks. Ends with 1
//! when it holds 20 MiB or more, or would take a second of CPU or more in an hour.

#[path = "../tests/sim/mod.rs"]
mod sim;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sim::company::Company;
use sim::stage::Stage;
use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

const PEOPLE: usize = 10_000;
const GROUPS: usize = 50;
const LOOKED_AT: Duration = Duration::from_mins(2);
const RESIDENT_KIB_MAX: u64 = 20 * 1_024;
const CPU_SECONDS_MAX: f64 = 1.0;

const SECTIONS: &str = "\
[scope]
groups = [{ name = \"*\" }]
[guard]
first_plan = \"apply\"
creates_max = { count = 100000, percent = 100, at_most = 100000 }
[schedule]
mode = \"apply\"
cycle_cron = \"0 0 0 1 1 *\"
refresh_cron = \"0 0 0 1 1 *\"
";

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let stage = Stage::set(folder.path(), vec![env!("CARGO_BIN_EXE_duo-atlassian-sync").to_owned()])?;
    stage.duo.with(|duo| Company::seeded(10).fill(duo, PEOPLE, GROUPS));
    stage.atlassian.with(|atlassian| atlassian.settings_mut().strict = false);
    let sections = format!("{SECTIONS}[http]\nlisten = \"unix:{}\"\n", folder.path().join("http.sock").display());
    stage.configure_services("requests_per_minute = 60000", "requests_per_second = 1000.0", &sections)?;
    let mut daemon = stage.command(&["daemon"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let out = &mut io::stdout();
    while !has_ended_a_cycle(&stage)? {
        if let Some(ended) = daemon.try_wait()? {
            return Err(format!("the daemon ended with {ended}").into());
        }
        pause(Duration::from_millis(200));
    }
    pause(Duration::from_secs(5));
    let before = cpu_seconds(daemon.id())?;
    writeln!(out, "after the cycle: {} KiB resident, {before:.2} s of CPU so far", resident_kib(daemon.id())?)?;
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
    let began = Instant::now();
    pause(LOOKED_AT);
    let an_hour = (cpu_seconds(daemon.id())? - before) * 3_600.0 / began.elapsed().as_secs_f64();
    let resident = resident_kib(daemon.id())?;
    kill(Pid::from_raw(i32::try_from(daemon.id())?), Signal::SIGTERM)?;
    daemon.wait()?;
    writeln!(
        out,
        "idle: {resident} KiB resident (below {RESIDENT_KIB_MAX}), {an_hour:.2} s of CPU in an hour (below {CPU_SECONDS_MAX})"
    )?;
    let is_well = resident < RESIDENT_KIB_MAX && an_hour < CPU_SECONDS_MAX;
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn has_ended_a_cycle(stage: &Stage) -> Result<bool, Box<dyn Error>> {
    let ran = stage.run(&["history", "--format", "json"])?;
    let cycles: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
    let mut cycles = cycles.as_array().into_iter().flatten();
    Ok(cycles.any(|cycle| cycle.get("ended_at").is_some_and(|at| !at.is_null())))
}

fn resident_kib(process: u32) -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    Ok(line.split_whitespace().next().unwrap_or_default().parse()?)
}

/// Time on a processor, all threads; to the nanosecond, which the ticks of `/proc/PID/stat` are too coarse for.
fn cpu_seconds(process: u32) -> Result<f64, Box<dyn Error>> {
    let mut nanoseconds = 0.0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += text.split_whitespace().next().unwrap_or_default().parse::<f64>()?;
    }
    Ok(nanoseconds / 1e9)
}

fn pause(duration: Duration) {
    #[expect(clippy::disallowed_methods, reason = "a benchmark waits for the process that it measures")]
    std::thread::sleep(duration);
}
