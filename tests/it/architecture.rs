//! The table of modules in `src/ARCHITECTURE.md` is law, and so are the absences that are written below it.
//!
//! What this cannot see: an arrow through a macro of another crate, or a value that carries a module's type without
//! naming it. Unit tests may name what they like.

mod absence;
mod arrow;
mod table;

use super::rust_text;
use super::tree;
use super::tree::Tree;
use std::collections::{BTreeMap, BTreeSet};
use table::Row;

/// One file of `src` without comments, literals and unit tests.
struct Source {
    path: String,
    module: String,
    code: String,
}

fn sources(tree: &Tree) -> Vec<Source> {
    let roots: BTreeSet<String> = ["src/lib.rs".to_owned(), "src/main.rs".to_owned()].into();
    let reached = rust_text::reached(tree, &roots);
    let source = |(path, is_test): (&String, &bool)| {
        let inner = path.strip_prefix("src/").filter(|_| !is_test)?;
        let module = inner.split('/').next()?.trim_end_matches(".rs").to_owned();
        let code = rust_text::without_tests(&rust_text::code(tree.get(path)?));
        Some(Source { path: path.clone(), module, code })
    };
    reached.iter().filter_map(source).collect()
}

fn table(tree: &Tree) -> BTreeMap<String, Row> {
    let document = tree.get("src/ARCHITECTURE.md").map_or("", String::as_str);
    table::parse(document).unwrap_or_else(|problem| {
        assert_eq!(problem, "", "the table of src/ARCHITECTURE.md");
        BTreeMap::new()
    })
}

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn every_arrow_is_in_the_table() {
    let tree = tree::read();
    let sources = sources(&tree);
    assert!(sources.len() > 50, "the walk found {} files", sources.len());
    assert_none(&arrow::wrong(&sources, &table(&tree)));
}

#[test]
fn every_module_has_a_row_and_every_row_a_module() {
    let tree = tree::read();
    assert_none(&table::unmatched(&table(&tree), &sources(&tree)));
}

#[test]
fn the_table_keeps_its_own_rules() {
    assert_none(&table::broken_rules(&table(&tree::read())));
}

#[test]
fn the_core_does_no_input_or_output_and_knows_no_time_and_no_chance() {
    let tree = tree::read();
    let table = table(&tree);
    let core = table.iter().filter(|(_, row)| row.is_core).map(|(name, _)| &**name).collect::<Vec<_>>();
    assert_eq!(core, ["desired", "guard", "model", "plan", "report"]);
    assert_none(&absence::effects_in_core(&sources(&tree), &table));
}

#[test]
fn only_apply_changes_the_target() {
    let tree = tree::read();
    let sources = sources(&tree);
    let changing = absence::changing_functions(&sources);
    assert!(changing.contains(&"create_user".to_owned()), "{changing:?}");
    assert_none(&absence::changes_outside_apply(&sources, &changing));
}

#[test]
fn only_the_guard_makes_an_approval() {
    assert_none(&absence::approvals_outside_guard(&sources(&tree::read())));
}

#[test]
fn only_the_network_carries_the_programs_requests() {
    assert_none(&absence::other_carriers(&sources(&tree::read())));
}

#[test]
fn nothing_is_deleted_or_replaced_and_no_flag_makes_a_dry_run() {
    assert_none(&absence::forbidden_words(&sources(&tree::read())));
}
