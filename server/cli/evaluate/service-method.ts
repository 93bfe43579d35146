import { eventKey } from "../../engine/next/event-order.ts";
import type { EventNumbers } from "./score.ts";
import type { NextReply } from "./service-run.ts";

/**
 * The service's answer as probabilities of all outcomes, as a `NextPredictor` gives them. What the answer does not list
 * is taken to be alike: the learned events that are missing from it, and the event that was never learned.
 */
export function distributionOf(
  { events, end, other }: Pick<NextReply, "events" | "end" | "other">,
  numbers: EventNumbers,
): Float64Array {
  const { events: known } = numbers.training;
  const unlisted = known - events.length + 1;
  const result = new Float64Array(known + 2).fill(other / unlisted);
  for (const { event, probability } of events) result[numbers.of(eventKey(event))] = probability;
  result[known] = end;
  return result;
}
