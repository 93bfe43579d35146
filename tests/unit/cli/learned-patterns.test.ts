import { describe, expect, it } from "vitest";
import { LearnedPatterns } from "../../../server/cli/replay/learned-patterns.ts";

function learnedOf(...told: [learned: string | null, frequency: number][]): LearnedPatterns {
  const patterns = new LearnedPatterns();
  for (const [learned, frequency] of told) patterns.add({ learned, frequency });
  return patterns;
}

describe("the patterns that a replay learned", () => {
  it("are well counted when each learn has a frequency of its own, one after another", () => {
    const patterns = learnedOf(["a", 2], ["b", 1], ["a", 1], [null, 0], ["a", 3]);

    expect([...patterns.miscounted()]).toEqual([]);
    expect(patterns).toMatchObject({ learns: 4, patterns: 2, tooShort: 1 });
  });

  it("may have been known before", () => {
    expect([...learnedOf(["a", 8], ["a", 7]).miscounted()]).toEqual([]);
  });

  it.each([
    ["a learn was lost", 1, 1],
    ["a learn was counted twice", 1, 3],
  ])("are miscounted when %s", (_, first, second) => {
    const [found] = learnedOf(["a", first], ["a", second], ["b", 1]).miscounted();

    expect(found?.pattern).toBe("a");
    expect(found?.problem).toContain(`${first}, ${second}`);
  });
});
