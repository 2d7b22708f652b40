//! What was done since a person decided: an approval covers a change until it is done once (S10).

use super::{JournalId, LOOKED_UP, Request, Store, StoreError};
use crate::guard::Item;
use crate::model::Timestamp;
use std::collections::BTreeMap;

/// A moment in the journal: its last entry then, and the time.
pub(super) type Moment = (JournalId, Timestamp);

/// When something was done last.
#[derive(Clone, Copy)]
pub(super) struct Done {
    /// By which request.
    id: JournalId,
    /// When that was known.
    at: Timestamp,
}

impl Done {
    /// Whether it was sent after this moment, or was open then and turned out later to be done.
    pub(super) fn is_after(&self, (last, at): Moment) -> bool {
        self.id > last || self.at > at
    }
}

impl Store {
    /// What was sent after this entry of the journal and done, and what was found out after this moment to be done.
    pub(super) fn read_done_since(&self, (last, at): Moment) -> Result<BTreeMap<Item, Done>, StoreError> {
        let doing = "read what was done since an approval";
        let sql = "SELECT request, id, settled_at, detail FROM journal \
                   WHERE outcome = 'done' AND (id > ?1 OR settled_at > ?2)";
        let mut statement = self.connection.prepare(sql).map_err(self.failed(doing))?;
        let mut rows = statement.query([last.0, at.seconds()]).map_err(self.failed(doing))?;
        let mut done: BTreeMap<Item, Done> = BTreeMap::new();
        while let Some(row) = rows.next().map_err(self.failed(doing))? {
            let request: String = row.get(0).map_err(self.failed(doing))?;
            let request: Request = self.json("a journal entry", &request)?;
            let detail: String = row.get(3).map_err(self.failed(doing))?;
            if !is_wholly_done(&request, &detail) {
                continue;
            }
            let id = JournalId(row.get(1).map_err(self.failed(doing))?);
            let at = Timestamp::from_seconds(row.get(2).map_err(self.failed(doing))?);
            for item in request.items() {
                let latest = done.entry(item).or_insert(Done { id, at });
                *latest = Done { id: latest.id.max(id), at: latest.at.max(at) };
            }
        }
        Ok(done)
    }
}

/// Whether all that a request asks for was done, where it was done at all: with something to say beside it, a part was
/// not, and of a change of members that was looked up, a part may not have been.
fn is_wholly_done(request: &Request, detail: &str) -> bool {
    let changes_members = matches!(request, Request::AddMembers { .. } | Request::RemoveMembers { .. });
    detail.is_empty() || (detail == LOOKED_UP && !changes_members)
}
