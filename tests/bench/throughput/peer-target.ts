import { fileURLToPath } from "node:url";
import { findProcessTree } from "../../support/process-usage.ts";
import type { StartedProcess } from "../../support/processes.ts";
import { startProcess } from "../../support/processes.ts";
import type { Target } from "./sample.ts";
import { CREATED_AT_ONCE, sizeOf, WAYS } from "./service-target.ts";

/** What the service is measured beside; each has a file of this name in `peers/`, which says what it does. */
export type PeerName = "bare-node" | "bare-fastify" | "stock-adapter";

export type Peer = { url: string; process: StartedProcess } & AsyncDisposable;

export async function startPeer(name: PeerName, storeUrl: string): Promise<Peer> {
  const file = fileURLToPath(new URL(`./peers/${name}.ts`, import.meta.url));
  const started = await startProcess({ command: process.execPath, args: [file, storeUrl] });
  const [, url = ""] = await started.waitForLine(/peer on (\S+)/);
  return { url, process: started, [Symbol.asyncDispose]: () => started[Symbol.asyncDispose]() };
}

/** A peer that speaks plain JSON, one observation per request; a session for each connection unless told otherwise. */
export async function openPlainTarget(
  peer: Peer,
  redis: number | undefined,
  { sessions = sizeOf(WAYS.unbatched).sessions } = {},
): Promise<Target> {
  const { connections } = sizeOf(WAYS.unbatched);
  const sessionIds: string[] = [];
  while (sessionIds.length < sessions) {
    const next = Math.min(CREATED_AT_ONCE, sessions - sessionIds.length);
    const created = Array.from({ length: next }, async () => {
      const response = await fetch(`${peer.url}/create`, { method: "POST" });
      return ((await response.json()) as { sessionId: string }).sessionId;
    });
    sessionIds.push(...(await Promise.all(created)));
  }
  return {
    url: peer.url,
    shape: "plain",
    callsPerRequest: 1,
    connections,
    sessionIds,
    watched: {
      server: findProcessTree(peer.process.pid),
      ...(redis === undefined ? {} : { redis: [redis] }),
    },
  };
}
