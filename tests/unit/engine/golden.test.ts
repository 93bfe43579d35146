import { describe, expect, test } from "vitest";

import { sumVectors, vectorName } from "@kato-rpc/server/engine/vector-symbol.ts";
import { createEngineDriver } from "../../support/engine-driver.ts";
import {
  hasGoldenCases,
  readGoldenCases,
  readVectorNameCases,
} from "../../support/golden-cases.ts";
import { playGoldenCase } from "../../support/golden.ts";
import { createIndexedNode } from "../../support/indexed-node.ts";
import { createNaiveNode } from "../../support/naive-node.ts";

const ENGINES = { "naive engine": createNaiveNode, "indexed engine": createIndexedNode };

describe.skipIf(!hasGoldenCases)("what the reference answered", () => {
  test("is at hand: all the cases that were recorded", () => {
    expect(readGoldenCases()).toHaveLength(342);
    expect(readVectorNameCases()).toHaveLength(47);
  });

  test.each(readVectorNameCases())("$id: the name of its vectors", ({ vectors, name }) => {
    expect(vectorName(sumVectors(vectors))).toBe(name);
  });

  describe.each(Object.entries(ENGINES))("by the %s", (_, createNode) => {
    test.each(readGoldenCases())("$id", async (golden) => {
      await playGoldenCase(golden, createEngineDriver(createNode));
    });
  });
});
