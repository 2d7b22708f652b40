//! What people do: in Duo, and beside the program in Atlassian.

use super::config::Config;
use super::dice::Dice;
use crate::sim::atlassian::AtlassianSim;
use crate::sim::company::Company;
use crate::sim::duo::{DuoWorld, SimGroup, SimPerson};
use std::collections::BTreeSet;

/// The script of a seed.
#[derive(Debug)]
pub struct Script {
    dice: Dice,
    company: Company,
    made: usize,
}

/// Whom something concerns; none: everybody.
pub type Touched = Option<BTreeSet<String>>;

const TEAMS: [&str; 10] = ["red", "blue", "green", "Küche", "営業部", "ops", "legal", "dev", "qa", "hr"];

fn only(person: &str) -> Touched {
    Some([person.to_owned()].into())
}

impl Script {
    /// The script of a seed.
    pub fn of(seed: u64) -> Self {
        Self { dice: Dice::of(seed, "script"), company: Company::seeded(seed), made: 0 }
    }

    /// The first day: people in groups, and in some seeds what somebody else has left in the directory.
    pub fn found(&mut self, duo: &mut DuoWorld, atlassian: &mut AtlassianSim) {
        for _ in 0..self.dice.between(2, 5) {
            self.found_group(duo);
        }
        let people = if self.dice.happens(300) { self.dice.between(10, 40) } else { self.dice.between(3, 12) };
        let leftovers = self.dice.one_of([0, 0, 200]);
        for _ in 0..people {
            let person = self.hire(duo);
            if self.dice.happens(leftovers) {
                self.leave_behind(duo, atlassian, &person, true);
            }
        }
        if self.dice.happens(leftovers * 2) {
            self.leave_group_behind(duo, atlassian);
        }
        for _ in 0..self.dice.below(3) {
            self.stranger(atlassian);
        }
    }

    /// One thing happens.
    pub fn happen(
        &mut self,
        (duo, atlassian): (&mut DuoWorld, &mut AtlassianSim),
        config: &Config,
    ) -> (String, Touched) {
        let roll = self.dice.below(100);
        match roll {
            0..=14 => self.comes(duo, atlassian),
            15..=44 => self.goes_or_moves(duo, roll),
            45..=74 => self.changes(duo, roll),
            75..=84 => self.comes_back(duo),
            85..=93 => self.about_a_group(duo, roll),
            _ => self.beside(atlassian, config),
        }
    }

    /// Somebody whose address or name nobody else has.
    fn hire(&mut self, duo: &mut DuoWorld) -> String {
        let employee = self.company.hire();
        let id = duo.add_person(&employee.username, &employee.email);
        let person = duo.person_mut(&id);
        person.realname = Some(employee.full);
        person.firstname = Some(employee.given);
        person.lastname = Some(employee.family);
        for _ in 0..=self.dice.below(3) {
            self.join_any(duo, &id);
        }
        id
    }

    fn join_any(&mut self, duo: &mut DuoWorld, person: &str) -> Option<String> {
        let groups: Vec<String> = duo.groups().map(|group| group.group_id.clone()).collect();
        let group = self.dice.pick(&groups)?.clone();
        duo.join(person, &group);
        Some(group)
    }

    fn anybody(&mut self, duo: &DuoWorld, wanted: impl Fn(&SimPerson) -> bool) -> Option<String> {
        let people: Vec<&SimPerson> = duo.people().filter(|person| wanted(person)).collect();
        self.dice.pick(&people).map(|person| person.user_id.clone())
    }

    fn any_group(&mut self, duo: &DuoWorld, wanted: impl Fn(&SimGroup) -> bool) -> Option<String> {
        let groups: Vec<&SimGroup> = duo.groups().filter(|group| wanted(group)).collect();
        self.dice.pick(&groups).map(|group| group.group_id.clone())
    }

    fn comes(&mut self, duo: &mut DuoWorld, atlassian: &mut AtlassianSim) -> (String, Touched) {
        let person = self.hire(duo);
        if self.dice.happens(100) {
            self.leave_behind(duo, atlassian, &person, false);
            return (format!("{person} was hired, and somebody has made an account"), only(&person));
        }
        (format!("{person} was hired"), only(&person))
    }

    fn goes_or_moves(&mut self, duo: &mut DuoWorld, roll: usize) -> (String, Touched) {
        let Some(person) = self.anybody(duo, |person| person.status == "active" && !person.groups.is_empty()) else {
            return ("nothing".to_owned(), only(""));
        };
        let groups = duo.person(&person).map(|person| person.groups.clone()).unwrap_or_default();
        let what = match roll {
            15..=18 => {
                duo.set_status(&person, "disabled");
                "is disabled"
            }
            19..=21 => {
                duo.trash(&person);
                "is in the trash"
            }
            22..=23 => {
                duo.remove_person(&person);
                "is gone"
            }
            24..=27 => {
                groups.iter().for_each(|group| duo.leave(&person, group));
                "left every group"
            }
            28..=30 => {
                self.dice.pick(&groups).into_iter().for_each(|group| duo.leave(&person, group));
                "left a group"
            }
            31..=34 => {
                self.join_any(duo, &person);
                "joined a group"
            }
            _ => {
                if let Some(group) = self.join_any(duo, &person) {
                    groups.iter().filter(|old| **old != group).for_each(|old| duo.leave(&person, old));
                }
                "moved"
            }
        };
        (format!("{person} {what}"), only(&person))
    }

    fn changes(&mut self, duo: &mut DuoWorld, roll: usize) -> (String, Touched) {
        let Some(person) = self.anybody(duo, |_| true) else { return ("nothing".to_owned(), only("")) };
        let Some(other) = self.anybody(duo, |other| other.user_id != person) else {
            return ("nothing".to_owned(), only(""));
        };
        self.made += 1;
        let made = self.made;
        let theirs = duo.person(&other).map(|other| (other.username.clone(), other.email.clone())).unwrap_or_default();
        let both = Some([person.clone(), other.clone()].into());
        let record = duo.person_mut(&person);
        let mine = (record.username.clone(), record.email.clone());
        let what = match roll {
            45..=48 => {
                record.username = format!("{}.{made}", mine.0.split('.').next().unwrap_or("x"));
                "has another username"
            }
            49..=54 => {
                record.realname = Some(format!("Name {made}"));
                record.lastname = Some(format!("{made}"));
                "has another name"
            }
            55..=59 => {
                record.email = format!("new.{made}@example.com");
                "has another address"
            }
            60..=61 => {
                record.email = theirs.1;
                duo.person_mut(&other).email = mine.1;
                return (format!("{person} and {other} swapped addresses"), both);
            }
            62..=64 => {
                record.email = theirs.1;
                duo.person_mut(&other).email = format!("freed.{made}@example.com");
                return (format!("{person} took the address of {other}"), both);
            }
            65 => {
                record.email = theirs.1;
                return (format!("{person} shares the address of {other}"), both);
            }
            66 => {
                record.username = theirs.0;
                duo.person_mut(&other).username = format!("freed.{made}");
                return (format!("{person} took the username of {other}"), both);
            }
            67 => {
                record.email = String::new();
                "has no address"
            }
            68 => {
                record.email = format!("away.{made}@elsewhere.org");
                "has an address elsewhere"
            }
            69 | 70 => {
                "locked out".clone_into(&mut record.status);
                "is locked out"
            }
            71 => {
                "not heard of".clone_into(&mut record.status);
                "has a status that nobody knows"
            }
            72 => {
                "bypass".clone_into(&mut record.status);
                "is in bypass"
            }
            _ => {
                record.email = record.email.to_uppercase();
                "writes the address in capitals"
            }
        };
        (format!("{person} {what}"), only(&person))
    }

    fn comes_back(&mut self, duo: &mut DuoWorld) -> (String, Touched) {
        let is_away =
            |person: &SimPerson| !matches!(person.status.as_str(), "active" | "bypass") || person.groups.is_empty();
        let Some(person) = self.anybody(duo, is_away) else { return ("nothing".to_owned(), only("")) };
        duo.set_status(&person, "active");
        if duo.person(&person).is_some_and(|person| person.groups.is_empty()) {
            self.join_any(duo, &person);
        }
        (format!("{person} is back"), only(&person))
    }

    fn about_a_group(&mut self, duo: &mut DuoWorld, roll: usize) -> (String, Touched) {
        if roll == 85 {
            let group = self.found_group(duo);
            return (format!("{group} was founded"), None);
        }
        let Some(group) = self.any_group(duo, |_| true) else { return ("nothing".to_owned(), only("")) };
        let members = duo.group(&group).map(|group| group.members.clone()).unwrap_or_default();
        self.made += 1;
        let what = match roll {
            86 | 87 => {
                let name = if self.dice.happens(700) { "team-" } else { "crew-" };
                duo.rename_group(&group, &format!("{name}{}", self.made));
                "has another name"
            }
            88 => {
                duo.remove_group(&group);
                "is gone"
            }
            89 => {
                members.iter().for_each(|person| duo.leave(person, &group));
                "is empty"
            }
            90 => {
                duo.set_group_status(&group, "Disabled");
                "is disabled"
            }
            91 => {
                duo.set_group_status(&group, "Frozen");
                "has a status that nobody knows"
            }
            _ => {
                duo.set_group_status(&group, "Active");
                "is active"
            }
        };
        (format!("{group} {what}"), None)
    }

    /// What somebody else does in Atlassian: nothing to anybody of ours.
    fn beside(&mut self, atlassian: &mut AtlassianSim, config: &Config) -> (String, Touched) {
        let _ = config;
        let stranger = self.stranger(atlassian);
        let groups: Vec<String> = atlassian.groups().map(|group| group.name.clone()).collect();
        if let Some(group) = self.dice.pick(&groups) {
            atlassian.add_member(group, &stranger);
            return (format!("{stranger} was put into {group} by somebody else"), only(""));
        }
        (format!("{stranger} has an account by somebody else"), only(""))
    }

    fn found_group(&mut self, duo: &mut DuoWorld) -> String {
        self.made += 1;
        let team = self.dice.one_of(TEAMS);
        let kind = if self.dice.happens(850) { "team" } else { "crew" };
        let name =
            if self.dice.happens(20) { "site-admins".to_owned() } else { format!("{kind}-{team}-{}", self.made) };
        duo.add_group(&name)
    }

    /// Somebody who is in no way ours.
    fn stranger(&mut self, atlassian: &mut AtlassianSim) -> String {
        self.made += 1;
        let name = format!("stranger.{}", self.made);
        atlassian.add_user(&name, None);
        name
    }

    /// An account of somebody's name that was there before.
    fn leave_behind(&mut self, duo: &DuoWorld, atlassian: &mut AtlassianSim, person: &str, is_old: bool) {
        let Some(record) = duo.person(person) else { return };
        let external_id = match self.dice.below(10) {
            0 => Some("somebody-else"),
            // Only this program writes the ids of Duo's people: with a database that was lost.
            1..=3 if is_old => Some(person),
            _ => None,
        };
        atlassian.add_user(&record.username, external_id);
    }

    /// A group that was there before, with people who are ours and people who are not.
    fn leave_group_behind(&mut self, duo: &DuoWorld, atlassian: &mut AtlassianSim) {
        let Some(group) = self.any_group(duo, |group| group.name.starts_with("team-")) else { return };
        let Some(name) = duo.group(&group).map(|group| group.name.clone()) else { return };
        atlassian.add_group(&name);
        let users: Vec<String> = atlassian.users().map(|user| user.user_name().to_owned()).collect();
        for user in users {
            if self.dice.happens(300) {
                atlassian.add_member(&name, &user);
            }
        }
    }
}
