import { SuperJSON } from "superjson";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SessionConfig } from "@kato-rpc/shared/session-config.ts";
import type { SessionInfo, SessionPage, StmReply } from "@kato-rpc/shared/session.ts";
import type { Envelope } from "@kato-rpc/shared/transformer.ts";
import type { Service } from "../support/service.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";
import type { Procedure } from "../support/wire.ts";
import { batch, call, dataOf, expectError, tryCall } from "../support/wire.ts";

/** Every setting as it applies when none is given; null where it is unset and has no default. */
const DEFAULT_CONFIG = {
  maxPatternLength: 0,
  stmMode: "CLEAR",
  persistence: 5,
  recallThreshold: 0.1,
  maxPredictions: 100,
  useTokenMatching: true,
  sortSymbols: true,
  processPredictions: true,
  fuzzyTokenThreshold: null,
  rankSortAlgo: "potential",
  affinityEmotive: null,
  filterPipeline: [],
  lengthMinRatio: 0.5,
  lengthMaxRatio: 2,
  jaccardThreshold: 0.3,
  jaccardMinOverlap: 2,
  minhashThreshold: 0.7,
};

/** A value for each setting that is not its default. */
const OTHER_CONFIG = {
  maxPatternLength: 7,
  stmMode: "ROLLING",
  persistence: 100,
  recallThreshold: 1,
  maxPredictions: 10_000,
  useTokenMatching: false,
  sortSymbols: false,
  processPredictions: false,
  fuzzyTokenThreshold: 0.5,
  rankSortAlgo: "tfidfScore",
  affinityEmotive: "joy",
  filterPipeline: ["minhash", "length", "jaccard", "bloom", "rapidfuzz"],
  lengthMinRatio: 0,
  lengthMaxRatio: 1,
  jaccardThreshold: 0,
  jaccardMinOverlap: 1,
  minhashThreshold: 1,
};

/** A value out of range, or of another type, for each setting. */
const BAD_CONFIG: Record<keyof typeof DEFAULT_CONFIG, unknown[]> = {
  maxPatternLength: [-1, 1.5, "1", true],
  stmMode: ["clear", "", 1],
  persistence: [0, 101, 5.5, true],
  recallThreshold: [-0.1, 1.1, "0.1"],
  maxPredictions: [0, 10_001, 1.5],
  useTokenMatching: [1, "true"],
  sortSymbols: [0, "false"],
  processPredictions: ["yes"],
  fuzzyTokenThreshold: [-0.01, 1.01],
  rankSortAlgo: ["tfidf_score", "name", 1],
  affinityEmotive: [1, ["joy"], "\uD800"],
  filterPipeline: ["length", ["unknown"], [1]],
  lengthMinRatio: [-1, 1.5],
  lengthMaxRatio: [0.99, "2"],
  jaccardThreshold: [2, -1],
  jaccardMinOverlap: [0, 1.5],
  minhashThreshold: [1.5, []],
};

const SESSION_ID = /^[A-Za-z0-9.~]{22}-[A-Za-z0-9.~]{22}$/;
/** An id of the right form that no session has. */
const MISSING = `${"A".repeat(22)}-${"B".repeat(22)}`;

describe.each(STORE_KINDS)("session.* on %s", (kind) => {
  let url: string;
  let stack: AsyncDisposableStack;

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    const store = stack.use(await openTestStore(kind));
    const service: Service = stack.use(await startService({ store: store.url }));
    url = service.url;
  });
  afterAll(() => stack.disposeAsync());

  const create = (input: object = {}) =>
    call<SessionInfo>(url, "session.create", { nodeId: "n", ...input });
  const get = (sessionId: string) => call<SessionInfo>(url, "session.get", { sessionId });

  describe("create", () => {
    it("gives a session with the defaults", async () => {
      const before = Date.now();

      const info = await create({ nodeId: "a node" });

      expect(info).toStrictEqual({
        sessionId: expect.stringMatching(SESSION_ID),
        nodeId: "a node",
        createdAt: expect.any(Date),
        expiresAt: expect.any(Date),
        ttlSeconds: 3_600,
        metadata: {},
        config: DEFAULT_CONFIG,
        time: 0,
        stmLength: 0,
      });
      expect(info.createdAt.getTime()).toBeGreaterThanOrEqual(before);
      expect(info.createdAt.getTime()).toBeLessThanOrEqual(Date.now());
      expect(info.expiresAt.getTime() - info.createdAt.getTime()).toBe(3_600_000);
    });

    it("annotates its dates so that stock superjson reads them", async () => {
      const { body } = await tryCall(url, "session.create", { nodeId: "n" });

      const { data } = (body as { result: { data: Envelope } }).result;
      expect(data.meta).toEqual({ values: { createdAt: ["Date"], expiresAt: ["Date"] }, v: 1 });
      expect(SuperJSON.deserialize(data as never)).toMatchObject({
        createdAt: expect.any(Date),
        expiresAt: expect.any(Date),
      });
    });

    it("takes every setting, and tells those that apply", async () => {
      const all = await create({ config: OTHER_CONFIG });
      const one = await create({ config: { persistence: 7 } });
      const none = await create({ config: { persistence: null, affinityEmotive: null } });

      expect(all.config).toStrictEqual(OTHER_CONFIG);
      expect(one.config).toStrictEqual({ ...DEFAULT_CONFIG, persistence: 7 });
      expect(none.config).toStrictEqual(DEFAULT_CONFIG);
      expect((await get(all.sessionId)).config).toStrictEqual(OTHER_CONFIG);
    });

    it("keeps metadata as given", async () => {
      const metadata = {
        text: "ä€😀",
        list: [1, [null, true]],
        deep: { a: { b: {} } },
        "": -1.5e300,
      };

      const info = await create({ metadata });

      expect(info.metadata).toStrictEqual(metadata);
      expect((await get(info.sessionId)).metadata).toStrictEqual(metadata);
    });

    it.each([1, 2_592_000])("takes a time to live of %i s", async (ttlSeconds) => {
      const info = await create({ ttlSeconds });

      expect(info.ttlSeconds).toBe(ttlSeconds);
      expect(info.expiresAt.getTime() - info.createdAt.getTime()).toBe(ttlSeconds * 1_000);
    });

    it("takes any text as a node, the empty one included", async () => {
      for (const nodeId of ["", " ", "a/b:c{d}*", "ü😀", "x".repeat(256), "__proto__"]) {
        const info = await create({ nodeId });

        expect(info.nodeId).toBe(nodeId);
        expect((await get(info.sessionId)).nodeId).toBe(nodeId);
      }
    });

    it("never gives the same session twice, unless the request id is the same", async () => {
      const first = await create({ requestId: "once", metadata: { first: true } });
      await call(url, "session.observe", { sessionId: first.sessionId, strings: ["a"] });
      const again = await create({ requestId: "once", metadata: { first: true } });
      const onAnotherNode = await create({ requestId: "once", nodeId: "m" });
      const others = [await create(), await create()];

      expect(again).toMatchObject({
        sessionId: first.sessionId,
        createdAt: first.createdAt,
        metadata: { first: true },
        time: 1,
        stmLength: 1,
      });
      const ids = [first, onAnotherNode, ...others].map(({ sessionId }) => sessionId);
      expect(new Set(ids).size).toBe(4);
    });

    it("gives one session to many who ask with one request id at the same time", async () => {
      const asked = await Promise.all(
        Array.from({ length: 20 }, () => create({ requestId: "at-once" })),
      );

      expect(new Set(asked.map(({ sessionId }) => sessionId)).size).toBe(1);
    });

    it.each([
      ["an unknown setting", { indexerType: "VI" }],
      ["a setting of the reference's spelling", { stm_mode: "CLEAR" }],
      ["one bad setting among good ones", { persistence: 5, recallThreshold: 2 }],
    ])("refuses %s, and creates nothing", async (name, config) => {
      const nodeId = `refused ${name}`;

      expectError(await tryCall(url, "session.create", { nodeId, config }), "INVALID_INPUT");

      expect(await call(url, "session.count", { nodeId })).toEqual({ active: 0 });
      const nodes = await call<{ items: { nodeId: string }[] }>(url, "node.list", { limit: 1_000 });
      expect(nodes.items.map((node) => node.nodeId)).not.toContain(nodeId);
    });
  });

  describe("get", () => {
    it("gives what create gave, and prolongs the session's life", async () => {
      const created = await create({ metadata: { a: 1 }, ttlSeconds: 100 });

      const got = await get(created.sessionId);

      const { expiresAt, ...same } = created;
      expect(got).toStrictEqual({ ...same, expiresAt: expect.any(Date) });
      expect(got.expiresAt.getTime()).toBeGreaterThanOrEqual(expiresAt.getTime());
    });

    it("follows time and short-term memory", async () => {
      const { sessionId } = await create();
      await call(url, "session.observe", { sessionId, strings: ["a"] });
      await call(url, "session.observe", { sessionId });

      expect(await get(sessionId)).toMatchObject({ time: 2, stmLength: 1 });
    });
  });

  describe("exists", () => {
    it("tells a live session from one that never was and one that was deleted", async () => {
      const live = await create();
      const deleted = await create();
      await call(url, "session.delete", { sessionId: deleted.sessionId });

      const exists = (sessionId: string) => call(url, "session.exists", { sessionId });

      expect(await exists(live.sessionId)).toStrictEqual({ exists: true, expired: false });
      expect(await exists(deleted.sessionId)).toStrictEqual({ exists: false, expired: false });
      expect(await exists(MISSING)).toStrictEqual({ exists: false, expired: false });
      expect(await exists("any text")).toStrictEqual({ exists: false, expired: false });
    });

    it("does not prolong the session's life", async () => {
      const { sessionId, nodeId, expiresAt } = await create({ nodeId: "exists" });

      await call(url, "session.exists", { sessionId });

      const { items } = await call<SessionPage>(url, "session.list", { nodeId });
      expect(items[0]?.expiresAt).toEqual(expiresAt);
    });
  });

  describe("list and count", () => {
    const NODES = ["list-a", "list-b", "list-c"];
    const EACH = 12;
    let created: SessionInfo[];

    beforeAll(async () => {
      const { items } = await batch(
        url,
        "mutation",
        NODES.flatMap((nodeId) =>
          Array.from({ length: EACH }, (_, i) => ({
            path: "session.create",
            input: { nodeId, metadata: { i } },
          })),
        ),
      );
      created = items.map((item) => dataOf<SessionInfo>(item));
    });

    async function allPages(input: object): Promise<SessionInfo[][]> {
      const pages: SessionInfo[][] = [];
      for (let cursor: string | null | undefined; cursor !== null;) {
        const more = cursor === undefined ? {} : { cursor };
        const page = await call<SessionPage>(url, "session.list", { ...input, ...more });
        expect(Object.keys(page).toSorted()).toEqual(["items", "nextCursor"]);
        pages.push(page.items);
        cursor = page.nextCursor;
      }
      return pages;
    }

    const byId = (sessions: SessionInfo[]) =>
      sessions.toSorted((a, b) => (a.sessionId < b.sessionId ? -1 : 1));

    it("give the sessions of a node whole", async () => {
      const page = await call<SessionPage>(url, "session.list", { nodeId: "list-b" });

      expect(page.nextCursor).toBe(null);
      expect(byId(page.items)).toStrictEqual(
        byId(created.filter(({ nodeId }) => nodeId === "list-b")),
      );
      expect(await call(url, "session.count", { nodeId: "list-b" })).toStrictEqual({
        active: EACH,
      });
    });

    it("give a node's sessions in pages, each once", async () => {
      const pages = await allPages({ nodeId: "list-a", limit: 5 });

      expect(pages.map((page) => page.length)).toEqual([5, 5, 2]);
      expect(byId(pages.flat())).toStrictEqual(
        byId(created.filter(({ nodeId }) => nodeId === "list-a")),
      );
    });

    it("give the sessions of all nodes in pages, each once", async () => {
      for (const limit of [1, 7, EACH, 1_000]) {
        const pages = await allPages({ limit });

        const ours = pages.flat().filter(({ nodeId }) => NODES.includes(nodeId));
        expect(pages.slice(0, -1).every((page) => page.length === limit)).toBe(true);
        expect(byId(ours)).toStrictEqual(byId(created));
      }
    });

    it("count all nodes together", async () => {
      const all = (await allPages({ limit: 1_000 })).flat();

      expect(await call(url, "session.count")).toStrictEqual({ active: all.length });
      expect(await call(url, "session.count", {})).toStrictEqual({ active: all.length });
    });

    it("are empty for a node that nobody used", async () => {
      expect(await call(url, "session.list", { nodeId: "nobody" })).toStrictEqual({
        items: [],
        nextCursor: null,
      });
      expect(await call(url, "session.count", { nodeId: "nobody" })).toStrictEqual({ active: 0 });
    });

    it("leave out what was deleted", async () => {
      const { sessionId } = await create({ nodeId: "list-deleted" });
      await create({ nodeId: "list-deleted" });

      await call(url, "session.delete", { sessionId });

      const { items } = await call<SessionPage>(url, "session.list", { nodeId: "list-deleted" });
      expect(items.map((item) => item.sessionId)).not.toContain(sessionId);
      expect(items).toHaveLength(1);
      expect(await call(url, "session.count", { nodeId: "list-deleted" })).toEqual({ active: 1 });
    });

    it.each([{ cursor: "x" }, { cursor: "0:x" }, { cursor: "x", nodeId: "list-a" }])(
      "refuse a cursor that no list has given: %j",
      async (input) => {
        expectError(await tryCall(url, "session.list", input), "INVALID_INPUT");
      },
    );
  });

  describe("extend", () => {
    it("moves the expiry by the time given, and leaves the session's own time to live", async () => {
      const { sessionId } = await create({ ttlSeconds: 60 });

      const before = Date.now();
      const extended = await call<{ expiresAt: Date; ttlSeconds: number }>(url, "session.extend", {
        sessionId,
        ttlSeconds: 1_000,
      });

      expect(extended).toStrictEqual({ expiresAt: expect.any(Date), ttlSeconds: 60 });
      expect(extended.expiresAt.getTime()).toBeGreaterThanOrEqual(before + 1_000_000);
      expect(extended.expiresAt.getTime()).toBeLessThanOrEqual(Date.now() + 1_000_000);
      // Using the session would prolong it by less: an extension is never taken back.
      expect((await get(sessionId)).expiresAt).toEqual(extended.expiresAt);
    });

    it("never shortens, and means the session's own time to live when it names none", async () => {
      const { sessionId, expiresAt } = await create({ ttlSeconds: 1_000 });

      const shorter = await call<{ expiresAt: Date }>(url, "session.extend", {
        sessionId,
        ttlSeconds: 1,
      });
      const own = await call<{ expiresAt: Date }>(url, "session.extend", { sessionId });

      expect(shorter.expiresAt).toEqual(expiresAt);
      expect(own.expiresAt.getTime()).toBeGreaterThanOrEqual(expiresAt.getTime());
      expect(own.expiresAt.getTime()).toBeLessThanOrEqual(Date.now() + 1_000_000);
    });
  });

  describe("configure", () => {
    const configure = (sessionId: string, config: object) =>
      call<{ config: SessionConfig }>(url, "session.configure", { sessionId, config });

    it("changes what is given and keeps the rest", async () => {
      const { sessionId } = await create({ config: { persistence: 7, recallThreshold: 0.5 } });

      const { config, ...rest } = await configure(sessionId, {
        persistence: 8,
        affinityEmotive: "joy",
      });

      const expected = {
        ...DEFAULT_CONFIG,
        persistence: 8,
        recallThreshold: 0.5,
        affinityEmotive: "joy",
      };
      expect(rest).toEqual({});
      expect(config).toStrictEqual(expected);
      expect((await get(sessionId)).config).toStrictEqual(expected);
    });

    it("unsets what is null", async () => {
      const { sessionId } = await create({ config: OTHER_CONFIG });
      const unset = Object.fromEntries(Object.keys(OTHER_CONFIG).map((key) => [key, null]));

      const { config } = await configure(sessionId, unset);

      expect(config).toStrictEqual(DEFAULT_CONFIG);
      expect((await get(sessionId)).config).toStrictEqual(DEFAULT_CONFIG);
    });

    it("changes nothing when nothing is given", async () => {
      const { sessionId } = await create({ config: { persistence: 7 } });

      const { config } = await configure(sessionId, {});

      expect(config).toStrictEqual({ ...DEFAULT_CONFIG, persistence: 7 });
    });

    it("changes once for one request id, and tells what applied then", async () => {
      const { sessionId } = await create();
      const first = { sessionId, config: { persistence: 8 }, requestId: "configure-1" };
      await call(url, "session.configure", first);
      await configure(sessionId, { persistence: 9 });

      const again = await call<{ config: SessionConfig }>(url, "session.configure", first);

      expect(again).toMatchObject({ config: { persistence: 8 }, replayed: true });
      expect((await get(sessionId)).config.persistence).toBe(9);
    });

    it("does not toggle sortSymbols with useTokenMatching", async () => {
      const { sessionId } = await create();

      const { config } = await configure(sessionId, { useTokenMatching: false });

      expect(config.sortSymbols).toBe(true);
    });

    it("keeps short-term memory and time", async () => {
      const { sessionId } = await create();
      await call(url, "session.observe", { sessionId, strings: ["b", "a"] });

      await configure(sessionId, { sortSymbols: false });

      expect(await call(url, "session.stm", { sessionId })).toMatchObject({
        stm: [["a", "b"]],
        time: 1,
      });
    });

    it.each(
      Object.entries(BAD_CONFIG).flatMap(([key, values]) =>
        values.map((value) => [key, value] as const),
      ),
    )("refuses %s %j, and applies nothing of the call", async (key, value) => {
      const { sessionId } = await create({ config: { persistence: 7 } });
      const good = key === "persistence" ? { recallThreshold: 0.9 } : { persistence: 9 };

      const reply = await tryCall(url, "session.configure", {
        sessionId,
        config: { ...good, [key]: value },
      });

      const error = expectError(reply, "INVALID_INPUT");
      expect(error.data.issues?.[0]?.path).toMatch(new RegExp(`^config\\.${key}`));
      expect((await get(sessionId)).config).toStrictEqual({ ...DEFAULT_CONFIG, persistence: 7 });
    });

    it.each(["indexerType", "sort", "minhashBands", "sessionId", "__proto__", "constructor"])(
      "refuses the unknown setting %s, and applies nothing of the call",
      async (key) => {
        const { sessionId } = await create();
        // Parsed, since a literal's `__proto__` would set the prototype.
        const config = JSON.parse(`{"persistence":9,${JSON.stringify(key)}:1}`) as object;

        const reply = await tryCall(url, "session.configure", { sessionId, config });

        const error = expectError(reply, "INVALID_INPUT");
        expect(error.message).toContain(key);
        expect((await get(sessionId)).config).toStrictEqual(DEFAULT_CONFIG);
      },
    );

    it("tells all that is wrong at once", async () => {
      const { sessionId } = await create();

      const reply = await tryCall(url, "session.configure", {
        sessionId,
        config: { persistence: 0, recallThreshold: 2, stmMode: "x" },
      });

      const issues = expectError(reply, "INVALID_INPUT").data.issues ?? [];
      expect(issues.map(({ path }) => path).toSorted()).toEqual([
        "config.persistence",
        "config.recallThreshold",
        "config.stmMode",
      ]);
      expect(issues.find(({ path }) => path === "config.persistence")).toStrictEqual({
        path: "config.persistence",
        rule: "too_small",
        message: expect.stringContaining("1"),
        value: "0",
      });
    });
  });

  describe("stm and clearStm", () => {
    it("are empty at first", async () => {
      const { sessionId } = await create();

      expect(await call(url, "session.stm", { sessionId })).toStrictEqual({
        sessionId,
        stm: [],
        length: 0,
        time: 0,
      });
      expect(await call(url, "session.percept", { sessionId })).toStrictEqual({
        sessionId,
        strings: [],
        vectors: [],
        emotives: {},
        path: [],
        metadata: {},
      });
    });

    it("empty memory, accumulators and percept, set the time to 0, and keep the settings", async () => {
      const { sessionId } = await create({ config: { persistence: 7 } });
      await call(url, "session.observe", {
        sessionId,
        strings: ["a"],
        vectors: [[1]],
        emotives: { joy: 4 },
        metadata: { a: 1 },
      });

      expect(await call(url, "session.clearStm", { sessionId })).toStrictEqual({ cleared: true });

      expect(await call<StmReply>(url, "session.stm", { sessionId })).toStrictEqual({
        sessionId,
        stm: [],
        length: 0,
        time: 0,
      });
      expect(await call(url, "session.percept", { sessionId })).toMatchObject({
        strings: [],
        vectors: [],
        emotives: {},
        metadata: {},
      });
      expect((await get(sessionId)).config.persistence).toBe(7);

      await call(url, "session.observe", { sessionId, strings: ["b"], emotives: { joy: 2 } });
      expect(await call(url, "session.stm", { sessionId })).toMatchObject({
        stm: [["b"]],
        time: 1,
      });
      expect(await call(url, "session.percept", { sessionId })).toMatchObject({
        emotives: { joy: 2 },
      });
    });

    it("clear once for one request id", async () => {
      const { sessionId } = await create();
      const clear = () => call(url, "session.clearStm", { sessionId, requestId: "clear-1" });

      await clear();
      await call(url, "session.observe", { sessionId, strings: ["a"] });

      expect(await clear()).toStrictEqual({ cleared: true, replayed: true });
      expect(await call(url, "session.stm", { sessionId })).toMatchObject({
        stm: [["a"]],
        time: 1,
      });
    });
  });

  describe("delete", () => {
    it("tells whether there was a session, and ends it", async () => {
      const { sessionId } = await create();

      expect(await call(url, "session.delete", { sessionId })).toStrictEqual({ deleted: true });
      expect(await call(url, "session.delete", { sessionId })).toStrictEqual({ deleted: false });
      expect(await call(url, "session.delete", { sessionId: MISSING })).toStrictEqual({
        deleted: false,
      });
      expectError(await tryCall(url, "session.get", { sessionId }), "SESSION_NOT_FOUND");
    });
  });

  const ON_A_SESSION: [Procedure, object][] = [
    ["session.get", {}],
    ["session.extend", {}],
    ["session.configure", { config: {} }],
    ["session.observe", { strings: ["a"] }],
    ["session.observeSequence", { observations: [] }],
    ["session.observeSequence", { observations: [{ strings: ["a"] }] }],
    ["session.stm", {}],
    ["session.clearStm", {}],
    ["session.percept", {}],
  ];

  it.each(ON_A_SESSION)(
    "%s of a session that is not there is SESSION_NOT_FOUND: %j",
    async (procedure, input) => {
      const { sessionId: deleted } = await create();
      await call(url, "session.delete", { sessionId: deleted });

      for (const sessionId of [MISSING, deleted, "any text", "session-0-1"]) {
        const error = expectError(
          await tryCall(url, procedure, { sessionId, ...input }),
          "SESSION_NOT_FOUND",
        );
        expect(error.data.sessionId).toBe(sessionId);
        expect(error.message).toContain(sessionId);
        expect(error.data.path).toBe(procedure);
      }
    },
  );
});
