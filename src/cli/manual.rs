//! `completions` and `man`: for packagers, from the same source as the parser.

use super::args::{AFTER_HELP, Arguments, CompletionsOptions, ManOptions};
use super::edge::Ended;
use super::output::put_bytes;
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use std::io;
use std::path::Path;

const NAME: &str = "duo-atlassian-sync";

pub(super) fn completions(options: &CompletionsOptions) {
    let mut text = Vec::new();
    clap_complete::generate(options.shell, &mut Arguments::command(), NAME, &mut text);
    put_bytes(&text);
}

/// The page of the program on stdout; or that one and a page for each command, as files.
pub(super) fn pages(options: &ManOptions) -> Result<(), Ended> {
    let mut command = Arguments::command().disable_help_subcommand(true);
    command.build();
    match &options.dir {
        None => {
            let mut text = Vec::new();
            render(&command, &mut text).map_err(|error| Ended::of(1, &error))?;
            put_bytes(&text);
            Ok(())
        }
        Some(dir) => write_all(&command, dir).map_err(|error| {
            Ended::of(2, &error).next(format!("cannot write the pages into {}: check the folder", dir.display()))
        }),
    }
}

fn write_all(command: &Command, dir: &Path) -> io::Result<()> {
    let mut text = Vec::new();
    render(command, &mut text)?;
    std::fs::write(dir.join(format!("{NAME}.1")), &text)?;
    for command in command.get_subcommands() {
        let (name, mut text) = (format!("{NAME}-{}", command.get_name()), Vec::new());
        Man::new(command.clone()).title(&name).render(&mut text)?;
        std::fs::write(dir.join(format!("{name}.1")), &text)?;
    }
    Ok(())
}

/// First steps and exit codes are tables: their lines stay as they are.
fn render(command: &Command, text: &mut Vec<u8>) -> io::Result<()> {
    let page = Man::new(command.clone().after_help(None::<&str>));
    page.render(text)?;
    text.extend_from_slice(b".SH \"FIRST STEPS AND EXIT CODES\"\n.nf\n");
    for line in AFTER_HELP.lines() {
        // A line that begins with a dot or an apostrophe would be a request.
        text.extend_from_slice(b"\\&");
        text.extend_from_slice(line.replace('\\', "\\e").replace('-', "\\-").as_bytes());
        text.push(b'\n');
    }
    text.extend_from_slice(b".fi\n");
    Ok(())
}
