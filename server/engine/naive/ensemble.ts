import type { Event } from "@kato-rpc/shared/observation.ts";
import type { FuturePotential, SequencePrediction } from "@kato-rpc/shared/prediction.ts";

import { entropy, globalNormalizedEntropy, normalizedEntropy } from "../distributions.ts";
import { averageEmotives } from "../emotives.ts";
import {
  confluenceOf,
  cosineDistance,
  itfdfSimilarityOf,
  patternsWithSymbol,
  symbolWeight,
} from "../ensemble-metrics.ts";
import { countOccurrences } from "../learning.ts";
import type { IntrinsicMetrics } from "../long-term-memory.ts";
import { potentialOf } from "../metrics.ts";
import type { NodeMemory } from "../node-memory.ts";
import { sortSymbols } from "../symbol-order.ts";
import type { Candidate, Query } from "./extraction.ts";

export interface Figured {
  /** One per member, in the order of the ensemble. */
  predictions: SequencePrediction[];
  futurePotentials: FuturePotential[];
}

/** All that depends on the other candidates (prediction.md §8). The order of the ensemble is that of every sum. */
export function figureEnsemble(
  node: NodeMemory,
  query: Query,
  ensemble: readonly Candidate[],
): Figured {
  const frequencies = ensemble.reduce((sum, { pattern }) => sum + pattern.frequency, 0);
  const probabilities = symbolProbabilities(node, ensemble);
  const futures = groupFutures(ensemble);
  const evidence = ensemble.reduce(
    (sum, { pattern, similarity }) => sum + similarity * (pattern.frequency / frequencies),
    0,
  );
  const predictions = ensemble.map((member) => {
    const prior = member.pattern.frequency / frequencies;
    const weightedStrength = member.similarity * prior;
    const share = futures.shareOf(member);
    const present = figurePresent(node, { query, member, probabilities, frequencies });
    return {
      ...describe(member),
      ...present,
      potential: potentialOf(effectiveFigures(member), present.itfdfSimilarity),
      predictiveInformation: share > 0 ? weightedStrength / share : 0,
      patternProbability: prior,
      weightedStrength,
      bayesianPosterior: evidence === 0 ? 0 : weightedStrength / evidence,
      bayesianPrior: prior,
      bayesianLikelihood: member.similarity,
    };
  });
  return { predictions, futurePotentials: futures.potentials };
}

/** Base figures as the potential takes them: weighted where weighting is on. */
function effectiveFigures(member: Candidate) {
  return {
    evidence: member.weightedEvidence ?? member.evidence,
    confidence: member.weightedConfidence ?? member.confidence,
    snr: member.weightedSnr ?? member.snr,
    fragmentation: member.fragmentation,
  };
}

function describe(member: Candidate) {
  const { pattern, past, present, future, matches, missing, extras, anomalies } = member;
  return {
    type: "prototypical" as const,
    name: pattern.hash,
    frequency: pattern.frequency,
    emotives: averageEmotives(pattern.emotives),
    matches,
    past,
    present,
    future,
    missing,
    extras,
    anomalies,
    sequence: pattern.events,
    evidence: member.evidence,
    similarity: member.similarity,
    fragmentation: member.fragmentation,
    snr: member.snr,
    confidence: member.confidence,
    weightedSimilarity: member.weightedSimilarity,
    weightedEvidence: member.weightedEvidence,
    weightedConfidence: member.weightedConfidence,
    weightedSnr: member.weightedSnr,
  };
}

/** P of prediction.md §8.2: of the symbols that some member matched or misses. */
function symbolProbabilities(
  node: NodeMemory,
  ensemble: readonly Candidate[],
): ReadonlyMap<string, number> {
  const { patterns } = node.totals();
  const probabilities = new Map<string, number>();
  for (const { matches, missing } of ensemble) {
    for (const symbol of [...matches, ...missing.flat()]) {
      const members = node.symbol(symbol)?.patternMemberFrequency ?? 0;
      probabilities.set(symbol, members / patterns);
    }
  }
  return probabilities;
}

interface PresentContext {
  query: Query;
  member: Candidate;
  probabilities: ReadonlyMap<string, number>;
  frequencies: number;
}

/** The figures over the symbols of `present` (prediction.md §8.3). */
function figurePresent(node: NodeMemory, context: PresentContext) {
  const { query, member, probabilities, frequencies } = context;
  const { patterns, patternFrequencies } = node.totals();
  const { frequency, hash, events } = member.pattern;
  const present = member.present.flat();
  const intrinsic = node.intrinsicMetrics(hash);
  const u = weighCounts(countOccurrences(query.state), probabilities);
  const v = weighCounts(countOccurrences(present), probabilities);
  const products = Array.from(u, ([symbol, value]) => value * (v.get(symbol) ?? 0));
  const distance = cosineDistance(sum(products), sumOfSquares(u), sumOfSquares(v));
  const described = intrinsic === undefined ? present : events.flat();
  return {
    ...(intrinsic ?? figureDistribution(node, present, probabilities)),
    itfdfSimilarity: itfdfSimilarityOf(distance, frequency, frequencies),
    confluence: confluenceOf(
      present.map((symbol) => probabilities.get(symbol) ?? 0),
      frequency / patternFrequencies,
    ),
    tfidfScore: tfidfScoreOf(described, patterns, probabilities),
  };
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function sumOfSquares(vector: ReadonlyMap<string, number>): number {
  return sum(Array.from(vector.values(), (value) => value * value));
}

function weighCounts(
  occurrences: readonly [string, number][],
  probabilities: ReadonlyMap<string, number>,
): Map<string, number> {
  return new Map(
    occurrences.map(([symbol, count]) => [symbol, (probabilities.get(symbol) ?? 0) * count]),
  );
}

function figureDistribution(
  node: NodeMemory,
  present: readonly string[],
  probabilities: ReadonlyMap<string, number>,
): IntrinsicMetrics {
  const { symbols } = node.totals();
  const occurrences = countOccurrences(present);
  const counts = occurrences.map(([, count]) => count);
  return {
    entropy: entropy(counts, present.length),
    normalizedEntropy: normalizedEntropy(counts, present.length, symbols),
    globalNormalizedEntropy: globalNormalizedEntropy(
      occurrences.map(([symbol]) => probabilities.get(symbol) ?? 0),
      symbols,
    ),
  };
}

/** Mean over the distinct symbols of `tf·(log2(U/k) + 1)`. */
function tfidfScoreOf(
  symbols: readonly string[],
  patterns: number,
  probabilities: ReadonlyMap<string, number>,
): number {
  const occurrences = countOccurrences(symbols);
  if (occurrences.length === 0) return 0;
  let sum = 0;
  for (const [symbol, count] of occurrences) {
    const k = patternsWithSymbol(probabilities.get(symbol), patterns);
    sum += (count / symbols.length) * symbolWeight(k, patterns);
  }
  return sum / occurrences.length;
}

interface Futures {
  potentials: FuturePotential[];
  /** The share of a member's future in the weight of all; 0 without a future. */
  shareOf(member: Candidate): number;
}

/** Members that agree on what comes, whatever the order inside an event (prediction.md §8.3). */
function groupFutures(ensemble: readonly Candidate[]): Futures {
  const groups = new Map<string, { future: Event[]; members: number; weight: number }>();
  const keyOf = ({ future }: Candidate): string => JSON.stringify(future.map(sortSymbols));
  for (const member of ensemble) {
    if (member.future.length === 0) continue;
    const group = groups.get(keyOf(member)) ?? { future: member.future, members: 0, weight: 0 };
    group.members += 1;
    group.weight += member.pattern.frequency * member.similarity;
    groups.set(keyOf(member), group);
  }
  let weights = 0;
  for (const { weight } of groups.values()) weights += weight;
  const share = (weight: number): number => (weights === 0 ? 0 : weight / weights);
  const potentials = Array.from(groups.values(), ({ future, members, weight }) => ({
    future,
    aggregatePotential: share(weight),
    supportingPatterns: members,
    totalWeightedFrequency: weight,
  }));
  return {
    potentials: potentials.sort((a, b) => b.aggregatePotential - a.aggregatePotential),
    shareOf: (member) => share(groups.get(keyOf(member))?.weight ?? 0),
  };
}
