//! Compaction: what is old and no longer needed is removed, in bounded steps, so that the database stays bounded.
//!
//! | What | When | But never |
//! | --- | --- | --- |
//! | what counted against the limits | after a week | |
//! | plans that were neither sent nor decided on | after a week | the one that waits, the newest of each command |
//! | cycles that sent nothing | after a week; of those alike, the last of each day stays for all | the newest 200 |
//! | everything else of a cycle | after `state.history_days` | with an open request or a pin; the newest of each kind |
//! | decisions | after `state.history_days` | while they are in force |
//!
//! Freed pages are used again; the file itself does not shrink.

use super::decision::NEWEST_ABOUT_EVERYBODY;
use super::open::{read_meta, write_meta};
use super::{CycleId, Store, StoreError};
use crate::model::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction};
use std::collections::BTreeMap;

const DAY_SECONDS: i64 = 86_400;
/// After so many days cycles without consequences are put together. More than the week of which people ask "what was
/// on Monday?", and than the 24 hours of the limits.
const WHOLE_DAYS: i64 = 7;
/// The newest cycles stay, whatever the clock says.
const NEWEST_KEPT: i64 = 200;
/// One transaction changes at most about so many rows, so that nobody waits for long.
const BATCH: u32 = 1_000;
/// One compaction has at most so many transactions of each kind; the next cycle goes on.
const BATCHES_MAX: usize = 100;

/// Commands that send nothing: no later cycle goes by when they ran last.
const PREVIEWS: &str = "'plan', 'sync --dry-run', 'undo --dry-run', 'settle'";

const THINNED_TO: &str = "thinned_to";
const REMOVED_CYCLES: &str = "removed_cycles";
const REMOVED_UNTIL: &str = "removed_until";

/// Plans for which somebody may still ask, by their cycle: the one that waits for a person, the newest of each command
/// among the newest thousand cycles (a week), and those with a decision in force (at ?1).
fn needed_plans() -> String {
    format!(
        "SELECT cycle FROM plan WHERE fingerprint = ({NEWEST_ABOUT_EVERYBODY}) \
         UNION ALL SELECT MAX(p.cycle) FROM plan AS p JOIN cycle AS c ON c.id = p.cycle \
         WHERE p.cycle > (SELECT MAX(id) FROM cycle) - 1000 GROUP BY c.command \
         UNION ALL SELECT p.cycle FROM decision AS d JOIN plan AS p ON p.fingerprint = d.fingerprint \
         WHERE d.expires_at IS NULL OR d.expires_at > ?1"
    )
}

/// What was removed of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    /// So many cycles.
    pub cycles: u64,
    /// The newest of them began then.
    pub until: Timestamp,
}

impl Store {
    /// Removes what is old and no longer needed. Cheap when there is nothing; safe beside others, and when cut off.
    pub fn compact(&mut self, now: Timestamp, history_days: u32) -> Result<(), StoreError> {
        let path = self.path.clone();
        let failed = |source| StoreError::Sqlite { doing: "remove what is old", path: path.clone(), source };
        if !self.is_compaction_due(now)? {
            return Ok(());
        }
        let now = self.plausible(now)?;
        let week = week_before(now);
        let history = now.seconds() - i64::from(history_days) * DAY_SECONDS;
        self.in_batches(|transaction| thin(transaction, week, now)).map_err(&failed)?;
        self.in_batches(|transaction| forget_spent(transaction, week, now)).map_err(&failed)?;
        self.in_batches(|transaction| remove(transaction, history, now)).map_err(&failed)?;
        forget_decisions(&self.connection, history, now).map_err(&failed)
    }

    /// Whether a day is over that was not thinned yet: so nothing is looked for in most cycles. What is older than the
    /// history is noticed with it.
    pub fn is_compaction_due(&self, now: Timestamp) -> Result<bool, StoreError> {
        let now = self.plausible(now)?;
        let due = self.connection.query_row(DUE, [week_before(now), now.seconds()], |row| row.get(0));
        due.map_err(self.failed("look for what is old"))
    }

    /// A clock that is wrong for a moment, as after a start without a network, must not cost the history: here, at most
    /// a day has passed since the cycle before the newest one.
    fn plausible(&self, now: Timestamp) -> Result<Timestamp, StoreError> {
        let sql = "SELECT started_at FROM cycle ORDER BY id DESC LIMIT 1 OFFSET 1";
        let before: Option<i64> = self
            .connection
            .query_row(sql, [], |row| row.get(0))
            .optional()
            .map_err(self.failed("read when the last cycle was"))?;
        Ok(before.map_or(now, |before| now.min(Timestamp::from_seconds(before).plus_seconds(DAY_SECONDS))))
    }

    /// Whether the newest cycle is of an earlier day: what is done once a day is due then.
    pub fn is_new_day(&self, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "SELECT started_at FROM cycle ORDER BY id DESC LIMIT 1";
        let newest: Option<i64> = self
            .connection
            .query_row(sql, [], |row| row.get(0))
            .optional()
            .map_err(self.failed("read when the last cycle was"))?;
        Ok(newest.is_none_or(|newest| newest.div_euclid(DAY_SECONDS) < now.seconds().div_euclid(DAY_SECONDS)))
    }

    /// What was removed of the history; none: nothing.
    pub fn read_removed(&self) -> Result<Option<Removed>, StoreError> {
        let number = |key| {
            let value = read_meta(&self.connection, key).map_err(self.failed("read what was removed"))?;
            Ok(value.and_then(|value| value.parse::<i64>().ok()))
        };
        let (cycles, until) = (number(REMOVED_CYCLES)?, number(REMOVED_UNTIL)?);
        Ok(cycles.zip(until).map(|(cycles, until)| Removed {
            cycles: u64::try_from(cycles).unwrap_or(0),
            until: Timestamp::from_seconds(until),
        }))
    }

    /// Why there is no such cycle, as a sentence.
    pub fn why_missing(&self, id: CycleId) -> Result<String, StoreError> {
        let sql = "SELECT COALESCE(MAX(id), 0) FROM cycle";
        let newest: i64 =
            self.connection.query_row(sql, [], |row| row.get(0)).map_err(self.failed("look for a cycle"))?;
        Ok(if (1..=newest).contains(&id.0) {
            format!(
                "cycle {id} is not kept: after a week one cycle a day stands for those that sent nothing, and after \
                 state.history_days all are removed; `history` lists what there is"
            )
        } else {
            format!("no cycle {id} is in the database; `history` lists what there is")
        })
    }

    /// Runs bounded transactions until one says that there is nothing more to do.
    fn in_batches(&mut self, step: impl Fn(&Transaction<'_>) -> rusqlite::Result<usize>) -> rusqlite::Result<()> {
        for _ in 0..BATCHES_MAX {
            let transaction = self.connection.transaction()?;
            let changed = step(&transaction)?;
            transaction.commit()?;
            if changed == 0 {
                break;
            }
        }
        Ok(())
    }
}

/// The beginning of the day that was a week ago.
const fn week_before(now: Timestamp) -> i64 {
    let day = now.seconds().div_euclid(DAY_SECONDS);
    (day - WHOLE_DAYS) * DAY_SECONDS
}

const DUE: &str = "SELECT EXISTS (SELECT 1 FROM (SELECT started_at FROM cycle WHERE started_at <= ?2 AND id > \
     COALESCE((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'thinned_to'), 0) \
     ORDER BY id LIMIT 1) WHERE started_at < ?1)";

/// When a cycle began, asked at ?1. One of the future had a clock that ran ahead: by its number it was before the next
/// one that is not of the future. NULL: there is none yet.
const BEGAN: &str = "CASE WHEN started_at <= ?1 THEN started_at ELSE (SELECT next.started_at FROM cycle AS next \
     WHERE next.id > cycle.id AND next.started_at <= ?1 ORDER BY next.id LIMIT 1) END";

/// What counted against the limits of 24 hours. What was sent under a clock that ran ahead would count until that day
/// has come: it goes with those around it.
fn forget_spent(transaction: &Transaction<'_>, week: i64, now: Timestamp) -> rusqlite::Result<usize> {
    let sql = "DELETE FROM spent WHERE rowid IN (SELECT rowid FROM spent WHERE at < ?1 OR (at > ?2 AND EXISTS \
         (SELECT 1 FROM journal WHERE id = spent.journal AND cycle <= ?3)) LIMIT ?4)";
    transaction.execute(sql, (week, now.seconds(), thinned_to(transaction)?, BATCH))
}

/// The cycles up to this one are put together already.
fn thinned_to(transaction: &Transaction<'_>) -> rusqlite::Result<i64> {
    Ok(read_meta(transaction, THINNED_TO)?.and_then(|value| value.parse().ok()).unwrap_or(0))
}

/// What makes cycles alike: the command, the exit code, and whether there was no plan.
type Kind = (String, Option<u8>, bool);

/// A cycle that is old enough to be put together with others.
struct Old {
    id: i64,
    day: i64,
    kind: Kind,
    alike: i64,
    /// It sent something, or somebody refers to it.
    has_consequences: bool,
}

/// Of the cycles of a day that sent nothing and are alike (command, exit code, whether there was a plan), the last one
/// stays and stands for all.
fn thin(transaction: &Transaction<'_>, week: i64, now: Timestamp) -> rusqlite::Result<usize> {
    let from = thinned_to(transaction)?;
    let old = read_old(transaction, from, (week, now))?;
    let Some(to) = old.last().map(|cycle| cycle.id) else { return Ok(0) };
    // Plans that led to nothing go first: they refer to their cycles.
    let needed = needed_plans();
    let sql = format!(
        "DELETE FROM plan WHERE cycle > ?2 AND cycle <= ?3 AND cycle NOT IN ({needed}) \
         AND NOT EXISTS (SELECT 1 FROM journal WHERE cycle = plan.cycle) \
         AND NOT EXISTS (SELECT 1 FROM decision WHERE fingerprint = plan.fingerprint)"
    );
    transaction.execute(&sql, (now.seconds(), from, to))?;
    let mut last: BTreeMap<(i64, Kind), (i64, i64)> = BTreeMap::new();
    for cycle in
        read_old(transaction, from, (week, now))?.into_iter().filter(|cycle| !cycle.has_consequences && cycle.id <= to)
    {
        let standing = last.entry((cycle.day, cycle.kind)).or_insert((cycle.id, 0));
        if standing.0 != cycle.id {
            transaction.prepare_cached("DELETE FROM cycle WHERE id = ?1")?.execute([standing.0])?;
        }
        *standing = (cycle.id, standing.1 + cycle.alike);
    }
    for (id, alike) in last.into_values().filter(|(_, alike)| *alike > 1) {
        transaction.prepare_cached("UPDATE cycle SET alike = ?2 WHERE id = ?1")?.execute([id, alike])?;
    }
    write_meta(transaction, THINNED_TO, &to.to_string())?;
    Ok(1)
}

/// The next cycles to thin: whole days, unless one day alone has more than a batch.
fn read_old(transaction: &Transaction<'_>, from: i64, (week, now): (i64, Timestamp)) -> rusqlite::Result<Vec<Old>> {
    let sql = format!(
        "SELECT id, COALESCE({BEGAN}, ?1), command, exit_code, fingerprint IS NULL, alike, \
         EXISTS (SELECT 1 FROM journal WHERE cycle = cycle.id) OR EXISTS (SELECT 1 FROM plan WHERE cycle = cycle.id) \
         OR EXISTS (SELECT 1 FROM pin WHERE undone = cycle.id) \
         FROM cycle WHERE id > ?2 AND alike > 0 \
         AND id <= (SELECT MAX(id) FROM cycle) - ?3 ORDER BY id LIMIT ?4"
    );
    let mut statement = transaction.prepare_cached(&sql)?;
    let rows = statement.query_map((now.seconds(), from, NEWEST_KEPT, BATCH), |row| {
        let began: i64 = row.get(1)?;
        Ok(Old {
            id: row.get(0)?,
            day: began.div_euclid(DAY_SECONDS),
            kind: (row.get(2)?, row.get(3)?, row.get(4)?),
            alike: row.get(5)?,
            has_consequences: row.get(6)?,
        })
    });
    let is_old = |cycle: &Old| cycle.day * DAY_SECONDS < week;
    let mut old: Vec<Old> = rows?.take_while(|cycle| cycle.as_ref().map_or(true, is_old)).collect::<Result<_, _>>()?;
    if u32::try_from(old.len()) == Ok(BATCH) {
        let last_day = old.last().map(|cycle| cycle.day);
        let whole = old.iter().take_while(|cycle| Some(cycle.day) != last_day).count();
        if whole > 0 {
            old.truncate(whole);
        }
    }
    Ok(old)
}

/// Cycles that are older than the history, with all that is about them. One that has many requests goes in several
/// transactions: it is marked first, and nobody sees it any more.
fn remove(transaction: &Transaction<'_>, history: i64, now: Timestamp) -> rusqlite::Result<usize> {
    let going = "SELECT id FROM cycle WHERE alike = 0";
    let entries = format!("SELECT id FROM journal WHERE cycle IN ({going}) LIMIT {BATCH}");
    transaction.execute(&format!("DELETE FROM spent WHERE journal IN ({entries})"), [])?;
    let removed = transaction.execute(&format!("DELETE FROM journal WHERE id IN ({entries})"), [])?;
    if removed > 0 {
        return Ok(removed);
    }
    transaction.execute(&format!("DELETE FROM plan WHERE cycle IN ({going})"), [])?;
    transaction.execute("DELETE FROM cycle WHERE alike = 0", [])?;
    let oldest = "SELECT started_at FROM cycle WHERE started_at <= ?1 ORDER BY id LIMIT 1";
    let oldest: Option<i64> = transaction.query_row(oldest, [now.seconds()], |row| row.get(0)).optional()?;
    if oldest.is_none_or(|oldest| oldest >= history) {
        return Ok(0);
    }
    let needed = needed_plans();
    let sql = format!(
        "SELECT id, alike, {BEGAN} FROM cycle WHERE {BEGAN} < ?2 \
         AND id <= (SELECT MAX(id) FROM cycle) - {NEWEST_KEPT} \
         AND id NOT IN (SELECT MAX(id) FROM cycle WHERE command NOT IN ({PREVIEWS}) GROUP BY command, exit_code) \
         AND id NOT IN ({needed}) AND NOT EXISTS (SELECT 1 FROM pin WHERE undone = cycle.id) \
         AND NOT EXISTS (SELECT 1 FROM journal WHERE cycle = cycle.id AND (outcome IS NULL OR outcome = 'unknown')) \
         ORDER BY id LIMIT {BATCH}"
    );
    let mut statement = transaction.prepare(&sql)?;
    let rows = statement.query_map([now.seconds(), history], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let found: Vec<(i64, i64, i64)> = rows.collect::<Result<_, _>>()?;
    let (mut cycles, mut until) = (0, 0);
    for (id, alike, began) in &found {
        transaction.prepare_cached("UPDATE cycle SET alike = 0 WHERE id = ?1")?.execute([id])?;
        (cycles, until) = (cycles + alike, until.max(*began));
    }
    if !found.is_empty() {
        let number =
            |key| read_meta(transaction, key).map(|value| value.and_then(|value| value.parse().ok()).unwrap_or(0));
        write_meta(transaction, REMOVED_CYCLES, &(number(REMOVED_CYCLES)? + cycles).to_string())?;
        write_meta(transaction, REMOVED_UNTIL, &number(REMOVED_UNTIL)?.max(until).to_string())?;
    }
    Ok(found.len())
}

/// Decisions that are over. An approval that ended a rejection stays as long as that rejection would stand again.
fn forget_decisions(connection: &Connection, history: i64, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "DELETE FROM decision WHERE at < ?1 AND expires_at IS NOT NULL AND expires_at <= ?2 AND NOT EXISTS \
         (SELECT 1 FROM decision AS d WHERE d.decision = 'rejected' AND d.expires_at IS NULL AND d.id < decision.id)";
    connection.execute(sql, [history, now.seconds()]).map(drop)
}

/// Removes the oldest plans until all of them together are small enough, but none that somebody may still ask for.
pub(super) fn keep_plans_within(connection: &Connection, most: i64, now: Timestamp) -> rusqlite::Result<()> {
    let total: Option<i64> =
        connection.query_row("SELECT SUM(bytes) FROM plan", [], |row| row.get(0)).optional()?.flatten();
    let mut over = total.unwrap_or(0) - most;
    if over <= 0 {
        return Ok(());
    }
    let needed = needed_plans();
    let sql = format!("SELECT cycle, SUM(bytes) FROM plan WHERE cycle NOT IN ({needed}) GROUP BY cycle ORDER BY cycle");
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([now.seconds()])?;
    let mut until = None;
    while let Some(row) = rows.next()?.filter(|_| over > 0) {
        until = Some(row.get::<_, i64>(0)?);
        over -= row.get::<_, i64>(1)?;
    }
    let sql = format!("DELETE FROM plan WHERE cycle <= ?2 AND cycle NOT IN ({needed})");
    until.map_or(Ok(()), |until| connection.execute(&sql, [now.seconds(), until]).map(drop))
}
