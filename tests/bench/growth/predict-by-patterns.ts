import { formatCount } from "../measure.ts";
import { measurePredictLatency } from "../predict-latency.ts";
import { PATTERN_SEED } from "../random-patterns.ts";
import { atMost, type Curve } from "./curve.ts";
import { breathe } from "./predict-timing.ts";

/** Median ms, by threshold and patterns. */
const GOALS: Record<string, Record<number, number>> = {
  "0.1": { 1_000: 0.3, 10_000: 2, 100_000: 20, 1_000_000: 200 },
  "0.5": { 1_000: 0.1, 10_000: 0.3, 100_000: 2, 1_000_000: 20 },
};

export const predictByPatterns: Curve = {
  name: "predict-by-patterns",
  title: "Predict by patterns of the node",
  about:
    `In process, one thread: random patterns of ten symbols out of 1,000 (Zipf, seed ${PATTERN_SEED}), queries of five, ` +
    `\`maxPredictions\` 100, all figures, at two recall thresholds.`,
  steps: (quick) => sizesOf(quick).length,
  async measure({ quick, onStep }) {
    const rows: ReturnType<typeof measurePredictLatency> = [];
    for (const size of sizesOf(quick)) {
      rows.push(...measurePredictLatency({ sizes: [size], queriesFor }));
      onStep();
      await breathe();
    }
    const goalOf = (threshold: number, patterns: number) => GOALS[String(threshold)]![patterns]!;
    return {
      header: ["patterns", "threshold", "median ms", "least ms", "most ms", "goal ms"],
      rows: rows.map(({ patterns, threshold, latency }) => [
        formatCount(patterns),
        threshold,
        latency.median.toFixed(3),
        latency.least.toFixed(3),
        latency.most.toFixed(2),
        goalOf(threshold, patterns),
      ]),
      panels: [
        {
          x: { title: "patterns of the node", scale: "log" },
          y: { title: "median of a prediction, ms", scale: "log" },
          points: rows.map(({ patterns, threshold, latency }) => ({
            series: `threshold ${threshold}`,
            x: patterns,
            y: latency.median,
          })),
          goals: rows.map(({ patterns, threshold }) => ({
            series: `threshold ${threshold}`,
            x: patterns,
            y: goalOf(threshold, patterns),
          })),
        },
      ],
      goals: rows.map(({ patterns, threshold, latency }) => {
        const most = goalOf(threshold, patterns);
        const goal = `${formatCount(patterns)} patterns at ${threshold} ≤ ${most} ms`;
        return atMost(goal, { figure: latency.median, most, digits: 3 });
      }),
    };
  },
};

function sizesOf(quick: boolean): number[] {
  return quick ? [1_000, 10_000] : [1_000, 10_000, 100_000, 1_000_000];
}

function queriesFor(size: number): number {
  return Math.max(100, Math.min(4_000, 20_000_000 / size));
}
