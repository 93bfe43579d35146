import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { countBits } from "@kato-rpc/server/engine/index/common-length.ts";
import { NodeReplica } from "@kato-rpc/server/engine/index/node-replica.ts";
import { PositionMasks } from "@kato-rpc/server/engine/index/position-masks.ts";
import { predict } from "@kato-rpc/server/engine/index/predict.ts";
import { promisingSlots } from "@kato-rpc/server/engine/index/promising-slots.ts";
import { StateQuery } from "@kato-rpc/server/engine/index/state-query.ts";
import { learnPattern } from "@kato-rpc/server/engine/learning.ts";
import { commonSubsequenceLength } from "@kato-rpc/server/engine/similarity.ts";
import type { Event } from "@kato-rpc/shared/observation.ts";
import { DEFAULT_SESSION_CONFIG } from "@kato-rpc/shared/session-config.ts";

/** Events of one symbol each, in a sequence that looks random and is always the same. */
function drawEvents(length: number, vocabulary: number, seed: number): Event[] {
  let state = seed;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return [`s${(state >>> 8) % vocabulary}`];
  });
}

function replicaOf(patterns: readonly Event[][]): NodeReplica {
  const replica = new NodeReplica();
  const rest = { emotives: [], metadata: [], persistence: 1, vectors: [] };
  for (const events of patterns) replica.apply(learnPattern({ events, ...rest }).learned!);
  return replica;
}

/** `count` times the events of `unit`, each block followed by an event of its own. */
function blocksOf(unit: Event[], count: number, own: string): Event[] {
  return Array.from({ length: count }, (_, i) => [...unit, [`${own}${i}`]]).flat();
}

const SAME = drawEvents(300, 1, 1);

describe("an interrupt comes in the middle of", () => {
  /** A few patterns only, so that interrupts between patterns would be a handful. */
  test.each([
    {
      what: "common subsequences of few distinct symbols",
      patterns: [1, 2, 3].map((seed) => drawEvents(3_000, 5, seed)),
      stm: drawEvents(3_000, 5, 9),
      settings: { recallThreshold: 0.99 },
      // Words of the state times symbols of the patterns, twice: the second time to explain the empty list.
      steps: 2 * 3 * 3_000 * 94,
    },
    {
      what: "common subsequences of characters",
      patterns: [1, 2].map((seed) => drawEvents(2_000, 1_000, seed)),
      stm: drawEvents(2_000, 1_000, 9),
      settings: { recallThreshold: 0.99, useTokenMatching: false },
      steps: 2 * 2 * 2_000 * 4 * 250,
    },
    {
      what: "matching blocks of many that are equally long",
      patterns: [blocksOf(SAME, 10, "p")],
      stm: blocksOf(SAME, 10, "q"),
      settings: { recallThreshold: 0 },
      // Every position of one symbol against every one of the other.
      steps: 3_000 * 3_000,
    },
    {
      what: "fuzzy comparisons already made",
      patterns: [1, 2].map((seed) => drawEvents(2_000, 3, seed)),
      stm: drawEvents(2_000, 3, 9).map(([symbol]) => [`${symbol}x`]),
      settings: { recallThreshold: 0, fuzzyTokenThreshold: 0.5 },
      steps: 2 * 2_000 * 2_000,
    },
  ])("$what", ({ patterns, stm, settings, steps }) => {
    const replica = replicaOf(patterns);
    let calls = 0;
    const interrupt = (): unknown => (calls += 1);

    predict(replica, stm, { ...DEFAULT_SESSION_CONFIG, ...settings, interrupt });

    expect(calls).toBeGreaterThanOrEqual(steps / 100_000);
  });
});

test("an interrupt comes in the middle of the patterns that one symbol names", () => {
  const patterns = 200_000;
  const replica = new NodeReplica();
  const events = [["common"]];
  for (let i = 0; i < patterns; i += 1) {
    // Spread by their first digits, as those of SHA-1 are.
    const hash = (Math.imul(i, 2_654_435_761) >>> 0).toString(16).padStart(8, "0").padEnd(40, "0");
    replica.load({ hash, events, frequency: 1, emotives: [], metadata: {} });
  }
  let calls = 0;
  const interrupt = (): unknown => (calls += 1);
  const settings = { ...DEFAULT_SESSION_CONFIG, interrupt };
  const query = new StateQuery(replica, [["common"], ["other"]], settings);

  promisingSlots(replica, query);

  expect(calls).toBeGreaterThanOrEqual(patterns / 100_000);
});

describe("the masks of a sequence", () => {
  const sequence = fc.integer({ min: 1, max: 200 }).chain((vocabulary) =>
    fc.record({
      vocabulary: fc.constant(vocabulary),
      state: fc.array(fc.integer({ min: 0, max: vocabulary }), { minLength: 1, maxLength: 400 }),
      pattern: fc.array(fc.integer({ min: 1, max: vocabulary }), { maxLength: 400 }),
    }),
  );

  test("give the longest common subsequence, whether terms are frequent or rare", () => {
    fc.assert(
      fc.property(sequence, ({ vocabulary, state, pattern }) => {
        const masks = new PositionMasks(Int32Array.from(state), vocabulary);
        const rows = new Int32Array(masks.wordCount).fill(-1);

        for (const term of pattern) masks.advance(rows, term);

        let common = 0;
        for (const [word, row] of rows.entries()) {
          const behind = state.length - word * 32;
          common += countBits(~(behind >= 32 ? row : row | (-1 << behind)));
        }
        expect(common).toBe(commonSubsequenceLength(pattern.map(String), state.map(String)));
      }),
      { numRuns: 500 },
    );
  });

  test("take room by the length of the sequence, however many terms it has", () => {
    const length = 20_000;

    const distinct = new PositionMasks(
      Int32Array.from({ length }, (_, i) => i + 1),
      length,
    );
    const mixed = new PositionMasks(
      Int32Array.from({ length }, (_, i) => 1 + (i % 97) ** 2),
      length,
    );

    expect(distinct.masks.length).toBeLessThanOrEqual(5 * length);
    expect(mixed.masks.length).toBeLessThanOrEqual(5 * length);
  });
});
