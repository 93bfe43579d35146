import type { Chance } from "./chance.ts";

type Pending = { readonly at: number; readonly tie: number; run: (() => void) | undefined };

/** Resolves once everything that can go on without another event has done so: ticks come after all other promises. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}

/**
 * The virtual time of a schedule, and all that is to happen in it: one event at a time, each only when all that the one
 * before it set going has come to rest. Events of one moment come in an order drawn by the seed.
 */
export class Scheduler {
  /** In virtual ms since the schedule began. */
  nowMs = 0;
  steps = 0;
  readonly #chance: Chance;
  /** The next one last. */
  readonly #pending: Pending[] = [];

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** Gives what cancels it. */
  after(delayMs: number, run: () => void): () => void {
    const event: Pending = { at: this.nowMs + delayMs, tie: this.#chance.fraction(), run };
    let i = this.#pending.length;
    while (i > 0 && isBefore(this.#pending[i - 1]!, event)) i -= 1;
    this.#pending.splice(i, 0, event);
    return () => (event.run = undefined);
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve);
    });
  }

  /** Runs until nothing is left to happen; throws after `limit` steps, for then something goes on for ever. */
  async run(limit = Infinity): Promise<void> {
    await settled();
    for (let event = this.#next(); event !== undefined; event = this.#next()) {
      if (this.steps >= limit) throw new Error(`still going on after ${limit} steps`);
      this.steps += 1;
      this.nowMs = Math.max(this.nowMs, event.at);
      event.run?.();
      await settled();
    }
  }

  #next(): Pending | undefined {
    let event = this.#pending.pop();
    while (event !== undefined && event.run === undefined) event = this.#pending.pop();
    return event;
  }
}

function isBefore(left: Pending, right: Pending): boolean {
  return left.at === right.at ? left.tie < right.tie : left.at < right.at;
}
