//! A first run on 10,000 people in 50 groups, against the simulators: wall time and peak memory of the real program.
//!
//! `cargo bench --bench first_run`. Both request limits are raised to 1,000 a second. The simulators run in this
//! process, on the same processors. The bounds of the acceptance (60 s, 100 MiB) are printed beside what was measured;
//! a second `sync` with nothing to do follows.

#[path = "../tests/sim/mod.rs"]
mod sim;

use sim::company::Company;
use sim::stage::Stage;
use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::process::Stdio;
use std::time::Instant;

const PEOPLE: usize = 10_000;
const GROUPS: usize = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let stage = Stage::set(folder.path(), vec![env!("CARGO_BIN_EXE_duo-atlassian-sync").to_owned()])?;
    let scope = "[scope]\ngroups = [{ name = \"*\" }]\n";
    stage.configure_services("requests_per_minute = 60000", "requests_per_second = 1000.0", scope)?;
    stage.duo.with(|duo| Company::seeded(10).fill(duo, PEOPLE, GROUPS));
    stage.atlassian.with(|atlassian| atlassian.settings_mut().strict = false);
    let plan = timed(&stage, "plan", &["plan", "--format", "json"], 0)?;
    let plan: serde_json::Value = serde_json::from_str(&plan)?;
    let fingerprint = plan.get("fingerprint").and_then(serde_json::Value::as_str).unwrap_or_default();
    timed(&stage, "approve", &["approve", fingerprint], 0)?;
    timed(&stage, "first sync (at most 60 s, 100 MiB)", &["sync"], 0)?;
    timed(&stage, "second sync, nothing to do", &["sync"], 0)?;
    Ok(())
}

/// Runs the program and prints how long it took and its largest resident memory.
///
/// The memory is `VmHWM` of `/proc`, looked at until the program ends: what `getrusage` says of a child includes this
/// process itself, from between fork and exec.
fn timed(stage: &Stage, name: &str, arguments: &[&str], code: i32) -> Result<String, Box<dyn Error>> {
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
    let started = Instant::now();
    let out = fs::File::create(stage.folder.join("stdout"))?;
    let mut child = stage.command(arguments).stdout(out).stderr(Stdio::null()).spawn()?;
    let status_file = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    let status = loop {
        peak_kib = peak_kib.max(fs::read_to_string(&status_file).map_or(0, |text| high_water_kib(&text)));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        #[expect(clippy::disallowed_methods, reason = "a look every few milliseconds")]
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    let seconds = started.elapsed().as_secs_f64();
    if status.code() != Some(code) {
        return Err(format!("{name} ended with {status}").into());
    }
    writeln!(io::stdout(), "{name:<40} {seconds:>7.1} s   peak {} MiB", peak_kib / 1024)?;
    Ok(fs::read_to_string(stage.folder.join("stdout"))?)
}

fn high_water_kib(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse().ok()).unwrap_or(0)
}
