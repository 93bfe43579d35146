import type { Event } from "@kato-rpc/shared/observation.ts";
import type { PredictionList } from "@kato-rpc/shared/prediction.ts";

import { searchIndex } from "./candidate-search.ts";
import { describeFutures, PredictionWriter } from "./describe-prediction.ts";
import type { Member } from "./ensemble.ts";
import { EnsembleFigures } from "./ensemble.ts";
import { EventTexts } from "./event-texts.ts";
import type { NodeReplica } from "./node-replica.ts";
import type { QuerySettings } from "./state-query.ts";
import { StateQuery } from "./state-query.ts";
import { predictFromOneSymbol } from "./symbol-predictions.ts";

/**
 * What the node's patterns say about short-term memory (prediction.md §1.2 and §3), the same bits as `predictNaively`. The same
 * memory, events and settings give the same list, however the memory came about. Its inner lists may be shared
 * with each other and with `stm`, and are not to be changed. Throws what `settings.interrupt` throws, and nothing else.
 */
export function predict(
  node: NodeReplica,
  stm: readonly Event[],
  settings: QuerySettings,
): PredictionList {
  const [first, ...others] = stm.flat();
  if (first === undefined) {
    return { predictions: [], futurePotentials: [], empty: "NO_SYMBOLS", bestSimilarity: null };
  }
  if (others.length === 0) {
    const { maxPredictions, affinityEmotive, interrupt } = settings;
    return predictFromOneSymbol(node, {
      symbol: first,
      maxPredictions,
      affinityEmotive,
      interrupt,
    });
  }
  const query = new StateQuery(node, stm, settings);
  try {
    return predictSequence(node, query);
  } finally {
    query.end(node);
  }
}

function predictSequence(node: NodeReplica, query: StateQuery): PredictionList {
  const found = searchIndex(node, query);
  if (found.empty !== null) {
    const { empty, bestSimilarity } = found;
    return { predictions: [], futurePotentials: [], empty, bestSimilarity };
  }
  const { ensemble, extraction } = found;
  const figured = new EnsembleFigures(node, query).figure(ensemble, extraction);
  const { members, predictions, futures } = figured;
  const events = new EventTexts(node, query.scratch.places);
  const writer = new PredictionWriter(node, query, { extraction, events });
  for (const [i, prediction] of predictions.entries()) {
    const member = members[i] as Member;
    query.breathe(node.patterns.lengthOf(member.slot));
    writer.describe(prediction, member);
  }
  return {
    predictions,
    futurePotentials: describeFutures(node, query, { groups: futures, events }),
    empty: null,
    bestSimilarity: null,
  };
}
