//! The project's own files, as the architecture and tidy tests read them.
#![expect(clippy::unwrap_used, reason = "a tree that cannot be read ends the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Texts by their path from the project's root, with `/` between the parts.
pub(crate) type Tree = BTreeMap<String, String>;

/// Every text file of the project, but for what tools have made.
pub(crate) fn read() -> Tree {
    let mut tree = Tree::new();
    read_folder(Path::new(env!("CARGO_MANIFEST_DIR")), "", &mut tree);
    tree
}

/// A tree for a test of the tests.
pub(crate) fn of(files: &[(&str, &str)]) -> Tree {
    files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

/// The files below a folder whose names end so.
pub(crate) fn select<'t>(tree: &'t Tree, folder: &str, end: &str) -> Vec<(&'t str, &'t str)> {
    let is_wanted = |(path, _): &(&String, &String)| path.starts_with(folder) && ends(path, end);
    tree.iter().filter(is_wanted).map(|(path, text)| (&**path, &**text)).collect()
}

/// Whether a path ends so. (Names of files; no case to consider.)
pub(crate) fn ends(path: &str, end: &str) -> bool {
    path.strip_suffix(end).is_some()
}

fn read_folder(folder: &Path, prefix: &str, tree: &mut Tree) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && !is_made_by_a_tool(&entry.path()) {
            read_folder(&entry.path(), &format!("{path}/"), tree);
        } else if kind.is_file()
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            tree.insert(path, text);
        }
    }
}

/// Git's folder, Cargo's target folder (which is marked as a cache), Python's environments and its compiled files.
fn is_made_by_a_tool(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default();
    [".git", "target", "__pycache__"].iter().any(|made| name == *made)
        || ["CACHEDIR.TAG", "pyvenv.cfg"].iter().any(|mark| folder.join(mark).exists())
}
