import { randomFrom } from "../support/random.ts";

/** Every decision of a schedule, drawn from its seed. */
export class Chance {
  readonly #next: () => number;

  constructor(seed: number) {
    // Neighbouring seeds must not draw neighbouring numbers.
    this.#next = randomFrom(Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1));
  }

  /** In [0, 1). */
  fraction(): number {
    return this.#next();
  }

  /** A whole number in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  /** A whole number in [least, most]. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** 16 of them. */
  bytes(): Buffer {
    const bytes = Buffer.allocUnsafe(16);
    for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE(this.below(2 ** 32), at);
    return bytes;
  }

  happens(probability: number): boolean {
    return probability > 0 && this.#next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!; // an index of the list
  }
}
