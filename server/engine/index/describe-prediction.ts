import type { Anomaly, FuturePotential, SequencePrediction } from "@kato-rpc/shared/prediction.ts";
import type { Event } from "@kato-rpc/shared/observation.ts";

import { averageEmotives } from "../emotives.ts";
import { findExtras, findMissing } from "../segmentation.ts";
import type { Figures } from "./ensemble.ts";
import type { Extraction } from "./extraction.ts";
import type { FutureGroup } from "./future-groups.ts";
import type { NodeReplica } from "./node-replica.ts";
import type { StateQuery } from "./state-query.ts";

/** Puts a prediction's symbols to its figures: only for those that are returned. */
export function describePrediction(
  node: NodeReplica,
  { query, extraction }: { query: StateQuery; extraction: Extraction },
  { slot, ...figures }: Figures,
): SequencePrediction {
  extraction.extract(slot);
  const { presentStart, presentEnd, fuzzy } = extraction;
  const sequence = node.eventsOf(slot);
  const firstPresent = countEvents(sequence, presentStart);
  const firstFuture = countEvents(sequence, presentEnd);
  const present = sequence.slice(firstPresent, firstFuture);
  const exact = { matches: matchesOf(slot, query, extraction), anomalies: [] as Anomaly[] };
  const { matches, anomalies } = fuzzy?.match(slot) ?? exact;
  return {
    type: "prototypical",
    name: node.patterns.hashOf(slot),
    emotives: averageEmotives(node.emotivesOf(slot)),
    matches,
    past: sequence.slice(0, firstPresent),
    present,
    future: sequence.slice(firstFuture),
    missing: findMissing(present, matches),
    extras: findExtras(query.stm, present),
    anomalies,
    sequence,
    ...figures,
  };
}

/** Highest share first; among equals the order of the ensemble. */
export function describeFutures(
  node: NodeReplica,
  groups: readonly FutureGroup[],
): FuturePotential[] {
  let weights = 0;
  for (const { weight } of groups) weights += weight;
  return groups
    .map(({ slot, start, members, weight }) => {
      const events = node.eventsOf(slot);
      return {
        future: events.slice(countEvents(events, start)),
        aggregatePotential: weights === 0 ? 0 : weight / weights,
        supportingPatterns: members,
        totalWeightedFrequency: weight,
      };
    })
    .sort((a, b) => b.aggregatePotential - a.aggregatePotential);
}

function matchesOf(slot: number, query: StateQuery, extraction: Extraction): string[] {
  return extraction.matchedPositions(slot).map((position) => query.state[position] ?? "");
}

/** How many leading events have so many symbols, which is a sum of their sizes. */
function countEvents(events: readonly Event[], symbols: number): number {
  let count = 0;
  for (let size = 0; size < symbols; count += 1) size += events[count]?.length ?? Infinity;
  return count;
}
