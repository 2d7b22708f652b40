//! Addresses and userNames that more than one person would have.

use super::*;

#[test]
fn the_linked_one_keeps_a_shared_address_and_newcomers_are_skipped() {
    let mut world = World::with(&["ana in eng"]).settled();
    world.hire("bo", &["eng"]);
    world.hire("cy", &["eng"]);
    world.hire("di", &["eng"]);
    world.set("bo", Attribute::Emails, "ana@example.com");
    world.set("di", Attribute::UserName, "Cy");
    insta::assert_snapshot!(world.picture(), @r#"
    skip bo: the address ana@example.com is ana's (DUana), whose account has it: give each their own in Duo
    skip cy: cy (DUcy) and di (DUdi) share the userName cy: give each their own in Duo
    skip di: cy (DUcy) and di (DUdi) share the userName cy: give each their own in Duo
    unchanged 1
    "#);
}

#[test]
fn an_address_may_be_passed_on_but_not_in_a_circle() {
    let mut world = World::with(&["ana in eng", "bo in eng"]).settled();
    world.set("ana", Attribute::Emails, "new@example.com");
    world.set("bo", Attribute::Emails, "ana@example.com");
    insta::assert_snapshot!(world.picture(), @r#"
    update:DUana [source] emails: ana@example.com -> new@example.com (changed in Duo: emails)
    update:DUbo [source] emails: bo@example.com -> ana@example.com (changed in Duo: emails)
    unchanged 0
    "#);
    world.set("ana", Attribute::Emails, "bo@example.com");
    insta::assert_snapshot!(world.picture(), @r#"
    skip ana: ana and bo exchange an address or userName: give one of them a temporary value in Duo first, since Atlassian takes no two changes at once
    skip bo: ana and bo exchange an address or userName: give one of them a temporary value in Duo first, since Atlassian takes no two changes at once
    unchanged 2
    "#);
}

#[test]
fn an_address_on_the_account_of_a_leaver_is_not_free() {
    let mut world = World::with(&["ana in eng"]).settled();
    world.hire("ana2", &["eng"]);
    world.set("ana2", Attribute::Emails, "ana@example.com");
    world.desired.accounts.remove(&id("ana"));
    world.desired.groups.get_mut(&GroupId::new("DGeng")).unwrap().members.remove(&id("ana"));
    world.confirmed.insert(id("ana"));
    insta::assert_snapshot!(world.picture(), @r#"
    deactivate:DUana [source]  (no longer in Duo (was in: eng))
    members:DGeng:source [source] -ana (membership in Duo)
    skip ana2: the address ana@example.com is still on the account of ana (DUana), who is not in scope: change it there, in Atlassian, first
    unchanged 0
    "#);
}

#[test]
fn an_address_is_not_passed_on_when_the_target_refused_the_new_one_of_its_holder() {
    let mut world = World::with(&["ana in eng"]).settled();
    world.set("ana", Attribute::Emails, "new@example.com");
    world.owned("ana").refused.set(Attribute::Emails, "new@example.com");
    world.hire("bo", &["eng"]);
    world.set("bo", Attribute::Emails, "ana@example.com");
    insta::assert_snapshot!(world.picture(), @r#"
    skip bo: the address ana@example.com is ana's (DUana), whose account has it: give each their own in Duo
    unchanged 1
    "#);
}

#[test]
fn a_circle_is_seen_beside_two_accounts_that_hold_one_address() {
    let mut world = World::with(&["ana in eng", "bo in eng", "cy in eng", "di in eng"]).settled();
    for name in ["cy", "di"] {
        world.owned(name).attributes.set(Attribute::Emails, "same@example.com");
        world.set(name, Attribute::Emails, "same@example.com");
    }
    world.set("ana", Attribute::Emails, "bo@example.com");
    world.set("bo", Attribute::Emails, "ana@example.com");
    assert!(world.plan().is_empty(), "{}", world.picture());
}
