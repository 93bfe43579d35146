import { describe, expect, it } from "vitest";
import { BASELINES } from "../../../../server/cli/evaluate/baselines.ts";
import {
  EventNumbers,
  scoreMethod,
  Tally,
  tallySteps,
} from "../../../../server/cli/evaluate/score.ts";
import { distributionOf } from "../../../../server/cli/evaluate/service-method.ts";

const A_B_C = ["1a", "1b", "1c"];

describe("a score", () => {
  it("counts what came among the first one, three and five, and how probable it was held", () => {
    const tally = new Tally();
    // Three events, the end, and an event that was never learned.
    tally.add(Float64Array.of(0.5, 0.25, 0.125, 0.125, 0), 0);
    tally.add(Float64Array.of(0.5, 0.25, 0.125, 0.125, 0), 1);

    const score = tally.score();

    expect(score).toMatchObject({ answers: 2, accuracy: { at1: 0.5, at3: 1, at5: 1 } });
    expect(score.logLossBits).toBe(1.5);
    const squares = 0.25 + 0.0625 + 2 * 0.015625;
    expect(score.brier).toBeCloseTo((squares - 1 + 1 + (squares - 0.5 + 1)) / 2, 12);
    expect(score.calibrationError).toBe(0);
  });

  it("has no share of right events where none came", () => {
    const tally = new Tally();
    tally.add(Float64Array.of(0.5, 0.5, 0), 1);

    expect(tally.score()).toMatchObject({ accuracy: { at1: 0 }, eventAccuracy: null });
  });

  it("pauses after learning, and after every sequence", () => {
    const split = { training: [A_B_C], test: [A_B_C, ["1a"], ["1a", "1x"]] };

    for (const method of Object.values(BASELINES)) {
      const tally = new Tally();
      expect([...tallySteps(method, [split], tally)]).toHaveLength(4);
      expect(tally.score()).toEqual(scoreMethod(method, [split]));
    }
  });

  it("takes every prefix of two events and more, and the end after the last", () => {
    const split = { training: [A_B_C], test: [A_B_C, ["1a"], ["1a", "1x"]] };

    for (const method of Object.values(BASELINES)) {
      expect(scoreMethod(method, [split]).answers).toBe(3);
    }
  });

  it.each(Object.entries(BASELINES))(
    "of %s is of probabilities that sum up to 1",
    (_name, method) => {
      const numbers = new EventNumbers([A_B_C, ["1b", "1a"], ["1c"]]);
      const predictor = method(numbers.training);

      for (const context of [[], ["1a"], A_B_C, ["1x"], ["1x", "1b"]]) {
        const distribution = predictor.predict(numbers.outcomesOf(context).slice(0, -1));
        expect(distribution).toHaveLength(5);
        expect(distribution.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 12);
      }
    },
  );
});

describe("what the service answers", () => {
  it("shares out what is not listed among the events that are missing and one never learned", () => {
    const numbers = new EventNumbers([A_B_C]);
    const events = [{ event: ["b"], probability: 0.5, support: 1, because: [], rest: 0.5 }];

    const distribution = distributionOf({ events, end: 0.2, other: 0.3 }, numbers);

    const share = 0.3 / 4;
    expect([...distribution]).toEqual([share, 0.5, share, 0.2, 2 * share]);
  });

  it("leaves all that is not listed to one never learned where nothing is missing", () => {
    const numbers = new EventNumbers([["1a"]]);
    const events = [{ event: ["a"], probability: 0.5, support: 1, because: [], rest: 0.5 }];

    expect([...distributionOf({ events, end: 0.2, other: 0.3 }, numbers)]).toEqual([0.5, 0.2, 0.3]);
  });

  it("holds what is missing from the list for no more probable than the last that is listed", () => {
    const numbers = new EventNumbers([["1a", "1b"]]);
    const events = [{ event: ["a"], probability: 0.1, support: 1, because: [], rest: 0.1 }];

    const [, missing, , never] = distributionOf({ events, end: 0.2, other: 0.7 }, numbers);

    expect(missing).toBe(0.1);
    expect(never).toBeCloseTo(0.6, 12);
  });
});
