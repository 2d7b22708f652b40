//! Two copies of one database, on two machines, against one directory: found out by what each did not write, and nobody
//! loses access wrongly.

use super::{Scene, picture};
use insta::assert_snapshot;
use std::collections::BTreeSet;

const TEAM: &[&str] = &["ana in eng", "bo in eng ops", "cy in ops", "dan in eng", "eve in ops"];

/// Which of the two machines runs.
#[derive(Clone, Copy)]
enum Machine {
    /// The first.
    A,
    /// The one with the copy.
    B,
}

impl Scene {
    /// Settled by the first machine; the second one has a copy of its database from then.
    fn with_two_machines() -> Self {
        let scene = Self::settled(TEAM);
        scene.copied_to("copy.db");
        // Two programs do some things twice; one of them does nothing by it.
        scene.atlassian(|sim| sim.settings_mut().strict = false);
        scene
    }

    /// The next commands run there.
    fn on(&self, machine: Machine) -> &Self {
        self.configure(match machine {
            Machine::A => "",
            Machine::B => "[state]\ndatabase = \"copy.db\"\n",
        });
        self.forget();
        self
    }
}

#[test]
fn a_copy_that_did_not_see_a_hire_finds_the_record_and_adopts_it_only_when_it_is_approved() {
    let scene = Scene::with_two_machines();
    scene.day(|duo| {
        duo.hire("zoe in eng");
    });
    scene.on(Machine::A).ends(0, &["sync"]);
    scene.on(Machine::B).ends(4, &["sync"]);
    assert!(scene.effects().is_empty(), "{:?}", scene.effects());
    assert_snapshot!(picture(&scene.on(Machine::B).ends(5, &["sync"])), @r#"
        plan PLAN   desired: Duo, 2 groups, 6 people, read completely by TIME
                            compared with: snapshot 4, 5 accounts owned, 6 memberships

          = adopt          zoe       1 membership; exists in Atlassian already, with the same externalId

        1 to adopt, 6 unchanged
        guard: HELD, 2 findings
          * 1 adoptions; the limit is 0 in 24 hours, with 5 active accounts [guard.adoptions_max]
            zoe
          * 1 record with the id of a person in Duo that this database did not make (zoe): looks like a copy of this program on another machine, or another provisioning for this directory; stop one of the two
        Nothing was sent.
        note: scope.groups: `*` selects every group of Duo
        held: the plan waits for a person, and nothing was sent
        To approve it: duo-atlassian-sync --config FOLDER/config.toml approve PLAN; then: duo-atlassian-sync --config FOLDER/config.toml sync
        To reject it: duo-atlassian-sync --config FOLDER/config.toml reject PLAN
        exit 5
        "#);
    scene.nothing_was_sent();
    scene.settle();
    scene.directory_is_as_duo();
    scene.on(Machine::A).is_at_rest();
    scene.on(Machine::B).is_at_rest();
}

#[test]
fn a_copy_that_did_not_see_a_group_finds_it_and_adopts_it_only_when_it_is_approved() {
    let scene = Scene::with_two_machines();
    scene.day(|duo| duo.join("eve", "night"));
    scene.on(Machine::A).settle();
    scene.on(Machine::B).approve();
    scene.ends(4, &["sync"]);
    assert!(scene.effects().is_empty(), "{:?}", scene.effects());
    let held = scene.on(Machine::B).ends(5, &["sync"]);
    assert!(held.stdout.contains("= adopt group"), "{}", held.stdout);
    scene.settle();
    scene.directory_is_as_duo();
    scene.is_at_rest();
}

#[test]
fn what_a_copy_does_a_second_time_takes_nothing_from_anybody() {
    let scene = Scene::with_two_machines();
    scene.day(|duo| {
        duo.status("dan", "disabled");
        duo.person("ana").realname = Some("Ana Lima".to_owned());
        duo.join("ana", "ops");
        duo.leave("bo", "ops");
    });
    scene.on(Machine::A).ends(0, &["sync"]);
    scene.directory_is_as_duo();
    scene.on(Machine::B).ends(0, &["sync"]);
    assert!(scene.effects().is_empty(), "{:?}", scene.effects());
    scene.directory_is_as_duo();
    scene.day(|duo| duo.status("dan", "active"));
    scene.on(Machine::A).ends(0, &["sync"]);
    scene.on(Machine::B).ends(0, &["sync"]);
    scene.directory_is_as_duo();
}

#[test]
fn a_copy_that_missed_a_change_and_its_reverse_does_nothing_about_either() {
    let scene = Scene::with_two_machines();
    scene.day(|duo| {
        duo.join("ana", "ops");
        duo.leave("bo", "ops");
        duo.status("dan", "disabled");
        duo.person("eve").realname = Some("Eve Bee".to_owned());
    });
    scene.on(Machine::A).ends(0, &["sync"]);
    // Back to how it was when the copy was made.
    scene.day(|duo| {
        duo.leave("ana", "ops");
        duo.join("bo", "ops");
        duo.status("dan", "active");
        duo.person("eve").realname = Some("Eve".to_owned());
    });
    scene.on(Machine::B).is_at_rest();
    // The other machine is gone: the copy sees it when it reads.
    scene.on(Machine::B);
    assert_snapshot!(picture(&scene.ends(0, &["sync", "--refresh"])), @r#"
        plan PLAN   desired: Duo, 2 groups, 5 people, read completely by TIME
                            compared with: snapshot 4, 5 accounts owned, 4 memberships

          ~ update         eve       displayName "Eve Bee" -> "Eve"; Atlassian says displayName = "Eve Bee", this program left "Eve"; somebody else changed it; differs in Atlassian: displayName
          + reactivate     dan       Atlassian says active=false, this program left it active; somebody else changed it; back in eng
          ~ update members eng       +1 (dan); Atlassian holds other members; somebody else changed it
          ~ update members ops       +1 (bo); Atlassian holds other members; somebody else changed it
          ! 1 membership of our people in our groups was made by somebody else, and stays as it is (ana in ops)

        1 to update, 1 to reactivate, 2 to join, 3 unchanged; 4 requests in about 1 s
        active accounts: 4 -> 5
        guard: approved, 1 finding
          * Atlassian is not as this program left it; somebody else changed it: 1 account made inactive (dan); 1 value changed (displayName of eve); 2 memberships gone (bo in ops, dan in eng)
            bo, dan, eve
        Done: 4 (cycle 4).
          ! something else writes to this directory: 1 record was otherwise than this program left it, last at TIME; look for a second instance, for Duo's own provisioning, and for changes by hand
        note: scope.groups: `*` selects every group of Duo
        exit 0
        "#);
    assert_snapshot!(scene.effects_text(), @r#"
        changed displayName of eve
        reactivated dan
        bo joined ops
        dan joined eng
        "#);
    // What it did not give it leaves, and says so.
    assert!(scene.atlassian(|sim| sim.remove_member("ops", "ana")));
    scene.directory_is_as_duo();
    scene.is_at_rest();
}

#[test]
fn a_refresh_of_a_copy_takes_the_others_work_for_what_it_is() {
    let scene = Scene::with_two_machines();
    scene.day(|duo| {
        duo.hire("zoe in eng");
        duo.status("dan", "disabled");
        duo.person("ana").realname = Some("Ana Lima".to_owned());
        duo.leave("bo", "ops");
    });
    scene.on(Machine::A).ends(0, &["sync"]);
    let held = scene.on(Machine::B).ends(5, &["sync", "--refresh"]);
    assert_snapshot!(picture(&held), @r#"
        plan PLAN   desired: Duo, 2 groups, 6 people, read completely by TIME
                            compared with: snapshot 4, 5 accounts owned, 4 memberships

          = adopt          zoe       1 membership; exists in Atlassian already, with the same externalId

        1 to adopt, 6 unchanged
        guard: HELD, 3 findings
          * 1 adoptions; the limit is 0 in 24 hours, with 4 active accounts [guard.adoptions_max]
            zoe
          * Atlassian is not as this program left it; somebody else changed it: 1 account made inactive (dan); 1 value changed (displayName of ana); 2 memberships gone (bo in ops, dan in eng)
            bo, dan, ana, zoe
          * 1 record with the id of a person in Duo that this database did not make (zoe): looks like a copy of this program on another machine, or another provisioning for this directory; stop one of the two
        Nothing was sent.
        note: scope.groups: `*` selects every group of Duo
        held: the plan waits for a person, and nothing was sent
        To approve it: duo-atlassian-sync --config FOLDER/config.toml approve PLAN; then: duo-atlassian-sync --config FOLDER/config.toml sync
        To reject it: duo-atlassian-sync --config FOLDER/config.toml reject PLAN
        exit 5
        "#);
    scene.nothing_was_sent();
    scene.settle();
    scene.directory_is_as_duo();
    scene.is_at_rest();
}

#[test]
fn two_machines_in_turn_end_where_duo_is_and_nobody_loses_access_on_the_way() {
    let scene = Scene::with_two_machines();
    let days: [fn(&mut super::super::duo::Duo<'_>); 6] = [
        |duo| drop(duo.hire("zoe in eng").user_id.clone()),
        |duo| duo.status("dan", "disabled"),
        |duo| {
            duo.join("ana", "ops");
            duo.leave("bo", "ops");
        },
        |duo| duo.status("dan", "active"),
        |duo| drop(duo.hire("yan in ops").user_id.clone()),
        |duo| {
            duo.leave("ana", "ops");
            duo.status("zoe", "disabled");
        },
    ];
    let mut given: BTreeSet<String> = TEAM.iter().filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect();
    for (day, change) in days.into_iter().enumerate() {
        scene.day(change);
        let turns = if day % 2 == 0 { [Machine::A, Machine::B] } else { [Machine::B, Machine::A] };
        for machine in turns {
            let ran = scene.on(machine).run(&["sync"]);
            assert!(matches!(ran.code, Some(0 | 4 | 5)), "{}\n{}", ran.stdout, ran.stderr);
            let active = scene.people_in_duo().into_iter().filter(|(person, _)| person.status == "active");
            let wanted: BTreeSet<String> = active.map(|(person, _)| person.username).collect();
            let there = scene.atlassian(|sim| sim.snapshot());
            for name in given.intersection(&wanted) {
                assert!(there.users[name].active || name == "dan", "{name} lost access on day {day}");
            }
            given.extend(there.users.iter().filter(|(_, user)| user.active).map(|(name, _)| name.clone()));
        }
    }
    for machine in [Machine::A, Machine::B, Machine::A] {
        scene.on(machine);
        // What a conflict shows is approved first; then the whole directory is read, and shows what else is there.
        for _ in 0..2 {
            scene.run(&["sync"]);
            scene.approve();
        }
        scene.ends(0, &["sync"]);
    }
    scene.directory_is_as_duo();
}

#[test]
fn a_copy_with_another_scope_is_found_by_the_refresh_that_mends_its_work() {
    let scene = Scene::with_two_machines();
    // The copy believes that only ops is to be synced, as it was once; its plan was approved by somebody in a hurry.
    scene.configure("[state]\ndatabase = \"copy.db\"\n[scope]\ngroups = [{ name = \"ops\" }]\n");
    scene.approve();
    scene.ends(0, &["sync"]);
    assert!(scene.effects().iter().any(|effect| effect == "deactivated ana"), "{:?}", scene.effects());
    let ran = scene.on(Machine::A).ends(0, &["sync", "--refresh"]);
    assert_snapshot!(picture(&ran), @r#"
        plan PLAN   desired: Duo, 2 groups, 5 people, read completely by TIME
                            compared with: snapshot 4, 5 accounts owned, 3 memberships

          + reactivate     ana       Atlassian says active=false, this program left it active; somebody else changed it; back in eng
          + reactivate     dan       Atlassian says active=false, this program left it active; somebody else changed it; back in eng
          ~ update members eng       +3 (ana, bo, dan); Atlassian holds other members; somebody else changed it

        2 to reactivate, 3 to join, 3 unchanged; 3 requests in about 1 s
        active accounts: 3 -> 5
        guard: approved, 1 finding
          * Atlassian is not as this program left it; somebody else changed it: 2 accounts made inactive (ana, dan); 3 memberships gone (ana in eng, bo in eng, dan in eng)
            bo, dan, ana
        Done: 3 (cycle 3).
        note: scope.groups: `*` selects every group of Duo
        exit 0
        "#);
    scene.directory_is_as_duo();
}
