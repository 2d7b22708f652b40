//! A Duo tenant in the domain's words: people and groups by name, and what happens to them in a day.

use super::super::sim::duo::{DuoSim, DuoWorld, SimGroup, SimPerson};

/// The tenant, to be changed.
pub(super) struct Duo<'a> {
    pub(super) sim: &'a mut DuoSim,
}

impl Duo<'_> {
    /// The raw world, for what has no word here.
    pub(super) fn world(&mut self) -> &mut DuoWorld {
        &mut self.sim.world
    }

    /// The id of a person by username.
    #[track_caller]
    pub(super) fn id(&self, username: &str) -> String {
        let found = self.sim.world.people().find(|person| person.username == username);
        found.unwrap_or_else(|| panic!("nobody is called {username}")).user_id.clone()
    }

    /// The id of a group by name.
    #[track_caller]
    pub(super) fn group_id(&self, name: &str) -> String {
        self.sim.world.find_group(name).unwrap_or_else(|| panic!("no group is called {name}")).group_id.clone()
    }

    /// A group without members; one that is there already is left as it is.
    pub(super) fn group(&mut self, name: &str) -> &mut SimGroup {
        let found = self.sim.world.find_group(name).map(|group| group.group_id.clone());
        let id = found.unwrap_or_else(|| self.sim.world.add_group(name));
        self.sim.world.group_mut(&id)
    }

    /// `"ana in eng ops"`: somebody new, with an address and a real name made of the username, in these groups.
    pub(super) fn hire(&mut self, line: &str) -> &mut SimPerson {
        let (username, groups) = line.split_once(" in ").unwrap_or((line, ""));
        let id = self.sim.world.add_person(username, &format!("{username}@example.com"));
        for group in groups.split_whitespace() {
            let group = self.group(group).group_id.clone();
            self.sim.world.join(&id, &group);
        }
        let person = self.sim.world.person_mut(&id);
        let mut name = username.to_owned();
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        person.realname = Some(name);
        person
    }

    /// A person, to be changed.
    #[track_caller]
    pub(super) fn person(&mut self, username: &str) -> &mut SimPerson {
        let id = self.id(username);
        self.sim.world.person_mut(&id)
    }

    #[track_caller]
    pub(super) fn join(&mut self, username: &str, group: &str) {
        let group = self.group(group).group_id.clone();
        let id = self.id(username);
        self.sim.world.join(&id, &group);
    }

    #[track_caller]
    pub(super) fn leave(&mut self, username: &str, group: &str) {
        let (id, group) = (self.id(username), self.group_id(group));
        self.sim.world.leave(&id, &group);
    }

    #[track_caller]
    pub(super) fn status(&mut self, username: &str, status: &str) {
        status.clone_into(&mut self.person(username).status);
    }

    /// Gone for good.
    #[track_caller]
    pub(super) fn remove(&mut self, username: &str) {
        let id = self.id(username);
        self.sim.world.remove_person(&id);
    }

    #[track_caller]
    pub(super) fn rename_group(&mut self, name: &str, other: &str) {
        let id = self.group_id(name);
        self.sim.world.rename_group(&id, other);
    }
}
