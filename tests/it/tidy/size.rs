//! How long files are.

use super::tree::Tree;
use super::tree::select;

/// No file of `src` and `tests` has more lines.
const LINES_MAX: usize = 600;
/// Nine in ten files of `src` have at most so many.
const NINTH_TENTH_MAX: usize = 400;
/// Half of the files of `src` have at most so many.
const MEDIAN_MAX: usize = 150;

/// Flat lists of independent items may be longer.
const FLAT: [(&str, &str); 1] =
    [("tests/vectors/duo-signature-vectors.json", "one entry a request, made by Duo's own clients")];

/// Every file that is too long, and what is wrong with all of them together.
pub(super) fn too_long(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, text) in ["src/", "tests/"].into_iter().flat_map(|folder| select(tree, folder, "")) {
        let lines = text.lines().count();
        if lines > LINES_MAX && !FLAT.iter().any(|(flat, _)| *flat == path) {
            problems.push(format!("{path}: {lines} lines, at most {LINES_MAX}"));
        }
    }
    for (path, reason) in FLAT {
        if tree.get(path).is_none_or(|text| text.lines().count() <= LINES_MAX) {
            problems.push(format!("{path} ({reason}) is not too long any more: take it off the list"));
        }
    }
    let mut sizes: Vec<usize> = select(tree, "src/", ".rs").iter().map(|(_, text)| text.lines().count()).collect();
    sizes.sort_unstable();
    for (what, at, most) in
        [("half", sizes.len() / 2, MEDIAN_MAX), ("nine in ten", sizes.len() * 9 / 10, NINTH_TENTH_MAX)]
    {
        if let Some(size) = sizes.get(at).filter(|size| **size > most) {
            problems.push(format!("src: {what} of the files should have at most {most} lines, not {size}"));
        }
    }
    problems
}

#[test]
fn long_files_and_long_trees_are_found() {
    let flat = "x\n".repeat(601);
    let fine = super::tree::of(&[("src/a.rs", "x\n"), (FLAT[0].0, &flat)]);
    assert_eq!(too_long(&fine), [""; 0]);
    let long = super::tree::of(&[("src/a.rs", &flat), ("tests/it/b.rs", &flat), ("README.md", &flat)]);
    let problems = too_long(&long);
    assert_eq!(problems[..2], ["src/a.rs: 601 lines, at most 600", "tests/it/b.rs: 601 lines, at most 600"]);
    assert!(problems[2].ends_with("take it off the list"), "{problems:?}");
    assert_eq!(problems[3], "src: half of the files should have at most 150 lines, not 601");
    assert_eq!(problems.len(), 5);
}
