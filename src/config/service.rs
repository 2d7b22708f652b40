//! `[approval]`, `[schedule]`, `[state]`, `[http]` and `[notice]`.

use super::files;
use super::files::Files;
use super::host;
use super::problem::{Fault, shown};
use super::reader::Reader;
use crate::clock::Clock;
use crate::notice;
use crate::notice::{People, Webhook};
use crate::schedule::Schedule as When;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// `[approval]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// How long an approval is good.
    pub valid_hours: u32,
    /// Whether an approval needs a note.
    pub note_required: bool,
}

/// What the daemon does with a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It reports it.
    Observe,
    /// It sends it.
    Apply,
}

/// `[schedule]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// What the daemon does with a plan.
    pub mode: Mode,
    /// When a cycle begins.
    pub cycle_cron: When,
    /// When the target is read anew.
    pub refresh_cron: When,
    /// A cycle that is due begins up to so much later.
    pub jitter_seconds_max: u32,
    /// So long a cycle may send.
    pub sending_minutes_max: u32,
}

/// `[state]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The database, as an absolute path.
    pub database: PathBuf,
    /// After a longer pause the target is read before anything is planned (S19).
    pub trusted_hours: u32,
    /// So many days of cycles and of what they sent are kept.
    pub history_days: u32,
}

pub(super) fn approval(reader: &mut Reader<'_>) -> Approval {
    Approval {
        valid_hours: reader.whole("approval.valid_hours", 1..=720),
        note_required: reader.boolean("approval.note_required"),
    }
}

pub(super) fn schedule(reader: &mut Reader<'_>) -> Schedule {
    Schedule {
        mode: reader.choice("schedule.mode", [("observe", Mode::Observe), ("apply", Mode::Apply)]),
        cycle_cron: cron(reader, "schedule.cycle_cron"),
        refresh_cron: cron(reader, "schedule.refresh_cron"),
        jitter_seconds_max: reader.whole("schedule.jitter_seconds_max", 0..=3_600),
        sending_minutes_max: reader.whole("schedule.sending_minutes_max", 1..=1_440),
    }
}

pub(super) fn state(reader: &mut Reader<'_>, files: &Files<'_>) -> State {
    let key = "state.database";
    let name = reader.text(key).trim();
    if name.is_empty() || name.ends_with('/') {
        reader.refuse(key, Fault::new("names no file", "name the database file: \"state.db\""));
    }
    let name = name.to_owned();
    let database = files.database(&name);
    if let Some(other) = files.other_database_by_hand(&name) {
        reader.warn(&format!(
            "state.database: the service uses {}, and commands by hand would use {}, so that `pause` would stop nothing: \
             write the whole path",
            database.display(),
            other.display()
        ));
    }
    State {
        database,
        trusted_hours: reader.whole("state.trusted_hours", 1..=8_760),
        history_days: reader.whole("state.history_days", 30..=3_660),
    }
}

/// Where notices go, and what they may say.
pub(super) fn notice(reader: &mut Reader<'_>, files: &Files<'_>) -> Option<notice::Settings> {
    let key = "notice.webhook_url_file";
    let people = if reader.boolean("notice.include_people") { People::Named } else { People::Counted };
    let ca_file = files::find_ca(reader, files, "notice.ca_file");
    let proxy = host::find_proxy(reader, "notice.proxy");
    let url = files::find_secret(reader, files, key, "the webhook's address")?;
    let settings = notice::Settings { url, people, ca_file, proxy };
    // The address itself stands in no message.
    if Webhook::new(&settings, Clock::simulated(0, 0)).is_err() {
        let remedy = "write one address into it: https://, or http:// on loopback with a port";
        reader.refuse(key, Fault::new("the file holds no address that notices can be sent to", remedy));
    }
    Some(settings)
}

/// Where health and metrics listen: this machine only.
pub(super) fn http_listen(reader: &mut Reader<'_>) -> Option<String> {
    let key = "http.listen";
    let listen = reader.text(key).trim();
    if listen.is_empty() {
        return None;
    }
    let is_socket =
        listen.strip_prefix("unix:").is_some_and(|path| Path::new(path).is_absolute() && !path.ends_with('/'));
    if !is_socket && (listen.starts_with("localhost") || host::loopback(listen).is_none()) {
        let message = format!("{} is neither a loopback address with a port nor a socket", shown(listen));
        let remedy = "write \"127.0.0.1:9630\", \"[::1]:9630\" or \"unix:/run/duo-atlassian-sync/http.sock\"; empty: nothing listens";
        reader.refuse(key, Fault::new(message, remedy));
    }
    Some(listen.to_owned())
}

fn cron(reader: &mut Reader<'_>, key: &str) -> When {
    let fields: Vec<&str> = reader.text(key).split_whitespace().collect();
    let parsed = check_cron(&fields).and_then(|()| parse(&fields.join(" ")));
    parsed.unwrap_or_else(|fault| {
        reader.refuse(key, fault);
        When::never()
    })
}

fn parse(text: &str) -> Result<When, Fault> {
    When::parse(text).map_err(|error| Fault::new(error.to_string(), "write six fields: \"0 */10 * * * *\""))
}

/// What the fields are called, and the numbers that may stand in them.
const CRON_FIELDS: [(&str, RangeInclusive<u8>); 6] = [
    ("second", 0..=59),
    ("minute", 0..=59),
    ("hour", 0..=23),
    ("day of month", 1..=31),
    ("month", 1..=12),
    ("day of week", 0..=7),
];

/// Finds what is often meant otherwise, in words of our own; what is left is parsed.
pub(super) fn check_cron(fields: &[&str]) -> Result<(), Fault> {
    let form = "write six fields: second, minute, hour, day of month, month, day of week: \"0 */10 * * * *\"";
    if let (5, Ok(())) = (fields.len(), check_cron_fields(fields, 1)) {
        return Err(Fault::new("has five fields", format!("seconds come first: \"0 {}\"", fields.join(" "))));
    }
    if fields.len() != 6 {
        return Err(Fault::new(format!("has {} fields", fields.len()), form));
    }
    check_cron_fields(fields, 0).map_err(|message| Fault::new(message, form))
}

fn check_cron_fields(fields: &[&str], skipped: usize) -> Result<(), String> {
    for (field, (name, range)) in fields.iter().zip(CRON_FIELDS.iter().skip(skipped)) {
        let fault = || format!("{} cannot be a {name}", shown(field));
        let is_plausible = |c: char| c.is_ascii_alphanumeric() || "*,-/?#".contains(c);
        if !field.chars().all(is_plausible) {
            return Err(fault());
        }
        for part in field.split(',') {
            let (values, step) = part.split_once('/').map_or((part, None), |(values, step)| (values, Some(step)));
            if values.is_empty() || step.is_some_and(|step| !step.parse::<u8>().is_ok_and(|step| step > 0)) {
                return Err(fault());
            }
            let numbers = values.split('-').filter(|value| value.bytes().all(|b| b.is_ascii_digit()));
            if !numbers.clone().all(|number| number.parse().is_ok_and(|number| range.contains(&number))) {
                return Err(fault());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_cron;

    fn check(text: &str) -> Result<(), String> {
        check_cron(&text.split_whitespace().collect::<Vec<_>>())
            .map_err(|fault| format!("{}: {}", fault.message, fault.remedy))
    }

    #[test]
    fn a_schedule_has_six_plausible_fields() {
        for text in ["0 */10 * * * *", "0 30 3 * * MON-FRI", "0 0 0,12 1-15/2 JAN ?", "*/30 * * * * 7", "0 0 0 L * 5#2"]
        {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        for text in [
            "",
            "0 * * *",
            "60 * * * * *",
            "0 0 24 * * *",
            "0 0 0 0 * *",
            "0 0 0 * 13 *",
            "0 */0 * * * *",
            "0 -5 * * * *",
            "0 5; * * * *",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
        assert_eq!(check("*/10 * * * *").unwrap_err(), "has five fields: seconds come first: \"0 */10 * * * *\"");
    }
}
