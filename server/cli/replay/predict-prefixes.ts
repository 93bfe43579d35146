import type { KatoClient } from "@kato-rpc/client";
import type { Event } from "@kato-rpc/shared/observation.ts";
import type { EmptyReason, Prediction } from "@kato-rpc/shared/prediction.ts";
import type { LogCase } from "./event-log.ts";

/** What the node's patterns say after the first events of a case. */
export type PrefixPredictions = {
  case: string;
  /** The activities observed so far. */
  observed: readonly string[];
  /** The one that came next. */
  next: string;
  /** The best few. */
  predictions: ShownPrediction[];
  /** Why there are none. */
  empty: EmptyReason | null;
};

export type ShownPrediction = {
  pattern: string;
  similarity: number;
  past: Event[];
  present: Event[];
  future: Event[];
  potential: number;
  frequency: number;
};

const SHOWN = 3;
const TTL_SECONDS = 3_600;

/** Observes a case event by event in a session of its own, and asks for predictions after each but the last. */
export async function predictPrefixes(
  client: KatoClient,
  { caseId, activities }: LogCase,
  nodeId: string,
): Promise<PrefixPredictions[]> {
  const session = await client.session.create({ nodeId, ttlSeconds: TTL_SECONDS });
  try {
    const shown: PrefixPredictions[] = [];
    for (const [i, activity] of activities.slice(0, -1).entries()) {
      await session.observe({ strings: [activity] });
      const { predictions, empty } = await session.predict();
      shown.push({
        case: caseId,
        observed: activities.slice(0, i + 1),
        next: activities[i + 1] ?? "",
        predictions: predictions.slice(0, SHOWN).map(shorten),
        empty,
      });
    }
    return shown;
  } finally {
    await session.delete();
  }
}

/** A query of one symbol is answered with flat lists: each symbol is shown as an event. */
function shorten(prediction: Prediction): ShownPrediction {
  const { name, similarity, past, present, future, potential, frequency } = prediction;
  return {
    pattern: name,
    similarity,
    past: asEvents(past),
    present: asEvents(present),
    future: asEvents(future),
    potential,
    frequency,
  };
}

function asEvents(items: readonly (string | Event)[]): Event[] {
  return items.map((item) => (typeof item === "string" ? [item] : item));
}
