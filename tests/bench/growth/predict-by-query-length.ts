import { randomFrom } from "../../support/random.ts";
import { formatCount } from "../measure.ts";
import { drawEvents, PATTERN_SEED } from "../random-patterns.ts";
import type { Curve } from "./curve.ts";
import { buildReplica } from "./pattern-nodes.ts";
import { breathe, timePredictions } from "./predict-timing.ts";

const PATTERNS = 10_000;
/** At 0.1 a query of more than 190 symbols is too long for any pattern of ten. */
const THRESHOLDS = [0, 0.1];

export const predictByQueryLength: Curve = {
  name: "predict-by-query-length",
  title: "Predict by length of the query",
  about:
    `In process: ${formatCount(PATTERNS)} random patterns of ten symbols, queries of events of one symbol. At threshold 0 ` +
    `every pattern is a candidate; at 0.1 queries of more than 190 symbols match none.`,
  steps: (quick) => lengthsOf(quick).length,
  async measure({ quick, onStep }) {
    const node = buildReplica(PATTERNS);
    const random = randomFrom(PATTERN_SEED + 1);
    const rows: { length: number; threshold: number; median: number; predictions: number }[] = [];
    for (const length of lengthsOf(quick)) {
      const count = quick ? 50 : 300;
      const queries = Array.from({ length: count }, () => drawEvents(random, length));
      for (const threshold of THRESHOLDS) {
        const timed = timePredictions(node, queries, { recallThreshold: threshold });
        const { latency, predictions } = timed;
        rows.push({ length, threshold, median: latency.median, predictions });
      }
      onStep();
      await breathe();
    }
    return {
      header: ["symbols", "threshold", "median ms", "predictions"],
      rows: rows.map(({ length, threshold, median, predictions }) => [
        formatCount(length),
        threshold,
        median.toFixed(3),
        predictions.toFixed(1),
      ]),
      panels: [
        {
          x: { title: "symbols of the query", scale: "log" },
          y: { title: "median of a prediction, ms", scale: "log" },
          points: rows.map(({ length, threshold, median }) => ({
            series: `threshold ${threshold}`,
            x: length,
            y: median,
          })),
        },
      ],
      goals: [],
    };
  },
};

function lengthsOf(quick: boolean): number[] {
  return quick ? [2, 50] : [2, 5, 10, 20, 50, 100, 200, 500, 1_000];
}
