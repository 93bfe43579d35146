import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ERROR_CATALOGUE } from "@kato-rpc/shared/errors.ts";
import { transformer } from "@kato-rpc/shared/transformer.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";
import { openObservedSession, snapshot } from "../support/session-snapshot.ts";
import type { Input, Procedure, WireItem, WireReply } from "../support/wire.ts";
import { call, errorOf, expectError, PROCEDURES, send, tryEnvelope } from "../support/wire.ts";

const RUNS = 60;

const URL_CHARACTERS = "/trpc.%2Fs,?&=[]{}\"'\\:;@!$~*()".split("");
const CALL_CHARACTERS = 'sesion.gt%2E,?bach=1&inpu{}":'.split("");

const FIELDS: Record<Procedure, string[]> = {
  "session.create": ["nodeId", "config", "metadata", "ttlSeconds", "requestId"],
  "session.get": ["sessionId"],
  "session.exists": ["sessionId"],
  "session.list": ["nodeId", "cursor", "limit"],
  "session.count": ["nodeId"],
  "session.extend": ["sessionId", "ttlSeconds"],
  "session.configure": ["sessionId", "config", "requestId"],
  "session.delete": ["sessionId"],
  "session.observe": [
    "sessionId",
    "strings",
    "vectors",
    "emotives",
    "metadata",
    "observationId",
    "expectedTime",
    "predict",
  ],
  "session.observeSequence": [
    "sessionId",
    "observations",
    "learnAfterEach",
    "learnAtEnd",
    "clearStmBetween",
    "requestId",
  ],
  "session.learn": ["sessionId", "requestId"],
  "session.predict": ["sessionId", "overrides"],
  "session.cognition": ["sessionId"],
  "session.stm": ["sessionId"],
  "session.clearStm": ["sessionId", "requestId"],
  "session.percept": ["sessionId"],
  "node.list": ["cursor", "limit"],
  "node.stats": ["nodeId"],
  "node.patterns": ["nodeId", "cursor", "limit"],
  "node.pattern": ["nodeId", "name"],
  "node.correct": ["nodeId", "name", "frequency", "emotives", "metadata"],
  "node.forget": ["nodeId", "name"],
  "node.symbols": ["nodeId", "symbols", "cursor", "limit"],
  "node.finalize": ["nodeId"],
  "node.clear": ["nodeId"],
  "monitor.concurrency": ["scope"],
  "monitor.health": [],
  "monitor.stats": [],
};

/** Anything that JSON and superjson can carry, odd keys and lone surrogates among it. */
const anything = fc.oneof(
  fc.jsonValue({
    maxDepth: 4,
    stringUnit: fc.oneof(
      fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
      fc.constantFrom("\uD800", "\u0000"),
    ),
  }),
  fc.anything({
    maxDepth: 3,
    key: fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "strings", "json")),
    withBigInt: true,
    withDate: true,
    withNullPrototype: true,
  }),
  fc.array(fc.array(fc.double(), { maxLength: 5 }), { maxLength: 5 }),
  fc.constantFrom(2 ** 53, 1e308, -1, 0.5, "1", "fleet", "x".repeat(2_000)),
);

/** Some fields of the procedure with anything in them, and now and then a field of another name. */
function inputOf(procedure: Procedure): fc.Arbitrary<unknown> {
  const fields = Object.fromEntries(FIELDS[procedure].map((name) => [name, anything]));
  return fc.oneof(
    { weight: 4, arbitrary: fc.record(fields, { requiredKeys: [] }) },
    { weight: 1, arbitrary: fc.dictionary(fc.string(), anything) },
    { weight: 1, arbitrary: anything },
  );
}

const metaValue: fc.Arbitrary<unknown> = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", maxDepth: 3 },
    fc.constantFrom(
      ["Date"],
      ["number"],
      ["undefined"],
      ["bigint"],
      ["map"],
      ["set"],
      ["regexp"],
      [["typed-array", "Int8Array"]],
      [["class", "x"]],
      [],
      "Date",
      5,
      null,
    ),
    fc.dictionary(
      fc.constantFrom("sessionId", "strings", "strings.0", "config", "", "a\\", "__proto__"),
      tie("tree"),
    ),
    fc.tuple(fc.constantFrom("map", "set", "Date"), tie("tree")),
  ),
})).tree;

const meta = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.record(
      { values: metaValue, v: fc.constantFrom(0, 1, "1", null) },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: fc.jsonValue() },
);

describe.each(STORE_KINDS)("whatever is sent to %s", (kind) => {
  let url: string;
  let stack: AsyncDisposableStack;

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    const store = stack.use(await openTestStore(kind));
    ({ url } = stack.use(await startService({ store: store.url })));
  });
  afterAll(() => stack.disposeAsync());

  it.each(Object.keys(PROCEDURES) as Procedure[])(
    "as input of %s is answered, or refused with a typed error and without effect",
    async (procedure) => {
      let sessionId = await openObservedSession(url);
      let before = await snapshot(url, sessionId);
      await fc.assert(
        fc.asyncProperty(
          inputOf(procedure),
          fc.boolean(),
          meta,
          async (input, withSession, meta) => {
            const reply = await tryEnvelope(
              url,
              procedure,
              envelopeOf(withSession && isRecord(input) ? { ...input, sessionId } : input, meta),
            );

            expectTyped(reply);
            if (reply.status !== 200) {
              expect(await snapshot(url, sessionId)).toEqual(before);
            } else if (PROCEDURES[procedure] === "mutation") {
              sessionId = await openObservedSession(url);
              before = await snapshot(url, sessionId);
            }
          },
        ),
        { numRuns: RUNS },
      );
      expect(await snapshot(url, sessionId)).toEqual(before);
    },
  );

  it("as a body, by bytes or text, is refused with a typed error", async () => {
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.string({ unit: "binary", maxLength: 200 }).map((text) => Buffer.from(text)),
      fc.json().map((text) => Buffer.from(text)),
      fc.json().map((text) => Buffer.from(`{"json":${text}}`)),
      fc.json().map((text) => Buffer.from(text.slice(0, -1))),
    );
    await fc.assert(
      fc.asyncProperty(
        body,
        fc.constantFrom("session.create", "session.observe"),
        async (body, name) => {
          const headers = { "content-type": "application/json" };
          const reply = await send(url, { method: "POST", path: `/trpc/${name}`, headers, body });
          expectTyped(reply);
          expect(reply.status).not.toBe(200);
        },
      ),
      { numRuns: RUNS * 4 },
    );
  });

  it("as a batch is answered item by item, or refused as a whole", async () => {
    const names = fc.array(
      fc.oneof(
        fc.constantFrom(...Object.keys(PROCEDURES)),
        fc.webPath(),
        fc.constantFrom("", "__proto__", "%2C", "a%2Cb"),
      ),
      { minLength: 1, maxLength: 20 },
    );
    const inputs = fc.oneof(
      fc.dictionary(
        fc.nat(25).map(String),
        fc.oneof(fc.jsonValue(), fc.record({ json: fc.jsonValue() })),
      ),
      fc.jsonValue(),
    );
    await fc.assert(
      fc.asyncProperty(names, inputs, async (names, inputs) => {
        const reply = await send(url, {
          method: "POST",
          path: `/trpc/${names.join(",").replaceAll(/[?#\s]/g, "")}?batch=1`,
          headers: { "content-type": "application/json" },
          body: JSON.stringify(inputs),
        });
        const items = (Array.isArray(reply.body) ? reply.body : [reply.body]) as WireItem[];
        for (const item of items) if (item.error !== undefined) expectKnown(item);
      }),
      { numRuns: RUNS * 4 },
    );
  });

  it("as a path is refused with a typed error", async () => {
    const path = fc.oneof(
      fc.webPath(),
      fc
        .webUrl({ withQueryParameters: true })
        .map((text) => new URL(text).pathname + new URL(text).search),
      fc.string({ unit: fc.constantFrom(...URL_CHARACTERS) }).map((text) => `/${text}`),
      fc.string({ unit: fc.constantFrom(...CALL_CHARACTERS) }).map((text) => `/trpc/${text}`),
    );
    await fc.assert(
      fc.asyncProperty(
        path,
        fc.constantFrom("GET", "POST", "PUT", "DELETE"),
        async (path, method) => {
          const reply = await send(url, { method, path });
          for (const item of (Array.isArray(reply.body)
            ? reply.body
            : [reply.body]) as WireItem[]) {
            expectKnown(item);
          }
        },
      ),
      { numRuns: RUNS * 4 },
    );
  });

  it("leaves the service in good health", async () => {
    expect(await call(url, "monitor.health")).toMatchObject({ store: { reachable: true } });
    const { counters } = await call<{ counters: { errorsByCode: Record<string, number> } }>(
      url,
      "monitor.stats",
    );
    expect(Object.keys(counters.errorsByCode).toSorted()).not.toContain("INTERNAL");
  });
});

function envelopeOf(input: unknown, meta: unknown): Input {
  const envelope = transformer.serialize(input) as Input;
  return meta === undefined ? envelope : { json: envelope.json, meta };
}

function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A success, or an error of the table that is the caller's. */
function expectTyped(reply: WireReply): void {
  if (reply.status === 200) return;
  const { kato } = errorOf(reply).data;
  expectError(reply, kato);
  expectKnown(reply.body as WireItem);
}

function expectKnown(item: WireItem): void {
  const { kato } = errorOf(item).data;
  expect(Object.keys(ERROR_CATALOGUE)).toContain(kato);
  expect(["INTERNAL", "STORE_UNAVAILABLE", "OVERLOADED"]).not.toContain(kato);
}
