import type { MemoryStatements } from "./memory-statements.ts";

/** Rows of each kind that one change removes of what was cleared. */
const REMOVED_AT_ONCE = 256;

/** What the rows of a node's patterns, symbols and the rest carry: no other node's do, nor did ever. */
export function addContents(db: MemoryStatements): number {
  return Number(db.addContents.run().lastInsertRowid);
}

/** Gives what the node's rows carry from now on; those there are belong to nobody and are removed later. */
export function replaceContents(db: MemoryStatements, contents: number): number {
  db.clearContents.run(contents);
  return addContents(db);
}

/** Removes some of the rows that belong to nobody. */
export function sweepCleared(db: MemoryStatements): void {
  const cleared = db.clearedContents.get() as { contents: number } | undefined;
  if (cleared === undefined) return;
  const request = { ...cleared, count: REMOVED_AT_ONCE };
  const removals = [
    db.removeSomePatterns,
    db.removeSomeSymbols,
    db.removeSomeAffinities,
    db.removeSomeVectors,
    db.removeSomeFinalized,
  ];
  const removed = removals.map((removal) => Number(removal.run(request).changes));
  if (removed.every((count) => count < REMOVED_AT_ONCE)) db.removeContents.run(cleared.contents);
}
