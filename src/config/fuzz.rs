//! What must hold of any configuration. For `fuzz/` and unit tests only.

use super::problem::{Fault, line};
use super::selector::covers;
use super::{Config, Environment, Problems, host, parse, service};
use crate::desired::Access;
use crate::desired::Rules;
use crate::desired::Wanted;
use crate::desired::matches_pattern;
use crate::model::fuzz::assert_one_line;
use crate::model::fuzz::assert_tame;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

/// At most so many problems are told, and so long is what is told of them.
const PROBLEMS_MAX: usize = 100;
const CHARACTERS_MAX: usize = PROBLEMS_MAX * 2_000;

/// A text is refused with at least one problem, each at a place that is in the file; or its rules, written again, are
/// the same rules. `secrets` is a folder with both secrets under their default names.
///
/// # Panics
/// When a law is broken.
pub fn file(text: &str, secrets: &Path) {
    let env = Environment { credentials_directory: Some(secrets.to_path_buf()), ..Environment::default() };
    match parse(text, Path::new("/nowhere/config.toml"), &env) {
        Ok(config) => {
            check_config(&config);
            let again = parse(&written(&config.rules), Path::new("/nowhere/config.toml"), &env);
            assert!(again.is_ok(), "written again, it is refused: {again:?}");
            assert_eq!(again.ok().map(|config| config.rules), Some(config.rules));
        }
        Err(problems) => check_problems(text, &problems),
    }
}

fn check_config(config: &Config) {
    config.warnings.iter().for_each(|warning| assert_tame(warning));
    assert!(!config.rules.groups.is_empty() && !config.rules.verified_domains.is_empty());
    assert!(config.rules.groups.is_sorted());
    assert!(config.duo.requests_per_minute > 0 && config.scim.requests_per_second > 0.0);
    assert!(config.scim.concurrent_requests_max > 0 && config.scim.members_per_request_max > 0);
    check_address(&config.duo.base_url, &config.duo.api_host);
    for url in [&config.duo.base_url, &config.scim.base_url] {
        let is_loopback =
            ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"].iter().any(|it| url.starts_with(it));
        assert!(url.starts_with("https://") || is_loopback, "{url}");
        assert!(!url.contains(|c: char| c.is_whitespace() || c.is_control() || "?#@\\".contains(c)), "{url}");
    }
}

fn check_problems(text: &str, problems: &Problems) {
    let list = problems.as_slice();
    assert!(!list.is_empty(), "it is refused without a reason");
    assert!(list.len() <= PROBLEMS_MAX, "{} problems are told", list.len());
    let lines: Vec<&str> = text.split('\n').collect();
    let mut before = None;
    for problem in list {
        for text in [&problem.key, &problem.message, &problem.remedy] {
            assert_tame(text);
        }
        assert!(!problem.message.is_empty() && !problem.remedy.is_empty());
        assert_eq!(problem.line.is_some(), problem.column.is_some());
        if let Some((line, column)) = problem.line.zip(problem.column) {
            let content = line.checked_sub(1).and_then(|at| lines.get(at));
            assert!(content.is_some(), "line {line} of {}: {}", lines.len(), problem.message);
            let end = content.map_or(0, |content| content.chars().count()) + 1;
            assert!((1..=end).contains(&column), "column {column} of {end}: {}", problem.message);
        }
        let place = (problem.line.is_none(), problem.line, problem.column);
        assert!(before.is_none_or(|before| before <= place), "problems are sorted by line");
        before = Some(place);
    }
    let told = problems.to_string();
    assert!(told.chars().count() < CHARACTERS_MAX, "{} characters are told", told.chars().count());
    told.lines().for_each(assert_one_line);
}

/// These rules as somebody would write them, for services on this machine.
fn written(rules: &Rules) -> String {
    let mut out = String::new();
    let _ = write_rules(rules, &mut out);
    out
}

fn write_rules(rules: &Rules, out: &mut String) -> std::fmt::Result {
    let word = |access: Access| match access {
        Access::Keep => "keep",
        Access::Deactivate => "deactivate",
    };
    writeln!(out, "[duo]\napi_host = \"http://127.0.0.1:1\"\nintegration_key = \"DIXXXXXXXXXXXXXXXXXX\"")?;
    writeln!(out, "[atlassian]\nscim_base_url = \"http://127.0.0.1:2/scim/directory/d\"")?;
    writeln!(out, "verified_domains = {}\n[scope]\ngroups = [", list(&rules.verified_domains))?;
    for selector in &rules.groups {
        let (key, value) = match &selector.wanted {
            Wanted::Id(id) => ("id", id.as_str()),
            Wanted::Name(name) | Wanted::Pattern(name) => ("name", &**name),
        };
        let other = selector.atlassian_name.as_ref().map(|name| format!(", atlassian_name = {}", quoted(name)));
        writeln!(out, "  {{ {key} = {}{} }},", quoted(value), other.unwrap_or_default())?;
    }
    writeln!(out, "]\nexclude_group_information = {}", rules.exclude_group_information)?;
    writeln!(out, "disabled_groups = \"{}\"", word(rules.disabled_groups))?;
    writeln!(out, "pilot_people = {}", list(&rules.pilot_people))?;
    writeln!(out, "excluded_people = {}", list(&rules.excluded_people))?;
    writeln!(out, "blocked_people = {}", list(&rules.blocked_people))?;
    writeln!(out, "protected_groups = {}\n[mapping]", list(&rules.protected_groups))?;
    for (attribute, source) in &rules.mapping {
        writeln!(out, "\"{attribute}\" = {}", quoted(source))?;
    }
    writeln!(out, "[deprovisioning]\ndisabled_people = \"{}\"", word(rules.disabled_people))?;
    writeln!(out, "pending_deletion_people = \"{}\"", word(rules.pending_deletion_people))?;
    writeln!(out, "locked_out_people = \"{}\"", word(rules.locked_out_people))?;
    writeln!(out, "grace_hours = {}", rules.grace_hours)
}

fn list(entries: &BTreeSet<String>) -> String {
    let entries: Vec<String> = entries.iter().map(|entry| quoted(entry)).collect();
    format!("[{}]", entries.join(", "))
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let escaped = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(escaped).collect::<String>())
}

/// What is sent goes to this very host and path: nothing is rewritten on the way.
fn check_address(base_url: &str, name: &str) {
    let path = base_url.splitn(4, '/').nth(3).unwrap_or_default();
    let url = reqwest::Url::parse(&format!("{base_url}/Users"));
    let sent = url.as_ref().map(|url| (url.host_str(), url.path(), url.query()));
    let slash = if path.is_empty() { "" } else { "/" };
    assert_eq!(sent.ok(), Some((Some(name), &*format!("/{path}{slash}Users"), None)), "{base_url}");
}

/// Both readers of patterns agree, and an address is refused or leads to where it says.
///
/// # Panics
/// When a law is broken.
pub fn words(one: &str, other: &str) {
    assert_eq!(covers(one, other), matches_pattern(one, other), "{one:?} {other:?}");
    for text in [one, other] {
        let hosts = [host::duo(text), host::scim(text)];
        for host in hosts.into_iter().filter_map(|host| host.inspect_err(check_fault).ok()) {
            assert!(host.is_loopback || host.base_url.starts_with("https://"), "{host:?}");
            assert!(host.base_url.split_once("://").is_some_and(|(_, rest)| rest.starts_with(&*host.name)), "{host:?}");
            assert!(!host.name.is_empty() && !host.name.contains(['/', '@', '?', '#', '\\', ' ']), "{host:?}");
            check_address(&host.base_url, &host.name);
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        if let Err(fault) = service::check_cron(&fields) {
            check_fault(&fault);
        }
    }
}

fn check_fault(fault: &Fault) {
    assert_tame(&line(&fault.message));
}

#[cfg(test)]
mod tests {
    use super::{file, quoted, words};
    use crate::config::{Environment, parse};
    use crate::model::fuzz::LARGE;
    use crate::model::fuzz::seeds;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    fn secrets() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in ["duo-secret-key", "atlassian-api-key"] {
            let path = folder.path().join(name);
            std::fs::write(&path, "s3cret").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        folder
    }

    #[test]
    fn the_laws_hold_for_every_seed() {
        let folder = secrets();
        let env = Environment { credentials_directory: Some(folder.path().to_path_buf()), ..Environment::default() };
        let mut accepted = 0;
        for (_, seed) in seeds("configuration") {
            let text = String::from_utf8(seed).unwrap();
            file(&text, folder.path());
            accepted += usize::from(parse(&text, Path::new("/nowhere/config.toml"), &env).is_ok());
        }
        assert_eq!(accepted, 4, "the others are the placeholders, ten mistakes, and no TOML");
        for (_, seed) in seeds("names") {
            let text = String::from_utf8(seed).unwrap();
            let (one, other) = text.split_once('\n').unwrap_or((&text, ""));
            words(one, other);
        }
    }

    #[test]
    fn texts_are_written_as_toml_reads_them() {
        let text = "\"\\\n\t\u{0}\u{7f}\u{85}é漢";
        let line = format!("[scope]\nprotected_groups = [{}]", quoted(&format!("a{text}b")));
        let table = toml::de::DeTable::parse(&line).unwrap();
        let value = table.get_ref()["scope"].get_ref()["protected_groups"].get_ref()[0].get_ref().as_str();
        assert_eq!(value, Some(&*format!("a{text}b")));
    }

    /// So many pieces that they have 1 MiB.
    fn many(piece: impl Fn(usize) -> String) -> String {
        let count = LARGE / piece(0).len();
        (0..count).map(piece).collect()
    }

    #[test]
    fn deep_files_are_refused() {
        let folder = secrets();
        for piece in ["[", "{a=", "a."] {
            let deep = piece.repeat(LARGE / piece.len());
            for text in [deep.clone(), format!("a = {deep}"), format!("{deep}b = 1"), format!("[{deep}b]")] {
                file(&text, folder.path());
                file(&format!("[mapping]\n{text}"), folder.path());
            }
        }
    }

    #[test]
    fn files_with_many_mistakes_are_told_of_a_hundred() {
        let folder = secrets();
        for text in [
            many(|n| format!("\"\\u001b[{n:06}J\\n\" = 1\n")),
            many(|n| format!("[s{n:06}]\n")),
            format!("[guard]\n{}", many(|n| format!("k{n:06} = 1\n"))),
            format!("guard = {{ {} }}", many(|n| format!("k{n:06} = 1, "))),
            format!("[mapping]\n{}", many(|n| format!("k{n:06} = \"email\"\n"))),
            format!("[mapping.{}]\n{}", "a".repeat(LARGE / 2), many(|n| format!("k{n:06} = 1\n"))),
            format!("[scope]\ngroups = [{}]", many(|_| "{}, ".to_owned())),
            format!("[scope]\ngroups = [{}]", many(|n| format!("{{ name = \"team {n:06} *\" }}, "))),
            format!("[scope]\ngroups = [{}]", many(|_| "{ name = \"team-*\" }, ".to_owned())),
            format!("[scope]\nprotected_groups = [{}]", many(|_| "1,".to_owned())),
            format!("[atlassian]\nverified_domains = [{}]", many(|n| format!("\"@d{n:06}.example\", "))),
        ] {
            file(&text, folder.path());
        }
    }

    #[test]
    fn large_lists_are_read() {
        let folder = secrets();
        let (_, least) = seeds("configuration").into_iter().find(|(name, _)| name == "least").unwrap();
        let least = String::from_utf8(least).unwrap();
        let names = many(|n| format!("{{ name = \"team {n:06}\" }}, "));
        file(&least.replace("groups = [", &format!("groups = [{names}")), folder.path());
        let people = many(|n| format!("\"du{n:018}\", "));
        file(&format!("{least}pilot_people = [\"ana\"]\nblocked_people = [{people}]\n"), folder.path());
    }

    #[test]
    fn long_values_are_not_repeated_in_a_message() {
        let folder = secrets();
        let (a, digits) = ("a".repeat(LARGE), "9".repeat(LARGE));
        let escapes = format!("\"{}\"", "\\u001b[2J".repeat(LARGE / 9));
        for text in [
            format!("{a} = 1"),
            format!("[mapping]\n{a} = \"email\""),
            format!("[guard]\n{a} = 1\naccounts_max = {digits}"),
            format!("[duo]\nrequests_per_minute = 0x{}", "f".repeat(LARGE)),
            format!("[atlassian]\nrequests_per_second = 1{digits}.5\napi_key_expires = {escapes}"),
            format!("[duo]\napi_host = {escapes}\nsecret_key_file = \"{a}\""),
            format!("[atlassian]\nscim_base_url = \"https://{a}\"\nverified_domains = [{escapes}]"),
            format!("[scope]\ngroups = [{{ id = {escapes}, name = \"{}\" }}]", "*".repeat(LARGE)),
            format!("[scope]\ngroups = [{{ name = \"{}\" }}, {{ name = \"{a}\" }}]", "a*".repeat(LARGE / 2)),
            format!("[schedule]\ncycle_cron = \"{}\"\nmode = {escapes}", "* ".repeat(LARGE / 2)),
            format!("[state]\ndatabase = \"{a}\"\n[http]\nlisten = {escapes}\n[notice]\nwebhook_url_file = \"{a}\""),
        ] {
            file(&text, folder.path());
        }
        words(&a, &"*a".repeat(LARGE / 2));
    }
}
