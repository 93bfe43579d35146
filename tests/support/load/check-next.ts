import { isDeepStrictEqual } from "node:util";
import type { KatoClient } from "@kato-rpc/client";
import { learnPattern } from "../../../server/engine/learning.ts";
import { nextEventsNaively } from "../../../server/engine/naive/next-events.ts";
import { NodeMemory } from "../../../server/engine/node-memory.ts";
import type { Finding } from "../history/finding.ts";
import type { NodeContents } from "../history/node-contents.ts";
import type { SessionCall, SessionCallOf } from "../history/session-call.ts";

/** More than a load's nodes have. */
const MOST_EVENTS = 1_000;
/** Of each session, at once, so that they come to several workers. */
const QUESTIONS = 2;

/**
 * Whether every session that is left is told what comes next just as it is counted anew, by the method as it is worded,
 * in the patterns that its node tells: bit for bit, whichever worker answers. When nothing is under way any more.
 */
export async function checkNext(
  calls: readonly SessionCall[],
  contents: readonly NodeContents[],
  client: KatoClient,
): Promise<Finding[]> {
  const memories = new Map(contents.map((each) => [each.nodeId, memoryOf(each)]));
  const found = await Promise.all(
    lastReads(calls).map(async (read) => {
      const observed = read.reply.stm.map((event) => [...event]);
      const due = nextEventsNaively(memories.get(read.node)!, observed, {
        limit: MOST_EVENTS,
        horizon: 1,
      });
      const handle = client.session.attach(read.session);
      const answers = await Promise.all(
        Array.from({ length: QUESTIONS }, () => handle.next({ k: MOST_EVENTS })),
      );
      const isRight = answers.every((answer) => isDeepStrictEqual({ ...answer, ...due }, answer));
      return isRight ? [] : [findingOf(read, { due, answers })];
    }),
  );
  return found.flat();
}

/** What each session held in the end; the deleted ones are left out. */
function lastReads(calls: readonly SessionCall[]): (SessionCallOf<"stm"> & { outcome: "ok" })[] {
  const reads = calls.filter((call) => call.kind === "stm");
  const last = new Map(reads.map((read) => [read.session, read]));
  return [...last.values()].filter((read) => read.outcome === "ok");
}

/** A node that learned these patterns, as often as they say. */
function memoryOf({ patterns }: NodeContents): NodeMemory {
  const memory = new NodeMemory();
  const nothing = { emotives: [], metadata: [], persistence: 1, vectors: [] };
  for (const { events, frequency, name } of patterns) {
    const { learned } = learnPattern({ ...nothing, events });
    if (learned === null) throw new Error(`${name} is of a single symbol`);
    memory.apply(learned);
    memory.apply({ kind: "correct", hash: learned.hash, frequency });
  }
  return memory;
}

function findingOf(read: SessionCallOf<"stm">, shown: object): Finding {
  const message = `told another next event than its node's patterns: ${JSON.stringify(shown)}`;
  return { subject: read.session, rule: "wrong-distribution", message, calls: [read] };
}
