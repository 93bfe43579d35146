import { describe, expect, it } from "vitest";
import { percentOf, recommend } from "../../../server/monitor/recommendations.ts";

/** Peak, current, limit → levels, in the order in which they are told (monitoring.md §1.2). */
const TABLE: [peak: number, current: number, limit: number, levels: string[]][] = [
  [0, 0, 100, ["info"]],
  [79, 79, 100, ["info"]],
  [80, 1, 100, ["warning"]],
  [94, 1, 100, ["warning"]],
  [95, 1, 100, ["critical"]],
  [89, 89, 100, ["warning"]],
  [90, 90, 100, ["warning", "urgent"]],
  [95, 95, 100, ["critical", "urgent"]],
  [100, 89, 100, ["critical"]],
  // The thresholds of the status are cut to 80 and 95; recommendations compare with 80.8, 90.9 and 95.95.
  [80, 80, 101, ["info"]],
  [81, 1, 101, ["warning"]],
  [90, 90, 101, ["warning"]],
  [91, 91, 101, ["warning", "urgent"]],
  [95, 1, 101, ["warning"]],
  [96, 1, 101, ["critical"]],
  [1, 1, 1, ["critical", "urgent"]],
  [1, 0, 1, ["critical"]],
  [0, 0, 1, ["info"]],
];

describe("recommend", () => {
  it.each(TABLE)("peak %i, current %i of %i gives %j", (peak, current, limit, levels) => {
    const found = recommend([{ peak, current, limit }], 2);

    expect(found.map(({ level }) => level)).toEqual(levels);
  });

  it("names the peak, the limit and the settings to raise", () => {
    const [critical] = recommend([{ peak: 96, current: 1, limit: 101 }], 3);

    expect(critical?.message).toBe(
      "a worker's peak of 96 calls reached 95 % of its limit of 101: raise KATO_WORKERS (now 3) or KATO_LIMIT_CONCURRENCY (now 101)",
    );
  });

  it("judges each worker by its own limit, also when machines differ in it", () => {
    const found = recommend(
      [
        { peak: 50, current: 50, limit: 100 },
        { peak: 9, current: 1, limit: 10 },
      ],
      2,
    );

    expect(found).toEqual([
      { level: "warning", message: expect.stringContaining("a worker's peak of 9 calls") },
    ]);
  });

  it("finds the worker that is busy now beside the one that was", () => {
    const found = recommend(
      [
        { peak: 100, current: 0, limit: 100 },
        { peak: 92, current: 92, limit: 100 },
      ],
      2,
    );

    expect(found.map(({ level }) => level)).toEqual(["critical", "urgent"]);
    expect(found[1]?.message).toContain("a worker runs 92 calls at once (92 % of its limit)");
  });
});

describe("percentOf", () => {
  it.each([
    [1, 3, 33],
    [2, 3, 66],
    [101, 100, 101],
    [5, 0, 0],
  ])("cuts %i of %i to %i", (value, limit, percent) => {
    expect(percentOf(value, limit)).toBe(percent);
  });
});
