import { setTimeout as delay } from "node:timers/promises";

export type RepeatOptions = {
  /** From the end of one to the begin of the next. */
  everyMs: number;
  /** Ends it after the one under way. */
  signal: AbortSignal;
};

/** Injects a fault again and again, first after `everyMs`; gives how often. */
export async function repeatFault(
  inject: () => Promise<unknown>,
  { everyMs, signal }: RepeatOptions,
): Promise<number> {
  for (let count = 0; ; count += 1) {
    // Aborted, which is how it ends.
    await delay(everyMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return count;
    await inject();
  }
}
