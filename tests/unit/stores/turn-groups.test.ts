import { setImmediate as turn } from "node:timers/promises";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TurnGroups } from "../../../server/stores/redis/turn-groups.ts";

type Item = { key: string; name: string; size: number };

const LIMITS = { items: 4, size: 20 };

function openGroups() {
  const sent: Item[][] = [];
  const groups = new TurnGroups<Item>(LIMITS, (items) => void sent.push([...items]));
  return { sent, add: (item: Item) => groups.add(item, item) };
}

const item = fc.record({
  key: fc.constantFrom("a", "b", "c"),
  name: fc.constantFrom("p", "q", "r", "s", "t"),
  size: fc.integer({ min: 1, max: 25 }),
});

describe("groups of one turn", () => {
  it("send every item once, in order within its key, in groups of one key that keep the limits", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(item)), async (turns) => {
        const { sent, add } = openGroups();
        for (const items of turns) {
          for (const each of items) add(each);
          await turn();
        }

        for (const key of ["a", "b", "c"]) {
          const of = (items: Item[]) => items.filter((each) => each.key === key);
          expect(of(sent.flat())).toEqual(of(turns.flat()));
        }
        for (const group of sent) {
          expect(new Set(group.map(({ key }) => key)).size).toBe(1);
          expect(new Set(group.map(({ name }) => name)).size).toBe(group.length);
          expect(group.length).toBeLessThanOrEqual(LIMITS.items);
          const size = group.reduce((sum, each) => sum + each.size, 0);
          expect(group.length === 1 || size <= LIMITS.size).toBe(true);
        }
      }),
    );
  });

  it("go out with the end of the turn, a full one at once", async () => {
    const { sent, add } = openGroups();
    for (const name of ["p", "q", "r"]) add({ key: "a", name, size: 1 });
    add({ key: "b", name: "p", size: 1 });
    expect(sent).toEqual([]);

    add({ key: "a", name: "s", size: 1 });
    expect(sent.map((group) => group.length)).toEqual([4]);

    add({ key: "a", name: "p", size: 1 });
    await turn();
    expect(sent.map((group) => group.map(({ key, name }) => key + name))).toEqual([
      ["ap", "aq", "ar", "as"],
      ["bp"],
      ["ap"],
    ]);
  });

  it("gather what comes within a turn, whatever comes between", async () => {
    const { sent, add } = openGroups();
    for (const [i, key] of ["a", "b", "a", "b"].entries()) add({ key, name: String(i), size: 1 });
    await turn();
    expect(sent.map((group) => group.map(({ name }) => name))).toEqual([
      ["0", "2"],
      ["1", "3"],
    ]);
  });

  it("take what comes while one is sent into the next", async () => {
    const sent: string[][] = [];
    const groups = new TurnGroups<string>(LIMITS, (items) => {
      sent.push([...items]);
      if (items[0] === "p") groups.add({ key: "a", name: "again", size: 1 }, "again");
    });

    groups.add({ key: "a", name: "p", size: 1 }, "p");
    await turn();
    await turn();

    expect(sent).toEqual([["p"], ["again"]]);
  });
});
