//! Exit codes are an interface: what the program's help lists, the documents explain.

use super::tree::Tree;

/// Where the help is that lists them.
const HELP: &str = "src/cli/args.rs";
const HELP_HEAD: &str = "Exit codes:";

/// Documents with a table of exit codes, once they exist: for administrators, and for newcomers.
const DOCUMENTS: [&str; 2] = ["systemd/README.md", "README.md"];

/// Codes of the help that a document's table does not have, and codes there that the help does not have.
pub(super) fn undocumented(tree: &Tree) -> Vec<String> {
    let Some(help) = tree.get(HELP) else { return vec![format!("{HELP}: not there, so no exit code is known")] };
    let known = codes_of_help(help);
    if known.is_empty() {
        return vec![format!("{HELP}: no list below `{HELP_HEAD}`")];
    }
    let mut problems = Vec::new();
    for (path, text) in DOCUMENTS.iter().filter_map(|path| Some((path, tree.get(*path)?))) {
        let Some(explained) = codes_of_table(text) else {
            if *path == "systemd/README.md" {
                problems.push(format!("{path}: no table with the head `| Code | Meaning |`"));
            }
            continue;
        };
        let lacks = known.iter().filter(|code| !explained.contains(code));
        problems.extend(lacks.map(|code| format!("{path}: does not explain exit code {code}")));
        let invented = explained.iter().filter(|code| !known.contains(code));
        problems.extend(invented.map(|code| format!("{path}: exit code {code} is not in {HELP}")));
    }
    problems
}

/// Every code that the program's help lists.
pub(super) fn known(tree: &Tree) -> Vec<u8> {
    tree.get(HELP).map_or_else(Vec::new, |help| codes_of_help(help))
}

/// The numbers of a list in two columns: each stands between gaps of two spaces.
fn codes_of_help(help: &str) -> Vec<u8> {
    let list = help.split(HELP_HEAD).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    list.lines().flat_map(|line| line.split("  ")).filter_map(|piece| piece.trim().parse().ok()).collect()
}

/// The first cells of the table that begins with `| Code |`.
fn codes_of_table(document: &str) -> Option<Vec<u8>> {
    let mut lines = document.lines().skip_while(|line| !line.starts_with("| Code |"));
    lines.next()?;
    let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
    let code = |row: &str| row.split('|').nth(1)?.trim().trim_matches('`').parse().ok();
    Some(rows.filter_map(code).collect())
}

#[test]
fn a_code_that_is_not_explained_and_one_that_does_not_exist_are_found() {
    let help = "const HELP: &str = \"\\\nExit codes:\n   0  done      5  held 3 times\n   1  a bug    75  another\";";
    assert_eq!(codes_of_help(help), [0, 5, 1, 75]);
    let table = "# Title\n\n| Code | Meaning |\n| --- | --- |\n| 0 | done |\n| `1` | a bug |\n| 9 | gone |\n";
    let tree = super::tree::of(&[(HELP, help), ("systemd/README.md", table)]);
    assert_eq!(
        undocumented(&tree),
        [
            "systemd/README.md: does not explain exit code 5",
            "systemd/README.md: does not explain exit code 75",
            "systemd/README.md: exit code 9 is not in src/cli/args.rs"
        ]
    );
    assert_eq!(undocumented(&super::tree::of(&[(HELP, help)])), [""; 0], "until a document exists");
    assert_eq!(undocumented(&super::tree::of(&[(HELP, help), ("systemd/README.md", "# Title\n")])).len(), 1);
    assert_eq!(undocumented(&super::tree::of(&[(HELP, "")])).len(), 1);
}
