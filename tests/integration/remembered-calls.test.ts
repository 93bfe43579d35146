import { createKatoClient } from "@kato-rpc/client";
import type { ObserveReply } from "@kato-rpc/shared/session.ts";
import { describe, expect, test } from "vitest";
import type { Outcome } from "../../server/stores/session-store.ts";
import type { TestStore } from "../support/service.ts";
import { openTestStore, STORE_KINDS } from "../support/service.ts";
import type { TestApp, TestAppOptions } from "../support/test-app.ts";
import { startTestApp } from "../support/test-app.ts";
import { call, expectError, tryCall } from "../support/wire.ts";

type Session = { sessionId: string; time: number; stmLength: number; replayed?: true };

const MINUTE_MS = 60_000;

/** An app whose clock stands still until it is moved. */
async function startWithClock(store: TestStore, settings: Record<string, string> = {}) {
  const clock = { nowMs: Date.now() };
  const options: TestAppOptions = {
    settings: { KATO_STORE: store.url, ...settings },
    now: () => clock.nowMs,
  };
  const app = await startTestApp(options);
  return Object.assign(app, { clock });
}

async function createSession({ url }: TestApp, input: object = {}): Promise<string> {
  const { sessionId } = await call<Session>(url, "session.create", { nodeId: "node", ...input });
  return sessionId;
}

/** Whether the id was known. */
async function observe({ url }: TestApp, sessionId: string, observationId: string) {
  const input = { sessionId, strings: [observationId], observationId };
  return (await call<ObserveReply>(url, "session.observe", input)).replayed;
}

describe.each(STORE_KINDS)("what is remembered of calls on %s", (kind) => {
  test("outlasts a burst: a request held up on its way is not done a second time", async () => {
    await using store = await openTestStore(kind);
    await using app = await startTestApp({ settings: { KATO_STORE: store.url } });
    let held: [input: string | URL | Request, init: RequestInit | undefined] | undefined;
    const client = createKatoClient({
      url: app.url,
      attemptTimeoutMs: 1_000,
      fetch: async (input, init) => {
        if (held !== undefined || !JSON.stringify(init?.body ?? "").includes("burst"))
          return fetch(input, init);
        held = [input, { ...init, signal: null }];
        const given = init?.signal;
        return new Promise((_, reject) => {
          given?.addEventListener("abort", () => reject(given.reason as Error));
        });
      },
    });
    const session = await client.session.create({ nodeId: "node" });
    const burst = Array.from({ length: 1_300 }, (_, i) =>
      session.observe({ strings: [`burst ${i}`] }),
    );
    await Promise.all(burst);

    const late = (await (await fetch(...held!)).json()) as unknown[];

    expect(late.length).toBeGreaterThan(50);
    expect(JSON.stringify(late).match(/"replayed":true/g)).toHaveLength(late.length);
    expect((await session.stm()).time).toBe(1_300);
    await client.close();
  });

  test("is as much and as old as the settings say", async () => {
    await using store = await openTestStore(kind);
    const settings = { KATO_IDEMPOTENCY_IDS: "2000", KATO_IDEMPOTENCY_SECONDS: "600" };
    await using app = await startWithClock(store, settings);
    const sessionId = await createSession(app);
    const observations = Array.from({ length: 2_200 }, (_, i) => ({
      strings: [`id${i}`],
      observationId: `id${i}`,
    }));

    await observe(app, sessionId, "first");
    await call(app.url, "session.observeSequence", { sessionId, observations });
    expect(await observe(app, sessionId, "first")).toBe(true);
    app.clock.nowMs += 2 * MINUTE_MS;
    await observe(app, sessionId, "second");
    expect(await observe(app, sessionId, "first")).toBe(false);
    expect(await observe(app, sessionId, "id300")).toBe(true);

    app.clock.nowMs += 8 * MINUTE_MS;
    await observe(app, sessionId, "third");
    expect(await observe(app, sessionId, "id2199")).toBe(true);
    app.clock.nowMs += MINUTE_MS;
    await observe(app, sessionId, "fourth");
    expect(await observe(app, sessionId, "id2199")).toBe(false);
    expect(await observe(app, sessionId, "second")).toBe(true);
  });

  test("holds all ids of the longest sequence, and those before it", async () => {
    await using store = await openTestStore(kind);
    await using app = await startWithClock(store);
    const sessionId = await createSession(app);
    const observations = Array.from({ length: 10_000 }, (_, i) => ({
      strings: ["a"],
      observationId: `id${i}`,
    }));

    await observe(app, sessionId, "before");
    await call(app.url, "session.observeSequence", { sessionId, observations, requestId: "all" });

    const again = (id: string) =>
      call<ObserveReply>(app.url, "session.observe", {
        sessionId,
        strings: ["a"],
        observationId: id,
      });
    expect(await observe(app, sessionId, "before")).toBe(true);
    for (const id of ["id0", "id9999"]) expect(await again(id)).toHaveProperty("replayed", true);
  });
});

test("nothing is remembered of calls without an id, but observations, whose replies tell one", async () => {
  const outcomes: Outcome[] = [];
  await using app = await startTestApp({
    overrides: (store) => ({
      commit(commit) {
        outcomes.push(...commit.outcomes);
        return store.commit(commit);
      },
    }),
  });
  const sessionId = await createSession(app);
  const observations = [{ strings: ["a"] }, { strings: ["b"], observationId: "given" }];

  const reply = await call<ObserveReply>(app.url, "session.observe", { sessionId, strings: ["a"] });
  await call(app.url, "session.observeSequence", { sessionId, observations, learnAtEnd: true });
  await call(app.url, "session.observe", { sessionId, strings: ["c"], observationId: "other" });
  await call(app.url, "session.learn", { sessionId });
  await call(app.url, "session.configure", { sessionId, config: { persistence: 7 } });
  await call(app.url, "session.clearStm", { sessionId });

  const ids = outcomes.map(({ id }) => id);
  expect(ids).toEqual([`o${reply.observationId}`, "ogiven", "oother"]);
});

describe.each(STORE_KINDS)("sessions that come and go on %s", (kind) => {
  const CREATION = { nodeId: "node", ttlSeconds: 60, requestId: "once" };

  test("a creation that is repeated shows the session as it is now", async () => {
    await using store = await openTestStore(kind);
    await using app = await startWithClock(store);
    const first = await call<Session>(app.url, "session.create", CREATION);
    await observe(app, first.sessionId, "a");

    const again = await call<Session>(app.url, "session.create", CREATION);

    expect(first).toMatchObject({ time: 0, stmLength: 0 });
    expect(again).toEqual({ ...first, time: 1, stmLength: 1, replayed: true });
  });

  test("a creation that is repeated after the session was deleted makes no other", async () => {
    await using store = await openTestStore(kind);
    await using app = await startWithClock(store);
    const { sessionId } = await call<Session>(app.url, "session.create", CREATION);
    await call(app.url, "session.delete", { sessionId });

    expectError(await tryCall(app.url, "session.create", CREATION), "SESSION_NOT_FOUND");
  });

  test("a deletion is known when the session would have expired, and an expired session is not deleted", async () => {
    await using store = await openTestStore(kind);
    await using app = await startWithClock(store);
    const sessionId = await createSession(app, { ttlSeconds: 60 });
    const expired = await createSession(app, { ttlSeconds: 60 });
    const remove = (id: string) =>
      call<object>(app.url, "session.delete", { sessionId: id, requestId: "once" });

    expect(await remove(sessionId)).toEqual({ deleted: true });
    app.clock.nowMs += 2 * MINUTE_MS;

    expect(await remove(sessionId)).toEqual({ deleted: true, replayed: true });
    for (let i = 0; i < 2; i += 1) expect(await remove(expired)).toEqual({ deleted: false });
  });
});
