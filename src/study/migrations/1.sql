-- What the study is about: one row.
CREATE TABLE study (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    space TEXT NOT NULL,        -- RON, self-contained
    experiment TEXT NOT NULL,   -- RON
    seed TEXT NOT NULL,         -- as text, for SQLite has no unsigned integers
    version TEXT NOT NULL,      -- the release that began the study
    created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;

CREATE TABLE trials (
    id INTEGER PRIMARY KEY,
    genotype TEXT NOT NULL,
    key TEXT NOT NULL,
    fidelity INTEGER NOT NULL,
    parent INTEGER,
    note TEXT NOT NULL,
    shown INTEGER NOT NULL,     -- how many results the proposal was made from
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'finished', 'failed')),
    metrics TEXT,               -- JSON, of finished trials
    reason TEXT,                -- of failed trials
    copied_from INTEGER,        -- the trial of the same candidate whose figures were taken over
    seconds REAL NOT NULL DEFAULT 0,
    proposed TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    ended TEXT
) STRICT;

-- Final trainings of winners, in the order of ending.
CREATE TABLE finals (
    id INTEGER PRIMARY KEY,
    trial INTEGER NOT NULL REFERENCES trials (id),
    fidelity INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('finished', 'failed')),
    metrics TEXT,
    reason TEXT,
    seconds REAL NOT NULL,
    model TEXT,                 -- the weights' file, relative to the run folder
    ended TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    UNIQUE (trial, fidelity)
) STRICT;
