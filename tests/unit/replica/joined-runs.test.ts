import { describe, expect, test } from "vitest";

import { JoinedRuns } from "@kato-rpc/server/replica/joined-runs.ts";

/** Runs that end when told, in order. */
function createRuns() {
  const gates: PromiseWithResolvers<void>[] = [];
  const runs = new JoinedRuns(() => {
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    return gate.promise;
  });
  return { runs, gates };
}

describe("joined runs", () => {
  test("answer whoever asks during a run by the next, and all of them by the same", async () => {
    const { runs, gates } = createRuns();
    const first = runs.run();
    const [second, third] = [runs.run(), runs.run()];
    expect(gates).toHaveLength(1);

    gates[0]!.resolve();
    await first;
    const late = runs.run();
    await new Promise(setImmediate);

    expect(gates).toHaveLength(2);
    gates[1]!.resolve();
    await Promise.all([second, third, late]);
    expect(runs.isBusy).toBe(false);
    expect(gates).toHaveLength(2);
  });

  test("go on after one that failed", async () => {
    const { runs, gates } = createRuns();
    const [first, second] = [runs.run(), runs.run()];

    gates[0]!.reject(new Error("broken"));
    await expect(first).rejects.toThrow("broken");
    await new Promise(setImmediate);
    gates[1]!.resolve();

    await second;
    expect(runs.isBusy).toBe(false);
  });

  test("are idle when none runs or waits", async () => {
    const { runs, gates } = createRuns();
    await runs.idle();
    const [first, second] = [runs.run(), runs.run()];
    let isIdle = false;
    const idle = runs.idle().then(() => (isIdle = true));

    gates[0]!.resolve();
    await first;
    await new Promise(setImmediate);
    expect(isIdle).toBe(false);
    gates[1]!.resolve();
    await second;

    await idle;
  });
});
