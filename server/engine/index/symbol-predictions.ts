import type {
  PredictionList,
  SymbolPrediction,
  WeightedFigures,
} from "@kato-rpc/shared/prediction.ts";

import { affinityWeight, UNWEIGHTED, weightedFigures } from "../affinity.ts";
import { averageEmotives } from "../emotives.ts";
import { evidenceOf } from "../metrics.ts";
import { tokenRatio } from "../similarity.ts";
import { BestCandidates } from "./best-candidates.ts";
import { compareHashes } from "./hash-words.ts";
import type { NodeReplica } from "./node-replica.ts";
import { SYMBOL_BITS } from "./pattern-table.ts";
import { WorkMeter } from "./work-meter.ts";

export interface SymbolQuery {
  symbol: string;
  maxPredictions: number;
  affinityEmotive: string | null;
  /** Called every so often; may throw. */
  interrupt?: (() => void) | undefined;
}

/** Predictions from exactly one symbol (prediction.md §2): those of `predictFromSymbol`. */
export function predictFromOneSymbol(node: NodeReplica, query: SymbolQuery): PredictionList {
  const id = node.symbols.find(query.symbol);
  const weigh = id === undefined ? undefined : weigherOf(node, query, id);
  const work = new WorkMeter(query.interrupt);
  const potentials = new Map<number, number>();
  const best = new BestCandidates(
    query.maxPredictions,
    (a, b) =>
      (potentials.get(b) ?? 0) - (potentials.get(a) ?? 0) ||
      compareHashes(node.patterns.hashes, a, b),
  );
  for (const slot of id === undefined ? [] : slotsBeginningWith(node, id)) {
    work.visit(weigh === undefined ? 0 : node.patterns.lengthOf(slot));
    potentials.set(slot, potentialOfSlot(node, slot, weigh?.(slot)));
    best.add(slot);
  }
  const predictions = best.sorted().map((slot) => {
    work.visit(node.patterns.lengthOf(slot));
    return describe(node, slot, { symbol: query.symbol, weighted: weigh?.(slot) });
  });
  const empty = predictions.length === 0 ? "NO_PATTERNS" : null;
  return { predictions, futurePotentials: [], empty, bestSimilarity: null };
}

function* slotsBeginningWith({ patterns, postings }: NodeReplica, id: number): Generator<number> {
  const start = postings.startOf(id);
  for (let at = start; at < start + postings.lengthOf(id); at += 1) {
    const slot = postings.pool[at] ?? 0;
    const first = patterns.symbols[patterns.startOf(slot)] ?? 0;
    if ((first & SYMBOL_BITS) === id && patterns.frequencyOf(slot) > 0) yield slot;
  }
}

type Weigher = (slot: number) => WeightedFigures;

/** Here every symbol of a pattern has its weight, also those outside the state. */
function weigherOf(node: NodeReplica, query: SymbolQuery, id: number): Weigher | undefined {
  const emotive = query.affinityEmotive;
  if (!emotive) return undefined;
  const weights = new Map<number, number>();
  const weightOf = (symbol: number): number => {
    const found = weights.get(symbol);
    if (found !== undefined) return found;
    const affinity = node.affinity(node.symbols.text(symbol))[emotive] ?? 0;
    const weight = affinityWeight(affinity, node.symbols.frequency(symbol));
    weights.set(symbol, weight);
    return weight;
  };
  const own = weightOf(id);
  return (slot) => {
    let pattern = 0;
    for (let at = node.patterns.startOf(slot); at < node.patterns.startOf(slot + 1); at += 1) {
      pattern += weightOf((node.patterns.symbols[at] ?? 0) & SYMBOL_BITS);
    }
    return weightedFigures({ matches: own, state: own, pattern, present: own, extras: 0 });
  };
}

function potentialOfSlot(
  node: NodeReplica,
  slot: number,
  weighted: WeightedFigures = UNWEIGHTED,
): number {
  const evidence = weighted.weightedEvidence ?? evidenceOf(1, node.patterns.lengthOf(slot));
  return (evidence + (weighted.weightedConfidence ?? 1)) * (weighted.weightedSnr ?? 1) + 1;
}

function describe(
  node: NodeReplica,
  slot: number,
  { symbol, weighted }: { symbol: string; weighted: WeightedFigures | undefined },
): SymbolPrediction {
  const length = node.patterns.lengthOf(slot);
  const patternData = node.eventsOf(slot);
  return {
    name: node.patterns.hashOf(slot),
    patternData,
    length,
    frequency: node.patterns.frequencyOf(slot),
    emotives: averageEmotives(node.emotivesOf(slot)),
    matches: [symbol],
    missing: [],
    present: [symbol],
    past: [],
    future: patternData.flat().slice(1),
    extras: [],
    similarity: tokenRatio(1, length + 1),
    evidence: evidenceOf(1, length),
    confidence: 1,
    snr: 1,
    fragmentation: 0,
    anomalies: [],
    ...(weighted ?? UNWEIGHTED),
    potential: potentialOfSlot(node, slot, weighted),
  };
}
