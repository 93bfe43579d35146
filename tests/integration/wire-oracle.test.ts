import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { askBoth, DIFFERENCES } from "../support/oracle/compare.ts";
import { BATCHES, SINGLE } from "../support/oracle/hand-made/calls.ts";
import { batchOf, post, sessionOf } from "../support/oracle/hand-made/hand-made.ts";
import { BOUNDS, METHODS, PATHS, TYPES } from "../support/oracle/hand-made/http.ts";
import { INPUTS, META } from "../support/oracle/hand-made/inputs.ts";
import { EACH_PROCEDURE, WITHOUT_INPUT } from "../support/oracle/hand-made/procedures.ts";
import type { PreparedStore } from "../support/oracle/prepared-store.ts";
import { prepareStore } from "../support/oracle/prepared-store.ts";
import { openTwoWires } from "../support/oracle/two-wires.ts";

const TABLES = {
  "a procedure with an input that it takes": EACH_PROCEDURE,
  "a procedure without input": WITHOUT_INPUT,
  "a call": SINGLE,
  "a batch": BATCHES,
  "a path": PATHS,
  "a method": METHODS,
  "an input": INPUTS,
  "an envelope": META,
  "a content type": TYPES,
  "a size": BOUNDS,
};

/** Occur with nearly every request, and so are not named with each. */
const USUAL = [
  "the head tells the request id",
  "the type of every answer is JSON in UTF-8",
  "no header says on which headers the answer depends",
  "a result tells its request and its session",
  "each call of a batch has a request id of its own",
];

let prepared: PreparedStore;
beforeAll(async () => {
  prepared = await prepareStore();
});
afterAll(() => prepared[Symbol.asyncDispose]());

describe.each(Object.entries(TABLES))("%s is answered as by tRPC's own adapter", (_, requests) => {
  it.each(requests)("%s", async (_, requestOf, ...expected) => {
    await using wires = await openTwoWires(prepared);

    const { ours, stock, differences, isUneven } = await askBoth(wires, requestOf(prepared));
    const state = await wires.state();

    expect(ours).toEqual(stock);
    expect(sorted([...differences].filter((name) => !USUAL.includes(name)))).toEqual(
      sorted(expected),
    );
    if (!isUneven) expect(state.ours).toEqual(state.stock);
  });
});

describe("the documented differences", () => {
  it("that are usual occur together in a batch with a result and an error", async () => {
    await using wires = await openTwoWires(prepared);
    const { observed, expired } = prepared.sessions;
    const inputs = batchOf(sessionOf(observed), sessionOf(expired));

    const { differences } = await askBoth(
      wires,
      post("session.learn,session.learn?batch=1", inputs),
    );

    expect(sorted([...differences])).toEqual(sorted(USUAL));
  });

  it("that are not usual occur each in some request of the tables", () => {
    const occurring = Object.values(TABLES).flatMap((requests) =>
      requests.flatMap(([, , ...names]) => names),
    );

    expect(sorted([...USUAL, ...occurring])).toEqual(sorted(DIFFERENCES.map(({ name }) => name)));
  });
});

function sorted(names: readonly string[]): string[] {
  return [...new Set(names)].toSorted();
}
