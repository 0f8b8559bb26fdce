-- The ledger, version 1.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE entry (
    seq  INTEGER PRIMARY KEY CHECK (seq >= 0),
    leaf BLOB NOT NULL
) STRICT;

CREATE TABLE tile (
    level INTEGER NOT NULL CHECK (level BETWEEN 0 AND 7),
    idx   INTEGER NOT NULL CHECK (idx >= 0),
    data  BLOB NOT NULL CHECK (length(data) % 32 = 0 AND length(data) BETWEEN 32 AND 8192),
    PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint (
    size INTEGER PRIMARY KEY CHECK (size >= 1),
    note TEXT NOT NULL
) STRICT;
