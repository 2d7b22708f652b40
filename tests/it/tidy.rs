//! The tree stays small, complete and readable: what no compiler looks at.

mod exit_code;
mod orphan;
mod size;
mod text;
mod unit;

use super::rust_text;
use super::tree;

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn files_are_short() {
    assert_none(&size::too_long(&tree::read()));
}

#[test]
fn every_file_is_named_by_something() {
    assert_none(&orphan::unnamed(&tree::read()));
}

#[test]
fn unfinished_work_has_a_name_and_an_issue() {
    assert_none(&text::unowned_work(&tree::read()));
}

#[test]
fn lines_are_at_most_120_characters_and_end_where_they_end() {
    assert_none(&text::bad_lines(&tree::read()));
}

#[test]
fn documents_have_one_title() {
    assert_none(&text::bad_titles(&tree::read()));
}

#[test]
fn no_file_names_a_host_of_a_package_registry() {
    assert_none(&text::registry_hosts(&tree::read()));
}

#[test]
fn the_changelog_has_a_section_for_this_version() {
    assert_none(&text::missing_changes(&tree::read(), env!("CARGO_PKG_VERSION")));
}

#[test]
fn every_exit_code_is_documented() {
    assert_none(&exit_code::undocumented(&tree::read()));
}

#[test]
fn services_for_systemd_differ_only_where_they_must() {
    assert_none(&unit::differences(&tree::read()));
}
