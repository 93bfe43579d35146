import { eventKey } from "../../engine/next/event-order.ts";
import type { EventNumbers } from "./score.ts";
import type { NextReply } from "./service-run.ts";

/**
 * The service's answer as probabilities of all outcomes, as a `NextPredictor` gives them. Of what the answer does not list,
 * learned events have half in equal parts, each no more than the last that is listed, and the event that was never learned
 * has the rest: all of it where nothing is missing from the list.
 */
export function distributionOf(
  { events, end, other }: Pick<NextReply, "events" | "end" | "other">,
  numbers: EventNumbers,
): Float64Array {
  const { events: known } = numbers.training;
  const unlisted = known - events.length;
  const least = events.at(-1)?.probability ?? other;
  const each = unlisted === 0 ? 0 : Math.min(other / 2 / unlisted, least);
  const result = new Float64Array(known + 2).fill(each);
  for (const { event, probability } of events) result[numbers.of(eventKey(event))] = probability;
  result[known] = end;
  result[known + 1] = Math.max(0, other - each * unlisted);
  return result;
}
