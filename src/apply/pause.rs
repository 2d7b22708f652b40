//! When a failing record is tried again (S14): the same request after a pause that grows, another request at once, and
//! what takes access away in every cycle.
//!
//! This is decided when sending, never when planning, so that plans and fingerprints do not depend on the time.

use crate::model::PersonId;
use crate::model::ScimId;
use crate::model::Timestamp;
use crate::store::FailingKey;
use crate::store::FailingRecord;
use crate::store::Request;
use serde_json::Value;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Whether the pauses of failing records count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pauses {
    /// In every cycle that comes by itself.
    Obeyed,
    /// Where a person asks for exactly this, now.
    Ignored,
}

/// After the first failure, in seconds.
const FIRST: i64 = 60;
/// At most, in seconds (S14).
const LONGEST: i64 = 3_600;

/// The pause after one of this length; none: after a first failure. In seconds.
pub fn next_pause(before: Option<i64>) -> i64 {
    before.map_or(FIRST, |before| before.saturating_mul(2).clamp(FIRST, LONGEST))
}

/// The failing records as they stood when sending began.
#[derive(Debug)]
pub(super) struct Waits {
    known: BTreeMap<FailingKey, FailingRecord>,
    pauses: Pauses,
}

impl Waits {
    pub(super) fn new(known: Vec<FailingRecord>, pauses: Pauses) -> Self {
        let known = known.into_iter().map(|record| (record.failing.key.clone(), record)).collect();
        Self { known, pauses }
    }

    /// Whether nothing failed before.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// What failed before, paused or not.
    pub(super) fn known(&self, key: &FailingKey) -> Option<&FailingRecord> {
        self.known.get(key)
    }

    /// Why a request is not sent now, when it is too early for it.
    pub(super) fn of(&self, key: &FailingKey, digest: &str, now: Timestamp) -> Option<&FailingRecord> {
        let record = self.known.get(key).filter(|_| self.pauses == Pauses::Obeyed)?;
        (record.failing.digest == digest && record.waits(now)).then_some(record)
    }

    /// The pause after this request failed (again), in seconds.
    pub(super) fn next(&self, key: &FailingKey, digest: &str) -> i64 {
        let same = self.known.get(key).filter(|record| record.failing.digest == digest);
        next_pause(same.map(|record| record.failing.pause))
    }
}

/// Names exactly what a request asks of the target, and nothing that only the journal needs.
pub fn digest(request: &Request) -> String {
    let ids = |members: &[(PersonId, ScimId)]| members.iter().map(|(_, id)| id.clone()).collect::<Vec<_>>();
    hash(&match request {
        Request::Adopt { scim_id, .. } | Request::AdoptGroup { scim_id, .. } => json!(["adopt", scim_id]),
        Request::CreateUser { person, attributes, .. } => json!(["create", person, attributes]),
        Request::UpdateUser { scim_id, changes, reactivate, .. } => json!(["update", scim_id, changes, reactivate]),
        Request::DeactivateUser { scim_id, .. } => json!(["deactivate", scim_id]),
        Request::CreateGroup { name, .. } => json!(["create group", name]),
        Request::AddMembers { scim_id, members, .. } => json!(["add", scim_id, ids(members)]),
        Request::RemoveMembers { scim_id, members, .. } => json!(["remove", scim_id, ids(members)]),
    })
}

/// The same for one membership, in whatever request it is sent.
pub(super) fn digest_of_member(group: &ScimId, member: &ScimId) -> String {
    hash(&json!(["member", group, member]))
}

/// Half of a SHA-256, in hex: no two requests of one record share it.
fn hash(sent: &Value) -> String {
    let hash = Sha256::digest(sent.to_string());
    hash.iter().take(16).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::{Pauses, Waits, digest, next_pause};
    use crate::model::{Attribute, Attributes, PersonId, ScimId, Timestamp};
    use crate::store::{Failing, FailingKey, FailingRecord, Request};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn failing(pause: i64, last_at: i64) -> FailingRecord {
        let (name, kind, reason) = (String::new(), "refused".to_owned(), String::new());
        let failing = Failing { key: FailingKey::of("person:DU1"), name, kind, reason, digest: "d".to_owned(), pause };
        FailingRecord { failing, count: 1, first_at: at(0), last_at: at(last_at), found: None }
    }

    #[test]
    fn pauses_double_up_to_an_hour() {
        let mut pauses = vec![next_pause(None)];
        for _ in 0..8 {
            pauses.push(next_pause(pauses.last().copied()));
        }
        assert_eq!(pauses, [60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]);
        assert_eq!(next_pause(Some(0)), 60, "what was tried in every cycle begins anew");
    }

    #[test]
    fn the_same_request_waits_for_its_pause_and_another_one_does_not() {
        let key = FailingKey::of("person:DU1");
        let waits = Waits::new(vec![failing(120, 1_000)], Pauses::Obeyed);
        assert!(waits.of(&key, "d", at(1_119)).is_some());
        assert!(waits.of(&key, "d", at(1_120)).is_none(), "its time has come");
        assert!(waits.of(&key, "other", at(1_001)).is_none(), "the source changed");
        assert!(waits.of(&FailingKey::of("person:DU2"), "d", at(1_001)).is_none());
        assert_eq!((waits.next(&key, "d"), waits.next(&key, "other")), (240, 60));
        let asked = Waits::new(vec![failing(120, 1_000)], Pauses::Ignored);
        assert!(asked.of(&key, "d", at(1_001)).is_none(), "a person asks for it now");
    }

    #[test]
    fn a_clock_that_was_wrong_keeps_nobody_waiting() {
        let waits = Waits::new(vec![failing(3_600, 9_000_000)], Pauses::Obeyed);
        assert!(waits.of(&FailingKey::of("person:DU1"), "d", at(1_000)).is_none());
    }

    #[test]
    fn a_digest_is_of_what_is_sent_alone() {
        let update = |before: &str, to: &str| Request::UpdateUser {
            person: PersonId::new("DU1"),
            username: before.to_owned(),
            scim_id: ScimId::new("s"),
            changes: [(Attribute::Title, to)].into_iter().collect(),
            before: [(Attribute::Title, before)].into_iter().collect::<Attributes>(),
            reactivate: false,
        };
        assert_eq!(digest(&update("a", "x")), digest(&update("b", "x")));
        assert_ne!(digest(&update("a", "x")), digest(&update("a", "y")));
        assert_eq!(digest(&update("a", "x")).len(), 32);
    }
}
