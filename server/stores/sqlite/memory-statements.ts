import type { DatabaseSync } from "node:sqlite";

/** A node's row in `memories`. */
export type MemoryRow = {
  memory: number;
  contents: number;
  number: number;
  mark: number;
  firstKept: number;
  patterns: number;
  symbols: number;
  vectors: number;
  bytes: number;
  frequencies: number;
  symbolOccurrences: number;
  vectorDimension: number | null;
  finalizedNumber: number | null;
  finalizedPatterns: number | null;
  finalizedSymbols: number | null;
  requestCount: number;
  requestBytes: number;
};

/** Every statement about long-term memory, prepared once per connection. */
export function prepareMemoryStatements(db: DatabaseSync) {
  return {
    ...prepareMemories(db),
    ...preparePatterns(db),
    ...prepareSymbols(db),
    ...prepareVectors(db),
    ...prepareClearing(db),
    ...prepareLog(db),
    ...prepareRequests(db),
  };
}

export type MemoryStatements = ReturnType<typeof prepareMemoryStatements>;

function prepareMemories(db: DatabaseSync) {
  return {
    addMemory: db.prepare("INSERT INTO memories (tag, contents) VALUES (?, ?)"),
    memory: db.prepare(
      `SELECT memory, contents, number, mark, first_kept AS firstKept, patterns, symbols, vectors, bytes, frequencies,
         symbol_occurrences AS symbolOccurrences, vector_dimension AS vectorDimension,
         finalized_number AS finalizedNumber, finalized_patterns AS finalizedPatterns,
         finalized_symbols AS finalizedSymbols, request_count AS requestCount, request_bytes AS requestBytes
       FROM memories WHERE tag = ?`,
    ),
    updateMemory: db.prepare(
      `UPDATE memories SET contents = :contents, number = :number, mark = :mark, first_kept = :firstKept, patterns = :patterns,
         symbols = :symbols, vectors = :vectors, bytes = :bytes, frequencies = :frequencies,
         symbol_occurrences = :symbolOccurrences, vector_dimension = :vectorDimension,
         finalized_number = :finalizedNumber, finalized_patterns = :finalizedPatterns,
         finalized_symbols = :finalizedSymbols, request_count = :requestCount, request_bytes = :requestBytes
       WHERE memory = :memory`,
    ),
  };
}

function preparePatterns(db: DatabaseSync) {
  const columns = `hash, born, frequency, events_json AS eventsJson, emotives_json AS emotivesJson,
    metadata_json AS metadataJson`;
  return {
    pattern: db.prepare(`SELECT ${columns} FROM patterns WHERE contents = ? AND hash = ?`),
    patternsAfter: db.prepare(
      `SELECT ${columns} FROM patterns WHERE contents = :contents AND born > :after ORDER BY born LIMIT :limit`,
    ),
    addPattern: db.prepare(
      `INSERT INTO patterns (contents, born, hash, events_json, frequency, emotives_json, metadata_json)
       VALUES (:contents, :born, :hash, :eventsJson, 1, :emotivesJson, :metadataJson)`,
    ),
    updatePattern: db.prepare(
      `UPDATE patterns SET frequency = :frequency, emotives_json = :emotivesJson, metadata_json = :metadataJson
       WHERE contents = :contents AND born = :born`,
    ),
    removePattern: db.prepare("DELETE FROM patterns WHERE contents = ? AND born = ?"),
  };
}

function prepareSymbols(db: DatabaseSync) {
  return {
    /** Gives how many patterns have the symbol then. */
    countSymbol: db.prepare(
      `INSERT INTO symbols (contents, symbol, frequency, patterns) VALUES (?, ?, ?, ?)
       ON CONFLICT (contents, symbol) DO UPDATE
         SET frequency = frequency + excluded.frequency, patterns = patterns + excluded.patterns
       RETURNING patterns`,
    ),
    removeSymbol: db.prepare("DELETE FROM symbols WHERE contents = ? AND symbol = ?"),
    symbol: db.prepare(
      "SELECT frequency, patterns AS patternMemberFrequency FROM symbols WHERE contents = ? AND symbol = ?",
    ),
    symbolsFrom: db.prepare(
      `SELECT symbol, frequency, patterns AS patternMemberFrequency, sums_json AS sumsJson
       FROM symbols LEFT JOIN affinities USING (contents, symbol)
       WHERE contents = :contents AND symbol >= :from ORDER BY symbol LIMIT :limit`,
    ),
    affinity: db.prepare(
      "SELECT sums_json AS sumsJson FROM affinities WHERE contents = ? AND symbol = ?",
    ),
    setAffinity: db.prepare(
      "INSERT OR REPLACE INTO affinities (contents, symbol, sums_json) VALUES (?, ?, ?)",
    ),
    affinitiesFrom: db.prepare(
      `SELECT symbol AS key, sums_json AS value FROM affinities
       WHERE contents = :contents AND symbol >= :from ORDER BY symbol LIMIT :limit`,
    ),
    finalizeSymbols: db.prepare(
      `INSERT INTO finalized_symbols (contents, symbol, patterns)
       SELECT contents, symbol, patterns FROM symbols WHERE contents = ?`,
    ),
    finalizedFrom: db.prepare(
      `SELECT symbol AS key, patterns AS value FROM finalized_symbols
       WHERE contents = :contents AND symbol >= :from ORDER BY symbol LIMIT :limit`,
    ),
    removeFinalizedSymbols: db.prepare("DELETE FROM finalized_symbols WHERE contents = ?"),
  };
}

function prepareVectors(db: DatabaseSync) {
  return {
    addVector: db.prepare(
      "INSERT OR IGNORE INTO vectors (contents, name, vector_json) VALUES (?, ?, ?)",
    ),
    replaceVector: db.prepare(
      "UPDATE vectors SET vector_json = :vectorJson WHERE contents = :contents AND name = :name",
    ),
    vectorsFrom: db.prepare(
      `SELECT name AS key, vector_json AS value FROM vectors
       WHERE contents = :contents AND name >= :from ORDER BY name LIMIT :limit`,
    ),
  };
}

function prepareClearing(db: DatabaseSync) {
  const removeSome = (table: string, key: string) =>
    db.prepare(
      `DELETE FROM ${table} WHERE contents = :contents AND ${key} IN
         (SELECT ${key} FROM ${table} WHERE contents = :contents ORDER BY ${key} LIMIT :count)`,
    );
  return {
    addContents: db.prepare("INSERT INTO contents DEFAULT VALUES"),
    clearContents: db.prepare("UPDATE contents SET cleared = 1 WHERE contents = ?"),
    clearedContents: db.prepare("SELECT contents FROM contents WHERE cleared = 1 LIMIT 1"),
    removeContents: db.prepare("DELETE FROM contents WHERE contents = ?"),
    removeSomePatterns: removeSome("patterns", "born"),
    removeSomeSymbols: removeSome("symbols", "symbol"),
    removeSomeAffinities: removeSome("affinities", "symbol"),
    removeSomeVectors: removeSome("vectors", "name"),
    removeSomeFinalized: removeSome("finalized_symbols", "symbol"),
  };
}

function prepareLog(db: DatabaseSync) {
  return {
    addEntry: db.prepare("INSERT INTO node_log (memory, number, mark, json) VALUES (?, ?, ?, ?)"),
    entry: db.prepare("SELECT 1 FROM node_log WHERE memory = ? AND number = ? AND mark = ?"),
    entriesAfter: db.prepare(
      `SELECT number, mark, json FROM node_log
       WHERE memory = :memory AND number > :after ORDER BY number LIMIT :limit`,
    ),
    removeEntriesBefore: db.prepare("DELETE FROM node_log WHERE memory = ? AND number < ?"),
  };
}

function prepareRequests(db: DatabaseSync) {
  return {
    request: db.prepare("SELECT digest, json FROM node_requests WHERE memory = ? AND id = ?"),
    addRequest: db.prepare(
      `INSERT INTO node_requests (memory, id, number, at, bytes, digest, json)
       VALUES (:memory, :id, :number, :nowMs, :bytes, :digest, :json)`,
    ),
    oldestRequests: db.prepare(
      "SELECT number, at, bytes FROM node_requests WHERE memory = ? ORDER BY number",
    ),
    removeRequestsBefore: db.prepare("DELETE FROM node_requests WHERE memory = ? AND number < ?"),
  };
}
