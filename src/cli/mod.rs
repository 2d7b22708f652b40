//! Arguments become a command, a command becomes an exit code. The only writer to stdout.

mod apply;
mod args;
mod check;
mod decide;
mod edge;
mod history;
mod output;
mod pause;
mod person;
mod plan;
mod progress;
mod setup;
mod show;
mod status;
mod sync;
mod undo;
mod who;

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
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to stdout and end well; anything else is a mistake in the arguments.
            let code = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    setup::start_logging(&arguments.global);
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(ended) => {
            ended.tell();
            ExitCode::from(ended.code)
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Ended> {
    let global = &arguments.global;
    match &arguments.command {
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
        Command::Status(options) => status::run(global, options),
        Command::History(options) => history::run(global, options),
        Command::Show(options) => show::run(global, options),
    }
}
