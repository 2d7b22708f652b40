//! Arguments become a command, a command becomes an exit code. The only writer to stdout.

mod apply;
mod args;
mod backup;
mod check;
mod daemon;
mod decide;
mod edge;
mod failing;
mod history;
mod init;
mod manual;
mod output;
mod pause;
mod person;
mod place;
mod plan;
mod progress;
mod setup;
mod show;
mod standing;
mod status;
mod sync;
mod undo;
mod who;

use crate::clock::Clock;
use args::{Arguments, Command, SyncOptions};
use clap::Parser;
use edge::Ended;
use std::ffi::OsString;
use std::process::ExitCode;

/// The whole program: reads the arguments, runs one command, says on stderr what went wrong, and ends with a code of
/// the table in the README.
pub fn main() -> ExitCode {
    main_with(std::env::args_os())
}

/// Like [`main`], with the arguments given. The first is the name of the program.
pub fn main_with(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    main_by(&Clock::system(), arguments)
}

/// Like [`main_with`]; the daemon goes by this clock: for whoever looks at a month of it within minutes.
pub fn main_by(clock: &Clock, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to stdout and end well; anything else is a mistake in the arguments.
            if error.use_stderr() {
                let _ = error.print();
                return ExitCode::from(2);
            }
            output::note(error.print());
            return code(Ok(()));
        }
    };
    setup::start_logging(&arguments.global, &arguments.command);
    code(run(&arguments, clock))
}

/// The exit code, after it was said what went wrong: with the command, and with its output.
fn code(result: Result<(), Ended>) -> ExitCode {
    let unwritten = output::failure();
    for ended in result.as_ref().err().into_iter().chain(&unwritten) {
        ended.tell();
    }
    let ended = result.err().or(unwritten);
    ended.map_or(ExitCode::SUCCESS, |ended| ExitCode::from(ended.code))
}

fn run(arguments: &Arguments, clock: &Clock) -> Result<(), Ended> {
    let global = &arguments.global;
    match &arguments.command {
        Command::Init(options) => init::run(global, options),
        Command::Check(options) => check::run(global, options),
        Command::Plan(options) => plan::run(global, "plan", options),
        Command::Sync(options) if options.dry_run => plan::run(global, "sync --dry-run", &options.plan),
        Command::Sync(SyncOptions { person: Some(person), .. }) => person::run(global, person),
        Command::Sync(options) => sync::run(global, options),
        Command::Apply(options) => apply::run(global, options),
        Command::Undo(options) => undo::run(global, options),
        Command::Approve(options) => decide::approve(global, options),
        Command::Reject(options) => decide::reject(global, options),
        Command::Pause(options) => pause::pause(global, options),
        Command::Resume => pause::resume(global),
        Command::Daemon => daemon::run(global, clock),
        Command::Status(options) => status::run(global, options),
        Command::History(options) => history::run(global, options),
        Command::Show(options) => show::run(global, options),
        Command::Backup(options) => backup::run(global, options),
        Command::Completions(options) => {
            manual::completions(options);
            Ok(())
        }
        Command::Man(options) => manual::pages(options),
    }
}
