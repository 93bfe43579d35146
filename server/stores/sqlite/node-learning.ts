import { vectorDimensionMismatch } from "../store-errors.ts";
import type { Emotives } from "@kato-rpc/shared/observation.ts";
import { parseJson } from "@kato-rpc/shared/parse-json.ts";
import { addAffinity, mergeEmotives } from "../../engine/learning.ts";
import type { LearnedPattern, NamedVector } from "../../engine/node-change.ts";
import { uniteMetadata } from "../../engine/pattern-metadata.ts";
import type { Learn } from "../session-store.ts";
import { changeMemory } from "./change-memory.ts";
import { countSymbols } from "./count-symbols.ts";
import type { MemoryRow, MemoryStatements } from "./memory-statements.ts";
import { appendToLog } from "./node-log.ts";
import { findStoredPattern, textsOf, updatePattern } from "./pattern-record.ts";

/**
 * Makes a commit's learns, at least one, within its transaction; gives how often each one's pattern is
 * learned then, null where it made none.
 *
 * @throws ServiceError VECTOR_DIMENSION_MISMATCH before anything is written
 */
export function applyLearns(
  db: MemoryStatements,
  tag: string,
  learns: readonly Learn[],
): (number | null)[] {
  return changeMemory(db, tag, (memory) => {
    requireOneDimension(memory, learns);
    return learns.map((learn) => {
      appendToLog(db, memory, learn);
      for (const vector of learn.vectors) indexVector(db, memory, vector);
      return learn.kind === "learn" ? learnPattern(db, memory, learn) : null;
    });
  });
}

/** As `VectorIndex.requireOneDimension`, whose dimension here is the row's. */
function requireOneDimension({ vectorDimension }: MemoryRow, learns: readonly Learn[]): void {
  let expected = vectorDimension;
  for (const { vector } of learns.flatMap(({ vectors }) => vectors)) {
    const actual = vector.length;
    if (actual === 0) continue;
    expected ??= actual;
    if (actual === expected) continue;
    throw vectorDimensionMismatch(expected, actual);
  }
}

/** The empty vector has a name, but no place among the others. */
function indexVector(db: MemoryStatements, memory: MemoryRow, { name, vector }: NamedVector): void {
  if (vector.length === 0) return;
  memory.vectorDimension ??= vector.length;
  const vectorJson = JSON.stringify(vector);
  const { changes: added } = db.addVector.run(memory.contents, name, vectorJson);
  if (added === 0) db.replaceVector.run({ contents: memory.contents, name, vectorJson });
  else memory.vectors += 1;
}

/** Gives how often the pattern is learned then. */
function learnPattern(db: MemoryStatements, memory: MemoryRow, learned: LearnedPattern): number {
  const { hash, occurrences, affinity, metadata } = learned;
  const stored = findStoredPattern(db, memory, hash);
  if (stored === undefined) {
    addPattern(db, memory, learned);
  } else {
    updatePattern(db, memory, {
      ...stored,
      frequency: stored.frequency + 1,
      emotives: mergeEmotives(stored.emotives, learned),
      metadata: uniteMetadata(stored.metadata, metadata),
    });
  }
  countSymbols(db, memory, { occurrences, learns: 1, patterns: stored === undefined ? 1 : 0 });
  if (affinity !== null && Object.keys(affinity).length > 0) {
    for (const [symbol] of occurrences) growAffinity(db, memory, { symbol, affinity });
  }
  return (stored?.frequency ?? 0) + 1;
}

/** The newest entry of the log is its birth. */
function addPattern(db: MemoryStatements, memory: MemoryRow, learned: LearnedPattern): void {
  const eventsJson = JSON.stringify(learned.events);
  memory.bytes += Buffer.byteLength(eventsJson);
  db.addPattern.run({
    contents: memory.contents,
    born: memory.number,
    hash: learned.hash,
    eventsJson,
    ...textsOf(learned),
  });
}

function growAffinity(
  db: MemoryStatements,
  { contents }: MemoryRow,
  { symbol, affinity }: { symbol: string; affinity: Emotives },
): void {
  const row = db.affinity.get(contents, symbol) as { sumsJson: string } | undefined;
  const sums = addAffinity(readSums(row?.sumsJson), affinity);
  db.setAffinity.run(contents, symbol, JSON.stringify(Object.entries(sums)));
}

/** Emotives of a symbol as kept in `affinities`; none where there is no row. */
export function readSums(json: string | null | undefined): Emotives {
  const sums: Emotives = Object.create(null);
  const pairs = (parseJson(json ?? "[]") ?? []) as [emotive: string, sum: number][];
  for (const [emotive, sum] of pairs) sums[emotive] = sum;
  return sums;
}
