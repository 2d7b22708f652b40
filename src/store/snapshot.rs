//! The snapshot, the links, and the rules they were made with.

use super::open::{read_meta, write_meta};
use super::{Store, StoreError, to_json};
use crate::desired::Remembered;
use crate::desired::Rules;
use crate::guard::History;
use crate::model::GroupId;
use crate::model::Owned;
use crate::model::OwnedAccount;
use crate::model::OwnedGroup;
use crate::model::PersonId;
use crate::model::ScimId;
use crate::model::Timestamp;
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};

const RULES: &str = "rules";
const REMEMBERED: &str = "remembered_groups";
const TARGET_READ_AT: &str = "target_read_at";
const FOREIGN_ACCOUNTS: &str = "foreign_accounts";
const EVER_WROTE: &str = "ever_wrote";
const GENERATION: &str = "generation";

impl Store {
    /// Everything that is ours.
    pub fn read_owned(&self) -> Result<Owned, StoreError> {
        let failed = "read the snapshot";
        let mut owned = Owned::default();
        let sql = "SELECT user_id, scim_id, username, active, attributes, refused, left_scope_at FROM account";
        let mut statement = self.connection.prepare(sql).map_err(self.failed(failed))?;
        let mut rows = statement.query([]).map_err(self.failed(failed))?;
        while let Some(row) = rows.next().map_err(self.failed(failed))? {
            let text = |index: usize| row.get::<_, String>(index).map_err(self.failed(failed));
            let left: Option<i64> = row.get(6).map_err(self.failed(failed))?;
            let account = OwnedAccount {
                scim_id: ScimId::new(text(1)?),
                username: text(2)?,
                attributes: self.json("account.attributes", &text(4)?)?,
                active: row.get(3).map_err(self.failed(failed))?,
                refused: self.json("account.refused", &text(5)?)?,
                left_scope_at: left.map(Timestamp::from_seconds),
            };
            owned.accounts.insert(PersonId::new(text(0)?), account);
        }
        self.read_groups(&mut owned)?;
        Ok(owned)
    }

    fn read_groups(&self, owned: &mut Owned) -> Result<(), StoreError> {
        let failed = "read the snapshot";
        let sql = "SELECT group_id, scim_id, name FROM scim_group";
        let mut statement = self.connection.prepare(sql).map_err(self.failed(failed))?;
        let groups = statement.query_map([], |row| {
            let [id, scim_id, name]: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
            let group = OwnedGroup { scim_id: ScimId::new(scim_id), name, members: BTreeSet::new() };
            Ok((GroupId::new(id), group))
        });
        let groups: Result<BTreeMap<_, _>, _> = groups.map_err(self.failed(failed))?.collect();
        owned.groups = groups.map_err(self.failed(failed))?;
        let sql = "SELECT group_id, user_id FROM membership";
        let mut statement = self.connection.prepare(sql).map_err(self.failed(failed))?;
        let mut rows = statement.query([]).map_err(self.failed(failed))?;
        while let Some(row) = rows.next().map_err(self.failed(failed))? {
            let (group, person): (String, String) =
                (row.get(0).map_err(self.failed(failed))?, row.get(1).map_err(self.failed(failed))?);
            // The ids of people are shared with the accounts: eight million memberships are as many pointers.
            let person = owned.accounts.get_key_value(person.as_str()).map(|(id, _)| id.clone());
            if let (Some(group), Some(person)) = (owned.groups.get_mut(group.as_str()), person) {
                group.members.insert(person);
            }
        }
        Ok(())
    }

    /// Grows whenever the snapshot, the links or the stored rules change.
    pub fn generation(&self) -> Result<i64, StoreError> {
        let value = read_meta(&self.connection, GENERATION).map_err(self.failed("read the generation"))?;
        Ok(value.and_then(|value| value.parse().ok()).unwrap_or(0))
    }

    /// The rules that the snapshot was made with; none before the first cycle that was carried out.
    pub fn read_rules(&self) -> Result<Option<Rules>, StoreError> {
        let text = read_meta(&self.connection, RULES).map_err(self.failed("read the stored rules"))?;
        text.map(|text| self.json("the stored rules", &text)).transpose()
    }

    /// What the selectors found when the snapshot was made.
    pub fn read_remembered(&self) -> Result<Vec<Remembered>, StoreError> {
        let text = read_meta(&self.connection, REMEMBERED).map_err(self.failed("read the remembered groups"))?;
        let rows: Vec<(String, GroupId, String, bool)> =
            text.map(|text| self.json("the remembered groups", &text)).transpose()?.unwrap_or_default();
        let remembered = |(selector, group_id, name, gone)| Remembered { selector, group_id, name, gone };
        Ok(rows.into_iter().map(remembered).collect())
    }

    /// Stores the rules and what they selected, after a cycle that was carried out under them.
    pub fn record_rules(&mut self, rules: &Rules, remembered: &[Remembered]) -> Result<(), StoreError> {
        let rows: Vec<_> = remembered.iter().map(|r| (&r.selector, &r.group_id, &r.name, r.gone)).collect();
        let (rules, remembered) = (to_json(rules), to_json(&rows));
        let doing = "store the rules";
        let path = self.path.clone();
        let failed = |source| StoreError::Sqlite { doing, path: path.clone(), source };
        let transaction = self.connection.transaction().map_err(&failed)?;
        let same = |key, value: &str| read_meta(&transaction, key).map(|old| old.as_deref() == Some(value));
        if same(RULES, &rules).map_err(&failed)? && same(REMEMBERED, &remembered).map_err(&failed)? {
            return Ok(());
        }
        write_meta(&transaction, RULES, &rules).map_err(&failed)?;
        write_meta(&transaction, REMEMBERED, &remembered).map_err(&failed)?;
        grow_generation(&transaction).map_err(&failed)?;
        transaction.commit().map_err(&failed)
    }

    /// When the target was last read whole.
    pub fn target_read_at(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read_moment(TARGET_READ_AT)
    }

    /// Notes that the target was read whole, and how many active accounts were not ours.
    pub fn record_target_read(&mut self, at: Timestamp, foreign_accounts: u64) -> Result<(), StoreError> {
        let path = self.path.clone();
        let failed = |source| StoreError::Sqlite { doing: "note when the target was read", path: path.clone(), source };
        let (at, count) = (at.seconds().to_string(), foreign_accounts.to_string());
        let transaction = self.connection.transaction().map_err(&failed)?;
        write_meta(&transaction, TARGET_READ_AT, &at).map_err(&failed)?;
        write_meta(&transaction, FOREIGN_ACCOUNTS, &count).map_err(&failed)?;
        transaction.commit().map_err(&failed)
    }

    /// How many active accounts of the directory were not ours when the target was last read whole; 0 where not known.
    pub fn foreign_accounts(&self) -> Result<u64, StoreError> {
        let value =
            read_meta(&self.connection, FOREIGN_ACCOUNTS).map_err(self.failed("read how full the directory is"))?;
        Ok(value.and_then(|value| value.parse().ok()).unwrap_or(0))
    }

    /// Whether a plan was ever carried out.
    pub fn history(&self) -> Result<History, StoreError> {
        Ok(if self.read_moment(EVER_WROTE)?.is_some() { History::Some } else { History::None })
    }

    /// Notes that a plan was carried out.
    pub fn record_first_write(&mut self, at: Timestamp) -> Result<(), StoreError> {
        let value = at.seconds().to_string();
        write_meta(&self.connection, EVER_WROTE, &value).map_err(self.failed("note the first plan"))
    }

    /// Notes who is missing from the scope since when, and forgets who came back, and who has no active account any
    /// more (S9).
    pub fn record_left_scope(&mut self, away: &BTreeSet<PersonId>, now: Timestamp) -> Result<(), StoreError> {
        let path = self.path.clone();
        let failed = |source| StoreError::Sqlite { doing: "note who left the scope", path: path.clone(), source };
        let transaction = self.connection.transaction().map_err(&failed)?;
        let known: Vec<String> = {
            let sql = "SELECT user_id FROM account WHERE left_scope_at IS NOT NULL AND active = 1";
            let mut statement = transaction.prepare(sql).map_err(&failed)?;
            let rows = statement.query_map([], |row| row.get(0)).map_err(&failed)?;
            rows.collect::<Result<_, _>>().map_err(&failed)?
        };
        let sql = "UPDATE account SET left_scope_at = NULL WHERE left_scope_at IS NOT NULL AND active = 0";
        transaction.execute(sql, []).map_err(&failed)?;
        for id in known.iter().filter(|id| !away.contains(id.as_str())) {
            let sql = "UPDATE account SET left_scope_at = NULL WHERE user_id = ?1";
            transaction.execute(sql, [id]).map_err(&failed)?;
        }
        for id in away {
            let sql =
                "UPDATE account SET left_scope_at = ?2 WHERE user_id = ?1 AND active = 1 AND left_scope_at IS NULL";
            transaction.execute(sql, (id.as_str(), now.seconds())).map_err(&failed)?;
        }
        transaction.commit().map_err(&failed)
    }

    fn read_moment(&self, key: &str) -> Result<Option<Timestamp>, StoreError> {
        let value = read_meta(&self.connection, key).map_err(self.failed("read when something happened"))?;
        Ok(value.and_then(|value| value.parse().ok()).map(Timestamp::from_seconds))
    }
}

pub(super) fn grow_generation(connection: &Connection) -> rusqlite::Result<()> {
    let sql = "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = ?1";
    connection.execute(sql, [GENERATION]).map(drop)
}
