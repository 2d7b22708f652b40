//! `/Users`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::wire::{Answer, Request};
use super::AtlassianSim;
use super::attribute::{Object, USER, checked};
use super::change::Touch;
use super::patch::{apply, operations};
use super::query::{Choice, Query};
use super::refusal::{Refusal, answer_json};
use super::render::{self, Occasion, chosen};
use super::world::{User, UserKey, folded, primary_email};

impl AtlassianSim {
    pub(super) fn list_users(&self, query: &Query) -> Result<Answer, Refusal> {
        let (page, choice) = (query.page()?, query.choice()?);
        let shown = |user: &User| chosen(render::user(&self.settings, &self.world, user, Occasion::Read), &choice);
        // Only these two: KB about the filters, and "E-mail filter: not supported".
        if let Some(filter) = query.filter(&USER, &["userName", "externalId"])? {
            let found = match filter.attribute {
                "userName" => self.world.user_named(&filter.value),
                _ => self.world.user_with_external_id(&filter.value),
            };
            let seen = found.filter(|(_, user)| {
                user.created_by + self.settings.visible_after < self.world.request
                    || user.created_ms.saturating_add(self.settings.visible_within_ms) <= self.world.now_ms
            });
            return Ok(list_answer(seen.map(|(_, user)| user).into_iter(), 1.min(seen.iter().len()), page, shown));
        }
        Ok(list_answer(self.world.users.values(), self.world.users.len(), page, shown))
    }

    pub(super) fn read_user(&self, id: &str, query: &Query) -> Result<Answer, Refusal> {
        let choice = query.choice()?;
        let (_, user) = self.world.user(id).ok_or_else(|| no_user(id))?;
        let shown = render::user(&self.settings, &self.world, user, Occasion::Read);
        Ok(answer_json(200, &chosen(shown, &choice)))
    }

    pub(super) fn create_user(&mut self, request: &Request, query: &Query) -> Result<Answer, Refusal> {
        let choice = query.choice()?;
        let attributes = whole_user(&object(request)?)?;
        self.check_unique(None, &attributes)?;
        self.check_seat(None, &attributes)?;
        let key = self.world.create_user(attributes);
        self.user_answer(201, key, &choice)
    }

    pub(super) fn replace_user(&mut self, id: &str, request: &Request, query: &Query) -> Result<Answer, Refusal> {
        let choice = query.choice()?;
        let attributes = whole_user(&object(request)?)?;
        let (key, _) = self.world.user(id).ok_or_else(|| no_user(id))?;
        self.commit_user(key, attributes, Touch::Profile)?;
        self.user_answer(200, key, &choice)
    }

    pub(super) fn patch_user(&mut self, id: &str, request: &Request, query: &Query) -> Result<Answer, Refusal> {
        let choice = query.choice()?;
        let operations = operations(&object(request)?)?;
        let (key, user) = self.world.user(id).ok_or_else(|| no_user(id))?;
        // A copy is changed and kept only if every operation succeeds: a PATCH is atomic (RFC 7644, 3.5.2).
        let mut draft = user.attributes.clone();
        let mut named = BTreeSet::new();
        for operation in &operations {
            apply(&USER, &mut draft, operation, &mut named)?;
        }
        draft.entry("active").or_insert(Value::Bool(true));
        check_user(&draft)?;
        let touch = if named.iter().all(|name| *name == "active") { Touch::ActiveOnly } else { Touch::Profile };
        self.commit_user(key, draft, touch)?;
        self.user_answer(200, key, &choice)
    }

    pub(super) fn delete_user(&mut self, id: &str) -> Result<Answer, Refusal> {
        let (key, _) = self.world.user(id).ok_or_else(|| no_user(id))?;
        self.world.delete_user(key);
        Ok(no_content())
    }

    fn commit_user(&mut self, key: UserKey, attributes: Object, touch: Touch) -> Result<(), Refusal> {
        self.check_unique(Some(key), &attributes)?;
        self.check_seat(Some(key), &attributes)?;
        if let Some(user) = self.world.users.get(&key)
            && touch == Touch::Profile
            && !self.settings.manages(user.email())
        {
            let what = format!("an attribute update of {}, whose account is not managed", user.user_name());
            self.watch.note(&self.settings, what);
        }
        self.world.change_user(&self.settings, key, attributes, touch);
        Ok(())
    }

    fn user_answer(&self, status: u16, key: UserKey, choice: &Choice) -> Result<Answer, Refusal> {
        let user = self.world.users.get(&key).ok_or_else(|| no_user("?"))?;
        let shown = render::user(&self.settings, &self.world, user, Occasion::Write);
        let mut answer = answer_json(status, &chosen(shown, choice));
        if status == 201 {
            let location = render::location(&self.settings, &format!("Users/{}", user.id));
            answer.headers.push(("location".to_owned(), location));
        }
        Ok(answer)
    }

    /// KB "Failed to update when attempting to provision a user" names three causes of a 409: a record with the same
    /// e-mail, userName or externalId. The specification calls the last one the client's business.
    pub(super) fn check_unique(&self, own: Option<UserKey>, attributes: &Object) -> Result<(), Refusal> {
        let text = |name: &str| attributes.get(name).and_then(Value::as_str);
        let other = |found: Option<(UserKey, &User)>| found.is_some_and(|(key, _)| Some(key) != own);
        let taken = |what: &str, value: &str| {
            Err(Refusal::taken(format!("Resource [USER]: with {what}[{value}] already exists.")))
        };
        let user_name = text("userName").unwrap_or_default();
        if other(self.world.user_named(user_name)) {
            return taken("userName", user_name);
        }
        let email = primary_email(attributes);
        if other(self.world.user_with_email(email)) || self.email_is_elsewhere(own, email) {
            return taken("email", email);
        }
        match text("externalId") {
            Some(id) if other(self.world.user_with_external_id(id)) => taken("externalId", id),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether an account outside of the directory's records has the address. For a new user that account is the one to
    /// link; for a linked one that moves to the address, it is in the way.
    fn email_is_elsewhere(&self, own: Option<UserKey>, email: &str) -> bool {
        let own = own.and_then(|key| self.world.users.get(&key));
        if own.is_some_and(|user| folded(user.email()) == folded(email)) {
            return false;
        }
        let moves = own.is_some_and(|user| user.account_id.is_some() && self.settings.manages(user.email()));
        let in_the_way = moves && self.settings.manages(email) && self.world.account_of(email).is_some();
        in_the_way || self.settings.taken_emails.iter().any(|taken| folded(taken) == folded(email))
    }

    /// What SCIM answers when a licence is full is not known; the word is that of the admin API.
    fn check_seat(&self, own: Option<UserKey>, attributes: &Object) -> Result<(), Refusal> {
        let Some(seats_max) = self.settings.seats_max else { return Ok(()) };
        let had = own.and_then(|key| self.world.users.get(&key)).is_some_and(User::active);
        let wants = attributes.get("active") == Some(&Value::Bool(true));
        let used = || self.world.users.values().filter(|user| user.active()).count();
        if wants && !had && used() >= seats_max {
            return Err(Refusal::value("licenceExceeded: the maximum number of users for your plan is reached"));
        }
        Ok(())
    }
}

/// A page of a list; `total` is the number of all items.
pub(super) fn list_answer<'a, T: 'a>(
    items: impl Iterator<Item = &'a T>,
    total: usize,
    page: super::query::Page,
    shown: impl Fn(&T) -> Value,
) -> Answer {
    let resources: Vec<Value> = items.skip(page.start - 1).take(page.count).map(shown).collect();
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": total,
        "startIndex": page.start,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    });
    answer_json(200, &body)
}

pub(super) fn no_content() -> Answer {
    Answer { status: 204, headers: Vec::new(), body: Vec::new() }
}

/// The body of a write.
pub(super) fn object(request: &Request) -> Result<Object, Refusal> {
    serde_json::from_slice(&request.body).map_err(|_| Refusal::bad("invalidSyntax", "The body is not a JSON object"))
}

fn no_user(id: &str) -> Refusal {
    Refusal::missing(format!("Resource [USER] with id [{id}] not found"))
}

/// A user that a POST or PUT spells out: `active` "will default to true if not provided", so that a PUT without it
/// reactivates.
pub(super) fn whole_user(body: &Object) -> Result<Object, Refusal> {
    let mut attributes = checked(&USER, body)?;
    attributes.entry("active").or_insert(Value::Bool(true));
    check_user(&attributes)?;
    Ok(attributes)
}

pub(super) fn check_user(attributes: &Object) -> Result<(), Refusal> {
    let user_name = attributes.get("userName").and_then(Value::as_str).unwrap_or_default();
    if user_name.trim().is_empty() {
        return Err(Refusal::value("Attribute userName is required"));
    }
    let emails = attributes.get("emails").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if emails.is_empty() {
        return Err(Refusal::value("Attribute emails is required"));
    }
    for email in emails {
        let value = email.get("value").and_then(Value::as_str).unwrap_or_default();
        let known = value.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
        if !known || value.contains(char::is_whitespace) {
            return Err(Refusal::value(format!("Attribute emails has an invalid address [{value}]")));
        }
    }
    // "One value must be marked as primary."
    match emails.iter().filter(|email| email.get("primary") == Some(&Value::Bool(true))).count() {
        1 => Ok(()),
        _ => Err(Refusal::value("Attribute emails needs exactly one primary value")),
    }
}
