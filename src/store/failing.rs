//! Records that keep failing: kept with reason and count, shown, never dropped (S14).

use super::{Store, StoreError};
use crate::model::Timestamp;
use std::collections::BTreeSet;

/// What is wrong with one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// `person:DU…` or `group:DG…`.
    pub record: String,
    /// For people.
    pub name: String,
    /// `conflict` when the target says that it exists already; else `refused` or `unknown`.
    pub kind: String,
    /// The target's words and what to do.
    pub reason: String,
}

/// One failing record as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailingRecord {
    /// What is wrong.
    pub failing: Failing,
    /// How often.
    pub count: u32,
    /// Since when.
    pub first_at: Timestamp,
    /// When last.
    pub last_at: Timestamp,
}

impl Store {
    /// Notes what failed in a cycle, and forgets what did not fail any more.
    pub fn record_failing(
        &mut self,
        failing: &[Failing],
        healed: &BTreeSet<String>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let path = self.path.clone();
        let failed = |source| StoreError::Sqlite { doing: "note failing records", path: path.clone(), source };
        let transaction = self.connection.transaction().map_err(&failed)?;
        for record in healed {
            transaction.execute("DELETE FROM failing WHERE record = ?1", [record]).map_err(&failed)?;
        }
        for entry in failing {
            let sql = "INSERT INTO failing (record, name, kind, reason, count, first_at, last_at) \
                       VALUES (?1, ?2, ?3, ?4, 1, ?5, ?5) ON CONFLICT (record) DO UPDATE \
                       SET name = ?2, kind = ?3, reason = ?4, count = count + 1, last_at = ?5";
            let values = (&entry.record, &entry.name, &entry.kind, &entry.reason, now.seconds());
            transaction.execute(sql, values).map_err(&failed)?;
        }
        transaction.commit().map_err(&failed)
    }

    /// Every failing record, in order.
    pub fn read_failing(&self) -> Result<Vec<FailingRecord>, StoreError> {
        let doing = "read the failing records";
        let sql = "SELECT record, name, kind, reason, count, first_at, last_at FROM failing ORDER BY record";
        let mut statement = self.connection.prepare(sql).map_err(self.failed(doing))?;
        let rows = statement.query_map([], |row| {
            let failing = Failing { record: row.get(0)?, name: row.get(1)?, kind: row.get(2)?, reason: row.get(3)? };
            Ok(FailingRecord {
                failing,
                count: row.get(4)?,
                first_at: Timestamp::from_seconds(row.get(5)?),
                last_at: Timestamp::from_seconds(row.get(6)?),
            })
        });
        rows.map_err(self.failed(doing))?.collect::<Result<_, _>>().map_err(self.failed(doing))
    }
}
