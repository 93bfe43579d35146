import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Candidates } from "@kato-rpc/server/engine/index/candidates.ts";
import { compareHashes, WORDS_PER_HASH } from "@kato-rpc/server/engine/index/hash-words.ts";
import { descending } from "@kato-rpc/server/engine/index/merge-sort.ts";
import { PreliminaryRanking } from "@kato-rpc/server/engine/index/preliminary-ranking.ts";
import { QueryArrays } from "@kato-rpc/server/engine/index/query-arrays.ts";
import { WorkMeter } from "@kato-rpc/server/engine/index/work-meter.ts";

const unmetered = new WorkMeter(undefined);

describe("positions by descending key", () => {
  test("are those of a stable sort", () => {
    const keys = fc.array(fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constant(-Infinity)), {
      maxLength: 200,
    });

    fc.assert(
      fc.property(keys, (all) => {
        const positions = descending(Float64Array.from(all), all.length, {
          arrays: new QueryArrays(),
          work: unmetered,
        });

        const expected = [...all.keys()].sort(
          (a, b) => (all[b]! > all[a]! ? 1 : -1) * Number(all[a] !== all[b]),
        );
        expect([...positions.subarray(0, all.length)]).toEqual(expected);
      }),
    );
  });

  test("are found with an interrupt every so often", () => {
    let calls = 0;
    const work = new WorkMeter(() => {
      calls += 1;
    });
    const keys = Float64Array.from({ length: 60_000 }, (_, i) => (i * 7_919) % 60_013);

    descending(keys, keys.length, { arrays: new QueryArrays(), work });

    // Some 13 merges of all of them: a comparison is a few nanoseconds.
    expect(calls).toBeGreaterThan(20);
  });
});

describe("the preliminary ranking", () => {
  const candidate = fc.record({
    potential: fc.integer({ min: 0, max: 3 }),
    similarity: fc.integer({ min: 0, max: 2 }),
    firstWord: fc.integer({ min: 0, max: 2 }),
    secondWord: fc.nat(0xffff_ffff),
  });
  const candidates = fc.uniqueArray(candidate, {
    maxLength: 60,
    selector: ({ secondWord }) => secondWord,
  });

  test("keeps the first by potential, similarity and hash, in whatever order they come", () => {
    fc.assert(
      fc.property(candidates, fc.integer({ min: 1, max: 20 }), (all, limit) => {
        const hashes = Uint32Array.from(
          all.flatMap(({ firstWord, secondWord }) => [firstWord, secondWord, 0, 0, 0]),
        );
        const count = all.length;
        const listed: Candidates = {
          count,
          slots: Int32Array.from(all.keys()),
          similarities: Float64Array.from(all, ({ similarity }) => similarity),
          commons: undefined,
        };
        const ranking = new PreliminaryRanking(hashes, listed, {
          limit,
          arrays: new QueryArrays(),
          work: unmetered,
        });
        const order = (a: number, b: number): number =>
          all[b]!.potential - all[a]!.potential ||
          all[b]!.similarity - all[a]!.similarity ||
          compareHashes(hashes, a, b);
        const first = [...all.keys()].sort(order).slice(0, limit);

        for (const [index, { potential }] of all.entries()) {
          if (first.includes(index)) expect(ranking.keeps(index, potential)).toBe(true);
          ranking.add(index, potential);
        }

        expect(hashes).toHaveLength(count * WORDS_PER_HASH);
        expect([...ranking.sorted()]).toEqual(first);
      }),
      { numRuns: 1_000 },
    );
  });
});
