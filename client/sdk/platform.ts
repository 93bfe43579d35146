import { afterTick } from "./dispatch/after-tick.ts";

/** All that the client takes from where it runs besides `fetch`; tests put their own time and chance in its place. */
export type Platform = {
  /** Milliseconds by a clock that never steps back. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  /** 16 bytes that nobody else draws. */
  randomBytes(): Uint8Array;
  /** Gives what cancels it. */
  after(delayMs: number, run: () => void): () => void;
  /** Runs once the code that runs now and all that awaits it are done. */
  afterTick(run: () => void): void;
};

// Each looked up when it is called: whoever replaces the globals, as fake timers do, is heard.
export const PLATFORM: Platform = {
  now: () => performance.now(),
  random: () => Math.random(),
  randomBytes: () => crypto.getRandomValues(new Uint8Array(16)),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  afterTick,
};
