import { describe, expect, it } from "vitest";
import { CrashWatch } from "../../../server/workers/crash-watch.ts";

const YOUNG = { startedAt: 1_000, diedAt: 10_999, hasServed: true, isKilled: false };
const OLD = { ...YOUNG, diedAt: 11_000 };
const KILLED = { ...YOUNG, isKilled: true };
const HUNG_IN_ITS_START = { ...YOUNG, diedAt: 31_000, hasServed: false };

function dieInTurn(watch: CrashWatch, times: number, death: Parameters<CrashWatch["died"]>[0]) {
  return Array.from({ length: times }, () => watch.died(death));
}

describe("CrashWatch", () => {
  it.each([
    ["die young", YOUNG],
    ["never serve, however long they live", HUNG_IN_ITS_START],
  ])(
    "doubles the wait with every one of workers that %s, and takes five for a loop",
    (_, death) => {
      const deaths = dieInTurn(new CrashWatch(), 8, death);

      expect(deaths.map(({ restartInMs }) => restartInMs)).toEqual([
        100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000,
      ]);
      expect(deaths.map(({ loopSince }) => loopSince !== undefined)).toEqual([
        ...Array<boolean>(4).fill(false),
        ...Array<boolean>(4).fill(true),
      ]);
    },
  );

  it("tells since when there is a loop: the death of its first worker", () => {
    const watch = new CrashWatch();
    for (const diedAt of [2_000, 3_000, 4_000, 5_000]) watch.died({ ...YOUNG, diedAt });

    expect(watch.died({ ...YOUNG, diedAt: 6_000 }).loopSince).toBe(2_000);
  });

  it("begins anew with a worker that lived long", () => {
    const watch = new CrashWatch();
    dieInTurn(watch, 4, YOUNG);

    const answers = [watch.died(OLD), watch.died(YOUNG), watch.died(YOUNG)];

    expect(answers.map(({ restartInMs }) => restartInMs)).toEqual([100, 100, 200]);
    expect(answers.map(({ loopSince }) => loopSince)).toEqual(answers.map(() => undefined));
  });

  it("never takes workers that die old for a loop", () => {
    const deaths = dieInTurn(new CrashWatch(), 100, OLD);

    expect(deaths).toEqual(deaths.map(() => ({ restartInMs: 100, loopSince: undefined })));
  });

  it("never takes workers that are killed from outside for a loop, nor for the end of one", () => {
    const watch = new CrashWatch();
    dieInTurn(watch, 4, YOUNG);

    const deaths = dieInTurn(watch, 100, { ...KILLED, hasServed: false });

    expect(deaths.map(({ loopSince }) => loopSince)).toEqual(deaths.map(() => undefined));
    expect(watch.died(YOUNG).loopSince).toBe(YOUNG.diedAt);
  });

  it("lets those wait longer as well that are killed young, but a second at most", () => {
    const deaths = dieInTurn(new CrashWatch(), 7, KILLED);

    expect(deaths.map(({ restartInMs }) => restartInMs)).toEqual([
      100, 200, 400, 800, 1_000, 1_000, 1_000,
    ]);
  });
});
