import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SessionInfo, SessionPage } from "@kato-rpc/shared/session.ts";
import type { TestStore } from "../support/service.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";
import type { TestApp } from "../support/test-app.ts";
import { startTestApp } from "../support/test-app.ts";
import { waitFor } from "../support/wait-for.ts";
import type { Procedure } from "../support/wire.ts";
import { call, expectError, tryCall } from "../support/wire.ts";

const ON_A_SESSION: [Procedure, object][] = [
  ["session.get", {}],
  ["session.stm", {}],
  ["session.percept", {}],
  ["session.cognition", {}],
  ["session.predict", {}],
  ["session.next", {}],
  ["session.extend", { ttlSeconds: 100 }],
  ["session.configure", { config: { persistence: 7 } }],
  ["session.observe", { strings: ["late"] }],
  ["session.observeSequence", { observations: [{ strings: ["late"] }] }],
  ["session.clearStm", {}],
];

const DAY_MS = 86_400_000;

describe.each(STORE_KINDS)("the life of a session on %s", (kind) => {
  let store: TestStore;
  let stack: AsyncDisposableStack;

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    store = stack.use(await openTestStore(kind));
  });
  afterAll(() => stack.disposeAsync());

  /** An app whose clock the test moves; the store is shared, so each test has a node of its own. */
  async function startClocked(settings: Record<string, string> = {}) {
    const clock = { ms: Date.now() };
    const app = await startTestApp({
      settings: { KATO_STORE: store.url, ...settings },
      now: () => clock.ms,
    });
    const pass = (seconds: number) => {
      clock.ms += seconds * 1_000;
    };
    return { app, pass, [Symbol.asyncDispose]: () => app[Symbol.asyncDispose]() };
  }

  const create = ({ url }: TestApp, input: object = {}) =>
    call<SessionInfo>(url, "session.create", { nodeId: "n", ...input });

  it("ends in real time after the seconds given", async () => {
    await using service = await startService({ store: store.url });
    const { sessionId } = await call<SessionInfo>(service.url, "session.create", {
      nodeId: "real",
      ttlSeconds: 3,
    });
    const exists = () =>
      call<{ exists: boolean; expired: boolean }>(service.url, "session.exists", { sessionId });
    expect(await exists()).toStrictEqual({ exists: true, expired: false });

    await waitFor(async () => (await exists()).expired, { what: "the session to expire" });

    expect(await exists()).toStrictEqual({ exists: false, expired: true });
    expectError(await tryCall(service.url, "session.get", { sessionId }), "SESSION_EXPIRED");
  });

  it("is prolonged by every call but exists, list and count", async () => {
    await using clocked = await startClocked();
    const { app, pass } = clocked;

    for (const [procedure, input] of ON_A_SESSION) {
      const nodeId = `slides ${procedure}`;
      const { sessionId, expiresAt } = await create(app, { nodeId, ttlSeconds: 10 });
      const expiry = async () =>
        (
          await call<SessionPage>(app.url, "session.list", { nodeId })
        ).items[0]?.expiresAt.getTime();

      pass(5);
      await call(app.url, "session.exists", { sessionId });
      await call(app.url, "session.count", { nodeId });
      expect(await expiry()).toBe(expiresAt.getTime());

      await call(app.url, procedure, { sessionId, ...input });
      const moved = procedure === "session.extend" ? 5_000 + 90_000 : 5_000;
      expect(await expiry()).toBe(expiresAt.getTime() + moved);
    }
  });

  it("goes on for ever while it is used in time", async () => {
    await using clocked = await startClocked();
    const { app, pass } = clocked;
    const { sessionId } = await create(app, { ttlSeconds: 10 });

    for (let i = 0; i < 10; i++) {
      pass(9);
      await call(app.url, "session.observe", { sessionId, strings: [`${i}`] });
    }

    expect(await call(app.url, "session.stm", { sessionId })).toMatchObject({ length: 10 });
  });

  it("lasts up to its last moment, and not longer", async () => {
    await using clocked = await startClocked();
    const { app, pass } = clocked;
    const { sessionId } = await create(app, { ttlSeconds: 10 });

    pass(10);
    expect(await call(app.url, "session.exists", { sessionId })).toEqual({
      exists: true,
      expired: false,
    });
    pass(0.001);
    expect(await call(app.url, "session.exists", { sessionId })).toEqual({
      exists: false,
      expired: true,
    });
  });

  it("once over is SESSION_EXPIRED to every call, also where it was in use a moment ago", async () => {
    await using clocked = await startClocked();
    const { app, pass } = clocked;
    const nodeId = "expired";
    const { sessionId } = await create(app, { nodeId, ttlSeconds: 10 });
    await call(app.url, "session.observe", { sessionId, strings: ["a"] });

    pass(11);

    for (const [procedure, input] of ON_A_SESSION) {
      const reply = await tryCall(app.url, procedure, { sessionId, ...input });
      const error = expectError(reply, "SESSION_EXPIRED");
      expect(reply.status).toBe(410);
      expect(error.data.sessionId).toBe(sessionId);
    }
    expect(await call(app.url, "session.delete", { sessionId })).toEqual({ deleted: false });
    expect(await call(app.url, "session.count", { nodeId })).toEqual({ active: 0 });
    expect(await call(app.url, "session.list", { nodeId })).toEqual({
      items: [],
      nextCursor: null,
    });
  });

  it("is not given a second time to the request id of its creation", async () => {
    await using clocked = await startClocked();
    const { app, pass } = clocked;
    const input = { nodeId: "again", ttlSeconds: 10, requestId: "create-1" };
    const { sessionId } = await create(app, input);

    pass(11);

    const reply = await tryCall(app.url, "session.create", input);
    const error = expectError(reply, "SESSION_EXPIRED");
    expect(error.data.sessionId).toBe(sessionId);
  });

  it("is forgotten after a day: then nobody knows that it was", async () => {
    await using clocked = await startClocked();
    const { app, pass } = clocked;
    const { sessionId } = await create(app, { ttlSeconds: 10 });

    pass(10 + DAY_MS / 1_000);
    expectError(await tryCall(app.url, "session.get", { sessionId }), "SESSION_EXPIRED");
    pass(1);

    expectError(await tryCall(app.url, "session.get", { sessionId }), "SESSION_NOT_FOUND");
    expect(await call(app.url, "session.exists", { sessionId })).toEqual({
      exists: false,
      expired: false,
    });
  });

  it("is the service's default where creation does not say", async () => {
    await using clocked = await startClocked({ KATO_SESSION_TTL_SECONDS: "77" });

    const info = await create(clocked.app);

    expect(info.ttlSeconds).toBe(77);
    expect(info.expiresAt.getTime() - info.createdAt.getTime()).toBe(77_000);
  });

  describe("with KATO_SESSION_AUTO_EXTEND=false", () => {
    it("is as long as it was given, however the session is used", async () => {
      await using clocked = await startClocked({ KATO_SESSION_AUTO_EXTEND: "false" });
      const { app, pass } = clocked;
      const { sessionId, expiresAt } = await create(app, { ttlSeconds: 10 });

      for (const [procedure, input] of ON_A_SESSION) {
        if (procedure === "session.extend") continue;
        pass(1);
        await call(app.url, procedure, { sessionId, ...input });
      }
      const info = await call<SessionInfo>(app.url, "session.get", { sessionId });
      expect(info.expiresAt).toEqual(expiresAt);

      pass(10);
      expectError(
        await tryCall(app.url, "session.observe", { sessionId, strings: ["late"] }),
        "SESSION_EXPIRED",
      );
    });

    it("is prolonged by extend", async () => {
      await using clocked = await startClocked({ KATO_SESSION_AUTO_EXTEND: "false" });
      const { app, pass } = clocked;
      const { sessionId } = await create(app, { ttlSeconds: 10 });

      pass(9);
      await call(app.url, "session.extend", { sessionId });
      pass(9);

      expect(await call(app.url, "session.exists", { sessionId })).toMatchObject({ exists: true });
      pass(2);
      expect(await call(app.url, "session.exists", { sessionId })).toMatchObject({ expired: true });
    });
  });
});
