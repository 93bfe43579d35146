import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { LogEvent } from "../../../server/cli/replay/event-log.ts";
import { gatherCases } from "../../../server/cli/replay/event-log.ts";

async function* stream(events: readonly LogEvent[]): AsyncGenerator<LogEvent> {
  yield* events;
}

it("gathers interleaved cases in the order of their first events", async () => {
  const cases = await gatherCases(
    stream([
      { caseId: "b", activity: "x", time: 2 },
      { caseId: "a", activity: "y", time: 1 },
      { caseId: "b", activity: "z", time: 3 },
    ]),
  );

  expect(cases).toEqual([
    { caseId: "b", activities: ["x", "z"] },
    { caseId: "a", activities: ["y"] },
  ]);
});

it("keeps cases apart whose ids are names of an object's own", async () => {
  const events = ["__proto__", "constructor"].map((caseId) => ({ caseId, activity: "a", time: 0 }));

  expect(await gatherCases(stream(events))).toHaveLength(2);
});

it("orders a case's events by time and those of one time as they come", async () => {
  const event = fc.record({
    caseId: fc.constantFrom("a", "b"),
    time: fc.integer({ min: 0, max: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(event), async (drawn) => {
      const events = drawn.map((each, i) => ({ ...each, activity: String(i) }));

      const cases = await gatherCases(stream(events));

      for (const { caseId, activities } of cases) {
        const own = events.filter((each) => each.caseId === caseId);
        const expected = own.toSorted((a, b) => a.time - b.time).map(({ activity }) => activity);
        expect(activities).toEqual(expected);
      }
      expect(cases.flatMap(({ activities }) => activities)).toHaveLength(events.length);
    }),
  );
});
