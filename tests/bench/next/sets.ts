import type { Sequence } from "@kato-rpc/server/cli/evaluate/splits.ts";
import { clickSource, markovSource, processSource } from "./sources.ts";

const CLICKS = { repeats: 0.15, skips: 0.25 };

/** Sequences made up with seeds, by the name of their file. */
export const SETS: Readonly<Record<string, () => Sequence[]>> = {
  "process-1500": () => processSource({ count: 1_500, seed: 11 }),
  "process-300": () => processSource({ count: 300, seed: 12 }),
  "markov-1": () => markovSource({ order: 1, symbols: 30, count: 1_500, seed: 1 }),
  "markov-2": () => markovSource({ order: 2, symbols: 12, count: 2_500, seed: 2 }),
  "markov-3": () => markovSource({ order: 3, symbols: 6, count: 2_500, seed: 3 }),
  "clicks-400-pages": () =>
    clickSource({ ...CLICKS, pages: 400, topics: 40, count: 3_000, seed: 21 }),
  "clicks-2000-pages": () =>
    clickSource({ ...CLICKS, skips: 0.4, pages: 2_000, topics: 150, count: 3_000, seed: 22 }),
  "clicks-repeated": () =>
    clickSource({ pages: 100, topics: 15, repeats: 0.4, skips: 0.1, count: 4_000, seed: 23 }),
};
