import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mutate, query } from "../support/clients/fetch-client.ts";
import { createSession } from "../support/recorded-session.ts";
import type { Service, TestStore } from "../support/service.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";

/** One call on a session, less its session id. */
type Act = { path: string; input: Record<string, unknown> };

const text = fc.constantFrom("a", "b", "it's", "{x}", "__proto__", "日本", "😀");
const observation = fc.record(
  {
    strings: fc.array(text, { maxLength: 3 }),
    vectors: fc.constantFrom([], [[1, 2]], [[0.5, -1]]),
    emotives: fc.dictionary(fc.constantFrom("joy", "fear"), fc.integer({ min: -5, max: 5 })),
    metadata: fc.dictionary(fc.constantFrom("book", "constructor"), text),
  },
  { requiredKeys: [] },
);
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: observation.map((input) => ({ path: "session.observe", input })) },
  {
    weight: 2,
    arbitrary: fc
      .record({
        observations: fc.array(observation, { maxLength: 4 }),
        clearStmBetween: fc.boolean(),
      })
      .map((input) => ({ path: "session.observeSequence", input })),
  },
  { weight: 1, arbitrary: fc.constant<Act>({ path: "session.clearStm", input: {} }) },
  {
    weight: 1,
    arbitrary: fc.constant<Act>({ path: "session.extend", input: { ttlSeconds: 9_000 } }),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ sortSymbols: fc.boolean(), persistence: fc.integer({ min: 1, max: 9 }) })
      .map((config) => ({ path: "session.configure", input: { config } })),
  },
);
const lanes = fc.array(fc.array(act, { minLength: 1, maxLength: 8 }), {
  minLength: 4,
  maxLength: 6,
});

describe.each(STORE_KINDS)("sessions on %s that share nodes and workers", (kind) => {
  let store: TestStore;
  let service: Service;

  beforeAll(async () => {
    store = await openTestStore(kind);
    service = await startService({ store: store.url, workers: 2 });
  });

  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  });

  it("end each as if it had been alone, and leave a neighbour as it was", async () => {
    await fc.assert(
      fc.asyncProperty(lanes, async (acts) => {
        const crowd = await Promise.all(
          acts.map((_, i) => createSession(service.url, `shared-${i % 2}`)),
        );
        const neighbour = await createSession(service.url, "shared-0");
        const alone = await Promise.all(
          acts.map((_, i) => createSession(service.url, `alone-${i}`)),
        );
        await mutate(service.url, "session.observe", { sessionId: neighbour, strings: ["mine"] });
        const neighbourBefore = await stateOf(service.url, neighbour);

        const together = await Promise.all(
          acts.map((lane, i) => play(service.url, crowd[i]!, lane)),
        );
        const apart: unknown[] = [];
        for (const [i, lane] of acts.entries())
          apart.push(await play(service.url, alone[i]!, lane));

        expect(together).toEqual(apart);
        expect(await stateOf(service.url, neighbour)).toEqual(neighbourBefore);
      }),
      { numRuns: 15 },
    );
  });
});

/** Makes the calls one after another; gives what they answered and how the session ended. */
async function play(url: string, sessionId: string, lane: readonly Act[]): Promise<unknown> {
  const replies: unknown[] = [];
  for (const { path, input } of lane) {
    const reply = await mutate<Record<string, unknown>>(url, path, { sessionId, ...input });
    replies.push({
      path,
      time: reply["time"],
      stmLength: reply["stmLength"],
      config: reply["config"],
    });
  }
  return { replies, state: await stateOf(url, sessionId) };
}

/** All that a session shows, but for its names and the moments of its life. */
async function stateOf(url: string, sessionId: string): Promise<unknown> {
  const read = (path: string) => query<Record<string, unknown>>(url, path, { sessionId });
  const shown = [
    await read("session.get"),
    await read("session.stm"),
    await read("session.percept"),
  ];
  const hidden = new Set(["sessionId", "createdAt", "expiresAt", "nodeId"]);
  return shown.map((reply) =>
    Object.fromEntries(Object.entries(reply).filter(([name]) => !hidden.has(name))),
  );
}
