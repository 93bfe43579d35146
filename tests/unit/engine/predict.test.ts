import { describe, expect, test } from "vitest";

import { learnPattern } from "@kato-rpc/server/engine/learning.ts";
import type { Event } from "@kato-rpc/shared/observation.ts";
import type {
  PredictionList,
  SequencePrediction,
  SymbolPrediction,
} from "@kato-rpc/shared/prediction.ts";
import type { SessionConfig } from "@kato-rpc/shared/session-config.ts";
import { DEFAULT_SESSION_CONFIG } from "@kato-rpc/shared/session-config.ts";
import type { PlayedNode } from "../../support/engine-driver.ts";
import { createIndexedNode } from "../../support/indexed-node.ts";
import { createNaiveNode } from "../../support/naive-node.ts";

const ENGINES = {
  "the naive engine": createNaiveNode,
  "the indexed engine": createIndexedNode,
};

function teach(node: PlayedNode, events: Event[], joy?: number): void {
  const emotives = joy === undefined ? [] : [{ joy }];
  const { learned } = learnPattern({ events, emotives, metadata: [], persistence: 5, vectors: [] });
  if (learned !== null) node.apply(learned);
}

function sequences(list: PredictionList): SequencePrediction[] {
  return list.predictions.filter((prediction) => "type" in prediction);
}

describe.each(Object.entries(ENGINES))("predictions by %s", (_, createNode) => {
  function nodeOf(...patterns: Event[][]): PlayedNode {
    const node = createNode();
    for (const events of patterns) teach(node, events);
    return node;
  }

  function predict(node: PlayedNode, stm: Event[], settings: Partial<SessionConfig> = {}) {
    return node.predict(stm, { ...DEFAULT_SESSION_CONFIG, ...settings });
  }

  /** prediction.md §11 */
  const WORKED: Event[][] = [
    [["s"], ["a", "b"], ["c", "d"], ["e"]],
    [["a"], ["c"], ["f"]],
    [["a"], ["c"], ["f"]],
  ];

  test("are those of the worked example", () => {
    const list = predict(nodeOf(...WORKED), [["a", "x"], ["c"]]);

    const [first, second] = sequences(list);
    expect(first).toMatchObject({
      frequency: 2,
      present: [["a"], ["c"]],
      future: [["f"]],
      extras: [["x"], []],
      similarity: 0.6666666666666665,
      snr: 0.6,
      fragmentation: 1,
      itfdfSimilarity: expect.closeTo(1, 12),
      confluence: 0,
      tfidfScore: 0.5,
      potential: expect.closeTo(2.5, 12),
    });
    expect(second).toMatchObject({
      past: [["s"]],
      missing: [["b"], ["d"]],
      similarity: 0.4444444444444444,
      itfdfSimilarity: expect.closeTo(0.9648090636666387, 12),
      confluence: expect.closeTo(0.375, 12),
      normalizedEntropy: expect.closeTo(0.7124143742160444, 12),
      globalNormalizedEntropy: expect.closeTo(0.3562071871080222, 12),
      predictiveInformation: expect.closeTo(0.5925925925925924, 12),
      bayesianPosterior: expect.closeTo(0.25, 12),
    });
    expect(list.futurePotentials.map(({ future }) => future)).toEqual([[["f"]], [["e"]]]);
  });

  test("take intrinsic metrics of the whole pattern once finalized", () => {
    const node = nodeOf(...WORKED);
    node.apply({ kind: "finalize" });

    const [first, second] = sequences(predict(node, [["a", "x"], ["c"]]));

    expect(first).toMatchObject({
      entropy: expect.closeTo(1.584962500721156, 12),
      tfidfScore: expect.closeTo(0.4444444444444444, 12),
      potential: expect.closeTo(2.5, 12),
    });
    expect(second).toMatchObject({
      globalNormalizedEntropy: expect.closeTo(0.7124143742160444, 12),
      tfidfScore: expect.closeTo(0.27777777777777773, 12),
    });
  });

  test("count a pattern without any match when the threshold is 0", () => {
    const list = predict(nodeOf([["u"], ["v"], ["w"]]), [["q"], ["r"]], { recallThreshold: 0 });

    expect(sequences(list)).toMatchObject([
      {
        matches: [],
        present: [["u"], ["v"], ["w"]],
        missing: [["u"], ["v"], ["w"]],
        extras: [["q"], ["r"]],
        snr: -1,
        fragmentation: -1,
        itfdfSimilarity: 0,
        potential: 0,
        bayesianPosterior: 0,
      },
    ]);
    expect(list.futurePotentials).toEqual([]);
  });

  test("truncate the patterns with a symbol in doubles: 15 of 22 counts as 14", () => {
    const patterns = Array.from({ length: 22 }, (_, i) => [[i < 15 ? "s" : "r"], [`t${i}`]]);

    const [first] = sequences(predict(nodeOf(...patterns), [["s"], ["t0"]]));

    expect(first?.tfidfScore).toBeCloseTo(1.7778770788042477, 12);
  });

  test("weigh symbols by affinity, those outside the state nothing", () => {
    const node = createNode();
    for (const last of ["c0", "c1", "c2"]) teach(node, [["a"], ["b"], [last]], 1);

    const [first] = sequences(predict(node, [["a"], ["zz"], ["b"]], { affinityEmotive: "joy" }));

    expect(first).toMatchObject({
      weightedSimilarity: expect.closeTo(0.9975308641975307, 12),
      weightedEvidence: 1,
      weightedConfidence: 1,
      weightedSnr: expect.closeTo(0.9950738916256159, 12),
      potential: expect.closeTo(3.4901477832512318, 12),
    });
  });

  test("from one symbol are the patterns that begin with it, with flat fields", () => {
    const node = nodeOf([["a"], ["b"], ["c"]], [["a"], ["b"], ["d"]], [["x"], ["a"]]);
    teach(node, [["a"], ["b"], ["d"]]);

    const list = predict(node, [["a"]], { recallThreshold: 1, rankSortAlgo: "frequency" });

    const found = list.predictions as SymbolPrediction[];
    expect(found.map(({ future }) => future.join("")).toSorted()).toEqual(["bc", "bd"]);
    expect(found[0]).toMatchObject({
      present: ["a"],
      similarity: 0.5,
      evidence: 1 / 3,
      snr: 1,
      fragmentation: 0,
      potential: expect.closeTo(2 + 1 / 3, 12),
      weightedSnr: null,
    });
    expect(list.futurePotentials).toEqual([]);
  });

  test("from one symbol work whatever the symbol is, also with weights", () => {
    const node = createNode();
    for (const symbol of ["it's", "a\\b", "__proto__", "constructor", ""]) {
      teach(node, [[symbol, "z"]], 1);
      const list = predict(node, [[symbol]], { affinityEmotive: "joy" });

      expect(list.predictions).toMatchObject([{ matches: [symbol], weightedConfidence: 1 }]);
    }
  });

  test("rank by any field, unset ones last, ties by similarity and then by name", () => {
    const node = nodeOf([["a"], ["b"]], [["a"], ["b"], ["c"]], [["a"], ["b"], ["d"]]);

    const ranked = sequences(predict(node, [["a"], ["b"]], { rankSortAlgo: "weightedSnr" })).map(
      ({ similarity, name }) => ({ similarity, name }),
    );

    const expected = ranked.toSorted(
      (x, y) => y.similarity - x.similarity || (x.name < y.name ? -1 : 1),
    );
    expect(ranked).toEqual(expected);
  });

  describe("when there are none, say why:", () => {
    const node = (): PlayedNode => nodeOf([["a"], ["b"], ["c"]]);

    test("nothing was observed", () => {
      expect(predict(node(), []).empty).toBe("NO_SYMBOLS");
    });

    test("the node has no pattern", () => {
      expect(predict(nodeOf(), [["a"]]).empty).toBe("NO_PATTERNS");
      expect(predict(nodeOf(), [["a"], ["b"]]).empty).toBe("NO_PATTERNS");
    });

    test("no pattern begins with the only symbol", () => {
      expect(predict(node(), [["b"]]).empty).toBe("NO_PATTERNS");
    });

    test("the threshold is above the best similarity, which is told", () => {
      const list = predict(node(), [["a"], ["b"]], { recallThreshold: 0.9 });

      expect(list).toMatchObject({ empty: "BELOW_THRESHOLD", bestSimilarity: 0.8 });
    });

    test("no pattern shares a symbol", () => {
      const list = predict(node(), [["x"], ["y"]]);

      expect(list).toMatchObject({ empty: "BELOW_THRESHOLD", bestSimilarity: 0 });
    });

    test.each([
      { filterPipeline: ["bloom", "rapidfuzz"] as const },
      { filterPipeline: ["length"] as const, lengthMinRatio: 1, lengthMaxRatio: 1 },
      { filterPipeline: ["jaccard"] as const, jaccardMinOverlap: 3 },
      { filterPipeline: ["minhash"] as const, minhashThreshold: 0.7 },
    ])("a filter took all: $filterPipeline", ({ filterPipeline, ...settings }) => {
      const stm = [["a"], ["b"]];

      const list = predict(node(), stm, { ...settings, filterPipeline: [...filterPipeline] });

      expect(list).toMatchObject({ empty: "FILTERED", bestSimilarity: null });
    });

    test("and nothing when there are some", () => {
      const list = predict(node(), [["a"], ["b"]], { filterPipeline: ["bloom", "length"] });

      expect(list).toMatchObject({ empty: null, bestSimilarity: null });
      expect(list.predictions).toHaveLength(1);
    });
  });
});
