//! Who is who: which record of the target belongs to whom.

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What was made before our eyes, and what the program has adopted, by its own word.
#[derive(Debug)]
pub struct Links {
    database: PathBuf,
    people: BTreeMap<String, String>,
    groups: BTreeMap<String, String>,
    accounts: BTreeMap<String, String>,
    made: BTreeMap<String, String>,
}

impl Links {
    /// The links of this database.
    pub fn of(database: &Path) -> Self {
        let (people, groups, accounts, made) = Default::default();
        Self { database: database.to_owned(), people, groups, accounts, made }
    }

    /// An account was made for a person; false when it is another one.
    pub fn made(&mut self, person: &str, record: &str) -> bool {
        self.people.insert(record.to_owned(), person.to_owned());
        self.accounts.insert(person.to_owned(), record.to_owned()).is_none_or(|other| other == record)
    }

    /// A group was made for a group of Duo; false when it is another one.
    pub fn made_group(&mut self, group: &str, record: &str) -> bool {
        self.groups.insert(record.to_owned(), group.to_owned());
        self.made.insert(group.to_owned(), record.to_owned()).is_none_or(|other| other == record)
    }

    /// The record of a person, as far as it was seen.
    pub fn record(&self, person: &str) -> Option<&str> {
        let seen = self.people.iter().find(|(_, id)| *id == person).map(|(record, _)| record.as_str());
        self.accounts.get(person).map(String::as_str).or(seen)
    }

    /// Whose record this is, as far as it was seen.
    pub fn known_person(&self, record: &str) -> Option<&str> {
        self.people.get(record).map(String::as_str)
    }

    /// Which group of Duo this is, as far as it was seen.
    pub fn known_group(&self, record: &str) -> Option<&str> {
        self.groups.get(record).map(String::as_str)
    }

    /// The record of a group, as far as it was made before our eyes.
    pub fn record_of_group(&self, group: &str) -> Option<&str> {
        self.made.get(group).map(String::as_str)
    }

    /// Whether the program has this group for its own, by its own word.
    pub fn is_linked_group(&self, record: &str) -> bool {
        self.ask("SELECT group_id FROM scim_group WHERE scim_id = ?1", record).is_some()
    }

    /// Whether a record was seen to be somebody's.
    pub fn is_known(&self, record: &str) -> bool {
        self.people.contains_key(record)
    }

    /// Everybody who was given an account before our eyes.
    pub fn made_accounts(&self) -> impl Iterator<Item = &String> {
        self.accounts.keys()
    }

    /// Whose account a record is.
    pub fn person(&mut self, record: &str) -> Option<String> {
        if let Some(person) = self.people.get(record) {
            return Some(person.clone());
        }
        let person = self.ask("SELECT user_id FROM account WHERE scim_id = ?1", record)?;
        self.people.insert(record.to_owned(), person.clone());
        Some(person)
    }

    /// Which group of Duo a record is.
    pub fn group(&mut self, record: &str) -> Option<String> {
        if let Some(group) = self.groups.get(record) {
            return Some(group.clone());
        }
        let group = self.ask("SELECT group_id FROM scim_group WHERE scim_id = ?1", record)?;
        self.groups.insert(record.to_owned(), group.clone());
        Some(group)
    }

    fn ask(&self, sql: &str, record: &str) -> Option<String> {
        let connection = Connection::open_with_flags(&self.database, OpenFlags::SQLITE_OPEN_READ_WRITE).ok()?;
        connection.query_row(sql, [record], |row| row.get(0)).optional().ok()?
    }
}
