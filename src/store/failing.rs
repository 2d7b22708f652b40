//! Records that keep failing: kept with reason, count and next try, shown, never dropped (S14).

use super::{Store, StoreError, to_json};
use crate::model::PersonId;
use crate::model::ScimId;
use crate::model::Timestamp;
use std::collections::BTreeSet;

/// A pause is never longer, so one that seems to be comes from a clock that was wrong: in seconds.
const PAUSE_MAX: i64 = 3_600;

/// Which request of a record fails. A group has one for each membership, so that one person hides no other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FailingKey {
    /// `person:DU…` or `group:DG…`.
    pub record: String,
    /// Empty: the record itself. Else a part of it, such as `join DU…`.
    pub request: String,
}

impl FailingKey {
    /// The record itself.
    pub fn of(record: &str) -> Self {
        Self::part(record, "")
    }

    /// Whether it is a membership of this person.
    pub fn is_of_member(&self, person: &PersonId) -> bool {
        self.request.split_once(' ').is_some_and(|(_, member)| member == person.as_str())
    }

    /// A part of it.
    pub fn part(record: &str, request: impl Into<String>) -> Self {
        Self { record: record.to_owned(), request: request.into() }
    }
}

/// What is wrong with one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// Which request of which record.
    pub key: FailingKey,
    /// For people.
    pub name: String,
    /// `conflict` when the target says that it exists already; else a word such as `refused` or `unknown`.
    pub kind: String,
    /// The target's words and what to do.
    pub reason: String,
    /// Names exactly the request that failed: another one is no repetition.
    pub digest: String,
    /// So many seconds pass before the same request is sent again; 0: it is tried in every cycle.
    pub pause: i64,
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
    /// Of a conflict: the records of the target that are in the way; none: it was not looked at yet.
    pub found: Option<Vec<ScimId>>,
}

impl FailingRecord {
    /// From when on the same request is sent again.
    pub const fn retry_at(&self) -> Timestamp {
        self.last_at.plus_seconds(self.failing.pause)
    }

    /// Whether it is too early for the same request.
    pub const fn waits(&self, now: Timestamp) -> bool {
        let left = self.retry_at().seconds_since(now);
        left > 0 && left <= PAUSE_MAX
    }
}

impl Store {
    /// Notes what failed in a cycle, and forgets what did not fail any more.
    pub fn record_failing(
        &mut self,
        failing: &[Failing],
        healed: &BTreeSet<FailingKey>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let path = self.path.clone();
        let failed = |source| StoreError::Sqlite { doing: "note failing records", path: path.clone(), source };
        let transaction = self.connection.transaction().map_err(&failed)?;
        for key in healed {
            let sql = "DELETE FROM failing WHERE record = ?1 AND request = ?2";
            transaction
                .prepare_cached(sql)
                .and_then(|mut s| s.execute([&key.record, &key.request]))
                .map_err(&failed)?;
        }
        for entry in failing {
            // What was found belongs to the conflict of one exact request.
            let sql = "INSERT INTO failing (record, request, name, kind, reason, digest, pause, count, first_at, last_at) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?8) ON CONFLICT (record, request) DO UPDATE SET \
                       found = CASE WHEN digest = ?6 AND kind = ?4 THEN found END, \
                       name = ?3, kind = ?4, reason = ?5, digest = ?6, pause = ?7, count = count + 1, last_at = ?8";
            let Failing { key, name, kind, reason, digest, pause } = entry;
            let values = (&key.record, &key.request, name, kind, reason, digest, pause, now.seconds());
            transaction.prepare_cached(sql).and_then(|mut s| s.execute(values)).map_err(&failed)?;
        }
        transaction.commit().map_err(&failed)
    }

    /// Notes which records of the target are in the way of one that is refused as a conflict, and a better reason.
    pub fn record_found(&mut self, key: &FailingKey, found: &[ScimId], reason: Option<&str>) -> Result<(), StoreError> {
        let sql = "UPDATE failing SET found = ?3, reason = COALESCE(?4, reason) WHERE record = ?1 AND request = ?2";
        let values = (&key.record, &key.request, to_json(&found), reason);
        self.connection.execute(sql, values).map(drop).map_err(self.failed("note what is in the way of a record"))
    }

    /// Ends the pause of a record: what stood in its way has moved.
    pub fn end_pause(&mut self, key: &FailingKey) -> Result<(), StoreError> {
        let sql = "UPDATE failing SET pause = 0 WHERE record = ?1 AND request = ?2";
        let done = self.connection.execute(sql, [&key.record, &key.request]);
        done.map(drop).map_err(self.failed("end the pause of a failing record"))
    }

    /// Every failing record, in order.
    pub fn read_failing(&self) -> Result<Vec<FailingRecord>, StoreError> {
        let doing = "read the failing records";
        let sql = "SELECT record, request, name, kind, reason, digest, pause, count, first_at, last_at, found \
                   FROM failing ORDER BY record, request";
        let mut statement = self.connection.prepare(sql).map_err(self.failed(doing))?;
        let rows = statement.query_map([], |row| {
            let key = FailingKey { record: row.get(0)?, request: row.get(1)? };
            let [name, kind, reason, digest]: [String; 4] = [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?];
            let found: Option<String> = row.get(10)?;
            let record = FailingRecord {
                failing: Failing { key, name, kind, reason, digest, pause: row.get(6)? },
                count: row.get(7)?,
                first_at: Timestamp::from_seconds(row.get(8)?),
                last_at: Timestamp::from_seconds(row.get(9)?),
                found: None,
            };
            Ok((record, found))
        });
        let rows: Vec<_> = rows.map_err(self.failed(doing))?.collect::<Result<_, _>>().map_err(self.failed(doing))?;
        let found = |(record, found): (FailingRecord, Option<String>)| {
            let found = found.map(|text| self.json("what is in the way of a record", &text)).transpose()?;
            Ok(FailingRecord { found, ..record })
        };
        rows.into_iter().map(found).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Failing, FailingKey, ScimId, Store, Timestamp};
    use crate::store::schema::STEPS;
    use crate::store::{Binding, Settings};
    use rusqlite::Connection;
    use std::collections::BTreeSet;
    use std::path::Path;

    fn open(folder: &Path) -> Store {
        let binding = Binding { api_host: "a".into(), scim_base_url: "b".into() };
        Store::open(&Settings { database: folder.join("state.db") }, &binding).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn failing(request: &str, digest: &str) -> Failing {
        let (name, kind, reason) = ("eng".to_owned(), "conflict".to_owned(), "no".to_owned());
        Failing { key: FailingKey::part("group:DG", request), name, kind, reason, digest: digest.to_owned(), pause: 60 }
    }

    #[test]
    fn records_of_the_first_schema_fail_on_and_are_due_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let old = Connection::open(folder.path().join("state.db")).unwrap();
        old.execute_batch(STEPS[0]).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        let sql = "INSERT INTO failing (record, name, kind, reason, count, first_at, last_at) \
                   VALUES ('person:DU1', 'ana', 'refused', 'no', 7, 100, 900)";
        old.execute(sql, []).unwrap();
        drop(old);
        let records = open(folder.path()).read_failing().unwrap();
        let [record] = records.as_slice() else { panic!("{records:?}") };
        assert_eq!((&record.failing.key, record.count), (&FailingKey::of("person:DU1"), 7));
        assert_eq!((record.first_at, record.last_at, record.failing.pause), (at(100), at(900), 0));
        assert!(!record.waits(at(901)));
    }

    #[test]
    fn one_membership_heals_and_another_fails_on() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = open(folder.path());
        let both = [failing("join DU1", "1"), failing("join DU2", "2")];
        store.record_failing(&both, &BTreeSet::new(), at(10)).unwrap();
        let healed = BTreeSet::from([FailingKey::part("group:DG", "join DU1")]);
        store.record_failing(&both[1..], &healed, at(20)).unwrap();
        let records = store.read_failing().unwrap();
        let [record] = records.as_slice() else { panic!("{records:?}") };
        assert_eq!((record.count, record.first_at, record.retry_at()), (2, at(10), at(80)));
    }

    #[test]
    fn what_is_in_the_way_of_one_request_says_nothing_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = open(folder.path());
        let found = |store: &Store| store.read_failing().unwrap()[0].found.clone();
        store.record_failing(&[failing("", "1")], &BTreeSet::new(), at(10)).unwrap();
        assert_eq!(found(&store), None);
        store.record_found(&FailingKey::of("group:DG"), &[ScimId::new("s")], Some("better")).unwrap();
        assert_eq!(store.read_failing().unwrap()[0].failing.reason, "better");
        store.record_failing(&[failing("", "1")], &BTreeSet::new(), at(20)).unwrap();
        assert_eq!(found(&store), Some(vec![ScimId::new("s")]), "the same");
        store.record_failing(&[failing("", "2")], &BTreeSet::new(), at(30)).unwrap();
        assert_eq!(found(&store), None, "another request");
    }
}
