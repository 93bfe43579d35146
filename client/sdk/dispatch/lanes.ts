import type { Batch } from "./batch.ts";
import type { Call } from "./call.ts";
import { Lane } from "./lane.ts";
import type { Platform } from "../platform.ts";

/** All calls that wait, each in the lane of its session, and the order in which lanes get their turn. */
export class Lanes {
  readonly #bySession = new Map<string, Lane>();
  readonly #paused = new Set<Lane>();
  readonly #platform: Platform;
  readonly #onReady: () => void;
  #ready: Lane[] = [];

  /** `onReady` hears that there are calls to `pack`. */
  constructor(platform: Platform, onReady: () => void) {
    this.#platform = platform;
    this.#onReady = onReady;
  }

  add(call: Call): Lane {
    const lane = this.#laneOf(call.sessionId);
    lane.push(call);
    if (lane.state === "empty") this.#makeReady(lane);
    return lane;
  }

  /**
   * A batch of the calls whose turn it is: of the kind that the first of them has, until one does not
   * fit. undefined when no call is ready.
   */
  pack(openBatch: (kind: Call["kind"]) => Batch): Batch | undefined {
    let batch: Batch | undefined;
    const left: Lane[] = [];
    let next = 0;
    for (let isOpen = true; isOpen && next < this.#ready.length; next++) {
      const lane = this.#ready[next] as Lane;
      const head = lane.head();
      if (head === undefined) {
        this.#drop(lane);
        continue;
      }
      batch ??= openBatch(head.kind);
      if (head.kind === batch.kind) isOpen = fill(batch, lane);
      if (lane.state === "ready") left.push(lane);
    }
    this.#ready = left.concat(this.#ready.slice(next));
    return batch;
  }

  /** To be told when the batch that held calls of `lane` is answered. */
  release(lane: Lane): void {
    if (lane.head() === undefined) this.#drop(lane);
    else this.#makeReady(lane);
  }

  /** Like `release`, with calls that are to be sent again, in their order, after `delayMs`. */
  pause(lane: Lane, calls: readonly Call[], delayMs: number): void {
    lane.putBack(calls);
    lane.state = "paused";
    this.#paused.add(lane);
    lane.stopTimer = this.#platform.after(delayMs, () => this.#endPause(lane));
  }

  /** To be told when a call of `lane` is over, so that no timer outlives the calls it is for. */
  noteOver(lane: Lane): void {
    if (lane.state === "paused" && lane.head() === undefined) this.#endPause(lane);
  }

  clear(): void {
    for (const lane of this.#paused) lane.stopTimer();
    this.#paused.clear();
    this.#bySession.clear();
    this.#ready = [];
  }

  #laneOf(sessionId: string | undefined): Lane {
    const known = sessionId === undefined ? undefined : this.#bySession.get(sessionId);
    if (known !== undefined) return known;
    const lane = new Lane(sessionId);
    if (sessionId !== undefined) this.#bySession.set(sessionId, lane);
    return lane;
  }

  #makeReady(lane: Lane): void {
    lane.state = "ready";
    this.#ready.push(lane);
    this.#onReady();
  }

  #endPause(lane: Lane): void {
    lane.stopTimer();
    this.#paused.delete(lane);
    this.release(lane);
  }

  #drop(lane: Lane): void {
    lane.state = "empty";
    if (lane.sessionId !== undefined) this.#bySession.delete(lane.sessionId);
  }
}

/** Moves calls from the front of `lane` while they are of the batch's kind; false when one did not fit. */
function fill(batch: Batch, lane: Lane): boolean {
  for (let call = lane.head(); call?.kind === batch.kind; call = lane.head()) {
    if (!batch.add({ call, lane })) return false;
    lane.state = "sent";
    lane.shift();
  }
  return true;
}
