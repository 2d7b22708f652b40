//! A target that carries out a plan in the order of `apply` (S18), and refuses what Atlassian would refuse.

use duo_atlassian_sync::model::{Attribute, Attributes, Owned, OwnedAccount, OwnedGroup, PersonId, ScimId};
use duo_atlassian_sync::plan::{Action, Changes, Plan, Step};
use std::collections::BTreeSet;

const UNIQUE: [Attribute; 2] = [Attribute::UserName, Attribute::Emails];

/// What is owned after the plan; or the first refusal.
pub(super) fn carry_out(plan: &Plan, owned: &Owned) -> Result<Owned, String> {
    let mut target = owned.clone();
    let all = |wanted: fn(&Step) -> bool| plan.actions.iter().filter(move |action| wanted(&action.step));
    let deactivated = all(|step| matches!(step, Step::Deactivate { .. }));
    let leavers: BTreeSet<&PersonId> =
        deactivated.clone().filter_map(|action| action.step.person()).map(|person| &person.user_id).collect();
    for action in &plan.actions {
        link(&mut target, action);
    }
    leave(plan, &mut target, |id| leavers.contains(id))?;
    for person in deactivated.filter_map(|action| action.step.person()) {
        account(&mut target, &person.user_id)?.active = false;
    }
    update(plan, &mut target)?;
    for action in &plan.actions {
        if let Step::Create { person, attributes } = &action.step {
            free(&target, &person.user_id, attributes)?;
            let new = owned_account(format!("new-{}", person.user_id), &person.username, attributes);
            if target.accounts.insert(person.user_id.clone(), new).is_some() {
                return Err(format!("{} has an account already", person.user_id));
            }
        }
    }
    for action in &plan.actions {
        if let Step::CreateGroup { group } = &action.step {
            let name = group.name.to_lowercase();
            if target.groups.values().any(|other| other.name.to_lowercase() == name) {
                return Err(format!("a group {name} exists already"));
            }
            let scim_id = ScimId::new(format!("new-{}", group.group_id));
            let new = OwnedGroup { scim_id, name: group.name.clone(), members: BTreeSet::new() };
            target.groups.insert(group.group_id.clone(), new);
        }
    }
    join(plan, &mut target)?;
    leave(plan, &mut target, |id| !leavers.contains(id))?;
    Ok(target)
}

fn owned_account(scim_id: String, username: &str, attributes: &Attributes) -> OwnedAccount {
    OwnedAccount {
        scim_id: ScimId::new(scim_id),
        username: username.to_owned(),
        attributes: attributes.clone(),
        active: true,
        refused: Attributes::new(),
        left_scope_at: None,
    }
}

fn link(target: &mut Owned, action: &Action) {
    if let Step::Adopt { person, scim_id, attributes, active, groups } = &action.step {
        let account = owned_account(scim_id.to_string(), &person.username, attributes);
        target.accounts.insert(person.user_id.clone(), OwnedAccount { active: *active, ..account });
        for group in groups {
            target.groups.entry(group.clone()).and_modify(|group| group.members.extend([person.user_id.clone()]));
        }
    }
    if let Step::AdoptGroup { group, scim_id, members } = &action.step {
        let members = members.iter().cloned().collect();
        let adopted = OwnedGroup { scim_id: scim_id.clone(), name: group.name.clone(), members };
        target.groups.insert(group.group_id.clone(), adopted);
    }
}

fn account<'a>(target: &'a mut Owned, id: &PersonId) -> Result<&'a mut OwnedAccount, String> {
    target.accounts.get_mut(id).ok_or_else(|| format!("{id} has no account"))
}

/// Whether nobody else holds the names and addresses.
fn free(target: &Owned, id: &PersonId, values: &Attributes) -> Result<(), String> {
    for attribute in UNIQUE {
        let Some(value) = values.value(attribute).map(str::to_lowercase) else { continue };
        let holds = |account: &OwnedAccount| {
            account.attributes.value(attribute).map(str::to_lowercase).as_ref() == Some(&value)
        };
        if let Some((other, _)) = target.accounts.iter().find(|(other, account)| *other != id && holds(account)) {
            return Err(format!("409: {id} takes the {attribute} {value}, which {other} holds"));
        }
    }
    Ok(())
}

/// Updates and reactivations, round by round: in each those whose values are free by then.
fn update(plan: &Plan, target: &mut Owned) -> Result<(), String> {
    let of = |action: &Action| -> Option<(PersonId, Changes, bool)> {
        let (Step::Update { person, changes } | Step::Reactivate { person, changes }) = &action.step else {
            return None;
        };
        Some((person.user_id.clone(), changes.clone(), matches!(action.step, Step::Reactivate { .. })))
    };
    let mut waiting: Vec<_> = plan.actions.iter().filter_map(of).collect();
    while !waiting.is_empty() {
        let before = target.clone();
        let mut refused = Vec::new();
        let mut later = Vec::new();
        for (id, changes, reactivates) in std::mem::take(&mut waiting) {
            let values: Attributes = changes.iter().map(|(attribute, change)| (*attribute, &change.to)).collect();
            if let Err(why) = free(&before, &id, &values) {
                refused.push(why);
                later.push((id, changes, reactivates));
                continue;
            }
            free(target, &id, &values)?;
            let account = account(target, &id)?;
            for (attribute, value) in values.iter() {
                account.attributes.set(attribute, value);
            }
            account.active = account.active || reactivates;
        }
        if target == &before && !later.is_empty() {
            return Err(refused.join("; "));
        }
        waiting = later;
    }
    Ok(())
}

fn leave(plan: &Plan, target: &mut Owned, whose: impl Fn(&PersonId) -> bool) -> Result<(), String> {
    for action in &plan.actions {
        let Step::UpdateMembers { group, leave, .. } = &action.step else { continue };
        for person in leave.iter().filter(|person| whose(person)) {
            account(target, person)?;
            let owned = target.groups.get_mut(&group.group_id).ok_or_else(|| format!("{} is not ours", group.name))?;
            if !owned.members.remove(person) {
                return Err(format!("{person} is no member of {} by us", group.name));
            }
        }
    }
    Ok(())
}

fn join(plan: &Plan, target: &mut Owned) -> Result<(), String> {
    for action in &plan.actions {
        let Step::UpdateMembers { group, join, .. } = &action.step else { continue };
        for person in join {
            account(target, person)?;
            let owned = target.groups.get_mut(&group.group_id).ok_or_else(|| format!("{} is not ours", group.name))?;
            if !owned.members.insert(person.clone()) {
                return Err(format!("{person} is a member of {} already", group.name));
            }
        }
    }
    Ok(())
}
