import { patternNotFound } from "../store-errors.ts";
import { countOccurrences } from "../../engine/learning.ts";
import type { CorrectedPattern } from "../../engine/node-change.ts";
import type { BornPattern, ChangedNode, NodeMutation } from "../node-store.ts";
import type { IdentifiedRequest, Retention } from "../session-store.ts";
import { changeMemory, findMemory } from "./change-memory.ts";
import { countSymbols } from "./count-symbols.ts";
import type { MemoryRow, MemoryStatements } from "./memory-statements.ts";
import { replaceContents } from "./node-contents.ts";
import { appendToLog } from "./node-log.ts";
import { findAnswer, rememberAnswer } from "./node-requests.ts";
import { findStoredPattern, updatePattern } from "./pattern-record.ts";

/** As `NodeStore.change`, within a transaction that is undone when this throws. */
export function applyMutation(
  db: MemoryStatements,
  tag: string,
  asked: {
    mutation: NodeMutation;
    request: IdentifiedRequest | undefined;
    nowMs: number;
    retention: Retention;
  },
): ChangedNode {
  const { mutation, request } = asked;
  const first = request && findAnswer(db, findMemory(db, tag), request);
  if (first !== undefined) return first;
  return changeMemory(db, tag, (memory) => {
    appendToLog(db, memory, mutation);
    const pattern = mutate(db, memory, mutation);
    const answer = { patterns: memory.patterns, pattern };
    if (request !== undefined) rememberAnswer(db, memory, { ...asked, request, answer });
    return answer;
  });
}

function mutate(
  db: MemoryStatements,
  memory: MemoryRow,
  mutation: NodeMutation,
): BornPattern | undefined {
  switch (mutation.kind) {
    case "correct":
      return correct(db, memory, mutation);
    case "forget":
      forget(db, memory, mutation.hash);
      return undefined;
    case "finalize":
      finalize(db, memory);
      return undefined;
    case "clear":
      clear(db, memory);
      return undefined;
  }
}

/** Symbols count as though the pattern had been learned as often as it now says. */
function correct(
  db: MemoryStatements,
  memory: MemoryRow,
  correction: CorrectedPattern,
): BornPattern | undefined {
  const stored = getPattern(db, memory, correction.hash);
  const { frequency = stored.frequency, emotives, metadata } = correction;
  if (frequency !== stored.frequency) {
    const occurrences = countOccurrences(stored.events.flat());
    countSymbols(db, memory, { occurrences, learns: frequency - stored.frequency, patterns: 0 });
  }
  updatePattern(db, memory, {
    ...stored,
    frequency,
    emotives: emotives ?? stored.emotives,
    metadata: metadata ?? stored.metadata,
  });
  return findStoredPattern(db, memory, correction.hash);
}

/** Affinities outlive the pattern. */
function forget(db: MemoryStatements, memory: MemoryRow, hash: string): void {
  const { born, events, frequency } = getPattern(db, memory, hash);
  const occurrences = countOccurrences(events.flat());
  countSymbols(db, memory, { occurrences, learns: -frequency, patterns: -1 });
  memory.bytes -= Buffer.byteLength(JSON.stringify(events));
  db.removePattern.run(memory.contents, born);
}

function finalize(db: MemoryStatements, memory: MemoryRow): void {
  db.removeFinalizedSymbols.run(memory.contents);
  db.finalizeSymbols.run(memory.contents);
  memory.finalizedNumber = memory.number;
  memory.finalizedPatterns = memory.patterns;
  memory.finalizedSymbols = memory.symbols;
}

/** All but the log, which goes on. */
function clear(db: MemoryStatements, memory: MemoryRow): void {
  memory.contents = replaceContents(db, memory.contents);
  const counts = { patterns: 0, symbols: 0, vectors: 0, bytes: 0 };
  const sums = { frequencies: 0, symbolOccurrences: 0 };
  const finalized = { finalizedNumber: null, finalizedPatterns: null, finalizedSymbols: null };
  Object.assign(memory, counts, sums, finalized, { vectorDimension: null });
}

function getPattern(db: MemoryStatements, memory: MemoryRow, hash: string): BornPattern {
  const stored = findStoredPattern(db, memory, hash);
  if (stored !== undefined) return stored;
  throw patternNotFound(hash);
}
