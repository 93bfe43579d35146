import { DatabaseSync } from "node:sqlite";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ErrorCode } from "@kato-rpc/shared/errors.ts";
import { parseSessionId } from "../../server/stores/session-id.ts";
import { findKeys } from "../contract/store-place.ts";
import { openHoldingProxy } from "../support/holding-proxy.ts";
import { call, dataOf } from "../support/http-calls.ts";
import { openRedisClient } from "../support/redis-client.ts";
import { startRedis } from "../support/redis-server.ts";
import type { StoreKind, TestStore } from "../support/service.ts";
import { openTestStore, STORE_KINDS } from "../support/service.ts";
import type { TestApp } from "../support/test-app.ts";
import { startTestApp } from "../support/test-app.ts";
import { waitFor } from "../support/wait-for.ts";

/** Every call that writes to a session, also what it learned, and those that only prolong its life. */
const LATE_CALLS: [path: string, input: object][] = [
  ["session.observe", { strings: ["late"] }],
  ["session.observeSequence", { observations: [{ strings: ["late"] }], learnAtEnd: true }],
  ["session.learn", {}],
  ["session.clearStm", {}],
  ["session.configure", { config: { persistence: 7 } }],
  ["session.extend", { ttlSeconds: 3_600 }],
  ["session.get", {}],
];

describe("a worker whose calls are held up on the way to Redis", () => {
  it.each<["deleted" | "expired", ErrorCode]>([
    ["deleted", "SESSION_NOT_FOUND"],
    ["expired", "SESSION_EXPIRED"],
  ])("never brings back a session that was %s meanwhile", async (end, code) => {
    await using redis = await startRedis();
    await using proxy = await openHoldingProxy(redis);
    await using late = await startApp(`redis://127.0.0.1:${proxy.port}`);
    await using other = await startApp(redis.url);
    const sessionIds = await Promise.all(
      LATE_CALLS.map(() => createWarm(late, end === "expired" ? 1 : 60)),
    );
    const before = await dataOf(other.url, "node.stats", { input: { nodeId: "node" } });

    proxy.hold();
    const calls = LATE_CALLS.map(([path, input], i) =>
      call(late.url, path, { input: { sessionId: sessionIds[i], ...input } }),
    );
    for (const sessionId of sessionIds) await endSession(other, sessionId, end);
    expect(proxy.held()).toBeGreaterThan(0);
    proxy.release();
    const replies = await Promise.all(calls);

    expect(replies.map(({ error }) => error?.kato)).toEqual(LATE_CALLS.map(() => code));
    for (const sessionId of sessionIds) {
      expect(await find(other, sessionId)).toEqual({ exists: false, expired: end === "expired" });
    }
    if (end === "deleted") {
      expect(await leftOf({ kind: "redis", url: redis.url, sessionIds })).toEqual([]);
    }
    const after = await dataOf(other.url, "node.stats", { input: { nodeId: "node" } });
    expect(after).toEqual({ ...(before as object), sessions: 0 });
  });
});

describe("a worker whose calls wait for a SQLite file in use", () => {
  it("never brings back a session that expired meanwhile", async () => {
    await using store = await openTestStore("sqlite");
    await using late = await startApp(store.url);
    await using other = await startApp(store.url);
    const sessionIds = await Promise.all(LATE_CALLS.map(() => createWarm(late, 1)));
    using holder = new DatabaseSync(pathOf(store.url));

    holder.exec("BEGIN IMMEDIATE");
    const calls = LATE_CALLS.map(([path, input], i) =>
      call(late.url, path, { input: { sessionId: sessionIds[i], ...input } }),
    );
    for (const sessionId of sessionIds) await endSession(other, sessionId, "expired");
    holder.exec("ROLLBACK");
    const replies = await Promise.all(calls);

    expect(replies.map(({ error }) => error?.kato)).toEqual(
      LATE_CALLS.map(() => "SESSION_EXPIRED"),
    );
    for (const sessionId of sessionIds) {
      expect(await find(other, sessionId)).toEqual({ exists: false, expired: true });
    }
  });
});

type Step = { worker: 0 | 1; path: string; input: object };
/** What two workers are asked at once, and how long it takes until they are asked again. */
type Round = { steps: Step[]; passMs: number };

const rounds: fc.Arbitrary<Round[]> = fc.array(
  fc.record({
    steps: fc.array(
      fc
        .tuple(
          fc.constantFrom<0 | 1>(0, 1),
          fc.oneof(
            { weight: 9, arbitrary: fc.constantFrom(...LATE_CALLS) },
            { weight: 1, arbitrary: fc.constant<[string, object]>(["session.delete", {}]) },
          ),
        )
        .map(([worker, [path, input]]) => ({ worker, path, input })),
      { maxLength: 5 },
    ),
    passMs: fc.constantFrom(0, 0, 0, 30_000, 3_600_001),
  }),
  { minLength: 2, maxLength: 8 },
);

describe.each(STORE_KINDS)("two workers on %s", (kind) => {
  it("agree for good on the end of a session, whatever they are asked at once", async () => {
    await using store = await openTestStore(kind);
    const clock = { ms: Date.now() };
    await using first = await startApp(store.url, () => clock.ms);
    await using second = await startApp(store.url, () => clock.ms);
    const workers = [first, second] as const;

    await fc.assert(
      fc.asyncProperty(rounds, async (script) => {
        const sessionId = await createWarm(first, 60);
        let gone: ErrorCode | undefined;
        let expiresAt = await expiryOf(second, sessionId);

        for (const { steps, passMs } of script) {
          const replies = await Promise.all(
            steps.map(({ worker, path, input }) =>
              call<{ deleted?: boolean }>(workers[worker].url, path, {
                input: { sessionId, ...input },
              }),
            ),
          );
          const deleted = replies.filter(({ data }) => data?.deleted === true).length;
          const refused = replies.flatMap(({ error }) => error?.kato ?? []);
          const asked = steps.filter(({ path }) => path !== "session.delete").length;
          if (gone !== undefined) {
            expect(refused).toEqual(Array(asked).fill(gone));
            expect(deleted).toBe(0);
          } else if (deleted > 0) {
            expect(deleted).toBe(1);
            const others = refused.filter((code) => code !== "SESSION_NOT_FOUND");
            expect(others.filter(isNoAnswer)).toEqual([]);
            gone = "SESSION_NOT_FOUND";
          } else {
            expect(refused.filter(isNoAnswer)).toEqual([]);
            expiresAt = await expiryOf(first, sessionId);
          }
          clock.ms += passMs;
          if (clock.ms > expiresAt) gone ??= "SESSION_EXPIRED";
        }

        if (gone === "SESSION_NOT_FOUND") {
          expect(await leftOf({ kind, url: store.url, sessionIds: [sessionId] })).toEqual([]);
        }
      }),
      { numRuns: 40 },
    );
  });
});

function startApp(store: string, now?: () => number): Promise<TestApp> {
  return startTestApp({ settings: { KATO_STORE: store }, ...(now === undefined ? {} : { now }) });
}

/** A session that the app has in its cache, with something to learn. */
async function createWarm({ url }: TestApp, ttlSeconds: number): Promise<string> {
  const created = { nodeId: "node", ttlSeconds };
  const { sessionId } = await dataOf<{ sessionId: string }>(url, "session.create", {
    input: created,
  });
  for (const symbol of ["a", "b"]) {
    await dataOf(url, "session.observe", { input: { sessionId, strings: [symbol] } });
  }
  return sessionId;
}

async function endSession(app: TestApp, sessionId: string, end: "deleted" | "expired") {
  if (end === "deleted") await dataOf(app.url, "session.delete", { input: { sessionId } });
  else await waitFor(async () => (await find(app, sessionId)).expired, { what: "the expiry" });
}

function find({ url }: TestApp, sessionId: string) {
  return dataOf<{ exists: boolean; expired: boolean }>(url, "session.exists", {
    input: { sessionId },
  });
}

/** A live session may answer that there is nothing to learn. */
function isNoAnswer(code: ErrorCode): boolean {
  return code !== "INVALID_INPUT";
}

/** Looks without prolonging the session's life. */
async function expiryOf({ url }: TestApp, sessionId: string): Promise<number> {
  const { items } = await dataOf<{ items: { sessionId: string; expiresAt: string }[] }>(
    url,
    "session.list",
    { input: { nodeId: "node", limit: 1_000 } },
  );
  return Date.parse(items.find((item) => item.sessionId === sessionId)!.expiresAt);
}

/** Keys or rows that hold anything of these sessions. */
async function leftOf(of: {
  kind: StoreKind;
  url: TestStore["url"];
  sessionIds: readonly string[];
}): Promise<unknown[]> {
  if (of.kind === "sqlite") {
    using database = new DatabaseSync(pathOf(of.url));
    const rows = (sql: string) => database.prepare(sql).all();
    const named = rows(
      "SELECT session_id FROM sessions UNION SELECT session_id FROM expired_sessions",
    );
    const orphans = rows(
      `SELECT session FROM (SELECT session FROM entries UNION SELECT session FROM replies)
       WHERE session NOT IN (SELECT session FROM sessions)`,
    );
    return [
      ...named.filter((row) => of.sessionIds.includes(row["session_id"] as string)),
      ...orphans,
    ];
  }
  const client = openRedisClient(of.url);
  const suffixes = of.sessionIds.map((id) => parseSessionId(id)!.suffix);
  const keys = await findKeys(client);
  const [sessions = ""] = keys.filter((key) => key.endsWith(":sessions"));
  const members = await client.zrangebyscore(sessions, "-inf", "+inf");
  client.disconnect();
  return [
    ...keys.filter((key) => suffixes.some((suffix) => key.includes(suffix))),
    ...members.filter((member) => suffixes.includes(member)),
  ];
}

function pathOf(url: string): string {
  return url.slice("sqlite:".length);
}
