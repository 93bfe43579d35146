/** To which both clocks are read at once. */
const PRECISION_MS = 0.1;

/** This thread's own clock is the same, counted from another start; and it needs no bigint. */
const OWN_START = findOwnStart();

/** Both clocks read at once: again when something came in between. */
function findOwnStart(): number {
  for (;;) {
    const before = performance.now();
    const steady = Number(process.hrtime.bigint()) / 1e6;
    const after = performance.now();
    if (after - before < PRECISION_MS) return steady - before;
  }
}

/**
 * Milliseconds by a clock that never steps, whatever is done to the machine's time of day; since a start of its own, and
 * the same in all threads. For deadlines and durations.
 */
export function steadyNow(): number {
  return OWN_START + performance.now();
}
