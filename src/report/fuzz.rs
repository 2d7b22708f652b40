//! What must hold of any plan file, and of any text that is shown. For `fuzz/` and unit tests only.

use super::{FORMAT, PlanDocument, markdown, plain, text};
use crate::model::fuzz::assert_tame_error;
use crate::model::fuzz::hex;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Bytes are refused, or are a plan whose actions have the fingerprint that it states. Whatever reads as a plan is
/// shown without anything that could steer a terminal.
///
/// # Panics
/// When a law is broken.
pub fn plan_file(bytes: &[u8]) {
    let whole = serde_json::from_slice::<Value>(bytes).unwrap_or_default();
    match PlanDocument::read(bytes) {
        Ok(document) => check_plan(&document, &whole),
        Err(error) => assert_tame_error(&error),
    }
    // Nobody guesses a fingerprint: the same actions, with the one that they have.
    let Ok(mut document) = serde_json::from_slice::<PlanDocument>(bytes) else { return };
    document.fingerprint =
        fingerprint(&document.actions.iter().filter_map(|it| serde_json::to_value(it).ok()).collect::<Vec<_>>());
    FORMAT.clone_into(&mut document.format);
    let bytes = serde_json::to_vec(&document).unwrap_or_default();
    let ids: BTreeSet<&String> = document.actions.iter().map(|action| &action.id).collect();
    match PlanDocument::read(&bytes) {
        Ok(read) => {
            assert_eq!(read, document);
            check_plan(&read, &serde_json::from_slice(&bytes).unwrap_or_default());
        }
        Err(error) => assert!(ids.len() < document.actions.len(), "a sound plan is refused: {error}"),
    }
}

fn check_plan(document: &PlanDocument, whole: &Value) {
    assert_eq!(document.format, FORMAT);
    let actions = whole.get("actions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    assert_eq!(document.fingerprint, fingerprint(actions), "an altered plan is accepted");
    let ids: BTreeSet<&str> = actions.iter().filter_map(|action| action.get("id")?.as_str()).collect();
    assert_eq!((ids.len(), document.actions.len()), (actions.len(), actions.len()), "every action has its own id");
    for (shown, form) in [(text(document), "text"), (markdown(document), "Markdown")] {
        assert!(!shown.contains(steers), "{form} could steer a terminal: {shown:?}");
        let rows = document.actions.len() + document.skipped.len() + document.remarks.len();
        let lines_max = 12 + rows + 2 * document.guard.findings.len() + 8;
        assert!(shown.lines().count() <= lines_max, "{form} has a line that is nobody's: {shown}");
    }
    let marks = markdown(document).replace("\\\\", "").replace("\\<", "").replace("\\`", "");
    assert!(!marks.split('`').step_by(2).any(|outside| outside.contains('<')), "Markdown has a tag: {marks}");
}

/// By its definition: SHA-256 over the entries without their reasons, as JSON with sorted keys, one a line.
fn fingerprint(actions: &[Value]) -> String {
    let mut lines = String::new();
    for action in actions {
        let mut action = action.clone();
        if let Some(fields) = action.as_object_mut() {
            fields.remove("reason");
        }
        lines.push_str(&action.to_string());
        lines.push('\n');
    }
    hex(&Sha256::digest(lines))
}

/// Control characters, and what turns a line around, breaks it, or is not seen.
fn steers(c: char) -> bool {
    let code = u32::from(c);
    c != '\n'
        && (c.is_control()
            || [0x61c, 0x200b, 0x200e, 0x200f, 0x2028, 0x2029, 0x2060, 0xfeff].contains(&code)
            || (0x202a..=0x202e).contains(&code)
            || (0x2066..=0x2069).contains(&code))
}

/// A text is shown in one line, and what could do no harm is left as it is.
///
/// # Panics
/// When a law is broken.
pub fn shown(text: &str) {
    let shown = plain(text);
    assert!(!shown.contains(|c| c == '\n' || steers(c)), "{shown:?}");
    assert_eq!(plain(&shown), shown);
    let harmless: String = text.chars().filter(|c| !(*c == '\n' || steers(*c))).collect();
    if harmless == text {
        assert_eq!(shown, text);
    } else {
        assert!(shown.len() > harmless.len(), "something is not shown: {text:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::{plan_file, shown};
    use crate::model::fuzz::LARGE;
    use crate::model::fuzz::deep;
    use crate::model::fuzz::digits;
    use crate::model::fuzz::long;
    use crate::model::fuzz::seeds;
    use crate::model::fuzz::wide;
    use crate::report::PlanDocument;
    use serde_json::Value;

    #[test]
    fn the_laws_hold_for_every_seed() {
        let mut accepted = 0;
        for (_, seed) in seeds("plan_files") {
            plan_file(&seed);
            accepted += usize::from(PlanDocument::read(&seed).is_ok());
        }
        assert_eq!(accepted, 5, "the others are altered, cut, or of another program");
        for (_, seed) in seeds("names") {
            shown(&String::from_utf8(seed).unwrap());
        }
    }

    /// A plan with every kind of action, and one part of it replaced.
    fn with(path: &str, value: &str) -> String {
        let (_, seed) = seeds("plan_files").into_iter().find(|(name, _)| name == "every-action").unwrap();
        let mut plan: Value = serde_json::from_slice(&seed).unwrap();
        *plan.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = Value::from("@here");
        plan.to_string().replace("\"@here\"", value)
    }

    #[test]
    fn words_of_a_plan_file_cannot_steer_a_terminal() {
        for path in [
            "/source/api_host",
            "/target/scim_base_url",
            "/guard/verdict",
            "/guard/findings/0/key",
            "/guard/findings/0/people/0/username",
            "/actions/0/action",
            "/actions/0/cause",
            "/skipped/0/person/username",
        ] {
            plan_file(with(path, r#""a\n\u001b[2J\u202e` | <b>""#).as_bytes());
        }
    }

    #[test]
    fn numbers_of_a_plan_file_are_summed_without_overflow() {
        let summary = with("/summary/adopt", &usize::MAX.to_string());
        plan_file(summary.replace("\"adopt_group\":0", "\"adopt_group\":1").as_bytes());
    }

    #[test]
    fn deep_plan_files_are_refused() {
        for deep in deep() {
            plan_file(deep.as_bytes());
            for path in ["/format", "/base", "/guard/findings", "/actions", "/actions/3/changes", "/people", "/remarks"]
            {
                plan_file(with(path, &deep).as_bytes());
            }
        }
    }

    #[test]
    fn long_texts_are_shown_in_one_line_and_not_repeated_in_a_message() {
        let (long, digits) = (long(), digits());
        plan_file(long.as_bytes());
        for path in ["/format", "/created_at", "/source/groups", "/actions/0/action", "/actions/7/group/name"] {
            plan_file(with(path, &long).as_bytes());
        }
        plan_file(with("/summary/join", &digits).as_bytes());
        plan_file(with("/people", &wide()).as_bytes());
        shown(&"\n\u{1b}[2J\u{202e}\\漢".repeat(LARGE / 12));
    }

    #[test]
    fn plans_with_many_rows_are_read() {
        let (_, seed) = seeds("plan_files").into_iter().find(|(name, _)| name == "one-create").unwrap();
        let mut plan: Value = serde_json::from_slice(&seed).unwrap();
        let one = plan["actions"][0].clone();
        let count = LARGE / one.to_string().len();
        let action = |n: usize| {
            let mut action = one.clone();
            action["id"] = format!("create:{n}").into();
            action
        };
        plan["actions"] = (0..count).map(action).collect();
        plan_file(plan.to_string().as_bytes());
        plan["actions"] = Value::Array(Vec::new());
        plan["remarks"] = vec!["\u{1b}[2J"; LARGE / 8].into();
        plan_file(plan.to_string().as_bytes());
    }
}
