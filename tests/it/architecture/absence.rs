//! What is not there: effects in the core, changes outside `apply`, approvals outside `guard`, ways to delete.

use super::Source;
use super::rust_text::{behind, find_word, first_word, line};
use super::table::Row;
use std::collections::BTreeMap;

/// Crates that read, send, wait, log or draw lots.
const EFFECT_CRATES: [&str; 8] =
    ["reqwest", "rusqlite", "tokio", "tracing", "tracing_subscriber", "futures_util", "nix", "uuid"];
/// Modules of the standard library that do.
const EFFECT_MODULES: [&str; 8] = ["fs", "env", "time", "net", "process", "thread", "io", "os"];

fn complaint(source: &Source, at: usize, what: &str) -> String {
    format!("{}:{}: {what}", source.path, line(&source.code, at))
}

/// Everything in a core module that is more than computing with values.
pub(super) fn effects_in_core(sources: &[Source], rows: &BTreeMap<String, Row>) -> Vec<String> {
    let pure = sources.iter().filter(|source| rows.get(&source.module).is_some_and(|row| row.is_core));
    pure.flat_map(|source| {
        let code = &*source.code;
        let mut found: Vec<(usize, String)> = Vec::new();
        for name in EFFECT_CRATES {
            found.extend(find_word(code, name).map(|at| (at, format!("the core does not know {name}"))));
        }
        for name in ["async", "await"] {
            found.extend(find_word(code, name).map(|at| (at, format!("the core does not wait: `{name}`"))));
        }
        let clocks = find_word(code, "now").filter(|at| code.get(..*at).is_some_and(|before| before.ends_with("::")));
        found.extend(clocks.map(|at| (at, "the core looks at no clock: `::now`".to_owned())));
        for library in ["std", "core"] {
            for at in find_word(code, library) {
                let Some(path) = behind(code, at + library.len()).strip_prefix("::") else { continue };
                let used = used_modules(path);
                found.extend(used.iter().filter(|used| is_effect(used)).map(|used| {
                    (at, format!("the core does not know {library}::{used}; `model` re-exports `Duration`"))
                }));
            }
        }
        found.sort();
        found.into_iter().map(|(at, what)| complaint(source, at, &what)).collect::<Vec<_>>()
    })
    .collect()
}

fn is_effect(path: &str) -> bool {
    path != "time::Duration" && EFFECT_MODULES.contains(&path.split("::").next().unwrap_or_default())
}

/// The first parts of what a path names below its crate: of `{fs, time::Duration}` both.
fn used_modules(path: &str) -> Vec<String> {
    let path = path.trim_start();
    let Some(group) = path.strip_prefix('{') else {
        let end = path.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(path.len());
        return vec![path.get(..end).unwrap_or_default().trim_end_matches(':').to_owned()];
    };
    let mut depth = 0_usize;
    let mut names = vec![String::new()];
    for c in group.chars().filter(|c| !c.is_whitespace()) {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(String::new()),
            _ => {}
        }
        if (c != ',' || depth > 0)
            && let Some(name) = names.last_mut()
        {
            name.push(c);
        }
    }
    names
}

/// The functions by which the SCIM client changes the target: all that `src/scim/writing.rs` offers.
pub(super) fn changing_functions(sources: &[Source]) -> Vec<String> {
    let writing = sources.iter().filter(|source| source.path == "src/scim/writing.rs");
    writing
        .flat_map(|source| {
            let code = &*source.code;
            find_word(code, "fn").filter_map(move |at| {
                let is_public = code.get(..at)?.trim_end().ends_with("pub async");
                is_public.then(|| first_word(behind(code, at + 2)).to_owned())
            })
        })
        .collect()
}

/// Where the target is changed, or a changing request is made, by a module that must not.
pub(super) fn changes_outside_apply(sources: &[Source], changing: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    for source in sources {
        let is_allowed = ["apply", "scim"].contains(&&*source.module);
        for name in changing.iter().filter(|_| !is_allowed) {
            for at in find_word(&source.code, name).filter(|at| is_call(&source.code, *at, name)) {
                problems.push(complaint(source, at, &format!("only apply may call `{name}`")));
            }
        }
        if source.module == "http" || source.path == "src/scim/writing.rs" {
            continue;
        }
        // A notice goes to a third place, and changes nothing at the target.
        let is_notice = source.path == "src/notice/webhook.rs";
        for name in ["Method::Post", "Method::Patch"].into_iter().skip(usize::from(is_notice)) {
            for at in find_word(&source.code, name) {
                problems.push(complaint(source, at, &format!("only src/scim/writing.rs may send `{name}`")));
            }
        }
    }
    problems
}

/// A method that is called, or a function that is named by its path; a field of that name is neither.
fn is_call(code: &str, at: usize, name: &str) -> bool {
    let before = code.get(..at).unwrap_or_default().trim_end();
    before.ends_with("::") || (before.ends_with('.') && behind(code, at + name.len()).starts_with('('))
}

/// Where an `Approved` is put together outside `guard`, or could come from nowhere.
pub(super) fn approvals_outside_guard(sources: &[Source]) -> Vec<String> {
    let mut problems = Vec::new();
    for source in sources {
        for at in find_word(&source.code, "Approved") {
            let before = source.code.get(..at).unwrap_or_default().trim_end();
            let is_literal = behind(&source.code, at + "Approved".len()).starts_with('{') && !before.ends_with("->");
            if source.module != "guard" && is_literal {
                problems.push(complaint(source, at, "only guard may make an `Approved`"));
            }
            let attributes = before.rsplit(['}', ';']).next().unwrap_or_default();
            let is_free =
                ["Clone", "Default", "Deserialize"].iter().any(|name| find_word(attributes, name).count() > 0);
            if before.ends_with("pub struct") && is_free {
                problems.push(complaint(source, at, "an `Approved` is neither copied nor made from nothing"));
            }
        }
    }
    problems
}

/// Where something else than the network could carry the requests of the program itself.
pub(super) fn other_carriers(sources: &[Source]) -> Vec<String> {
    let may = |source: &&Source| {
        source.module == "http" || ["src/duo/client.rs", "src/scim/client.rs"].contains(&source.path.as_str())
    };
    let others = sources.iter().filter(|source| !may(source));
    let complain = |source, at| complaint(source, at, "the program's requests are carried by the network only");
    others.flat_map(|source| find_word(&source.code, "with_exchange").map(move |at| complain(source, at))).collect()
}

/// Names that would be the beginning of what this program never does.
pub(super) fn forbidden_words(sources: &[Source]) -> Vec<String> {
    let forbidden = [
        ("Method::Put", "nothing is replaced as a whole"),
        ("Method::PUT", "nothing is replaced as a whole"),
        ("Method::Delete", "nothing is deleted"),
        ("Method::DELETE", "nothing is deleted"),
        ("delete_user", "nobody is deleted"),
        ("delete_group", "no group is deleted"),
        ("dry_run: bool", "a dry run is the absence of `apply`"),
    ];
    let mut problems = Vec::new();
    for source in sources {
        for (name, reason) in forbidden {
            // The argument itself has to be parsed into something; `cli` makes a `Mode` of it.
            if source.path == "src/cli/args.rs" && name == "dry_run: bool" {
                continue;
            }
            problems
                .extend(find_word(&source.code, name).map(|at| complaint(source, at, &format!("`{name}`: {reason}"))));
        }
    }
    problems
}

#[cfg(test)]
fn source(path: &str, code: &str) -> Source {
    let module = path.split('/').nth(1).unwrap_or_default().trim_end_matches(".rs").to_owned();
    Source { path: path.to_owned(), module, code: code.to_owned() }
}

#[test]
fn every_effect_in_the_core_is_found() {
    let rows = super::table::parse(&super::table::document(&[
        "| `plan` | core | Compares | – |",
        "| `store` | shell | Keeps | – |",
    ]))
    .unwrap();
    for code in [
        "use rusqlite::Connection;",
        "use std::time::Instant;",
        "use std::{collections::{BTreeMap, BTreeSet}, fs};",
        "use std::io::Write;",
        "fn f() { std::env::var(name) }",
        "use core::time;",
        "fn f() { jiff::Timestamp::now() }",
        "async fn f() {}",
    ] {
        let problems = effects_in_core(&[source("src/plan/a.rs", code)], &rows);
        assert_eq!(problems.len(), 1, "{code}: {problems:?}");
        assert!(problems[0].starts_with("src/plan/a.rs:1: "), "{problems:?}");
        assert_eq!(effects_in_core(&[source("src/store/a.rs", code)], &rows), [""; 0]);
    }
    for code in ["pub use std::time::Duration;", "use std::{fmt, time::Duration};", "use std::collections::BTreeMap;"] {
        assert_eq!(effects_in_core(&[source("src/plan/a.rs", code)], &rows), [""; 0], "{code}");
    }
}

#[test]
fn a_change_outside_apply_is_found() {
    let writing = "impl Client { pub async fn create_user(&self) { self.send(Method::Post) } async fn patch() {} }";
    let sources = [
        source("src/scim/writing.rs", writing),
        source("src/apply/send.rs", "fn f() { scim.create_user() }"),
        source("src/cycle/mod.rs", "\nfn f() { scim.create_user(); then(Client::create_user) }"),
        source("src/plan/mod.rs", "fn f() { summary.create_user += 1; let create_user = 2; }"),
        source("src/duo/client.rs", "fn f() { send(Method::Post) }"),
        source("src/notice/webhook.rs", "fn f() { send(Method::Post); send(Method::Patch) }"),
    ];
    let changing = changing_functions(&sources);
    assert_eq!(changing, ["create_user"]);
    assert_eq!(
        changes_outside_apply(&sources, &changing),
        [
            "src/cycle/mod.rs:2: only apply may call `create_user`",
            "src/cycle/mod.rs:2: only apply may call `create_user`",
            "src/duo/client.rs:1: only src/scim/writing.rs may send `Method::Post`",
            "src/notice/webhook.rs:1: only src/scim/writing.rs may send `Method::Patch`"
        ]
    );
}

#[test]
fn another_carrier_is_found() {
    let code = "fn f() { Client::with_exchange(settings, clock, exchange) }";
    assert_eq!(other_carriers(&[source("src/duo/client.rs", code)]), [""; 0]);
    assert_eq!(
        other_carriers(&[source("src/cli/setup.rs", code)]),
        ["src/cli/setup.rs:1: the program's requests are carried by the network only"]
    );
}

#[test]
fn an_approval_outside_the_guard_is_found() {
    let fine = "fn f(a: &Approved) -> Approved { match v { Verdict::Approved(a) => a } }";
    assert_eq!(approvals_outside_guard(&[source("src/apply/mod.rs", fine)]), [""; 0]);
    let made = "let a = Approved { plan };";
    assert_eq!(approvals_outside_guard(&[source("src/guard/mod.rs", made)]), [""; 0]);
    assert_eq!(
        approvals_outside_guard(&[source("src/apply/mod.rs", made)]),
        ["src/apply/mod.rs:1: only guard may make an `Approved`"]
    );
    let derived = "use a;\n#[derive(Debug, Clone)]\npub struct Approved { plan: Plan }";
    assert_eq!(
        approvals_outside_guard(&[source("src/guard/mod.rs", derived)]),
        ["src/guard/mod.rs:3: an `Approved` is neither copied nor made from nothing"]
    );
}

#[test]
fn forbidden_words_are_found() {
    let code = "fn delete_user() {}\nfn sync(dry_run: bool) { send(Method::Delete) }\nfn deleted_users() {}";
    assert_eq!(
        forbidden_words(&[source("src/scim/a.rs", code)]),
        [
            "src/scim/a.rs:2: `Method::Delete`: nothing is deleted",
            "src/scim/a.rs:1: `delete_user`: nobody is deleted",
            "src/scim/a.rs:2: `dry_run: bool`: a dry run is the absence of `apply`"
        ]
    );
}
