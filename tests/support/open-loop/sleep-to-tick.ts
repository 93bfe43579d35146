const sleeper = new Int32Array(new SharedArrayBuffer(4));
/**
 * Calls that come due within it are sent together, and answers read: also those that came due while others were sent, as
 * at tens of thousands a second some always are. It is far below the milliseconds that are measured. Shorter ticks, up to
 * one for each call, cost more than they tell: to be woken takes some 30 µs of processor time on a virtual machine, and
 * comes in between whatever else runs there.
 */
const TICK_MS = 0.5;
/** When none is due for longer, nothing need be sent together, and answers are read as they come. */
const FAR_MS = 2;

/** Sleeps until the next tick; while no call is due for long, for a timer's least, 1 ms. */
export async function sleepToTick(nextDueMs: number): Promise<void> {
  if (nextDueMs > FAR_MS) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return;
  }
  Atomics.wait(sleeper, 0, 0, TICK_MS - (performance.now() % TICK_MS));
  // Lets the answers that have come be read.
  await new Promise(setImmediate);
}
