//! Finds the arrows between modules in code, and those that the table does not have.

use super::Source;
use super::rust_text::{behind, find_word, first_word, line};
use super::table::Row;
use std::collections::{BTreeMap, BTreeSet};

/// The library's name, under which the program sees it.
const LIBRARY: &str = "duo_atlassian_sync";

/// Every arrow that the table does not have, and every way to write one that could not be seen.
pub(super) fn wrong(sources: &[Source], rows: &BTreeMap<String, Row>) -> Vec<String> {
    sources.iter().flat_map(|source| wrong_in(source, rows)).collect()
}

fn wrong_in(source: &Source, rows: &BTreeMap<String, Row>) -> Vec<String> {
    let code = &*source.code;
    let mut problems = Vec::new();
    let mut complain = |at: usize, what: String| problems.push(format!("{}:{}: {what}", source.path, line(code, at)));
    for (root, at) in ["crate", LIBRARY].iter().flat_map(|root| find_word(code, root).map(move |at| (*root, at))) {
        let after = behind(code, at + root.len());
        let Some(path) = after.strip_prefix("::").map(str::trim_start) else {
            if !after.starts_with(')') {
                complain(at, format!("`{root}` under another name would hide arrows"));
            }
            continue;
        };
        if path.starts_with(['{', '*']) {
            complain(at, format!("one `use {root}::module` a line, so that no arrow can hide"));
            continue;
        }
        let used = first_word(path);
        if let Err(problem) = permit(&source.module, used, rows) {
            complain(at, problem);
        }
    }
    for at in find_word(code, "super") {
        let after = behind(code, at + "super".len());
        let Some(path) = after.strip_prefix("::").map(str::trim_start) else { continue };
        if first_word(path) == "super" {
            complain(at, "`super::super` hides arrows: write `crate::` and the module".to_owned());
        } else if is_top(&source.path) && !code.get(..at).unwrap_or_default().ends_with("super::") {
            complain(at, "`super` is the whole crate here: write `crate::` and the module".to_owned());
        }
    }
    problems
}

/// The file of a module itself: its parent is the crate.
fn is_top(path: &str) -> bool {
    let inner = path.strip_prefix("src/").unwrap_or(path);
    !inner.contains('/') || (inner.ends_with("/mod.rs") && inner.matches('/').count() == 1)
}

fn permit(module: &str, used: &str, rows: &BTreeMap<String, Row>) -> Result<(), String> {
    let none = BTreeSet::new();
    let only_cli = BTreeSet::from(["cli".to_owned()]);
    let may_use = match module {
        "main" => &only_cli,
        "lib" => &none,
        _ => rows.get(module).map_or(&none, |row| &row.may_use),
    };
    if module == used || may_use.contains(used) {
        return Ok(());
    }
    let may_use: Vec<&str> = may_use.iter().map(String::as_str).collect();
    Err(format!("{module} may not use {used}, only [{}]: see the table in src/ARCHITECTURE.md", may_use.join(", ")))
}

#[cfg(test)]
fn problems_of(path: &str, module: &str, code: &str) -> Vec<String> {
    let rows =
        ["| `model` | core | Nouns | – |", "| `plan` | core | Compares | `model` |", "| `store` | shell | Keeps | – |"];
    let rows = super::table::parse(&super::table::document(&rows)).unwrap_or_default();
    let source = Source { path: path.to_owned(), module: module.to_owned(), code: code.to_owned() };
    wrong(&[source], &rows)
}

#[test]
fn arrows_of_the_table_are_allowed_and_others_are_named_with_file_and_line() {
    let code = "use crate::model::Id;\nuse crate::plan::Plan;\npub(crate) fn f(x: crate::store::Store) {}\n";
    assert_eq!(
        problems_of("src/plan/mod.rs", "plan", code),
        ["src/plan/mod.rs:3: plan may not use store, only [model]: see the table in src/ARCHITECTURE.md"]
    );
}

#[test]
fn no_way_of_writing_hides_an_arrow() {
    for code in [
        "use crate::{model::Id, store::Store};",
        "use crate::*;",
        "use crate as whole;",
        "use duo_atlassian_sync::store::Store;",
        "use super::super::store::Store;",
        "use crate ::\n store::Store;",
        "macro_rules! m { () => { $crate::store::open() } }",
    ] {
        assert_eq!(problems_of("src/plan/inner/deep.rs", "plan", code).len(), 1, "{code}");
    }
    for path in ["src/plan.rs", "src/plan/mod.rs"] {
        assert_eq!(problems_of(path, "plan", "use super::store::Store;").len(), 1, "{path}");
    }
    assert_eq!(problems_of("src/plan/inner.rs", "plan", "use super::action::Action;"), [""; 0]);
}

#[test]
fn the_program_names_the_command_line_and_a_module_without_a_row_nothing() {
    assert_eq!(problems_of("src/main.rs", "main", "fn main() { duo_atlassian_sync::cli::main() }"), [""; 0]);
    assert_eq!(problems_of("src/main.rs", "main", "use duo_atlassian_sync::store::Store;").len(), 1);
    assert_eq!(problems_of("src/new.rs", "new", "use crate::model::Id;").len(), 1);
}
