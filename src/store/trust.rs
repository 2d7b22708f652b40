//! Whether the snapshot is believed, and its correction by what the target says (S19).
//!
//! A copy that `backup` made carries its mark; a database that nothing was sent with for long is marked before its next
//! cycle begins. A mark stays until a correction is recorded, and with it the links to what was new.

use super::open::{read_meta, write_meta};
use super::snapshot::grow_generation;
use super::{Store, StoreError, to_json};
use crate::model::GroupId;
use crate::model::Owned;
use crate::model::PersonId;
use crate::model::Timestamp;
use crate::plan::Trust;
use rusqlite::{OptionalExtension, Transaction};
use std::collections::BTreeSet;

/// Written into a copy by `backup`: where it was made, and when.
const BACKUP_OF: &str = "backup_of";
const BACKUP_AT: &str = "backup_at";
/// The last cycle before a long pause.
const IDLE_SINCE: &str = "idle_since";
/// What was read of the target waits for a decision, or a decision waits for what it is about to be read again.
const REFRESH_DUE: &str = "refresh_due";
const FOREIGN_MEMBERSHIPS: &str = "foreign_memberships";

/// Clocks are corrected by so much without anybody meaning anything by it.
const CLOCK_STEP_SECONDS: i64 = 3_600;

/// The snapshot, corrected by a whole reading of the target.
#[derive(Clone, Copy, Debug)]
pub struct Correction<'a> {
    /// The snapshot as it is stored.
    pub before: &'a Owned,
    /// The snapshot as it should be: the same links or fewer.
    pub after: &'a Owned,
    /// Memberships of people of ours that are not ours.
    pub foreign: &'a BTreeSet<(GroupId, PersonId)>,
}

impl Store {
    /// Whether the snapshot is believed.
    pub fn read_trust(&self, now: Timestamp, trusted_hours: u32) -> Result<Trust, StoreError> {
        let meta = |key| read_meta(&self.connection, key).map_err(self.failed("read whether the database is trusted"));
        let (of, at) = (meta(BACKUP_OF)?, meta(BACKUP_AT)?);
        if of.is_some() || at.is_some() {
            let backup_at = at.as_deref().and_then(moment).unwrap_or(Timestamp::from_seconds(0));
            return Ok(Trust::Restored { backup_at });
        }
        if let Some(since) = meta(IDLE_SINCE)? {
            return Ok(Trust::Idle { since: moment(&since).unwrap_or(Timestamp::from_seconds(0)) });
        }
        let Some(since) = self.last_sending_cycle_at()? else { return Ok(Trust::Trusted) };
        // A clock that was set back, or a cycle under a clock that ran ahead, proves nothing about the time between.
        let age = now.seconds_since(since);
        let is_fresh = (-CLOCK_STEP_SECONDS..=i64::from(trusted_hours) * 3_600).contains(&age);
        Ok(if is_fresh { Trust::Trusted } else { Trust::Idle { since } })
    }

    /// The same before a cycle that may send begins: what is not believed is marked, durably, since the cycle itself
    /// will look like recent work.
    pub fn note_trust(&mut self, now: Timestamp, trusted_hours: u32) -> Result<Trust, StoreError> {
        let trust = self.read_trust(now, trusted_hours)?;
        if let Trust::Idle { since } = trust {
            let doing = "note that the database is not trusted";
            write_meta(&self.connection, IDLE_SINCE, &since.seconds().to_string()).map_err(self.failed(doing))?;
        }
        Ok(trust)
    }

    /// When the newest cycle was that could send, however it ended; none: nothing is owned that could be out of date.
    /// A settling at the start of the daemon looks at single records, and says nothing of the others.
    fn last_sending_cycle_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT COALESCE(ended_at, started_at) FROM cycle \
                   WHERE command NOT IN ('plan', 'observe', 'settle', 'sync --dry-run', 'undo --dry-run') \
                   ORDER BY id DESC LIMIT 1";
        let doing = "read when the last cycle was";
        let owned = "SELECT EXISTS (SELECT 1 FROM account) OR EXISTS (SELECT 1 FROM scim_group)";
        if !self.connection.query_row(owned, [], |row| row.get::<_, bool>(0)).map_err(self.failed(doing))? {
            return Ok(None);
        }
        let newest: Option<i64> =
            self.connection.query_row(sql, [], |row| row.get(0)).optional().map_err(self.failed(doing))?;
        Ok(Some(Timestamp::from_seconds(newest.unwrap_or(0))))
    }

    /// Whether the next cycle that may send reads the target whole.
    pub fn is_refresh_due(&self) -> Result<bool, StoreError> {
        let due = read_meta(&self.connection, REFRESH_DUE).map_err(self.failed("read whether a refresh is due"))?;
        Ok(due.is_some())
    }

    /// Lets the next cycles read the target whole, until one of them records what it read.
    pub fn ask_for_refresh(&mut self) -> Result<(), StoreError> {
        write_meta(&self.connection, REFRESH_DUE, "1").map_err(self.failed("note that a refresh is due"))
    }

    /// Memberships of people of ours that were there at the last whole reading, and are not ours.
    pub fn read_foreign_memberships(&self) -> Result<BTreeSet<(GroupId, PersonId)>, StoreError> {
        let doing = "read which memberships are not ours";
        let text = read_meta(&self.connection, FOREIGN_MEMBERSHIPS).map_err(self.failed(doing))?;
        Ok(text.map(|text| self.json("memberships that are not ours", &text)).transpose()?.unwrap_or_default())
    }

    /// Records a corrected snapshot. It is believed as soon as what is new to it is linked: see [`Store::believe`].
    pub fn record_correction(&mut self, correction: &Correction<'_>) -> Result<(), StoreError> {
        let path = self.path.clone();
        let failed = |source| StoreError::Sqlite { doing: "correct the snapshot", path: path.clone(), source };
        let transaction = self.connection.transaction().map_err(&failed)?;
        if correction.before != correction.after {
            correct(&transaction, correction).map_err(&failed)?;
            grow_generation(&transaction).map_err(&failed)?;
        }
        write_meta(&transaction, FOREIGN_MEMBERSHIPS, &to_json(correction.foreign)).map_err(&failed)?;
        transaction.commit().map_err(&failed)
    }

    /// Believes the snapshot from now on: it was corrected, and the links to what it did not know are recorded. Earlier
    /// is too early: whoever is gone from Duo, and not linked yet, is looked for only while nothing is believed.
    pub fn believe(&mut self) -> Result<(), StoreError> {
        let sql = "DELETE FROM meta WHERE key IN (?1, ?2, ?3, ?4)";
        let keys = [BACKUP_OF, BACKUP_AT, IDLE_SINCE, REFRESH_DUE];
        self.connection.execute(sql, keys).map_err(self.failed("note that the database is trusted")).map(drop)
    }
}

/// Seconds since 1970, or RFC 3339.
fn moment(text: &str) -> Option<Timestamp> {
    text.parse().map(Timestamp::from_seconds).ok().or_else(|| text.parse().ok())
}

fn correct(transaction: &Transaction<'_>, correction: &Correction<'_>) -> rusqlite::Result<()> {
    let Correction { before, after, .. } = correction;
    let mut leave = transaction.prepare("DELETE FROM membership WHERE group_id = ?1 AND user_id = ?2")?;
    for (id, group) in &before.groups {
        let now = after.groups.get(id);
        for person in group.members.iter().filter(|person| now.is_none_or(|now| !now.members.contains(*person))) {
            leave.execute((id.as_str(), person.as_str()))?;
        }
        match now {
            None => drop(transaction.execute("DELETE FROM scim_group WHERE group_id = ?1", [id.as_str()])?),
            Some(now) if now.name != group.name => {
                let sql = "UPDATE scim_group SET name = ?2 WHERE group_id = ?1";
                transaction.execute(sql, (id.as_str(), &now.name))?;
            }
            Some(_) => {}
        }
    }
    for (id, account) in &before.accounts {
        match after.accounts.get(id) {
            None => {
                transaction.execute("DELETE FROM atlassian_link WHERE user_id = ?1", [id.as_str()])?;
                transaction.execute("DELETE FROM account WHERE user_id = ?1", [id.as_str()])?;
            }
            Some(now) if now != account => {
                let sql = "UPDATE account SET active = ?2, attributes = ?3, refused = ?4 WHERE user_id = ?1";
                let values = (id.as_str(), now.active, to_json(&now.attributes), to_json(&now.refused));
                transaction.execute(sql, values)?;
            }
            Some(_) => {}
        }
    }
    let mut join = transaction.prepare("INSERT INTO membership (group_id, user_id) VALUES (?1, ?2)")?;
    for (id, group) in &after.groups {
        let known = before.groups.get(id).map(|group| &group.members);
        for person in group.members.iter().filter(|person| known.is_none_or(|known| !known.contains(*person))) {
            join.execute((id.as_str(), person.as_str()))?;
        }
    }
    Ok(())
}
