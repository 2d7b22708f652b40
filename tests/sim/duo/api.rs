//! The end points: which path means what, who may ask, and what they answer.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::wire::{Answer, Request, decode_segments};
use super::answer::{self, Page};
use super::switch::{Category, IntegrationKind, MemberShape, Trashed, UnknownIds};
use super::{DuoSim, SimGroup, SimPerson};

/// The most ids that a list filter takes.
const LIST_IDS_MAX: usize = 100;

/// Answers one request. Its credentials are looked at first, as Duo checks even networks only after the signature.
pub(super) fn answer(duo: &mut DuoSim, request: &Request) -> Answer {
    let segments = decode_segments(&request.path);
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    if request.method == "GET" && segments == ["auth", "v2", "ping"] {
        return answer::object(&json!({ "time": duo.now() }));
    }
    if !matches!(segments.first(), Some(&("admin" | "auth"))) {
        return answer::not_found();
    }
    if let Err(refusal) = duo.check(request) {
        return answer::refused(refusal);
    }
    let kind = if segments.first() == Some(&"auth") { IntegrationKind::AuthApi } else { IntegrationKind::AdminApi };
    if kind != duo.switches.integration {
        return answer::forbidden(Some("Wrong integration type for this API."));
    }
    if request.method != "GET" {
        // Nothing that writes is simulated: the integration has no such permission.
        return answer::forbidden(None);
    }
    let Some(route) = Route::find(&segments) else { return answer::not_found() };
    if !duo.allows(route.category()) {
        return answer::throttled(&duo.switches);
    }
    route.read(duo, request).unwrap_or_else(|refused| refused)
}

/// What can be read.
enum Route<'a> {
    Users,
    User(&'a str),
    UserGroups(&'a str),
    Groups,
    Group(&'a str),
    GroupUsers(&'a str),
    Summary,
    AuthCheck,
}

impl<'a> Route<'a> {
    fn find(segments: &[&'a str]) -> Option<Self> {
        match *segments {
            ["admin", "v1", "users"] => Some(Self::Users),
            ["admin", "v1", "users", id] => Some(Self::User(id)),
            ["admin", "v1", "users", id, "groups"] => Some(Self::UserGroups(id)),
            ["admin", "v1", "groups"] => Some(Self::Groups),
            ["admin", "v1" | "v2", "groups", id] => Some(Self::Group(id)),
            ["admin", "v2", "groups", id, "users"] => Some(Self::GroupUsers(id)),
            ["admin", "v1", "info", "summary"] => Some(Self::Summary),
            ["auth", "v2", "check"] => Some(Self::AuthCheck),
            _ => None,
        }
    }

    fn category(&self) -> Category {
        match self {
            Self::Users | Self::UserGroups(_) | Self::Groups | Self::GroupUsers(_) => Category::Page,
            Self::User(_) | Self::Group(_) | Self::Summary | Self::AuthCheck => Category::Single,
        }
    }

    fn read(&self, duo: &DuoSim, request: &Request) -> Result<Answer, Answer> {
        let allowed = match self {
            Self::AuthCheck => true,
            Self::Summary => duo.switches.read_information,
            Self::Users | Self::User(_) | Self::UserGroups(_) | Self::Groups | Self::Group(_) | Self::GroupUsers(_) => {
                duo.switches.read_resource
            }
        };
        if !allowed {
            return Err(answer::forbidden(None));
        }
        match self {
            Self::Users => users(duo, request),
            Self::User(id) => Ok(answer::object(&duo.world.person_json(person(duo, id)?))),
            Self::UserGroups(id) => {
                let groups: Vec<_> = person(duo, id)?.groups.iter().filter_map(|id| duo.world.group(id)).collect();
                Ok(Page::read(request, &duo.switches, 500)?.answer(&duo.switches, &groups, |group| group.json()))
            }
            Self::Groups => groups(duo, request),
            Self::Group(id) => Ok(answer::object(&group(duo, id)?.json())),
            Self::GroupUsers(id) => members(duo, group(duo, id)?, request),
            Self::Summary => Ok(answer::object(&summary(duo))),
            Self::AuthCheck => Ok(answer::object(&json!({ "time": duo.now() }))),
        }
    }
}

fn person<'a>(duo: &'a DuoSim, user_id: &str) -> Result<&'a SimPerson, Answer> {
    duo.world.person(user_id).ok_or_else(answer::not_found)
}

fn group<'a>(duo: &'a DuoSim, group_id: &str) -> Result<&'a SimGroup, Answer> {
    duo.world.group(group_id).ok_or_else(answer::not_found)
}

fn users(duo: &DuoSim, request: &Request) -> Result<Answer, Answer> {
    let filters = ["user_id_list", "username_list", "username", "email"];
    let mut given = filters.into_iter().filter_map(|name| Some((name, request.parameter(name)?)));
    let filter = given.next();
    if let Some((other, _)) = given.next() {
        return Err(answer::invalid(other));
    }
    let shown = |person: &&SimPerson| duo.switches.trashed_in_users == Trashed::Shown || !person.is_trashed();
    let found: Vec<&SimPerson> = match filter {
        None => {
            let rows: Vec<_> = duo.world.people().filter(shown).collect();
            let page = Page::read(request, &duo.switches, 300)?;
            return Ok(page.answer(&duo.switches, &rows, |person| duo.world.person_json(person)));
        }
        Some(("user_id_list", list)) => listed(duo, "user_id_list", &list, |id| duo.world.person(id))?,
        Some(("username_list", list)) => listed(duo, "username_list", &list, |name| duo.world.find_person(name))?,
        Some(("username", name)) => duo.world.find_person(&name).into_iter().collect(),
        Some((_, email)) => {
            duo.world.people().filter(|person| person.email.to_lowercase() == email.to_lowercase()).collect()
        }
    };
    let rows: Vec<Value> = found.into_iter().map(|person| duo.world.person_json(person)).collect();
    Ok(answer::whole(&duo.switches, rows))
}

fn groups(duo: &DuoSim, request: &Request) -> Result<Answer, Answer> {
    if let Some(list) = request.parameter("group_id_list") {
        let found = listed(duo, "group_id_list", &list, |id| duo.world.group(id))?;
        let rows: Vec<Value> = found.into_iter().map(SimGroup::json).collect();
        return Ok(answer::whole(&duo.switches, rows));
    }
    let rows: Vec<_> = duo.world.groups().collect();
    let page = Page::read(request, &duo.switches, duo.switches.groups_page_max)?;
    Ok(page.answer(&duo.switches, &rows, |group| group.json()))
}

fn members(duo: &DuoSim, group: &SimGroup, request: &Request) -> Result<Answer, Answer> {
    let rows: Vec<_> = group
        .members
        .iter()
        .filter_map(|id| duo.world.person(id))
        .filter(|person| duo.switches.trashed_in_members == Trashed::Shown || !person.is_trashed())
        .collect();
    let page = Page::read(request, &duo.switches, 500)?;
    Ok(page.answer(&duo.switches, &rows, |person| match duo.switches.members {
        MemberShape::Brief => json!({ "user_id": person.user_id, "username": person.username }),
        MemberShape::Full => duo.world.person_json(person),
    }))
}

/// What a JSON list of ids or names finds, each once, in the order asked for.
fn listed<'a, T>(
    duo: &DuoSim,
    parameter: &str,
    list: &str,
    find: impl Fn(&str) -> Option<&'a T>,
) -> Result<Vec<&'a T>, Answer> {
    let keys: Vec<String> = serde_json::from_str(list).map_err(|_| answer::invalid(parameter))?;
    if keys.len() > LIST_IDS_MAX {
        return Err(answer::invalid(parameter));
    }
    let mut asked = BTreeSet::new();
    let mut found = Vec::new();
    for key in keys.iter().filter(|key| asked.insert(key.as_str())) {
        match (find(key), duo.switches.unknown_ids) {
            (Some(row), _) => found.push(row),
            (None, UnknownIds::Skipped) => {}
            (None, UnknownIds::NotFound) => return Err(answer::not_found()),
            (None, UnknownIds::BadRequest) => return Err(answer::invalid(parameter)),
        }
    }
    Ok(found)
}

fn summary(duo: &DuoSim) -> Value {
    json!({
        "admin_count": 1,
        "integration_count": 1,
        "telephony_credits_remaining": 0,
        "user_count": duo.world.people().filter(|person| !person.is_trashed()).count(),
        "user_pending_deletion_count": duo.world.people().filter(|person| person.is_trashed()).count(),
    })
}
