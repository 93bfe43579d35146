import * as fc from "fast-check";
import { transformer } from "@kato-rpc/shared/transformer.ts";
import type { Input, Procedure } from "./wire.ts";

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
  "session.next": ["sessionId", "k", "horizon", "overrides"],
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
export function inputOf(procedure: Procedure): fc.Arbitrary<unknown> {
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

/** What may stand in an envelope as `meta`; mostly nothing. */
export const meta = fc.oneof(
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

/** As the transformer writes the input, but with this `meta` where it is not undefined. */
export function envelopeOf(input: unknown, meta: unknown): Input {
  const envelope = transformer.serialize(input) as Input;
  return meta === undefined ? envelope : { json: envelope.json, meta };
}
