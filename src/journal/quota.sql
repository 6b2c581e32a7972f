-- What is used of each quota in the window that was under way when it was last counted.
CREATE TABLE quota (
    sandbox      INTEGER NOT NULL,
    name         TEXT NOT NULL,
    window_from  INTEGER NOT NULL,
    window_until INTEGER NOT NULL,
    units        INTEGER NOT NULL,
    capped       INTEGER NOT NULL,
    PRIMARY KEY (sandbox, name)
) STRICT, WITHOUT ROWID;
