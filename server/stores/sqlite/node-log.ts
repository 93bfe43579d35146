import { randomInt } from "node:crypto";
import type { NodeChange } from "../../engine/node-change.ts";
import type { LogEntry, LogPosition } from "../node-store.ts";
import { LOG_ENTRIES_KEPT, LOG_ENTRIES_KEPT_PER_PATTERN, LOG_START } from "../node-store.ts";
import type { MemoryRow, MemoryStatements } from "./memory-statements.ts";

/** Entries that may stand past those kept: one removed for each one appended would cost every learn more pages. */
const SLACK = 256;

/** Entries removed with one change: a node that lost most of its patterns has many to lose. */
const REMOVED_AT_ONCE = 2_048;

export function positionOf({ number, mark }: { number: number; mark: number }): LogPosition {
  return `${number}-${mark}`;
}

/** Enters the change as the newest; the row has its place then. */
export function appendToLog(db: MemoryStatements, memory: MemoryRow, change: NodeChange): void {
  memory.number += 1;
  memory.mark = randomInt(2 ** 32);
  db.addEntry.run(memory.memory, memory.number, memory.mark, JSON.stringify(change));
}

/** Forgets old entries, some at a time; what is promised stays. */
export function trimLog(db: MemoryStatements, memory: MemoryRow): void {
  const kept = Math.max(
    LOG_ENTRIES_KEPT,
    Math.ceil(memory.patterns * LOG_ENTRIES_KEPT_PER_PATTERN),
  );
  const excess = memory.number - memory.firstKept + 1 - kept;
  if (excess <= SLACK) return;
  memory.firstKept += Math.min(excess, REMOVED_AT_ONCE);
  db.removeEntriesBefore.run(memory.memory, memory.firstKept);
}

/** As `NodeStore.readLog`. */
export function readLog(
  db: MemoryStatements,
  memory: MemoryRow | undefined,
  { from, limit }: { from: LogPosition; limit: number },
): LogEntry[] | undefined {
  if (memory === undefined) return from === LOG_START ? [] : undefined;
  const [number, mark] = from.split("-").map(Number);
  if (number === undefined || mark === undefined) return undefined;
  const isPlace =
    from === LOG_START
      ? memory.firstKept === 1
      : db.entry.get(memory.memory, number, mark) !== undefined;
  if (!isPlace) return undefined;
  const rows = db.entriesAfter.all({ memory: memory.memory, after: number, limit });
  return (rows as { number: number; mark: number; json: string }[]).map((row) => ({
    position: positionOf(row),
    json: row.json,
  }));
}
