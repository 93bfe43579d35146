import type { TestContext } from "vitest";
import { describe, expect, it } from "vitest";
import { createKatoClient } from "@kato-rpc/client";
import { openStore, retentionOf } from "../../server/stores/open-store.ts";
import { createSessionId } from "../../server/stores/session-id.ts";
import { parseStoreAddress } from "../../server/stores/store-address.ts";
import { callByAiohttp, findPythonWithAiohttp } from "../support/clients/aiohttp-client.ts";
import { callByCurl, findCurl } from "../support/clients/curl-client.ts";
import { callByFetch, dataOf, query } from "../support/clients/fetch-client.ts";
import { callByNodeHttp } from "../support/clients/node-http-client.ts";
import { callByPipelining } from "../support/clients/pipelining-client.ts";
import type { RpcCall, RpcClient } from "../support/clients/rpc-client.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";

const SESSIONS = 10;
const OBSERVES = 5;

type Observed = { sessionId: string; time: number; replayed: boolean };
type Stm = { stm: string[][]; length: number; time: number };

/** Sends 10 × 5 observes at once, gives the replies in the order of the calls. */
type Incident = (url: string, calls: readonly RpcCall[]) => Promise<Observed[]>;

const python = await findPythonWithAiohttp();
const hasCurl = await findCurl();

const CLIENTS: Record<string, Incident> = {
  "the SDK": observeBySdk,
  "fetch without batching": unbatched(callByFetch),
  "node:http with a keep-alive agent": unbatched(callByNodeHttp),
  "pipelined HTTP/1.1": unbatched(callByPipelining),
};

for (const kind of STORE_KINDS) {
  describe.each([1, 2, 4])(`50 concurrent observes on ${kind} with %i workers`, (workers) => {
    for (const [client, observeAll] of Object.entries(CLIENTS)) {
      it(`are all kept when they come cold through ${client}`, async () => {
        await playIncident(kind, workers, observeAll);
      });
    }

    it("are all kept when they come cold through curl", async (context) => {
      if (!hasCurl) needs(context, "curl: install the distribution's package curl");
      await playIncident(kind, workers, unbatched(callByCurl));
    });

    it("are all kept when they come cold through Python's aiohttp", async (context) => {
      if (python === undefined) {
        needs(context, "Python with aiohttp: install the distribution's package python3-aiohttp");
      }
      const client: RpcClient = (url, calls) => callByAiohttp(python, url, calls);
      await playIncident(kind, workers, unbatched(client));
    });
  });
}

/** CI has every client; on another machine the one test is skipped, and says what it needs. */
function needs(context: TestContext, what: string): never {
  if (process.env["CI"] === "true") throw new Error(`this test needs ${what}`);
  return context.skip(`needs ${what}`);
}

async function playIncident(
  kind: (typeof STORE_KINDS)[number],
  workers: number,
  observeAll: Incident,
): Promise<void> {
  await using store = await openTestStore(kind);
  const sessionIds = await createSessions(store.url);
  // The service that answers has seen nothing yet: its first calls are the 50 at once.
  await using service = await startService({ store: store.url, workers });
  const calls = sessionIds.flatMap((sessionId, s) =>
    Array.from({ length: OBSERVES }, (_, i) => ({
      path: "session.observe",
      input: { sessionId, strings: [`s${s}-o${i}`], observationId: `s${s}-o${i}` },
    })),
  );

  const replies = await observeAll(service.url, calls);

  expect(replies).toHaveLength(SESSIONS * OBSERVES);
  for (const [s, sessionId] of sessionIds.entries()) {
    const own = replies.slice(s * OBSERVES, (s + 1) * OBSERVES);
    expect(own.map((reply) => reply.sessionId)).toEqual(own.map(() => sessionId));
    expect(own.map((reply) => reply.time).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5]);
    expect(own.some((reply) => reply.replayed)).toBe(false);
    const byTime = own.map((reply, i) => ({ time: reply.time, event: [`s${s}-o${i}`] }));
    byTime.sort((a, b) => a.time - b.time);
    const kept = await query<Stm>(service.url, "session.stm", { sessionId });
    expect(kept.stm).toEqual(byTime.map(({ event }) => event));
    expect(kept.time).toBe(OBSERVES);
  }
}

/** Straight in the store, so that the service under test stays cold. */
async function createSessions(address: string): Promise<string[]> {
  const store = await openStore(parseStoreAddress(address), {
    retention: retentionOf(1_000),
    timeoutMs: 5_000,
    onConnectionError: () => undefined,
  });
  try {
    const created = Array.from({ length: SESSIONS }, (_, s) => {
      const nodeId = `node-${s % 3}`;
      const session = { sessionId: createSessionId(nodeId), nodeId, nowMs: Date.now() };
      const given = {
        ttlSeconds: 3_600,
        metadata: {},
        config: {},
        mark: "0",
        requestId: undefined,
      };
      return store.sessions.create({ ...session, ...given });
    });
    return (await Promise.all(created)).map(({ state }) => state.sessionId);
  } finally {
    await store.close();
  }
}

function unbatched(client: RpcClient): Incident {
  return async (url, calls) => (await client(url, calls)).map((reply) => dataOf<Observed>(reply));
}

async function observeBySdk(url: string, calls: readonly RpcCall[]): Promise<Observed[]> {
  const client = createKatoClient({ url });
  try {
    const inputs = calls.map((call) => call.input as { sessionId: string; strings: string[] });
    return await Promise.all(inputs.map((input) => client.raw.session.observe.mutate(input)));
  } finally {
    await client.close();
  }
}
