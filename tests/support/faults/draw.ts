/** Uniform numbers in [0, 1). */
export type Random = () => number;

/** A whole number from `least` to `most`, both included. */
export function drawWhole(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

/** One of the items; throws when there is none. */
export function drawOne<T>(random: Random, items: readonly T[]): T {
  if (items.length === 0) throw new Error("there is nothing to draw from");
  return items[drawWhole(random, 0, items.length - 1)]!; // an index of the list
}
