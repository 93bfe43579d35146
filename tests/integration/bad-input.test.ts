import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { transformer } from "@kato-rpc/shared/transformer.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";
import type { SessionSnapshot } from "../support/session-snapshot.ts";
import { openObservedSession, snapshot } from "../support/session-snapshot.ts";
import type { Input, Procedure, WireReply } from "../support/wire.ts";
import { expectError, PROCEDURES, tryCall, tryEnvelope } from "../support/wire.ts";

const LONE = "\uD83D";

/** Values that are never right for a field of the kind; null is one of them everywhere but in settings. */
const NO_TEXT = [null, 1, true, {}, [], ["a"], new Date(0)];
const NO_ID = [...NO_TEXT, "", " ", "two words", "ä", "a/b", "a\n", LONE];
const NO_INTEGER = [
  null,
  "1",
  true,
  {},
  [1],
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 60,
  5n,
];
const NO_FLAG = [null, 0, 1, "true", {}, []];
const NO_OBJECT = [null, 1, "text", true, [], [["a", 1]], Number.NaN, 5n];
const NO_MAP = [...NO_OBJECT, new Date(0), new Map([["a", 1]])];
const NO_LIST = [null, 1, "text", true, {}, { 0: "a", length: 1 }, new Set(["a"])];

const BAD_STRINGS = [
  ...NO_LIST,
  [1],
  [null],
  [["a"]],
  ["a", undefined],
  [LONE],
  ["ok", `${LONE}x`],
];
const BAD_VECTORS = [
  ...NO_LIST,
  [1, 2],
  [null],
  ["1,2"],
  [[1, "2"]],
  [[null]],
  [[1, Number.NaN]],
  [[Number.POSITIVE_INFINITY]],
  [[Number.NEGATIVE_INFINITY]],
  [[1n]],
  [[true]],
  [[[1]]],
];
const BAD_EMOTIVES = [
  ...NO_MAP,
  { joy: "1" },
  { joy: null },
  { joy: true },
  { joy: {} },
  { joy: [1] },
  { joy: Number.NaN },
  { joy: Number.POSITIVE_INFINITY },
  { joy: 1n },
  { [LONE]: 1 },
];
const BAD_METADATA = [
  ...NO_MAP,
  { at: new Date(0) },
  { nan: Number.NaN },
  { deep: [{ infinite: Number.NEGATIVE_INFINITY }] },
  { big: 1n },
  { map: new Map() },
  { list: [undefined] },
  { text: LONE },
  { [LONE]: 1 },
  { deep: { [LONE]: 1 } },
];
const BAD_CONFIG = [
  ...NO_OBJECT,
  { unknownSetting: 1 },
  { persistence: Number.NaN },
  { recallThreshold: Number.POSITIVE_INFINITY },
  { affinityEmotive: LONE },
  { filterPipeline: ["length", undefined] },
  { filterPipeline: Array.from({ length: 17 }, () => "length") },
];
const BAD_OBSERVATIONS = [
  ...NO_LIST,
  [null],
  ["a"],
  [[]],
  [{ strings: ["a"] }, { unknown: 1 }],
  [{ strings: [1] }],
  [{ expectedTime: 0 }],
  [{ sessionId: "x" }],
];

type Rule = { good?: unknown; bad: unknown[]; optional?: true };

const SESSION_ID: Rule = { bad: [...NO_TEXT, "", LONE, "x".repeat(129)] };
const REQUEST_ID: Rule = { bad: NO_ID, optional: true };
const TTL: Rule = { bad: [...NO_INTEGER, 0, -1, 2_592_001], optional: true };
const LIMIT: Rule = { bad: [...NO_INTEGER, 0, -1, 1_001], optional: true };
const CURSOR: Rule = { bad: [...NO_TEXT, "", LONE, "x", "x".repeat(2_049)], optional: true };
const OVERRIDES: Rule = {
  bad: [...BAD_CONFIG, { persistence: 1 }, { maxPredictions: 0 }],
  optional: true,
};
const NODE_ID: Rule = { good: "n", bad: [...NO_TEXT, LONE] };
const PATTERN_NAME: Rule = {
  good: "a".repeat(40),
  bad: [...NO_TEXT, "", "PTRN|", "A".repeat(40), "a".repeat(41), `PTRN|${"g".repeat(40)}`],
};

/** For each field of each procedure what it refuses; `good` stands in where another field is tested. */
const RULES: Record<Procedure, Record<string, Rule>> = {
  "session.create": {
    nodeId: NODE_ID,
    config: { bad: BAD_CONFIG, optional: true },
    metadata: { bad: BAD_METADATA, optional: true },
    ttlSeconds: TTL,
    requestId: REQUEST_ID,
  },
  "session.get": { sessionId: SESSION_ID },
  "session.exists": { sessionId: SESSION_ID },
  "session.list": { nodeId: { ...NODE_ID, optional: true }, cursor: CURSOR, limit: LIMIT },
  "session.count": { nodeId: { ...NODE_ID, optional: true } },
  "session.extend": { sessionId: SESSION_ID, ttlSeconds: TTL },
  "session.configure": {
    sessionId: SESSION_ID,
    config: { good: {}, bad: BAD_CONFIG },
    requestId: REQUEST_ID,
  },
  "session.delete": { sessionId: SESSION_ID },
  "session.observe": {
    sessionId: SESSION_ID,
    strings: { bad: BAD_STRINGS, optional: true },
    vectors: { bad: BAD_VECTORS, optional: true },
    emotives: { bad: BAD_EMOTIVES, optional: true },
    metadata: { bad: BAD_METADATA, optional: true },
    observationId: REQUEST_ID,
    expectedTime: { bad: [...NO_INTEGER, -1], optional: true },
    predict: { bad: NO_FLAG, optional: true },
  },
  "session.observeSequence": {
    sessionId: SESSION_ID,
    observations: { good: [{ strings: ["a"] }], bad: BAD_OBSERVATIONS },
    learnAfterEach: { bad: NO_FLAG, optional: true },
    learnAtEnd: { bad: NO_FLAG, optional: true },
    clearStmBetween: { bad: NO_FLAG, optional: true },
    requestId: REQUEST_ID,
  },
  "session.learn": { sessionId: SESSION_ID, requestId: REQUEST_ID },
  "session.predict": { sessionId: SESSION_ID, overrides: OVERRIDES },
  "session.next": {
    sessionId: SESSION_ID,
    k: { bad: [...NO_INTEGER, 0, -1, 10_001], optional: true },
    horizon: { bad: [...NO_INTEGER, 0, -1, 1_001], optional: true },
    overrides: OVERRIDES,
  },
  "session.cognition": { sessionId: SESSION_ID },
  "session.stm": { sessionId: SESSION_ID },
  "session.clearStm": { sessionId: SESSION_ID, requestId: REQUEST_ID },
  "session.percept": { sessionId: SESSION_ID },
  "node.list": { cursor: CURSOR, limit: LIMIT },
  "node.stats": { nodeId: NODE_ID },
  "node.patterns": { nodeId: NODE_ID, cursor: CURSOR, limit: LIMIT },
  "node.pattern": { nodeId: NODE_ID, name: PATTERN_NAME },
  "node.correct": {
    nodeId: NODE_ID,
    name: PATTERN_NAME,
    frequency: { good: 1, bad: [...NO_INTEGER, 0, -1] },
    emotives: { bad: [...NO_LIST, ...BAD_EMOTIVES.map((map) => [map])], optional: true },
    metadata: { bad: [...NO_MAP, { key: "text" }, { key: [1] }, { key: [LONE] }], optional: true },
  },
  "node.forget": { nodeId: NODE_ID, name: PATTERN_NAME },
  "node.symbols": {
    nodeId: NODE_ID,
    symbols: { bad: BAD_STRINGS, optional: true },
    cursor: CURSOR,
    limit: LIMIT,
  },
  "node.finalize": { nodeId: NODE_ID },
  "node.clear": { nodeId: NODE_ID },
  "monitor.concurrency": { scope: { bad: [...NO_TEXT, "", "all"], optional: true } },
  "monitor.health": {},
  "monitor.stats": {},
};

const procedures = Object.keys(PROCEDURES) as Procedure[];
const ofEachField = procedures.flatMap((procedure) =>
  Object.entries(RULES[procedure]).map(([field, rule]) => ({ procedure, field, rule })),
);

describe.each(STORE_KINDS)("bad input on %s changes nothing and is told", (kind) => {
  let url: string;
  let stack: AsyncDisposableStack;
  let sessionId: string;
  let before: SessionSnapshot;

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    const store = stack.use(await openTestStore(kind));
    ({ url } = stack.use(await startService({ store: store.url })));
  });
  beforeEach(async () => {
    sessionId = await openObservedSession(url);
    before = await snapshot(url, sessionId);
  });
  afterEach(async () => {
    expect(await snapshot(url, sessionId)).toEqual(before);
  });
  afterAll(() => stack.disposeAsync());

  /** A valid input: the fields that must be there. */
  function goodInput(procedure: Procedure): Record<string, unknown> {
    const required = Object.entries(RULES[procedure]).filter(
      ([, { optional }]) => optional !== true,
    );
    return Object.fromEntries(
      required.map(([field, { good }]) => [field, field === "sessionId" ? sessionId : good]),
    );
  }

  /** Sends what JSON has no form for by superjson's annotations. */
  function send(procedure: Procedure, input: unknown): Promise<WireReply> {
    return tryEnvelope(url, procedure, transformer.serialize(input));
  }

  it.each(ofEachField)(
    "$procedure: $field of the wrong type or form",
    async ({ procedure, field, rule }) => {
      for (const value of rule.bad) {
        const reply = await send(procedure, { ...goodInput(procedure), [field]: value });

        const error = expectError(reply, "INVALID_INPUT");
        // A cursor's form is the store's, so only its text is checked against a rule.
        if (error.data.issues === undefined) {
          expect([field, error.message]).toEqual(["cursor", expect.stringContaining("cursor")]);
          continue;
        }
        const [issue] = error.data.issues;
        expect(issue).toStrictEqual({
          path: expect.stringMatching(new RegExp(`^${field}(?:[.[]|$)`)),
          rule: expect.stringMatching(/^[a-z_]+$/),
          message: expect.stringMatching(/\S/),
          value: expect.any(String),
        });
        expect(error.message).toContain(issue?.path);
        expect(issue?.value.length).toBeLessThanOrEqual(80);
      }
    },
  );

  it.each(ofEachField.filter(({ rule }) => rule.optional !== true))(
    "$procedure: $field left out",
    async ({ procedure, field }) => {
      const { [field]: _, ...rest } = goodInput(procedure);

      const error = expectError(await send(procedure, rest), "INVALID_INPUT");

      expect(error.data.issues?.map(({ path }) => path)).toEqual([field]);
      expect(error.data.issues?.[0]?.value).toBe("undefined");
    },
  );

  it.each(procedures)("%s: a field that it does not have", async (procedure) => {
    for (const name of ["unknown", "session_id", "", "__proto__", "constructor", "toString"]) {
      // Parsed, since a literal's `__proto__` would set the prototype.
      const text = JSON.stringify(goodInput(procedure)).slice(1, -1);
      const input: unknown = JSON.parse(
        `{${text}${text === "" ? "" : ","}${JSON.stringify(name)}:1}`,
      );

      const error = expectError(await tryCall(url, procedure, input), "INVALID_INPUT");

      expect(error.message).toContain(JSON.stringify(name));
      expect(error.data.issues?.[0]?.rule).toBe("unrecognized_keys");
    }
  });

  it.each(procedures)("%s: an input that is no object", async (procedure) => {
    for (const input of NO_OBJECT) {
      expectError(await send(procedure, input), "INVALID_INPUT");
    }
  });

  it.each(procedures)("%s: no input", async (procedure) => {
    const isOptional = Object.values(RULES[procedure]).every(({ optional }) => optional === true);
    const reply = await tryEnvelope(url, procedure, undefined);

    if (isOptional) expect(reply.status).toBe(200);
    else expectError(reply, "INVALID_INPUT");
  });

  it.each(procedures)("%s: an input outside of superjson's envelope", async (procedure) => {
    for (const envelope of [{ nodeId: "n" }, { data: {} }, [], "text", 5, null]) {
      const error = expectError(
        // On purpose none.
        await tryEnvelope(url, procedure, envelope as unknown as Input),
        "INVALID_INPUT",
      );
      expect(error.message).toContain('{"json": …}');
    }
  });

  it.each(procedures)("%s: annotations that are not superjson's", async (procedure) => {
    const json = goodInput(procedure);
    for (const meta of [
      5,
      { values: "Date" },
      { values: { nowhere: ["Date"] } },
      { values: { "__proto__.polluted": ["Date"] } },
      { values: ["typed-array"] },
    ]) {
      const error = expectError(await tryEnvelope(url, procedure, { json, meta }), "INVALID_INPUT");
      expect(error.message).toContain("`meta`");
    }
  });

  it("vectors of unequal dimension, with the dimensions", async () => {
    for (const [vectors, expected, actual] of [
      [
        [
          [1, 2],
          [1, 2, 3],
        ],
        2,
        3,
      ],
      [
        [
          [1, 2, 3],
          [1, 2],
        ],
        3,
        2,
      ],
      [[[1, 2, 3], []], 3, 0],
      [[[], [1, 2]], 0, 2],
      [[[1, 2], [3, 4], [5]], 2, 1],
    ] as const) {
      const inputs: [Procedure, object][] = [
        ["session.observe", { sessionId, vectors, strings: ["a"] }],
        ["session.observeSequence", { sessionId, observations: [{ strings: ["a"] }, { vectors }] }],
      ];
      for (const [procedure, input] of inputs) {
        const error = expectError(
          await tryCall(url, procedure, input),
          "VECTOR_DIMENSION_MISMATCH",
        );
        expect(error.data).toMatchObject({ expected, actual });
        expect(error.message).toContain(String(expected));
        expect(error.message).toContain(String(actual));
      }
    }
  });

  it("many mistakes at once: the first twenty are told", async () => {
    const strings = Array.from({ length: 4_000 }, (_, i) => i);

    const error = expectError(
      await tryCall(url, "session.observe", { sessionId, strings }),
      "INVALID_INPUT",
    );

    expect(error.data.issues).toHaveLength(20);
    expect(error.data.issues?.[19]?.path).toBe("strings[19]");
    expect(JSON.stringify(error).length).toBeLessThan(10_000);
  });

  it("a value too long to show", async () => {
    const error = expectError(
      await tryCall(url, "session.observe", { sessionId, observationId: "x ".repeat(10_000) }),
      "INVALID_INPUT",
    );

    expect(error.data.issues?.[0]?.value).toMatch(/^"x x .*…$/);
    expect(JSON.stringify(error).length).toBeLessThan(1_500);
  });
});
