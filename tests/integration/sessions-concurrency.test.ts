import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mutate, query } from "../support/clients/fetch-client.ts";
import { checkHistory } from "../support/history/check-history.ts";
import { HistoryRecorder } from "../support/history/history-recorder.ts";
import type { ObserveReply, RecordedCall, StmReply } from "../support/history/recorded-call.ts";
import type { Step } from "../support/recorded-session.ts";
import { createSession, playStep } from "../support/recorded-session.ts";
import type { Service, TestStore } from "../support/service.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";

describe.each(STORE_KINDS)("sessions on %s with 4 workers", (kind) => {
  let store: TestStore;
  let service: Service;

  beforeAll(async () => {
    store = await openTestStore(kind);
    // Few calls at once per worker would hide what happens when all of them meet in the store.
    service = await startService({
      store: store.url,
      workers: 4,
      env: { KATO_LIMIT_CONCURRENCY: "1000", KATO_DEADLINE_MS: "20000" },
    });
  });

  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  });

  it("give 1,000 concurrent observes on one session the times 1 to 1,000, and keep them in that order", async () => {
    const sessionId = await createSession(service.url, "crowded");
    const symbols = Array.from({ length: 1_000 }, (_, i) => `s${i}`);

    const replies = await Promise.all(
      symbols.map((symbol) =>
        mutate<ObserveReply>(service.url, "session.observe", { sessionId, strings: [symbol] }),
      ),
    );

    const byTime = replies.map(({ time }, i) => ({ time, symbol: symbols[i]! }));
    byTime.sort((a, b) => a.time - b.time);
    expect(byTime.map(({ time }) => time)).toEqual(symbols.map((_, i) => i + 1));
    const kept = await query<StmReply>(service.url, "session.stm", { sessionId });
    expect(kept.stm).toEqual(byTime.map(({ symbol }) => [symbol]));
    expect(kept.time).toBe(1_000);
  });

  it(
    "have linearizable histories under random concurrent calls",
    { timeout: 120_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(workload(3), async (lanes) => {
          const calls = await playWorkload(service.url, lanes);

          expect(checkHistory(calls)).toEqual({ ok: true });
        }),
        { numRuns: 12 },
      );
    },
  );

  it("answer a repeated id from every worker with the first reply and change nothing", async () => {
    const sessionId = await createSession(service.url, "repeats");
    const input = { sessionId, strings: ["once"], observationId: "the-one" };
    const first = await mutate<ObserveReply>(service.url, "session.observe", input);

    // 40 connections at once spread over all four workers.
    const repeats = await Promise.all(
      Array.from({ length: 40 }, () => mutate<ObserveReply>(service.url, "session.observe", input)),
    );

    expect(repeats).toEqual(repeats.map(() => ({ ...first, replayed: true })));
    const kept = await query<StmReply>(service.url, "session.stm", { sessionId });
    expect(kept).toMatchObject({ stm: [["once"]], time: 1 });
  });

  it("take one of many concurrent observes with the same id", async () => {
    const sessionId = await createSession(service.url, "repeats");
    const input = { sessionId, strings: ["once"], observationId: "the-one" };

    const replies = await Promise.all(
      Array.from({ length: 40 }, () => mutate<ObserveReply>(service.url, "session.observe", input)),
    );

    expect(replies.filter((reply) => !reply.replayed)).toHaveLength(1);
    expect(replies.map((reply) => reply.time)).toEqual(replies.map(() => 1));
    const kept = await query<StmReply>(service.url, "session.stm", { sessionId });
    expect(kept).toMatchObject({ stm: [["once"]], time: 1 });
  });

  it("take one of many concurrent observes that expect the same time", async () => {
    const sessionId = await createSession(service.url, "expectations");

    const results = await Promise.allSettled(
      Array.from({ length: 40 }, (_, i) =>
        mutate(service.url, "session.observe", { sessionId, strings: [`s${i}`], expectedTime: 0 }),
      ),
    );

    const refusals = results.filter((result) => result.status === "rejected");
    expect(refusals).toHaveLength(39);
    for (const { reason } of refusals) expect(String(reason)).toContain("TIME_CONFLICT");
    const kept = await query<StmReply>(service.url, "session.stm", { sessionId });
    expect(kept).toMatchObject({ length: 1, time: 1 });
  });
});

describe.each(STORE_KINDS)("a repeated id on %s", (kind) => {
  it("is known after a restart of the service, and from another service on the store", async () => {
    await using store = await openTestStore(kind);
    const input = { strings: ["once"], observationId: "the-one" };
    const sequence = {
      observations: [{ strings: ["x"] }, { strings: ["y"], observationId: "second" }],
      requestId: "the-request",
    };
    let sessionId: string;
    let first: ObserveReply;
    let firstSequence: { results: ObserveReply[] };
    {
      await using service = await startService({ store: store.url });
      sessionId = await createSession(service.url, "node");
      first = await mutate(service.url, "session.observe", { sessionId, ...input });
      firstSequence = await mutate(service.url, "session.observeSequence", {
        sessionId,
        ...sequence,
      });
    }
    await using restarted = await startService({ store: store.url });
    await using another = await startService({ store: store.url });

    for (const { url } of [restarted, another]) {
      expect(await mutate(url, "session.observe", { sessionId, ...input })).toEqual({
        ...first,
        replayed: true,
      });
      expect(await mutate(url, "session.observeSequence", { sessionId, ...sequence })).toEqual({
        ...firstSequence,
        replayed: true,
        results: firstSequence.results.map((item) => ({ ...item, replayed: true })),
      });
      expect(
        await mutate(url, "session.observe", {
          sessionId,
          strings: ["y"],
          observationId: "second",
        }),
      ).toMatchObject({ time: 3, replayed: true });
      expect(await query<StmReply>(url, "session.stm", { sessionId })).toMatchObject({
        stm: [["once"], ["x"], ["y"]],
        time: 3,
      });
    }
  });
});

/** For each of several sessions, callers that work at the same time, each one call after another. */
function workload(sessions: number): fc.Arbitrary<Step[][][]> {
  const observationId = fc.integer({ min: 0, max: 12 }).map((i) => `id${i}`);
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 6,
      arbitrary: observationId.map((id): Step => ({
        kind: "observe",
        observationId: id,
        event: [],
      })),
    },
    { weight: 2, arbitrary: fc.constant<Step>({ kind: "stm" }) },
    { weight: 1, arbitrary: fc.constant<Step>({ kind: "clear" }) },
  );
  const caller = fc.array(step, { minLength: 1, maxLength: 8 });
  const session = fc.array(caller, { minLength: 2, maxLength: 5 });
  return fc.array(session, { minLength: sessions, maxLength: sessions });
}

async function playWorkload(url: string, lanes: Step[][][]): Promise<readonly RecordedCall[]> {
  // Every call is answered here: one that is not would be a failure to look at, so it counts as unknown.
  const recorder = new HistoryRecorder(() => "unknown");
  await Promise.all(
    lanes.map(async (callers, s) => {
      const session = await createSession(url, `node-${s}`);
      await Promise.all(
        callers.map(async (steps) => {
          for (const step of steps) {
            // Symbols name their session, so that one that strays is known.
            const own =
              step.kind === "observe"
                ? { ...step, event: [`${session}/${step.observationId}`] }
                : step;
            await playStep(own, { url, session, recorder });
          }
        }),
      );
    }),
  );
  const failed = recorder.calls.filter((call) => call.outcome !== "ok");
  expect(failed).toEqual([]);
  return recorder.calls;
}
