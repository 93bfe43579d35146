/** Where the platform has it (Node), runs after the callbacks of this turn of the event loop. */
type Immediate = (run: () => void) => unknown;

/**
 * Runs once the code that runs now and all that awaits it are done, so that the calls they make go
 * together. Browsers have only the timer, which is a little later.
 */
export function afterTick(run: () => void): void {
  const { setImmediate } = globalThis as { setImmediate?: Immediate };
  if (setImmediate === undefined) setTimeout(run, 0);
  else setImmediate(run);
}
