//! What a change of members really did: the answer holds the group, which is compared with who was in it before (S15).
//!
//! Who of ours was in it is in the snapshot. Who else was is known only where the group was read first, which is done
//! for as long as nothing proved the form in which members are removed.

use super::check::Checked;
use super::send::Answered;
use crate::model::GroupId;
use crate::model::ObservedGroup;
use crate::model::Owned;
use crate::model::PersonId;
use crate::model::ScimId;
use crate::scim::MemberRemoval;
use crate::store::Effect;
use std::collections::BTreeSet;

/// Fewer people of ours who vanish all at once may have been taken out by somebody; more are no coincidence.
const VANISHED_MIN: usize = 2;

/// So many foreign ids are named.
const IDS_MAX: usize = 10;

/// What is known around an answer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Around<'a> {
    /// The group as it was read right before.
    pub(super) before: Option<&'a ObservedGroup>,
    /// Whom other requests of the same moment add to it or remove from it: nothing follows from them.
    pub(super) under_way: Option<&'a BTreeSet<ScimId>>,
}

/// What a change of members did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Deed {
    /// What it was meant to, or nothing else is known.
    #[default]
    AsMeant,
    /// It is certain that it removed exactly whom it was meant to.
    Proven,
    /// Whoever was to be removed is still there.
    Ignored,
    /// The one other of ours is not there any more: most likely somebody else's doing.
    Doubtful,
    /// Everybody else is gone as well.
    Emptied(Loss),
    /// The others had to make room for who was added.
    Replaced(Loss),
}

/// Who is gone although nobody asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    ours: usize,
    /// Others, where the group was read before.
    others: Option<Vec<ScimId>>,
}

impl Loss {
    /// Whether the group was read right before: then nobody else did it.
    pub(super) const fn is_sure(&self) -> bool {
        self.others.is_some()
    }
}

impl Deed {
    /// Whether others went who were not meant.
    pub(super) const fn takes_others(&self) -> bool {
        matches!(self, Self::Emptied(_) | Self::Replaced(_))
    }

    /// What there is to say and to do about it, with the form in which members are removed.
    pub(super) fn reason(&self, removal: MemberRemoval) -> Option<String> {
        let (form, other) = (removal.as_str(), removal.other().as_str());
        match self {
            Self::AsMeant | Self::Proven | Self::Doubtful => None,
            Self::Ignored => Some(format!(
                "Atlassian answers that members who were removed are still there: it ignores \
                 atlassian.member_removal = \"{form}\"; set it to \"{other}\""
            )),
            Self::Emptied(Loss { ours, others: Some(others) }) => Some(format!(
                "Atlassian removed everybody else as well, {ours} people of ours, who are joined again by the next \
                 sync, and {}: it takes atlassian.member_removal = \"{form}\" for all members; set it to \"{other}\"",
                list(others)
            )),
            Self::Emptied(Loss { ours, others: None }) => Some(format!(
                "after a removal the answer lacks all {ours} others of ours as well, and perhaps members of others, \
                 who are not known: either Atlassian takes atlassian.member_removal = \"{form}\" for all members (then \
                 set it to \"{other}\"), or something else emptied the group; ours are joined again by the next sync"
            )),
            Self::Replaced(Loss { ours, .. }) => Some(format!(
                "after members were added the answer lacks all {ours} others of ours: either Atlassian put the new \
                 members in their place, or something else emptied the group; ours are joined again by a later sync"
            )),
        }
    }
}

fn list(others: &[ScimId]) -> String {
    if others.is_empty() {
        return "no others".to_owned();
    }
    let named: Vec<&str> = others.iter().take(IDS_MAX).map(ScimId::as_str).collect();
    let more = others.len().saturating_sub(IDS_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{} others, to be added again by hand (SCIM ids {}{more})", others.len(), named.join(", "))
}

/// Compares the answer to an addition with what was meant.
pub(super) fn joined(
    group: &GroupId,
    members: &[(PersonId, ScimId)],
    (answered, around): (&Answered, Around<'_>),
    owned: &Owned,
) -> Checked {
    let Some(answer) = group_of(answered) else { return believed(Effect::Joined(group.clone(), people(members))) };
    let (there, missing): (Vec<_>, Vec<_>) = members.iter().partition(|(_, id)| answer.members.contains(id));
    let others = others_of_ours(group, members, around, owned);
    let lost: Vec<PersonId> = lost(&others, answer);
    let asked: BTreeSet<&ScimId> = members.iter().map(|(_, id)| id).collect();
    let is_alone = answer.members.iter().all(|id| asked.contains(id));
    let is_replaced = is_alone && lost.len() >= VANISHED_MIN && lost.len() == others.len();
    let is_foreign = (!lost.is_empty() && !is_replaced) || has_strangers(group, answer, (&asked, around), owned);
    let deed = if is_replaced { Deed::Replaced(Loss { ours: lost.len(), others: None }) } else { Deed::AsMeant };
    let failed = (!missing.is_empty()).then(|| {
        format!("Atlassian answers without {} of the {} members that were added", missing.len(), members.len())
    });
    let failed_people = missing.into_iter().map(|(person, _)| person.clone()).collect();
    let there = there.into_iter().map(|(person, _)| person.clone()).collect();
    let effects = effects(group, there, lost);
    Checked { effects, failed, failed_people, deed, is_foreign, ..Checked::default() }
}

/// Compares the answer to a removal with what was meant.
pub(super) fn left(
    group: &GroupId,
    members: &[(PersonId, ScimId)],
    (answered, around): (&Answered, Around<'_>),
    owned: &Owned,
) -> Checked {
    let Some(answer) = group_of(answered) else { return believed(Effect::Left(group.clone(), people(members))) };
    let (gone, still): (Vec<_>, Vec<_>) = members.iter().partition(|(_, id)| !answer.members.contains(id));
    let asked: BTreeSet<&ScimId> = members.iter().map(|(_, id)| id).collect();
    let others = others_of_ours(group, members, around, owned);
    let lost = lost(&others, answer);
    let deed = deed_of_removal(&others, (&asked, answer), around.before, gone.is_empty());
    let is_emptied = matches!(deed, Deed::Emptied(_));
    let gone_before = around.before.is_some_and(|before| {
        asked.iter().copied().chain(others.iter().map(|(id, _)| *id)).any(|id| !before.members.contains(id))
    });
    let is_foreign =
        gone_before || (!lost.is_empty() && !is_emptied) || has_strangers(group, answer, (&asked, around), owned);
    let failed = (!still.is_empty()).then(|| {
        format!(
            "Atlassian answers that {} of the {} members that were removed are still there",
            still.len(),
            members.len()
        )
    });
    let failed_people = still.into_iter().map(|(person, _)| person.clone()).collect();
    let gone: Vec<PersonId> = gone.into_iter().map(|(person, _)| person.clone()).collect();
    let effects = effects(group, Vec::new(), gone.into_iter().chain(lost).collect());
    Checked { effects, failed, failed_people, deed, is_foreign, ..Checked::default() }
}

fn deed_of_removal(
    others: &[(&ScimId, &PersonId)],
    (asked, answer): (&BTreeSet<&ScimId>, &ObservedGroup),
    before: Option<&ObservedGroup>,
    is_ignored: bool,
) -> Deed {
    let is_lost = |id: &&&ScimId| !answer.members.contains(**id);
    if let Some(before) = before {
        let there: Vec<&ScimId> = before.members.iter().filter(|id| !asked.contains(id)).collect();
        let lost: Vec<&ScimId> = there.iter().filter(is_lost).copied().collect();
        if !there.is_empty() && lost.len() == there.len() {
            let ours: BTreeSet<&ScimId> = others.iter().map(|(id, _)| *id).collect();
            let (ours, foreign): (Vec<&ScimId>, Vec<&ScimId>) = lost.iter().partition(|id| ours.contains(*id));
            let others = Some(foreign.into_iter().cloned().collect());
            return Deed::Emptied(Loss { ours: ours.len(), others });
        }
        let was_sent = asked.iter().any(|id| before.members.contains(*id));
        return match (is_ignored, was_sent && !there.is_empty() && lost.is_empty()) {
            (true, _) => Deed::Ignored,
            (false, true) => Deed::Proven,
            (false, false) => Deed::AsMeant,
        };
    }
    let is_empty = answer.members.iter().all(|id| asked.contains(id));
    match others.iter().map(|(id, _)| id).filter(is_lost).count() {
        lost if lost == others.len() && lost >= VANISHED_MIN && is_empty => {
            Deed::Emptied(Loss { ours: lost, others: None })
        }
        _ if is_ignored => Deed::Ignored,
        lost if lost == others.len() && lost > 0 => Deed::Doubtful,
        _ => Deed::AsMeant,
    }
}

fn group_of(answered: &Answered) -> Option<&ObservedGroup> {
    match answered {
        Answered::Group(_, group) => group.as_ref(),
        Answered::Linked | Answered::User(..) | Answered::Found(..) => None,
    }
}

/// Without a group in the answer, success is believed.
fn believed(effect: Effect) -> Checked {
    Checked { effects: vec![effect], ..Checked::default() }
}

fn people(members: &[(PersonId, ScimId)]) -> Vec<PersonId> {
    members.iter().map(|(person, _)| person.clone()).collect()
}

/// Our other members of the group, of whom no request of this moment is about.
fn others_of_ours<'a>(
    group: &GroupId,
    members: &[(PersonId, ScimId)],
    around: Around<'_>,
    owned: &'a Owned,
) -> Vec<(&'a ScimId, &'a PersonId)> {
    let asked: BTreeSet<&ScimId> = members.iter().map(|(_, id)| id).collect();
    let is_other =
        |id: &ScimId| !asked.contains(id) && !around.under_way.is_some_and(|under_way| under_way.contains(id));
    let ours = owned.groups.get(group).into_iter().flat_map(|group| &group.members);
    let accounts = ours.filter_map(|person| owned.accounts.get_key_value(person));
    accounts.map(|(person, account)| (&account.scim_id, person)).filter(|(id, _)| is_other(id)).collect()
}

fn lost(others: &[(&ScimId, &PersonId)], answer: &ObservedGroup) -> Vec<PersonId> {
    others.iter().filter(|(id, _)| !answer.members.contains(*id)).map(|(_, person)| (*person).clone()).collect()
}

/// Whether somebody with an account of ours is in the group whom we did not put there.
fn has_strangers(
    group: &GroupId,
    answer: &ObservedGroup,
    (asked, around): (&BTreeSet<&ScimId>, Around<'_>),
    owned: &Owned,
) -> bool {
    let ours = owned.groups.get(group).map(|group| &group.members);
    let ids = ours.into_iter().flatten().filter_map(|person| owned.accounts.get(person));
    let known = ids.map(|account| &account.scim_id).chain(asked.iter().copied());
    let known: BTreeSet<&ScimId> = known.chain(around.under_way.into_iter().flatten()).collect();
    let unknown: BTreeSet<&ScimId> = answer.members.iter().filter(|id| !known.contains(id)).collect();
    // Mostly there are none, and all accounts need not be looked at.
    !unknown.is_empty() && owned.accounts.values().any(|account| unknown.contains(&account.scim_id))
}

fn effects(group: &GroupId, joined: Vec<PersonId>, left: Vec<PersonId>) -> Vec<Effect> {
    let joined = (!joined.is_empty()).then(|| Effect::Joined(group.clone(), joined));
    joined.into_iter().chain((!left.is_empty()).then(|| Effect::Left(group.clone(), left))).collect()
}

#[cfg(test)]
mod tests {
    use super::{Around, Deed, ObservedGroup, joined, left};
    use crate::apply::check::Checked;
    use crate::apply::send::Answered;
    use crate::model::{Attributes, GroupId, Owned, OwnedAccount, OwnedGroup, PersonId, ScimId};
    use crate::store::Effect;
    use std::collections::BTreeSet;

    /// People of ours have ids of one letter; whoever has more letters is not ours.
    fn observed(members: &str) -> ObservedGroup {
        let members = members.split_whitespace().map(ScimId::new).collect();
        ObservedGroup { display_name: "eng".to_owned(), members }
    }

    fn owned(members: &str) -> Owned {
        let account = |id: char| OwnedAccount {
            scim_id: ScimId::new(id.to_string()),
            username: id.to_string(),
            attributes: Attributes::new(),
            active: true,
            refused: Attributes::new(),
            left_scope_at: None,
        };
        let accounts = ('a'..='z').map(|id| (PersonId::new(id.to_string()), account(id))).collect();
        let members = members.split_whitespace().map(PersonId::new).collect();
        let group = OwnedGroup { scim_id: ScimId::new("g"), name: "eng".to_owned(), members };
        Owned { accounts, groups: [(GroupId::new("DG"), group)].into() }
    }

    fn asked(members: &str) -> Vec<(PersonId, ScimId)> {
        members.split_whitespace().map(|id| (PersonId::new(id), ScimId::new(id))).collect()
    }

    fn answer(members: &str) -> Answered {
        Answered::Group(ScimId::new("g"), Some(observed(members)))
    }

    /// Ours, then whom we remove, then who is there before (where that was looked at) and after.
    fn removed(ours: &str, whom: &str, before: Option<&str>, after: &str) -> Checked {
        let before = before.map(observed);
        let around = Around { before: before.as_ref(), under_way: None };
        left(&GroupId::new("DG"), &asked(whom), (&answer(after), around), &owned(ours))
    }

    fn gone(checked: &Checked) -> String {
        let left = checked
            .effects
            .iter()
            .filter_map(|effect| if let Effect::Left(_, left) = effect { Some(left) } else { None });
        left.flatten().map(PersonId::as_str).collect::<Vec<_>>().join(" ")
    }

    fn word(deed: &Deed) -> &'static str {
        match deed {
            Deed::AsMeant => "as meant",
            Deed::Proven => "proven",
            Deed::Ignored => "ignored",
            Deed::Doubtful => "doubtful",
            Deed::Emptied(loss) if loss.is_sure() => "emptied, surely",
            Deed::Emptied(_) => "emptied",
            Deed::Replaced(_) => "replaced",
        }
    }

    #[test]
    fn every_answer_to_a_removal_has_its_meaning() {
        // Ours, whom, before, after: the deed, who leaves the snapshot, whether somebody else is at work.
        for (ours, whom, before, after, deed, leaves, is_foreign) in [
            ("a b c", "a", None, "b c", "as meant", "a", false),
            ("a b c", "a", Some("a b c"), "b c", "proven", "a", false),
            ("a", "a", Some("a guest"), "guest", "proven", "a", false),
            ("a", "a", Some("a"), "", "as meant", "a", false),
            ("a b c", "a", Some("b c"), "b c", "as meant", "a", true),
            ("a b c", "a b", Some("a b c"), "b c", "proven", "a", false),
            ("a b c", "a", None, "a b c", "ignored", "", false),
            ("a b c", "a", Some("a b c"), "a b c", "ignored", "", false),
            ("a b c", "a", None, "", "emptied", "a b c", false),
            ("a b c", "a", None, "guest", "doubtful", "a b c", true),
            ("a b c", "a", Some("a b c guest"), "", "emptied, surely", "a b c", false),
            ("a", "a", Some("a guest"), "", "emptied, surely", "a", false),
            ("a b", "a", None, "", "doubtful", "a b", true),
            ("a b", "a", Some("a"), "", "as meant", "a b", true),
            ("a b c d", "a", None, "b", "as meant", "a c d", true),
            ("a b c d", "a", Some("a b c d"), "b", "as meant", "a c d", true),
            ("a b c", "a", None, "b c x", "as meant", "a", true),
            ("a b c", "a", None, "b c guest", "as meant", "a", false),
        ] {
            let checked = removed(ours, whom, before, after);
            let seen = (word(&checked.deed), gone(&checked), checked.is_foreign);
            assert_eq!(seen, (deed, leaves.to_owned(), is_foreign), "{ours} - {whom}: {before:?} -> {after}");
        }
    }

    #[test]
    fn every_answer_to_an_addition_has_its_meaning() {
        for (ours, whom, after, deed, leaves, is_foreign) in [
            ("a b", "c", "a b c", "as meant", "", false),
            ("", "c", "c", "as meant", "", false),
            ("a b", "c", "a b c guest", "as meant", "", false),
            ("a b", "c", "c", "replaced", "a b", false),
            ("a", "c", "c", "as meant", "a", true),
            ("a b", "c", "a c", "as meant", "b", true),
            ("a b", "c", "c guest", "as meant", "a b", true),
            ("a b", "c", "a b c x", "as meant", "", true),
        ] {
            let (answer, group) = (answer(after), GroupId::new("DG"));
            let checked = joined(&group, &asked(whom), (&answer, Around::default()), &owned(ours));
            let seen = (word(&checked.deed), gone(&checked), checked.is_foreign);
            assert_eq!(seen, (deed, leaves.to_owned(), is_foreign), "{ours} + {whom} -> {after}");
        }
    }

    #[test]
    fn whoever_another_request_of_the_same_moment_is_about_says_nothing() {
        let under_way: BTreeSet<ScimId> = ["b", "x"].map(ScimId::new).into();
        let around = Around { before: None, under_way: Some(&under_way) };
        let checked = left(&GroupId::new("DG"), &asked("a"), (&answer("c x"), around), &owned("a b c"));
        assert_eq!((word(&checked.deed), gone(&checked), checked.is_foreign), ("as meant", "a".to_owned(), false));
    }

    #[test]
    fn members_who_are_missing_or_still_there_fail_alone() {
        let failed = |checked: Checked| checked.failed_people.iter().map(PersonId::to_string).collect::<Vec<_>>();
        let (group, answered) = (GroupId::new("DG"), answer("a c"));
        let checked = joined(&group, &asked("b c"), (&answered, Around::default()), &owned("a"));
        assert_eq!(failed(checked), ["b"]);
        let checked = left(&group, &asked("b c"), (&answered, Around::default()), &owned("a b c"));
        assert_eq!(word(&checked.deed), "as meant", "some were removed: the form is not to blame");
        assert_eq!(failed(checked), ["c"]);
    }
}
