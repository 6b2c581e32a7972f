-- Facts about this file itself: the key's check value, the last probe.
CREATE TABLE about (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Switches that were set while running and outlive a restart.
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One row per delivery. Moments are milliseconds since the Unix epoch. Neither the number nor the user is
-- kept, only keyed hashes; `sealed` is encrypted and becomes NULL when the delivery closes.
CREATE TABLE deliveries (
    id          BLOB NOT NULL UNIQUE,
    org         TEXT NOT NULL,
    event       TEXT,
    country     TEXT NOT NULL,
    channel     TEXT NOT NULL,
    number_hash INTEGER,
    user_hash   INTEGER,
    admitted_at INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    sandbox     INTEGER NOT NULL,
    record      TEXT NOT NULL,
    sealed      BLOB,
    answer      TEXT,
    closed_at   INTEGER,
    outcome     TEXT
) STRICT;

CREATE INDEX deliveries_by_time   ON deliveries (admitted_at);
CREATE INDEX deliveries_by_event  ON deliveries (event, admitted_at) WHERE event IS NOT NULL;
CREATE INDEX deliveries_by_number ON deliveries (number_hash, admitted_at) WHERE number_hash IS NOT NULL;
CREATE INDEX deliveries_by_user   ON deliveries (user_hash, admitted_at) WHERE user_hash IS NOT NULL;
CREATE INDEX deliveries_open      ON deliveries (sandbox, admitted_at) WHERE closed_at IS NULL;

-- What was fed to a delivery, in order.
CREATE TABLE fed (
    delivery BLOB NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    seq      INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    event    TEXT NOT NULL,
    PRIMARY KEY (delivery, seq)
) STRICT, WITHOUT ROWID;
