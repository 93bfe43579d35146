import { parseJson } from "@kato-rpc/shared/parse-json.ts";
import type { ChangedNode } from "../node-store.ts";
import type { Remembered } from "../remembered-window.ts";
import { bytesOf, findForgotten, isForgettingDue } from "../remembered-window.ts";
import type { IdentifiedRequest, Retention } from "../session-store.ts";
import type { MemoryRow, MemoryStatements } from "./memory-statements.ts";

/** The answer to a request that changed the node before. */
export function findAnswer(
  db: MemoryStatements,
  memory: MemoryRow | undefined,
  request: IdentifiedRequest,
): ChangedNode | undefined {
  if (memory === undefined) return undefined;
  const found = db.request.get(memory.memory, request.id) as
    | { digest: string; json: string }
    | undefined;
  if (found === undefined) return undefined;
  return { ...(parseJson(found.json) as ChangedNode), firstDigest: found.digest };
}

/** To be called with the change that the request makes, whose number the node's row has. */
export function rememberAnswer(
  db: MemoryStatements,
  row: MemoryRow,
  answered: {
    request: IdentifiedRequest;
    answer: ChangedNode;
    nowMs: number;
    retention: Retention;
  },
): void {
  const { memory, number } = row;
  const { nowMs } = answered;
  const { id, digest } = answered.request;
  const json = JSON.stringify(answered.answer);
  row.requestCount += 1;
  row.requestBytes += bytesOf(id, json);
  const bytes = row.requestBytes;
  db.addRequest.run({ memory, id, number, nowMs, bytes, digest, json });
  forgetOldRequests(db, row, answered);
}

function forgetOldRequests(
  db: MemoryStatements,
  row: MemoryRow,
  { nowMs, retention }: { nowMs: number; retention: Retention },
): void {
  const held = { count: row.requestCount, bytes: row.requestBytes, nowMs };
  const requests = () => db.oldestRequests.iterate(row.memory) as Iterable<RequestRow>;
  for (const first of requests()) {
    if (!isForgettingDue(first, held, retention)) return;
    break;
  }
  const { forgotten, oldest } = findForgotten(requests(), held, retention);
  if (oldest === undefined) return;
  db.removeRequestsBefore.run(row.memory, oldest.number);
  row.requestCount -= forgotten;
}

type RequestRow = Remembered & { number: number };
