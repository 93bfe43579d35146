import { isKatoError } from "@kato-rpc/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { recordFetch } from "../support/sdk/fetch-recorder.ts";
import type { SdkService } from "../support/sdk/sdk-service.ts";
import { startSdkService } from "../support/sdk/sdk-service.ts";

let sdk: SdkService;
beforeAll(async () => {
  sdk = await startSdkService();
});
afterAll(() => sdk[Symbol.asyncDispose]());

describe.each([1, 50, 500, 5_000])("%i calls in one tick", (count) => {
  it("each get their own answer on sessions of their own", async () => {
    const nodes = Array.from({ length: count }, (_, i) => `own answers ${count}/${i % 20}`);

    const sessions = await Promise.all(
      nodes.map((nodeId) => sdk.client.session.create({ nodeId })),
    );
    const replies = await Promise.all(
      sessions.map((session, i) => session.observe({ strings: [`symbol ${i}`] })),
    );
    const memories = await Promise.all(sessions.map((session) => session.stm()));

    expect(new Set(sessions.map(({ sessionId }) => sessionId)).size).toBe(count);
    expect(sessions.map(({ nodeId }) => nodeId)).toEqual(nodes);
    expect(replies.map(({ sessionId }) => sessionId)).toEqual(
      sessions.map(({ sessionId }) => sessionId),
    );
    expect(memories.map(({ stm }) => stm)).toEqual(nodes.map((_, i) => [[`symbol ${i}`]]));
  });

  it("take effect in their order on one session", async () => {
    const recorder = recordFetch();
    const client = sdk.connect({ fetch: recorder.fetch });
    const session = await client.session.create({ nodeId: "order" });

    const replies = await Promise.all(
      Array.from({ length: count }, (_, i) => session.observe({ strings: [`${i}`] })),
    );
    const { stm } = await session.stm();

    expect(replies.map(({ time }) => time)).toEqual(replies.map((_, i) => i + 1));
    const kept = Array.from({ length: Math.min(count, 1_000) }, (_, i) => i + count).map((i) => [
      `${i - Math.min(count, 1_000)}`,
    ]);
    expect(stm).toEqual(kept);
    expect(recorder.overlaps).toBe(0);
  });
});

describe("a batch", () => {
  it("holds a hundred calls at most, and one alone is none", async () => {
    const recorder = recordFetch();
    const client = sdk.connect({ fetch: recorder.fetch });

    await Promise.all(Array.from({ length: 201 }, () => client.session.create({ nodeId: "n" })));

    expect(recorder.requests.map(({ paths }) => paths.length)).toEqual([100, 100, 1]);
    expect(recorder.requests.map(({ url }) => new URL(url).search)).toEqual([
      "?batch=1",
      "?batch=1",
      "",
    ]);
  });

  it("gathers the calls of one tick, whatever they awaited before within it", async () => {
    const recorder = recordFetch();
    const client = sdk.connect({ fetch: recorder.fetch });

    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        for (let turn = 0; turn < i; turn++) await Promise.resolve();
        await client.session.create({ nodeId: "tick" });
      }),
    );

    expect(recorder.requests.map(({ paths }) => paths.length)).toEqual([20]);
  });

  it("of mutations is split before its body passes 1 MiB of UTF-8", async () => {
    const recorder = recordFetch();
    const client = sdk.connect({ fetch: recorder.fetch });
    const sessions = await Promise.all(
      Array.from({ length: 12 }, () => client.session.create({ nodeId: "bytes" })),
    );
    recorder.requests.length = 0;
    // Two hundred symbols of 1,000 bytes, 334 characters each, for every session: 2.4 MB in all.
    const strings = Array.from(
      { length: 200 },
      (_, i) => `${String(i).padStart(4, "0")}${"€".repeat(332)}`,
    );

    const replies = await Promise.all(sessions.map((session) => session.observe({ strings })));

    expect(replies.map(({ stmLength }) => stmLength)).toEqual(sessions.map(() => 1));
    expect(recorder.requests.map(({ paths }) => paths.length)).toEqual([5, 5, 2]);
    for (const { bodyBytes } of recorder.requests) expect(bodyBytes).toBeLessThanOrEqual(1_048_576);
  });

  it("of queries is split before its URL passes 16,000 characters", async () => {
    const recorder = recordFetch();
    const client = sdk.connect({ fetch: recorder.fetch });
    const nodeIds = Array.from({ length: 100 }, (_, i) => `${i} ${"ü".repeat(100)}`);

    const counts = await Promise.all(nodeIds.map((nodeId) => client.session.count({ nodeId })));

    expect(counts).toEqual(nodeIds.map(() => ({ active: 0 })));
    expect(recorder.requests.length).toBeGreaterThan(4);
    expect(recorder.requests.length).toBeLessThan(10);
    for (const { url } of recorder.requests) {
      const { pathname, search } = new URL(url);
      expect((pathname + search).length).toBeLessThanOrEqual(16_000);
    }
  });

  it("loses nothing but the call that is too large by itself", async () => {
    const session = await sdk.client.session.create({ nodeId: "large" });
    const strings = Array.from({ length: 1_100 }, (_, i) => `${i}`.padEnd(1_000, "x"));

    const [small, large, query, after] = await Promise.allSettled([
      session.observe({ strings: ["small"] }),
      session.observe({ strings }),
      sdk.client.session.count({ nodeId: "ü".repeat(4_000) }),
      session.observe({ strings: ["after"] }),
    ]);

    expect(small).toMatchObject({ value: { time: 1 } });
    expect(after).toMatchObject({ value: { time: 2 } });
    expect(large).toMatchObject({
      reason: { code: "LIMIT_EXCEEDED", details: { limit: "requestBodyBytes", max: 1_048_576 } },
    });
    expect(query).toMatchObject({
      reason: { code: "LIMIT_EXCEEDED", details: { limit: "urlCharacters", max: 16_000 } },
    });
    expect(query.status === "rejected" && isKatoError(query.reason, "LIMIT_EXCEEDED")).toBe(true);
  });

  it("fills a body to the last byte that the service takes", async () => {
    const recorder = recordFetch();
    const client = sdk.connect({ fetch: recorder.fetch });
    const session = await client.session.create({ nodeId: "exact" });
    const bytesOf = (padding: number) => {
      const input = {
        sessionId: session.sessionId,
        observations: observations(padding),
        requestId: "r",
      };
      return Buffer.byteLength(JSON.stringify({ json: input }));
    };
    const padding = 1_048_576 - bytesOf(0);

    const exact = await session.observeSequence({
      observations: observations(padding),
      requestId: "r",
    });
    const over = session.observeSequence({
      observations: observations(padding + 1),
      requestId: "r",
    });

    expect(exact.time).toBe(1_100);
    expect(recorder.requests.at(-1)?.bodyBytes).toBe(1_048_576);
    await expect(over).rejects.toMatchObject({ code: "LIMIT_EXCEEDED", requestId: undefined });
  });

  it("may be limited further, down to no batches at all", async () => {
    const recorder = recordFetch();
    const client = sdk.connect({ fetch: recorder.fetch, batch: { maxCalls: 1 } });

    await Promise.all(Array.from({ length: 20 }, () => client.monitor.health()));

    expect(recorder.requests.map(({ paths }) => paths)).toEqual(
      Array.from({ length: 20 }, () => ["monitor.health"]),
    );
  });

  it("holds queries or mutations, in the order of the session's calls", async () => {
    const recorder = recordFetch();
    const client = sdk.connect({ fetch: recorder.fetch });
    const session = await client.session.create({ nodeId: "mixed" });
    recorder.requests.length = 0;

    const [, before, , , after] = await Promise.all([
      session.observe({ strings: ["1"] }),
      session.stm(),
      session.observe({ strings: ["2"] }),
      session.observe({ strings: ["3"] }),
      session.stm(),
    ]);

    expect(recorder.requests.map(({ paths }) => paths)).toEqual([
      ["session.observe"],
      ["session.stm"],
      ["session.observe", "session.observe"],
      ["session.stm"],
    ]);
    expect(recorder.requests.map(({ method }) => method)).toEqual(["POST", "GET", "POST", "GET"]);
    expect([before.length, after.length]).toEqual([1, 3]);
  });
});

describe("maxConcurrency", () => {
  it("bounds the HTTP requests under way; calls beyond wait and are batched meanwhile", async () => {
    const recorder = recordFetch();
    const client = sdk.connect({
      fetch: recorder.fetch,
      maxConcurrency: 2,
      batch: { maxCalls: 10 },
    });

    await Promise.all(Array.from({ length: 100 }, () => client.session.create({ nodeId: "n" })));

    expect(recorder.peak).toBe(2);
    expect(recorder.requests.length).toBe(10);
  });

  it("lets the calls of different sessions go at once", async () => {
    const recorder = recordFetch();
    const client = sdk.connect({
      fetch: recorder.fetch,
      maxConcurrency: 4,
      batch: { maxCalls: 5 },
    });
    const sessions = await Promise.all(
      Array.from({ length: 20 }, () => client.session.create({ nodeId: "parallel" })),
    );
    recorder.peak = 0;

    await Promise.all(
      Array.from({ length: 200 }, (_, i) => sessions[i % 20]!.observe({ strings: [`${i}`] })),
    );

    expect(recorder.peak).toBe(4);
    expect(recorder.overlaps).toBe(0);
  });
});

/** 1,100 observations of 900 bytes or so; the last grows by `padding` bytes over several symbols. */
function observations(padding: number) {
  const items = Array.from({ length: 1_100 }, (_, i) => ({ strings: [`${i}`.padEnd(880, "x")] }));
  const strings: string[] = [];
  // A symbol of n characters takes n + 3 bytes: two quotes and a comma.
  for (let left = padding; left > 0; left -= 1_003) {
    strings.push("y".repeat(Math.max(1, Math.min(1_000, left - 3))));
  }
  items.at(-1)?.strings.push(...strings);
  return items;
}
