import { describe, expect, it } from "vitest";
import { call, createSession, dataOf } from "../support/http-calls.ts";
import { startReplicatedRedis } from "../support/redis-replica.ts";
import type { RedisServer } from "../support/redis-server.ts";
import { startRedis } from "../support/redis-server.ts";
import type { Refused } from "../support/repeating-learner.ts";
import { expectWhole, learnUntilRefused, RepeatingLearner } from "../support/repeating-learner.ts";
import { startTestApp } from "../support/test-app.ts";
import { waitFor } from "../support/wait-for.ts";

const OUT_OF_MEMORY = {
  kato: "STORE_UNAVAILABLE",
  httpStatus: 503,
  message: expect.stringContaining("out of memory"),
};

const WRITES: [path: string, input: object][] = [
  ["session.create", { nodeId: "n" }],
  ["session.extend", { ttlSeconds: 100_000 }],
  ["session.configure", { config: { persistence: 7 } }],
  ["session.observe", { strings: ["refused"] }],
];

describe("a service whose Redis runs out of memory", () => {
  it.each([
    ["sessions are deleted", "fast"],
    ["it is given more", "fast"],
    ["sessions are deleted", "replicated:1"],
  ])(
    "refuses writes whole, goes on to read, repeat and delete, and writes again when %s, with %s",
    async (cure, durability) => {
      await using servers = await startReplicatedRedis();
      const redis = servers.master.server;
      await using app = await startTestApp({
        settings: { KATO_STORE: redis.url, KATO_DURABILITY: durability },
      });
      const { url } = app;
      const ballast = await createSession(url, "ballast");
      const strings = Array.from({ length: 500 }, (_, i) => `${i} ${"x".repeat(1_000)}`);
      for (let i = 0; i < 4; i += 1) {
        await dataOf(url, "session.observe", { input: { sessionId: ballast, strings } });
      }
      const brief = await createSession(url, "brief");
      const done = { sessionId: brief, strings: ["done"], observationId: "done" };
      await dataOf(url, "session.observe", { input: done });
      const learners = await Promise.all(
        Array.from({ length: 8 }, () => RepeatingLearner.start(url, { nodeId: "n", bytes: 900 })),
      );

      await limitMemory(redis, (await usedMemory(redis)) + 400_000);
      const refused = await learnUntilRefused(learners);
      // From the moment at which there is too little to one at which there is none, also when buffers are freed.
      await limitMemory(redis, (await usedMemory(redis)) - 1_000_000);

      for (const { reply } of refused) expect(reply.error).toMatchObject(OUT_OF_MEMORY);
      for (const [path, input] of WRITES) {
        const given = path === "session.create" ? input : { sessionId: brief, ...input };
        const { error } = await call(url, path, { input: given });
        expect([path, error]).toEqual([path, expect.objectContaining(OUT_OF_MEMORY)]);
      }
      await expectWhole(url, learners);
      const repeated = await call(url, "session.observe", { input: done });
      expect(repeated).toMatchObject({ data: { time: 1, replayed: true } });
      for (const replayed of [{}, { replayed: true }]) {
        const input = { sessionId: brief, requestId: "gone" };
        const { data } = await call(url, "session.delete", { input });
        expect(data).toEqual({ deleted: true, ...replayed });
      }

      if (cure === "it is given more") await limitMemory(redis, 0);
      else await dataOf(url, "session.delete", { input: { sessionId: ballast } });
      for (const { repeat } of refused) {
        // Memory is freed in the background.
        await waitFor(async () => (await repeat()).error === undefined, {
          what: "Redis to take writes again",
        });
      }
      await expectWhole(url, learners);
    },
  );
});

describe("a service whose Redis forgets its scripts under load", () => {
  it("fails no call", async () => {
    await using redis = await startRedis();
    await using app = await startTestApp({ settings: { KATO_STORE: redis.url } });
    const learners = await Promise.all(
      Array.from({ length: 8 }, () => RepeatingLearner.start(app.url, { nodeId: "n", bytes: 10 })),
    );
    const admin = redis.client();

    const end = new AbortController();
    const flushing = (async () => {
      let flushes = 0;
      for (; !end.signal.aborted; flushes += 1) await admin.script("FLUSH");
      return flushes;
    })();
    const refused = await Promise.all(learners.map((learner) => learnOften(learner, 30)));
    end.abort();

    expect(await flushing).toBeGreaterThan(30);
    expect(refused.flat()).toEqual([]);
    await expectWhole(app.url, learners);
  });
});

async function learnOften(learner: RepeatingLearner, times: number): Promise<Refused[]> {
  const refused: Refused[] = [];
  for (let i = 0; i < times; i += 1) {
    const one = await learner.learn();
    if (one !== undefined) refused.push(one);
  }
  return refused;
}

/** In bytes, as the limit counts it: without what waits to be sent to replicas. */
async function usedMemory(redis: RedisServer): Promise<number> {
  const client = redis.client();
  const info = await client.info("memory");
  client.disconnect();
  const [used, uncounted] = ["used_memory", "mem_not_counted_for_evict"].map((name) =>
    Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1]),
  );
  return used! - uncounted!;
}

/** In bytes; 0 for none. */
async function limitMemory(redis: RedisServer, bytes: number): Promise<void> {
  const client = redis.client();
  await client.config("SET", "maxmemory", String(bytes), "maxmemory-policy", "noeviction");
  client.disconnect();
}
