import type { SessionCall } from "../support/history/session-call.ts";
import { waitFor } from "../support/wait-for.ts";

/** Follows a load, so that faults come when it is under way. */
export class LoadProgress {
  #acknowledged = 0;
  #counted = 0;

  /** Calls that have ended. */
  get counted(): number {
    return this.#counted;
  }

  add({ outcome }: SessionCall): void {
    this.#counted += 1;
    if (outcome === "ok") this.#acknowledged += 1;
  }

  /** Waits until so many more calls were answered. */
  async untilAcknowledged(more: number): Promise<void> {
    const wanted = this.#acknowledged + more;
    await waitFor(() => this.#acknowledged >= wanted, {
      what: `${more} more answered calls`,
      timeoutMs: 40_000,
    });
  }
}
