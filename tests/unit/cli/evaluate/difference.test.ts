import { describe, expect, it } from "vitest";
import { casesOfAnswers, differenceOf } from "../../../../server/cli/evaluate/difference.ts";
import { BASELINES } from "../../../../server/cli/evaluate/baselines.ts";
import { tallyMethod } from "../../../../server/cli/evaluate/score.ts";
import { foldsOf } from "../../../../server/cli/evaluate/splits.ts";
import { processSource } from "../../../bench/next/sources.ts";

describe("the difference of two methods", () => {
  it("is the mean over answers, with the error of a mean where each is a case of its own", () => {
    const { mean, error } = differenceOf([1, 0, 1, 1], [0, 0, 0, 1], [0, 1, 2, 3]);

    expect(mean).toBe(0.5);
    expect(error).toBeCloseTo(Math.sqrt((4 * 0.25) / 3 / 4), 12);
  });

  it("is as uncertain as cases are few, however many answers each has", () => {
    const long = [0, 1, 0, 1].flatMap((each) => Array.from({ length: 25 }, () => each));
    const cases = [0, 1, 2, 3].flatMap((each) => Array.from({ length: 25 }, () => each));

    const { error } = differenceOf(
      long,
      long.map(() => 0),
      cases,
    );

    expect(error).toBeCloseTo(differenceOf([0, 1, 0, 1], [0, 0, 0, 0], [0, 1, 2, 3]).error, 12);
  });

  it("counts an answer for each prefix of two events and more", () => {
    const test = [{ length: 3 }, { length: 1 }, { length: 2 }];

    expect(
      casesOfAnswers([
        { training: [], test },
        { training: [], test },
      ]),
    ).toEqual([0, 0, 2, 3, 3, 5]);
  });

  it("does not tell an error of one case", () => {
    expect(differenceOf([1, 1, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0])).toEqual({
      mean: 0.75,
      error: Number.NaN,
    });
  });

  it("knows the case of every answer that a tally has", () => {
    const cases = processSource({ count: 30, seed: 1 });
    const splits = foldsOf([...cases, ["alone"], []], 3);
    const method = BASELINES["back-off 2-gram"];
    if (method === undefined) throw new Error("There is no such baseline");

    const numbers = casesOfAnswers(splits);

    expect(numbers).toHaveLength(tallyMethod(method, splits).right.length);
    expect(new Set(numbers).size).toBe(30);
  });
});
