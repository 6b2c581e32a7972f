-- Version 1. Times are milliseconds since the Unix epoch, ids are 16 bytes, hashes are keyed.
CREATE TABLE delivery (
    id          BLOB PRIMARY KEY,
    org         TEXT NOT NULL,
    event       TEXT,
    country     TEXT NOT NULL,
    channel     TEXT NOT NULL,
    number_hash INTEGER,
    user_hash   INTEGER,
    admitted_at INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    sandbox     INTEGER NOT NULL,
    record      TEXT NOT NULL,      -- plan and terms, nothing secret
    sealed      BLOB,               -- number, text and passcode; NULL once closed
    answer      TEXT,
    closed_at   INTEGER,
    outcome     TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX delivery_open ON delivery (admitted_at) WHERE closed_at IS NULL;
CREATE INDEX delivery_admitted ON delivery (admitted_at);
CREATE INDEX delivery_event ON delivery (event) WHERE event IS NOT NULL;
CREATE INDEX delivery_number ON delivery (number_hash, admitted_at) WHERE number_hash IS NOT NULL;
CREATE INDEX delivery_user ON delivery (user_hash, admitted_at) WHERE user_hash IS NOT NULL;

-- What was fed to a delivery, in order.
CREATE TABLE fed (
    delivery BLOB NOT NULL,
    seq      INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    event    TEXT NOT NULL,
    PRIMARY KEY (delivery, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
