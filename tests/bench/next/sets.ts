import type { Sequence } from "@kato-rpc/server/cli/evaluate/splits.ts";
import { processTreeSource } from "./process-tree.ts";
import { sessionSource } from "./session-source.ts";
import { clickSource, markovSource, processSource } from "./sources.ts";

const CLICKS = { repeats: 0.15, skips: 0.25 };

/** Activities, odds of long dependence, odds of noise, cases. */
const TREES = [
  [8, 0.3, 0.02, 450],
  [12, 0.3, 0.02, 225],
  [12, 0.5, 0.01, 900],
  [12, 0.2, 0.05, 3_000],
  [16, 0.5, 0.02, 450],
  [16, 0.3, 0.02, 1_500],
  [16, 0.4, 0, 3_000],
  [20, 0, 0, 900],
  [24, 0.4, 0.03, 900],
  [24, 0.3, 0.02, 3_000],
  [30, 0.5, 0.1, 1_500],
  [30, 0.3, 0.01, 3_000],
] as const;

/** Pages, topics, odds of back, again and leave, visits. */
const SITES = [
  [17, 4, 0.02, 0.5, 0.25, 4_000],
  [400, 30, 0.15, 0.05, 0.4, 5_000],
  [2_000, 60, 0.2, 0.05, 0.35, 5_000],
  [500, 20, 0.3, 0.02, 0.4, 9_000],
  [3_000, 50, 0.2, 0.1, 0.08, 900],
  [60, 5, 0.1, 0.2, 0.3, 4_000],
] as const;

/** Sequences made up with seeds, by the name of their file: what methods were chosen by. */
export const SETS: Readonly<Record<string, () => Sequence[]>> = {
  "process-1500": () => processSource({ count: 1_500, seed: 11 }),
  "process-300": () => processSource({ count: 300, seed: 12 }),
  "markov-1-of-30": () => markovSource({ order: 1, symbols: 30, count: 1_500, seed: 1 }),
  "markov-1-two-free": () =>
    markovSource({ order: 1, symbols: 30, free: 2, count: 1_500, seed: 1 }),
  "markov-1-of-12": () => markovSource({ order: 1, symbols: 12, count: 900, seed: 4 }),
  "markov-2-of-12": () => markovSource({ order: 2, symbols: 12, count: 2_500, seed: 2 }),
  "markov-2-of-20": () => markovSource({ order: 2, symbols: 20, count: 1_500, seed: 5 }),
  "markov-3-of-6": () => markovSource({ order: 3, symbols: 6, count: 2_500, seed: 3 }),
  "markov-3-of-10": () => markovSource({ order: 3, symbols: 10, count: 2_500, seed: 6 }),
  "clicks-400-pages": () =>
    clickSource({ ...CLICKS, pages: 400, topics: 40, count: 3_000, seed: 21 }),
  "clicks-2000-pages": () =>
    clickSource({ ...CLICKS, skips: 0.4, pages: 2_000, topics: 150, count: 3_000, seed: 22 }),
  "clicks-repeated": () =>
    clickSource({ pages: 100, topics: 15, repeats: 0.4, skips: 0.1, count: 4_000, seed: 23 }),
  ...Object.fromEntries(
    TREES.map(([activities, dependence, noise, count], i) => [
      `tree-${i + 1}`,
      () => processTreeSource({ activities, dependence, noise, count, seed: 100 + i }),
    ]),
  ),
  ...Object.fromEntries(
    SITES.map(([pages, topics, back, again, leave, count], i) => [
      `visits-${i + 1}`,
      () => sessionSource({ pages, topics, back, again, leave, count, seed: 200 + i }),
    ]),
  ),
};
