import type { NodePage, NodeRows } from "../node-store.ts";
import type { MemoryRow, MemoryStatements } from "./memory-statements.ts";
import type { PatternRecord } from "./pattern-record.ts";
import { rowOfRecord } from "./pattern-record.ts";

type PageRequest<Kind> = { kind: Kind; cursor: string | null; limit: number };

/**
 * As `NodeStore.readRows`, within one read. A cursor is the last row's key: of patterns their birth, of the others
 * a symbol or name, which may be any text.
 */
export function readNodePage<Kind extends keyof NodeRows>(
  db: MemoryStatements,
  memory: MemoryRow,
  request: PageRequest<Kind>,
): NodePage<NodeRows[Kind]> {
  const { number } = memory;
  const { kind, limit } = request;
  // One more than asked for tells whether there is a next page.
  const found = readRows(db, memory.contents, { ...request, limit: limit + 1 });
  const rows = found.slice(0, limit) as NodeRows[Kind][];
  const last = found.length > limit ? rows.at(-1) : undefined;
  const nextCursor = last === undefined ? null : String(last[kind === "patterns" ? 1 : 0]);
  return { number, rows, nextCursor };
}

function readRows(
  db: MemoryStatements,
  contents: number,
  { kind, cursor, limit }: PageRequest<keyof NodeRows>,
): NodeRows[keyof NodeRows][] {
  if (kind === "patterns") {
    const after = Number(cursor ?? 0);
    const records = db.patternsAfter.all({ contents, after, limit }) as PatternRecord[];
    return records.map(rowOfRecord);
  }
  const statements = {
    affinities: db.affinitiesFrom,
    vectors: db.vectorsFrom,
    finalized: db.finalizedFrom,
  };
  // No text lies between one and the same with a NUL behind it.
  const from = cursor === null ? "" : `${cursor}\0`;
  const rows = statements[kind].all({ contents, from, limit });
  return rows.map(({ key, value }) => [key, value]) as NodeRows[keyof NodeRows][];
}
