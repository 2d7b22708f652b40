//! Signs that something else writes to the same directory (S17): kept until a whole reading finds no difference.

use super::open::{read_meta, write_meta};
use super::{JournalId, Store, StoreError, to_json};
use crate::model::PersonId;
use crate::model::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

const FOREIGN_WRITES: &str = "foreign_writes";

/// So many records are told apart; beyond, it is clear enough.
const RECORDS_MAX: usize = 1_000;

/// Records of ours that were answered otherwise than this program left them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignWrites {
    /// `person:DU…` or `group:DG…`; a thousand at most.
    pub records: BTreeSet<String>,
    /// When last.
    pub last_at: Timestamp,
    /// Whether a record with the `externalId` of one of our people was there that this database never created.
    pub is_copy: bool,
}

impl Store {
    /// What was seen since the target was last found as it should be; none: nothing.
    pub fn foreign_writes(&self) -> Result<Option<ForeignWrites>, StoreError> {
        let doing = "read whether something else writes";
        let text = read_meta(&self.connection, FOREIGN_WRITES).map_err(self.failed(doing))?;
        text.filter(|text| !text.is_empty()).map(|text| self.json("what something else wrote", &text)).transpose()
    }

    /// Adds records that were answered otherwise than this program left them. `is_copy`: one of them has an
    /// `externalId` of ours and was never created by this database.
    pub fn record_foreign_writes(
        &mut self,
        records: &BTreeSet<String>,
        is_copy: bool,
        now: Timestamp,
    ) -> Result<ForeignWrites, StoreError> {
        let known = self.foreign_writes()?;
        let mut writes = known.unwrap_or(ForeignWrites { records: BTreeSet::new(), last_at: now, is_copy: false });
        writes.last_at = now;
        writes.is_copy |= is_copy;
        for record in records {
            if writes.records.len() < RECORDS_MAX {
                writes.records.insert(record.clone());
            }
        }
        let doing = "note that something else writes";
        write_meta(&self.connection, FOREIGN_WRITES, &to_json(&writes)).map_err(self.failed(doing))?;
        Ok(writes)
    }

    /// For a cycle that read the target whole and found it as this program left it.
    pub fn forget_foreign_writes(&mut self) -> Result<(), StoreError> {
        let doing = "note that nothing else writes";
        write_meta(&self.connection, FOREIGN_WRITES, "").map_err(self.failed(doing))
    }

    /// Whether this database sent the creation of this person's account before that entry, and it may have happened.
    pub fn ever_created(&self, person: &PersonId, before: JournalId) -> Result<bool, StoreError> {
        // What was looked up and not found may have been invisible for longer than we looked.
        let sql = "SELECT EXISTS (SELECT 1 FROM journal WHERE id < ?1 AND request ->> '$.request' = 'create_user' \
                   AND request ->> '$.person' = ?2 AND (outcome IS NOT 'refused' OR detail LIKE 'looked up:%'))";
        let found = self.connection.query_row(sql, (before.0, person.as_str()), |row| row.get(0));
        found.map_err(self.failed("look for an earlier create in the journal"))
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Timestamp;
    use crate::store::{Binding, Settings, Store};
    use std::collections::BTreeSet;

    #[test]
    fn signs_add_up_until_the_target_is_found_as_it_should_be() {
        let folder = tempfile::tempdir().unwrap();
        let binding = Binding { api_host: "a".into(), scim_base_url: "b".into() };
        let mut store = Store::open(&Settings { database: folder.path().join("state.db") }, &binding).unwrap();
        assert_eq!(store.foreign_writes().unwrap(), None);
        let set = |records: &[&str]| records.iter().map(|record| (*record).to_owned()).collect::<BTreeSet<_>>();
        store.record_foreign_writes(&set(&["person:DU1"]), true, Timestamp::from_seconds(10)).unwrap();
        let records = set(&["person:DU1", "group:DG1"]);
        store.record_foreign_writes(&records, false, Timestamp::from_seconds(20)).unwrap();
        let writes = store.foreign_writes().unwrap().unwrap();
        assert_eq!((writes.records, writes.last_at, writes.is_copy), (records, Timestamp::from_seconds(20), true));
        store.forget_foreign_writes().unwrap();
        assert_eq!(store.foreign_writes().unwrap(), None);
    }
}
