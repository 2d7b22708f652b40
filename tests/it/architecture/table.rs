//! Reads the table of `src/ARCHITECTURE.md`.

use super::Source;
use std::collections::{BTreeMap, BTreeSet};

const HEAD: &str = "| Module | Kind | Responsibility | May use |";

/// What the table says of one module.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Pure values; the others talk to the world.
    pub(super) is_core: bool,
    /// The modules that it may name.
    pub(super) may_use: BTreeSet<String>,
}

/// Every row, by module. "everything" stands for all other modules.
pub(super) fn parse(document: &str) -> Result<BTreeMap<String, Row>, String> {
    let lines = document.lines().skip_while(|line| *line != HEAD).skip(2);
    let mut rows = BTreeMap::new();
    let mut with_all = Vec::new();
    for line in lines.take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let &[module, kind, _, may_use] = cells.as_slice() else {
            return Err(format!("a row has not four cells: {line}"));
        };
        let module = names(module).into_iter().next().ok_or_else(|| format!("a row names no module: {line}"))?;
        let is_core = match kind {
            "core" => true,
            "shell" => false,
            other => return Err(format!("{module}: `{other}` is neither core nor shell")),
        };
        match may_use {
            "everything" => with_all.push(module.clone()),
            "–" => {}
            names_of if names(names_of).is_empty() => return Err(format!("{module}: cannot read `{names_of}`")),
            _ => {}
        }
        if rows.insert(module.clone(), Row { is_core, may_use: names(may_use) }).is_some() {
            return Err(format!("{module} has two rows"));
        }
    }
    if rows.is_empty() {
        return Err(format!("there is no row below `{HEAD}`"));
    }
    let all: BTreeSet<String> = rows.keys().cloned().collect();
    for module in with_all {
        if let Some(row) = rows.get_mut(&module) {
            row.may_use = all.iter().filter(|other| **other != module).cloned().collect();
        }
    }
    Ok(rows)
}

/// What stands between backticks.
fn names(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Modules without a row and rows without a module.
pub(super) fn unmatched(rows: &BTreeMap<String, Row>, sources: &[Source]) -> Vec<String> {
    let modules: BTreeMap<&str, &str> = sources
        .iter()
        .map(|source| (&*source.module, &*source.path))
        .filter(|(m, _)| !["lib", "main"].contains(m))
        .collect();
    let without_row = modules
        .iter()
        .filter(|(module, _)| !rows.contains_key(**module))
        .map(|(module, path)| format!("{path}: `{module}` has no row in the table of src/ARCHITECTURE.md"));
    let without_module = rows
        .keys()
        .filter(|module| !modules.contains_key(&***module))
        .map(|module| format!("src/ARCHITECTURE.md: there is no module `{module}`"));
    without_row.chain(without_module).collect()
}

/// What the rows themselves must keep to.
pub(super) fn broken_rules(rows: &BTreeMap<String, Row>) -> Vec<String> {
    let mut problems = Vec::new();
    for (module, row) in rows {
        for used in &row.may_use {
            let Some(other) = rows.get(used) else {
                problems.push(format!("{module} may use {used}, which has no row"));
                continue;
            };
            if row.is_core && !other.is_core {
                problems.push(format!("{module} is core and may not use {used}, which is shell"));
            }
            if used == "config" && module != "cli" {
                problems.push(format!("{module} may not use config: it declares the settings that it needs"));
            }
            if [("scim", "plan"), ("duo", "plan"), ("scim", "duo"), ("duo", "scim")].contains(&(&**module, &**used)) {
                problems.push(format!("{module} may not know {used}"));
            }
            if reaches(rows, used, module) {
                problems.push(format!("{module} and {used} go round in a circle"));
            }
        }
    }
    problems
}

fn reaches(rows: &BTreeMap<String, Row>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(module) = open.pop() {
        if module == to {
            return true;
        }
        if seen.insert(module) {
            open.extend(rows.get(module).into_iter().flat_map(|row| row.may_use.iter().map(String::as_str)));
        }
    }
    false
}

/// A document with these rows.
#[cfg(test)]
pub(super) fn document(rows: &[&str]) -> String {
    format!("# Title\n\n{HEAD}\n| --- | --- | --- | --- |\n{}\n\nText.\n", rows.join("\n"))
}

#[test]
fn rows_are_read_with_links_lists_and_everything() {
    let rows = [
        "| [`model`](crate::model) | core | Nouns | – |",
        "| `plan` | core | Compares | `model` |",
        "| `cli` | shell | Speaks | everything |",
    ];
    let table = parse(&document(&rows)).unwrap();
    let uses = |module: &str| table[module].may_use.iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!((uses("model"), uses("plan"), uses("cli")), (vec![], vec!["model"], vec!["model", "plan"]));
    assert!(table["plan"].is_core && !table["cli"].is_core);
}

#[test]
fn a_table_that_cannot_be_read_is_an_error() {
    for rows in [
        &[][..],
        &["| `plan` | core | Compares |"],
        &["| plan | core | Compares | – |"],
        &["| `plan` | both | Compares | – |"],
        &["| `plan` | core | Compares | model |"],
        &["| `plan` | core | Compares | – |", "| `plan` | core | Compares | – |"],
    ] {
        assert!(parse(&document(rows)).is_err(), "{rows:?}");
    }
}

#[test]
fn a_module_without_a_row_and_a_row_without_a_module_are_found() {
    let table = parse(&document(&["| `plan` | core | Compares | – |", "| `cli` | shell | Speaks | – |"])).unwrap();
    let source =
        |module: &str| Source { path: format!("src/{module}.rs"), module: module.to_owned(), code: String::new() };
    let sources = [source("lib"), source("main"), source("cli"), source("hidden")];
    let problems = unmatched(&table, &sources);
    assert_eq!(
        problems,
        [
            "src/hidden.rs: `hidden` has no row in the table of src/ARCHITECTURE.md",
            "src/ARCHITECTURE.md: there is no module `plan`"
        ]
    );
}

#[test]
fn rows_that_break_a_rule_are_found() {
    let rows = [
        "| `model` | core | Nouns | `gone` |",
        "| `plan` | core | Compares | `model`, `scim` |",
        "| `scim` | shell | Sends | `plan`, `config` |",
        "| `config` | shell | Reads | – |",
    ];
    assert_eq!(
        broken_rules(&parse(&document(&rows)).unwrap()),
        [
            "model may use gone, which has no row",
            "plan is core and may not use scim, which is shell",
            "plan and scim go round in a circle",
            "scim may not use config: it declares the settings that it needs",
            "scim may not know plan",
            "scim and plan go round in a circle",
        ]
    );
}
