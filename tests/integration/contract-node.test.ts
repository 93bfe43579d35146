import type { NodeStats, NodeSymbol, Pattern } from "@kato-rpc/shared/node.ts";
import type {
  Cognition,
  LearnReply,
  ObserveReply,
  ObserveSequenceReply,
  PredictReply,
  StmReply,
} from "@kato-rpc/shared/session.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  allPatterns,
  createSession,
  learnEvents,
  observeEvents,
  predictAfter,
} from "../support/node-calls.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";
import { call, expectError, tryCall } from "../support/wire.ts";

/** The hash of [["a"],["b"]]. */
const AB = "PTRN|76d7efca2e96cb5eeddf4e06ac96a0f424630135";

describe.each(STORE_KINDS)("long-term memory on %s", (kind) => {
  let url: string;
  let stack: AsyncDisposableStack;
  let nodes = 0;

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    const store = stack.use(await openTestStore(kind));
    ({ url } = stack.use(await startService({ store: store.url, workers: 2 })));
  });
  afterAll(() => stack.disposeAsync());

  function newNode(): string {
    nodes += 1;
    return `node ${nodes}`;
  }

  describe("session.learn", () => {
    it("names the pattern, counts its learns and empties short-term memory, but not time", async () => {
      const nodeId = newNode();
      const sessionId = await createSession(url, nodeId);
      await observeEvents(url, sessionId, [["a"], ["b"]]);

      const first = await call<LearnReply>(url, "session.learn", { sessionId });
      await observeEvents(url, sessionId, [["a"], ["b"]]);
      const second = await call<LearnReply>(url, "session.learn", { sessionId });

      expect(first).toEqual({ sessionId, nodeId, learned: AB, frequency: 1, replayed: false });
      expect(second).toMatchObject({ learned: AB, frequency: 2 });
      expect(await call<StmReply>(url, "session.stm", { sessionId })).toMatchObject({
        stm: [],
        time: 4,
      });
    });

    it("answers a repeated request with the first reply, and counts once", async () => {
      const nodeId = newNode();
      const sessionId = await createSession(url, nodeId);
      await observeEvents(url, sessionId, [["a"], ["b"]]);
      const input = { sessionId, requestId: "once" };
      const first = await call<LearnReply>(url, "session.learn", input);
      await observeEvents(url, sessionId, [["c"]]);

      const again = await call<LearnReply>(url, "session.learn", input);

      expect(again).toEqual({ ...first, replayed: true });
      expect(await call(url, "session.stm", { sessionId })).toMatchObject({ stm: [["c"]] });
      expect(await call(url, "node.stats", { nodeId })).toMatchObject({ frequencies: 1 });
    });

    it("says why one symbol is not learned, and refuses an empty short-term memory", async () => {
      const nodeId = newNode();
      const sessionId = await createSession(url, nodeId);
      const empty = expectError(
        await tryCall(url, "session.learn", { sessionId }),
        "INVALID_INPUT",
      );
      await observeEvents(url, sessionId, [["a"]]);

      const reply = await call<LearnReply>(url, "session.learn", { sessionId });

      expect(empty.data.reason).toBe("EMPTY_STM");
      expect(reply).toMatchObject({ learned: null, frequency: 0, reason: "TOO_FEW_SYMBOLS" });
      expect(await call(url, "session.stm", { sessionId })).toMatchObject({ length: 0 });
      expect(await allPatterns(url, nodeId)).toEqual([]);
    });

    it("keeps emotives and metadata with the pattern, by the session's persistence", async () => {
      const nodeId = newNode();
      const sessionId = await createSession(url, nodeId, { persistence: 2 });
      for (const [i, symbol] of ["a", "b", "c"].entries()) {
        const input = { sessionId, strings: [symbol], emotives: { joy: i }, metadata: { n: i } };
        await call(url, "session.observe", input);
      }

      const { learned } = await call<LearnReply>(url, "session.learn", { sessionId });

      const pattern = await call<Pattern>(url, "node.pattern", { nodeId, name: learned });
      expect(pattern).toEqual({
        name: learned,
        events: [["a"], ["b"], ["c"]],
        length: 3,
        frequency: 1,
        emotives: [{ joy: 1 }, { joy: 2 }],
        metadata: { n: ["0", "1", "2"] },
      });
      const { items } = await call<{ items: NodeSymbol[] }>(url, "node.symbols", { nodeId });
      expect(items.map(({ symbol, affinity }) => [symbol, affinity])).toEqual([
        ["a", { joy: 1 }],
        ["b", { joy: 1 }],
        ["c", { joy: 1 }],
      ]);
    });

    it("happens within observe once short-term memory is long enough, and rolls on", async () => {
      const nodeId = newNode();
      const config = { maxPatternLength: 2, stmMode: "ROLLING" };
      const sessionId = await createSession(url, nodeId, config);

      const replies: ObserveReply[] = [];
      for (const symbol of ["a", "b", "c"]) {
        replies.push(await call(url, "session.observe", { sessionId, strings: [symbol] }));
      }

      expect(replies.map(({ learned, stmLength }) => [learned !== null, stmLength])).toEqual([
        [false, 1],
        [true, 1],
        [true, 1],
      ]);
      expect(replies[1]?.learned).toBe(AB);
      expect(await allPatterns(url, nodeId)).toMatchObject([
        { events: [["a"], ["b"]] },
        { events: [["b"], ["c"]] },
      ]);
    });

    it("happens within observeSequence with the rest of it, or not at all", async () => {
      const nodeId = newNode();
      const sessionId = await createSession(url, nodeId);
      const observations = [{ strings: ["a", "b"] }, { strings: ["c", "d"] }];
      const refused = [...observations, { vectors: [[1], [1, 2]] }];
      const flags = { learnAfterEach: true, clearStmBetween: true };

      expectError(
        await tryCall(url, "session.observeSequence", {
          sessionId,
          observations: refused,
          ...flags,
        }),
        "VECTOR_DIMENSION_MISMATCH",
      );
      const before = await allPatterns(url, nodeId);
      const reply = await call<ObserveSequenceReply>(url, "session.observeSequence", {
        sessionId,
        observations,
        ...flags,
      });

      expect(before).toEqual([]);
      expect(reply).toMatchObject({ finalLearned: null, finalStmLength: 0, time: 2 });
      expect((await allPatterns(url, nodeId)).map(({ name }) => name)).toEqual(reply.learned);
    });
  });

  describe("session.predict", () => {
    it("says what the patterns of the node say, and which future they agree on", async () => {
      const nodeId = newNode();
      await learnEvents(url, nodeId, [["a"], ["b"], ["c"]]);
      await learnEvents(url, nodeId, [["a"], ["b"], ["d"]]);
      await learnEvents(url, nodeId, [["a"], ["b"], ["d"]]);

      const reply = await predictAfter(url, nodeId, [["a"], ["b"]]);

      expect(reply).toMatchObject({ nodeId, time: 2, empty: null, bestSimilarity: null });
      expect(reply.predictions.map(({ future, frequency }) => [future, frequency])).toEqual([
        [[["d"]], 2],
        [[["c"]], 1],
      ]);
      expect(reply.futurePotentials.map(({ future }) => future)).toEqual([[["d"]], [["c"]]]);
    });

    it("follows the session's settings, and overrides for one call", async () => {
      const nodeId = newNode();
      for (const last of ["c", "d", "e"]) await learnEvents(url, nodeId, [["a"], ["b"], [last]]);
      const sessionId = await createSession(url, nodeId, { maxPredictions: 2 });
      await observeEvents(url, sessionId, [["a"], ["b"]]);
      const predict = async (overrides?: object) => {
        const input = { sessionId, ...(overrides === undefined ? {} : { overrides }) };
        return (await call<PredictReply>(url, "session.predict", input)).predictions.length;
      };

      expect(await predict()).toBe(2);
      expect(await predict({ maxPredictions: 1 })).toBe(1);
      expect(await predict({ maxPredictions: null })).toBe(3);
      expect(await predict()).toBe(2);
    });

    it("says why there are no predictions", async () => {
      const nodeId = newNode();
      await learnEvents(url, nodeId, [["a"], ["b"], ["c"], ["d"]]);
      const pipeline = { filterPipeline: ["length"], lengthMaxRatio: 1 };

      const replies = [
        await predictAfter(url, nodeId, []),
        await predictAfter(url, newNode(), [["a"], ["b"]]),
        await predictAfter(url, nodeId, [["a"], ["x"]], { recallThreshold: 0.9 }),
        await predictAfter(url, nodeId, [["a"], ["b"]], pipeline),
      ];

      expect(replies.map(({ empty, predictions }) => [empty, predictions.length])).toEqual([
        ["NO_SYMBOLS", 0],
        ["NO_PATTERNS", 0],
        ["BELOW_THRESHOLD", 0],
        ["FILTERED", 0],
      ]);
      expect(replies[2]?.bestSimilarity).toBeCloseTo(1 / 3, 9);
    });

    it("sees corrections, forgetting and clearing at once, by every worker", async () => {
      const nodeId = newNode();
      const { learned } = await learnEvents(url, nodeId, [["a"], ["b"], ["c"]]);
      await learnEvents(url, nodeId, [["a"], ["b"], ["d"]]);
      const ask = async () => {
        const replies = await Promise.all(
          Array.from({ length: 6 }, () => predictAfter(url, nodeId, [["a"], ["b"]])),
        );
        const told = replies.map(({ predictions }) =>
          Object.fromEntries(
            predictions.map(({ future, frequency }) => [future.flat().join(), frequency]),
          ),
        );
        expect(told).toEqual(told.map(() => told[0]));
        return told[0];
      };

      await ask();
      await call(url, "node.correct", { nodeId, name: learned, frequency: 7 });
      const corrected = await ask();
      await call(url, "node.forget", { nodeId, name: learned });
      const forgotten = await ask();
      await call(url, "node.clear", { nodeId });
      const cleared = await ask();

      expect(corrected).toEqual({ c: 7, d: 1 });
      expect(forgotten).toEqual({ d: 1 });
      expect(cleared).toEqual({});
    });

    it("comes with observe where that asks for it, before a learn that it causes", async () => {
      const nodeId = newNode();
      await learnEvents(url, nodeId, [["a"], ["b"], ["c"]]);
      const sessionId = await createSession(url, nodeId, { maxPatternLength: 2 });
      const observe = (strings: string[], more: object = {}) =>
        call<ObserveReply>(url, "session.observe", { sessionId, strings, ...more });

      const silent = await observe(["a"]);
      const telling = await observe(["b"], { predict: true });
      await call(url, "session.configure", { sessionId, config: { processPredictions: false } });
      const off = await observe(["a"], { predict: true });

      expect(silent).not.toHaveProperty("predictions");
      expect(telling.learned).toBe(AB);
      expect(telling.predictions).toMatchObject([{ future: [["c"]], frequency: 1 }]);
      expect(off.predictions).toEqual([]);
    });

    it("is left out of a repeat once short-term memory is another", async () => {
      const nodeId = newNode();
      await learnEvents(url, nodeId, [["a"], ["b"], ["c"]]);
      const sessionId = await createSession(url, nodeId);
      const input = { sessionId, strings: ["a", "b"], observationId: "once", predict: true };
      await call(url, "session.observe", input);
      await call(url, "session.learn", { sessionId });

      const again = await call<ObserveReply>(url, "session.observe", input);

      expect(again).toMatchObject({ replayed: true, time: 1 });
      expect(again).not.toHaveProperty("predictions");
    });

    it("tells the same again when its observe is repeated", async () => {
      const nodeId = newNode();
      await learnEvents(url, nodeId, [["a"], ["b"], ["c"]]);
      const sessionId = await createSession(url, nodeId);
      await observeEvents(url, sessionId, [["a"]]);
      const input = { sessionId, strings: ["b"], observationId: "once", predict: true };

      const first = await call<ObserveReply>(url, "session.observe", input);
      const again = await call<ObserveReply>(url, "session.observe", input);

      expect(first.predictions).toHaveLength(1);
      expect(again).toEqual({ ...first, replayed: true });
    });
  });

  describe("vectors", () => {
    it("get the names of those nearest to them, once those were learned", async () => {
      const nodeId = newNode();
      const sessionId = await createSession(url, nodeId);
      const observe = (vectors: number[][]) => call(url, "session.observe", { sessionId, vectors });
      await observe([[0, 0]]);
      await observe([[9, 9]]);
      const waiting = await call<StmReply>(url, "session.stm", { sessionId });
      await call(url, "session.learn", { sessionId });

      await observe([[0, 1]]);

      const { stm } = await call<StmReply>(url, "session.stm", { sessionId });
      expect(waiting.stm.map((event) => event.length)).toEqual([1, 1]);
      expect(stm[0]).toHaveLength(3);
      expect(stm[0]).toEqual(expect.arrayContaining(waiting.stm.flat()));
    });

    it("of another dimension than the node's are refused and change nothing", async () => {
      const nodeId = newNode();
      const sessionId = await createSession(url, nodeId);
      await call(url, "session.observe", { sessionId, vectors: [[0, 0]], strings: ["a"] });
      await call(url, "session.learn", { sessionId });

      const input = { sessionId, vectors: [[1, 2, 3]], strings: ["x"] };
      const refusal = expectError(
        await tryCall(url, "session.observe", input),
        "VECTOR_DIMENSION_MISMATCH",
      );

      expect(refusal.data).toMatchObject({ expected: 2, actual: 3 });
      expect(await call(url, "session.stm", { sessionId })).toMatchObject({ stm: [], time: 1 });
    });

    it("of two dimensions are taken until they would be learned together", async () => {
      const nodeId = newNode();
      const sessionId = await createSession(url, nodeId);
      await call(url, "session.observe", { sessionId, vectors: [[0, 0]] });
      await call(url, "session.observe", { sessionId, vectors: [[1, 2, 3]] });

      const learn = await tryCall(url, "session.learn", { sessionId });

      expectError(learn, "VECTOR_DIMENSION_MISMATCH");
      expect(await call(url, "session.stm", { sessionId })).toMatchObject({ length: 2, time: 2 });
      expect(await allPatterns(url, nodeId)).toEqual([]);
    });

    it("that waited while another session fixed the dimension fail their learn, until the session is cleared", async () => {
      const nodeId = newNode();
      const [two, three] = [await createSession(url, nodeId), await createSession(url, nodeId)];
      await call(url, "session.observe", { sessionId: two, vectors: [[0, 0]], strings: ["a"] });
      await call(url, "session.observe", {
        sessionId: three,
        vectors: [[1, 2, 3]],
        strings: ["b"],
      });
      await call(url, "session.learn", { sessionId: two });

      const learn = await tryCall(url, "session.learn", { sessionId: three });
      const kept = await call<StmReply>(url, "session.stm", { sessionId: three });
      await call(url, "session.clearStm", { sessionId: three });
      await observeEvents(url, three, [["a"], ["b"]]);

      expectError(learn, "VECTOR_DIMENSION_MISMATCH");
      expect(kept.length).toBe(1);
      expect(await call(url, "session.learn", { sessionId: three })).toMatchObject({ learned: AB });
      expect(await call(url, "node.stats", { nodeId })).toMatchObject({ vectors: 1 });
    });
  });

  describe("session.cognition", () => {
    it("has predictions, the newest emotives and all symbols of short-term memory", async () => {
      const nodeId = newNode();
      await learnEvents(url, nodeId, [["a"], ["b", "c"], ["d"]]);
      const sessionId = await createSession(url, nodeId);
      await call(url, "session.observe", { sessionId, strings: ["a"], emotives: { joy: 1 } });
      await call(url, "session.observe", { sessionId, strings: ["c", "b"] });

      const cognition = await call<Cognition>(url, "session.cognition", { sessionId });
      const { predictions } = await call<PredictReply>(url, "session.predict", { sessionId });
      await call(url, "session.observe", { sessionId });
      const afterNothing = await call<Cognition>(url, "session.cognition", { sessionId });

      expect(predictions).toHaveLength(1);
      expect(cognition).toEqual({
        sessionId,
        nodeId,
        predictions,
        emotives: { joy: 1 },
        symbols: ["a", "b", "c"],
        stm: [["a"], ["b", "c"]],
        time: 2,
      });
      expect(afterNothing).toMatchObject({ predictions: [], time: 3 });
    });
  });

  describe("node.*", () => {
    it("tells how much a node holds", async () => {
      const nodeId = newNode();
      await learnEvents(url, nodeId, [["a"], ["b"]]);
      await learnEvents(url, nodeId, [["a"], ["b"]]);
      await learnEvents(url, nodeId, [["a", "c"]]);

      const stats = await call<NodeStats>(url, "node.stats", { nodeId });

      expect(stats).toEqual({
        nodeId,
        patterns: 2,
        symbols: 3,
        frequencies: 3,
        symbolOccurrences: 6,
        vectors: 0,
        sessions: 3,
        bytes: '[["a"],["b"]]'.length + '[["a","c"]]'.length,
      });
      expectError(
        await tryCall(url, "node.stats", { nodeId: "nobody was here" }),
        "NODE_NOT_FOUND",
      );
    });

    it("lists patterns in the order of their first learn, page by page", async () => {
      const nodeId = newNode();
      for (let i = 0; i < 7; i += 1) await learnEvents(url, nodeId, [[`p${i}`], ["x"]]);
      await learnEvents(url, nodeId, [["p0"], ["x"]]);
      const seen: string[] = [];
      let cursor: string | null | undefined;
      do {
        const input: object = { nodeId, limit: 3, ...(cursor ? { cursor } : {}) };
        const page = await call<{ items: Pattern[]; nextCursor: string | null }>(
          url,
          "node.patterns",
          input,
        );
        seen.push(...page.items.map(({ events }) => events[0]![0]!));
        cursor = page.nextCursor;
      } while (cursor !== null);

      expect(seen).toEqual(["p0", "p1", "p2", "p3", "p4", "p5", "p6"]);
    });

    it("ends a page of patterns early when they are long", async () => {
      const nodeId = newNode();
      const symbol = "x".repeat(1_000);
      for (let i = 0; i < 6; i += 1) {
        const sessionId = await createSession(url, nodeId);
        const wide = Array.from({ length: 900 }, (_, k) => `${i} ${k} ${symbol}`);
        await call(url, "session.observe", { sessionId, strings: wide });
        await call(url, "session.learn", { sessionId });
      }

      const page = await call<{ items: Pattern[]; nextCursor: string | null }>(
        url,
        "node.patterns",
        { nodeId },
      );

      expect(page.items).toHaveLength(5);
      expect(page.nextCursor).not.toBeNull();
      expect(await allPatterns(url, nodeId)).toHaveLength(6);
    });

    it("tells statistics of the symbols asked for, zeros for one it does not know", async () => {
      const nodeId = newNode();
      await learnEvents(url, nodeId, [["a"], ["a"], ["b"]]);
      await learnEvents(url, nodeId, [["a"], ["c"]]);

      const input = { nodeId, symbols: ["c", "nothing", "a"] };
      const { items, nextCursor } = await call<{ items: NodeSymbol[]; nextCursor: null }>(
        url,
        "node.symbols",
        input,
      );

      expect(nextCursor).toBeNull();
      expect(items).toEqual([
        { symbol: "c", frequency: 1, patternMemberFrequency: 1, affinity: {} },
        { symbol: "nothing", frequency: 0, patternMemberFrequency: 0, affinity: {} },
        { symbol: "a", frequency: 3, patternMemberFrequency: 2, affinity: {} },
      ]);
    });

    it("lists symbols page by page, however long they are", async () => {
      const nodeId = newNode();
      const symbols = ["a", "é".repeat(512), "😀".repeat(256)];
      for (const symbol of symbols) await learnEvents(url, nodeId, [[symbol, symbol]]);
      const seen: string[] = [];
      let cursor: string | null | undefined;
      do {
        const input: object = { nodeId, limit: 1, ...(cursor ? { cursor } : {}) };
        const page = await call<{ items: NodeSymbol[]; nextCursor: string | null }>(
          url,
          "node.symbols",
          input,
        );
        seen.push(...page.items.map(({ symbol }) => symbol));
        cursor = page.nextCursor;
      } while (cursor !== null);

      expect(seen).toEqual(symbols);
    });

    it("takes a pattern's name with or without its prefix, and says when there is none", async () => {
      const nodeId = newNode();
      await learnEvents(url, nodeId, [["a"], ["b"]]);
      const bare = AB.slice("PTRN|".length);

      for (const name of [AB, bare]) {
        expect(await call(url, "node.pattern", { nodeId, name })).toMatchObject({ name: AB });
      }
      const missing = { nodeId, name: bare.replace("7", "0") };
      for (const procedure of ["node.pattern", "node.forget"] as const) {
        expectError(await tryCall(url, procedure, missing), "PATTERN_NOT_FOUND");
      }
      const correction = { ...missing, frequency: 2 };
      expectError(await tryCall(url, "node.correct", correction), "PATTERN_NOT_FOUND");
      expectError(await tryCall(url, "node.pattern", { nodeId, name: "PTRN|x" }), "INVALID_INPUT");
      expect(await call(url, "node.stats", { nodeId })).toMatchObject({ patterns: 1 });
    });

    it("corrects what is given and leaves the rest", async () => {
      const nodeId = newNode();
      await learnEvents(url, nodeId, [["a"], ["b"]]);
      const metadata = { book: ["z", "a", "z"] };
      const emotives = [{ joy: 1 }, { joy: 2 }];

      const corrected = await call<Pattern>(url, "node.correct", { nodeId, name: AB, metadata });
      await call(url, "node.correct", { nodeId, name: AB, emotives, frequency: 5 });

      const expected = {
        name: AB,
        events: [["a"], ["b"]],
        length: 2,
        metadata: { book: ["a", "z"] },
      };
      expect(corrected).toEqual({ ...expected, frequency: 1, emotives: [] });
      expect(await call(url, "node.pattern", { nodeId, name: AB })).toEqual({
        ...expected,
        frequency: 5,
        emotives,
      });
      expect(await call(url, "node.stats", { nodeId })).toMatchObject({
        frequencies: 5,
        symbolOccurrences: 10,
      });
      expectError(await tryCall(url, "node.correct", { nodeId, name: AB }), "INVALID_INPUT");
    });

    it("clears long-term memory, and leaves the sessions what is theirs", async () => {
      const nodeId = newNode();
      const other = newNode();
      await learnEvents(url, other, [["a"], ["b"]]);
      await learnEvents(url, nodeId, [["a"], ["b"]]);
      const sessionId = await createSession(url, nodeId);
      await observeEvents(url, sessionId, [["a"], ["b"]]);

      await call(url, "node.clear", { nodeId });

      expect(await allPatterns(url, nodeId)).toEqual([]);
      expect(await allPatterns(url, other)).toHaveLength(1);
      expect(await call(url, "session.stm", { sessionId })).toMatchObject({ length: 2 });
      expect(await call(url, "session.learn", { sessionId })).toMatchObject({ frequency: 1 });
    });

    it("lists nothing of a node that it does not know", async () => {
      const nodeId = newNode();

      expect(await call(url, "node.patterns", { nodeId })).toEqual({ items: [], nextCursor: null });
      expect(await call(url, "node.symbols", { nodeId })).toEqual({ items: [], nextCursor: null });
      expect(await call(url, "node.finalize", { nodeId })).toEqual({ patterns: 0 });
    });
  });

  it("keeps any symbol as it is, and no node from another", async () => {
    const symbols = [
      "it's",
      'say "hi"',
      "a\\b",
      "__proto__",
      "constructor",
      "😀",
      "a:b{c}*?[d]",
      "kato:{x}:names",
      "line\nbreak",
      "nul\0",
      "",
      "x".repeat(1_024),
      "\u2028",
    ];
    const nodeIds = ["__proto__", "{a}:*", "constructor", "nöde '\"\\"].map(
      (id) => `${kind} ${id}`,
    );
    for (const nodeId of nodeIds) {
      for (const [i, symbol] of symbols.entries()) {
        const sessionId = await createSession(url, nodeId);
        await call(url, "session.observe", {
          sessionId,
          strings: [symbol],
          emotives: { [symbol.slice(0, 9)]: 1 },
          metadata: { [symbol.slice(0, 9)]: symbol },
        });
        await call(url, "session.observe", { sessionId, strings: [`${nodeId} ${i}`] });
        await call(url, "session.learn", { sessionId });
      }
    }

    for (const nodeId of nodeIds) {
      const patterns = await allPatterns(url, nodeId);
      expect(patterns.map(({ events }) => events)).toEqual(
        symbols.map((symbol, i) => [[symbol], [`${nodeId} ${i}`]]),
      );
      for (const [i, symbol] of symbols.entries()) {
        expect(patterns[i]?.metadata).toEqual(Object.fromEntries([[symbol.slice(0, 9), [symbol]]]));
        const one = await predictAfter(url, nodeId, [[symbol]]);
        expect(one.predictions.map(({ future }) => future)).toEqual([[`${nodeId} ${i}`]]);
        const affinityEmotive = symbol.slice(0, 9) || "x";
        const two = await predictAfter(url, nodeId, [[symbol], [`${nodeId} ${i}`]], {
          recallThreshold: 1,
          affinityEmotive,
        });
        expect(two.predictions).toMatchObject([{ similarity: 1, frequency: 1 }]);
      }
      const { items } = await call<{ items: NodeSymbol[] }>(url, "node.symbols", {
        nodeId,
        symbols,
      });
      expect(items.map(({ symbol, frequency }) => [symbol, frequency])).toEqual(
        symbols.map((symbol) => [symbol, 1]),
      );
    }
  }, 60_000);

  it("refuses bad input with a typed error and changes nothing", async () => {
    const nodeId = newNode();
    await learnEvents(url, nodeId, [["a"], ["b"]]);
    const sessionId = await createSession(url, nodeId);
    await observeEvents(url, sessionId, [["a"]]);
    const look = async () => [
      await call(url, "session.stm", { sessionId }),
      await allPatterns(url, nodeId),
      (await call<{ config: object }>(url, "session.get", { sessionId })).config,
    ];
    const before = await look();
    const refused: [Parameters<typeof tryCall>[1], object, Parameters<typeof expectError>[1]][] = [
      ["session.observe", { vectors: [[1], [1, 2]] }, "VECTOR_DIMENSION_MISMATCH"],
      ["session.observe", { strings: ["\ud800"] }, "INVALID_INPUT"],
      ["session.observe", { strings: ["x".repeat(10_000)] }, "LIMIT_EXCEEDED"],
      ["session.observe", { emotives: { joy: "NaN" } }, "INVALID_INPUT"],
      ["session.observe", { emotives: { joy: null } }, "INVALID_INPUT"],
      [
        "session.observeSequence",
        { observations: [{ strings: ["b"] }, { strings: [1] }], learnAtEnd: true },
        "INVALID_INPUT",
      ],
      ["session.configure", { config: { recallThreshold: 1.5 } }, "INVALID_INPUT"],
      ["session.configure", { config: { unknown: 1 } }, "INVALID_INPUT"],
      [
        "session.configure",
        { config: { recallThreshold: 0.5, indexerType: "VI" } },
        "INVALID_INPUT",
      ],
      ["session.predict", { overrides: { maxPredictions: 0 } }, "INVALID_INPUT"],
      ["session.predict", { overrides: { persistence: 5 } }, "INVALID_INPUT"],
      ["session.predict", { overrides: { rankSortAlgo: "entropy" } }, "INVALID_INPUT"],
      ["session.predict", { overrides: { filterPipeline: ["unknown"] } }, "INVALID_INPUT"],
      ["session.next", { k: 0 }, "INVALID_INPUT"],
      ["session.next", { k: 10_001 }, "INVALID_INPUT"],
      ["session.next", { horizon: 1.5 }, "INVALID_INPUT"],
      ["session.next", { overrides: { unknown: 1 } }, "INVALID_INPUT"],
      ["session.learn", { requestId: "no spaces" }, "INVALID_INPUT"],
    ];

    for (const [procedure, input, code] of refused) {
      expectError(await tryCall(url, procedure, { sessionId, ...input }), code);
    }

    expect(await look()).toEqual(before);
  });
});
