/** Uniform numbers in [0, 1). */
export type Random = () => number;

/** Mulberry32: the same numbers for one seed everywhere. */
export function randomFrom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A whole number from `least` to `most`, both included. */
export function drawWhole(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

/** One of the items; throws when there is none. */
export function drawOne<T>(random: Random, items: readonly T[]): T {
  if (items.length === 0) throw new Error("there is nothing to draw from");
  return items[drawWhole(random, 0, items.length - 1)]!; // an index of the list
}
