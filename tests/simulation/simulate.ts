import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { SeedRange, Totals } from "./totals.ts";
import { addTotals, noTotals } from "./totals.ts";

const SCHEDULES_AT_A_TIME = 200;
const THREAD = new URL("simulation-thread.ts", import.meta.url);
/** After so many that fail the others would only say the same. */
const MOST_FAILURES = 10;

/**
 * Plays the schedules of these seeds on all cores, with a service that has the mistake named, if any; `onProgress` hears
 * how many more are done.
 */
export async function simulate(
  { first, count }: SeedRange,
  { sabotage, onProgress }: { sabotage: string | undefined; onProgress(done: number): void },
): Promise<Totals> {
  const sum = noTotals();
  let given = 0;
  const next = (): SeedRange | undefined => {
    const left = sum.failures.length < MOST_FAILURES ? count - given : 0;
    if (left === 0) return undefined;
    const range = { first: first + given, count: Math.min(left, SCHEDULES_AT_A_TIME) };
    given += range.count;
    return range;
  };
  const work = async () => {
    const thread = new Worker(THREAD, { workerData: sabotage });
    try {
      for (let range = next(); range !== undefined; range = next()) {
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
        thread.postMessage(range);
        const [totals] = (await once(thread, "message")) as [Totals];
        addTotals(sum, totals);
        onProgress(totals.schedules);
      }
    } finally {
      await thread.terminate();
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return sum;
}
