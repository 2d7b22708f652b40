//! A scene: both simulators, a configuration, the built program, and what can be said about them afterwards.

use super::super::sim::atlassian::AtlassianSim;
use super::super::sim::stage::{Ran, Stage};
use super::super::sim::wire::Request;
use super::duo::Duo;
use super::picture::tidy;
use rusqlite::Connection;
use serde_json::Value;
use std::cell::Cell;
use std::fmt::Write;
use std::path::PathBuf;
use tempfile::TempDir;

/// All groups; quick.
const ALL_GROUPS: &str = "[scope]\ngroups = [{ name = \"*\" }]\n";
const QUICK_DUO: &str = "requests_per_minute = 60000";
/// One request at a time, so that effects have one order.
const QUICK_ATLASSIAN: &str =
    "requests_per_second = 1000.0\nconcurrent_requests_max = 1\napi_key_expires = \"2999-01-01\"";

/// Both simulators, a configuration and the built program.
pub(super) struct Scene {
    pub(super) stage: Stage,
    /// Effects before this are an earlier day's.
    effects_from: Cell<usize>,
    folder: TempDir,
}

impl Scene {
    /// Nobody in Duo, nobody in Atlassian; all groups are selected.
    pub(super) fn empty() -> Self {
        Self::empty_in(tempfile::tempdir().expect("a folder"))
    }

    /// The same, with its files in this folder.
    pub(super) fn empty_in(folder: TempDir) -> Self {
        let program = vec![env!("CARGO_BIN_EXE_duo-atlassian-sync").to_owned()];
        let stage = Stage::set(folder.path(), program).expect("a stage");
        let scene = Self { stage, effects_from: Cell::new(0), folder };
        scene.configure(ALL_GROUPS);
        scene
    }

    /// People, each as `"ana in eng ops"`.
    pub(super) fn with(people: &[&str]) -> Self {
        let scene = Self::empty();
        scene.duo(|duo| people.iter().for_each(|line| drop(duo.hire(line).user_id.clone())));
        scene
    }

    /// The same, and the first sync is over.
    pub(super) fn settled(people: &[&str]) -> Self {
        let scene = Self::with(people);
        scene.settle();
        scene
    }

    /// Other sections of the configuration; without `[scope]`, all groups are selected.
    pub(super) fn configure(&self, sections: &str) {
        self.configure_atlassian("", sections);
    }

    /// The same, with further keys for `[atlassian]`.
    pub(super) fn configure_atlassian(&self, atlassian: &str, sections: &str) {
        let scope = if sections.contains("[scope]") { "" } else { ALL_GROUPS };
        let written = self.stage.configure_services(
            QUICK_DUO,
            &format!("{QUICK_ATLASSIAN}\n{atlassian}"),
            &format!("{scope}{sections}"),
        );
        written.expect("the configuration is written");
    }

    /// Changes Duo.
    pub(super) fn duo<T>(&self, change: impl FnOnce(&mut Duo<'_>) -> T) -> T {
        self.stage.duo.with(|sim| change(&mut Duo { sim }))
    }

    /// Looks at Atlassian, or changes it as somebody else would.
    pub(super) fn atlassian<T>(&self, look: impl FnOnce(&mut AtlassianSim) -> T) -> T {
        self.stage.atlassian.with(look)
    }

    /// A day passes in Duo; what is seen and changed from now on is that day's.
    pub(super) fn day(&self, change: impl FnOnce(&mut Duo<'_>)) {
        self.duo(change);
        self.forget();
    }

    /// What was seen and changed so far is not asked about any more.
    pub(super) fn forget(&self) {
        self.stage.duo.forget_seen();
        self.stage.atlassian.forget_seen();
        self.effects_from.set(self.atlassian(|sim| sim.effects().len()));
    }

    /// Runs the program.
    pub(super) fn run(&self, arguments: &[&str]) -> Ran {
        self.stage.run(arguments).expect("the program runs")
    }

    /// Runs the program, which must end so.
    #[track_caller]
    pub(super) fn ends(&self, code: i32, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}\n{}\n{}", ran.stdout, ran.stderr);
        ran
    }

    /// Plans, approves what is held, and syncs, which ends well.
    #[track_caller]
    pub(super) fn settle(&self) {
        self.approve();
        self.ends(0, &["sync"]);
        self.forget();
    }

    /// Approves the plan of now, if it is held.
    #[track_caller]
    pub(super) fn approve(&self) {
        let plan = self.plan();
        if plan["guard"]["verdict"] == "held" {
            self.ends(0, &["approve", plan["fingerprint"].as_str().expect("a fingerprint")]);
        }
    }

    /// The plan of now as its document.
    #[track_caller]
    pub(super) fn plan(&self) -> Value {
        let ran = self.ends(0, &["plan", "--format", "json"]);
        serde_json::from_str(&ran.stdout).expect("a plan document")
    }

    /// What requests changed since the last day began, in order.
    pub(super) fn effects(&self) -> Vec<String> {
        self.atlassian(|sim| sim.effect_lines()).split_off(self.effects_from.get())
    }

    /// How many effects are an earlier day's.
    pub(super) fn effects_before(&self) -> usize {
        self.effects_from.get()
    }

    /// The same, one a line.
    pub(super) fn effects_text(&self) -> String {
        self.effects().join("\n")
    }

    /// The requests that the target saw since the last day began.
    pub(super) fn target_requests(&self) -> Vec<String> {
        self.stage.atlassian.seen().iter().map(|seen| line(&seen.request)).collect()
    }

    /// The requests that the source saw since the last day began.
    pub(super) fn source_requests(&self) -> Vec<String> {
        self.stage.duo.seen().iter().map(|seen| line(&seen.request)).collect()
    }

    /// No request that could change something arrived at the target.
    #[track_caller]
    pub(super) fn nothing_was_sent(&self) {
        let writes: Vec<_> = self.target_requests().into_iter().filter(|line| !line.starts_with("GET ")).collect();
        assert!(writes.is_empty(), "{writes:?}");
    }

    /// The database.
    pub(super) fn database(&self) -> PathBuf {
        self.folder.path().join("state.db")
    }

    /// A file in the scene's folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Snapshot and links, as text: what a later cycle depends on.
    pub(super) fn snapshot(&self) -> String {
        if !self.database().exists() {
            return String::new();
        }
        let connection = self.open();
        let mut text = String::new();
        for sql in [
            "SELECT user_id, scim_id, username, active, attributes, refused, left_scope_at FROM account ORDER BY 1",
            "SELECT group_id, scim_id, name FROM scim_group ORDER BY 1",
            "SELECT group_id, user_id FROM membership ORDER BY 1, 2",
            "SELECT key, value FROM meta WHERE key NOT IN ('target_read_at') ORDER BY 1",
            "SELECT journal, class, count FROM spent ORDER BY 1, 2",
        ] {
            let mut statement = connection.prepare(sql).expect("a statement");
            let columns = statement.column_count();
            let mut rows = statement.query([]).expect("rows");
            while let Some(row) = rows.next().expect("a row") {
                for column in 0..columns {
                    let value: rusqlite::types::Value = row.get(column).expect("a value");
                    let _ = write!(text, "{value:?} ");
                }
                text.push('\n');
            }
        }
        text
    }

    /// An hour passes for records that fail: no pause is longer.
    pub(super) fn an_hour_passes(&self) {
        self.open().execute("UPDATE failing SET last_at = last_at - 3600", []).expect("an hour");
    }

    /// A connection of the test's own to the database.
    pub(super) fn open(&self) -> Connection {
        Connection::open(self.database()).expect("the database opens")
    }

    /// Runs the program and asserts that it ended so, sent nothing, and left snapshot and links as they were.
    #[track_caller]
    pub(super) fn changes_nothing(&self, code: i32, arguments: &[&str]) -> Ran {
        let (before, directory) = (self.snapshot(), self.atlassian(|sim| sim.snapshot()));
        let ran = self.ends(code, arguments);
        self.nothing_was_sent();
        assert_eq!(self.atlassian(|sim| sim.snapshot()), directory);
        let after = self.snapshot();
        // A first run makes the database; that alone links nothing.
        if !before.is_empty() {
            assert_eq!(after, before);
        }
        ran
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let violations = self.atlassian(|sim| sim.violations());
            assert!(violations.is_empty(), "promises were broken: {violations:#?}");
        }
    }
}

/// Both streams, and the code, as a picture.
pub(super) fn picture(ran: &Ran) -> String {
    let code = ran.code.map_or_else(|| "signal".to_owned(), |code| code.to_string());
    tidy(&format!("{}{}exit {code}", ran.stdout, ran.stderr))
}

fn line(request: &Request) -> String {
    let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    format!("{} {}{query}", request.method, request.path)
}
