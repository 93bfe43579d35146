import { randomFrom } from "../../support/random.ts";
import { formatCount } from "../measure.ts";
import { drawEvents, PATTERN_SEED, QUERY_SYMBOLS } from "../random-patterns.ts";
import type { Curve } from "./curve.ts";
import { buildReplica } from "./pattern-nodes.ts";
import { breathe, timePredictions } from "./predict-timing.ts";

const PATTERNS = 10_000;

export const predictByMatchRatio: Curve = {
  name: "predict-by-match-ratio",
  title: "Predict by recall threshold",
  about:
    `In process: ${formatCount(PATTERNS)} random patterns of ten symbols, queries of five; the threshold is the least ` +
    `similarity of a pattern that is predicted from, 0 all of them. At ten symbols to five no pattern reaches 0.7.`,
  steps: (quick) => thresholdsOf(quick).length,
  async measure({ quick, onStep }) {
    const node = buildReplica(PATTERNS);
    const random = randomFrom(PATTERN_SEED + 1);
    const length = quick ? 100 : 1_000;
    const queries = Array.from({ length }, () => drawEvents(random, QUERY_SYMBOLS));
    const rows: { threshold: number; median: number; predictions: number }[] = [];
    for (const threshold of thresholdsOf(quick)) {
      const timed = timePredictions(node, queries, { recallThreshold: threshold });
      rows.push({
        threshold,
        median: timed.latency.median,
        predictions: timed.predictions,
      });
      onStep();
      await breathe();
    }
    return {
      header: ["threshold", "median ms", "predictions"],
      rows: rows.map(({ threshold, median, predictions }) => [
        threshold,
        median.toFixed(3),
        predictions.toFixed(1),
      ]),
      panels: [
        {
          x: { title: "recall threshold", scale: "linear" },
          y: { title: "median of a prediction, ms", scale: "linear" },
          points: rows.map(({ threshold, median }) => ({
            series: "predict",
            x: threshold,
            y: median,
          })),
        },
      ],
      goals: [],
    };
  },
};

function thresholdsOf(quick: boolean): number[] {
  return quick ? [0.1, 0.5] : [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
}
