const sleeper = new Int32Array(new SharedArrayBuffer(4));
/** So long answers may wait to be read, and calls that are due to be sent. */
const SHORT_SLEEP_MS = 0.2;

/**
 * Sleeps until the next call is due, but not for long. Timers count in whole milliseconds: by them calls would come in
 * bursts, and what is measured would be how long the last of a burst waits for the others.
 */
export async function sleepAtMost(ms: number): Promise<void> {
  if (ms > 2) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return;
  }
  if (ms > 0) Atomics.wait(sleeper, 0, 0, Math.min(ms, SHORT_SLEEP_MS));
  // Lets the answers that have come be read.
  await new Promise(setImmediate);
}
