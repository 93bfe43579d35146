/** This thread's own clock is the same, counted from another start; and it needs no bigint. */
const OWN_START = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/**
 * Milliseconds by a clock that never steps, whatever is done to the machine's time of day; since a start of its own, and
 * the same in all threads. For deadlines and durations.
 */
export function steadyNow(): number {
  return OWN_START + performance.now();
}
