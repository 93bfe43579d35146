import { setTimeout as delay } from "node:timers/promises";

export interface WaitOptions {
  /** What is awaited, in words that finish the sentence "timed out waiting for …". */
  what: string;
  /** 30 s when left out: a busy machine may take that long to start a few processes. */
  timeoutMs?: number;
  /** Pause between two looks; 10 ms when left out. */
  intervalMs?: number;
}

/**
 * Looks at `condition` until it is truthy and gives that value. A look that throws counts as not yet, and the last
 * error thrown is the cause of the timeout; a look that never settles does not outlive the deadline.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { what, timeoutMs = 30_000, intervalMs = 10 }: WaitOptions,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;

  for (;;) {
    try {
      const value = await beforeDeadline(condition, deadline);
      if (value) return value;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= deadline) {
      throw new Error(`timed out after ${timeoutMs} ms waiting for ${what}`, { cause: lastError });
    }
    await delay(intervalMs);
  }
}

/** One look, given up on at the deadline. */
async function beforeDeadline<T>(condition: () => T | Promise<T>, deadline: number): Promise<T> {
  const gaveUp = new AbortController();
  const tooLate = async (): Promise<never> => {
    await delay(Math.max(0, deadline - performance.now()), undefined, { signal: gaveUp.signal });
    throw new Error("the last look at the condition never settled");
  };

  try {
    return await Promise.race([condition(), tooLate()]);
  } finally {
    gaveUp.abort();
  }
}
