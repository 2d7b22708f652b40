//! Failing records as lines: the memberships of one group that fail for one reason are one line.

use crate::model::Timestamp;
use crate::report::plain;
use crate::store::{Failing, FailingRecord};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// So many people of a line are named.
const NAMED_MAX: usize = 3;

/// Records as they stand: how often, since when, why, and when they are tried again.
pub(super) fn lines(records: &[FailingRecord], now: Timestamp) -> Vec<String> {
    let line = |(subject, records): (String, Vec<&FailingRecord>)| {
        let (count, first_at) = numbers(&records);
        let reason = records.first().map(|record| plain(&record.failing.reason)).unwrap_or_default();
        format!("{subject}, {count} times since {first_at}: {reason}; {}", next_try(&records, now))
    };
    grouped(records, |record| &record.failing).into_iter().map(line).collect()
}

/// What failed right now, with the reason.
pub(super) fn failed(failing: &[Failing]) -> Vec<String> {
    let line = |(subject, failing): (String, Vec<&Failing>)| {
        let reason = failing.first().map(|failing| plain(&failing.reason)).unwrap_or_default();
        format!("{subject}: {reason}")
    };
    grouped(failing, |failing| failing).into_iter().map(line).collect()
}

/// What failed before and is not tried yet.
pub(super) fn waiting(records: &[FailingRecord]) -> Vec<String> {
    let line = |(subject, records): (String, Vec<&FailingRecord>)| {
        let (count, _) = numbers(&records);
        let until = records.iter().map(|record| record.retry_at()).min();
        let until = until.map(|until| until.to_string()).unwrap_or_default();
        let reason = records.first().map(|record| plain(&record.failing.reason)).unwrap_or_default();
        format!("{subject}: failed {count} times, and waits until {until}: {reason}")
    };
    grouped(records, |record| &record.failing).into_iter().map(line).collect()
}

/// One record for programs.
pub(super) fn document(record: &FailingRecord) -> Value {
    let Failing { key, name, kind, reason, pause, .. } = &record.failing;
    json!({
        "record": key.record, "request": key.request, "name": name, "kind": kind, "reason": reason,
        "count": record.count, "first_at": record.first_at, "last_at": record.last_at,
        "next_try_at": (*pause > 0).then(|| record.retry_at()),
    })
}

fn numbers(records: &[&FailingRecord]) -> (u32, Timestamp) {
    let count = records.iter().map(|record| record.count).max().unwrap_or_default();
    let first_at = records.iter().map(|record| record.first_at).min();
    (count, first_at.unwrap_or(Timestamp::from_seconds(0)))
}

fn next_try(records: &[&FailingRecord], now: Timestamp) -> String {
    match records.iter().filter(|record| record.waits(now)).map(|record| record.retry_at()).min() {
        Some(at) if records.iter().all(|record| record.waits(now)) => format!("next try after {at}"),
        Some(_) | None => "next try: the next sync".to_owned(),
    }
}

/// What belongs into one line, with its subject; in the order of the first of each.
fn grouped<T>(all: &[T], failing: impl Fn(&T) -> &Failing) -> Vec<(String, Vec<&T>)> {
    let mut lines: Vec<Vec<&T>> = Vec::new();
    let mut at: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for one in all {
        let Failing { key, reason, .. } = failing(one);
        let word = key.request.split_once(' ').map_or(key.request.as_str(), |(word, _)| word);
        let line = *at.entry((&key.record, word, reason)).or_insert(lines.len());
        match lines.get_mut(line) {
            Some(line) => line.push(one),
            None => lines.push(vec![one]),
        }
    }
    let subject_of = |line: &[&T]| subject(&line.iter().map(|one| failing(one)).collect::<Vec<_>>());
    lines.into_iter().map(|line| (subject_of(&line), line)).collect()
}

fn subject(failing: &[&Failing]) -> String {
    let Some(Failing { key, name, .. }) = failing.first() else { return String::new() };
    let record = format!("{} ({})", plain(name), key.record);
    let Some((word, _)) = key.request.split_once(' ') else {
        return match key.request.as_str() {
            "" => record,
            part => format!("{record}, {part}"),
        };
    };
    let people: Vec<&str> =
        failing.iter().filter_map(|failing| failing.key.request.split_once(' ')).map(|(_, person)| person).collect();
    let shown = people.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", ");
    let more = people.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let plural = if people.len() == 1 { "" } else { "s" };
    format!("{record}, {} {word}{plural} ({shown}{more})", people.len())
}
