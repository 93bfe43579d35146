import { expect, it } from "vitest";
import { SessionService } from "../../../server/sessions/session-service.ts";
import { SqliteDatabase } from "../../../server/stores/sqlite/database.ts";
import { SqliteSessionStore } from "../../../server/stores/sqlite/sqlite-session-store.ts";
import { RETENTION } from "../../support/session-line.ts";
import { testCall } from "../../support/sessions.ts";

/** Counts how often a session is read before it is changed. */
class WatchedStore extends SqliteSessionStore {
  loads = 0;

  override load(...asked: Parameters<SqliteSessionStore["load"]>) {
    this.loads += 1;
    return super.load(...asked);
  }
}

function openStore(): WatchedStore {
  return new WatchedStore(SqliteDatabase.open(":memory:", { timeoutMs: 5_000 }), RETENTION);
}

/** As a worker has it, but that none of its calls asks a node. */
function openService(store: WatchedStore): SessionService {
  const nodes = { follow: () => Promise.reject(new Error("no node is asked here")) };
  const rules = { ttlSeconds: 60, autoExtend: true, retention: RETENTION };
  const clocks = { now: () => performance.now(), moment: () => undefined };
  return new SessionService({ sessions: store, nodes }, rules, clocks);
}

it("reads nothing of a session that it has just made to change it, also where that learns by itself", async () => {
  const store = openStore();
  const service = openService(store);
  const config = { maxPatternLength: 2 };
  const { sessionId } = await service.create({ nodeId: "n", config }, testCall());

  const first = await service.observe({ sessionId, strings: ["a"] }, testCall());
  const second = await service.observe({ sessionId, strings: ["b"] }, testCall());

  expect(first).toMatchObject({ time: 1, stmLength: 1, learned: null });
  expect(second).toMatchObject({ time: 2, stmLength: 0, learned: expect.stringMatching(/^PTRN/) });
  expect(store.loads).toBe(0);
  await store.close();
});

it("sees what another worker has made of it meanwhile", async () => {
  const store = openStore();
  const [service, other] = [openService(store), openService(store)];
  const { sessionId } = await service.create({ nodeId: "n", metadata: { k: "v" } }, testCall());
  await other.observe({ sessionId, strings: ["a"] }, testCall());

  const reply = await service.observe({ sessionId, strings: ["b"] }, testCall());

  expect(reply).toMatchObject({ time: 2, stmLength: 2 });
  const { stm } = await service.stm(sessionId, testCall());
  expect(stm).toEqual([["a"], ["b"]]);
  expect(await service.get(sessionId, testCall())).toMatchObject({ metadata: { k: "v" } });
  await store.close();
});

it("reads a session whose creation was repeated, since it may have changed since the first", async () => {
  const store = openStore();
  const service = openService(store);
  const input = { nodeId: "n", requestId: "r1" };
  const { sessionId } = await service.create(input, testCall());
  await openService(store).observe({ sessionId, strings: ["a"] }, testCall());

  const again = await openService(store).create(input, testCall());
  const reply = await service.observe({ sessionId, strings: ["b"] }, testCall());

  expect(again).toMatchObject({ sessionId, replayed: true });
  expect(reply).toMatchObject({ time: 2, stmLength: 2 });
  await store.close();
});
