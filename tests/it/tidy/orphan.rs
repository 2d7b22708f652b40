//! Files that nothing includes, runs or mentions.

use super::rust_text;
use super::tree::Tree;
use super::tree::ends;
use std::collections::BTreeSet;

/// Every file below `src` and `tests` that no `mod`, `Cargo.toml`, script or document names.
///
/// A file of Rust must be part of a crate. Any other is named by its file name, or by the name of its folder and `*`,
/// as in `scenarios/*.txt`, in some other file. A `README.md` speaks for itself.
pub(super) fn unnamed(tree: &Tree) -> Vec<String> {
    let reached = rust_text::reached(tree, &roots(tree));
    let is_ours = |path: &&String| path.starts_with("src/") || path.starts_with("tests/");
    tree.keys()
        .filter(is_ours)
        .filter(|path| if ends(path, ".rs") { !reached.contains_key(*path) } else { !is_mentioned(tree, path) })
        .map(|path| format!("{path}: no `mod`, Cargo.toml, script or document names it"))
        .collect()
}

/// The crates' own files: those that `Cargo.toml` names, and those that Cargo finds by itself.
fn roots(tree: &Tree) -> BTreeSet<String> {
    let manifest = tree.get("Cargo.toml").map_or("", String::as_str);
    let paths = manifest.lines().filter_map(|line| line.trim().strip_prefix("path = "));
    let mut roots: BTreeSet<String> = paths.map(|path| path.trim_matches('"').to_owned()).collect();
    let is_found = |path: &&String| {
        let inner = path.strip_prefix("examples/").or_else(|| path.strip_prefix("benches/"));
        inner.is_some_and(|inner| ends(inner, ".rs") && (!inner.contains('/') || ends(inner, "/main.rs")))
    };
    roots.extend(tree.keys().filter(is_found).cloned());
    roots
}

fn is_mentioned(tree: &Tree, path: &str) -> bool {
    let Some((folder, name)) = path.rsplit_once('/') else { return true };
    let folder = folder.rsplit('/').next().unwrap_or_default();
    let kind = name.rsplit_once('.').map_or("", |(_, kind)| kind);
    let names = [name.to_owned(), format!("{folder}/*.{kind}"), format!("{folder}/*`")];
    name == "README.md"
        || tree.iter().any(|(other, text)| other != path && names.iter().any(|name| text.contains(name)))
}

#[test]
fn a_file_that_nothing_names_is_found() {
    let tree = super::tree::of(&[
        ("Cargo.toml", "[lib]\npath = \"src/lib.rs\"\n"),
        ("src/lib.rs", "mod a;\n// mod b;\n"),
        ("src/a.rs", ""),
        ("src/b.rs", ""),
        ("tests/README.md", "`check.sh` and scenarios/*.txt"),
        ("tests/check.sh", "other.sh is not here"),
        ("tests/lost.sh", "lost.sh"),
        ("tests/scenarios/one.txt", ""),
        ("tests/sim/mod.rs", ""),
        ("examples/demo/main.rs", "#[path = \"../../tests/sim/mod.rs\"]\nmod sim;"),
    ]);
    let lost: Vec<String> =
        unnamed(&tree).iter().filter_map(|problem| problem.split(':').next()).map(str::to_owned).collect();
    assert_eq!(lost, ["src/b.rs", "tests/lost.sh"]);
}
