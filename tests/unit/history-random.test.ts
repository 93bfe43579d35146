import * as fc from "fast-check";
import { expect, it } from "vitest";
import { checkAll } from "../support/history/check-all.ts";
import { arbitrarySteps, playSteps } from "../support/history/random-history.ts";

it("is accepted", () => {
  fc.assert(
    fc.property(arbitrarySteps({ maxLength: 60 }), (steps) => {
      const { calls, contents } = playSteps(steps);
      expect(checkAll(calls, [contents])).toEqual([]);
    }),
    { numRuns: 500 },
  );
});
