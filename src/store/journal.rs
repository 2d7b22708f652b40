//! The journal: what is about to be sent, durably, before it is sent; then what came of it (S12).
//!
//! An outcome and its effect on the snapshot are one transaction. A wave of concurrent requests shares one transaction
//! for its outcomes and the next wave's intents, so that durability does not cost throughput.

use super::link::record_unlinked;
use super::snapshot::grow_generation;
use super::{CycleId, Store, StoreError, to_json};
use crate::guard::Class;
use crate::model::Attributes;
use crate::model::GroupId;
use crate::model::OwnedAccount;
use crate::model::OwnedGroup;
use crate::model::PersonId;
use crate::model::ScimId;
use crate::model::Timestamp;
use rusqlite::Transaction;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One writing request, or the linking of something that exists, with everything that is needed to settle it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// Link an account that exists; nothing is sent.
    Adopt {
        /// Whose.
        person: PersonId,
        /// Duo's username.
        username: String,
        /// Which record.
        scim_id: ScimId,
        /// What it holds.
        attributes: Attributes,
        /// Whether it is active.
        active: bool,
        /// The groups of ours that it is in, and whose memberships become ours.
        #[serde(default)]
        groups: Vec<GroupId>,
    },
    /// Link a group that exists; nothing is sent.
    AdoptGroup {
        /// Which group of Duo.
        group: GroupId,
        /// Its name in Atlassian.
        name: String,
        /// Which record.
        scim_id: ScimId,
        /// The memberships that become ours.
        members: Vec<PersonId>,
    },
    /// POST a user.
    CreateUser {
        /// Whose account; the `externalId`.
        person: PersonId,
        /// Duo's username.
        username: String,
        /// The values.
        attributes: Attributes,
    },
    /// PATCH attributes, and `active` where it is made true again.
    UpdateUser {
        /// Whose account.
        person: PersonId,
        /// Duo's username.
        username: String,
        /// Which record.
        scim_id: ScimId,
        /// The changed values.
        changes: Attributes,
        /// What the account held of these attributes: what an undo gives back.
        #[serde(default)]
        before: Attributes,
        /// Whether the account is made active again.
        reactivate: bool,
    },
    /// PATCH `active: false`.
    DeactivateUser {
        /// Whose account.
        person: PersonId,
        /// Which record.
        scim_id: ScimId,
    },
    /// POST a group.
    CreateGroup {
        /// Which group of Duo.
        group: GroupId,
        /// Its name in Atlassian.
        name: String,
    },
    /// PATCH: add members.
    AddMembers {
        /// Which group of Duo.
        group: GroupId,
        /// Which record.
        scim_id: ScimId,
        /// Whom.
        members: Vec<(PersonId, ScimId)>,
    },
    /// PATCH: remove members.
    RemoveMembers {
        /// Which group of Duo.
        group: GroupId,
        /// Which record.
        scim_id: ScimId,
        /// Whom.
        members: Vec<(PersonId, ScimId)>,
    },
}

/// What one request takes from the limits of the next 24 hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spending {
    /// Which class.
    pub class: Class,
    /// In which group, for leaves.
    pub group: Option<GroupId>,
    /// How many items without a person's approval.
    pub count: u64,
}

/// What is about to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The action of the plan that it belongs to.
    pub action: String,
    /// The request.
    pub request: Request,
    /// What it takes from the limits.
    pub spending: Vec<Spending>,
}

/// The key of one journal entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct JournalId(pub i64);

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomeKind {
    /// The target did it.
    Done,
    /// The target did not do it, for certain.
    Refused,
    /// Nobody knows yet: it is looked up before anything else is done to the record (S13).
    Unknown,
}

impl OutcomeKind {
    /// The word in the database and in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// The detail of an outcome that was found by a look-up.
pub const LOOKED_UP: &str = "looked up: it happened";

/// What an outcome changes in the snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// An account is ours now.
    LinkAccount(PersonId, OwnedAccount),
    /// What an account of ours holds, and whether it is active.
    Account(PersonId, OwnedAccount),
    /// A group is ours now, with these memberships.
    LinkGroup(GroupId, OwnedGroup),
    /// Memberships that exist now.
    Joined(GroupId, Vec<PersonId>),
    /// Memberships that do not exist any more.
    Left(GroupId, Vec<PersonId>),
    /// The answer names the Atlassian account that the record is linked to.
    Linked(PersonId),
    /// The answer does not name it any more.
    Unlinked(PersonId),
}

/// What came of one intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Which intent.
    pub id: JournalId,
    /// How it ended.
    pub kind: OutcomeKind,
    /// For people: the target's words, or how it was settled.
    pub detail: String,
    /// What it changes in the snapshot.
    pub effects: Vec<Effect>,
}

/// One entry as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRecord {
    /// Its key.
    pub id: JournalId,
    /// The action of the plan that it belongs to.
    pub action: String,
    /// The request.
    pub request: Request,
    /// When it was about to be sent.
    pub intended_at: Timestamp,
    /// How it ended; none: it was cut off before.
    pub outcome: Option<String>,
    /// For people.
    pub detail: String,
}

/// So begins the detail of a request that never left. Its outcome is `refused`: the target did not do it.
pub const NOT_SENT: &str = "not sent: ";

impl JournalRecord {
    /// Why the request was never sent; none: it was, or nobody knows.
    pub fn not_sent(&self) -> Option<&str> {
        let is_refused = self.outcome.as_deref() == Some(OutcomeKind::Refused.as_str());
        self.detail.strip_prefix(NOT_SENT).filter(|_| is_refused)
    }
}

impl Store {
    /// Writes outcomes with their effects, then the next intents, in one durable transaction.
    pub fn record_wave(
        &mut self,
        cycle: CycleId,
        outcomes: &[Outcome],
        intents: &[Intent],
        now: Timestamp,
    ) -> Result<Vec<JournalId>, StoreError> {
        let path = self.path.clone();
        let failed = |source| StoreError::Sqlite { doing: "write the journal", path: path.clone(), source };
        let transaction = self.connection.transaction().map_err(&failed)?;
        for outcome in outcomes {
            record_outcome(&transaction, outcome, now).map_err(&failed)?;
        }
        if outcomes.iter().any(|outcome| !outcome.effects.is_empty()) {
            grow_generation(&transaction).map_err(&failed)?;
        }
        let mut ids = Vec::with_capacity(intents.len());
        for intent in intents {
            ids.push(record_intent(&transaction, cycle, intent, now).map_err(&failed)?);
        }
        transaction.commit().map_err(&failed)?;
        Ok(ids)
    }

    /// Every intent without an outcome, and every unknown one, oldest first.
    pub fn read_unsettled(&self) -> Result<Vec<JournalRecord>, StoreError> {
        self.read_journal("WHERE outcome IS NULL OR outcome = 'unknown' ORDER BY id", [])
    }

    /// The journal of one cycle.
    pub fn read_journal_of(&self, cycle: CycleId) -> Result<Vec<JournalRecord>, StoreError> {
        self.read_journal("WHERE cycle = ?1 ORDER BY id", [cycle.0])
    }

    fn read_journal<P: rusqlite::Params>(&self, rest: &str, params: P) -> Result<Vec<JournalRecord>, StoreError> {
        let doing = "read the journal";
        let sql = format!("SELECT id, action, request, intended_at, outcome, detail FROM journal {rest}");
        let mut statement = self.connection.prepare(&sql).map_err(self.failed(doing))?;
        let mut rows = statement.query(params).map_err(self.failed(doing))?;
        let mut records = Vec::new();
        while let Some(row) = rows.next().map_err(self.failed(doing))? {
            let request: String = row.get(2).map_err(self.failed(doing))?;
            records.push(JournalRecord {
                id: JournalId(row.get(0).map_err(self.failed(doing))?),
                action: row.get(1).map_err(self.failed(doing))?,
                request: self.json("a journal entry", &request)?,
                intended_at: Timestamp::from_seconds(row.get(3).map_err(self.failed(doing))?),
                outcome: row.get(4).map_err(self.failed(doing))?,
                detail: row.get(5).map_err(self.failed(doing))?,
            });
        }
        Ok(records)
    }

    /// What was sent without approval since a moment: by class, and leaves by group.
    #[expect(clippy::type_complexity, reason = "two plain maps, taken apart at once by the one caller")]
    pub fn read_spent(&self, since: Timestamp) -> Result<(BTreeMap<Class, u64>, BTreeMap<GroupId, u64>), StoreError> {
        let doing = "read what was sent in the last 24 hours";
        let sql = "SELECT class, group_id, SUM(count) FROM spent WHERE at > ?1 GROUP BY class, group_id";
        let mut statement = self.connection.prepare(sql).map_err(self.failed(doing))?;
        let mut rows = statement.query([since.seconds()]).map_err(self.failed(doing))?;
        let (mut classes, mut groups) = (BTreeMap::new(), BTreeMap::new());
        while let Some(row) = rows.next().map_err(self.failed(doing))? {
            let class: String = row.get(0).map_err(self.failed(doing))?;
            let class: Class = self.json("a class", &format!("{class:?}"))?;
            let group: Option<String> = row.get(1).map_err(self.failed(doing))?;
            let count: i64 = row.get(2).map_err(self.failed(doing))?;
            let count = u64::try_from(count).unwrap_or(0);
            *classes.entry(class).or_insert(0) += count;
            if let (Class::Leave, Some(group)) = (class, group) {
                *groups.entry(GroupId::new(group)).or_insert(0) += count;
            }
        }
        Ok((classes, groups))
    }
}

fn record_intent(
    transaction: &Transaction<'_>,
    cycle: CycleId,
    intent: &Intent,
    now: Timestamp,
) -> rusqlite::Result<JournalId> {
    let sql = "INSERT INTO journal (cycle, action, request, intended_at) VALUES (?1, ?2, ?3, ?4)";
    let values = (cycle.0, &intent.action, to_json(&intent.request), now.seconds());
    transaction.prepare_cached(sql)?.execute(values)?;
    let id = transaction.last_insert_rowid();
    for spending in &intent.spending {
        let class = serde_json::to_value(spending.class).ok();
        let class = class.as_ref().and_then(|class| class.as_str()).unwrap_or_default();
        let group = spending.group.as_ref().map(GroupId::as_str);
        let count = i64::try_from(spending.count).unwrap_or(i64::MAX);
        let sql = "INSERT INTO spent (journal, at, class, group_id, count) VALUES (?1, ?2, ?3, ?4, ?5)";
        transaction.prepare_cached(sql)?.execute((id, now.seconds(), class, group, count))?;
    }
    Ok(JournalId(id))
}

fn record_outcome(transaction: &Transaction<'_>, outcome: &Outcome, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "UPDATE journal SET outcome = ?2, settled_at = ?3, detail = ?4 WHERE id = ?1";
    let values = (outcome.id.0, outcome.kind.as_str(), now.seconds(), &outcome.detail);
    transaction.prepare_cached(sql)?.execute(values)?;
    if outcome.kind == OutcomeKind::Refused {
        // What was certainly not done takes nothing from the limits.
        transaction.prepare_cached("DELETE FROM spent WHERE journal = ?1")?.execute([outcome.id.0])?;
    }
    outcome.effects.iter().try_for_each(|effect| record_effect(transaction, effect, now))
}

fn record_effect(transaction: &Transaction<'_>, effect: &Effect, now: Timestamp) -> rusqlite::Result<()> {
    match effect {
        Effect::LinkAccount(person, account) => {
            let sql = "INSERT INTO account (user_id, scim_id, username, active, attributes, refused) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let attributes = (to_json(&account.attributes), to_json(&account.refused));
            let (id, scim_id) = (person.as_str(), account.scim_id.as_str());
            let values = (id, scim_id, &account.username, account.active, attributes.0, attributes.1);
            transaction.prepare_cached(sql)?.execute(values).map(drop)
        }
        Effect::Account(person, account) => {
            let sql = "UPDATE account SET username = ?2, active = ?3, attributes = ?4, refused = ?5 WHERE user_id = ?1";
            let attributes = (to_json(&account.attributes), to_json(&account.refused));
            let values = (person.as_str(), &account.username, account.active, attributes.0, attributes.1);
            transaction.prepare_cached(sql)?.execute(values).map(drop)
        }
        Effect::LinkGroup(id, group) => {
            let sql = "INSERT INTO scim_group (group_id, scim_id, name) VALUES (?1, ?2, ?3)";
            transaction.prepare_cached(sql)?.execute((id.as_str(), group.scim_id.as_str(), &group.name))?;
            group.members.iter().try_for_each(|person| join(transaction, id, person))
        }
        Effect::Linked(person) => {
            let sql = "INSERT INTO atlassian_link (user_id) SELECT ?1 WHERE EXISTS \
                       (SELECT 1 FROM account WHERE user_id = ?1) ON CONFLICT DO NOTHING";
            transaction.prepare_cached(sql)?.execute([person.as_str()]).map(drop)
        }
        Effect::Unlinked(person) => record_unlinked(transaction, person, now),
        Effect::Joined(group, people) => people.iter().try_for_each(|person| join(transaction, group, person)),
        Effect::Left(group, people) => people.iter().try_for_each(|person| {
            let sql = "DELETE FROM membership WHERE group_id = ?1 AND user_id = ?2";
            transaction.prepare_cached(sql)?.execute((group.as_str(), person.as_str())).map(drop)
        }),
    }
}

/// Where both are ours: what became of a request may be found out only when one of them is gone.
fn join(transaction: &Transaction<'_>, group: &GroupId, person: &PersonId) -> rusqlite::Result<()> {
    let sql = "INSERT INTO membership (group_id, user_id) SELECT ?1, ?2 WHERE EXISTS \
               (SELECT 1 FROM scim_group WHERE group_id = ?1) AND EXISTS (SELECT 1 FROM account WHERE user_id = ?2) \
               ON CONFLICT DO NOTHING";
    transaction.prepare_cached(sql)?.execute((group.as_str(), person.as_str())).map(drop)
}
