//! `[approval]`, `[schedule]`, `[state]`, `[http]` and `[notice]`.

use super::files::Files;
use super::host;
use super::problem::{Fault, shown};
use super::reader::Reader;
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
    /// When a cycle begins: six fields, seconds first, UTC. Plausible, not parsed.
    pub cycle_cron: String,
    /// When the target is read anew: likewise.
    pub refresh_cron: String,
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
        sending_minutes_max: reader.whole("schedule.sending_minutes_max", 1..=1_440),
    }
}

pub(super) fn state(reader: &mut Reader<'_>, files: &Files<'_>) -> State {
    let key = "state.database";
    let name = reader.text(key).trim();
    if name.is_empty() || name.ends_with('/') {
        reader.refuse(key, Fault::new("names no file", "name the database file: \"state.db\""));
    }
    State { database: files.database(name), trusted_hours: reader.whole("state.trusted_hours", 1..=8_760) }
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

fn cron(reader: &mut Reader<'_>, key: &str) -> String {
    let fields: Vec<&str> = reader.text(key).split_whitespace().collect();
    if let Err(fault) = check_cron(&fields) {
        reader.refuse(key, fault);
    }
    fields.join(" ")
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

/// Finds what cannot be meant; the scheduler parses what is left.
fn check_cron(fields: &[&str]) -> Result<(), Fault> {
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
