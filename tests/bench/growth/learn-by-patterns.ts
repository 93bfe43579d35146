import { formatCount, formatRatio } from "../measure.ts";
import { spreadOf } from "../spread.ts";
import { PATTERN_SEED } from "../random-patterns.ts";
import type { Curve } from "./curve.ts";
import { inTurns } from "../in-turns.ts";
import { nodesOf, patternSizesOf, WARM_UP_NODE, type LearningNode } from "./learned-nodes.ts";
import { drawPatterns, take } from "./pattern-nodes.ts";

/** In a round: few, so that a small node stays about as large as it is called. */
const LEARNS = 25;

export const learnByPatterns: Curve = {
  name: "learn-by-patterns",
  title: "Learn by patterns of the node",
  about:
    `Through the stores, without HTTP: commits one after another that each learn a new random pattern of ten symbols into ` +
    `a node of that size, on Redis and on SQLite.`,
  steps: (quick) => nodesOf(quick) + roundsOf(quick),
  async measure({ quick, onStep, learned }) {
    const sizes = patternSizesOf(quick);
    const stores = await learned.stores(sizes, onStep);
    const patterns = drawPatterns(PATTERN_SEED + 1);
    const targets = stores.flatMap(({ kind, nodes }) =>
      nodes
        .filter(({ nodeId }) => nodeId !== WARM_UP_NODE)
        .map((node) => ({ kind, size: node.size, learn: () => timeLearns(node, patterns) })),
    );
    const rounds = await inTurns(
      targets.map(({ learn }) => learn),
      { rounds: roundsOf(quick), onRound: onStep },
    );
    // The first round warms up.
    const rows = targets.map(({ kind, size }, i) => ({
      kind,
      size,
      ...spreadOf(rounds[i]!.slice(1)),
    }));
    const firstOf = (kind: string) => rows.find((row) => row.kind === kind)!.median;
    return {
      header: ["store", "patterns", "µs per learn", "least", "most", "to first"],
      rows: rows.map(({ kind, size, median, least, most }) => [
        kind,
        formatCount(size),
        ...[median, least, most].map((microseconds) => microseconds.toFixed(0)),
        formatRatio(median / firstOf(kind)),
      ]),
      panels: [
        {
          x: { title: "patterns of the node", scale: "log" },
          y: { title: "µs per learn", scale: "linear" },
          points: rows.map(({ kind, size, median }) => ({ series: kind, x: size, y: median })),
        },
      ],
      goals: [],
    };
  },
};

async function timeLearns(
  node: LearningNode,
  patterns: ReturnType<typeof drawPatterns>,
): Promise<number> {
  const learns = take(patterns, LEARNS);
  const start = performance.now();
  for (const learn of learns) await node.learn([learn]);
  return ((performance.now() - start) * 1_000) / LEARNS;
}

function roundsOf(quick: boolean): number {
  return quick ? 4 : 12;
}
