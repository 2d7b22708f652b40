//! Which accounts Atlassian said to be linked to an Atlassian account, and whether updates are stopped because one was
//! unlinked by an update (S11).

use super::open::{read_meta, write_meta};
use super::{Store, StoreError};
use crate::model::PersonId;
use crate::model::Timestamp;
use rusqlite::Connection;
use std::collections::BTreeSet;

const UPDATES_STOPPED: &str = "updates_stopped";

impl Store {
    /// Everybody whose account was answered with an `atlassianAccountId` when it was last written.
    pub fn read_linked(&self) -> Result<BTreeSet<PersonId>, StoreError> {
        let doing = "read which accounts are linked";
        let mut statement =
            self.connection.prepare("SELECT user_id FROM atlassian_link").map_err(self.failed(doing))?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).map_err(self.failed(doing))?;
        rows.map(|id| id.map(PersonId::new)).collect::<Result<_, _>>().map_err(self.failed(doing))
    }

    /// Why attribute updates are stopped; none: they are not.
    pub fn updates_stopped(&self) -> Result<Option<String>, StoreError> {
        let reason =
            read_meta(&self.connection, UPDATES_STOPPED).map_err(self.failed("read whether updates stopped"))?;
        Ok(reason.filter(|reason| !reason.is_empty()))
    }

    /// Lets attribute updates go on. Says whether they were stopped.
    pub fn allow_updates(&mut self) -> Result<bool, StoreError> {
        let was_stopped = self.updates_stopped()?.is_some();
        write_meta(&self.connection, UPDATES_STOPPED, "").map_err(self.failed("let updates go on"))?;
        Ok(was_stopped)
    }
}

/// Forgets a link that an update undid, and stops attribute updates until somebody lets them go on.
pub(super) fn record_unlinked(connection: &Connection, person: &PersonId, at: Timestamp) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM atlassian_link WHERE user_id = ?1", [person.as_str()])?;
    if read_meta(connection, UPDATES_STOPPED)?.is_some_and(|reason| !reason.is_empty()) {
        return Ok(());
    }
    let reason = format!(
        "attribute updates are stopped since {at}: an update unlinked the Atlassian account of {person}; \
         look at atlassian.verified_domains and at Atlassian's troubleshooting log, then `resume`"
    );
    write_meta(connection, UPDATES_STOPPED, &reason)
}
