import * as fc from "fast-check";
import { envelopeOf, inputOf, meta } from "../random-inputs.ts";
import type { Procedure } from "../wire.ts";
import type { PreparedStore } from "./prepared-store.ts";
import { NODE_ID } from "./prepared-store.ts";
import { takenInput } from "./taken-inputs.ts";

/** One call of a request: its name as it stands in the URL, and what stands for its input. */
export type RandomCall = { name: string; envelope: unknown };

/** A call of one of the procedures on a prepared store, with an input that it takes as often as not. */
export function randomCall(
  prepared: PreparedStore,
  procedures: readonly Procedure[],
): fc.Arbitrary<RandomCall> {
  return fc.constantFrom(...procedures).chain((procedure) => {
    const name = fc.oneof(
      { weight: 20, arbitrary: fc.constant<string>(procedure) },
      { weight: 1, arbitrary: otherName(procedure) },
    );
    const envelope: fc.Arbitrary<unknown> = fc.oneof(
      { weight: 6, arbitrary: fc.constant({ json: takenInput(procedure, prepared) }) },
      { weight: 6, arbitrary: fc.record({ json: likelyInput(prepared) }) },
      { weight: 4, arbitrary: fc.tuple(inputOf(procedure), meta).map((of) => envelopeOf(...of)) },
      { weight: 1, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.jsonValue() },
    );
    return fc.record({ name, envelope });
  });
}

/** Near to the name of a procedure, or nowhere near. */
function otherName(procedure: string): fc.Arbitrary<string> {
  const part = fc.nat(procedure.length - 1).map((i) => ({
    before: procedure.slice(0, i),
    at: procedure.charAt(i),
    after: procedure.slice(i + 1),
  }));
  return fc.oneof(
    part.map(({ before, after }) => before + after),
    part.map(({ before, at, after }) => `${before}%${at.charCodeAt(0).toString(16)}${after}`),
    part.map(({ before, at, after }) => before + at.toUpperCase() + after),
    fc.constantFrom("", "__proto__", "then", "session", "%2C", "a%2Fb", "a/b", "%", "%25", ";"),
    fc.string({ unit: "grapheme" }).map((text) => encodeURIComponent(text)),
  );
}

/** Of fields that many procedures take. */
function likelyInput({ sessions, pattern }: PreparedStore): fc.Arbitrary<object> {
  const sessionId = fc.constantFrom(...Object.values(sessions), "none");
  const nodeId = fc.constantFrom(NODE_ID, "none");
  const strings = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 3 });
  const observation = {
    strings,
    emotives: fc.dictionary(fc.constantFrom("joy", "__proto__"), fc.double({ noNaN: true })),
    observationId: fc.constantFrom("first", "second"),
  };
  const observe = fc.record(
    { sessionId, ...observation, expectedTime: fc.nat(5), predict: fc.boolean() },
    { requiredKeys: ["sessionId", "strings"] },
  );
  const observations = fc.array(fc.record(observation, { requiredKeys: [] }), { maxLength: 4 });
  return fc.oneof(
    fc.record({ sessionId }),
    observe,
    fc.record({ sessionId, observations, learnAtEnd: fc.boolean() }),
    fc.record({ nodeId, name: fc.constantFrom(pattern, "none") }),
    fc.record({ nodeId, limit: fc.nat(3) }, { requiredKeys: ["nodeId"] }),
  );
}
