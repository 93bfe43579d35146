import { createKatoClient, isKatoError, KatoError } from "@kato-rpc/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SdkService } from "../support/sdk/sdk-service.ts";
import { startSdkService } from "../support/sdk/sdk-service.ts";
import { STORE_KINDS } from "../support/service.ts";

describe.each(STORE_KINDS)("the client of a service on %s", (kind) => {
  let sdk: SdkService;
  beforeAll(async () => {
    sdk = await startSdkService({ kind });
  });
  afterAll(() => sdk[Symbol.asyncDispose]());

  it("gives a handle that observes and reads one session", async () => {
    const session = await sdk.client.session.create({ nodeId: "basics", ttlSeconds: 600 });

    const first = await session.observe({ strings: ["b", "a"], emotives: { joy: 1 } });
    const second = await session.observe({ strings: ["c"], metadata: { page: 2 } });

    expect(session.info).toMatchObject({ nodeId: "basics", ttlSeconds: 600, time: 0 });
    expect(session.nodeId).toBe("basics");
    expect([first.time, second.time]).toEqual([1, 2]);
    expect(await session.stm()).toEqual({
      sessionId: session.sessionId,
      stm: [["a", "b"], ["c"]],
      length: 2,
      time: 2,
    });
    expect(await session.percept()).toMatchObject({
      strings: ["c"],
      emotives: { joy: 1 },
      metadata: { page: 2 },
    });
    expect(await session.get()).toMatchObject({ sessionId: session.sessionId, stmLength: 2 });
  });

  it("changes, empties and deletes a session by its handle", async () => {
    const session = await sdk.client.session.create({ nodeId: "basics" });

    const extended = await session.extend({ ttlSeconds: 7_200 });
    const configured = await session.configure({ config: { sortSymbols: false } });
    const sequence = await session.observeSequence({
      observations: [{ strings: ["b", "a"] }, { strings: ["c"] }],
    });
    const stm = await session.stm();
    const cleared = await session.clearStm();
    const length = (await session.stm()).length;
    const deleted = await session.delete();

    expect(extended.expiresAt.getTime()).toBeGreaterThan(
      session.info.expiresAt.getTime() + 3_599_000,
    );
    expect(configured.config.sortSymbols).toBe(false);
    expect(sequence).toMatchObject({ finalStmLength: 2, time: 2 });
    expect(stm.stm).toEqual([["b", "a"], ["c"]]);
    expect([cleared, length]).toEqual([{ cleared: true }, 0]);
    expect(deleted).toEqual({ deleted: true });
    expect(await session.exists()).toEqual({ exists: false, expired: false });
  });

  it("lists and counts sessions and nodes, and tells of the service", async () => {
    const session = await sdk.client.session.create({ nodeId: `listed on ${kind}` });

    const [page, count, nodes, concurrency, health, stats] = await Promise.all([
      sdk.client.session.list({ nodeId: session.nodeId }),
      sdk.client.session.count({ nodeId: session.nodeId }),
      sdk.client.node.list({ limit: 1_000 }),
      sdk.client.monitor.concurrency({ scope: "worker" }),
      sdk.client.monitor.health(),
      sdk.client.monitor.stats(),
    ]);

    expect(page.items.map(({ sessionId }) => sessionId)).toEqual([session.sessionId]);
    expect(count).toEqual({ active: 1 });
    expect(nodes.items).toContainEqual({ nodeId: session.nodeId, activeSessions: 1 });
    expect(concurrency.scope).toBe("worker");
    expect(health.store.kind).toBe(kind);
    expect(stats.counters.sessionsCreated).toBeGreaterThan(0);
    expect((await sdk.client.session.list()).items.length).toBeGreaterThan(0);
    expect((await sdk.client.session.count()).active).toBeGreaterThan(0);
  });

  it("gives times as Dates", async () => {
    const session = await sdk.client.session.create({ nodeId: "dates", ttlSeconds: 100 });

    const { expiresAt } = await session.extend();
    const [item] = (await sdk.client.session.list({ nodeId: "dates" })).items;
    const { timestamp } = await sdk.client.monitor.health();

    expect(session.info.createdAt).toBeInstanceOf(Date);
    expect(expiresAt.getTime()).toBeGreaterThan(session.info.createdAt.getTime() + 99_000);
    expect(item?.expiresAt).toBeInstanceOf(Date);
    expect(timestamp).toBeInstanceOf(Date);
  });

  it("brings any JSON key there and back, whatever its siblings in the batch", async () => {
    const json = '{"__proto__":{"a":1},"constructor":"c","prototype":[null],"a.b":{"__proto__":2}}';
    const metadata = JSON.parse(json) as Record<string, string>;
    const emotives = JSON.parse('{"__proto__":1,"constructor":-0.5}') as Record<string, number>;

    const [plain, odd] = await Promise.all([
      sdk.client.session.create({ nodeId: "keys" }),
      sdk.client.session.create({ nodeId: "keys", metadata }),
    ]);
    await Promise.all([plain.observe({ strings: ["x"] }), odd.observe({ emotives, metadata })]);
    const [percept, info] = await Promise.all([odd.percept(), odd.get()]);

    expect(sortedJson(percept.metadata)).toBe(sortedJson(metadata));
    expect(sortedJson(percept.emotives)).toBe(sortedJson(emotives));
    expect(sortedJson(info.metadata)).toBe(sortedJson(metadata));
    expect(info.createdAt).toBeInstanceOf(Date);
  });

  it("reaches the same session through a handle, another handle and the raw procedures", async () => {
    const { sessionId } = await sdk.client.session.create({ nodeId: "raw" });

    const [first, second, third] = await Promise.all([
      sdk.client.session.attach(sessionId).observe({ strings: ["1"] }),
      sdk.client.raw.session.observe.mutate({ sessionId, strings: ["2"] }),
      sdk.client.session.attach(sessionId).observe({ strings: ["3"] }),
    ]);
    const { stm } = await sdk.client.raw.session.stm.query({ sessionId });

    expect([first.time, second.time, third.time]).toEqual([1, 2, 3]);
    expect(stm).toEqual([["1"], ["2"], ["3"]]);
  });

  it("gives every mutation an id of its own", async () => {
    const session = await sdk.client.session.create({ nodeId: "ids" });

    const replies = await Promise.all([session.observe(), session.observe(), session.observe()]);
    const given = await session.observe({ observationId: "mine" });
    const repeated = await session.observe({ observationId: "mine" });

    expect(new Set(replies.map(({ observationId }) => observationId)).size).toBe(3);
    expect([given.replayed, repeated.replayed]).toEqual([false, true]);
    expect(repeated.time).toBe(given.time);
  });

  it("tells a session that never was from one that expired", async () => {
    const brief = await sdk.client.session.create({ nodeId: "gone", ttlSeconds: 1 });
    await expect.poll(() => brief.exists()).toEqual({ exists: false, expired: true });

    const expired = await failureOf(brief.stm());
    const missing = await failureOf(sdk.client.session.attach("no-such-session").stm());

    expect(isKatoError(expired, "SESSION_EXPIRED")).toBe(true);
    expect(isKatoError(missing, "SESSION_NOT_FOUND")).toBe(true);
    expect(missing.details.sessionId).toBe("no-such-session");
    expect(missing).toMatchObject({ name: "KatoError", retryable: false });
    expect(missing.requestId).toMatch(/^[0-9a-f]{32}-\d+$/);
  });

  it("tells the actual time when the expected one is not it", async () => {
    const session = await sdk.client.session.create({ nodeId: "times" });
    await session.observe({ strings: ["x"] });

    const error = await failureOf(session.observe({ strings: ["y"], expectedTime: 0 }));

    expect(isKatoError(error, "TIME_CONFLICT")).toBe(true);
    expect(error.details).toEqual({ sessionId: session.sessionId, actualTime: 1 });
    expect((await session.stm()).stm).toEqual([["x"]]);
  });

  it("tells what is wrong with an input, and fails no sibling for it", async () => {
    const session = await sdk.client.session.create({ nodeId: "inputs" });

    const [bad, good] = await Promise.allSettled([
      session.observe({ emotives: { joy: Number.NaN } }),
      session.observe({ strings: ["fine"] }),
    ]);

    expect(bad.status === "rejected" && isKatoError(bad.reason, "INVALID_INPUT")).toBe(true);
    expect(bad).toMatchObject({ reason: { details: { issues: [{ path: "emotives.joy" }] } } });
    expect(good).toMatchObject({ value: { time: 1 } });
  });
});

describe("a client", () => {
  it("refuses options out of range, naming them", () => {
    const url = "http://127.0.0.1:1";

    expect(() => createKatoClient({ url: "not a url" })).toThrow(/^url: expected an absolute URL/);
    expect(() => createKatoClient({ url: "ftp://host" })).toThrow(/^url: expected http/);
    expect(() => createKatoClient({ url: "http://me:secret@host" })).toThrow(/^url: name and/);
    expect(() => createKatoClient({ url, timeoutMs: 0 })).toThrow(/^timeoutMs: .* got 0$/);
    expect(() => createKatoClient({ url, attemptTimeoutMs: Infinity })).toThrow(
      /^attemptTimeoutMs/,
    );
    expect(() => createKatoClient({ url, retries: -1 })).toThrow(/^retries/);
    expect(() => createKatoClient({ url, maxConcurrency: 0.5 })).toThrow(/^maxConcurrency/);
    expect(() => createKatoClient({ url, batch: { maxCalls: 101 } })).toThrow(
      "batch.maxCalls: expected a whole number from 1 to 100, got 101",
    );
  });

  it("knows the errors of another copy of the package", async () => {
    // The same file under another address is another module.
    const url = new URL("../../client/sdk/errors.ts?copy", import.meta.url);
    const copy = (await import(url.href)) as { KatoError: typeof KatoError };

    const foreign: unknown = new copy.KatoError("TIMEOUT", "too late");

    expect(foreign instanceof KatoError).toBe(false);
    expect(isKatoError(foreign, "TIMEOUT")).toBe(true);
    expect(isKatoError(foreign, "ABORTED")).toBe(false);
    expect(isKatoError(new Error("TIMEOUT"))).toBe(false);
    expect(isKatoError(undefined)).toBe(false);
  });
});

/** The KatoError that a call ends with. */
async function failureOf(call: Promise<unknown>): Promise<KatoError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isKatoError(error)) throw new Error("expected a KatoError", { cause: error });
  return error;
}

/** Text that two values share if and only if they are the same JSON, whatever the order of keys. */
function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? { entries: Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)) }
      : item,
  );
}
