import { expect, it } from "vitest";
import { findMismatch } from "../../../server/cli/replay/case-check.ts";

const events = (...symbols: string[]) => symbols.map((symbol) => [symbol]);

it("finds none where short-term memory is what was sent", () => {
  expect(findMismatch(["a", "b"], { stm: events("a", "b"), time: 2 })).toBeUndefined();
});

it.each([
  ["a lost event", events("a"), 2, "2 events expected, 1 found"],
  ["a doubled event", events("a", "b", "b"), 3, "2 events sent, but the session's time is 3"],
  ["two events in the wrong order", events("b", "a"), 2, 'event 1 is ["b"], sent ["a"]'],
  ["another event", events("a", "c"), 2, 'event 2 is ["c"], sent ["b"]'],
  ["an event of two symbols", [["a"], ["b", "c"]], 2, 'event 2 is ["b","c"], sent ["b"]'],
])("finds %s", (_what, stm, time, mismatch) => {
  expect(findMismatch(["a", "b"], { stm, time })).toBe(mismatch);
});

it("compares the newest 1,000 of more, and names the place in the whole case", () => {
  const sent = Array.from({ length: 1_500 }, (_, i) => `e${i}`);
  const kept = events(...sent.slice(500));
  const changed = kept.with(999, ["x"]);

  expect(findMismatch(sent, { stm: kept, time: 1_500 })).toBeUndefined();
  expect(findMismatch(sent, { stm: changed, time: 1_500 })).toBe(
    'event 1500 is ["x"], sent ["e1499"]',
  );
});
