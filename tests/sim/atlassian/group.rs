//! `/Groups`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::wire::{Answer, Request};
use super::AtlassianSim;
use super::attribute::{GROUP, Mutability, Object};
use super::patch::{Operation, Verb, operations, pairs};
use super::path::{Place, Target, parse};
use super::query::Query;
use super::refusal::{Refusal, Shape, answer_json};
use super::render;
use super::setting::{AtlassianSettings, MemberRemoval, Rename};
use super::user::{list_answer, no_content, object};
use super::world::{Group, GroupKey, UserKey, World, folded};

impl AtlassianSim {
    pub(super) fn list_groups(&self, query: &Query) -> Result<Answer, Refusal> {
        let page = query.page()?;
        let shown = |group: &Group| render::group(&self.settings, &self.world, group);
        if let Some(filter) = query.filter(&GROUP, &["displayName"])? {
            let found = self.world.group_named(&filter.value).map(|(_, group)| group);
            return Ok(list_answer(found.into_iter(), usize::from(found.is_some()), page, shown));
        }
        Ok(list_answer(self.world.groups.values(), self.world.groups.len(), page, shown))
    }

    pub(super) fn read_group(&self, id: &str) -> Result<Answer, Refusal> {
        let (key, _) = self.world.group(id).ok_or_else(|| no_group(id))?;
        self.group_answer(200, key)
    }

    /// Whether Atlassian takes `members` and `externalId` here is not known; Entra sends both.
    pub(super) fn create_group(&mut self, request: &Request) -> Result<Answer, Refusal> {
        let body = object(request)?;
        let name = display_name(&body)?;
        let taken = self.settings.taken_group_names.iter().any(|taken| folded(taken) == folded(&name));
        if taken || self.world.group_named(&name).is_some() {
            // As relayed by Okta; the name is not in it.
            return Err(Refusal::taken("Resource [GROUP]: with displayName already exists."));
        }
        let members = self.named_members(&body, Refusal::value)?;
        let key = self.world.create_group(&self.settings, &name, text(&body, "externalId")?);
        self.world.set_members(key, members);
        self.group_answer(201, key)
    }

    /// A PUT spells out the group: members that it does not name are gone.
    pub(super) fn replace_group(&mut self, id: &str, request: &Request) -> Result<Answer, Refusal> {
        let body = object(request)?;
        let name = display_name(&body)?;
        let (key, group) = self.world.group(id).ok_or_else(|| no_group(id))?;
        let renamed = (group.name != name).then_some(name);
        // "400: the users referenced do not exist", in the shape of a Java exception: only here.
        let members = self.named_members(&body, |detail| Refusal {
            status: 400,
            shape: Shape::Exception("invalidValue"),
            detail,
        })?;
        self.check_rename(id, renamed)?;
        self.world.set_group_external_id(key, text(&body, "externalId")?);
        self.world.set_members(key, members);
        self.group_answer(200, key)
    }

    pub(super) fn patch_group(&mut self, id: &str, request: &Request) -> Result<Answer, Refusal> {
        let operations = operations(&object(request)?)?;
        let (key, group) = self.world.group(id).ok_or_else(|| no_group(id))?;
        let mut draft = Draft {
            settings: &self.settings,
            world: &self.world,
            group,
            members: group.members.clone(),
            external_id: group.external_id.clone(),
            renamed: None,
            named: 0,
        };
        for operation in &operations {
            draft.apply(operation)?;
        }
        let Draft { members, external_id, renamed, named, .. } = draft;
        check_number(&self.settings, named)?;
        self.check_rename(id, renamed)?;
        self.world.set_group_external_id(key, external_id);
        self.world.set_members(key, members);
        self.group_answer(200, key)
    }

    pub(super) fn delete_group(&mut self, id: &str) -> Result<Answer, Refusal> {
        let (key, _) = self.world.group(id).ok_or_else(|| no_group(id))?;
        self.world.delete_group(key);
        Ok(no_content())
    }

    fn group_answer(&self, status: u16, key: GroupKey) -> Result<Answer, Refusal> {
        let group = self.world.groups.get(&key).ok_or_else(|| no_group("?"))?;
        let mut answer = answer_json(status, &render::group(&self.settings, &self.world, group));
        if status == 201 {
            let location = render::location(&self.settings, &format!("Groups/{}", group.id));
            answer.headers.push(("location".to_owned(), location));
        }
        Ok(answer)
    }

    /// "Changing group names isn't supported"; with which answer is not known.
    fn check_rename(&mut self, id: &str, name: Option<String>) -> Result<(), Refusal> {
        let Some(name) = name else { return Ok(()) };
        self.watch.note(&self.settings, format!("a rename of group {id} to {name}"));
        match self.settings.rename {
            Rename::Ignored => Ok(()),
            Rename::Refused => Err(Refusal::bad("mutability", "Attribute displayName is immutable")),
        }
    }

    fn named_members(&self, body: &Object, refuse: impl Fn(String) -> Refusal) -> Result<BTreeSet<UserKey>, Refusal> {
        let ids = body.get("members").map_or(Ok(Vec::new()), member_ids)?;
        check_number(&self.settings, ids.len())?;
        let known = |id: &&str| self.world.user(id).map(|(key, _)| key);
        ids.iter().map(|id| known(id).ok_or_else(|| refuse(no_member(id)))).collect()
    }
}

/// A group in the middle of a PATCH, which succeeds as a whole or not at all.
struct Draft<'a> {
    settings: &'a AtlassianSettings,
    world: &'a World,
    group: &'a Group,
    members: BTreeSet<UserKey>,
    external_id: Option<String>,
    renamed: Option<String>,
    named: usize,
}

impl Draft<'_> {
    fn apply(&mut self, operation: &Operation) -> Result<(), Refusal> {
        for (path, value) in pairs(operation)? {
            let place = match parse(&GROUP, path) {
                Ok(Target::Attribute(place)) => place,
                Ok(Target::Unknown | Target::Extension(_)) => continue,
                Err(_) if operation.path.is_none() => continue,
                Err(refusal) => return Err(refusal),
            };
            let given = (operation.verb != Verb::Remove).then(|| value.as_str()).flatten();
            match place.attribute.name {
                "members" => self.apply_members(operation.verb, &place, value)?,
                "externalId" => self.external_id = given.map(str::to_owned),
                "displayName" => match given {
                    Some(name) if name == self.group.name => {}
                    Some(name) => self.renamed = Some(name.to_owned()),
                    None => return Err(Refusal::value("Attribute displayName must be a string")),
                },
                name if place.attribute.mutability == Mutability::ReadOnly && operation.path.is_some() => {
                    return Err(Refusal::bad("mutability", format!("Attribute {name} is read-only")));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn apply_members(&mut self, verb: Verb, place: &Place, value: &Value) -> Result<(), Refusal> {
        if place.part.is_some() {
            return Err(Refusal::bad("invalidPath", "The parts of a member cannot be changed"));
        }
        match (verb, &place.condition) {
            (Verb::Add, None) => {
                let added = self.keys(value)?;
                self.members.extend(added);
            }
            (Verb::Replace, None) => self.members = self.keys(value)?,
            (Verb::Remove, None) => self.remove_values(value)?,
            (Verb::Remove, Some(_)) => {
                self.named += 1;
                match self.settings.member_removal {
                    MemberRemoval::Both | MemberRemoval::FilterOnly => {
                        let meant = self.meant(place);
                        self.members.retain(|key| !meant.contains(key));
                    }
                    MemberRemoval::ValuesOnly => {}
                }
            }
            (Verb::Replace, Some(_)) => {
                let meant = self.meant(place);
                if meant.is_empty() {
                    return Err(Refusal::bad("noTarget", "No value of members matches"));
                }
                let added = self.keys(value)?;
                self.members.retain(|key| !meant.contains(key));
                self.members.extend(added);
            }
            (Verb::Add, Some(_)) => return Err(Refusal::bad("invalidPath", "A member is added without a filter")),
        }
        Ok(())
    }

    /// `remove members` with a list of values is not of the RFC. A strict server does not read the list and removes
    /// everybody, which happened to a client of Entra.
    fn remove_values(&mut self, value: &Value) -> Result<(), Refusal> {
        if value.is_null() || self.settings.member_removal == MemberRemoval::FilterOnly {
            self.members.clear();
            return Ok(());
        }
        let ids = member_ids(value)?;
        self.named += ids.len();
        for id in ids {
            if let Some((key, _)) = self.world.user(id) {
                self.members.remove(&key);
            }
        }
        Ok(())
    }

    fn keys(&mut self, value: &Value) -> Result<BTreeSet<UserKey>, Refusal> {
        let ids = member_ids(value)?;
        self.named += ids.len();
        // "404: directory, group, or user does not exist".
        let key = |id: &str| self.world.user(id).map(|(key, _)| key).ok_or_else(|| Refusal::missing(no_member(id)));
        ids.into_iter().map(key).collect()
    }

    fn meant(&self, place: &Place) -> BTreeSet<UserKey> {
        let Some(condition) = &place.condition else { return BTreeSet::new() };
        let asked = condition.value.as_str().unwrap_or_default();
        let found = match condition.part.name {
            "value" => self.world.user(asked),
            "display" => self.world.user_named(asked),
            _ => None,
        };
        found.map(|(key, _)| key).filter(|key| self.members.contains(key)).into_iter().collect()
    }
}

fn check_number(settings: &AtlassianSettings, named: usize) -> Result<(), Refusal> {
    let max = settings.members_per_request_max;
    if max > 0 && named > max {
        return Err(Refusal::bad("tooMany", format!("{named} members in one request; {max} are allowed")));
    }
    Ok(())
}

/// The ids in a list of members, or in one that came without its list.
fn member_ids(value: &Value) -> Result<Vec<&str>, Refusal> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        Value::Null => &[],
        one @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => std::slice::from_ref(one),
    };
    let id = |item| Value::get(item, "value").and_then(Value::as_str).filter(|id| !id.is_empty());
    items.iter().map(|item| id(item).ok_or_else(|| Refusal::value("Every member needs a value"))).collect()
}

fn display_name(body: &Object) -> Result<String, Refusal> {
    let name = text(body, "displayName")?.filter(|name| !name.trim().is_empty());
    name.ok_or_else(|| Refusal::value("Attribute displayName is required"))
}

fn text(body: &Object, name: &str) -> Result<Option<String>, Refusal> {
    match body.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refusal::value(format!("Attribute {name} must be a string"))),
    }
}

fn no_group(id: &str) -> Refusal {
    Refusal::missing(format!("Resource [GROUP] with id [{id}] not found"))
}

fn no_member(id: &str) -> String {
    format!("Resource [USER] with id [{id}] not found")
}
