//! Databases that may be out of date, targets that somebody else changed, and copies of this program (S19, S17).

use super::super::sim::duo::SimPerson;
use super::super::sim::wire::{Effect, Fault, Match};
use super::scene::{Scene, picture};
use serde_json::json;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

mod approval;
mod command;
mod copy;
mod refresh;
mod restore;

/// How a database comes to be out of date.
#[derive(Clone, Copy, Debug)]
enum Stale {
    /// A copy with the mark that `backup` makes.
    Marked,
    /// A copy of the file, by somebody who did not know better.
    Copied,
}

const WEEK_HOURS: i64 = 7 * 24;

/// When the last cycle of an old copy was, far from the time of any test: 2000-01-01.
const LAST: i64 = 946_684_800;

impl Scene {
    /// A copy of the database as it is.
    fn copied_to(&self, name: &str) -> PathBuf {
        let copy = self.file(name);
        let path = copy.to_str().expect("a path").to_owned();
        self.open().execute("VACUUM INTO ?1", [path]).expect("a copy");
        copy
    }

    /// A copy takes the place of the database.
    fn restore(&self, copy: &Path) {
        for end in ["-wal", "-shm"] {
            let mut name = self.database().into_os_string();
            name.push(end);
            let _ = std::fs::remove_file(PathBuf::from(name));
        }
        std::fs::copy(copy, self.database()).expect("a restored database");
    }

    /// All that this database knows of happened so many hours earlier.
    fn age(&self, hours: i64) {
        let columns = [
            ("cycle", "started_at"),
            ("cycle", "ended_at"),
            ("journal", "intended_at"),
            ("journal", "settled_at"),
            ("spent", "at"),
            ("decision", "at"),
            ("decision", "expires_at"),
        ];
        let connection = self.open();
        for (table, column) in columns {
            let sql = format!("UPDATE {table} SET {column} = {column} - ?1");
            connection.execute(&sql, [hours * 3_600]).expect("an older row");
        }
    }

    /// A week-old copy takes the place of the database.
    fn restore_of_a_week_ago(&self, copy: &Path, stale: Stale) {
        self.restore(copy);
        self.age(WEEK_HOURS);
        self.open().execute("UPDATE cycle SET started_at = ?1, ended_at = ?1", [LAST]).expect("older cycles");
        if let Stale::Marked = stale {
            let sql = "INSERT INTO meta (key, value) VALUES ('backup_of', '/var/lib/state.db'), ('backup_at', ?1)";
            self.open().execute(sql, [LAST.to_string()]).expect("the mark of a backup");
        }
        self.forget();
    }

    /// What is made in Atlassian from now on is made so many days after the last cycle of an old copy.
    fn days_after(&self, days: i64) {
        self.atlassian(|sim| sim.set_time_ms((LAST + days * 86_400) * 1_000));
    }

    /// Runs a sync that is killed when its first writing request arrives, which does nothing any more.
    fn dies_at_its_first_write(&self) {
        let child: Arc<Mutex<Option<Child>>> = Arc::default();
        let victim = Arc::clone(&child);
        self.stage.atlassian.on_request(Box::new(move |request, _| {
            if request.method != "GET"
                && let Some(mut child) = victim.lock().expect("the child").take()
            {
                child.kill().expect("it dies");
                child.wait().expect("it is dead");
            }
        }));
        self.stage.atlassian.fault(Fault::once(Match::writes(), Effect::CloseBefore));
        let mut held = child.lock().expect("the child");
        let started = self.stage.command(&["sync"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut output = held.insert(started.expect("it runs")).stdout.take().expect("its output");
        drop(held);
        // Ends when it is dead.
        output.read_to_end(&mut Vec::new()).expect("its output");
        assert!(child.lock().expect("the child").is_none(), "it sent nothing");
        // The fault stays: the simulator may not have come to it yet, and it is for that one request.
        self.stage.atlassian.on_request(Box::new(|_, _| ()));
    }

    /// One number of the database.
    fn one(&self, sql: &str) -> i64 {
        self.open().query_row(sql, [], |row| row.get(0)).expect("a number")
    }

    /// Whether the database carries a mark that keeps it from being trusted.
    fn is_marked(&self) -> bool {
        let sql = "SELECT COUNT(*) FROM meta WHERE key IN ('backup_of', 'backup_at', 'idle_since', 'refresh_due')";
        self.one(sql) > 0
    }

    /// Who is in Duo, by username, with the names of their groups.
    fn people_in_duo(&self) -> Vec<(SimPerson, BTreeSet<String>)> {
        self.duo(|duo| {
            let groups = |person: &SimPerson| -> BTreeSet<String> {
                let names = person.groups.iter().filter_map(|id| duo.sim.world.group(id));
                names.map(|group| group.name.clone()).collect()
            };
            duo.sim.world.people().map(|person| (person.clone(), groups(person))).collect()
        })
    }

    /// Atlassian gives access to exactly whom Duo gives it, in exactly these groups, under these names and addresses.
    #[track_caller]
    fn directory_is_as_duo(&self) {
        let directory = self.atlassian(|sim| sim.snapshot());
        let (mut active, mut members) = (BTreeSet::new(), BTreeSet::new());
        for (person, groups) in self.people_in_duo() {
            if person.status != "active" || groups.is_empty() {
                continue;
            }
            let user = &directory.users[&person.username];
            assert_eq!(user.email, person.email);
            assert_eq!(user.attributes.get("displayName"), Some(&json!(person.realname)));
            members.extend(groups.into_iter().map(|group| (group, person.username.clone())));
            active.insert(person.username);
        }
        let there = directory.users.iter().filter(|(_, user)| user.active).map(|(name, _)| name.clone());
        assert_eq!(there.collect::<BTreeSet<_>>(), active, "who has an active account");
        let there = directory.groups.iter().flat_map(|(group, names)| {
            let active = names.iter().filter(|name| active.contains(*name));
            active.map(move |name| (group.clone(), name.clone()))
        });
        assert_eq!(there.collect::<BTreeSet<_>>(), members, "who is in which group");
    }

    /// A sync with nothing to do, which asks Atlassian nothing.
    #[track_caller]
    fn is_at_rest(&self) {
        self.forget();
        self.ends(0, &["sync"]);
        assert!(self.target_requests().is_empty(), "{:?}", self.target_requests());
    }
}
