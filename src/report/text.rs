//! A plan for people, in plain ASCII around their own names: meaning in the words, not in colour.

use super::document::PlanDocument;
use super::plain::plain;
use crate::guard::FindingDocument;
use crate::plan::ActionDocument;
use crate::plan::ChangeDocument;
use std::collections::BTreeMap;
use std::fmt::Write;

/// So many names stand in one line; the JSON form has all of them.
pub(super) const NAMES_MAX: usize = 12;

/// The plan as text, ending with what the guard says. What was or was not sent is for the caller to say.
pub fn text(plan: &PlanDocument) -> String {
    let mut out = String::new();
    let _ = write(plan, &mut out);
    out
}

fn write(plan: &PlanDocument, out: &mut String) -> std::fmt::Result {
    if plan.source.requests == 0 {
        writeln!(out, "plan {}   desired: what the journal says; Duo was not read", plan.short_fingerprint())?;
    } else {
        writeln!(
            out,
            "plan {}   desired: Duo, {}, {}, read completely by {}",
            plan.short_fingerprint(),
            count(plan.source.groups, "group", "groups"),
            count(plan.source.people, "person", "people"),
            plan.created_at
        )?;
    }
    writeln!(
        out,
        "                    compared with: snapshot {}, {} owned, {}",
        plan.base.generation,
        count(plan.base.accounts, "account", "accounts"),
        count(plan.base.memberships, "membership", "memberships")
    )?;
    if !(plan.actions.is_empty() && plan.skipped.is_empty()) {
        writeln!(out)?;
    }
    let names = plan.actions.iter().map(subject).chain(plan.skipped.iter().map(skipped_subject));
    let width = names.map(|name| name.chars().count()).max().unwrap_or(0).clamp(8, 40);
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for action in &plan.actions {
        let next = kinds.len();
        kinds.entry(&action.action).or_insert(next);
    }
    let mut actions: Vec<&ActionDocument> = plan.actions.iter().collect();
    // The order of a plan is by kind and id; people look for names.
    actions.sort_by_cached_key(|action| {
        (kinds.get(action.action.as_str()).copied(), subject(action).to_lowercase(), action.id.clone())
    });
    for action in actions {
        line(out, (sign(&action.action), &action.action), (&subject(action), width), &what(plan, action))?;
    }
    for entry in &plan.skipped {
        line(out, ('?', "skip"), (&skipped_subject(entry), width), &entry.reason)?;
    }
    for remark in &plan.remarks {
        writeln!(out, "  ! {}", plain(remark))?;
    }
    writeln!(out, "\n{}", summary(plan))?;
    let seats = &plan.accounts;
    if seats.before != seats.after || seats.max > 0 {
        let max = if seats.max > 0 { format!(" of at most {}", seats.max) } else { String::new() };
        writeln!(out, "active accounts: {} -> {}{max}", seats.before, seats.after)?;
    }
    guard(plan, out)
}

fn line(out: &mut String, (sign, word): (char, &str), (name, width): (&str, usize), what: &str) -> std::fmt::Result {
    let word = plain(word).replace('_', " ");
    writeln!(out, "  {sign} {word:<14} {name:<width$}  {}", plain(what))
}

fn sign(action: &str) -> char {
    match action {
        "create" | "create_group" | "reactivate" => '+',
        "deactivate" => '-',
        "adopt" | "adopt_group" => '=',
        _ => '~',
    }
}

pub(super) fn subject(action: &ActionDocument) -> String {
    let person = action.person.as_ref().map(|person| &person.username);
    let name = person.or_else(|| action.group.as_ref().map(|group| &group.name));
    name.map(|name| plain(name).into_owned()).unwrap_or_default()
}

fn skipped_subject(entry: &crate::plan::SkippedDocument) -> String {
    let person = entry.person.as_ref().map(|person| &person.username);
    let name = person.or_else(|| entry.group.as_ref().map(|group| &group.name));
    name.map(|name| plain(name).into_owned()).unwrap_or_default()
}

/// What an action does and why, in one line.
pub(super) fn what(plan: &PlanDocument, action: &ActionDocument) -> String {
    let mut parts = Vec::new();
    match (action.action.as_str(), &action.changes) {
        ("create", Some(changes)) => parts.extend(changes.get("emails").map(|change| change.to.clone())),
        (_, Some(changes)) if !changes.is_empty() => parts.push(changed(changes)),
        _ => {}
    }
    for (word, ids) in [("+", &action.join), ("-", &action.leave)] {
        if let Some(ids) = ids.as_ref().filter(|ids| !ids.is_empty()) {
            parts.push(format!("{word}{} ({})", ids.len(), names(plan, ids)));
        }
    }
    if let Some(members) = action.members.as_ref().or(action.groups.as_ref()) {
        parts.push(count(members.len(), "membership", "memberships"));
    }
    if action.active == Some(false) {
        parts.push("inactive there".to_owned());
    }
    if action.cause != "source" || action.join.is_none() {
        parts.push(action.reason.clone());
    }
    parts.join("; ")
}

fn changed(changes: &BTreeMap<String, ChangeDocument>) -> String {
    let one = |(attribute, change): (&String, &ChangeDocument)| match &change.from {
        Some(from) => format!("{attribute} \"{from}\" -> \"{}\"", change.to),
        None => format!("{attribute} \"{}\"", change.to),
    };
    changes.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Names up to a limit, and how many more.
pub(super) fn names(plan: &PlanDocument, ids: &[String]) -> String {
    let mut names: Vec<&str> = ids.iter().map(|id| plan.name_of(id)).collect();
    names.sort_unstable();
    let more = names.len().saturating_sub(NAMES_MAX);
    names.truncate(NAMES_MAX);
    let text = names.join(", ");
    if more == 0 { text } else { format!("{text} and {more} more") }
}

/// A number with its noun.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// The summary as one sentence.
pub(super) fn summary(plan: &PlanDocument) -> String {
    let summary = &plan.summary;
    let parts = [
        (summary.adopt.saturating_add(summary.adopt_group), "to adopt"),
        (summary.create, "to create"),
        (summary.create_group, if summary.create_group == 1 { "group to create" } else { "groups to create" }),
        (summary.update, "to update"),
        (summary.reactivate, "to reactivate"),
        (summary.deactivate, "to deactivate"),
        (summary.join, "to join"),
        (summary.leave, "to leave"),
        (summary.skip, "skipped"),
    ];
    let mut parts: Vec<String> =
        parts.iter().filter(|(number, _)| *number > 0).map(|(number, word)| format!("{number} {word}")).collect();
    if plan.actions.is_empty() {
        parts.insert(0, "nothing to do".to_owned());
    }
    parts.push(format!("{} unchanged", summary.unchanged));
    let mut text = parts.join(", ");
    if plan.forecast.requests > 0 {
        let _ = write!(
            text,
            "; {} in about {}",
            count(usize::try_from(plan.forecast.requests).unwrap_or(usize::MAX), "request", "requests"),
            duration(plan.forecast.seconds)
        );
    }
    text
}

/// Seconds in words.
pub(super) fn duration(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3_600),
    }
}

fn guard(plan: &PlanDocument, out: &mut String) -> std::fmt::Result {
    let findings = count(plan.guard.findings.len(), "finding", "findings");
    if plan.is_held() {
        writeln!(out, "guard: HELD, {findings}")?;
    } else if !plan.guard.findings.is_empty() {
        writeln!(out, "guard: approved, {findings}")?;
    } else if !plan.actions.is_empty() {
        writeln!(out, "guard: approved")?;
    }
    for finding in &plan.guard.findings {
        writeln!(out, "  * {}{}", plain(&finding.message), limit_key(finding))?;
        let people = concerned(finding);
        if !people.is_empty() {
            writeln!(out, "    {}", plain(&people))?;
        }
    }
    Ok(())
}

fn limit_key(finding: &FindingDocument) -> String {
    finding.key.as_ref().map(|key| format!(" [{}]", plain(key))).unwrap_or_default()
}

/// The first ten people of a finding, and how many more.
pub(super) fn concerned(finding: &FindingDocument) -> String {
    let names: Vec<&str> = finding.people.iter().map(|person| person.username.as_str()).collect();
    let more = finding.people_count.saturating_sub(names.len());
    let text = names.join(", ");
    if more == 0 { text } else { format!("{text} and {more} more") }
}
