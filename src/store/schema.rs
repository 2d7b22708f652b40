//! The schema, step by step. A step that was released is never edited: a new one is added.

/// Each entry brings the schema from its index to the next version, kept in `PRAGMA user_version`.
pub(super) const STEPS: &[&str] = &[
    "
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

    -- What was undone stays so until the person's record changes in Duo, or somebody releases it.
    CREATE TABLE pin (
        user_id  TEXT PRIMARY KEY,
        username TEXT NOT NULL,
        seen     TEXT,
        undone   INTEGER NOT NULL REFERENCES cycle,
        at       INTEGER NOT NULL,
        by       TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- Accounts that Atlassian said to be linked when they were last written: an update that undoes it stops updates.
    CREATE TABLE atlassian_link (
        user_id TEXT PRIMARY KEY REFERENCES account
    ) STRICT, WITHOUT ROWID;
    ",
    "
    -- Tables that came while this was schema 1: a database of its first days lacks them.
    CREATE TABLE IF NOT EXISTS pin (
        user_id  TEXT PRIMARY KEY,
        username TEXT NOT NULL,
        seen     TEXT,
        undone   INTEGER NOT NULL REFERENCES cycle,
        at       INTEGER NOT NULL,
        by       TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS atlassian_link (
        user_id TEXT PRIMARY KEY REFERENCES account
    ) STRICT, WITHOUT ROWID;
    -- And remembered groups did not say then whether they are gone.
    UPDATE meta SET value = (
        SELECT json_group_array(json_array(e.value ->> 0, e.value ->> 1, e.value ->> 2,
            json(iif(COALESCE(e.value ->> 3, 0), 'true', 'false'))))
        FROM json_each(meta.value) AS e
    ) WHERE key = 'remembered_groups';

    -- For so many cycles of one day, itself included, a cycle stands; 0: it is being removed.
    ALTER TABLE cycle ADD COLUMN alike INTEGER NOT NULL DEFAULT 1;
    CREATE INDEX cycle_going ON cycle (id) WHERE alike = 0;
    -- What a plan takes, to be added up without reading the plans.
    ALTER TABLE plan ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
    UPDATE plan SET bytes = octet_length(document) + octet_length(risky);
    CREATE INDEX plan_cycle ON plan (cycle, bytes);
    CREATE INDEX spent_journal ON spent (journal);
    ",
    "
    -- A group has several requests, which fail one by one; the same request waits for its pause (seconds) to end.
    -- `found`: which records of the target are in the way of a conflict (JSON); NULL: it was not looked at yet.
    ALTER TABLE failing RENAME TO failing_before;
    CREATE TABLE failing (
        record   TEXT NOT NULL,
        request  TEXT NOT NULL,
        name     TEXT NOT NULL,
        kind     TEXT NOT NULL,
        reason   TEXT NOT NULL,
        digest   TEXT NOT NULL,
        pause    INTEGER NOT NULL,
        count    INTEGER NOT NULL,
        first_at INTEGER NOT NULL,
        last_at  INTEGER NOT NULL,
        found    TEXT,
        PRIMARY KEY (record, request)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO failing (record, request, name, kind, reason, digest, pause, count, first_at, last_at)
        SELECT record, '', name, kind, reason, '', 0, count, first_at, last_at FROM failing_before;
    DROP TABLE failing_before;
    ",
    "
    -- The last journal entry at the time of the decision: what is done after it uses an approval up.
    ALTER TABLE decision ADD COLUMN journal INTEGER NOT NULL DEFAULT 0;
    UPDATE decision SET journal = COALESCE(
        (SELECT MAX(id) FROM journal WHERE COALESCE(settled_at, intended_at) < decision.at), 0);
    ",
];
