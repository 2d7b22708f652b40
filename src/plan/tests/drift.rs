//! What somebody else did in the target: the differences, the corrected snapshot, and the plan that follows.

use super::*;

const READ_AT: i64 = 900_000;

/// A world whose target was read.
struct Seen {
    world: World,
    trust: Trust,
    foreign: BTreeSet<(GroupId, PersonId)>,
    creating: BTreeSet<PersonId>,
}

fn group_id(name: &str) -> GroupId {
    GroupId::new(format!("DG{name}"))
}

fn scim_id(id: impl std::fmt::Display) -> ScimId {
    ScimId::new(format!("s-{id}"))
}

/// A target that holds exactly what is owned.
fn target(owned: &Owned) -> Observed {
    let account = |(id, account): (&PersonId, &OwnedAccount)| {
        let seen = ObservedAccount {
            external_id: Some(id.to_string()),
            attributes: account.attributes.clone(),
            active: Some(account.active),
            ..ObservedAccount::default()
        };
        (account.scim_id.clone(), seen)
    };
    let group = |group: &OwnedGroup| {
        let members = group.members.iter().map(|id| owned.accounts[id].scim_id.clone()).collect();
        (group.scim_id.clone(), ObservedGroup { display_name: group.name.clone(), members })
    };
    Observed {
        accounts: owned.accounts.iter().map(account).collect(),
        groups: owned.groups.values().map(group).collect(),
    }
}

impl Seen {
    /// Settled, and read as it was left.
    fn with(people: &[&str]) -> Self {
        Self::of(World::with(people).settled())
    }

    fn of(mut world: World) -> Self {
        let mapped = [Attribute::UserName, Attribute::Emails, Attribute::Title];
        world.rules.mapping = mapped.into_iter().map(|attribute| (attribute, "x".to_owned())).collect();
        world.observed = Some(target(&world.owned));
        Self { world, trust: Trust::Trusted, foreign: BTreeSet::new(), creating: BTreeSet::new() }
    }

    fn idle(mut self) -> Self {
        self.trust = Trust::Idle { since: Timestamp::from_seconds(READ_AT) };
        self
    }

    fn account(&mut self, name: &str) -> &mut ObservedAccount {
        self.world.observed.as_mut().unwrap().accounts.get_mut(&scim_id(id(name))).unwrap()
    }

    fn group(&mut self, name: &str) -> &mut ObservedGroup {
        self.world.observed.as_mut().unwrap().groups.get_mut(&scim_id(group_id(name))).unwrap()
    }

    /// A record that is not linked, with the id of this person.
    fn add(&mut self, name: &str, created_at: i64, groups: &[&str]) {
        let seen = ObservedAccount {
            external_id: Some(id(name).to_string()),
            attributes: attributes(name),
            active: Some(true),
            created_at: Some(Timestamp::from_seconds(created_at)),
            ..ObservedAccount::default()
        };
        self.world.observed.as_mut().unwrap().accounts.insert(ScimId::new(format!("new-{name}")), seen);
        for group in groups {
            self.group(group).members.insert(ScimId::new(format!("new-{name}")));
        }
    }

    fn delete(&mut self, name: &str) {
        self.world.observed.as_mut().unwrap().accounts.remove(&scim_id(id(name)));
        for group in self.world.observed.as_mut().unwrap().groups.values_mut() {
            group.members.remove(&scim_id(id(name)));
        }
    }

    fn drift(&self) -> Drift {
        Drift::compute(&Comparison {
            observed: self.world.observed.as_ref().unwrap(),
            owned: &self.world.owned,
            desired: &self.world.desired,
            rules: &self.world.rules,
            trust: self.trust,
            confirmed: &self.world.confirmed,
            foreign: &self.foreign,
            creating: &self.creating,
        })
    }

    fn plan(&self) -> Plan {
        let drift = self.drift();
        self.world.plan_with(&drift.owned, Some(&drift))
    }

    /// What is found, and the plan.
    fn picture(&self) -> String {
        let found = self.drift().found(&self.world.desired);
        let mut lines = found.changes.clone();
        lines.extend(found.unlinked_phrase());
        format!("{}\n--\n{}", lines.join("\n"), picture(&self.plan()))
    }

    /// The drift after what was read is recorded.
    fn again(&self) -> Drift {
        let mut world = self.world.clone();
        let drift = self.drift();
        world.owned = drift.owned;
        Seen { world, trust: Trust::Trusted, foreign: drift.foreign, creating: self.creating.clone() }.drift()
    }
}

#[test]
fn an_unchanged_target_is_no_drift() {
    let seen = Seen::with(&["ana in eng ops", "bo in eng"]);
    assert_eq!(seen.drift().owned, seen.world.owned);
    assert!(seen.drift().is_empty());
    assert_eq!(seen.picture(), "\n--\nunchanged 2");
    assert_eq!(seen.idle().picture(), "\n--\nunchanged 2");
}

#[test]
fn each_change_by_somebody_else_is_told_and_mended() {
    let mut seen = Seen::with(&["ana in eng", "bo in eng", "cy in ops", "di in eng", "ed in ops"]);
    seen.world.leaves("ed");
    seen.world.owned("ed").active = false;
    seen.world.owned.groups.get_mut(&group_id("ops")).unwrap().members.remove(&id("ed"));
    seen.world.observed = Some(target(&seen.world.owned));
    seen.account("ana").active = Some(false);
    seen.account("bo").attributes.set(Attribute::Emails, "robert@example.com");
    seen.group("ops").members.clear();
    seen.delete("di");
    seen.account("ed").active = Some(true);
    insta::assert_snapshot!(seen.picture(), @r#"
        1 account gone (di)
        1 account made active (ed)
        1 account made inactive (ana)
        1 value changed (emails of bo)
        1 membership gone (cy in ops)
        --
        deactivate:DUed [drift]  (Atlassian says active=true, this program left it inactive; somebody else changed it; left every group in scope)
        update:DUbo [drift] emails: robert@example.com -> bo@example.com (Atlassian says emails = "robert@example.com", this program left "bo@example.com"; somebody else changed it; differs in Atlassian: emails)
        reactivate:DUana [drift]  (Atlassian says active=false, this program left it active; somebody else changed it; back in eng)
        create:DUdi [drift]  (the account is gone in Atlassian; somebody else changed it; in eng)
        members:DGeng:drift [drift] +di (Atlassian holds other members; somebody else changed it)
        members:DGops:drift [drift] +cy (Atlassian holds other members; somebody else changed it)
        unchanged 1
        "#);
    assert!(seen.again().is_empty());
}

#[test]
fn a_group_that_somebody_deleted_is_made_again_with_its_members() {
    let mut seen = Seen::with(&["ana in eng", "bo in eng ops"]);
    seen.world.observed.as_mut().unwrap().groups.remove(&scim_id(group_id("ops")));
    insta::assert_snapshot!(seen.picture(), @r#"
        1 group gone (ops)
        --
        create_group:DGops [drift]  (it is gone in Atlassian; somebody else changed it; selected in Duo as "ops")
        members:DGops:drift [drift] +bo (Atlassian holds other members; somebody else changed it)
        unchanged 2
        "#);
}

#[test]
fn a_group_that_somebody_renamed_is_known_by_its_new_name() {
    let mut seen = Seen::with(&["ana in eng"]);
    seen.group("eng").display_name = "site-admins".to_owned();
    seen.world.hire("bo", &["eng"]);
    insta::assert_snapshot!(seen.picture(), @r#"
        1 group renamed (eng: site-admins)
        --
        create:DUbo [source]  (in eng)
        skip site-admins: its name is in scope.protected_groups: never created, adopted or filled
        unchanged 1
        "#);
}

#[test]
fn what_duo_changed_as_well_is_told_and_keeps_its_cause() {
    let mut seen = Seen::with(&["ana in eng", "bo in eng"]);
    seen.account("ana").attributes.set(Attribute::Emails, "other@example.com");
    seen.world.set("ana", Attribute::Emails, "lima@example.com");
    seen.account("bo").active = Some(false);
    seen.world.leaves("bo");
    insta::assert_snapshot!(seen.picture(), @r#"
        1 account made inactive (bo)
        1 value changed (emails of ana)
        --
        update:DUana [source] emails: other@example.com -> lima@example.com (Atlassian says emails = "other@example.com", this program left "ana@example.com"; somebody else changed it; changed in Duo: emails)
        members:DGeng:source [source] -bo (membership in Duo)
        unchanged 1
        "#);
}

#[test]
fn a_membership_that_duo_wants_is_ours_without_a_request_and_any_other_is_nobodys_business() {
    let mut seen = Seen::with(&["ana in eng", "bo in ops", "cy in ops"]);
    for name in ["bo", "cy"] {
        seen.group("eng").members.insert(scim_id(id(name)));
    }
    seen.world.hire("bo", &["eng", "ops"]);
    insta::assert_snapshot!(seen.picture(), @r#"
        1 membership added (bo in eng)
        --
        unchanged 3
        "#);
    let drift = seen.drift();
    assert!(drift.owned.groups[&group_id("eng")].members.contains(&id("bo")));
    assert_eq!(drift.foreign, [(group_id("eng"), id("cy"))].into());
}

#[test]
fn without_trust_other_memberships_are_ours_too_and_shown_unless_they_were_there_before() {
    let mut seen = Seen::with(&["ana in eng", "bo in ops", "cy in ops"]).idle();
    for name in ["bo", "cy"] {
        seen.group("eng").members.insert(scim_id(id(name)));
    }
    seen.foreign.insert((group_id("eng"), id("cy")));
    insta::assert_snapshot!(seen.picture(), @r#"
        1 membership added (bo in eng)
        --
        members:DGeng:drift [drift] -bo (Atlassian holds other members; it changed since, and who did it is not known here)
        unconfirmed {DUbo}
        unchanged 3
        "#);
}

#[test]
fn what_the_target_fills_in_itself_is_no_drift_until_duo_has_a_value_for_it() {
    let mut seen = Seen::with(&["ana in eng"]);
    seen.account("ana").attributes.set(Attribute::Title, "Member");
    assert!(seen.drift().is_empty());
    seen.world.set("ana", Attribute::Title, "Lead");
    insta::assert_snapshot!(seen.picture(), @r#"
        1 value changed (title of ana)
        --
        update:DUana [source] title: Member -> Lead (Atlassian says title = "Member", this program left nothing; somebody else changed it; changed in Duo: title)
        unchanged 0
        "#);
}

#[test]
fn a_value_that_the_target_did_not_take_is_drift_only_when_it_reads_differently() {
    let mut seen = Seen::with(&["ana in eng"]);
    seen.world.set("ana", Attribute::Title, "Lead");
    seen.world.owned("ana").refused.set(Attribute::Title, "Lead");
    assert_eq!(seen.picture(), "\n--\nunchanged 1");
    seen.account("ana").attributes.set(Attribute::Title, "Boss");
    insta::assert_snapshot!(seen.picture(), @r#"
        1 value changed (title of ana)
        --
        update:DUana [drift] title: Boss -> Lead (Atlassian says title = "Boss", this program left nothing; somebody else changed it; differs in Atlassian: title)
        unchanged 0
        "#);
}

#[test]
fn case_of_a_name_and_what_is_not_mapped_or_not_said_are_no_drift() {
    let mut seen = Seen::with(&["ana in eng"]);
    seen.account("ana").attributes.set(Attribute::UserName, "ANA");
    seen.account("ana").attributes.set(Attribute::Department, "R&D");
    seen.account("ana").active = None;
    assert!(seen.drift().is_empty());
}

#[test]
fn of_people_in_no_action_the_snapshot_is_corrected_and_nothing_is_said() {
    let mut seen = Seen::with(&["ana in eng", "bo in eng", "cy in ops"]).idle();
    seen.world.rules.excluded_people = ["ana".to_owned(), "bo".to_owned(), "cy".to_owned()].into();
    seen.account("ana").active = Some(false);
    seen.delete("bo");
    seen.group("eng").members.insert(scim_id(id("cy")));
    assert_eq!(seen.picture(), "\n--\nunchanged 2");
    let drift = seen.drift();
    assert!(!drift.owned.accounts[&id("ana")].active);
    assert!(!drift.owned.accounts.contains_key(&id("bo")));
    assert_eq!(drift.foreign, [(group_id("eng"), id("cy"))].into());
}

#[test]
fn a_record_with_the_id_of_somebody_of_ours_is_told_unless_a_create_is_open() {
    let mut seen = Seen::with(&["ana in eng"]);
    seen.world.hire("bo", &["eng"]);
    seen.add("bo", READ_AT + 60, &["eng"]);
    insta::assert_snapshot!(seen.picture(), @r#"
        1 record with the id of a person in Duo that this database did not make (bo)
        --
        adopt:DUbo [adoption] active true (exists in Atlassian already, with the same externalId)
        unchanged 2
        "#);
    seen.creating.insert(id("bo"));
    assert!(seen.drift().unlinked.is_empty());
}

#[test]
fn who_came_and_left_when_the_database_was_not_looking_is_deactivated() {
    let mut seen = Seen::with(&["ana in eng"]).idle();
    // In Duo and in no selected group; not in Duo any more; there long before.
    for (name, created_at) in [("bo", READ_AT + 60), ("cy", READ_AT + 60), ("di", READ_AT - 86_400)] {
        seen.world.hire(name, &["eng"]);
        seen.world.leaves(name);
        seen.add(name, created_at, &["eng"]);
    }
    seen.world.desired.accounts.remove(&id("cy"));
    insta::assert_snapshot!(seen.picture(), @r#"
        3 records with the id of a person in Duo that this database did not make (bo, cy, di)
        --
        adopt:DUbo [adoption] active true (exists in Atlassian already, with the same externalId)
        adopt:DUcy [adoption] active true (exists in Atlassian already, with the same externalId)
        deactivate:DUbo [adoption]  (left every group in scope)
        deactivate:DUcy [adoption]  (no longer in Duo)
        members:DGeng:adoption [adoption] -bo -cy (Atlassian holds other members)
        unchanged 1
        "#);
    seen.trust = Trust::Trusted;
    insta::assert_snapshot!(seen.picture(), @r#"
        3 records with the id of a person in Duo that this database did not make (bo, cy, di)
        --
        unchanged 1
        "#);
}

#[test]
fn what_follows_from_new_rules_and_from_drift_counts_as_the_configuration() {
    let mut seen = Seen::with(&["ana in eng", "bo in eng"]);
    let before = (seen.world.desired.clone(), seen.world.rules.clone());
    seen.world.leaves("ana");
    seen.world.before = Some(before);
    seen.world.owned("ana").active = false;
    insta::assert_snapshot!(seen.picture(), @r#"
        1 account made active (ana)
        --
        deactivate:DUana [configuration]  (Atlassian says active=true, this program left it inactive; somebody else changed it; the configuration changed: left every group in scope (was in: eng))
        members:DGeng:configuration [configuration] -ana (the configuration changed)
        unchanged 1
        "#);
}
