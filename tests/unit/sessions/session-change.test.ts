import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { joinDeltas } from "../../../server/sessions/session-change.ts";
import type { SessionDelta } from "../../../server/stores/session-store.ts";

type Content = Pick<
  SessionDelta,
  "events" | "emotives" | "metadata" | "vectors" | "percept" | "config"
>;

const delta: fc.Arbitrary<SessionDelta> = fc.record({
  clearsStm: fc.boolean(),
  clearsAccumulators: fc.boolean(),
  clearsVectors: fc.boolean(),
  events: fc.array(fc.array(fc.string())),
  emotives: fc.array(fc.dictionary(fc.string(), fc.integer())),
  metadata: fc.array(fc.dictionary(fc.string(), fc.string())),
  vectors: fc.array(fc.record({ name: fc.string(), vector: fc.array(fc.integer()) })),
  percept: fc.constantFrom(undefined, null, { strings: ["p"], vectors: [], metadata: {} }),
  config: fc.constantFrom(undefined, {}, { persistence: 7 }),
});

/** What a store does with a delta, on plain arrays. */
function write(
  content: Content,
  { clearsStm, clearsAccumulators, clearsVectors, ...change }: SessionDelta,
): Content {
  return {
    events: [...(clearsStm ? [] : content.events), ...change.events],
    emotives: [...(clearsAccumulators ? [] : content.emotives), ...change.emotives],
    metadata: [...(clearsAccumulators ? [] : content.metadata), ...change.metadata],
    vectors: [...(clearsVectors ? [] : content.vectors), ...change.vectors],
    percept: change.percept === undefined ? content.percept : change.percept,
    config: change.config ?? content.config,
  };
}

describe("joinDeltas", () => {
  it("writes in one what the two would write one after the other", () => {
    const before: Content = {
      events: [["old"]],
      emotives: [{ old: 1 }],
      metadata: [{ old: "1" }],
      vectors: [{ name: "old", vector: [1] }],
      percept: null,
      config: {},
    };

    fc.assert(
      fc.property(delta, delta, (first, second) => {
        const apart = write(write(before, first), second);

        const joined = write(before, joinDeltas(structuredClone(first), second));

        expect(joined).toEqual(apart);
      }),
    );
  });
});
