import { describe, expect, it } from "vitest";
import type { ObserveOutcome } from "../../../server/cli/incident/incident-case.ts";
import { judgeIncident } from "../../../server/cli/incident/incident-case.ts";

const CASE = { sessions: 2, observes: 2 };

const OUTCOMES: readonly ObserveOutcome[] = [
  { session: 0, symbol: "a", time: 2 },
  { session: 0, symbol: "b", time: 1 },
  { session: 1, symbol: "c", time: 1 },
  { session: 1, symbol: "d", time: 2 },
];

const FIRST = { stm: [["b"], ["a"]], time: 2 };
const SECOND = { stm: [["c"], ["d"]], time: 2 };

describe("an incident", () => {
  it("is no loss when every session holds what was acknowledged, by time", () => {
    expect(judgeIncident(CASE, OUTCOMES, [FIRST, SECOND])).toEqual({
      ok: true,
      calls: 4,
      answered: 4,
      kept: 4,
      exactStm: true,
      exactTimes: true,
      errors: {},
    });
  });

  it.each([
    ["lost", [["b"]], { kept: 3, exactStm: false }],
    ["doubled", [["b"], ["a"], ["a"]], { kept: 3, exactStm: false }],
    ["out of order", [["a"], ["b"]], { kept: 4, exactStm: false }],
    ["in another's session", [["b"], ["a"], ["c"]], { kept: 4, exactStm: false }],
    ["merged", [["a", "b"]], { kept: 4, exactStm: false }],
  ])("fails when an observation is %s", (_what, stm, verdict) => {
    const after = [{ stm, time: 2 }, SECOND];

    expect(judgeIncident(CASE, OUTCOMES, after)).toMatchObject({
      ok: false,
      answered: 4,
      exactTimes: true,
      ...verdict,
    });
  });

  it("fails when two calls are answered with one time", () => {
    const outcomes = OUTCOMES.with(0, { session: 0, symbol: "a", time: 1 });

    expect(judgeIncident(CASE, outcomes, [FIRST, SECOND])).toMatchObject({
      ok: false,
      answered: 4,
      exactTimes: false,
    });
  });

  it("fails when a call is not answered, and counts its error", () => {
    const outcomes = OUTCOMES.with(0, { session: 0, symbol: "a", error: "OVERLOADED" });
    const after = [{ stm: [["b"]], time: 1 }, SECOND];

    expect(judgeIncident(CASE, outcomes, after)).toEqual({
      ok: false,
      calls: 4,
      answered: 3,
      kept: 3,
      exactStm: true,
      exactTimes: false,
      errors: { OVERLOADED: 1 },
    });
  });

  it("fails when a session cannot be read", () => {
    expect(judgeIncident(CASE, OUTCOMES, [FIRST, undefined])).toMatchObject({
      ok: false,
      kept: 2,
      exactStm: false,
    });
  });
});
