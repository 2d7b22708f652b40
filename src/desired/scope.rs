//! Which groups of Duo are selected, by the rules and by what was selected before.

use super::group_name::{matches_pattern, strip_directory_suffix};
use super::rules::{Selector, Wanted};
use crate::model::Group;
use crate::model::GroupId;
use std::collections::{BTreeMap, BTreeSet};

/// What a selector found in an earlier cycle. It keeps a renamed group selected (S5).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remembered {
    /// The selector, as it writes itself.
    pub selector: String,
    /// What it found.
    pub group_id: GroupId,
    /// The name in Duo at that time.
    pub name: String,
    /// Whether it had vanished from Duo, or left its pattern, by then, and a cycle was carried out all the same. The
    /// selector still counts as one that matched: leavers go on being synced while the configuration names a group that
    /// is gone.
    pub gone: bool,
}

/// One selected group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// The group as Duo has it now.
    pub group: Group,
    /// `atlassian_name` of the selector that found it.
    pub atlassian_name: Option<String>,
    /// That selector, as it writes itself.
    pub selector: String,
}

impl Selected {
    /// The name that the group should have in Atlassian.
    pub fn target_name(&self) -> String {
        self.atlassian_name.clone().unwrap_or_else(|| strip_directory_suffix(&self.group.name).trim().to_owned())
    }
}

/// What the selectors found, and what is different from what they found before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The selected groups.
    pub groups: BTreeMap<GroupId, Selected>,
    /// What changed since it was remembered (S5).
    pub changes: Vec<ScopeChange>,
}

impl Selection {
    /// What to remember of this selection.
    pub fn remembered(&self) -> Vec<Remembered> {
        let remember = |(id, selected): (&GroupId, &Selected)| Remembered {
            selector: selected.selector.clone(),
            group_id: id.clone(),
            name: selected.group.name.clone(),
            gone: false,
        };
        let gone = self.changes.iter().filter_map(|change| match change {
            ScopeChange::Vanished(was) | ScopeChange::StillGone(was) | ScopeChange::LeftPattern { was, .. } => {
                Some(Remembered { gone: true, ..was.clone() })
            }
            ScopeChange::Renamed { .. } | ScopeChange::NewMatch(_) => None,
        });
        self.groups.iter().map(remember).chain(gone).collect()
    }
}

/// A difference between what a selector found before and what it finds now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScopeChange {
    /// A selected group does not exist any more. Held.
    Vanished(Remembered),
    /// A selected group vanished or left its pattern in an earlier cycle that was carried out, and still is. Reported.
    StillGone(Remembered),
    /// A group that a pattern had selected has another name now, which does not fit. Held.
    LeftPattern {
        /// What was selected.
        was: Remembered,
        /// Its name now.
        name: String,
    },
    /// A selected group has another name now; it stays selected. Reported.
    Renamed {
        /// What was selected.
        was: Remembered,
        /// Its name now.
        name: String,
    },
    /// A group that the selector had not found before. Held.
    NewMatch(Remembered),
}

/// A selector that cannot be followed. A mistake in the configuration: nothing is sent (S5).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectGroupsError {
    /// Nothing matches, and nothing ever did.
    #[error(
        "scope.groups: {selector} matches no group in Duo; correct it, or take it out (names are compared exactly, capital letters included)"
    )]
    Nothing {
        /// The selector.
        selector: String,
    },
    /// A name that several groups bear.
    #[error("scope.groups: {selector} matches {} groups in Duo: {}; select the one you mean by its id", candidates.len(), candidates.join(", "))]
    Ambiguous {
        /// The selector.
        selector: String,
        /// Each with id and name.
        candidates: Vec<String>,
    },
}

/// Finds the selected groups. Every selector that cannot be followed is named.
pub fn select(
    groups: &[Group],
    selectors: &[Selector],
    remembered: &[Remembered],
) -> Result<Selection, Vec<SelectGroupsError>> {
    let by_id: BTreeMap<&GroupId, &Group> = groups.iter().map(|group| (&group.id, group)).collect();
    let known: BTreeSet<&GroupId> = remembered.iter().map(|entry| &entry.group_id).collect();
    let mut selection = Selection::default();
    let mut errors = Vec::new();
    for selector in selectors {
        let text = selector.to_string();
        let before: Vec<&Remembered> = remembered.iter().filter(|entry| entry.selector == text).collect();
        let mut found = compare_with_before(selector, &before, &by_id, &mut selection.changes);
        if found.is_empty() || matches!(selector.wanted, Wanted::Pattern(_)) {
            let fresh = by_id.values().filter(|group| selects(selector, group)).map(|group| &group.id);
            let fresh: Vec<&GroupId> = fresh.filter(|id| !found.contains(id)).collect();
            match (fresh.as_slice(), &selector.wanted) {
                ([], _) if before.is_empty() => errors.push(SelectGroupsError::Nothing { selector: text.clone() }),
                ([_, _, ..], Wanted::Name(_)) => errors.push(ambiguous(&text, &fresh, &by_id)),
                _ => {}
            }
            // Each group is remembered once, by the first selector that found it: that another finds it is no news.
            let is_known = !before.is_empty() || fresh.iter().any(|id| known.contains(*id));
            for id in &fresh {
                if let (true, Some(group)) = (is_known && !known.contains(id), by_id.get(*id)) {
                    let entry = Remembered {
                        selector: text.clone(),
                        group_id: group.id.clone(),
                        name: group.name.clone(),
                        gone: false,
                    };
                    selection.changes.push(ScopeChange::NewMatch(entry));
                }
            }
            found.extend(fresh);
        }
        for group in found.iter().filter_map(|id| by_id.get(*id)) {
            let atlassian_name = selector.atlassian_name.clone();
            let selected = Selected { group: (*group).clone(), atlassian_name, selector: text.clone() };
            // The more exact selector names the group: ids sort before names, names before patterns.
            selection.groups.entry(group.id.clone()).or_insert(selected);
        }
    }
    selection.changes.sort();
    selection.changes.dedup();
    if errors.is_empty() { Ok(selection) } else { Err(errors) }
}

/// The remembered groups that stay selected; notes the ones that do not, and the ones that were renamed.
fn compare_with_before<'a>(
    selector: &Selector,
    before: &[&'a Remembered],
    by_id: &BTreeMap<&'a GroupId, &'a Group>,
    changes: &mut Vec<ScopeChange>,
) -> Vec<&'a GroupId> {
    let mut found = Vec::new();
    for was in before {
        let Some(group) = by_id.get(&was.group_id) else {
            let gone = if was.gone { ScopeChange::StillGone } else { ScopeChange::Vanished };
            changes.push(gone((*was).clone()));
            continue;
        };
        let is_pattern = matches!(selector.wanted, Wanted::Pattern(_));
        if is_pattern && !selects(selector, group) {
            let left = ScopeChange::LeftPattern { was: (*was).clone(), name: group.name.clone() };
            changes.push(if was.gone { ScopeChange::StillGone((*was).clone()) } else { left });
            continue;
        }
        if was.gone {
            changes.push(ScopeChange::NewMatch(Remembered { gone: false, ..(*was).clone() }));
        }
        if group.name != was.name {
            changes.push(ScopeChange::Renamed { was: (*was).clone(), name: group.name.clone() });
        }
        found.push(&was.group_id);
    }
    found
}

fn selects(selector: &Selector, group: &Group) -> bool {
    let bare = strip_directory_suffix(&group.name);
    match &selector.wanted {
        Wanted::Id(id) => *id == group.id,
        Wanted::Name(name) => *name == group.name || name == bare,
        Wanted::Pattern(pattern) => matches_pattern(pattern, &group.name) || matches_pattern(pattern, bare),
    }
}

fn ambiguous(selector: &str, found: &[&GroupId], by_id: &BTreeMap<&GroupId, &Group>) -> SelectGroupsError {
    let name = |id: &&GroupId| by_id.get(*id).map_or_else(|| id.to_string(), |group| format!("{id} {:?}", group.name));
    SelectGroupsError::Ambiguous { selector: selector.to_owned(), candidates: found.iter().map(name).collect() }
}
