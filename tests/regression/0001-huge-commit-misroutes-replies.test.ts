import { expect, it } from "vitest";
import { openStore, retentionOf } from "../../server/stores/open-store.ts";
import { createSessionId } from "../../server/stores/session-id.ts";
import type { SessionCommit, SessionStore } from "../../server/stores/session-store.ts";
import { parseStoreAddress } from "../../server/stores/store-address.ts";
import { startRedis } from "../support/redis-server.ts";

/** Arguments of one command that overflowed the stack within the driver when they were spread. */
const IDS = 200_000;

it("a commit with very many ids leaves the replies to other calls of the same moment with their callers", async () => {
  await using redis = await startRedis();
  const { sessions, close } = await openStore(parseStoreAddress(redis.url), {
    retention: retentionOf(1_000),
    timeoutMs: 20_000,
    onConnectionError: () => undefined,
  });
  try {
    const [a, b, huge] = await Promise.all(
      ["a", "b", "huge"].map((name) => create(sessions, name)),
    );
    const at = { nowMs: Date.now(), slides: true };
    const ids = Array.from({ length: IDS }, (_, i) => `id-${i}`);

    const [stmOfA, committed, stmOfB] = await Promise.all([
      sessions.load(a!, { at, parts: ["stm"] }),
      sessions.commit({ ...changeOf(huge!, "more", 1), ids }),
      sessions.load(b!, { at, parts: ["stm"] }),
    ]);

    expect(stmOfA.stm).toEqual([["a"]]);
    expect(committed.status).toBe("committed");
    expect(stmOfB.stm).toEqual([["b"]]);
  } finally {
    await close();
  }
});

async function create(sessions: SessionStore, name: string): Promise<string> {
  const sessionId = createSessionId(name);
  const given = { ttlSeconds: 60, metadata: {}, config: {}, mark: "0", requestId: undefined };
  await sessions.create({ sessionId, nodeId: name, nowMs: Date.now(), ...given });
  await sessions.commit(changeOf(sessionId, name, 0));
  return sessionId;
}

function changeOf(sessionId: string, symbol: string, baseVersion: number): SessionCommit {
  const accumulated = { emotives: [], metadata: [], vectors: [] };
  const clears = { clearsStm: false, clearsAccumulators: false, clearsVectors: false };
  const delta = { ...clears, events: [[symbol]], ...accumulated };
  const at = { nowMs: Date.now(), slides: true };
  const marks = { baseMark: String(baseVersion), mark: String(baseVersion + 1) };
  const nothing = { ids: [], outcomes: [], learns: [] };
  return { sessionId, at, baseVersion, ...marks, time: baseVersion + 1, delta, ...nothing };
}
