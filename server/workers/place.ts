import type { Worker } from "node:cluster";
import type { CrashWatch } from "./crash-watch.ts";

/** One of the `KATO_WORKERS` places: its worker changes, by crash, recycling or a rolling restart. */
export type Place = {
  readonly crashes: CrashWatch;
  /** The one that takes connections. */
  current: Kept | undefined;
  /** Whether another one is to become current: it starts, or waits for its start. */
  hasNext: boolean;
};

/** A worker that the primary has started and that has not ended yet. */
export type Kept = {
  readonly worker: Worker;
  readonly place: Place;
  /** On the clock of `performance.now()`. */
  readonly startedAt: number;
  state: "starting" | "serving" | "leaving";
  /** It waits until it may open the store, or has been told so. */
  isLoaded: boolean;
  /** Why it said that it cannot start, or was killed. */
  failure: string | undefined;
  /** It was killed because it answered nothing any more. */
  isHung: boolean;
};
