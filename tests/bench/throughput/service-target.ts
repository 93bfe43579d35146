import type { RequestShape } from "../../support/open-loop/load.ts";
import { findProcessTree } from "../../support/process-usage.ts";
import type { Service } from "../../support/service.ts";
import { callByFetch, dataOf } from "../../support/clients/fetch-client.ts";
import type { Target } from "./sample.ts";

/** A way to bring observes to the service. */
export type Way = { shape: RequestShape; callsPerRequest: number };

export const WAYS = {
  unbatched: { shape: "calls", callsPerRequest: 1 },
  "batches of 10": { shape: "calls", callsPerRequest: 10 },
  "batches of 50": { shape: "calls", callsPerRequest: 50 },
  "batches of 10, one session": { shape: "callsOnOneSession", callsPerRequest: 10 },
  "batches of 50, one session": { shape: "callsOnOneSession", callsPerRequest: 50 },
  "sequences of 50": { shape: "sequence", callsPerRequest: 50 },
} as const satisfies Record<string, Way>;

export type WayName = keyof typeof WAYS;

export function isWayName(name: string): name is WayName {
  return Object.hasOwn(WAYS, name);
}

const CONNECTIONS = 50;
/** Fewer: 50 × 50 calls at once would be more than a worker's queue takes by default. */
const BATCH_CONNECTIONS = 10;
export const CREATED_AT_ONCE = 50;

/** Connections of a way, and the sessions so that each is called by one connection only. */
export function sizeOf({ shape, callsPerRequest }: Way): { connections: number; sessions: number } {
  const connections = callsPerRequest === 1 ? CONNECTIONS : BATCH_CONNECTIONS;
  return { connections, sessions: shape === "calls" ? connections * callsPerRequest : connections };
}

/** The service under one way of load, on new sessions of one node. */
export async function openServiceTarget(
  service: Pick<Service, "url" | "process">,
  { way, redis }: { way: Way; redis: number | undefined },
): Promise<Target> {
  const { connections, sessions } = sizeOf(way);
  return {
    url: service.url,
    ...way,
    connections,
    sessionIds: await createSessions(service.url, sessions),
    watched: {
      server: findProcessTree(service.process.pid),
      ...(redis === undefined ? {} : { redis: [redis] }),
    },
  };
}

export async function createSessions(url: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const calls = Array.from({ length: Math.min(CREATED_AT_ONCE, count - ids.length) }, () => ({
      path: "session.create",
      input: { nodeId: "bench" },
    }));
    const replies = await callByFetch(url, calls);
    ids.push(...replies.map((reply) => dataOf<{ sessionId: string }>(reply).sessionId));
  }
  return ids;
}
