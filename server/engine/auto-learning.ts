import type { Event } from "@kato-rpc/shared/observation.ts";
import type { SessionConfig } from "@kato-rpc/shared/session-config.ts";

/** What automatic learning does with short-term memory after an event was appended. */
export interface AutoLearning {
  /** The events to learn, without emotives and metadata. */
  events: readonly Event[];
  /** What short-term memory holds afterwards. */
  kept: readonly Event[];
}

/**
 * Whether short-term memory of `events` is long enough to be learned (engine.md §9); undefined when not. All of it is
 * learned, however long; CLEAR then keeps nothing, ROLLING the last `maxPatternLength − 1` events, which is none
 * for 1. A single event is never kept.
 */
export function decideAutoLearning(
  events: readonly Event[],
  config: Pick<SessionConfig, "maxPatternLength" | "stmMode">,
): AutoLearning | undefined {
  const { maxPatternLength, stmMode } = config;
  if (maxPatternLength <= 0 || events.length < maxPatternLength) return undefined;

  const keptCount = stmMode === "ROLLING" && events.length > 1 ? maxPatternLength - 1 : 0;
  return { events, kept: events.slice(events.length - keptCount) };
}
