//! Small worlds, one change, and the plan as a picture.

use super::*;
use crate::desired::{Access, DesiredAccount, DesiredGroup, Inactive, Standing};
use crate::model::{Attribute, Attributes, GroupId, ObservedAccount, ObservedGroup, OwnedAccount, OwnedGroup, ScimId};

mod clash;
mod drift;
mod group;

/// A world in the domain's words. `settled` makes it owned as it is desired.
#[derive(Clone)]
struct World {
    desired: Desired,
    owned: Owned,
    rules: Rules,
    confirmed: BTreeSet<PersonId>,
    observed: Option<Observed>,
    before: Option<(Desired, Rules)>,
}

fn id(name: &str) -> PersonId {
    PersonId::new(format!("DU{name}"))
}

fn attributes(name: &str) -> Attributes {
    let email = format!("{}@example.com", name.to_lowercase());
    [(Attribute::UserName, name), (Attribute::Emails, &email)].into_iter().collect()
}

impl World {
    /// Everyone active, in the groups named after `in`: `"ana in eng ops"`.
    fn with(people: &[&str]) -> Self {
        let rules = Rules {
            groups: Vec::new(),
            exclude_group_information: false,
            disabled_groups: Access::Keep,
            disabled_people: Access::Deactivate,
            pending_deletion_people: Access::Deactivate,
            locked_out_people: Access::Keep,
            mapping: BTreeMap::new(),
            blocked_people: BTreeSet::new(),
            pilot_people: BTreeSet::new(),
            excluded_people: BTreeSet::new(),
            protected_groups: ["site-admins".to_owned()].into(),
            verified_domains: ["example.com".to_owned()].into(),
            grace_hours: 0,
        };
        let desired = Desired { manages_groups: true, ..Desired::default() };
        let mut world =
            Self { desired, owned: Owned::default(), rules, confirmed: BTreeSet::new(), observed: None, before: None };
        for line in people {
            let (name, groups) = line.split_once(" in ").unwrap();
            world.hire(name, &groups.split(' ').collect::<Vec<_>>());
        }
        world
    }

    fn settled(mut self) -> Self {
        for (id, desired) in &self.desired.accounts {
            let account = OwnedAccount {
                scim_id: ScimId::new(format!("s-{id}")),
                username: desired.username.clone(),
                attributes: desired.attributes.clone().unwrap(),
                active: true,
                refused: Attributes::new(),
                left_scope_at: None,
            };
            self.owned.accounts.insert(id.clone(), account);
        }
        for (id, desired) in &self.desired.groups {
            let group = OwnedGroup {
                scim_id: ScimId::new(format!("s-{id}")),
                name: desired.name.clone(),
                members: desired.members.clone(),
            };
            self.owned.groups.insert(id.clone(), group);
        }
        self
    }

    fn hire(&mut self, name: &str, groups: &[&str]) {
        let account = DesiredAccount {
            username: name.into(),
            standing: Standing::Active,
            attributes: Ok(attributes(name)),
            groups: groups.iter().map(|group| GroupId::new(format!("DG{group}"))).collect(),
        };
        self.desired.accounts.insert(id(name), account);
        for group in groups {
            let fresh = DesiredGroup {
                name: (*group).into(),
                source_name: (*group).into(),
                members: BTreeSet::new(),
                untouched: None,
            };
            self.desired.groups.entry(GroupId::new(format!("DG{group}"))).or_insert(fresh).members.insert(id(name));
        }
    }

    /// Read by id, and in no group any more.
    fn leaves(&mut self, name: &str) {
        for group in self.desired.groups.values_mut() {
            group.members.remove(&id(name));
        }
        let account = self.desired.accounts.get_mut(&id(name)).unwrap();
        account.groups.clear();
        account.standing = Standing::Inactive(Inactive::LeftScope);
        self.confirmed.insert(id(name));
    }

    fn account(&mut self, name: &str) -> &mut DesiredAccount {
        self.desired.accounts.get_mut(&id(name)).unwrap()
    }

    fn owned(&mut self, name: &str) -> &mut OwnedAccount {
        self.owned.accounts.get_mut(&id(name)).unwrap()
    }

    fn set(&mut self, name: &str, attribute: Attribute, value: &str) {
        self.account(name).attributes.as_mut().unwrap().set(attribute, value);
    }

    fn plan(&self) -> Plan {
        self.plan_with(&self.owned, None)
    }

    fn plan_with(&self, owned: &Owned, drift: Option<&Drift>) -> Plan {
        let capabilities =
            Capabilities { group_members_max: 3, group_names_ignored: ["administrators".to_owned()].into() };
        Plan::compute(&Inputs {
            desired: &self.desired,
            rules: &self.rules,
            before: self.before.as_ref().map(|(desired, rules)| (desired, rules)),
            owned,
            drift,
            observed: self.observed.as_ref(),
            confirmed: &self.confirmed,
            pinned: &BTreeMap::new(),
            capabilities: &capabilities,
            now: Timestamp::from_seconds(1_000_000),
        })
    }

    fn picture(&self) -> String {
        picture(&self.plan())
    }
}

fn picture(plan: &Plan) -> String {
    let mut lines = Vec::new();
    for action in &plan.actions {
        let what = match &action.step {
            Step::Update { changes, .. } | Step::Reactivate { changes, .. } => {
                let change =
                    |(a, c): (&Attribute, &Change)| format!("{a}: {} -> {}", c.from.as_deref().unwrap_or("-"), c.to);
                changes.iter().map(change).collect::<Vec<_>>().join(", ")
            }
            Step::UpdateMembers { join, leave, .. } => {
                let signed = |sign: char, ids: &[PersonId]| {
                    ids.iter().map(|id| format!("{sign}{}", plan.name_of(id))).collect::<Vec<_>>()
                };
                [signed('+', join), signed('-', leave)].concat().join(" ")
            }
            Step::AdoptGroup { members, .. } => format!("{} members", members.len()),
            Step::Adopt { active, .. } => format!("active {active}"),
            Step::Create { .. } | Step::Deactivate { .. } | Step::CreateGroup { .. } => String::new(),
        };
        lines.push(format!("{} [{}] {what} ({})", action.id(), action.cause.as_str(), action.reason));
    }
    for skipped in &plan.skipped {
        let who = match &skipped.subject {
            Subject::Person(person) => &person.username,
            Subject::Group(group) => &group.name,
        };
        lines.push(format!("skip {who}: {}", skipped.reason));
    }
    if !plan.unconfirmed.is_empty() {
        lines.push(format!("unconfirmed {:?}", plan.unconfirmed));
    }
    lines.push(format!("unchanged {}", plan.unchanged));
    lines.join("\n")
}

#[test]
fn a_first_plan_creates_everyone_and_fills_the_groups() {
    let world = World::with(&["ana in eng ops", "bo in eng"]);
    insta::assert_snapshot!(world.picture(), @r#"
    create:DUana [source]  (in eng, ops)
    create:DUbo [source]  (in eng)
    create_group:DGeng [source]  (selected in Duo as "eng")
    create_group:DGops [source]  (selected in Duo as "ops")
    members:DGeng:source [source] +ana +bo (membership in Duo)
    members:DGops:source [source] +ana (membership in Duo)
    unchanged 0
    "#);
}

#[test]
fn a_settled_world_has_nothing_to_do() {
    let world = World::with(&["ana in eng ops", "bo in eng"]).settled();
    assert_eq!(world.picture(), "unchanged 2");
}

#[test]
fn a_person_who_left_every_group_is_deactivated() {
    let mut world = World::with(&["ana in eng", "bo in eng ops"]).settled();
    world.leaves("bo");
    insta::assert_snapshot!(world.picture(), @r#"
    deactivate:DUbo [source]  (left every group in scope (was in: eng, ops))
    members:DGeng:source [source] -bo (membership in Duo)
    members:DGops:source [source] -bo (membership in Duo)
    unchanged 1
    "#);
}

#[test]
fn an_absence_that_was_not_asked_for_by_id_is_unconfirmed() {
    let mut world = World::with(&["ana in eng", "bo in eng"]).settled();
    world.desired.accounts.remove(&id("bo"));
    world.desired.groups.get_mut(&GroupId::new("DGeng")).unwrap().members.remove(&id("bo"));
    assert_eq!(world.plan().unconfirmed, [id("bo")].into());
    world.confirmed.insert(id("bo"));
    insta::assert_snapshot!(world.picture(), @r#"
    deactivate:DUbo [source]  (no longer in Duo (was in: eng))
    members:DGeng:source [source] -bo (membership in Duo)
    unchanged 1
    "#);
}

#[test]
fn changed_attributes_are_patched_one_by_one_and_an_emptied_one_stays() {
    let mut world = World::with(&["ana in eng"]);
    world.set("ana", Attribute::Title, "Engineer");
    world.set("ana", Attribute::DisplayName, "Ana");
    let mut world = world.settled();
    world.set("ana", Attribute::Title, "");
    world.set("ana", Attribute::DisplayName, "Ana Lima");
    world.set("ana", Attribute::UserName, "ANA");
    insta::assert_snapshot!(world.picture(), @r#"
    update:DUana [source] displayName: Ana -> Ana Lima (changed in Duo: displayName)
    unchanged 0
    "#);
    world.owned("ana").refused.set(Attribute::DisplayName, "Ana Lima");
    assert_eq!(world.picture(), "unchanged 1", "a value that the target did not take is not sent again");
}

#[test]
fn an_unmanaged_account_gets_memberships_and_active_only() {
    let mut world = World::with(&["ana in eng"]);
    world.set("ana", Attribute::Emails, "ana@elsewhere.org");
    let mut world = world.settled();
    world.set("ana", Attribute::DisplayName, "Ana");
    world.hire("bo", &["ops"]);
    world.account("ana").groups.insert(GroupId::new("DGops"));
    world.desired.groups.get_mut(&GroupId::new("DGops")).unwrap().members.insert(id("ana"));
    insta::assert_snapshot!(world.picture(), @r#"
    create:DUbo [source]  (in ops)
    create_group:DGops [source]  (selected in Duo as "ops")
    members:DGops:source [source] +ana +bo (membership in Duo)
    skip ana: elsewhere.org is not in atlassian.verified_domains: changed attributes are not sent, since any attribute update can unlink an unmanaged account
    unchanged 1
    "#);
}

#[test]
fn a_new_account_that_will_be_unmanaged_says_so() {
    let mut world = World::with(&["ana in eng"]);
    world.set("ana", Attribute::Emails, "ana@elsewhere.org");
    insta::assert_snapshot!(world.picture(), @r#"
    create:DUana [source]  (in eng; unmanaged, since elsewhere.org is not in atlassian.verified_domains: later changes of attributes are not sent)
    create_group:DGeng [source]  (selected in Duo as "eng")
    members:DGeng:source [source] +ana (membership in Duo)
    unchanged 0
    "#);
}

#[test]
fn who_comes_back_is_reactivated_with_what_changed_meanwhile() {
    let mut world = World::with(&["ana in eng"]).settled();
    world.owned("ana").active = false;
    world.owned.groups.get_mut(&GroupId::new("DGeng")).unwrap().members.clear();
    world.set("ana", Attribute::Emails, "ana.lima@example.com");
    insta::assert_snapshot!(world.picture(), @r#"
    reactivate:DUana [source] emails: ana@example.com -> ana.lima@example.com (back in eng)
    members:DGeng:source [source] +ana (membership in Duo)
    unchanged 0
    "#);
    world.account("ana").standing = Standing::Keep("locked out in Duo".into());
    assert_eq!(world.picture(), "unchanged 1", "nobody is reactivated by a status that only keeps");
    // What could not be taken from her then is taken now, and nothing is given.
    world.hire("ana", &["ops"]);
    world.account("ana").standing = Standing::Keep("locked out in Duo".into());
    world.desired.groups.get_mut(&GroupId::new("DGeng")).unwrap().members.clear();
    for (group, name) in [("DGeng", "eng"), ("DGops", "ops")] {
        let members = if name == "eng" { [id("ana")].into() } else { BTreeSet::new() };
        let owned = OwnedGroup { scim_id: ScimId::new(format!("s-{group}")), name: name.into(), members };
        world.owned.groups.insert(GroupId::new(group), owned);
    }
    insta::assert_snapshot!(world.picture(), @r#"
    members:DGeng:source [source] -ana (membership in Duo)
    unconfirmed {DUana}
    unchanged 1
    "#);
}

#[test]
fn lists_limit_actions_and_never_deactivate() {
    let mut world = World::with(&["ana in eng", "bo in eng"]).settled();
    world.hire("cy", &["eng"]);
    world.leaves("bo");
    world.rules.pilot_people = ["cy".to_owned()].into();
    insta::assert_snapshot!(world.picture(), @r#"
    create:DUcy [source]  (in eng)
    members:DGeng:source [source] +cy (membership in Duo)
    unchanged 2
    "#);
    world.rules.excluded_people = ["cy".to_owned()].into();
    assert_eq!(world.picture(), "unchanged 2");
}

#[test]
fn a_grace_period_delays_those_who_only_left_the_scope() {
    let mut world = World::with(&["ana in eng", "bo in eng"]).settled();
    world.rules.grace_hours = 24;
    world.leaves("ana");
    world.leaves("bo");
    world.account("bo").standing = Standing::Inactive(Inactive::Status("disabled".into()));
    insta::assert_snapshot!(world.picture(), @r#"
    deactivate:DUbo [source]  (disabled in Duo (was in: eng))
    members:DGeng:source [source] -bo (membership in Duo)
    skip ana: left the scope; keeps account and memberships until 1970-01-13T13:46:40Z (deprovisioning.grace_hours)
    unchanged 1
    "#);
    world.owned("ana").left_scope_at = Some(Timestamp::from_seconds(1_000_000 - 86_400));
    assert!(world.picture().contains("deactivate:DUana [source]  (left every group in scope (was in: eng))"));
    assert_eq!(world.plan().left_scope(), [id("ana")].into(), "the time is over, and she is still missing");
}

#[test]
fn what_follows_from_new_rules_has_that_cause() {
    let mut world = World::with(&["ana in eng", "bo in ops"]).settled();
    let before = world.desired.clone();
    world.desired.groups.remove(&GroupId::new("DGops"));
    world.leaves("bo");
    world.hire("cy", &["eng"]);
    let mut old = before;
    old.accounts.insert(id("cy"), world.desired.accounts[&id("cy")].clone());
    old.groups.get_mut(&GroupId::new("DGeng")).unwrap().members.insert(id("cy"));
    world.before = Some((old, world.rules.clone()));
    insta::assert_snapshot!(world.picture(), @r#"
    deactivate:DUbo [configuration]  (the configuration changed: left every group in scope (was in: ops))
    create:DUcy [source]  (in eng)
    members:DGeng:source [source] +cy (membership in Duo)
    members:DGops:configuration [configuration] -bo (the configuration changed)
    unchanged 1
    "#);
}

#[test]
fn who_is_missing_is_asked_for_by_id_also_when_it_follows_from_new_rules() {
    let mut world = World::with(&["ana in eng", "bo in ops"]).settled();
    world.desired.accounts.remove(&id("bo"));
    world.desired.groups.get_mut(&GroupId::new("DGops")).unwrap().members.clear();
    // Grace ends with the new rules; what the lists say of bo is the same under both.
    let before = Rules { grace_hours: 24, ..world.rules.clone() };
    world.before = Some((world.desired.clone(), before));
    let plan = world.plan();
    assert_eq!(plan.actions[0].cause, Cause::Configuration);
    assert_eq!(plan.unconfirmed, [id("bo")].into());
}

#[test]
fn the_fingerprint_is_of_the_actions_and_not_of_their_reasons() {
    let world = World::with(&["ana in eng"]);
    let mut plan = world.plan();
    let fingerprint = plan.fingerprint();
    for action in &mut plan.actions {
        action.reason.push_str(", said otherwise");
    }
    assert_eq!(plan.fingerprint(), fingerprint);
    plan.actions.pop();
    assert_ne!(plan.fingerprint(), fingerprint);
    assert_eq!(fingerprint.as_str().len(), 64);
}
