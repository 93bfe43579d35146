const sleeper = new Int32Array(new SharedArrayBuffer(4));
/**
 * Calls that come due within it are sent together, and answers read. Shorter ticks, up to one for each call, cost more
 * than they tell: to be woken takes some 30 µs of processor time on a virtual machine, and comes in between whatever
 * else runs there.
 */
const TICK_MS = 0.5;

/** Sleeps until the next tick, or for 1 ms when no call is due for longer. Timers count in whole milliseconds. */
export async function sleepToTick(nextDueMs: number): Promise<void> {
  if (nextDueMs > 2) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return;
  }
  Atomics.wait(sleeper, 0, 0, TICK_MS - (performance.now() % TICK_MS));
  // Lets the answers that have come be read.
  await new Promise(setImmediate);
}
