import type { Anomaly, PredictionSettings, WeightedFigures } from "@kato-rpc/shared/prediction.ts";
import type { Event } from "@kato-rpc/shared/observation.ts";

import { sumWeights, UNWEIGHTED, weightedFigures } from "../affinity.ts";
import { matchFuzzily } from "../fuzzy-tokens.ts";
import type { MatchingBlock } from "../matching-blocks.ts";
import { matchingBlocks } from "../matching-blocks.ts";
import type { BaseFigures } from "../metrics.ts";
import {
  confidenceOf,
  evidenceOf,
  fragmentationOf,
  preliminaryPotential,
  signalToNoise,
} from "../metrics.ts";
import type { StoredPattern } from "../node-change.ts";
import type { Regions, Segments } from "../segmentation.ts";
import { findExtras, findMissing, segmentEvents } from "../segmentation.ts";

/** A pattern that may be predicted, and all that is known of it without the others. */
export interface Candidate extends Segments, BaseFigures, WeightedFigures {
  hash: string;
  pattern: StoredPattern;
  similarity: number;
  matches: string[];
  anomalies: Anomaly[];
  missing: Event[];
  extras: Event[];
  preliminaryPotential: number;
}

/** Short-term memory as a query. */
export interface Query {
  stm: readonly Event[];
  /** All symbols of short-term memory in order. */
  state: readonly string[];
  settings: PredictionSettings;
  /** Affinity weight per symbol of the state; undefined when weighting is off. */
  weights: ReadonlyMap<string, number> | undefined;
}

/** Extracts a candidate (prediction.md §5 and §6); undefined when the threshold asks for a block and there is none. */
export function extractCandidate(
  pattern: StoredPattern,
  query: Query,
  similarity: number,
): Candidate | undefined {
  const symbols = pattern.events.flat();
  const { stm, state, settings, weights } = query;
  const blocks = matchingBlocks(symbols, state);
  if (blocks.length === 0 && settings.recallThreshold > 0) return undefined;

  const regions = regionsOf(blocks, symbols.length);
  const matched = matchSymbols(symbols, query, { blocks, regions });
  const segments = segmentEvents(pattern.events, regions, matched.matches[0]);
  const figures = {
    evidence: evidenceOf(matched.matches.length, symbols.length),
    confidence: confidenceOf(matched.matches.length, segments.present.flat().length),
    snr: signalToNoise(matched.matches.length, matched.flatExtras),
    fragmentation: fragmentationOf(blocks.length),
  };
  const extras = findExtras(stm, segments.present);
  return {
    ...segments,
    ...figures,
    ...(weights === undefined
      ? UNWEIGHTED
      : weightedFigures({
          matches: sumWeights(matched.matches, weights),
          state: sumWeights(state, weights),
          pattern: sumWeights(symbols, weights),
          present: sumWeights(segments.present.flat(), weights),
          extras: sumWeights(extras.flat(), weights),
        })),
    hash: pattern.hash,
    pattern,
    similarity,
    matches: matched.matches,
    anomalies: matched.anomalies,
    missing: findMissing(segments.present, matched.matches),
    extras,
    preliminaryPotential: preliminaryPotential(
      figures.evidence + figures.confidence,
      figures.snr,
      figures.fragmentation,
    ),
  };
}

/** prediction.md §5.3: without any block, all is present. */
function regionsOf(blocks: readonly MatchingBlock[], patternLength: number): Regions {
  const first = blocks[0];
  const last = blocks.at(-1);
  if (first === undefined || last === undefined) {
    return { pastSymbols: 0, presentSymbols: patternLength };
  }
  return { pastSymbols: first.inA, presentSymbols: last.inA + last.length - first.inA };
}

interface Matched {
  matches: string[];
  anomalies: Anomaly[];
  /** The state's symbols without a match, counted one by one (prediction.md §5.4). */
  flatExtras: number;
}

function matchSymbols(
  symbols: readonly string[],
  { state, settings }: Query,
  { blocks, regions }: { blocks: readonly MatchingBlock[]; regions: Regions },
): Matched {
  const fuzzyThreshold = settings.fuzzyTokenThreshold ?? 0;
  if (fuzzyThreshold > 0) {
    const fuzzy = matchFuzzily(symbols, state, fuzzyThreshold);
    return { ...fuzzy, flatExtras: state.length - fuzzy.matches.length };
  }
  const { pastSymbols, presentSymbols } = regions;
  const present = symbols.slice(pastSymbols, pastSymbols + presentSymbols);
  const presentBlocks = matchingBlocks(present, state);
  const explained = presentBlocks.reduce((sum, { length }) => sum + length, 0);
  return {
    matches: blocks.flatMap(({ inB, length }) => state.slice(inB, inB + length)),
    anomalies: [],
    flatExtras: state.length - explained,
  };
}
