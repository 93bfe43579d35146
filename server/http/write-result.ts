import { transformer } from "@kato-rpc/shared/transformer.ts";
import type { ObserveReply } from "@kato-rpc/shared/session.ts";
import { PreparedReply } from "../sessions/prepared-reply.ts";

/** Replies that are written without looking at what they might hold; the others are for the transformer. */
const WRITERS: ReadonlyMap<string, (reply: never) => string | undefined> = new Map([
  ["session.observe", writeObserveReply],
]);

/** What stands in a result's place on the wire: the transformer's envelope around the reply. */
export function writeEnvelope(procedure: string, reply: unknown): string {
  if (reply instanceof PreparedReply) return `{"json":${reply.json}}`;
  const written = WRITERS.get(procedure)?.(reply as never);
  return written === undefined
    ? JSON.stringify(transformer.serialize(reply))
    : `{"json":${written}}`;
}

/** As JSON.stringify writes it. Ids are made of characters that stand for themselves, and so is a pattern's name. */
function writeObserveReply(reply: ObserveReply): string | undefined {
  if (reply.predictions !== undefined) return undefined;
  const { sessionId, nodeId, observationId, time, stmLength, learned, replayed } = reply;
  const name = learned === null ? "null" : `"${learned}"`;
  return `{"sessionId":"${sessionId}","nodeId":${JSON.stringify(nodeId)},"observationId":"${observationId}","time":${time},"stmLength":${stmLength},"learned":${name},"replayed":${replayed}}`;
}
