import { parseJson } from "@kato-rpc/shared/parse-json.ts";
import type { ChangedNode } from "../node-store.ts";
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
  { memory, number }: MemoryRow,
  answered: {
    request: IdentifiedRequest;
    answer: ChangedNode;
    nowMs: number;
    retention: Retention;
  },
): void {
  const { nowMs } = answered;
  const { id, digest } = answered.request;
  const json = JSON.stringify(answered.answer);
  db.addRequest.run({ memory, id, number, nowMs, digest, json });
  const { outcomes: keep, outcomesMs } = answered.retention;
  db.removeOldRequests.run({ memory, keep, cutoff: nowMs - outcomesMs });
}
