import type { Emotives } from "@kato-rpc/shared/observation.ts";

import { addAffinity } from "../learning.ts";
import { affinityBytes, BYTES_PER_ENTRY, textBytes } from "./heap-estimate.ts";

/** Per symbol and emotive the sum that learns have brought. Outlives the symbol's patterns. */
export class AffinityTable {
  readonly #sums = new Map<string, Emotives>();
  #bytes = 0;

  /** An estimate. */
  get sizeBytes(): number {
    return this.#bytes + this.#sums.size * BYTES_PER_ENTRY;
  }

  /** Empty and without prototype when there is none. */
  of(symbol: string): Emotives {
    return this.#sums.get(symbol) ?? Object.create(null);
  }

  set(symbol: string, sums: Emotives): void {
    const before = this.#sums.get(symbol);
    if (before === undefined) this.#bytes += textBytes(symbol);
    else this.#bytes -= affinityBytes(before);
    // A copy without prototype, since users name emotives.
    const own = addAffinity({}, sums);
    this.#sums.set(symbol, own);
    this.#bytes += affinityBytes(own);
  }

  add(symbol: string, average: Emotives): void {
    this.set(symbol, addAffinity(this.of(symbol), average));
  }
}
