//! Cycles: when, by which command, and how each ended. A failed one is recorded too.

use super::decision::NEWEST_ABOUT_EVERYBODY;
use super::{DaemonLock, Store, StoreError, WriterLock};
use crate::model::Timestamp;
use rusqlite::{OptionalExtension, Row};

/// The number of a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CycleId(pub i64);

impl std::fmt::Display for CycleId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How a cycle ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CycleEnd {
    /// The exit code of the command, or of the cycle in the daemon.
    pub exit_code: u8,
    /// One sentence for people.
    pub message: String,
    /// The plan, when there was one.
    pub fingerprint: Option<String>,
    /// Numbers, as JSON.
    pub report: serde_json::Value,
}

/// The message of a cycle that was under way when the daemon was told to end: nobody knows what it would have become.
pub const TOLD_TO_END: &str = "cut off: the daemon was told to end";

impl CycleEnd {
    /// Whether the cycle did not come to an end of its own, although one is written down.
    pub fn is_cut_off(&self) -> bool {
        self.message == TOLD_TO_END
    }

    /// Whether the plan was sent, as far as that went.
    pub fn has_sent(&self) -> bool {
        self.report.get("sent").is_some_and(serde_json::Value::is_object)
    }
}

/// One cycle as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CycleRecord {
    /// Its number.
    pub id: CycleId,
    /// `plan`, `sync`, …
    pub command: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; none: it was cut off, or is running ([`Store::is_running`]).
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub end: Option<CycleEnd>,
    /// For so many cycles of that day, itself included, this one stands: the others were like it, and are removed.
    pub alike: u32,
}

impl Store {
    /// Begins a cycle.
    pub fn begin_cycle(&mut self, command: &str, now: Timestamp) -> Result<CycleId, StoreError> {
        let sql = "INSERT INTO cycle (command, started_at) VALUES (?1, ?2)";
        let begun = self.connection.prepare_cached(sql).and_then(|mut sql| sql.execute((command, now.seconds())));
        begun.map_err(self.failed("begin a cycle"))?;
        Ok(CycleId(self.connection.last_insert_rowid()))
    }

    /// Ends a cycle.
    pub fn end_cycle(&mut self, id: CycleId, end: &CycleEnd, now: Timestamp) -> Result<(), StoreError> {
        let sql =
            "UPDATE cycle SET ended_at = ?2, exit_code = ?3, message = ?4, fingerprint = ?5, report = ?6 WHERE id = ?1";
        let report = end.report.to_string();
        let values = (id.0, now.seconds(), end.exit_code, &end.message, &end.fingerprint, report);
        let ended = self.connection.prepare_cached(sql).and_then(|mut sql| sql.execute(values));
        ended.map_err(self.failed("end the cycle")).map(drop)
    }

    /// Ends what a command began after this cycle and did not come to its own end: it panicked, or was given up. An
    /// older one without an end is another run's, which was killed; to end it now would look like recent work (S19).
    pub fn end_open_cycles(
        &mut self,
        (command, after): (&str, CycleId),
        end: &CycleEnd,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE cycle SET ended_at = ?3, exit_code = ?4, message = ?5 \
                   WHERE command = ?1 AND id > ?2 AND ended_at IS NULL";
        let values = (command, after.0, now.seconds(), end.exit_code, &end.message);
        self.connection.execute(sql, values).map_err(self.failed("end a cycle that was cut off")).map(drop)
    }

    /// The newest cycle of all; 0 where there is none.
    pub fn read_newest_cycle(&self) -> Result<CycleId, StoreError> {
        let newest = self.connection.query_row("SELECT COALESCE(MAX(id), 0) FROM cycle", [], |row| row.get(0));
        newest.map(CycleId).map_err(self.failed("read the newest cycle"))
    }

    /// Whether a cycle without an end is running right now: whoever may write holds the lock for it, and a daemon that
    /// observes its own. Where another one followed, ended or not, this one is over. A dry run that nobody locks
    /// anything for looks cut off meanwhile.
    pub fn is_running(&self, cycle: &CycleRecord) -> Result<bool, StoreError> {
        let (is_at_work, newer) = match cycle.command.as_str() {
            "plan" | "sync --dry-run" | "undo --dry-run" => return Ok(false),
            "observe" => (DaemonLock::is_taken(&self.path), "command IN ('observe', 'daemon', 'settle')"),
            _ => (WriterLock::is_taken(&self.path), WRITES),
        };
        if cycle.end.is_some() || !is_at_work {
            return Ok(false);
        }
        Ok(self.read_one_cycle(&format!("WHERE id > ?1 AND {newer} LIMIT 1"), [cycle.id.0])?.is_none())
    }

    /// One cycle.
    pub fn read_cycle(&self, id: CycleId) -> Result<Option<CycleRecord>, StoreError> {
        self.read_one_cycle("WHERE id = ?1 AND alike > 0", [id.0])
    }

    /// The newest cycle about everybody: of a sync, or of the daemon.
    pub fn read_last_sync(&self) -> Result<Option<CycleRecord>, StoreError> {
        self.read_one_cycle("WHERE command IN ('sync', 'daemon', 'observe') ORDER BY id DESC LIMIT 1", [])
    }

    /// The newest cycle about everybody that came to an end of its own.
    pub fn read_last_ended_sync(&self) -> Result<Option<CycleRecord>, StoreError> {
        let sql = "WHERE command IN ('sync', 'daemon', 'observe') AND ended_at IS NOT NULL AND message <> ?1 \
                   ORDER BY id DESC LIMIT 1";
        self.read_one_cycle(sql, [TOLD_TO_END])
    }

    /// When the first cycle about everybody began, of those that are kept.
    pub fn read_first_sync_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = "WHERE command IN ('sync', 'daemon', 'observe') ORDER BY id LIMIT 1";
        Ok(self.read_one_cycle(sql, [])?.map(|cycle| cycle.started_at))
    }

    /// The newest cycle that a daemon ran.
    pub fn read_last_cycle_of_daemon(&self) -> Result<Option<CycleRecord>, StoreError> {
        self.read_one_cycle("WHERE command IN ('daemon', 'observe') ORDER BY id DESC LIMIT 1", [])
    }

    /// The newest cycle that made, or sent, the newest plan about everybody.
    pub fn read_newest_about_everybody(&self) -> Result<Option<CycleRecord>, StoreError> {
        self.read_one_cycle(&format!("WHERE fingerprint = ({NEWEST_ABOUT_EVERYBODY}) ORDER BY id DESC LIMIT 1"), [])
    }

    /// The newest cycle since this one that sent the plan with this fingerprint.
    pub fn read_sending(&self, fingerprint: &str, since: CycleId) -> Result<Option<CycleRecord>, StoreError> {
        let sql = "WHERE id >= ?1 AND fingerprint = ?2 AND report ->> '$.sent' IS NOT NULL ORDER BY id DESC LIMIT 1";
        self.read_one_cycle(sql, (since.0, fingerprint))
    }

    /// The newest cycle that read, planned, and did all that was approved.
    pub fn read_last_good_cycle(&self) -> Result<Option<CycleRecord>, StoreError> {
        self.read_one_cycle(
            "WHERE exit_code = 0 AND command IN ('sync', 'daemon', 'observe') ORDER BY id DESC LIMIT 1",
            [],
        )
    }

    /// How many of the newest ended cycles about everybody failed, one after the other; counted up to `most`. One that
    /// was cut off says nothing.
    pub fn count_failed_in_a_row(&self, most: u32) -> Result<u32, StoreError> {
        let doing = "read the cycles";
        let sql = "SELECT exit_code FROM cycle WHERE command IN ('sync', 'daemon', 'observe') AND ended_at IS NOT NULL \
                   AND message <> ?2 ORDER BY id DESC LIMIT ?1";
        let mut statement = self.connection.prepare(sql).map_err(self.failed(doing))?;
        let rows = statement.query_map((most, TOLD_TO_END), |row| row.get::<_, u8>(0)).map_err(self.failed(doing))?;
        let codes: Vec<u8> = rows.collect::<Result<_, _>>().map_err(self.failed(doing))?;
        let failed = codes.into_iter().take_while(|code| !matches!(code, 0 | 5)).count();
        Ok(u32::try_from(failed).unwrap_or(most))
    }

    /// The newest cycles, newest first.
    pub fn read_cycles(&self, most: u32) -> Result<Vec<CycleRecord>, StoreError> {
        let doing = "read the cycles";
        let sql = format!("{SELECT} WHERE alike > 0 ORDER BY id DESC LIMIT ?1");
        let mut statement = self.connection.prepare(&sql).map_err(self.failed(doing))?;
        let rows = statement.query_map([most], record).map_err(self.failed(doing))?;
        rows.collect::<Result<_, _>>().map_err(self.failed(doing))
    }

    /// Whether a saved plan has done, to its end, what a cycle planned and did not send.
    pub fn was_applied_since(&self, cycle: &CycleRecord) -> Result<bool, StoreError> {
        let fingerprint = cycle.end.as_ref().and_then(|end| end.fingerprint.as_ref());
        let sql = "WHERE id > ?1 AND fingerprint = ?2 AND command = 'apply' AND exit_code = 0 LIMIT 1";
        Ok(self.read_one_cycle(sql, (cycle.id.0, fingerprint))?.is_some())
    }

    fn read_one_cycle<P: rusqlite::Params>(&self, rest: &str, params: P) -> Result<Option<CycleRecord>, StoreError> {
        let found = self.connection.query_row(&format!("{SELECT} {rest}"), params, record).optional();
        found.map_err(self.failed("read a cycle"))
    }
}

/// What has the lock of those who write.
const WRITES: &str = "command NOT IN ('plan', 'observe', 'sync --dry-run', 'undo --dry-run')";

const SELECT: &str =
    "SELECT id, command, started_at, ended_at, exit_code, message, fingerprint, report, alike FROM cycle";

fn record(row: &Row<'_>) -> rusqlite::Result<CycleRecord> {
    let exit_code: Option<u8> = row.get(4)?;
    let ended_at: Option<i64> = row.get(3)?;
    let report: String = row.get(7)?;
    let end = match exit_code {
        Some(exit_code) => Some(CycleEnd {
            exit_code,
            message: row.get(5)?,
            fingerprint: row.get(6)?,
            report: serde_json::from_str(&report).unwrap_or_default(),
        }),
        None => None,
    };
    Ok(CycleRecord {
        id: CycleId(row.get(0)?),
        command: row.get(1)?,
        started_at: Timestamp::from_seconds(row.get(2)?),
        ended_at: ended_at.map(Timestamp::from_seconds),
        end,
        alike: row.get(8)?,
    })
}
