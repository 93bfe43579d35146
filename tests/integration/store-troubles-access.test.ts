import { describe, expect, it } from "vitest";
import { findKeys } from "../contract/store-place.ts";
import { openAgeingProxy } from "../support/ageing-proxy.ts";
import { call, createSession, dataOf, send } from "../support/http-calls.ts";
import type { RedisServer } from "../support/redis-server.ts";
import { startRedis } from "../support/redis-server.ts";
import { expectWhole, RepeatingLearner } from "../support/repeating-learner.ts";
import type { TestApp } from "../support/test-app.ts";
import { startTestApp } from "../support/test-app.ts";
import { waitFor } from "../support/wait-for.ts";

describe("a service that has the wrong password", () => {
  it("says so to every call, and works when Redis accepts it", async () => {
    await using redis = await startRedis({ config: { requirepass: "right" } });
    await using app = await startApp(`redis://:wrong@127.0.0.1:${redis.port}`);

    const refused = await Promise.all(
      ["session.create", "session.count", "node.list"].map((path) =>
        call(app.url, path, { input: path === "session.create" ? { nodeId: "n" } : {} }),
      ),
    );
    const ready = await send(`${app.url}/ready`);
    await redis.client().config("SET", "requirepass", "wrong");
    const sessionId = await waitFor(() => createSession(app.url), { what: "the password to do" });

    for (const { error } of refused) expect(error).toMatchObject(unavailable("password"));
    expect(ready.status).toBe(503);
    expect(sessionId).toEqual(expect.any(String));
  });
});

describe("a service whose password is changed while it runs", () => {
  it("says so once it has to connect anew, keeps what was acknowledged, and goes on when it is changed back", async () => {
    await using redis = await startRedis({ config: { requirepass: "first" } });
    await using app = await startApp(redis.url);
    const learner = await RepeatingLearner.start(app.url, { nodeId: "n", bytes: 10 });
    expect(await learner.learn()).toBeUndefined();
    const admin = redis.client();

    await admin.config("SET", "requirepass", "second");
    await breakConnections(admin);
    const refused = await waitFor(() => learner.learn(), { what: "a call to be refused" });
    const again = await refused.repeat();
    await admin.config("SET", "requirepass", "first");
    await waitFor(async () => (await refused.repeat()).error === undefined, {
      what: "the password to do again",
    });

    expect(again.error).toMatchObject(unavailable("password"));
    await expectWhole(app.url, [learner]);
  });
});

describe("a service whose user may no longer run what it needs", () => {
  it("says so, writes nothing, and goes on when it may again", async () => {
    await using redis = await startRedis();
    await using app = await startApp(redis.url);
    const learner = await RepeatingLearner.start(app.url, { nodeId: "n", bytes: 10 });
    const admin = redis.client();

    await admin.acl("SETUSER", "default", "-evalsha", "-eval");
    const refused = await learner.learn();
    await admin.acl("SETUSER", "default", "+evalsha", "+eval", "-time");
    const timeless = await refused!.repeat();
    await expect(dataOf(app.url, "session.count")).rejects.toThrow("does not permit");
    await admin.acl("SETUSER", "default", "+time");
    const done = await refused!.repeat();

    for (const reply of [refused!.reply, timeless]) {
      expect(reply.error).toMatchObject(unavailable("does not permit"));
    }
    expect(done.error).toBeUndefined();
    await expectWhole(app.url, [learner]);
  });
});

describe("a service whose user may no longer run a part of what it needs", () => {
  it("makes no call by half, says what is missing and is not ready, and goes on when it may again", async () => {
    await using redis = await startRedis();
    await using app = await startTestApp({ settings: { KATO_STORE: redis.url } });
    const learner = await RepeatingLearner.start(app.url, { nodeId: "n", bytes: 10 });
    for (let i = 0; i < 3; i += 1) expect(await learner.learn()).toBeUndefined();
    const admin = redis.client();
    const clear = () => call(app.url, "node.clear", { input: { nodeId: "n", requestId: "clear" } });

    // One to forget ids with, one to enter new ones.
    await admin.acl("SETUSER", "default", "-lpop", "-rpush");
    const refused = await learner.learn();
    const uncleared = await clear();
    const ready = await send(`${app.url}/ready`);
    await expectWhole(app.url, [learner]);
    await admin.acl("SETUSER", "default", "+lpop", "+rpush");

    for (const { error } of [refused!.reply, uncleared]) {
      expect(error).toMatchObject(unavailable("does not permit the user in KATO_STORE"));
      expect(error).toMatchObject(unavailable("LPOP, RPUSH"));
    }
    expect(ready.status).toBe(503);
    expect((await refused!.repeat()).error).toBeUndefined();
    await expectWhole(app.url, [learner]);
    expect((await send(`${app.url}/ready`)).status).toBe(200);
  });
});

describe("a service whose Redis is older than version 7", () => {
  it("says so, writes no session, is not ready, and works when Redis is upgraded", async () => {
    await using redis = await startRedis();
    await using proxy = await openAgeingProxy(redis);
    await using app = await startApp(`redis://127.0.0.1:${proxy.port}`);

    const created = await call(app.url, "session.create", { input: { nodeId: "n" } });
    const ready = await send(`${app.url}/ready`);
    const keys = await findKeys(redis.client());
    proxy.upgrade();
    const sessionId = await createSession(app.url);

    expect(created.error).toMatchObject(unavailable("older than version 7"));
    expect(ready.status).toBe(503);
    expect(keys.filter((key) => key.startsWith("kato:{"))).toEqual([]);
    expect(sessionId).toEqual(expect.any(String));
    expect((await send(`${app.url}/ready`)).status).toBe(200);
  });
});

function unavailable(reason: string) {
  return {
    kato: "STORE_UNAVAILABLE",
    httpStatus: 503,
    message: expect.stringContaining(reason),
  };
}

function startApp(store: string): Promise<TestApp> {
  return startTestApp({ settings: { KATO_STORE: store, KATO_DEADLINE_MS: "1000" } });
}

async function breakConnections(admin: ReturnType<RedisServer["client"]>): Promise<void> {
  await admin.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
}
