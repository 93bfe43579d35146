/** Sequences of single-symbol events over a vocabulary of 1,000 whose symbols occur by Zipf's law, the same on every run. */

export const PATTERN_SEED = 20_260_801;
export const PATTERN_SYMBOLS = 10;
export const QUERY_SYMBOLS = 5;
const VOCABULARY = 1_000;

/** Events of one symbol each. */
export function drawEvents(random: () => number, length: number): string[][] {
  return Array.from({ length }, () => [`symbol-${drawRank(random())}`]);
}

const CUMULATIVE = Array.from({ length: VOCABULARY }, () => 0);
for (let rank = 0, sum = 0; rank < VOCABULARY; rank += 1) {
  sum += 1 / (rank + 1);
  CUMULATIVE[rank] = sum;
}

/** The rank r is drawn with a weight of 1/r. */
function drawRank(uniform: number): number {
  const target = uniform * (CUMULATIVE.at(-1) ?? 1);
  const rank = CUMULATIVE.findIndex((sum) => sum >= target);
  return rank < 0 ? VOCABULARY : rank + 1;
}
