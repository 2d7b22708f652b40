//! Both simulated services as a program: a company in Duo, an empty Atlassian directory, and a configuration for them.

#[path = "../../tests/sim/mod.rs"]
mod sim;

mod control;
mod print;

use clap::Parser;
use sim::atlassian::AtlassianSettings;
use sim::atlassian::Extensions;
use sim::company::Company;
use sim::stage::Ports;
use sim::stage::Stage;
use sim::wire::Request;
use std::fs;
use std::fs::File;
use std::io;
use std::io::BufRead;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use tokio::sync::mpsc;

/// A Duo tenant with a small company and an empty Atlassian directory, on this machine.
///
/// Writes a configuration and its secret files, prints what to try, and runs until Ctrl-C or the end of its input.
#[derive(Debug, Parser)]
#[command(name = "simulator", after_help = control::HELP, max_term_width = 100)]
struct Arguments {
    /// So many people work there
    #[arg(long, value_name = "N", default_value_t = 100)]
    people: usize,
    /// In so many groups
    #[arg(long, value_name = "N", default_value_t = 6)]
    groups: usize,
    /// The same seed makes the same company
    #[arg(long, value_name = "N", default_value_t = 7)]
    seed: u64,
    /// Where Duo listens on 127.0.0.1 [default: a free port]
    #[arg(long, value_name = "P", default_value_t = 0, hide_default_value = true)]
    duo_port: u16,
    /// Where Atlassian listens on 127.0.0.1 [default: a free port]
    #[arg(long, value_name = "P", default_value_t = 0, hide_default_value = true)]
    atlassian_port: u16,
    /// Where configuration and secret files are written [default: a folder that goes when the program ends]
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// Write every request of both services to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Atlassian's answers name only the schemas of the RFC, for strict readers
    #[arg(long)]
    standard_schemas: bool,
    /// Print addresses and keys as one line of JSON, for programs
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<()> {
    // A folder of our own is removed when this goes.
    let own = if arguments.dir.is_none() { Some(tempfile::tempdir()?) } else { None };
    let folder = arguments.dir.as_deref().or(own.as_ref().map(tempfile::TempDir::path)).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let stage = set(arguments, &folder.canonicalize()?)?;
    let mut company = Company::seeded(arguments.seed);
    stage.duo.with(|duo| company.fill(duo, arguments.people, arguments.groups));
    if let Some(path) = &arguments.record {
        record(&stage, path)?;
    }
    let mut stdout = io::stdout();
    let greeting = if arguments.json { print::document(&stage) } else { print::text(&stage) };
    writeln!(stdout, "{greeting}")?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(obey(&stage))
}

fn set(arguments: &Arguments, folder: &Path) -> io::Result<Stage> {
    let extensions = if arguments.standard_schemas { Extensions::Standard } else { Extensions::Atlassian };
    let settings = AtlassianSettings { extensions, ..AtlassianSettings::default() };
    let ports = Ports { duo: arguments.duo_port, atlassian: arguments.atlassian_port };
    let stage = Stage::set_at(folder, Vec::new(), ports, settings)?;
    // Nobody pays for requests here: the budgets of real services would only make it slow.
    stage.configure_services(
        "requests_per_minute = 60000\n",
        "requests_per_second = 1000.0\n",
        "[scope]\ngroups = [{ name = \"*\" }]\n",
    )?;
    Ok(stage)
}

/// From now on every request becomes a line of this file.
fn record(stage: &Stage, path: &Path) -> io::Result<()> {
    let file = Arc::new(Mutex::new(File::create(path)?));
    let recorder = |service: &'static str| {
        let file = Arc::clone(&file);
        Box::new(move |request: &Request, _: usize| {
            let line = print::recorded(service, request);
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = writeln!(file, "{line}") {
                let _ = writeln!(io::stderr(), "error: the record cannot be written: {error}");
            }
        })
    };
    stage.duo.on_request(recorder("duo"));
    stage.atlassian.on_request(recorder("atlassian"));
    Ok(())
}

/// Does what the lines on stdin say, until there are no more or somebody interrupts.
async fn obey(stage: &Stage) -> io::Result<()> {
    let (send, mut lines) = mpsc::unbounded_channel();
    // A thread that reads stdin cannot be stopped; the end of the program ends it.
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                return;
            }
        }
    });
    loop {
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => return interrupted,
            line = lines.recv() => match line {
                None => return Ok(()),
                Some(line) if line.trim().is_empty() => {}
                Some(line) => writeln!(io::stdout(), "{}", control::answer(stage, &line))?,
            },
        }
    }
}
