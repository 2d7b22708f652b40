//! `scope.groups`: which groups of Duo give access.

use super::duo::is_key;
use super::problem::{Fault, shown};
use super::reader::{Place, Reader, kind};
use super::spelling;
use crate::desired::Selector;
use crate::desired::Wanted;
use crate::model::GroupId;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use toml::de::{DeTable, DeValue};

const KEY: &str = "scope.groups";
const FORMS: &str = "write { id = \"DG...\" }, { name = \"jira-users\" } or { name = \"team-*\" }";
const NAMES: [&str; 3] = ["id", "name", "atlassian_name"];

/// Reads the selectors: sorted, each once.
pub(super) fn read(reader: &mut Reader<'_>, protected: &BTreeSet<String>, is_loopback: bool) -> Vec<Selector> {
    if reader.given(KEY).is_none() {
        reader.refuse(KEY, Fault::new("is missing", FORMS));
        return Vec::new();
    }
    if reader.is_empty_list(KEY) {
        reader.refuse(KEY, Fault::new("is empty: nobody would have access", FORMS));
    }
    let placeholder = placeholder(reader).filter(|_| !is_loopback);
    let mut selectors = Vec::new();
    for (item, place) in reader.list(KEY) {
        let Some(selector) = selector(reader, item, &place) else { continue };
        if let (Wanted::Id(id), Some(example)) = (&selector.wanted, placeholder)
            && id.as_str() == example
        {
            reader.refuse_at(KEY, place, Fault::new(format!("`{id}` is still the placeholder"), FORMS));
            continue;
        }
        selectors.push((selector, place));
    }
    check_overlaps(reader, &selectors);
    check_names(reader, &selectors, protected);
    let sorted: BTreeSet<Selector> = selectors.into_iter().map(|(selector, _)| selector).collect();
    sorted.into_iter().collect()
}

/// The id that the default file shows as an example.
fn placeholder<'t>(reader: &Reader<'t>) -> Option<&'t str> {
    let first = reader.default(KEY)?.as_array()?.iter().next()?;
    first.get_ref().as_table()?.get("id")?.get_ref().as_str()
}

/// One entry; nothing after a mistake.
fn selector(reader: &mut Reader<'_>, item: &DeValue<'_>, place: &Place) -> Option<Selector> {
    let Some(table) = item.as_table() else {
        let message = format!("an entry must be a table, is {}", kind(item));
        reader.refuse_at(KEY, place.clone(), Fault::new(message, FORMS));
        return None;
    };
    let mut sound = check_entry_names(reader, table);
    let mut text = |name: &str| {
        let value = table.get(name)?;
        let text = value.get_ref().as_str().map(str::trim).filter(|text| !text.is_empty());
        if text.is_none() {
            let fault = Fault::new(format!("`{name}` must be a string with something in it"), FORMS);
            reader.refuse_at(KEY, Some(value.span()), fault);
            sound = false;
        }
        text
    };
    let (id, name, atlassian_name) = (text("id"), text("name"), text("atlassian_name"));
    if !sound {
        return None;
    }
    match wanted(id, name, atlassian_name) {
        Ok(wanted) => Some(Selector { wanted, atlassian_name: atlassian_name.map(str::to_owned) }),
        Err(fault) => {
            reader.refuse_at(KEY, place.clone(), fault);
            None
        }
    }
}

fn check_entry_names(reader: &mut Reader<'_>, table: &DeTable<'_>) -> bool {
    let mut sound = true;
    for name in table.keys().filter(|name| !NAMES.contains(&&**name.get_ref())) {
        let remedy = spelling::nearest(name.get_ref(), &NAMES);
        let remedy = remedy.map_or_else(|| FORMS.to_owned(), |near| format!("did you mean `{near}`?"));
        let message = format!("there is no key `{}` in an entry", name.get_ref());
        reader.refuse_at(KEY, Some(name.span()), Fault::new(message, remedy));
        sound = false;
    }
    sound
}

fn wanted(id: Option<&str>, name: Option<&str>, atlassian_name: Option<&str>) -> Result<Wanted, Fault> {
    match (id, name) {
        (Some(id), Some(name)) => {
            let message = format!("an entry has both id {} and name {}", shown(id), shown(name));
            Err(Fault::new(message, "keep the id, which survives a rename, or the name"))
        }
        (None, None) => Err(Fault::new("an entry has neither id nor name", FORMS)),
        (Some(id), None) if !is_key(id, "DG") => {
            let message = format!("{} is not the id of a group", shown(id));
            Err(Fault::new(
                message,
                "copy it from Duo: `DG` and 18 more letters and digits; for a name write { name = \"...\" }",
            ))
        }
        (Some(id), None) => Ok(Wanted::Id(GroupId::new(id))),
        (None, Some(name)) if !name.contains('*') => Ok(Wanted::Name(name.to_owned())),
        (None, Some(name)) if atlassian_name.is_some() => {
            let message = format!("the pattern {} has an atlassian_name: several groups cannot share it", shown(name));
            Err(Fault::new(
                message,
                "leave atlassian_name out, or write an entry for each group that needs another name",
            ))
        }
        (None, Some(name)) => Ok(Wanted::Pattern(name.to_owned())),
    }
}

/// Each pattern is compared with every name.
const PATTERNS_MAX: usize = 200;

/// No group may be selected twice: which of the entries decides would be a guess.
fn check_overlaps(reader: &mut Reader<'_>, selectors: &[(Selector, Place)]) {
    let mut seen = BTreeSet::new();
    let mut patterns = BTreeSet::new();
    for (selector, place) in selectors {
        if !seen.insert(&selector.wanted) {
            let fault = Fault::new(format!("`{selector}` is there twice"), "keep one of the two entries");
            reader.refuse_at(KEY, place.clone(), fault);
        }
        if let Wanted::Pattern(pattern) = &selector.wanted {
            patterns.insert(pattern);
        }
        if matches!(&selector.wanted, Wanted::Pattern(pattern) if pattern.bytes().all(|b| b == b'*')) {
            reader.warn("scope.groups: `*` selects every group of Duo");
        }
    }
    if patterns.len() > PATTERNS_MAX {
        let message = format!("has {} patterns, at most {PATTERNS_MAX}", patterns.len());
        let remedy = "write fewer and wider patterns, or an entry with the id of each group";
        return reader.refuse(KEY, Fault::new(message, remedy));
    }
    for (selector, place) in selectors {
        let (Wanted::Name(name) | Wanted::Pattern(name)) = &selector.wanted else { continue };
        if let Some(pattern) = patterns.iter().find(|pattern| **pattern != name && covers(pattern, name)) {
            let message = format!("`{selector}` overlaps with `{{ name = {pattern:?} }}`, which selects it already");
            reader.refuse_at(
                KEY,
                place.clone(),
                Fault::new(message, "remove one of the two entries, or narrow the pattern"),
            );
        }
    }
}

/// No two groups may end under one name in Atlassian, where names are compared without regard to case.
fn check_names(reader: &mut Reader<'_>, selectors: &[(Selector, Place)], protected: &BTreeSet<String>) {
    let mut taken: BTreeMap<String, &Selector> = BTreeMap::new();
    for (selector, place) in selectors {
        let name = match (&selector.atlassian_name, &selector.wanted) {
            (Some(name), _) | (None, Wanted::Name(name)) => name,
            (None, Wanted::Id(_) | Wanted::Pattern(_)) => continue,
        };
        let lower = name.to_lowercase();
        if protected.contains(&lower) {
            reader.warn(&format!(
                "scope.groups: `{selector}` becomes the Atlassian group `{name}`, which is in protected_groups and will not be filled"
            ));
        }
        if let Some(other) = taken.insert(lower, selector)
            && other.wanted != selector.wanted
        {
            let message = format!("`{selector}` and `{other}` both become the Atlassian group `{name}`");
            reader.refuse_at(KEY, place.clone(), Fault::new(message, "give one of them another atlassian_name"));
        }
    }
}

/// Whether a pattern, in which `*` stands for any characters, matches a whole text.
pub(super) fn covers(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*').filter(|part| !part.is_empty()) {
        let Some((_, after)) = text.split_once(part) else { return false };
        text = after;
    }
    text.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text) in
            [("team-*", "team-"), ("*", ""), ("a*b*c", "a-b-b-c"), ("*-ops", "it-ops"), ("a**b", "ab")]
        {
            assert!(covers(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("team-*", "teams"), ("a*b*c", "a-c-b"), ("*-ops", "ops"), ("ab*bc", "abc"), ("a*", "ba")]
        {
            assert!(!covers(pattern, text), "{pattern} {text}");
        }
    }
}
