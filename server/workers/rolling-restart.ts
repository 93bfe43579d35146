import type { Logger } from "../log.ts";
import type { Kept, Place } from "./place.ts";

export type RollingRestartParts = {
  places: readonly Place[];
  kept: ReadonlyMap<number, Pick<Kept, "state" | "startedAt">>;
  log: Logger;
  /** Starts a worker that takes the place over once it serves. */
  start(place: Place): void;
  /** The clock of `Kept.startedAt`. */
  now?(): number;
};

/**
 * Replaces all workers one after another: each leaves when its successor serves, and the next one's
 * turn comes when it is gone, so there is at most one process more than before.
 */
export class RollingRestart {
  readonly #parts: RollingRestartParts;
  readonly #now: () => number;
  /** When the one under way began: workers older than that are to go. */
  #since: number | undefined;
  /** The place whose successor it waits for. */
  #replacing: Place | undefined;
  #isWantedAgain = false;

  constructor(parts: RollingRestartParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
  }

  /**
   * Begins one. When one is under way another follows it, since the workers it has replaced may have
   * started before what this request is about was in place.
   */
  request(): void {
    if (this.#since !== undefined) {
      this.#isWantedAgain = true;
      this.#parts.log.info("rolling restart: asked for again, another one follows this one");
      return;
    }
    this.#begin();
  }

  /** To be called when a worker has come to serve or is gone. */
  advance(): void {
    const since = this.#since;
    if (since === undefined) return;
    const { places, kept, log, start } = this.#parts;
    const isOld = ({ startedAt }: Pick<Kept, "startedAt">) => startedAt < since;
    if ([...kept.values()].some((one) => one.state === "leaving" && isOld(one))) return;
    const next = places.find(({ current }) => current === undefined || isOld(current));
    if (next === undefined) {
      this.#finish(since);
      return;
    }
    // A place without a worker, or with one about to take over, is heard of again when that serves.
    if (next.current === undefined || next.hasNext) return;
    log.info(
      { pid: next.current.worker.process.pid },
      "worker is replaced: starting its successor",
    );
    this.#replacing = next;
    start(next);
  }

  /**
   * A worker has ended before it served. True when it was to succeed one that serves still: that one
   * stays, and the rolling restart ends.
   */
  givesUp(place: Place, line: { how: string; reason: string | undefined }): boolean {
    if (this.#replacing !== place || place.current === undefined) return false;
    this.#parts.log.error(
      line,
      "rolling restart given up: the new worker does not start; the others go on",
    );
    this.#since = undefined;
    this.#replacing = undefined;
    this.#isWantedAgain = false;
    return true;
  }

  #begin(): void {
    this.#since = this.#now();
    this.#parts.log.info({ workers: this.#parts.places.length }, "rolling restart begins");
    this.advance();
  }

  #finish(since: number): void {
    const ms = Math.round(this.#now() - since);
    this.#parts.log.info(
      { workers: this.#parts.places.length, ms },
      "rolling restart done: all workers are new",
    );
    this.#since = undefined;
    this.#replacing = undefined;
    if (!this.#isWantedAgain) return;
    this.#isWantedAgain = false;
    this.#begin();
  }
}
