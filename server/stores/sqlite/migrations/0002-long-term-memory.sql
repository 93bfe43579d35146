-- Long-term memory. Texts named json hold JSON.
CREATE TABLE contents (
  contents INTEGER PRIMARY KEY AUTOINCREMENT,
  cleared INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX cleared_contents ON contents (cleared);

-- A row for each node written to.
CREATE TABLE memories (
  memory INTEGER PRIMARY KEY,
  -- Not the node's id: sessions carry the tag, and whoever has a session has the node's memory.
  tag TEXT NOT NULL UNIQUE,
  -- What the rows of all that was learned carry. A clear takes a new one, and what has the old one is removed
  -- little by little: a large node would hold up everybody.
  contents INTEGER NOT NULL,
  -- The newest entry of the log, and the oldest that is kept.
  number INTEGER NOT NULL DEFAULT 0,
  mark INTEGER NOT NULL DEFAULT 0,
  first_kept INTEGER NOT NULL DEFAULT 1,
  -- Counts of what the other tables hold, so that nobody has to scan them.
  patterns INTEGER NOT NULL DEFAULT 0,
  symbols INTEGER NOT NULL DEFAULT 0,
  vectors INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  -- Whole numbers, but a corrected frequency can bring them past what JavaScript reads of an INTEGER.
  frequencies REAL NOT NULL DEFAULT 0,
  symbol_occurrences REAL NOT NULL DEFAULT 0,
  vector_dimension INTEGER,
  -- What the last finalize found; all NULL without one.
  finalized_number INTEGER,
  finalized_patterns INTEGER,
  finalized_symbols INTEGER
) STRICT;

-- born: the number of the log entry by which the pattern came to be.
CREATE TABLE patterns (
  contents INTEGER NOT NULL,
  born INTEGER NOT NULL,
  hash TEXT NOT NULL,
  events_json TEXT NOT NULL,
  frequency INTEGER NOT NULL,
  -- Event-wise maps, and pairs of key and text; empty text for none.
  emotives_json TEXT NOT NULL,
  metadata_json TEXT NOT NULL,
  PRIMARY KEY (contents, born),
  UNIQUE (contents, hash)
) STRICT;

-- Symbols of patterns: one without any has no row.
CREATE TABLE symbols (
  contents INTEGER NOT NULL,
  symbol TEXT NOT NULL,
  frequency REAL NOT NULL,
  patterns INTEGER NOT NULL,
  PRIMARY KEY (contents, symbol)
) STRICT, WITHOUT ROWID;

-- Pairs of emotive and sum. One row for all of a symbol's emotives: a learn has few emotives but many symbols,
-- and whoever builds a replica takes the text as it is.
CREATE TABLE affinities (
  contents INTEGER NOT NULL,
  symbol TEXT NOT NULL,
  sums_json TEXT NOT NULL,
  PRIMARY KEY (contents, symbol)
) STRICT, WITHOUT ROWID;

CREATE TABLE vectors (
  contents INTEGER NOT NULL,
  name TEXT NOT NULL,
  vector_json TEXT NOT NULL,
  PRIMARY KEY (contents, name)
) STRICT;

-- How many patterns had each symbol at the last finalize.
CREATE TABLE finalized_symbols (
  contents INTEGER NOT NULL,
  symbol TEXT NOT NULL,
  patterns INTEGER NOT NULL,
  PRIMARY KEY (contents, symbol)
) STRICT, WITHOUT ROWID;

CREATE TABLE node_log (
  memory INTEGER NOT NULL,
  number INTEGER NOT NULL,
  mark INTEGER NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (memory, number)
) STRICT;

-- Entries of kind 3: vectors that wait for the session's next learn.
ALTER TABLE sessions ADD COLUMN vectors_count INTEGER NOT NULL DEFAULT 0;
