//! Migrations from every schema that was ever on main.
//!
//! Schema 1 was edited twice before its first release, so there are databases of three texts that all call themselves
//! 1. Their SQL stands here as it was then; [`STEPS`] must go on from each.

use super::super::schema::STEPS;
use super::super::*;
use super::{at, binding};
use crate::desired::Remembered;
use crate::guard::Item;
use crate::model::{GroupId, PersonId};
use rusqlite::types::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// As it was first.
const FIRST: &str = "
    CREATE TABLE meta (
        key   TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- A link, and the snapshot of the account behind it.
    CREATE TABLE account (
        user_id       TEXT PRIMARY KEY,
        scim_id       TEXT NOT NULL UNIQUE,
        username      TEXT NOT NULL,
        active        INTEGER NOT NULL CHECK (active IN (0, 1)),
        attributes    TEXT NOT NULL,
        refused       TEXT NOT NULL DEFAULT '{}',
        left_scope_at INTEGER
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE scim_group (
        group_id TEXT PRIMARY KEY,
        scim_id  TEXT NOT NULL UNIQUE,
        name     TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE membership (
        group_id TEXT NOT NULL REFERENCES scim_group,
        user_id  TEXT NOT NULL REFERENCES account,
        PRIMARY KEY (group_id, user_id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE cycle (
        id          INTEGER PRIMARY KEY AUTOINCREMENT,
        command     TEXT NOT NULL,
        started_at  INTEGER NOT NULL,
        ended_at    INTEGER,
        exit_code   INTEGER,
        message     TEXT NOT NULL DEFAULT '',
        fingerprint TEXT,
        report      TEXT NOT NULL DEFAULT '{}'
    ) STRICT;

    -- Intent before effect: a row is durable before its request leaves.
    CREATE TABLE journal (
        id          INTEGER PRIMARY KEY AUTOINCREMENT,
        cycle       INTEGER NOT NULL REFERENCES cycle,
        action      TEXT NOT NULL,
        request     TEXT NOT NULL,
        intended_at INTEGER NOT NULL,
        outcome     TEXT CHECK (outcome IN ('done', 'refused', 'unknown')),
        settled_at  INTEGER,
        detail      TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE INDEX journal_cycle ON journal (cycle);
    CREATE INDEX journal_open ON journal (id) WHERE outcome IS NULL OR outcome = 'unknown';

    -- What was sent without a person's approval, for the limits over 24 hours.
    CREATE TABLE spent (
        journal  INTEGER NOT NULL REFERENCES journal,
        at       INTEGER NOT NULL,
        class    TEXT NOT NULL,
        group_id TEXT,
        count    INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX spent_at ON spent (at);

    CREATE TABLE plan (
        fingerprint TEXT PRIMARY KEY,
        cycle       INTEGER NOT NULL REFERENCES cycle,
        created_at  INTEGER NOT NULL,
        verdict     TEXT NOT NULL CHECK (verdict IN ('approved', 'held')),
        document    TEXT NOT NULL,
        risky       TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE decision (
        id          INTEGER PRIMARY KEY AUTOINCREMENT,
        fingerprint TEXT NOT NULL,
        decision    TEXT NOT NULL CHECK (decision IN ('approved', 'rejected')),
        at          INTEGER NOT NULL,
        expires_at  INTEGER,
        login       TEXT NOT NULL,
        sudo_user   TEXT,
        note        TEXT NOT NULL DEFAULT '',
        risky       TEXT NOT NULL
    ) STRICT;

    CREATE TABLE failing (
        record   TEXT PRIMARY KEY,
        name     TEXT NOT NULL,
        kind     TEXT NOT NULL,
        reason   TEXT NOT NULL,
        count    INTEGER NOT NULL,
        first_at INTEGER NOT NULL,
        last_at  INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    ";

/// What came with `undo`.
const PIN: &str = "
    -- What was undone stays so until the person's record changes in Duo, or somebody releases it.
    CREATE TABLE pin (
        user_id  TEXT PRIMARY KEY,
        username TEXT NOT NULL,
        seen     TEXT,
        undone   INTEGER NOT NULL REFERENCES cycle,
        at       INTEGER NOT NULL,
        by       TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    ";

/// What came with the watch over linked accounts.
const LINK: &str = "
    -- Accounts that Atlassian said to be linked when they were last written: an update that undoes it stops updates.
    CREATE TABLE atlassian_link (
        user_id TEXT PRIMARY KEY REFERENCES account
    ) STRICT, WITHOUT ROWID;
    ";

/// Rows as the programs of those days wrote them.
const ROWS: &str = r#"
    INSERT INTO meta VALUES
        ('atlassian.scim_base_url', 'https://api.example.com/scim/directory/1'),
        ('database_id', '0a1b2c3d-0000-4000-8000-000000000000'),
        ('duo.api_host', 'api-1.duosecurity.com'),
        ('ever_wrote', '1795442531'),
        ('generation', '7'),
        ('target_read_at', '1795442500');
    INSERT INTO account VALUES
        ('DU1', 's-1', 'ana', 1, '{"userName":"ana","emails":"ana@example.com"}', '{"displayName":"A"}', NULL),
        ('DU2', 's-2', 'bo', 0, '{"userName":"bo","emails":"bo@example.com"}', '{}', 1795000000);
    INSERT INTO scim_group VALUES ('DG1', 'g-1', 'eng');
    INSERT INTO membership VALUES ('DG1', 'DU1');
    INSERT INTO cycle VALUES
        (1, 'sync', 1795442500, 1795442531, 0, 'done', 'f1', '{"sent":{"done":2}}'),
        (2, 'sync', 1795442600, NULL, NULL, '', NULL, '{}');
    INSERT INTO journal VALUES
        (1, 1, 'deactivate:DU2', '{"request":"deactivate_user","person":"DU2","scim_id":"s-2"}', 1795442510, 'done', 1795442511, ''),
        (2, 1, 'update:DU1', '{"request":"update_user","person":"DU1","username":"ana","scim_id":"s-1","changes":{"displayName":"A"},"reactivate":false}', 1795442512, 'refused', 1795442513, '400'),
        (3, 2, 'create:DU3', '{"request":"create_user","person":"DU3","username":"cy","attributes":{"userName":"cy"}}', 1795442601, NULL, NULL, '');
    INSERT INTO spent VALUES (1, 1795442510, 'deactivation', NULL, 1);
    INSERT INTO plan VALUES ('f1', 1, 1795442500, 'held', '{"format":"duo-atlassian-sync.plan/1"}', '[]');
    INSERT INTO decision VALUES (1, 'f1', 'approved', 1795442505, 1795528905, 'root', 'ana', 'fine', '[{"what":"deactivate","person":"DU1"},{"what":"deactivate","person":"DU2"}]');
    INSERT INTO failing VALUES ('person:DU1', 'ana', 'refused', '400', 3, 1795442513, 1795442600);
"#;
const OLD_REMEMBERED: &str =
    r#"INSERT INTO meta VALUES ('remembered_groups', '[["eng","DG1","eng"],["o*","DG2","ops"]]')"#;
const NEW_REMEMBERED: &str =
    r#"INSERT INTO meta VALUES ('remembered_groups', '[["eng","DG1","eng",false],["o*","DG2","ops",true]]')"#;
const PIN_ROW: &str = "INSERT INTO pin VALUES ('DU2', 'bo', NULL, 1, 1795442600, 'root')";
const LINK_ROW: &str = "INSERT INTO atlassian_link VALUES ('DU1')";

/// Every table with the columns that it had.
const COLUMNS: [(&str, &str); 11] = [
    ("meta", "key, value"),
    ("account", "user_id, scim_id, username, active, attributes, refused, left_scope_at"),
    ("scim_group", "group_id, scim_id, name"),
    ("membership", "group_id, user_id"),
    ("cycle", "id, command, started_at, ended_at, exit_code, message, fingerprint, report"),
    ("journal", "id, cycle, action, request, intended_at, outcome, settled_at, detail"),
    ("spent", "journal, at, class, group_id, count"),
    ("plan", "fingerprint, cycle, created_at, verdict, document, risky"),
    ("decision", "id, fingerprint, decision, at, expires_at, login, sudo_user, note, risky"),
    ("failing", "record, name, kind, reason, count, first_at, last_at"),
    ("pin", "user_id, username, seen, undone, at, by"),
];

/// A database of one of the three texts, as the program left it.
fn old(folder: &Path, sql: &[&str]) -> Settings {
    let settings = Settings { database: folder.join("state.db") };
    let connection = Connection::open(&settings.database).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    for sql in sql {
        connection.execute_batch(sql).unwrap();
    }
    connection.pragma_update(None, "user_version", 1).unwrap();
    settings
}

/// What is in the tables that a database has, less what a copy says of itself and what was brought up to date.
fn contents(path: &Path) -> Vec<(String, Vec<Vec<Value>>)> {
    let connection = Connection::open(path).unwrap();
    let has = |table: &str| connection.table_exists(None, table).unwrap();
    let rows = |table: &str, columns: &str| -> Vec<Vec<Value>> {
        let sql = format!("SELECT {columns} FROM {table} ORDER BY 1, 2");
        let mut statement = connection.prepare(&sql).unwrap();
        let count = statement.column_count();
        let rows = statement.query_map([], |row| (0..count).map(|column| row.get(column)).collect()).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let is_new = |row: &Vec<Value>| {
        ["backup_of", "backup_at", "remembered_groups"].iter().any(|key| row[0] == Value::Text((*key).to_owned()))
    };
    let tables = COLUMNS.iter().filter(|(table, _)| has(table));
    tables
        .map(|(table, columns)| {
            (
                (*table).to_owned(),
                rows(table, columns).into_iter().filter(|row| *table != "meta" || !is_new(row)).collect(),
            )
        })
        .collect()
}

fn version_of(path: &Path) -> i64 {
    Connection::open(path).unwrap().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

fn remembered(gone: bool) -> Vec<Remembered> {
    let entry = |selector: &str, id: &str, name: &str, gone| Remembered {
        selector: selector.into(),
        group_id: GroupId::new(id),
        name: name.into(),
        gone,
    };
    vec![entry("eng", "DG1", "eng", false), entry("o*", "DG2", "ops", gone)]
}

#[test]
fn the_first_step_is_as_it_was_on_main() {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words(STEPS[0]), words(&[FIRST, PIN, LINK].concat()), "a step that was on main is never edited");
}

#[test]
fn a_database_of_every_schema_that_was_on_main_is_brought_up_to_date_with_all_that_is_in_it() {
    let texts: [(&[&str], bool); 4] = [
        (&[FIRST, ROWS, OLD_REMEMBERED], false),
        (&[FIRST, PIN, ROWS, OLD_REMEMBERED, PIN_ROW], false),
        (&[FIRST, PIN, ROWS, NEW_REMEMBERED, PIN_ROW], true),
        (&[FIRST, PIN, LINK, ROWS, NEW_REMEMBERED, PIN_ROW, LINK_ROW], true),
    ];
    for (sql, gone) in texts {
        let folder = tempfile::tempdir().unwrap();
        let settings = old(folder.path(), sql);
        let before = contents(&settings.database);
        let store = Store::open(&settings, &binding()).unwrap();
        store.check().unwrap();
        assert_eq!(version_of(&settings.database), i64::try_from(STEPS.len()).unwrap());
        let after: Vec<_> = contents(&settings.database).into_iter().filter(|(_, rows)| !rows.is_empty()).collect();
        assert_eq!(after, before);
        // And it reads as what it was.
        assert_eq!(store.database_id(), "0a1b2c3d-0000-4000-8000-000000000000");
        assert_eq!(store.generation().unwrap(), 7);
        assert_eq!(store.read_remembered().unwrap(), remembered(gone));
        let owned = store.read_owned().unwrap();
        assert_eq!((owned.accounts.len(), owned.active_accounts(), owned.memberships()), (2, 1, 1));
        assert_eq!(store.read_journal_of(CycleId(1)).unwrap().len(), 2);
        assert_eq!(store.read_unsettled().unwrap()[0].action, "create:DU3");
        assert_eq!(store.read_spent(at(0)).unwrap().0.len(), 1);
        assert_eq!(store.read_held_plan().unwrap().unwrap().fingerprint, "f1");
        // Of two approved deactivations one was done before the program kept count of that.
        let approved = [Item::of_person("deactivate", &PersonId::new("DU1"))];
        assert_eq!(store.read_approved_items(at(1_795_442_600), None).unwrap(), approved.into());
        assert_eq!(store.read_decisions("f1").unwrap()[0].note, "fine");
        assert_eq!(store.read_failing().unwrap().len(), 1);
        assert_eq!(store.read_cycles(9).unwrap().len(), 2);
        let pinned = store.read_pins().unwrap().contains_key("DU2");
        assert_eq!(pinned, sql.contains(&PIN_ROW));
        assert_eq!(store.read_linked().unwrap().contains(&PersonId::new("DU1")), sql.contains(&LINK_ROW));
        assert_eq!(store.backup_mark().unwrap(), None, "the mark is the copy's");
    }
}

#[test]
fn a_copy_is_made_before_a_migration_and_can_be_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let settings = old(folder.path(), &[FIRST, ROWS, OLD_REMEMBERED]);
    let before = contents(&settings.database);
    drop(Store::open(&settings, &binding()).unwrap());
    let copy = folder.path().join(format!("state.db.before-schema-{}", STEPS.len()));
    assert_eq!((contents(&copy), version_of(&copy)), (before, 1));
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    fs::copy(&copy, &settings.database).unwrap();
    let store = Store::open(&settings, &binding()).unwrap();
    let mark = store.backup_mark().unwrap().unwrap();
    assert_eq!(mark.of, store.database_id());
    assert_eq!(mark.at, at(1_795_442_600), "as old as what was done last");
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().contains("part")), "{names:?}");
}

#[test]
fn without_the_copy_nothing_is_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let settings = old(folder.path(), &[FIRST, ROWS, OLD_REMEMBERED]);
    let before = contents(&settings.database);
    let in_the_way = folder.path().join(format!("state.db.before-schema-{}", STEPS.len()));
    fs::create_dir(&in_the_way).unwrap();
    let error = Store::open(&settings, &binding()).unwrap_err();
    let is_about = |source: &BackUpError| matches!(source, BackUpError::File { .. });
    assert!(matches!(&error, OpenStoreError::Copy { found: 1, source, .. } if is_about(source)), "{error:?}");
    assert_eq!((contents(&settings.database), version_of(&settings.database)), (before, 1));
    fs::remove_dir(&in_the_way).unwrap();
    Store::open(&settings, &binding()).unwrap();
}

#[test]
fn a_damaged_database_is_not_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let settings = old(folder.path(), &[FIRST, ROWS, OLD_REMEMBERED]);
    super::damage::damage_table(&settings.database, "journal");
    let error = Store::open(&settings, &binding()).unwrap_err();
    let is_about = |source: &BackUpError| matches!(source, BackUpError::Damaged { .. });
    assert!(matches!(&error, OpenStoreError::Copy { source, .. } if is_about(source)), "{error:?}");
    assert_eq!(version_of(&settings.database), 1);
}
