//! What can be changed while the program runs: one JSON object a line in, one out.

use crate::sim::duo::DuoWorld;
use crate::sim::stage::Stage;
use crate::sim::wire::Effect;
use crate::sim::wire::Fault;
use crate::sim::wire::Match;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;
use std::time::Duration;

/// Every order, for the help.
pub(crate) const HELP: &str = "\
Orders, one JSON object a line on stdin, each answered by a line on stdout. A person is a username
or an id, a group is a name or an id:
  {\"add_person\": {\"username\": \"ana\", \"email\": \"ana@example.com\", \"realname\": \"Ana Sousa\",
                  \"firstname\": \"Ana\", \"lastname\": \"Sousa\", \"groups\": [\"sales\"]}}
  {\"set\": {\"person\": \"ana\", \"email\": \"ana.sousa@example.com\"}}
        also username, realname, firstname, lastname, notes, and status: \"active\", \"bypass\",
        \"disabled\", \"locked out\", \"pending deletion\"
  {\"remove_person\": {\"person\": \"ana\"}}
  {\"join\": {\"person\": \"ana\", \"group\": \"sales\"}}
  {\"leave\": {\"person\": \"ana\", \"group\": \"sales\"}}
  {\"add_group\": {\"name\": \"sales\"}}
  {\"set_group\": {\"group\": \"sales\", \"name\": \"revenue\"}}
        also status: \"Active\", \"Bypass\", \"Disabled\"
  {\"remove_group\": {\"group\": \"sales\"}}
  {\"lose_answer\": {\"method\": \"POST\", \"path\": \"/Users\"}}
        Atlassian does the next such request, and the connection closes without an answer
  {\"never_answer\": {\"service\": \"duo\"}}
        or \"atlassian\"; also method and path: from now on such requests get no answer, and are not done
  {\"answer_late\": {\"service\": \"atlassian\", \"method\": \"POST\", \"path\": \"/Users\", \"seconds\": 60}}
        the next such request is done at once, and answered so much later
  {\"behave\": {}}
        forgets the last three kinds of orders
  {\"violations\": {}}
        what the directory saw that this product promises never to do

Exit codes: 0 interrupted or end of input, 1 a port or the folder cannot be used, 2 bad arguments.";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Order {
    AddPerson(NewPerson),
    Set(PersonChange),
    RemovePerson(OnePerson),
    Join(Membership),
    Leave(Membership),
    AddGroup(NewGroup),
    SetGroup(GroupChange),
    RemoveGroup(OneGroup),
    LoseAnswer(Lost),
    NeverAnswer(Unanswered),
    AnswerLate(Late),
    Behave(Nothing),
    Violations(Nothing),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPerson {
    username: String,
    email: String,
    realname: Option<String>,
    firstname: Option<String>,
    lastname: Option<String>,
    #[serde(default)]
    groups: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonChange {
    person: String,
    username: Option<String>,
    email: Option<String>,
    realname: Option<String>,
    firstname: Option<String>,
    lastname: Option<String>,
    notes: Option<String>,
    status: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnePerson {
    person: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Membership {
    person: String,
    group: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewGroup {
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupChange {
    group: String,
    name: Option<String>,
    status: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OneGroup {
    group: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lost {
    method: String,
    path: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Service {
    Duo,
    Atlassian,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unanswered {
    service: Service,
    method: Option<String>,
    path: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Late {
    service: Service,
    method: Option<String>,
    path: Option<String>,
    seconds: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Carries out one order; the answer is `{"ok": ...}` or `{"error": "..."}`.
pub(crate) fn answer(stage: &Stage, line: &str) -> Value {
    let outcome = match serde_json::from_str::<Order>(line) {
        Ok(Order::Violations(Nothing {})) => Ok(json!(stage.atlassian.with(|directory| directory.violations()))),
        Ok(Order::LoseAnswer(lost)) => {
            let on = Match::method(&lost.method).containing(&lost.path);
            stage.atlassian.fault(Fault::once(on, Effect::CloseAfter));
            Ok(Value::Null)
        }
        Ok(Order::NeverAnswer(Unanswered { service, method, path })) => {
            let on = requests(method.as_deref(), path.as_deref());
            match service {
                Service::Duo => stage.duo.fault(Fault::always(on, Effect::Never)),
                Service::Atlassian => stage.atlassian.fault(Fault::always(on, Effect::Never)),
            }
            Ok(Value::Null)
        }
        Ok(Order::AnswerLate(Late { service, method, path, seconds })) => {
            let (on, by) = (requests(method.as_deref(), path.as_deref()), Duration::from_secs(seconds));
            match service {
                Service::Duo => stage.duo.fault(Fault::once(on, Effect::Delay(by))),
                Service::Atlassian => stage.atlassian.fault(Fault::once(on, Effect::Delay(by))),
            }
            Ok(Value::Null)
        }
        Ok(Order::Behave(Nothing {})) => {
            stage.duo.clear_faults();
            stage.atlassian.clear_faults();
            Ok(Value::Null)
        }
        Ok(order) => stage.duo.with(|duo| carry_out(&mut duo.world, order)).map(Value::String),
        Err(error) => Err(format!("not an order: {error}")),
    };
    match outcome {
        Ok(value) => json!({ "ok": value }),
        Err(error) => json!({ "error": error }),
    }
}

/// The requests of this method, if it matters, with this in their path, if it matters.
fn requests(method: Option<&str>, path: Option<&str>) -> Match {
    let on = method.map_or_else(Match::any, Match::method);
    path.map_or_else(|| on.clone(), |path| on.clone().containing(path))
}

/// Does it and says the id of the person or group it was about.
fn carry_out(world: &mut DuoWorld, order: Order) -> Result<String, String> {
    match order {
        Order::AddPerson(new) => add_person(world, new),
        Order::Set(change) => set_person(world, change),
        Order::RemovePerson(one) => {
            let user_id = person(world, &one.person)?;
            world.remove_person(&user_id);
            Ok(user_id)
        }
        Order::Join(membership) => {
            let (user_id, group_id) = both(world, &membership)?;
            world.join(&user_id, &group_id);
            Ok(user_id)
        }
        Order::Leave(membership) => {
            let (user_id, group_id) = both(world, &membership)?;
            world.leave(&user_id, &group_id);
            Ok(user_id)
        }
        Order::AddGroup(new) => Ok(world.add_group(&new.name)),
        Order::SetGroup(change) => {
            let group_id = group(world, &change.group)?;
            let changed = world.group_mut(&group_id);
            changed.name = change.name.unwrap_or_else(|| changed.name.clone());
            changed.status = change.status.unwrap_or_else(|| changed.status.clone());
            Ok(group_id)
        }
        Order::RemoveGroup(one) => {
            let group_id = group(world, &one.group)?;
            world.remove_group(&group_id);
            Ok(group_id)
        }
        Order::LoseAnswer(_)
        | Order::NeverAnswer(_)
        | Order::AnswerLate(_)
        | Order::Behave(_)
        | Order::Violations(_) => Err("that is not about Duo's people".to_owned()),
    }
}

fn add_person(world: &mut DuoWorld, new: NewPerson) -> Result<String, String> {
    if world.find_person(&new.username).is_some() {
        return Err(format!("there is a person `{}` already", new.username));
    }
    let groups = new.groups.iter().map(|name| group(world, name)).collect::<Result<Vec<_>, _>>()?;
    let user_id = world.add_person(&new.username, &new.email);
    let made = world.person_mut(&user_id);
    (made.realname, made.firstname, made.lastname) = (new.realname, new.firstname, new.lastname);
    for group_id in &groups {
        world.join(&user_id, group_id);
    }
    Ok(user_id)
}

fn set_person(world: &mut DuoWorld, change: PersonChange) -> Result<String, String> {
    let user_id = person(world, &change.person)?;
    let changed = world.person_mut(&user_id);
    for (field, value) in [
        (&mut changed.username, change.username),
        (&mut changed.email, change.email),
        (&mut changed.status, change.status),
    ] {
        *field = value.unwrap_or_else(|| field.clone());
    }
    for (field, value) in [
        (&mut changed.realname, change.realname),
        (&mut changed.firstname, change.firstname),
        (&mut changed.lastname, change.lastname),
    ] {
        *field = value.or_else(|| field.clone());
    }
    changed.notes = change.notes.unwrap_or_else(|| changed.notes.clone());
    Ok(user_id)
}

fn person(world: &DuoWorld, name: &str) -> Result<String, String> {
    let found = world.person(name).or_else(|| world.find_person(name));
    found.map(|person| person.user_id.clone()).ok_or_else(|| format!("there is no person `{name}`"))
}

fn group(world: &DuoWorld, name: &str) -> Result<String, String> {
    let found = world.group(name).or_else(|| world.find_group(name));
    found.map(|group| group.group_id.clone()).ok_or_else(|| format!("there is no group `{name}`"))
}

fn both(world: &DuoWorld, membership: &Membership) -> Result<(String, String), String> {
    Ok((person(world, &membership.person)?, group(world, &membership.group)?))
}
