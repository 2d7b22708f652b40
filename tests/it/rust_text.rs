//! Just enough reading of Rust to find names in code: comments, literals and unit tests are blanked, and every byte
//! keeps its place, so that lines can be named.

use super::tree::Tree;
use std::collections::{BTreeMap, BTreeSet};

const CFG_TEST: &str = "#[cfg(test)]";

/// The text without comments and without what stands inside literals.
pub(crate) fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    for (piece, kind) in pieces(text) {
        match kind {
            Kind::Code => code.push_str(piece),
            Kind::Comment => blank(piece, 0, &mut code),
            Kind::Literal => blank(piece, 1, &mut code),
        }
    }
    code
}

/// The lines of the text without what stands inside literals: these may be as long as what they say.
pub(crate) fn without_literals(text: &str) -> String {
    let is_kept = |kind: Kind, c: char| kind != Kind::Literal || c == '\n';
    pieces(text).into_iter().flat_map(|(piece, kind)| piece.chars().filter(move |c| is_kept(kind, *c))).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

fn pieces(text: &str) -> Vec<(&str, Kind)> {
    let mut pieces = Vec::new();
    let (mut rest, mut in_word) = (text, false);
    while let Some(first) = rest.chars().next() {
        let (length, kind) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), Kind::Comment)
        } else if rest.starts_with("/*") {
            (block_comment(rest), Kind::Comment)
        } else if let Some(length) = literal(rest, in_word) {
            (length, Kind::Literal)
        } else {
            (first.len_utf8(), Kind::Code)
        };
        in_word = is_word(first);
        let (piece, behind) = rest.split_at(length);
        pieces.push((piece, kind));
        rest = behind;
    }
    pieces
}

/// Spaces for everything but line ends and the first and last so many bytes (which are quotation marks).
fn blank(piece: &str, ends: usize, code: &mut String) {
    for (at, c) in piece.char_indices() {
        if c == '\n' || at < ends || at + ends >= piece.len() {
            code.push(c);
        } else {
            code.extend(std::iter::repeat_n(' ', c.len_utf8()));
        }
    }
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(behind) = rest.get(at..) {
        if behind.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if behind.starts_with("*/") {
            (depth, at) = (depth.saturating_sub(1), at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += behind.chars().next().map_or(1, char::len_utf8);
        }
        if at >= rest.len() {
            break;
        }
    }
    rest.len()
}

/// How long the literal is that begins here, if one does; a lifetime is none.
fn literal(rest: &str, in_word: bool) -> Option<usize> {
    if !in_word && let Some(raw) = ["r", "br", "cr"].iter().find_map(|prefix| rest.strip_prefix(prefix)) {
        let quoted = raw.trim_start_matches('#');
        let hashes = raw.len() - quoted.len();
        if let Some(inside) = quoted.strip_prefix('"') {
            let close = format!("\"{}", "#".repeat(hashes));
            let length = inside.find(&close).map_or(inside.len(), |at| at + close.len());
            return Some(rest.len() - inside.len() + length);
        }
    }
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut characters = rest.char_indices().skip(1);
    let mut inside = 0;
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => drop(characters.next()),
            _ if c == quote => return (inside > 0 || quote == '"').then_some(at + 1),
            _ if quote == '\'' && inside > 0 => return None,
            _ => {}
        }
        // The digits of an escape such as '\u{1f600}' stand before the closing mark.
        if quote == '\'' && c == '\\' {
            return rest.get(at..)?.find('\'').map(|close| at + close + 1).or(Some(rest.len()));
        }
        inside += 1;
    }
    (quote == '"').then_some(rest.len())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The code without items that are only there in unit tests.
pub(crate) fn without_tests(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(CFG_TEST) {
        let (before, item) = rest.split_at(at);
        let (item, behind) = item.split_at(item_end(item));
        kept.push_str(before);
        blank(item, 0, &mut kept);
        rest = behind;
    }
    kept.push_str(rest);
    kept
}

/// Where the item ends that begins here with its attributes: at a semicolon or a brace that closes.
fn item_end(item: &str) -> usize {
    let (mut braces, mut others) = (0_usize, 0_usize);
    for (at, c) in item.char_indices() {
        match c {
            '{' => braces += 1,
            '}' => braces = braces.saturating_sub(1),
            '(' | '[' => others += 1,
            ')' | ']' => others = others.saturating_sub(1),
            _ => {}
        }
        if braces == 0 && others == 0 && matches!(c, '}' | ';') {
            return at + 1;
        }
    }
    item.len()
}

/// Where a word stands by itself.
pub(crate) fn find_word<'c>(code: &'c str, word: &'c str) -> impl Iterator<Item = usize> + 'c {
    code.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let (before, behind) = code.split_at(*at);
        !before.ends_with(is_word) && !behind.strip_prefix(word).is_some_and(|behind| behind.starts_with(is_word))
    })
}

/// What follows a place in the code, after so many bytes and any spaces.
pub(crate) fn behind(code: &str, at: usize) -> &str {
    code.get(at..).unwrap_or_default().trim_start()
}

/// The word that the text begins with.
pub(crate) fn first_word(text: &str) -> &str {
    text.split(|c| !is_word(c)).next().unwrap_or_default()
}

/// The number of the line in which a byte stands.
pub(crate) fn line(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// A `mod name;`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Declared {
    /// Where its file may be.
    pub(crate) paths: Vec<String>,
    /// Whether it is there in unit tests only.
    pub(crate) is_test: bool,
}

/// The modules that a file declares, with their files.
pub(crate) fn declared(path: &str, text: &str, is_root: bool) -> Vec<Declared> {
    let code = code(text);
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let own = if is_root || name == "mod.rs" { folder } else { path.trim_end_matches(".rs") };
    let mut all = Vec::new();
    for at in find_word(&code, "mod") {
        let module = first_word(behind(&code, at + 3));
        if module.is_empty() || !behind(&code, at + 3).trim_start_matches(module).trim_start().starts_with(';') {
            continue;
        }
        let start = code.get(..at).and_then(|before| before.rfind([';', '{', '}'])).map_or(0, |end| end + 1);
        let attributes = code.get(start..at).unwrap_or_default();
        let named = attributes.find("#[path").and_then(|path| text.get(start + path..at)?.split('"').nth(1));
        let paths = match named {
            Some(named) => vec![resolve(&format!("{folder}/{named}"))],
            None => vec![format!("{own}/{module}.rs"), format!("{own}/{module}/mod.rs")],
        };
        all.push(Declared { paths, is_test: attributes.contains(CFG_TEST) });
    }
    all
}

/// A path without `..`.
fn resolve(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

/// Every file that is reached from these roots by `mod`, and whether it is there in unit tests only.
pub(crate) fn reached(tree: &Tree, roots: &BTreeSet<String>) -> BTreeMap<String, bool> {
    let mut reached = BTreeMap::new();
    let mut open: Vec<(String, bool)> = roots.iter().map(|root| (root.clone(), false)).collect();
    while let Some((path, is_test)) = open.pop() {
        let Some(text) = tree.get(&path) else { continue };
        for module in declared(&path, text, roots.contains(&path)) {
            open.extend(module.paths.into_iter().map(|path| (path, is_test || module.is_test)));
        }
        reached.insert(path, is_test);
    }
    reached
}

#[test]
fn comments_and_literals_are_no_code_and_every_byte_keeps_its_place() {
    let text =
        "let a = \"crate::é\\\"x\"; // crate::b\n/* /* c */ d */ let e = r#\"f\"g\"#; 'h: loop { '{'; '\\u{1}'; }\n";
    let code = code(text);
    assert_eq!(code.len(), text.len());
    let words: Vec<&str> = code.split(|c| !is_word(c)).filter(|word| !word.is_empty()).collect();
    assert_eq!(words, ["let", "a", "let", "e", "r", "h", "loop"]);
    assert_eq!(code.matches('{').count(), 1);
    assert_eq!(line(&code, code.find("loop").unwrap()), 2);
}

#[test]
fn unit_tests_are_left_out_and_what_follows_them_is_not() {
    let text = "use a;\n#[cfg(test)]\nmod tests { fn f(x: [u8; 3]) {} }\nuse b;\n#[cfg(test)]\nuse c;\nuse d;";
    let kept = without_tests(text);
    assert_eq!(kept.split_whitespace().collect::<Vec<_>>(), ["use", "a;", "use", "b;", "use", "d;"]);
    assert_eq!(kept.lines().count(), text.lines().count());
}

#[test]
fn modules_are_followed_to_their_files() {
    let tree = super::tree::of(&[
        ("src/lib.rs", "mod a;\n// mod not;\n"),
        ("src/a/mod.rs", "mod b;\n#[cfg(test)]\nmod tests;\nmod inline { }"),
        ("src/a/b.rs", "#[cfg(test)]\n#[path = \"../b_tests.rs\"]\nmod tests;"),
        ("src/b_tests.rs", "mod c;"),
        ("src/b_tests/c.rs", ""),
        ("src/a/tests.rs", ""),
        ("src/orphan.rs", ""),
    ]);
    let reached = reached(&tree, &["src/lib.rs".to_owned()].into());
    let tests: Vec<&str> = reached.iter().filter(|(_, is_test)| **is_test).map(|(path, _)| &**path).collect();
    assert_eq!(tests, ["src/a/tests.rs", "src/b_tests.rs", "src/b_tests/c.rs"]);
    assert!(!reached.contains_key("src/orphan.rs"));
    assert_eq!(reached.len(), 6);
}
