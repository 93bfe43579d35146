import { ServiceError } from "@kato-rpc/shared/errors.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { NodeAccess } from "../../server/sessions/node-access.ts";
import { configure } from "../../server/sessions/clear-and-configure.ts";
import { learn } from "../../server/sessions/learn.ts";
import { observe } from "../../server/sessions/observe.ts";
import { createSessionId } from "../../server/stores/session-id.ts";
import type { SessionCommit } from "../../server/stores/session-store.ts";
import { SqliteDatabase } from "../../server/stores/sqlite/database.ts";
import { SqliteSessionStore } from "../../server/stores/sqlite/sqlite-session-store.ts";
import { vectorDimensionMismatch } from "../../server/stores/store-errors.ts";
import { openLine, RETENTION } from "../support/session-line.ts";
import { observation, testCall } from "../support/sessions.ts";

/*
 * Calls of one session that wait at the same moment are committed together, and asked of their node alone. Found by
 * review: what one of them needs must not depend on what stood in the session before the others, and what fails must
 * not let the ones behind it pass.
 */

let store: SqliteSessionStore;
let sessionId: string;

beforeEach(async () => {
  store = new SqliteSessionStore(SqliteDatabase.open(":memory:", { timeoutMs: 5_000 }), RETENTION);
  sessionId = createSessionId("node");
  const created = { sessionId, nodeId: "node", nowMs: Date.now(), ttlSeconds: 60 };
  await store.create({ ...created, metadata: {}, config: {}, mark: "0", requestId: undefined });
});
afterEach(() => store.close());

const NO_NODES: NodeAccess = { follow: () => Promise.reject(new Error("asked its node")) };

function see(symbols: string[], fields: { vectors?: number[][]; predicts?: boolean } = {}) {
  const { vectors = [], predicts = false } = fields;
  const observationId = symbols.join("-");
  const seen = observation({
    strings: symbols,
    vectors,
    vectorSum: vectors[0],
    observationId,
  });
  return observe(seen, { ...RETENTION, expectedTime: undefined, predicts });
}

async function readStm(): Promise<string[][]> {
  return (await store.load(sessionId, { at: { nowMs: Date.now(), slides: false }, parts: ["stm"] }))
    .stm;
}

test("an observation behind a configure that turns learning on learns in the same commit", async () => {
  const { queue, commits } = openLine(store, NO_NODES);

  const [, , learned] = await Promise.all([
    queue.change(sessionId, see(["a"]), testCall()),
    queue.change(sessionId, configure({ maxPatternLength: 2 }, "on"), testCall()),
    queue.change(sessionId, see(["b"]), testCall()),
  ]);

  expect(learned.learned).toMatch(/^PTRN\|/);
  expect(commits.at(-1)?.learns).toMatchObject([{ events: [["a"], ["b"]] }]);
  expect(await readStm()).toEqual([]);
});

test("a call behind one that was told to come again waits for it to come again", async () => {
  const overloaded = new ServiceError("OVERLOADED", "the node is being loaded");
  let isLoaded = false;
  const nodes: NodeAccess = {
    follow: () => Promise.reject(isLoaded ? new Error("not asked for again") : overloaded),
  };
  const { queue } = openLine(store, nodes);

  const results = await Promise.allSettled([
    queue.change(sessionId, see(["a"]), testCall()),
    queue.change(sessionId, see(["b"], { predicts: true }), testCall()),
    queue.change(sessionId, see(["c"]), testCall()),
  ]);
  isLoaded = true;

  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
  expect(await readStm()).toEqual([["a"]]);
});

test("a call behind one that the store failed waits for it, also when they are committed one by one", async () => {
  let failures = 1;
  const failing = Object.assign(Object.create(store) as SqliteSessionStore, {
    load: store.load.bind(store),
    async commit(commit: SessionCommit) {
      if (commit.learns.length > 0) throw vectorDimensionMismatch(2, 3);
      if (failures-- > 0) throw new ServiceError("STORE_UNAVAILABLE", "gone for a moment");
      return store.commit(commit);
    },
  });
  const { queue } = openLine(failing, NO_NODES);

  const results = await Promise.allSettled([
    queue.change(sessionId, see(["a"]), testCall()),
    queue.change(sessionId, see(["b"]), testCall()),
    queue.change(sessionId, learn("refused"), testCall()),
    queue.change(sessionId, see(["c"]), testCall()),
  ]);

  expect(results.map(({ status }) => status)).toEqual(results.map(() => "rejected"));
  expect(await readStm()).toEqual([]);
});

test("a repeated observation is answered as before when the node would refuse its vectors by now", async () => {
  const refusing: NodeAccess = {
    follow: async () => ({
      predict: () => Promise.reject(new Error("not asked for")),
      predictText: () => Promise.reject(new Error("not asked for")),
      nextText: () => Promise.reject(new Error("not asked for")),
      nearest: () => Promise.reject(vectorDimensionMismatch(3, 2)),
      [Symbol.dispose]: () => undefined,
    }),
  };
  const accepting: NodeAccess = {
    follow: async () => ({
      ...(await refusing.follow("", 0)),
      nearest: async () => ({ dimension: undefined, neighbours: [[]] }),
    }),
  };
  const change = () => see(["a"], { vectors: [[1, 2]] });
  const first = await openLine(store, accepting).queue.change(sessionId, change(), testCall());
  const { queue } = openLine(store, refusing);

  const again = await queue.change(sessionId, change(), testCall());
  const other = queue.change(sessionId, see(["b"], { vectors: [[1, 2]] }), testCall());

  expect(again).toEqual({ ...first, replayed: true });
  await expect(other).rejects.toMatchObject({ code: "VECTOR_DIMENSION_MISMATCH" });
});

test("learns that are much together are spread over several commits, each of them done", async () => {
  const { queue, commits } = openLine(store, NO_NODES);
  const wide = Array.from({ length: 3_000 }, (_, i) => `s${i}`);

  const replies = await Promise.all(
    Array.from({ length: 20 }, (_, i) => [
      queue.change(sessionId, see([...wide, `${i}`]), testCall()),
      queue.change(sessionId, learn(`l${i}`), testCall()),
    ]).flat(),
  );

  expect(replies.map((reply) => "frequency" in reply && reply.frequency)).toEqual(
    replies.map((_, i) => i % 2 === 1 && 1),
  );
  const work = commits.map(({ learns }) =>
    learns.reduce((sum, each) => sum + ("length" in each ? each.length : 0), 0),
  );
  expect(work.reduce((sum, each) => sum + each, 0)).toBe(20 * 3_001);
  expect(Math.max(...work)).toBeLessThanOrEqual(20_000);
});
