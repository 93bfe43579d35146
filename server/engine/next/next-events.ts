import type { NextList } from "@kato-rpc/shared/next.ts";
import type { Event } from "@kato-rpc/shared/observation.ts";

import { compareHashes } from "../index/hash-words.ts";
import type { NodeReplica } from "../index/node-replica.ts";
import { WorkMeter } from "../index/work-meter.ts";
import { answerEmpty, answerFrom } from "./answer.ts";
import type { ContextIndex } from "./context-index.ts";
import type { CountedContexts, Present } from "./count-contexts.ts";
import { ContextCounter } from "./count-contexts.ts";
import { compareEvents } from "./event-order.ts";
import { KnownEvents } from "./known-events.ts";
import type { NextEvidence, PriorEvent } from "./next-evidence.ts";
import { LONGEST_CONTEXT, RESOLVED_EVENTS } from "./next-evidence.ts";
import { BEGINNING, END_OUTCOME, UNKNOWN } from "./outcome.ts";

export interface NextQuestion {
  /** Events listed at most. */
  limit: number;
  /** How many events ahead; 1 is the next. */
  horizon: number;
  /** Called every so often; ends the answer by throwing. */
  interrupt?: (() => void) | undefined;
}

/**
 * What comes after short-term memory, by the node's patterns: the same bits as `nextEventsNaively`, whatever the order they
 * were learned in. An event is what it is with all its symbols in their order; of what was observed, the
 * last `RESOLVED_EVENTS` that no pattern has just so are taken for the most alike, by `KnownEvents`. Those at the end that the node does not
 * know are stepped over: the last it knows is the present one, and what is asked for lies so many events further on. A
 * pattern that is over before as many events is contradicted, and says nothing.
 * Sums are exact, and so the same in any order, below 2⁵³ of what `BitSum` adds up.
 * O(places of the present event in the patterns).
 */
export function nextEvents(
  node: NodeReplica,
  stm: readonly Event[],
  { limit, horizon, interrupt }: NextQuestion,
): NextList {
  if (stm.length === 0) return answerEmpty("NO_SYMBOLS");
  const meter = new WorkMeter(interrupt);
  const index = node.contexts(meter);
  if (index.known === 0) return answerEmpty("NO_PATTERNS");
  const { unknownLast, ...present } = presentOf(stm, new KnownEvents(node, index, meter));
  const counted = new ContextCounter(node, index, { ...present, horizon }).count(meter);
  return answerFrom(evidenceOf({ node, index, counted, unknownLast }), limit, meter);
}

/** From the end, and no further back than contexts reach. */
function presentOf(
  stm: readonly Event[],
  known: KnownEvents,
): Omit<Present, "horizon"> & { unknownLast: boolean[] } {
  const first = Math.max(0, stm.length - RESOLVED_EVENTS);
  let before = first === 0 ? BEGINNING : known.find(stm[first - 1] ?? []);
  const resolved = stm.slice(first).map((each) => (before = known.resolve(each, before)));
  const numberAt = (at: number): number => resolved[at - first] ?? known.find(stm[at] ?? []);
  let last = stm.length - 1;
  let event = UNKNOWN;
  for (; last >= 0; last -= 1) {
    event = numberAt(last);
    if (event !== UNKNOWN) break;
  }
  const events = last < 0 ? [] : [event];
  for (let at = last - 1; at >= 0 && events.length < LONGEST_CONTEXT; at -= 1) {
    events.unshift(numberAt(at));
  }
  const unknownLast = resolved.map((each) => each === UNKNOWN);
  return { events, unknown: stm.length - 1 - last, unknownLast };
}

function evidenceOf({
  node,
  index,
  counted,
  unknownLast,
}: {
  node: NodeReplica;
  index: ContextIndex;
  counted: CountedContexts;
  unknownLast: readonly boolean[];
}): NextEvidence {
  const { outcomes, orders, gaps, branches, occurrences } = counted;
  const eventOf = (outcome: number): Event => node.eventAt(index.firstPlaceOf(outcome - 1));
  return {
    candidateCount: outcomes.length,
    outcome(candidate) {
      const outcome = outcomes[candidate] ?? END_OUTCOME;
      return outcome === END_OUTCOME ? undefined : eventOf(outcome);
    },
    orders,
    gaps,
    branches,
    occurrences,
    patternHash: (slot) => node.patterns.hashOf(slot),
    comparePatterns: (a, b) => compareHashes(node.patterns.hashes, a, b),
    prior: {
      tables: Float64Array.from(outcomes, (outcome) => index.tablesOf(outcome)),
      total: index.total,
      once: index.once,
    },
    novelty: { known: index.known, seen: index.seen, unknown: unknownLast },
    others: () => otherEvents({ index, eventOf, except: new Set(outcomes) }),
    endTables: index.tablesOf(END_OUTCOME),
  };
}

function* otherEvents({
  index,
  eventOf,
  except,
}: {
  index: ContextIndex;
  eventOf(outcome: number): Event;
  except: ReadonlySet<number>;
}): Generator<PriorEvent> {
  const frequent = index.frequent.inOrder((a, b) => compareEvents(eventOf(a), eventOf(b)));
  for (const outcome of frequent) {
    if (except.has(outcome)) continue;
    yield { event: eventOf(outcome), tables: index.tablesOf(outcome) };
  }
}
