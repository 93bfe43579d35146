import { describe, expect, it } from "vitest";
import { call, createSession, dataOf, send } from "../support/http-calls.ts";
import { startRedis } from "../support/redis-server.ts";
import { sendBatch } from "../support/rpc-batch.ts";
import { openTestStore, STORE_KINDS } from "../support/service.ts";
import { waitFor } from "../support/wait-for.ts";
import { type WatchedService, watchService, watchStart } from "../support/watched-service.ts";

/** In every text that must not be logged; with digits for numbers of the same kind. */
const SECRET = "xKq7Wz";
const SECRET_NUMBER = 7_713.377_331;

const EVERYTHING = {
  strings: [`${SECRET}-symbol`, `${SECRET}-other`],
  vectors: [[SECRET_NUMBER, 0.5]],
  emotives: { [`${SECRET}-emotive`]: SECRET_NUMBER },
  metadata: { [`${SECRET}-key`]: `${SECRET}-value`, nested: { deep: [SECRET_NUMBER] } },
};

/** Valid and invalid inputs of every procedure that takes any, each full of secrets. */
function secretCalls(sessionId: string): [path: string, input: unknown][] {
  return [
    ["session.observe", { sessionId, ...EVERYTHING }],
    ["session.observe", { sessionId, ...EVERYTHING, expectedTime: 99 }],
    ["session.observe", { sessionId, ...EVERYTHING, vectors: [[SECRET_NUMBER], [1, 2]] }],
    ["session.observe", { sessionId, strings: { [SECRET]: SECRET } }],
    ["session.observe", { sessionId, strings: [`${SECRET}${"x".repeat(2_000)}`] }],
    ["session.observe", { sessionId, emotives: { [SECRET]: SECRET } }],
    [
      "session.observe",
      {
        sessionId,
        metadata: { [SECRET]: { a: { b: { c: { d: { e: { f: { g: { h: SECRET } } } } } } } } },
      },
    ],
    ["session.observe", { sessionId, [SECRET]: SECRET }],
    ["session.observe", { sessionId, observationId: `${SECRET} not an id` }],
    ["session.observeSequence", { sessionId, observations: [EVERYTHING, EVERYTHING] }],
    ["session.observeSequence", { sessionId, observations: [EVERYTHING, { strings: [7] }] }],
    ["session.configure", { sessionId, config: { affinityEmotive: `${SECRET}-emotive` } }],
    ["session.configure", { sessionId, config: { recallThreshold: SECRET } }],
    ["session.create", { nodeId: "node", metadata: EVERYTHING.metadata, ttlSeconds: SECRET }],
    ["session.create", { nodeId: "node", metadata: EVERYTHING.metadata }],
    ["session.stm", { sessionId }],
    ["session.percept", { sessionId }],
    ["session.get", { sessionId }],
    ["session.list", { cursor: SECRET }],
    ["session.list", {}],
    [`session.${SECRET}`, { sessionId }],
    [`${SECRET}%2F..`, { sessionId }],
  ];
}

const CREDENTIALS = {
  authorization: `Bearer ${SECRET}-token`,
  cookie: `session=${SECRET}-cookie`,
  "x-api-key": `${SECRET}-api-key`,
  "user-agent": `${SECRET}-agent`,
};

describe.each(STORE_KINDS)("the log at level debug, on %s", (kind) => {
  it("holds nothing of what calls carry, good or bad", async () => {
    await using store = await openTestStore(kind);
    await using service = await watchService({
      store: store.url,
      workers: 2,
      env: { KATO_LOG_LEVEL: "debug", KATO_ACCESS_LOG: "on" },
    });
    const sessionId = await createSession(service.url);

    // Twice, so that each also comes to a worker that knows the session.
    for (const [path, input] of [...secretCalls(sessionId), ...secretCalls(sessionId)]) {
      await call(service.url, path, { input, headers: CREDENTIALS });
    }
    const batch = secretCalls(sessionId).slice(0, 12);
    await sendBatch(
      service.url,
      batch.map(([path, input]) => ({ path, input })),
      CREDENTIALS,
    );
    for (const body of [
      `{"json":{"${SECRET}":`,
      SECRET,
      `{"json":1,"meta":"${SECRET}"}`,
      "\ud800",
    ]) {
      const url = `${service.url}/trpc/session.observe`;
      await send(url, { method: "POST", body, headers: CREDENTIALS });
    }
    await send(`${service.url}/trpc/session.get?input=${SECRET}`);
    await send(`${service.url}/${SECRET}?${SECRET}=${SECRET}`);
    await expireSession(service);
    await service.stop();

    expect(service.log().filter(({ msg }) => msg === "call").length).toBeGreaterThan(50);
    expect(secretsIn(service)).toEqual([]);
  });
});

describe("the log of a service on a Redis with a password", () => {
  it.each([
    ["right", `${SECRET}-password`],
    ["wrong", `${SECRET}-wrong`],
  ])("never holds it when it is %s, the server up or down", async (_, password) => {
    await using redis = await startRedis({ config: { requirepass: `${SECRET}-password` } });
    const { host, port } = redis;
    await using service = await watchService({
      store: `redis://default:${password}@${host}:${port}/0`,
      env: { KATO_LOG_LEVEL: "debug", KATO_DEADLINE_MS: "300" },
    });

    await call(service.url, "session.create", { input: { nodeId: "node" } });
    await redis.stop();
    await call(service.url, "session.create", { input: { nodeId: "node" } });
    await service.waitForLog("store connection");
    await service.stop();

    expect(service.log()[0]).toMatchObject({ store: `redis://${host}:${port}/0` });
    expect(secretsIn(service)).toEqual([]);
  });

  it.each([
    `redis://user:${SECRET}@host:no-port`,
    `redis://user:${SECRET}@host:6379/${SECRET}`,
    `redis://:${SECRET}%ZZ@host`,
    `redis+sentinel://:${SECRET}@host:1`,
    `${SECRET}://user@host`,
  ])("never holds it when the address cannot be read: %s", async (store) => {
    await using start = await watchStart({ store });

    expect(await start.ended()).toMatchObject({ code: 1 });

    expect(start.process.stderr).toEqual([expect.stringMatching(/^kato: KATO_STORE: /)]);
    expect(secretsIn(start)).toEqual([]);
  });
});

describe("the log of an internal error", () => {
  it("holds its stack under the id that the caller is told, and nothing of the payload", async () => {
    await using redis = await startRedis();
    await using service = await watchService({ store: redis.url });
    const sessionId = await createSession(service.url);
    await dataOf(service.url, "session.observe", { input: { sessionId, ...EVERYTHING } });
    const client = redis.client();
    const [stmKey = ""] = await client.keys("kato:*:stm");

    // Damage of two kinds: an event that is no JSON, then a list that is none.
    await client.rpush(stmKey, `${SECRET} is not JSON`);
    const unreadable = await call(service.url, "session.stm", { input: { sessionId } });
    await client.set(stmKey, SECRET);
    const misplaced = await call(service.url, "session.observe", {
      input: { sessionId, ...EVERYTHING },
      headers: { "x-request-id": "misplaced" },
    });
    const lines = await waitFor(
      () => {
        const found = service.log().filter(({ msg }) => msg === "internal error");
        return found.length === 2 ? found : undefined;
      },
      { what: "both errors in the log" },
    );
    await service.stop();

    for (const { status, error } of [unreadable, misplaced]) {
      expect(status).toBe(500);
      expect(error).toEqual({
        message: `internal error: report the request id ${error?.requestId}`,
        code: "INTERNAL_SERVER_ERROR",
        kato: "INTERNAL",
        httpStatus: 500,
        path: expect.any(String),
        requestId: error?.requestId,
      });
    }
    expect(lines).toEqual([
      expect.objectContaining({
        level: "error",
        requestId: unreadable.error?.requestId,
        procedure: "session.stm",
      }),
      expect.objectContaining({ requestId: "misplaced", procedure: "session.observe" }),
    ]);
    expect(JSON.stringify(lines[0]?.["err"])).toMatch(/ at .*server\/stores\/redis\//);
    expect(JSON.stringify(lines[1]?.["err"])).toMatch(/WRONGTYPE.* at .*server\/stores/);
    expect(secretsIn(service)).toEqual([]);
  });
});

/** Makes a session, waits until it has expired, and observes on it. */
async function expireSession({ url }: WatchedService): Promise<void> {
  const { sessionId } = await dataOf<{ sessionId: string }>(url, "session.create", {
    input: { nodeId: "node", ttlSeconds: 1, metadata: EVERYTHING.metadata },
  });
  await waitFor(
    async () =>
      (await dataOf<{ expired: boolean }>(url, "session.exists", { input: { sessionId } })).expired,
    { what: "the session to expire" },
  );
  const { error } = await call(url, "session.observe", { input: { sessionId, ...EVERYTHING } });
  expect(error?.kato).toBe("SESSION_EXPIRED");
}

/** Every line of either stream that holds a secret. */
function secretsIn({ process }: Pick<WatchedService, "process">): string[] {
  const digits = String(SECRET_NUMBER).slice(0, 6);
  return [...process.stdout, ...process.stderr].filter(
    (line) => line.includes(SECRET) || line.includes(digits),
  );
}
