//! Lines, words and titles.

use super::rust_text;
use super::tree::Tree;
use super::tree::select;

/// A line of Rust has at most so many characters.
const WIDTH_MAX: usize = 120;

/// Kinds of text that people write. Others, such as pictures of output, may need a space at the end of a line.
const WRITTEN: [&str; 8] = [".rs", ".md", ".toml", ".sh", ".py", ".service", ".timer", "/run"];

/// Lines of Rust that are too long, literals aside, and lines of any written text that end in a space.
pub(super) fn bad_lines(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, text) in select(tree, "", ".rs") {
        for (number, line) in (1..).zip(rust_text::without_literals(text).lines()) {
            let width = line.chars().count();
            if width > WIDTH_MAX {
                problems.push(format!("{path}:{number}: {width} characters, at most {WIDTH_MAX}"));
            }
        }
    }
    for (path, text) in WRITTEN.into_iter().flat_map(|end| select(tree, "", end)) {
        let lines = (1..).zip(text.lines()).filter(|(_, line)| line.ends_with([' ', '\t', '\r']));
        problems.extend(lines.map(|(number, _)| format!("{path}:{number}: a space at the end of the line")));
    }
    problems
}

/// Marks of unfinished work without `(name, issue)`.
pub(super) fn unowned_work(tree: &Tree) -> Vec<String> {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME")];
    let mut problems = Vec::new();
    for (path, text) in tree {
        for (number, line) in (1..).zip(text.lines()) {
            for mark in marks {
                if line.match_indices(mark).any(|(at, _)| !is_owned(line.get(at + mark.len()..).unwrap_or_default())) {
                    problems.push(format!("{path}:{number}: write `{mark}(name, issue)`"));
                }
            }
        }
    }
    problems
}

fn is_owned(rest: &str) -> bool {
    let inside = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let parts = inside.and_then(|(inside, _)| inside.split_once(", "));
    parts.is_some_and(|(name, issue)| !name.is_empty() && issue.chars().any(|c| c.is_ascii_digit()))
}

/// Documents whose first line is not their only title.
pub(super) fn bad_titles(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, text) in select(tree, "", ".md") {
        let mut in_code = false;
        let mut titles = 0;
        for line in text.lines() {
            in_code ^= line.trim_start().starts_with("```");
            titles += usize::from(!in_code && line.starts_with("# "));
        }
        if titles != 1 || !text.starts_with("# ") {
            problems.push(format!("{path}: one title, in the first line; it has {titles}"));
        }
    }
    problems
}

/// Files that name where packages come from: that is for each machine's own settings to say.
///
/// Not `Cargo.lock`, which Cargo writes.
pub(super) fn registry_hosts(tree: &Tree) -> Vec<String> {
    let hosts = [
        concat!("crates", ".io"),
        concat!("pypi", ".org"),
        concat!("python", "hosted.org"),
        concat!("npm", "js.org"),
        concat!("npm", "js.com"),
        concat!("deb.", "debian.org"),
        concat!("proxy.", "golang.org"),
        concat!("ghcr", ".io"),
        concat!("docker", ".io"),
    ];
    let mut problems = Vec::new();
    for (path, text) in tree.iter().filter(|(path, _)| !path.ends_with("Cargo.lock")) {
        for (number, line) in (1..).zip(text.lines()) {
            for host in hosts.iter().filter(|host| line.contains(*host)) {
                problems.push(format!("{path}:{number}: names {host}"));
            }
        }
    }
    problems
}

/// A changelog without a section for this version.
pub(super) fn missing_changes(tree: &Tree, version: &str) -> Vec<String> {
    let changelog = tree.get("CHANGELOG.md").map_or("", String::as_str);
    let is_section = |line: &str| line.strip_prefix("## ").and_then(|title| title.split(' ').next()) == Some(version);
    if changelog.lines().any(is_section) {
        return Vec::new();
    }
    vec![format!("CHANGELOG.md: no section `## {version}`, the version in Cargo.toml")]
}

#[test]
fn long_lines_and_spaces_at_their_ends_are_found() {
    let (fine, long) = ("é".repeat(120), format!("// {}", "x".repeat(118)));
    let said = format!("let said = \"{fine}\";\nlet picture = r#\"\n{fine}{fine}\n\"#;\n");
    let tree = super::tree::of(&[("a.rs", &fine), ("b.md", &long), ("c.rs", &said)]);
    assert_eq!(bad_lines(&tree), [""; 0]);
    let tree = super::tree::of(&[("a.rs", &long), ("b.md", "one\ntwo \n"), (".ci/run", "a\t\n"), ("c.txt", "a \n")]);
    assert_eq!(
        bad_lines(&tree),
        [
            "a.rs:1: 121 characters, at most 120",
            "b.md:2: a space at the end of the line",
            ".ci/run:1: a space at the end of the line"
        ]
    );
}

#[test]
fn unfinished_work_without_a_name_and_an_issue_is_found() {
    let text = |rest: &str| format!("// {}{rest}\n", concat!("TO", "DO"));
    for rest in ["", ": later", "(ana)", "(ana, soon)", "(, 12)"] {
        assert_eq!(unowned_work(&super::tree::of(&[("a.rs", &text(rest))])).len(), 1, "{rest}");
    }
    assert_eq!(unowned_work(&super::tree::of(&[("a.rs", &text("(ana, #12): later"))])), [""; 0]);
}

#[test]
fn a_document_without_a_title_or_with_two_is_found() {
    let fine = "# One\n\n```sh\n# a comment\n```\n\n## Two\n";
    assert_eq!(bad_titles(&super::tree::of(&[("a.md", fine)])), [""; 0]);
    for bad in ["## One\n", "# One\n# Two\n", "\n# One\n", ""] {
        assert_eq!(bad_titles(&super::tree::of(&[("a.md", bad)])).len(), 1, "{bad:?}");
    }
}

#[test]
fn a_host_of_a_registry_is_found() {
    let line = format!("see https://{}/name", concat!("crates", ".io"));
    assert_eq!(registry_hosts(&super::tree::of(&[("Cargo.lock", &line)])), [""; 0]);
    assert_eq!(registry_hosts(&super::tree::of(&[("a.md", &line)])).len(), 1);
}

#[test]
fn a_version_without_a_section_is_found() {
    let tree = super::tree::of(&[("CHANGELOG.md", "# Changelog\n\n## 0.1.0 (unreleased)\n\nAll is new: 0.2.0.\n")]);
    assert_eq!(missing_changes(&tree, "0.1.0"), [""; 0]);
    assert_eq!(missing_changes(&tree, "0.2.0"), ["CHANGELOG.md: no section `## 0.2.0`, the version in Cargo.toml"]);
    assert_eq!(missing_changes(&Tree::new(), "0.1.0").len(), 1);
}
