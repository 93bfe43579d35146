import type { NodePage, NodeRows } from "../node-store.ts";
import { invalidCursor } from "../store-errors.ts";
import type { RedisClient } from "./connection.ts";
import { memoryKeys } from "./keys.ts";
import { affinityJson, numberAt } from "./memory-rows.ts";
import { RedisScript } from "./scripts.ts";

const scanScript = new RedisScript("scan-hash");

type ScannedKind = Exclude<keyof NodeRows, "patterns">;

/** Where each kind of row is kept, and a row of a field and its value. */
const HASHES = {
  affinities: ["affinity", (symbol, lines) => [symbol, affinityJson(lines)]],
  vectors: ["vectors", (name, vector) => [name, vector]],
  finalized: ["finalized", (symbol, patterns) => [symbol, Number(patterns)]],
} as const satisfies Record<
  ScannedKind,
  [key: string, row: (field: string, value: string) => [string, string | number]]
>;

/** A page of rows that are the fields of one hash; rows may come twice, and a small hash comes whole. */
export async function scanRows(
  client: RedisClient,
  page: { tag: string; kind: ScannedKind; cursor: string | null; limit: number },
): Promise<NodePage<NodeRows[ScannedKind]>> {
  const { memory, ...keys } = memoryKeys(page.tag);
  const [hash, rowOf] = HASHES[page.kind];
  const [givenBy, cursor] = readCursor(page.cursor);
  const reply = await scanScript.run(client, {
    keys: [memory, keys[hash]],
    args: [givenBy, cursor, page.limit],
  });
  const [position, server, next, fields] = reply as [string | null, string, string, string[]];
  const rows: NodeRows[ScannedKind][] = [];
  for (let i = 0; i < fields.length; i += 2) {
    rows.push(rowOf(fields[i] as string, fields[i + 1] as string)); // Fields and values by turns.
  }
  return {
    number: numberAt(position),
    rows,
    nextCursor: next === "0" ? null : `${server}:${next}`,
  };
}

/** The server that gave the cursor, since its own alone says nothing to another, and that one's cursor. */
function readCursor(cursor: string | null): [server: string, cursor: string] {
  if (cursor === null) return ["", "0"];
  const [, server, own] = /^(\w*):(\d+)$/.exec(cursor) ?? [];
  if (server === undefined || own === undefined) throw invalidCursor(undefined);
  return [server, own];
}
