import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exceedsBytes, LIMITS } from "@kato-rpc/shared/limits.ts";

describe("the limits", () => {
  it("are those of the contract", () => {
    const bounds = Object.fromEntries(Object.entries(LIMITS).map(([name, { max }]) => [name, max]));

    expect(bounds).toEqual({
      requestBodyBytes: 1024 ** 2,
      callsPerBatch: 100,
      urlCharacters: 16_000,
      headerBytes: 32 * 1024,
      symbolBytes: 1_024,
      symbolsPerObservation: 4_096,
      observationsPerSequence: 10_000,
      vectorsPerObservation: 64,
      vectorNumbers: 4_096,
      emotivesPerObservation: 256,
      metadataBytes: 16 * 1024,
      metadataDepth: 8,
      patternSymbols: 100_000,
      patternCharacters: 1024 ** 2,
      learnedSymbols: 250_000,
      nodeIdBytes: 256,
      idCharacters: 128,
      ttlSeconds: 30 * 86_400,
      pageItems: 1_000,
      nextEvents: 10_000,
      nextHorizon: 1_000,
    });
  });
});

describe("whether a text exceeds a number of UTF-8 bytes", () => {
  it("is what encoding it says", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(60), (text, max) => {
        expect(exceedsBytes(text, max)).toBe(new TextEncoder().encode(text).length > max);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ["", 0, false],
    ["a", 0, true],
    ["é", 2, false],
    ["é", 1, true],
    ["€€", 6, false],
    ["€€", 5, true],
    ["😀", 4, false],
    ["😀", 3, true],
  ])("is exact at the edge: %j of %i is %s", (text, max, expected) => {
    expect(exceedsBytes(text, max)).toBe(expected);
  });
});
