import * as fc from "fast-check";
import type { LearnReply, ObserveReply, PredictReply } from "@kato-rpc/shared/session.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PinnedClient } from "../support/clients/pinned-client.ts";
import { pinToWorkers } from "../support/clients/pinned-client.ts";
import { allPatterns, createSession, learnEvents, predictAfter } from "../support/node-calls.ts";
import { startRedis } from "../support/redis-server.ts";
import type { Service, TestStore } from "../support/service.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";
import { waitFor } from "../support/wait-for.ts";
import { watchService } from "../support/watched-service.ts";
import { call } from "../support/wire.ts";

const WORKERS = 4;

describe.each(STORE_KINDS)(
  "long-term memory on %s with 4 workers",
  { timeout: 180_000 },
  (kind) => {
    let store: TestStore;
    let service: Service;
    let workers: PinnedClient[];

    beforeAll(async () => {
      store = await openTestStore(kind);
      service = await startService({
        store: store.url,
        workers: WORKERS,
        env: { KATO_LIMIT_CONCURRENCY: "1000", KATO_DEADLINE_MS: "30000" },
      });
      workers = await pinToWorkers(service.url, WORKERS);
    });

    afterAll(async () => {
      for (const worker of workers) worker.close();
      await service[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    });

    it("shows a learn that one worker acknowledged in the next prediction of any other, in 1,000 random interleavings", async () => {
      let seen = 0;
      const worker = fc.nat(WORKERS - 1);
      // By whom, what is learned, and by whom it is asked for at once; several go on side by side.
      const move = fc.record({
        learner: worker,
        asker: worker,
        pattern: fc.nat(19),
        others: fc.nat(2),
      });

      await fc.assert(
        fc.asyncProperty(fc.array(move, { minLength: 50, maxLength: 50 }), async (moves) => {
          const nodeId = `visible-${seen}`;
          const frequencies = new Map<number, number>();
          const lanes = [0, 1].map((lane) => moves.filter((_, i) => i % 2 === lane));
          await Promise.all(
            lanes.map(async (lane, l) => {
              for (const { learner, asker, pattern, others } of lane) {
                // Each lane has patterns of its own, so that it knows what must have been learned.
                const key = l * 100 + pattern;
                const events = [[`first-${key}`], [`second-${key}`], [`other-${others}`]];
                const learned = await learnBy(workers[learner]!, nodeId, events);
                const name = `${key}/${others}`;
                frequencies.set(key * 10 + others, (frequencies.get(key * 10 + others) ?? 0) + 1);
                const frequency = frequencies.get(key * 10 + others);
                expect(learned.frequency, name).toBe(frequency);

                const { predictions } = await predictBy(
                  workers[asker]!,
                  nodeId,
                  events.slice(0, 2),
                );
                const found = predictions.find((each) => learned.learned === `PTRN|${each.name}`);
                expect(found, `${name} by worker ${asker}`).toMatchObject({ frequency });
                seen += 1;
              }
            }),
          );
        }),
        { numRuns: 20 },
      );

      expect(seen).toBeGreaterThanOrEqual(1_000);
    });

    it("counts each of 1,000 concurrent learns of 50 patterns once, and loses no emotive and no metadata", async () => {
      const nodeId = "counted";
      const config = { persistence: 100 };
      const learns = Array.from({ length: 1_000 }, (_, i) => i);

      const replies = await Promise.all(
        learns.map(async (i) => {
          const sessionId = await createSession(service.url, nodeId, config);
          const pattern = i % 50;
          await call(service.url, "session.observe", {
            sessionId,
            strings: [`a${pattern}`, `b${pattern}`],
            emotives: { learn: i },
            metadata: { learn: i },
          });
          return call<LearnReply>(service.url, "session.learn", { sessionId, requestId: `l${i}` });
        }),
      );

      const patterns = await allPatterns(service.url, nodeId);
      expect(patterns).toHaveLength(50);
      for (const { name, events, frequency, emotives, metadata } of patterns) {
        const pattern = Number(events[0]![0]!.slice(1));
        const own = learns.filter((i) => i % 50 === pattern);
        const told = replies.filter(({ learned }) => learned === name);
        expect(frequency).toBe(20);
        expect(told.map((reply) => reply.frequency).toSorted((a, b) => a - b)).toEqual(
          own.map((_, i) => i + 1),
        );
        expect(emotives.map(({ learn = -1 }) => learn).toSorted((a, b) => a - b)).toEqual(own);
        expect(metadata).toEqual({ learn: own.map(String).toSorted() });
      }
      expect(await call(service.url, "node.stats", { nodeId })).toMatchObject({
        patterns: 50,
        symbols: 100,
        frequencies: 1_000,
        symbolOccurrences: 2_000,
      });
    });

    it("answers 200 pairs of sessions that observe with predictions at once, each by its own settings", async () => {
      const nodeId = "pairs";
      const kinds = Array.from({ length: 40 }, (_, kind) => kind);
      for (const kind of kinds) {
        await learnBy(workers[0]!, nodeId, [[`x${kind}`], [`y${kind}`], [`future${kind}`]]);
        const longer = [`x${kind}`, `y${kind}`, "z", "w", `later${kind}`].map((symbol) => [symbol]);
        await learnBy(workers[1]!, nodeId, longer);
      }

      const pairs = Array.from({ length: 200 }, async (_, i) => {
        const kind = i % kinds.length;
        const other = (i + 7) % kinds.length;
        const [all, strict] = await Promise.all([
          createSession(service.url, nodeId),
          createSession(service.url, nodeId, { recallThreshold: 0.75 }),
        ]);
        const observe = async (sessionId: string, seen: number) => {
          const input = { sessionId, predict: true };
          await call(service.url, "session.observe", { ...input, strings: [`x${seen}`] });
          const last = { ...input, strings: [`y${seen}`] };
          return call<ObserveReply>(service.url, "session.observe", last);
        };
        const replies = await Promise.all([observe(all, kind), observe(strict, other)]);
        return { kind, other, all, strict, replies };
      });

      for (const { kind, other, all, strict, replies } of await Promise.all(pairs)) {
        const [ofAll, ofStrict] = replies;
        expect(ofAll).toMatchObject({ sessionId: all, nodeId, time: 2, stmLength: 2 });
        expect(ofStrict).toMatchObject({ sessionId: strict, nodeId, time: 2, stmLength: 2 });
        expect(futures(ofAll)).toEqual([[[`future${kind}`]], [["z"], ["w"], [`later${kind}`]]]);
        expect(futures(ofStrict)).toEqual([[[`future${other}`]]]);
      }
    });
  },
);

const EVENTS = [["a"], ["b"], ["c"]];

describe.each(STORE_KINDS)("what was learned on %s", { timeout: 120_000 }, (kind) => {
  it("is predicted after the worker that learned it was killed", async () => {
    await using store = await openTestStore(kind);
    await using service = await watchService({ store: store.url, workers: 2 });
    const [first, second] = (await pinToWorkers(service.url, 2)) as [PinnedClient, PinnedClient];
    const { learned } = await learnBy(first, "node", EVENTS);

    process.kill(pidOf(first), "SIGKILL");
    const before = await predictBy(second, "node", EVENTS.slice(0, 2));
    await waitFor(
      () => !service.workerPids().includes(pidOf(first)) && service.workerPids().length === 2,
      {
        what: "a new worker",
      },
    );
    const workers = await pinToWorkers(service.url, 2);
    const after = await Promise.all(
      workers.map((worker) => predictBy(worker, "node", EVENTS.slice(0, 2))),
    );

    for (const client of [first, second, ...workers]) client.close();
    expect(before.predictions.map(({ name }) => `PTRN|${name}`)).toEqual([learned]);
    expect(after.map(({ predictions }) => predictions)).toEqual([
      before.predictions,
      before.predictions,
    ]);
  });

  it("is predicted, bit for bit, after the service was started anew", async () => {
    await using store = await openTestStore(kind);
    let before: PredictReply;
    {
      await using service = await startService({ store: store.url });
      await learnEvents(service.url, "node", EVENTS);
      await learnEvents(service.url, "node", [["a"], ["x"]]);
      await learnEvents(service.url, "node", EVENTS);
      before = await predictAfter(service.url, "node", EVENTS.slice(0, 2));
    }
    await using restarted = await startService({ store: store.url });

    const after = await predictAfter(restarted.url, "node", EVENTS.slice(0, 2));

    expect(after.predictions).toHaveLength(2);
    expect(after.predictions).toEqual(before.predictions);
    expect(after.futurePotentials).toEqual(before.futurePotentials);
  });
});

describe("what was learned on a Redis that was restarted", { timeout: 120_000 }, () => {
  it("is predicted from then on, with what is learned afterwards", async () => {
    await using redis = await startRedis({ appendOnly: "always" });
    await using service = await startService({ store: redis.url, workers: 2 });
    await learnEvents(service.url, "node", EVENTS);
    const before = await predictAfter(service.url, "node", EVENTS.slice(0, 2));

    await redis.stop();
    await redis.restart();
    const after = await waitFor(
      () => predictAfter(service.url, "node", EVENTS.slice(0, 2)).catch(() => undefined),
      { what: "predictions" },
    );
    const { frequency } = await learnEvents(service.url, "node", EVENTS);
    const later = await predictAfter(service.url, "node", EVENTS.slice(0, 2));

    expect(after.predictions).toEqual(before.predictions);
    expect(frequency).toBe(2);
    expect(later.predictions).toMatchObject([{ frequency: 2 }]);
  });

  it("is gone from every worker's predictions when the Redis has lost it", async () => {
    await using redis = await startRedis();
    await using service = await startService({ store: redis.url, workers: 2 });
    for (let i = 0; i < 3; i += 1) await learnEvents(service.url, "node", [[`lost-${i}`], ["b"]]);
    const lost = (workers: PinnedClient[]) =>
      Promise.all(workers.map((worker) => predictBy(worker, "node", [["lost-1"], ["b"]])));
    const workers = await pinToWorkers(service.url, 2);
    const before = await lost(workers);

    const client = redis.client();
    await client.flushall();
    // As many changes as before, so that only what they are tells the logs apart.
    for (let i = 0; i < 3; i += 1) await learnEvents(service.url, "node", [[`new-${i}`], ["c"]]);
    const after = await lost(workers);

    client.disconnect();
    for (const worker of workers) worker.close();
    expect(before.map(({ predictions }) => predictions.length)).toEqual([3, 3]);
    expect(after.map(({ predictions, empty }) => [predictions.length, empty])).toEqual([
      [0, "BELOW_THRESHOLD"],
      [0, "BELOW_THRESHOLD"],
    ]);
  });
});

/** Worker ids are `<host>-<pid>-<random>`. */
function pidOf({ workerId }: PinnedClient): number {
  return Number(workerId.split("-").at(-2));
}

async function learnBy(
  worker: PinnedClient,
  nodeId: string,
  events: string[][],
): Promise<LearnReply> {
  const sessionId = await observeBy(worker, nodeId, events);
  return worker.call<LearnReply>("session.learn", { sessionId });
}

async function predictBy(
  worker: PinnedClient,
  nodeId: string,
  events: string[][],
): Promise<PredictReply> {
  const sessionId = await observeBy(worker, nodeId, events);
  return worker.call<PredictReply>("session.predict", { sessionId });
}

async function observeBy(
  worker: PinnedClient,
  nodeId: string,
  events: string[][],
): Promise<string> {
  const { sessionId } = await worker.call<{ sessionId: string }>("session.create", { nodeId });
  const observations = events.map((strings) => ({ strings }));
  await worker.call("session.observeSequence", { sessionId, observations });
  return sessionId;
}

function futures({ predictions = [] }: ObserveReply): unknown[] {
  return predictions.map(({ future }) => future);
}
