//! The arguments, and the help that teaches.

use crate::cycle::Task;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

pub(super) const AFTER_HELP: &str = "\
First steps:
  1. duo-atlassian-sync init              a configuration, and files for the two secrets
  2. duo-atlassian-sync check             what is wrong with the configuration or a connection, and the remedy
  3. duo-atlassian-sync plan              what would be sent, and why; nothing is sent
  4. duo-atlassian-sync approve 7f3a...   the first plan of a database waits for a person
  5. duo-atlassian-sync sync              reads again, and sends what was approved

Exit codes:
   0  done, or nothing to do            5  held for a person, or paused; nothing (more) was sent
   1  a bug in the program              6  changes are pending (--detailed-exitcode)
   2  bad arguments or configuration    7  the saved plan is stale, altered or for another directory
   3  Duo could not be read             8  the database cannot be used, or the
   4  Atlassian could not be used, or     output could not be written
      some records are failing         75  another instance is at work";

/// Keeps Atlassian Cloud's users and groups equal to selected Cisco Duo groups.
///
/// Reads the groups and their people from Duo's Admin API, compares them with what it last made or saw in Atlassian,
/// and sends only the creates, patches and deactivations that are needed, over SCIM. Every change is shown with its
/// reason; what takes away more than the limits allow waits for a person. Nobody is ever deleted.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP, max_term_width = 100, propagate_version = true, infer_subcommands = false)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
pub(super) struct Global {
    /// The configuration file.
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        help = "The configuration file [default: $DUO_ATLASSIAN_SYNC_CONFIG, then /etc/duo-atlassian-sync/config.toml]"
    )]
    pub(super) config: Option<PathBuf>,
    /// How log lines are written, on stderr. Without it: text; for the daemon, fields in the journal where there is
    /// one, text on a terminal, else JSON.
    #[arg(long, value_name = "FORMAT", value_enum, global = true)]
    pub(super) log_format: Option<LogFormat>,
    /// More log lines; twice for still more.
    #[arg(short, long, action = clap::ArgAction::Count, global = true, conflicts_with = "quiet")]
    pub(super) verbose: u8,
    /// Only errors.
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write a commented configuration and the files for the two secrets; asks at a terminal, takes flags otherwise.
    Init(InitOptions),
    /// Check the configuration and, read only, the database and both connections; every problem at once, each with its
    /// remedy.
    Check(CheckOptions),
    /// Show what a sync would send, and why. Sends nothing.
    Plan(PlanOptions),
    /// Read, plan, and send what the guard approves.
    Sync(SyncOptions),
    /// Send exactly a saved plan, or refuse and say what moved.
    Apply(ApplyOptions),
    /// Give back what a cycle took away or changed, and keep it so until the source agrees.
    Undo(UndoOptions),
    /// Approve a held plan. The next sync sends it.
    Approve(DecideOptions),
    /// Reject a held plan.
    Reject(DecideOptions),
    /// Stop all sending at once, durably, by every command.
    Pause(PauseOptions),
    /// Let sending go on.
    Resume,
    /// Run cycles on a schedule until SIGTERM; SIGHUP reloads the configuration.
    Daemon,
    /// Say how the sync is: last good cycle, held or failing and why, key expiry.
    Status(StatusOptions),
    /// List the last cycles: what each did, when, and who approved it.
    History(HistoryOptions),
    /// Show one cycle, plan, person or group from the database.
    Show(ShowOptions),
    /// Copy the database to a new file, while others may be at work; says how to restore it.
    Backup(BackupOptions),
    /// Write the completions for a shell to stdout.
    Completions(CompletionsOptions),
    /// Write the manual page to stdout, or all pages into a folder.
    Man(ManOptions),
}

#[derive(Debug, Args)]
pub(super) struct InitOptions {
    /// The folder; nothing in it is overwritten.
    #[arg(
        long,
        value_name = "DIR",
        help = "The folder; nothing in it is overwritten [default: /etc/duo-atlassian-sync]"
    )]
    pub(super) dir: Option<PathBuf>,
    /// The SCIM base URL, as Atlassian shows it.
    #[arg(long, value_name = "URL")]
    pub(super) scim_base_url: Option<String>,
    /// The day on which the API key of Atlassian expires.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(super) api_key_expires: Option<String>,
    /// A domain that the organization has verified; may be repeated.
    #[arg(long, value_name = "DOMAIN")]
    pub(super) verified_domain: Vec<String>,
    /// The user tier of the Atlassian plan.
    #[arg(long, value_name = "N")]
    pub(super) accounts_max: Option<u32>,
    /// The API hostname of Duo's Admin API application.
    #[arg(long, value_name = "HOST")]
    pub(super) duo_api_host: Option<String>,
    /// The integration key of the same application.
    #[arg(long, value_name = "KEY")]
    pub(super) duo_integration_key: Option<String>,
    /// A group of Duo, by id, by name, or by a name with *; may be repeated.
    #[arg(long, value_name = "GROUP")]
    pub(super) group: Vec<String>,
    /// Somebody who is never touched, by username or id; may be repeated.
    #[arg(long, value_name = "PERSON")]
    pub(super) exclude: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct CheckOptions {
    /// Check the configuration, the secret files and the database only; contact nobody.
    #[arg(long)]
    pub(super) offline: bool,
    /// Leave out the secret files too: a running service has its secrets since its start.
    #[arg(long, requires = "offline")]
    pub(super) without_secrets: bool,
    /// Try this key of Atlassian instead of the configured one, before it replaces that. Writes nothing.
    #[arg(long, value_name = "FILE", conflicts_with = "without_secrets")]
    pub(super) atlassian_key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct PlanOptions {
    /// Also write the plan to a file, as JSON, for somebody else to review.
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// How the plan is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = PlanFormat::Text)]
    pub(super) format: PlanFormat,
    /// Read Atlassian whole as well, and correct by it what this program remembers: what somebody else changed there is
    /// found and reported.
    #[arg(long)]
    pub(super) refresh: bool,
    /// End with 6 when changes are pending, and with 5 when the guard would hold them.
    #[arg(long)]
    pub(super) detailed_exitcode: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanFormat {
    /// For people.
    Text,
    /// The plan document.
    Json,
    /// For a ticket or a pull request.
    Markdown,
}

impl PlanOptions {
    /// What a cycle about everybody is about.
    pub(super) const fn task(&self) -> Task<'static> {
        if self.refresh { Task::Refresh } else { Task::Everybody }
    }
}

#[derive(Debug, Args)]
pub(super) struct SyncOptions {
    /// Show the plan and send nothing: `plan` under its other name, with the same options.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Read one person by Duo id or username, and send only what takes access away from them, at once, whatever is
    /// held.
    #[arg(long, value_name = "PERSON", conflicts_with_all = ["dry_run", "out", "format", "refresh", "detailed_exitcode"])]
    pub(super) person: Option<String>,
    #[command(flatten)]
    pub(super) plan: PlanOptions,
}

#[derive(Debug, Args)]
pub(super) struct DecideOptions {
    /// The fingerprint of the plan, or its first twelve digits or more.
    #[arg(value_name = "FINGERPRINT")]
    pub(super) fingerprint: String,
    /// Why; kept with the decision.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) note: String,
}

#[derive(Debug, Args)]
pub(super) struct ApplyOptions {
    /// The plan file, as `plan --out FILE` wrote it.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Approve the plan in the file, named by its fingerprint, in the same breath.
    #[arg(long, value_name = "FINGERPRINT")]
    pub(super) approve: Option<String>,
    /// Send the entries that still hold, and list the rest.
    #[arg(long)]
    pub(super) still_valid: bool,
    /// Only these actions, by id. What depends on one that is left out is left out too.
    #[arg(long, value_name = "ID", num_args = 1..)]
    pub(super) only: Vec<String>,
    /// All but these actions, by id. What depends on them is left out too.
    #[arg(long, value_name = "ID", num_args = 1..)]
    pub(super) except: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct UndoOptions {
    /// The number of the cycle.
    #[arg(value_name = "CYCLE")]
    pub(super) cycle: Option<i64>,
    /// Only this person, by Duo id or username.
    #[arg(long, value_name = "PERSON")]
    pub(super) person: Option<String>,
    /// Show what would be given back, and send nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Let somebody be planned again who is pinned by an earlier undo.
    #[arg(long, value_name = "PERSON", conflicts_with_all = ["cycle", "person", "dry_run"])]
    pub(super) release: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct PauseOptions {
    /// Why; shown by `status`.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) note: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

#[derive(Debug, Args)]
pub(super) struct StatusOptions {
    /// How it is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct HistoryOptions {
    /// So many cycles, the newest first.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) limit: u32,
    /// How they are printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Shown {
    /// A cycle, by its number.
    Cycle,
    /// A plan, by its fingerprint.
    Plan,
    /// A person, by Duo id or username.
    Person,
    /// A group, by Duo id or name.
    Group,
}

#[derive(Debug, Args)]
pub(super) struct ShowOptions {
    /// What to show.
    #[arg(value_name = "WHAT", value_enum)]
    pub(super) what: Shown,
    /// Which one.
    #[arg(value_name = "ID")]
    pub(super) id: String,
    /// How it is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct BackupOptions {
    /// The copy: a new file, readable for its owner only.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct CompletionsOptions {
    /// Which shell.
    #[arg(value_name = "SHELL", value_enum)]
    pub(super) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(super) struct ManOptions {
    /// Write a page for the program and one for each command into this folder.
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_make_sense() {
        Arguments::command().debug_assert();
    }
}
