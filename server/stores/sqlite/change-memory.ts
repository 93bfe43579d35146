import type { MemoryRow, MemoryStatements } from "./memory-statements.ts";
import { addContents, sweepCleared } from "./node-contents.ts";
import { trimLog } from "./node-log.ts";

/** The node's row; undefined for a node never written to. */
export function findMemory(db: MemoryStatements, tag: string): MemoryRow | undefined {
  return db.memory.get(tag) as MemoryRow | undefined;
}

/**
 * Has `work` change the node, whose row is made if it is missing, and writes back the counts that it
 * changed in the row. Within a transaction that is undone when `work` throws.
 */
export function changeMemory<T>(
  db: MemoryStatements,
  tag: string,
  work: (memory: MemoryRow) => T,
): T {
  const memory = findMemory(db, tag) ?? addMemory(db, tag);
  const result = work(memory);
  trimLog(db, memory);
  db.updateMemory.run(memory);
  sweepCleared(db);
  return result;
}

function addMemory(db: MemoryStatements, tag: string): MemoryRow {
  db.addMemory.run(tag, addContents(db));
  return db.memory.get(tag) as MemoryRow;
}
