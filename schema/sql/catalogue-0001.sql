-- The catalogue, version 1. Columns hold random ids, blind tags, numbers and sealed rows; nothing about a participant or an
-- item stands here in clear, even inside the encrypted database.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Staff, study versions, sites, approvals, projects, requests, decisions, releases, holds: governance, as JSON.
CREATE TABLE record (
    kind   TEXT NOT NULL CHECK (kind IN ('person', 'study', 'site', 'approval', 'project', 'request', 'decision', 'release', 'hold', 'policy')),
    id     BLOB NOT NULL CHECK (length(id) = 16),
    parent BLOB CHECK (parent IS NULL OR length(parent) = 16), -- the request of a decision or release; the number of a request
    seq    INTEGER NOT NULL CHECK (seq >= 0),                -- the ledger entry that last changed it
    body   TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_by_parent ON record (kind, parent) WHERE parent IS NOT NULL;

CREATE TABLE participant (
    id           BLOB PRIMARY KEY CHECK (length(id) = 16),
    site         BLOB NOT NULL CHECK (length(site) = 16),
    meta_slot    BLOB NOT NULL CHECK (length(meta_slot) = 16),
    content_slot BLOB NOT NULL CHECK (length(content_slot) = 16),
    meta         BLOB NOT NULL CHECK (length(meta) >= 41),      -- sealed under meta_slot
    content      BLOB NOT NULL CHECK (length(content) >= 41)    -- sealed under content_slot
) STRICT, WITHOUT ROWID;

CREATE TABLE interview (
    id           BLOB PRIMARY KEY CHECK (length(id) = 16),
    site         BLOB NOT NULL CHECK (length(site) = 16),
    slot         BLOB NOT NULL CHECK (length(slot) = 16),
    content_slot BLOB NOT NULL CHECK (length(content_slot) = 16),
    body         BLOB NOT NULL CHECK (length(body) >= 41),      -- sealed under slot
    content      BLOB NOT NULL CHECK (length(content) >= 41)    -- sealed under content_slot
) STRICT, WITHOUT ROWID;

CREATE TABLE voice (
    interview   BLOB NOT NULL REFERENCES interview (id) ON DELETE CASCADE,
    participant BLOB NOT NULL REFERENCES participant (id) ON DELETE CASCADE,
    PRIMARY KEY (interview, participant)
) STRICT, WITHOUT ROWID;
CREATE INDEX voice_by_participant ON voice (participant, interview);

CREATE TABLE object (
    id        BLOB PRIMARY KEY CHECK (length(id) = 16),
    interview BLOB NOT NULL REFERENCES interview (id) ON DELETE CASCADE,
    slot      BLOB NOT NULL CHECK (length(slot) = 16),
    body      BLOB NOT NULL CHECK (length(body) >= 41)
) STRICT, WITHOUT ROWID;
CREATE INDEX object_by_interview ON object (interview);

-- Rows of transcripts and consents are long: in the order of their random ids each new one would be compared with, and moved among, long ones.
CREATE TABLE transcript (
    id        BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    interview BLOB NOT NULL REFERENCES interview (id) ON DELETE CASCADE,
    version   INTEGER NOT NULL CHECK (version >= 1),
    slot      BLOB NOT NULL CHECK (length(slot) = 16),
    outline   BLOB NOT NULL CHECK (length(outline) >= 41),  -- sealed under the interview's slot
    turns     BLOB NOT NULL CHECK (length(turns) >= 41),    -- sealed under slot
    marks     BLOB NOT NULL CHECK (length(marks) >= 41),    -- sealed under slot
    UNIQUE (interview, version)
) STRICT;

CREATE TABLE consent (
    id          BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    participant BLOB NOT NULL REFERENCES participant (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL CHECK (number >= 1),
    body        BLOB NOT NULL CHECK (length(body) >= 41),
    UNIQUE (participant, number)
) STRICT;

-- Blind index: keyed tags of codes and fingerprints of files; the key is made anew with each epoch of the key file.
CREATE TABLE tag (
    kind   INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 9),
    tag    BLOB NOT NULL CHECK (length(tag) = 16),
    target BLOB NOT NULL CHECK (length(target) = 16),
    PRIMARY KEY (kind, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_by_target ON tag (target);

-- Entries committed here that may not have reached the ledger yet; every open drains it.
CREATE TABLE outbox (
    seq  INTEGER PRIMARY KEY CHECK (seq >= 0),
    leaf BLOB NOT NULL
) STRICT;
