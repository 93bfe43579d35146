import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type {
  ObserveReply,
  ObserveSequenceReply,
  Percept,
  SessionInfo,
  StmReply,
} from "@kato-rpc/shared/session.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";
import { startTestApp } from "../support/test-app.ts";
import { call, expectError, tryCall } from "../support/wire.ts";

/** The names of vectors, from the table of the specification. */
const NAMES = {
  "[1,2,3]": "VCTR|fe5de4472f7e4d5c9cdd19cadebfa06fe3da8e43",
  "[0.5,-0.5]": "VCTR|566a428b4fcbaa7b13f8a7d2d32eed51f0013830",
  "[]": "VCTR|97d170e1550eee4afc0af065b78cda302a97674c",
};

describe.each(STORE_KINDS)("observing on %s", (kind) => {
  let url: string;
  let stack: AsyncDisposableStack;

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    const store = stack.use(await openTestStore(kind));
    ({ url } = stack.use(await startService({ store: store.url })));
  });
  afterAll(() => stack.disposeAsync());

  async function create(input: object = {}): Promise<string> {
    const info = await call<SessionInfo>(url, "session.create", { nodeId: "n", ...input });
    return info.sessionId;
  }
  const observe = (sessionId: string, input: object) =>
    call<ObserveReply>(url, "session.observe", { sessionId, ...input });
  const observeSequence = (sessionId: string, input: object) =>
    call<ObserveSequenceReply>(url, "session.observeSequence", { sessionId, ...input });
  const stm = (sessionId: string) => call<StmReply>(url, "session.stm", { sessionId });
  const percept = (sessionId: string) => call<Percept>(url, "session.percept", { sessionId });

  /** All that observing can change. */
  async function state(sessionId: string) {
    const { expiresAt: _, ...info } = await call<SessionInfo>(url, "session.get", { sessionId });
    return { info, stm: await stm(sessionId), percept: await percept(sessionId) };
  }

  describe("observe", () => {
    it("appends an event and tells where it stands", async () => {
      const sessionId = await create();

      const first = await observe(sessionId, { strings: ["a"] });
      const second = await observe(sessionId, { strings: ["b"], observationId: "mine" });

      expect(first).toStrictEqual({
        sessionId,
        nodeId: "n",
        observationId: expect.stringMatching(/^obs-[0-9a-f]{32}$/),
        time: 1,
        stmLength: 1,
        learned: null,
        replayed: false,
      });
      expect(second).toStrictEqual({
        sessionId,
        nodeId: "n",
        observationId: "mine",
        time: 2,
        stmLength: 2,
        learned: null,
        replayed: false,
      });
      expect(await stm(sessionId)).toStrictEqual({
        sessionId,
        stm: [["a"], ["b"]],
        length: 2,
        time: 2,
      });
    });

    it("sorts symbols by code point and keeps repeats", async () => {
      const sessionId = await create();
      const strings = ["\u{1F600}", "\uFF5E", "b", "10", "9", "B", "", "b", "a", "é"];

      await observe(sessionId, { strings });

      const sorted = ["", "10", "9", "B", "a", "b", "b", "é", "\uFF5E", "\u{1F600}"];
      expect((await stm(sessionId)).stm).toEqual([sorted]);
      expect((await percept(sessionId)).strings).toEqual(sorted);
    });

    it("keeps the order given where sortSymbols is off", async () => {
      const sessionId = await create({ config: { sortSymbols: false } });

      await observe(sessionId, { strings: ["b", "a", "c"] });

      expect((await stm(sessionId)).stm).toEqual([["b", "a", "c"]]);
      expect((await percept(sessionId)).strings).toEqual(["b", "a", "c"]);
    });

    it("keeps any symbol as it is", async () => {
      const sessionId = await create();
      const strings = [
        "\u0000",
        "nul\u0000x",
        "tab\t",
        "line\r\n",
        "\\",
        '"',
        "\u2028",
        "VCTR|x",
        "x".repeat(1_024),
      ];

      await observe(sessionId, { strings: strings.toSorted() });

      expect((await stm(sessionId)).stm).toEqual([strings.toSorted()]);
    });

    it.each([
      {},
      { strings: [] },
      { vectors: [] },
      { strings: [], vectors: [], emotives: {}, metadata: {} },
    ])("of nothing advances the time and leaves short-term memory alone: %j", async (nothing) => {
      const sessionId = await create();
      await observe(sessionId, { strings: ["a"], metadata: { seen: 1 } });

      const reply = await observe(sessionId, nothing);

      expect(reply).toMatchObject({ time: 2, stmLength: 1 });
      expect(await stm(sessionId)).toMatchObject({ stm: [["a"]], length: 1, time: 2 });
      expect(await percept(sessionId)).toMatchObject({ strings: [], metadata: {} });
    });

    it("puts the name of the vectors' sum before the strings", async () => {
      const sessionId = await create();

      const other = await create();

      await observe(sessionId, { strings: ["b", "A"], vectors: [[1, 2, 3]] });
      await observe(sessionId, { vectors: [[]] });
      await observe(other, {
        vectors: [
          [0.25, -0.5],
          [0.25, 0],
        ],
      });

      expect((await stm(sessionId)).stm).toEqual([[NAMES["[1,2,3]"], "A", "b"], [NAMES["[]"]]]);
      expect((await stm(other)).stm).toEqual([[NAMES["[0.5,-0.5]"]]]);
    });

    it("refuses vectors of unequal dimension, and writes nothing", async () => {
      const sessionId = await create();
      await observe(sessionId, { strings: ["a"] });
      const before = await state(sessionId);

      const reply = await tryCall(url, "session.observe", {
        sessionId,
        vectors: [
          [1, 2, 3],
          [1, 2],
        ],
      });

      const error = expectError(reply, "VECTOR_DIMENSION_MISMATCH");
      expect(error.data).toMatchObject({ expected: 3, actual: 2 });
      expect(await state(sessionId)).toEqual(before);
    });

    it("replies to a repeated id what it replied first, and changes nothing", async () => {
      const sessionId = await create();
      const first = await observe(sessionId, { strings: ["a"], observationId: "id" });
      await observe(sessionId, { strings: ["b"] });
      const before = await state(sessionId);

      const again = await observe(sessionId, { strings: ["a"], observationId: "id" });

      expect(again).toStrictEqual({ ...first, replayed: true });
      expect(await state(sessionId)).toEqual(before);
    });

    it("knows an id on its own session only", async () => {
      const [one, other] = [await create(), await create()];
      await observe(one, { strings: ["a"], observationId: "id" });

      expect(await observe(other, { strings: ["a"], observationId: "id" })).toMatchObject({
        time: 1,
        replayed: false,
      });
    });

    it("remembers an id beyond clearStm", async () => {
      const sessionId = await create();
      await observe(sessionId, { strings: ["a"], observationId: "id" });
      await call(url, "session.clearStm", { sessionId });

      expect(await observe(sessionId, { strings: ["a"], observationId: "id" })).toMatchObject({
        time: 1,
        stmLength: 1,
        replayed: true,
      });
      expect(await stm(sessionId)).toMatchObject({ stm: [], time: 0 });
    });

    it("takes the time that it expects, and answers TIME_CONFLICT to another", async () => {
      const sessionId = await create();
      await observe(sessionId, { strings: ["a"], expectedTime: 0 });
      await observe(sessionId, { strings: ["b"], expectedTime: 1, emotives: { joy: 1 } });
      const before = await state(sessionId);

      for (const expectedTime of [0, 1, 3, 100]) {
        const reply = await tryCall(url, "session.observe", {
          sessionId,
          strings: ["c"],
          emotives: { joy: 5 },
          expectedTime,
          observationId: `conflicting-${expectedTime}`,
        });

        const error = expectError(reply, "TIME_CONFLICT");
        expect(error.data).toMatchObject({ actualTime: 2, sessionId });
        expect(error.message).toContain("2");
      }
      expect(await state(sessionId)).toEqual(before);
    });

    it("does not remember the id of a refused observation", async () => {
      const sessionId = await create();
      const input = { strings: ["a"], observationId: "id" };
      await tryCall(url, "session.observe", { sessionId, ...input, expectedTime: 9 });

      expect(await observe(sessionId, { ...input, expectedTime: 0 })).toMatchObject({
        time: 1,
        replayed: false,
      });
    });

    it("repeats a reply whatever time is expected", async () => {
      const sessionId = await create();
      const input = { strings: ["a"], observationId: "id", expectedTime: 0 };
      const first = await observe(sessionId, input);

      expect(await observe(sessionId, input)).toStrictEqual({ ...first, replayed: true });
    });
  });

  describe("percept", () => {
    it("is the last observation, with the average of all emotives", async () => {
      const sessionId = await create();
      await observe(sessionId, {
        strings: ["b", "a"],
        vectors: [[1, 2.5]],
        emotives: { joy: 1, fear: -2 },
        metadata: { source: "first" },
      });
      await observe(sessionId, {
        strings: ["c"],
        emotives: { joy: 3 },
        metadata: { n: [1, null] },
      });

      expect(await percept(sessionId)).toStrictEqual({
        sessionId,
        strings: ["c"],
        vectors: [],
        emotives: { joy: 2, fear: -2 },
        path: [],
        metadata: { n: [1, null] },
      });
    });

    it("keeps the vectors as they came", async () => {
      const sessionId = await create();
      const vectors = [
        [0.1, -1e-7, 1e300],
        [1, 2, 3],
      ];

      await observe(sessionId, { vectors });

      expect((await percept(sessionId)).vectors).toEqual(vectors);
    });

    it("averages emotives of observations without symbols too", async () => {
      const sessionId = await create();
      await observe(sessionId, { strings: ["a"], emotives: { e: 1 } });
      await observe(sessionId, { emotives: { e: 3 } });

      expect(await percept(sessionId)).toMatchObject({ strings: [], emotives: { e: 2 } });
      expect(await stm(sessionId)).toMatchObject({ stm: [["a"]], time: 2 });
    });

    it("averages the newest thousand emotives", async () => {
      const sessionId = await create();
      const observations = Array.from({ length: 1_010 }, (_, i) => ({ emotives: { e: i } }));

      await observeSequence(sessionId, { observations });

      // 10 to 1,009 remain.
      expect((await percept(sessionId)).emotives).toEqual({ e: 509.5 });
    });
  });

  describe("observeSequence", () => {
    it("observes all in order and tells each result", async () => {
      const sessionId = await create();
      await observe(sessionId, { strings: ["first"] });

      const reply = await observeSequence(sessionId, {
        observations: [
          { strings: ["b", "a"] },
          { observationId: "given", strings: ["c"] },
          {},
          { vectors: [[1, 2, 3]], emotives: { joy: 1 }, metadata: { last: true } },
        ],
        requestId: "sequence-1",
      });

      const result = (observationId: string, time: number, stmLength: number) => ({
        sessionId,
        nodeId: "n",
        observationId,
        time,
        stmLength,
        learned: null,
        replayed: false,
      });
      expect(reply).toStrictEqual({
        sessionId,
        nodeId: "n",
        results: [
          result("seq-obs-sequence-1.0", 2, 2),
          result("given", 3, 3),
          result("seq-obs-sequence-1.2", 4, 3),
          result("seq-obs-sequence-1.3", 5, 4),
        ],
        learned: [],
        finalLearned: null,
        initialStmLength: 1,
        finalStmLength: 4,
        time: 5,
        replayed: false,
      });
      expect(await stm(sessionId)).toMatchObject({
        stm: [["first"], ["a", "b"], ["c"], [NAMES["[1,2,3]"]]],
        time: 5,
      });
      expect(await percept(sessionId)).toMatchObject({
        strings: [],
        vectors: [[1, 2, 3]],
        emotives: { joy: 1 },
        metadata: { last: true },
      });
    });

    it("does all or nothing", async () => {
      const sessionId = await create();
      await observe(sessionId, { strings: ["a"], emotives: { joy: 1 } });
      const before = await state(sessionId);

      const unequal = [{ strings: ["b"] }, { vectors: [[1], [1, 2]] }, { strings: ["c"] }];
      const error = expectError(
        await tryCall(url, "session.observeSequence", {
          sessionId,
          observations: unequal,
          requestId: "r",
        }),
        "VECTOR_DIMENSION_MISMATCH",
      );
      const untyped = [{ strings: ["b"] }, { strings: [1] }];
      const invalid = expectError(
        await tryCall(url, "session.observeSequence", { sessionId, observations: untyped }),
        "INVALID_INPUT",
      );

      expect(error.data).toMatchObject({ expected: 1, actual: 2 });
      expect(invalid.data.issues?.[0]?.path).toBe("observations[1].strings[0]");
      expect(await state(sessionId)).toEqual(before);
      // Nor is its id remembered.
      const retried = await observeSequence(sessionId, {
        observations: [{ strings: ["b"] }],
        requestId: "r",
      });
      expect(retried).toMatchObject({ time: 2, replayed: false });
    });

    it("clears short-term memory between observations, not before the first, and keeps the time", async () => {
      const sessionId = await create();
      await observe(sessionId, { strings: ["before"] });

      const reply = await observeSequence(sessionId, {
        observations: [{ strings: ["a"] }, { strings: ["b"] }, { strings: ["c"] }],
        clearStmBetween: true,
      });

      expect(reply.results.map(({ time, stmLength }) => [time, stmLength])).toEqual([
        [2, 2],
        [3, 1],
        [4, 1],
      ]);
      expect(reply).toMatchObject({ initialStmLength: 1, finalStmLength: 1, time: 4 });
      expect(await stm(sessionId)).toMatchObject({ stm: [["c"]], time: 4 });
    });

    it("replies to a repeated request id what it replied first, and changes nothing", async () => {
      const sessionId = await create();
      const input = {
        observations: [{ strings: ["a"] }, { strings: ["b"], observationId: "b" }],
        requestId: "once",
      };
      const first = await observeSequence(sessionId, input);
      await observe(sessionId, { strings: ["c"] });
      const before = await state(sessionId);

      const again = await observeSequence(sessionId, input);

      expect(again).toStrictEqual({
        ...first,
        replayed: true,
        results: first.results.map((result) => ({ ...result, replayed: true })),
      });
      expect(await state(sessionId)).toEqual(before);
    });

    it("leaves out items whose id was observed before, and does the others", async () => {
      const sessionId = await create();
      await observe(sessionId, { strings: ["a"], observationId: "a" });

      const reply = await observeSequence(sessionId, {
        observations: [
          { strings: ["b"], observationId: "b" },
          { strings: ["a"], observationId: "a" },
          { strings: ["b"], observationId: "b" },
          { strings: ["c"], observationId: "c" },
        ],
      });

      expect(reply.results.map(({ time, replayed }) => [time, replayed])).toEqual([
        [2, false],
        [1, true],
        [2, true],
        [3, false],
      ]);
      expect(reply).toMatchObject({ time: 3, finalStmLength: 3, replayed: false });
      expect(await stm(sessionId)).toMatchObject({ stm: [["a"], ["b"], ["c"]], time: 3 });
      expect(await observe(sessionId, { strings: ["c"], observationId: "c" })).toMatchObject({
        time: 3,
        replayed: true,
      });
    });

    it("of nothing does nothing", async () => {
      const sessionId = await create();
      await observe(sessionId, { strings: ["a"] });

      expect(await observeSequence(sessionId, { observations: [] })).toStrictEqual({
        sessionId,
        nodeId: "n",
        results: [],
        learned: [],
        finalLearned: null,
        initialStmLength: 1,
        finalStmLength: 1,
        time: 1,
        replayed: false,
      });
    });

    it.each(["predict", "expectedTime"])(
      "refuses what only a single observation takes: %s",
      async (flag) => {
        const sessionId = await create();

        const error = expectError(
          await tryCall(url, "session.observeSequence", {
            sessionId,
            observations: [{ strings: ["a"] }],
            [flag]: false,
          }),
          "INVALID_INPUT",
        );

        expect(error.message).toContain(flag);
        expect(await stm(sessionId)).toMatchObject({ length: 0, time: 0 });
      },
    );
  });

  it("keeps the newest thousand events", async () => {
    const sessionId = await create();
    const observations = Array.from({ length: 1_005 }, (_, i) => ({ strings: [`${i}`] }));

    const reply = await observeSequence(sessionId, { observations });
    const next = await observe(sessionId, { strings: ["next"] });

    expect(reply).toMatchObject({ finalStmLength: 1_000, time: 1_005 });
    expect(next).toMatchObject({ stmLength: 1_000, time: 1_006 });
    const { stm: events, length } = await stm(sessionId);
    expect(length).toBe(1_000);
    expect([events[0], events.at(-2), events.at(-1)]).toEqual([["6"], ["1004"], ["next"]]);
  });
});

describe("KATO_STM_LIMIT", () => {
  it("is how many events a session keeps", async () => {
    await using app = await startTestApp({ settings: { KATO_STM_LIMIT: "3" } });
    const { sessionId } = await call<SessionInfo>(app.url, "session.create", { nodeId: "n" });

    const lengths: number[] = [];
    for (const symbol of ["a", "b", "c", "d", "e"]) {
      const reply = await call<ObserveReply>(app.url, "session.observe", {
        sessionId,
        strings: [symbol],
      });
      lengths.push(reply.stmLength);
    }

    expect(lengths).toEqual([1, 2, 3, 3, 3]);
    expect(await call(app.url, "session.stm", { sessionId })).toStrictEqual({
      sessionId,
      stm: [["c"], ["d"], ["e"]],
      length: 3,
      time: 5,
    });
  });
});
