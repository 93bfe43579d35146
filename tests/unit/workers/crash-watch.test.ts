import { describe, expect, it } from "vitest";
import { CrashWatch } from "../../../server/workers/crash-watch.ts";

const YOUNG_MS = 9_999;
const OLD_MS = 10_000;

describe("CrashWatch", () => {
  it("doubles the wait with every worker that dies young, until that is a loop", () => {
    const watch = new CrashWatch();

    const answers = Array.from({ length: 5 }, () => watch.crashed(YOUNG_MS));

    expect(answers).toEqual([100, 200, 400, 800, "loop"]);
  });

  it("begins anew with a worker that lived long", () => {
    const watch = new CrashWatch();
    for (let i = 0; i < 4; i++) watch.crashed(YOUNG_MS);

    const answers = [watch.crashed(OLD_MS), watch.crashed(YOUNG_MS), watch.crashed(YOUNG_MS)];

    expect(answers).toEqual([100, 100, 200]);
  });

  it("never takes workers that die old for a loop", () => {
    const watch = new CrashWatch();

    const answers = Array.from({ length: 100 }, () => watch.crashed(OLD_MS));

    expect(new Set(answers)).toEqual(new Set([100]));
  });

  it("never takes workers that somebody kills for a loop, nor for the end of one", () => {
    const watch = new CrashWatch();
    for (let i = 0; i < 4; i++) watch.crashed(YOUNG_MS);

    const answers = Array.from({ length: 100 }, () => watch.killed());

    expect(new Set(answers)).toEqual(new Set([100]));
    expect(watch.crashed(YOUNG_MS)).toBe("loop");
  });
});
