//! A plan as Markdown, for a ticket or a pull request.

use super::document::PlanDocument;
use super::plain::plain;
use super::text::{concerned, subject, summary, what};
use std::borrow::Cow;
use std::fmt::Write;

/// The plan as a Markdown page. Names and values are escaped: nothing in Duo can make markup here.
pub fn markdown(plan: &PlanDocument) -> String {
    let mut out = String::new();
    let _ = write(plan, &mut out);
    out
}

fn write(plan: &PlanDocument, out: &mut String) -> std::fmt::Result {
    writeln!(out, "# Plan {}\n", plan.short_fingerprint())?;
    writeln!(
        out,
        "Duo `{}` ({} groups, {} people) to `{}`, made {}, compared with snapshot {} ({} accounts).\n",
        code(&plan.source.api_host),
        plan.source.groups,
        plan.source.people,
        code(&plan.target.scim_base_url),
        plan.created_at,
        plan.base.generation,
        plan.base.accounts
    )?;
    writeln!(out, "**Guard: {}.** {}.\n", word(&plan.guard.verdict), summary(plan))?;
    for finding in &plan.guard.findings {
        let people = concerned(finding);
        let people = if people.is_empty() { String::new() } else { format!(" ({})", escape(&people)) };
        writeln!(out, "- {}{people}", escape(&finding.message))?;
    }
    if !plan.guard.findings.is_empty() {
        writeln!(out)?;
    }
    if !plan.actions.is_empty() {
        writeln!(out, "| Action | Who or what | Why |\n| --- | --- | --- |")?;
        for action in &plan.actions {
            writeln!(
                out,
                "| {} | {} | {} |",
                word(&action.action),
                escape(&subject(action)),
                escape(&what(plan, action))
            )?;
        }
        writeln!(out)?;
    }
    if !plan.skipped.is_empty() {
        writeln!(out, "| Skipped | Why |\n| --- | --- |")?;
        for entry in &plan.skipped {
            let person = entry.person.as_ref().map(|person| &person.username);
            let name = person.or_else(|| entry.group.as_ref().map(|group| &group.name));
            writeln!(out, "| {} | {} |", escape(name.map_or("", String::as_str)), escape(&entry.reason))?;
        }
        writeln!(out)?;
    }
    for remark in &plan.remarks {
        writeln!(out, "- {}", escape(remark))?;
    }
    writeln!(out, "Fingerprint: `{}`", plan.fingerprint)
}

/// What stands between backticks.
fn code(text: &str) -> String {
    plain(text).replace('`', "'")
}

/// One of our own words, such as `create_group`; any other text is escaped.
fn word(text: &str) -> Cow<'_, str> {
    let is_ours = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_ours { Cow::Borrowed(text) } else { Cow::Owned(escape(text)) }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in plain(text).chars() {
        if matches!(c, '|' | '`' | '*' | '_' | '~' | '[' | ']' | '<' | '>' | '&' | '\\' | '#') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    // Addresses of web pages become links in GitHub's dialect without any mark.
    escaped.replace("://", "\\://")
}
