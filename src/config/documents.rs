//! The documents beside the configuration say what the parser does.

use super::reader::Reader;
use super::{DEFAULT, Environment, Files, mapping, parse, read};
use crate::model::Attribute;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use toml::de::DeTable;

const README: &str = include_str!("../../config/README.md");
const EXAMPLE: &str = include_str!("../../config/example-large.toml");

#[test]
fn the_large_example_lacks_nothing_but_its_secrets() {
    let problems = parse(EXAMPLE, Path::new("/nowhere/config.toml"), &Environment::default()).unwrap_err();
    let keys: Vec<&str> = problems.as_slice().iter().map(|problem| &*problem.key).collect();
    assert_eq!(keys, ["duo.secret_key_file", "atlassian.api_key_file", "notice.webhook_url_file"], "{problems}");
}

/// Every key of the default file with its value as it is written there; the lines of `[mapping]` are one key.
fn default_keys() -> BTreeMap<String, &'static str> {
    let table = DeTable::parse(DEFAULT).unwrap();
    let mut keys = BTreeMap::new();
    for (section, value) in table.get_ref() {
        for (name, value) in value.get_ref().as_table().unwrap() {
            let key = if section.get_ref() == "mapping" { "mapping".to_owned() } else { format!("{section}.{name}") };
            keys.insert(key, &DEFAULT[value.span()]);
        }
    }
    keys
}

#[test]
fn the_parser_asks_for_every_key_of_the_default_file_and_no_other() {
    let table = DeTable::parse(DEFAULT).unwrap();
    let mut reader = Reader::new(DEFAULT, table.get_ref(), table.get_ref());
    let env = Environment::default();
    read(&mut reader, Path::new("config.toml"), &Files::new(Path::new("config.toml"), &env));
    let mut leaves = BTreeSet::new();
    for (section, value) in table.get_ref() {
        for (name, value) in value.get_ref().as_table().unwrap() {
            let parts = value.get_ref().as_table().into_iter().flat_map(|table| table.keys());
            let before = leaves.len();
            leaves.extend(parts.map(|part| format!("{section}.{name}.{part}")));
            if leaves.len() == before {
                leaves.insert(if section.get_ref() == "mapping" {
                    "mapping".to_owned()
                } else {
                    format!("{section}.{name}")
                });
            }
        }
    }
    assert_eq!(*reader.asked(), leaves);
}

#[test]
fn the_readme_describes_every_key_with_its_default() {
    let keys = default_keys();
    let rows = README.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows: BTreeMap<String, String> = rows
        .filter_map(|row| {
            let cells: Vec<&str> = row.split(" | ").collect();
            let key = cells[0].strip_suffix('`')?;
            (cells.len() == 4 && key != "Key").then(|| (key.to_owned(), cells[2].to_owned()))
        })
        .collect();
    let (described, known): (Vec<_>, Vec<_>) = (rows.keys().collect(), keys.keys().collect());
    assert_eq!(described, known);
    for (key, default) in rows {
        assert!(
            ["required", "see `default.toml`"].contains(&&*default) || default == format!("`{}`", keys[&key]),
            "{key}: {default}"
        );
    }
}

#[test]
fn the_readme_names_every_attribute() {
    let ours = Attribute::ALL.iter().map(|attribute| attribute.path());
    for name in ours.chain(mapping::DUO_ATTRIBUTES.into_iter().filter(|name| !name.starts_with("alias"))) {
        assert!(README.contains(&format!("`{name}`")), "{name}");
    }
}
