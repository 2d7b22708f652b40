//! A command that is killed at one of its points, what is done after it, and what must be so in the end.

use super::super::super::sim::atlassian::{Kept, Snapshot};
use super::super::scene::Scene;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A scene, and the command that dies in it.
#[derive(Clone, Copy)]
pub(super) struct Story {
    /// Sets the scene.
    pub(super) set: fn() -> Scene,
    /// What dies.
    pub(super) command: fn(&Scene) -> Vec<String>,
    /// What is run after it died.
    pub(super) again: fn(&Scene) -> Vec<String>,
    /// How both end when nothing disturbs them.
    pub(super) code: i32,
    /// What is done after that, and after the undisturbed run.
    pub(super) rest: fn(&Scene),
}

/// A story that can be played from its beginning as often as needed.
pub(super) struct Rehearsal {
    pub(super) scene: Scene,
    pub(super) arguments: Vec<String>,
    /// Requests of the undisturbed run: to the source, to the target.
    pub(super) requests: (Vec<String>, Vec<String>),
    story: Story,
    beginning: (Kept, Files),
    cycles_before: usize,
    expected: End,
}

/// How much is looked at after the end was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looks {
    /// Also the records of the cycles, `status` and a further sync.
    All,
    /// Nothing more. In the middle of a transaction, the state is the one before it; that has its own point.
    End,
}

/// What is there in the end, a line each: the directory, what was done for it, what we know of it.
type End = Vec<String>;

/// The files of the database, by name.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

pub(super) fn read_files(folder: &Path) -> Files {
    let entries = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry"));
    let named = entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()));
    let ours = named.filter(|(name, _)| name.starts_with("state.db"));
    ours.map(|(name, path)| (name, fs::read(path).expect("a file"))).collect()
}

/// The words of a command.
pub(super) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A sync that dies, and is run again.
pub(super) fn sync_of(set: fn() -> Scene) -> Story {
    let sync = |_: &Scene| words(&["sync"]);
    Story { set, command: sync, again: sync, code: 0, rest: |_| () }
}

impl Rehearsal {
    /// Sets the scene, and plays it once without a disturbance.
    pub(super) fn of(story: Story) -> Self {
        let scene = (story.set)();
        an_hour_passes(&scene);
        let folder = scene.database().parent().expect("a folder").to_owned();
        let beginning = (scene.atlassian(|sim| sim.keep()), read_files(&folder));
        let cycles_before = if scene.database().exists() { history(&scene).len() } else { 0 };
        let arguments = (story.command)(&scene);
        scene.forget();
        runs(&scene, story.code, &arguments);
        let requests = (scene.source_requests(), scene.target_requests());
        the_program_counts_as_many(&scene, &requests, cycles_before);
        (story.rest)(&scene);
        let expected = end(&scene);
        let rehearsal = Self { scene, arguments, requests, story, beginning, cycles_before, expected };
        rehearsal.everything_is_sound("undisturbed");
        rehearsal.nothing_is_left_to_do("undisturbed");
        rehearsal
    }

    /// How it ends when nothing disturbs it.
    pub(super) fn code(&self) -> i32 {
        self.story.code
    }

    /// Where the database is.
    pub(super) fn folder(&self) -> std::path::PathBuf {
        self.scene.database().parent().expect("a folder").to_owned()
    }

    /// Everything is as it was before the command.
    pub(super) fn begin(&self) {
        let (directory, files) = &self.beginning;
        for name in read_files(&self.folder()).keys() {
            fs::remove_file(self.folder().join(name)).expect("it is removed");
        }
        for (name, bytes) in files {
            fs::write(self.folder().join(name), bytes).expect("it is written");
        }
        self.scene.atlassian(|sim| sim.put_back(directory));
        self.scene.forget();
    }

    /// After a death: the command is run again, and the end is that of the undisturbed run.
    #[track_caller]
    pub(super) fn ends_well(&self, point: &str, is_recorded: bool, looks: Looks) {
        let sent = self.scene.source_requests().len() + self.scene.target_requests().len();
        runs(&self.scene, self.story.code, &(self.story.again)(&self.scene));
        if looks == Looks::All {
            self.history_is_true(point, (is_recorded, sent > 0));
        }
        (self.story.rest)(&self.scene);
        let (found, expected) = (end(&self.scene), &self.expected);
        let (more, less) = (difference(&found, expected), difference(expected, &found));
        assert!(found == *expected, "{point}\nthere is\n{more}and there should be\n{less}");
        self.everything_is_sound(point);
        if looks == Looks::All {
            self.nothing_is_left_to_do(point);
        }
    }

    /// The cycle that died is there from its first request on, and says that it was cut off, unless its end was
    /// recorded.
    #[track_caller]
    fn history_is_true(&self, point: &str, (is_recorded, has_sent): (bool, bool)) {
        let cycles = history(&self.scene);
        let new = &cycles[self.cycles_before..];
        let Some((last, before)) = new.split_last() else { return assert!(!has_sent, "{point}") };
        assert_eq!(last.0, Some(self.story.code), "{point}");
        assert!(before.len() <= 1, "{point}: {before:#?}");
        assert!(!(before.is_empty() && has_sent), "{point}: nothing tells of the cycle that died");
        for died in before {
            assert_eq!(*died, (is_recorded.then_some(self.story.code), is_recorded), "{point}");
        }
    }

    /// No promise was broken, and the database is sound.
    #[track_caller]
    fn everything_is_sound(&self, point: &str) {
        let violations = self.scene.atlassian(|sim| sim.violations());
        assert!(violations.is_empty(), "{point}: {violations:#?}");
        let integrity: String =
            self.scene.open().query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a check");
        assert_eq!(integrity, "ok", "{point}");
    }

    /// A further sync sends nothing, and `status` says that all is well.
    #[track_caller]
    fn nothing_is_left_to_do(&self, point: &str) {
        self.scene.stage.atlassian.forget_seen();
        self.scene.ends(0, &["sync"]);
        assert_eq!(self.scene.target_requests(), [""; 0], "{point}");
        let status = self.scene.ends(0, &["status", "--format", "json"]).stdout;
        let status: Value = serde_json::from_str(&status).expect("JSON");
        assert_eq!((&status["state"], &status["unsettled_requests"]), (&"good".into(), &0.into()), "{point}");
    }
}

/// What was written so far is an hour old: a moment that is written again in the very second in which it was written
/// before is no change, and so no commit.
fn an_hour_passes(scene: &Scene) {
    if scene.database().exists() {
        let sql = "UPDATE meta SET value = value - 3600 WHERE key IN ('ever_wrote', 'target_read_at');
                   UPDATE failing SET first_at = first_at - 3600, last_at = last_at - 3600;";
        scene.open().execute_batch(sql).expect("an hour");
    }
}

#[track_caller]
fn runs(scene: &Scene, code: i32, arguments: &[String]) {
    scene.ends(code, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
}

/// In any order, but not twice: something that is done again is a further line.
fn end(scene: &Scene) -> End {
    let Snapshot { users, groups } = scene.atlassian(|sim| sim.snapshot());
    let mut lines = known(scene);
    lines.extend(users.iter().map(|(name, user)| format!("user {name}: {user:?}")));
    lines.extend(groups.iter().map(|(name, members)| format!("group {name}: {members:?}")));
    lines.extend(scene.effects().iter().map(|effect| format!("effect: {effect}")));
    lines.sort();
    lines
}

/// What is in one of them, and is not, or not as often, in the other.
fn difference(one: &End, other: &End) -> String {
    let mut left = other.clone();
    let lacks = |line: &&String| left.iter().position(|other| other == *line).map(|at| left.remove(at)).is_none();
    one.iter().filter(lacks).fold(String::new(), |told, line| told + "  " + line + "\n")
}

/// Every cycle, oldest first, as `history` tells it: the exit code, and whether its end is known.
fn history(scene: &Scene) -> Vec<(Option<i32>, bool)> {
    let connection = scene.open();
    let sql = "SELECT exit_code, ended_at IS NOT NULL FROM cycle ORDER BY id";
    let mut statement = connection.prepare(sql).expect("a statement");
    let cycles = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    cycles.collect::<Result<_, _>>().expect("cycles")
}

/// The points are the requests that the simulators saw. The program has counts of its own: what it sent to either
/// service, by the record of its cycle; and a journal entry for each writing request.
fn the_program_counts_as_many(scene: &Scene, (source, target): &(Vec<String>, Vec<String>), cycles_before: usize) {
    let cycles = if scene.database().exists() { history(scene).len() } else { 0 };
    if cycles == cycles_before {
        return assert!(source.is_empty() && target.is_empty(), "requests of no cycle: {source:?} {target:?}");
    }
    let connection = scene.open();
    let sql = "SELECT report FROM cycle ORDER BY id DESC LIMIT 1";
    let report: String = connection.query_row(sql, [], |row| row.get(0)).expect("a report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let sent = (&report["source"]["requests"], &report["target_requests"]);
    assert_eq!(sent, (&source.len().into(), &target.len().into()), "{source:#?} {target:#?}");
    let sql = "SELECT COUNT(*) FROM journal WHERE cycle = (SELECT MAX(id) FROM cycle)
               AND request ->> 'request' NOT IN ('adopt', 'adopt_group')";
    let entries: i64 = connection.query_row(sql, [], |row| row.get(0)).expect("a count");
    let writes = target.iter().filter(|line| !line.starts_with("GET ")).count();
    assert_eq!(usize::try_from(entries), Ok(writes), "{target:#?}");
}

/// What later cycles go by.
fn known(scene: &Scene) -> Vec<String> {
    let tables = [
        "SELECT user_id, scim_id, username, active, attributes, refused, left_scope_at IS NULL FROM account",
        "SELECT group_id, scim_id, name FROM scim_group",
        "SELECT group_id || ' ' || user_id FROM membership",
        "SELECT user_id FROM atlassian_link",
        "SELECT key, value FROM meta WHERE key IN ('rules', 'remembered', 'foreign_accounts')",
        "SELECT class || ' ' || ifnull(group_id, ''), SUM(count) FROM spent GROUP BY 1",
        "SELECT record, kind FROM failing",
        "SELECT user_id, undone FROM pin",
    ];
    let connection = scene.open();
    // An id is worth what it leads to; which one a record got depends on what was made before it.
    let records: Vec<(String, String)> = scene.atlassian(|sim| {
        let users = sim.users().map(|user| (user.id.clone(), format!("user {}", user.user_name())));
        users.chain(sim.groups().map(|group| (group.id.clone(), format!("group {}", group.name)))).collect()
    });
    let mut lines = Vec::new();
    for sql in tables {
        let mut statement = connection.prepare(sql).expect("a statement");
        let columns = statement.column_count();
        let mut rows = statement.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            let values = (0..columns).map(|column| row.get(column).expect("a value"));
            let values: Vec<rusqlite::types::Value> = values.collect();
            let line = format!("{}: {values:?}", &sql["SELECT ".len()..]);
            lines.push(records.iter().fold(line, |line, (id, record)| line.replace(id, record)));
        }
    }
    lines
}

/// So many points are worth a worker, who has to set a scene first.
const POINTS_PER_WORKER: usize = 20;

/// Tries all points of a story, each once, several at once, each worker on a scene of its own; the first one's is set
/// already.
pub(super) fn try_all(first: Rehearsal, points: usize, try_one: impl Fn(&Rehearsal, usize) + Sync) {
    assert!(points > 0, "nothing to try");
    let story = first.story;
    let (next, tried) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = |rehearsal: Rehearsal| {
        loop {
            let point = next.fetch_add(1, Ordering::Relaxed);
            if point >= points {
                break;
            }
            try_one(&rehearsal, point);
            tried.fetch_add(1, Ordering::Relaxed);
        }
    };
    let work = &work;
    let most = thread::available_parallelism().map_or(2, usize::from);
    let others = (points / POINTS_PER_WORKER).min(most - 1);
    thread::scope(|scope| {
        scope.spawn(move || work(first));
        for _ in 0..others {
            scope.spawn(move || work(Rehearsal::of(story)));
        }
    });
    assert_eq!(tried.into_inner(), points, "every point was tried");
}
