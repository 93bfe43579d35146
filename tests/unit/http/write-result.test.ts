import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ObserveReply } from "@kato-rpc/shared/session.ts";
import { transformer } from "@kato-rpc/shared/transformer.ts";
import { writeEnvelope } from "../../../server/http/write-result.ts";
import { PreparedReply } from "../../../server/sessions/prepared-reply.ts";

const HOSTILE = [
  '"',
  "\\",
  '","learned":"x',
  '"}},{"error":"',
  "\u0000",
  "\n",
  "\u2028",
  "</script>",
  "__proto__",
  "é",
  "🗝",
  "\ud800",
  "\udc00",
];
const IN_IDS = "ABCxyz019._~:-".split("");

const nodeId = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string()), { maxLength: 6 }),
);
const id = fc.string({ unit: fc.constantFrom(...IN_IDS), minLength: 1, maxLength: 128 });
const hash = fc.string({
  unit: fc.constantFrom(..."0123456789abcdef".split("")),
  minLength: 40,
  maxLength: 40,
});

const observeReply: fc.Arbitrary<ObserveReply> = fc.record({
  sessionId: id,
  nodeId: nodeId.map((parts) => [parts].flat().join("")),
  observationId: id,
  time: fc.maxSafeNat(),
  stmLength: fc.nat(),
  learned: fc.option(hash.map((text) => `PTRN|${text}`)),
  replayed: fc.boolean(),
});

describe("a result on the wire", () => {
  it("is the transformer's, whatever the node is called", () => {
    fc.assert(
      fc.property(observeReply, (reply) => {
        const written = writeEnvelope("session.observe", reply);

        expect(written).toBe(JSON.stringify(transformer.serialize(reply)));
        expect(transformer.deserialize(JSON.parse(written))).toEqual(
          JSON.parse(JSON.stringify(reply)),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it("is the transformer's where a reply holds predictions, or is another procedure's", () => {
    const reply = { sessionId: "s", nodeId: '"', at: new Date(0), learned: null };
    for (const [procedure, value] of [
      ["session.observe", { ...reply, predictions: [] }],
      ["session.get", reply],
      ["session.observeSequence", { ...reply, results: [reply] }],
      ["session.stm", { ...reply, stm: [["a", '"']] }],
    ] as const) {
      expect(writeEnvelope(procedure, value)).toBe(JSON.stringify(transformer.serialize(value)));
    }
  });

  it("is what was prepared, in an envelope", () => {
    const list = { events: [], end: 0, other: 1, confidence: 0, empty: "NO_PATTERNS" };
    const head = { sessionId: "s", nodeId: 'a"b', time: 1 };

    const written = writeEnvelope("session.next", new PreparedReply(head, JSON.stringify(list)));

    expect(JSON.parse(written)).toEqual({ json: { ...head, ...list } });
  });
});
