//! Pins: what was undone stays so, until the person's record changes in Duo or somebody releases it (S22).

use super::{CycleId, Store, StoreError, Who};
use crate::model::PersonId;
use crate::model::Timestamp;
use std::collections::BTreeMap;

/// One pinned person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Duo's username, for people.
    pub username: String,
    /// What the record in Duo looked like when it was first read after the undo; none: not read since.
    pub seen: Option<String>,
    /// The cycle that was undone.
    pub undone: CycleId,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

impl Store {
    /// Pins people. Who is pinned already is pinned anew.
    pub fn record_pins(
        &mut self,
        people: &BTreeMap<PersonId, String>,
        undone: CycleId,
        (at, who): (Timestamp, &Who),
    ) -> Result<(), StoreError> {
        let path = self.path.clone();
        let failed = |source| StoreError::Sqlite { doing: "pin what was undone", path: path.clone(), source };
        let transaction = self.connection.transaction().map_err(&failed)?;
        for (person, username) in people {
            let sql = "INSERT INTO pin (user_id, username, seen, undone, at, by) VALUES (?1, ?2, NULL, ?3, ?4, ?5) \
                       ON CONFLICT (user_id) DO UPDATE SET username = ?2, seen = NULL, undone = ?3, at = ?4, by = ?5";
            let values = (person.as_str(), username, undone.0, at.seconds(), who.to_string());
            transaction.execute(sql, values).map_err(&failed)?;
        }
        transaction.commit().map_err(&failed)
    }

    /// Everybody who is pinned.
    pub fn read_pins(&self) -> Result<BTreeMap<PersonId, Pin>, StoreError> {
        let doing = "read the pins";
        let sql = "SELECT user_id, username, seen, undone, at, by FROM pin";
        let mut statement = self.connection.prepare(sql).map_err(self.failed(doing))?;
        let rows = statement.query_map([], |row| {
            let id: String = row.get(0)?;
            let pin = Pin {
                username: row.get(1)?,
                seen: row.get(2)?,
                undone: CycleId(row.get(3)?),
                at: Timestamp::from_seconds(row.get(4)?),
                by: row.get(5)?,
            };
            Ok((PersonId::new(id), pin))
        });
        rows.map_err(self.failed(doing))?.collect::<Result<_, _>>().map_err(self.failed(doing))
    }

    /// Notes what the records of pinned people look like: a later difference releases them.
    pub fn record_pins_seen(&mut self, seen: &BTreeMap<PersonId, String>) -> Result<(), StoreError> {
        for (person, digest) in seen {
            let sql = "UPDATE pin SET seen = ?2 WHERE user_id = ?1";
            self.connection.execute(sql, (person.as_str(), digest)).map_err(self.failed("note what a pin is for"))?;
        }
        Ok(())
    }

    /// Releases pins. Says how many there were.
    pub fn release_pins<'a>(&mut self, people: impl IntoIterator<Item = &'a PersonId>) -> Result<usize, StoreError> {
        let mut released = 0;
        for person in people {
            let sql = "DELETE FROM pin WHERE user_id = ?1";
            released += self.connection.execute(sql, [person.as_str()]).map_err(self.failed("release a pin"))?;
        }
        Ok(released)
    }
}
