import { randomFrom } from "./random.ts";

/** The events of one case in order, each as a text. */
export type Sequence = readonly string[];

/** What to learn from, and what to predict. */
export interface Split<Item = Sequence> {
  training: readonly Item[];
  test: readonly Item[];
}

/** The first two thirds, 2 · round(n / 3), to learn from; the others to predict. */
export function splitInThirds<Item>(sequences: readonly Item[]): Split<Item> {
  const count = 2 * Math.round(sequences.length / 3);
  return { training: sequences.slice(0, count), test: sequences.slice(count) };
}

/** Each sequence is predicted once, from what the others teach: sequence i in fold i modulo `count`. */
export function foldsOf<Item>(sequences: readonly Item[], count: number): Split<Item>[] {
  return Array.from({ length: count }, (_, fold) => ({
    training: sequences.filter((_sequence, i) => i % count !== fold),
    test: sequences.filter((_sequence, i) => i % count === fold),
  }));
}

/** A copy in an order that the seed decides (Fisher and Yates, on the numbers of mulberry32). */
export function shuffle<T>(items: readonly T[], seed: number): T[] {
  const shuffled = [...items];
  const random = randomFrom(seed);
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const kept = shuffled[last] as T; // within the list, as is the other
    shuffled[last] = shuffled[other] as T;
    shuffled[other] = kept;
  }
  return shuffled;
}
