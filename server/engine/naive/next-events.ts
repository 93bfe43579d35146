import type { NextList } from "@kato-rpc/shared/next.ts";
import type { Event } from "@kato-rpc/shared/observation.ts";

import { answerEmpty, answerFrom } from "../next/answer.ts";
import { totalsOf } from "../next/estimators.ts";
import { compareEvents, eventKey } from "../next/event-order.ts";
import type { Branches, ContextCounts, NextEvidence } from "../next/next-evidence.ts";
import { LEAST_OVERLAP } from "../next/known-events.ts";
import {
  GAP_EVENTS,
  GAP_REACH,
  LONGEST_CONTEXT,
  MOST_SHARED,
  RESOLVED_EVENTS,
} from "../next/next-evidence.ts";
import { tableCount } from "../next/table-count.ts";
import type { NodeMemory } from "../node-memory.ts";
import { isVectorName } from "../vector-symbol.ts";

/** Neither is the key of an event. */
const BEGINNING = "beginning";
const END = "end";

interface Sequence {
  hash: string;
  /** Keys of the events between a beginning and an end. */
  keys: string[];
  frequency: number;
}

/** What comes next as the method is worded, counted in all patterns anew. What serves calls gives the same bits. */
export function nextEventsNaively(
  node: NodeMemory,
  stm: readonly Event[],
  { limit, horizon }: { limit: number; horizon: number },
): NextList {
  if (stm.length === 0) return answerEmpty("NO_SYMBOLS");
  const events = new Map<string, Event>();
  const sequences: Sequence[] = [];
  for (const { hash, events: learned, frequency } of node.patterns()) {
    for (const event of learned) events.set(eventKey(event), event);
    sequences.push({ hash, keys: [BEGINNING, ...learned.map(eventKey), END], frequency });
  }
  if (sequences.length === 0) return answerEmpty("NO_PATTERNS");
  const observed = observedKeys({ stm, events, sequences });
  return answerFrom(gather({ events, sequences, observed, horizon }), limit);
}

/** A beginning and the keys of what was observed, with events of the patterns in place of those at the end that no pattern has just so. */
function observedKeys({
  stm,
  events,
  sequences,
}: {
  stm: readonly Event[];
  events: ReadonlyMap<string, Event>;
  sequences: readonly Sequence[];
}): string[] {
  const prior = priorOf(sequences);
  const tablesOf = (event: Event): number => prior.get(eventKey(event)) ?? 0;
  const timesAfter = (before: string | undefined, event: Event): number =>
    sequences
      .flatMap(({ keys, frequency }) => keys.map((key, at) => ({ key, at, keys, frequency })))
      .filter(({ key, at, keys }) => keys[at - 1] === before && key === eventKey(event))
      .reduce((sum, { frequency }) => sum + frequency, 0);
  const observed = [BEGINNING];
  for (const [at, event] of stm.entries()) {
    const before = observed.at(-1);
    const known = [...events.values()].sort(
      (a, b) =>
        timesAfter(before, b) - timesAfter(before, a) ||
        tablesOf(b) - tablesOf(a) ||
        compareEvents(a, b),
    );
    const isResolved = at >= stm.length - RESOLVED_EVENTS;
    observed.push(eventKey((isResolved ? mostAlike(event, known) : undefined) ?? event));
  }
  return observed;
}

/** The first of the most alike, as `KnownEvents` says. */
function mostAlike(event: Event, known: readonly Event[]): Event | undefined {
  const learned = new Set(known.flat());
  const left = event.filter((symbol) => learned.has(symbol));
  const exact = known.find((other) => eventKey(other) === eventKey(left));
  if (exact !== undefined) return exact;

  const wanted = new Set(left);
  const stringsOf = (symbols: ReadonlySet<string>): string =>
    JSON.stringify([...symbols].filter((symbol) => !isVectorName(symbol)).sort());
  const compared = known.map((other) => {
    const symbols = new Set(other);
    const shared = [...symbols].filter((symbol) => wanted.has(symbol));
    const names = shared.filter(isVectorName).length;
    return {
      other,
      names: stringsOf(symbols) === stringsOf(wanted) ? names : 0,
      overlap: shared.length / (symbols.size + wanted.size - shared.length),
    };
  });
  const mostNames = Math.max(...compared.map(({ names }) => names));
  if (mostNames > 0) return compared.find(({ names }) => names === mostNames)?.other;
  const most = Math.max(LEAST_OVERLAP, ...compared.map(({ overlap }) => overlap));
  return compared.find(({ overlap }) => overlap === most)?.other;
}

function gather({
  events,
  sequences,
  observed,
  horizon,
}: {
  events: ReadonlyMap<string, Event>;
  sequences: readonly Sequence[];
  observed: readonly string[];
  horizon: number;
}): NextEvidence {
  const last = observed.findLastIndex((key) => events.has(key));
  const unknown = observed.length - 1 - last;
  const found = last < 0 ? [] : findPresent(sequences, observed.slice(0, last + 1));
  const seen = found
    .filter(({ keys, at }) => at + unknown < keys.length - 1)
    .map((each) => ({ ...each, next: each.keys[each.at + unknown + horizon] ?? END }));
  const candidates = [...new Set(seen.map(({ next }) => next))];
  const count = (belongs: (each: Seen) => boolean, group: Grouping): ContextCounts =>
    countContexts({ seen: seen.filter(belongs), candidates, group });

  const orders: ContextCounts[] = [];
  for (let length = 1; seen.some(({ matched }) => matched >= length); length += 1) {
    const isLongest = length === LONGEST_CONTEXT || length === last + 1;
    orders.push(
      count(
        ({ matched }) => matched >= length,
        isLongest ? undefined : ({ keys, at }) => keys[at - length] ?? BEGINNING,
      ),
    );
  }
  const gaps: ContextCounts[] = [];
  for (let least = 1; seen.some(({ shared }) => shared >= least); least += 1) {
    gaps.push(
      count(
        ({ shared }) => shared >= least,
        () => "all",
      ),
    );
  }
  const prior = priorOf(sequences);
  const tables = [...prior.values()];
  return {
    candidateCount: candidates.length,
    outcome: (candidate) => events.get(candidates[candidate] ?? END),
    orders,
    gaps,
    branches: branchesOf({ seen, candidates, longest: last + 1 }),
    occurrences: {
      count: seen.length,
      candidates: Int32Array.from(seen, ({ next }) => candidates.indexOf(next)),
      patterns: Int32Array.from(seen, ({ sequence }) => sequence),
      positions: Int32Array.from(seen, ({ at }) => at - 1),
      frequencies: Float64Array.from(seen, ({ frequency }) => frequency),
      matched: Uint8Array.from(seen, ({ matched }) => matched),
      shared: Uint8Array.from(seen, ({ shared }) => shared),
    },
    comparePatterns: (a, b) => ((sequences[a]?.hash ?? "") < (sequences[b]?.hash ?? "") ? -1 : 1),
    patternHash: (pattern) => sequences[pattern]?.hash ?? "",
    prior: {
      tables: Float64Array.from(candidates, (key) => prior.get(key) ?? 0),
      total: tables.reduce((sum, each) => sum + each, 0),
      once: tables.filter((each) => each === 1).length,
    },
    novelty: {
      known: events.size,
      seen: sequences.reduce((sum, { keys, frequency }) => sum + (keys.length - 1) * frequency, 0),
      unknown: observed
        .slice(1)
        .slice(-RESOLVED_EVENTS)
        .map((key) => !events.has(key)),
    },
    others: () =>
      [...events]
        .filter(([key]) => !candidates.includes(key))
        .map(([key, event]) => ({ event, tables: prior.get(key) ?? 0 }))
        .sort((a, b) => b.tables - a.tables || compareEvents(a.event, b.event)),
    endTables: prior.get(END) ?? 0,
  };
}

type Found = Sequence & { sequence: number; at: number; matched: number; shared: number };
type Seen = Found & { next: string };

function findPresent(sequences: readonly Sequence[], observed: readonly string[]): Found[] {
  const found: Found[] = [];
  for (const [sequence, each] of sequences.entries()) {
    for (let at = 1; at < each.keys.length - 1; at += 1) {
      const matched = matchedAt(each.keys, at, observed);
      if (matched === 0) continue;
      found.push({ ...each, sequence, at, matched, shared: sharedAt(each.keys, at, observed) });
    }
  }
  return found;
}

/** Keys that are the same, from the last back. */
function matchedAt(keys: readonly string[], at: number, observed: readonly string[]): number {
  let matched = 0;
  const most = Math.min(LONGEST_CONTEXT, at + 1, observed.length);
  while (matched < most && keys[at - matched] === observed[observed.length - 1 - matched]) {
    matched += 1;
  }
  return matched;
}

function sharedAt(keys: readonly string[], at: number, observed: readonly string[]): number {
  const before = observed.slice(1, -1).slice(-GAP_EVENTS);
  const near = keys.slice(Math.max(1, at - GAP_REACH), at);
  const wanted = new Set(before.filter((key) => key !== observed.at(-1)));
  return Math.min(MOST_SHARED, [...wanted].filter((key) => near.includes(key)).length);
}

/** Occurrences of one group pass on together; without it, each passes on all that it counts. */
type Grouping = ((each: Seen) => string) | undefined;

function countContexts({
  seen,
  candidates,
  group,
}: {
  seen: readonly Seen[];
  candidates: readonly string[];
  group: Grouping;
}): ContextCounts {
  const totals = candidates.map((key) => {
    const groups = new Map<string, number>();
    let count = 0;
    for (const each of seen) {
      if (each.next !== key) continue;
      count += each.frequency;
      const name = group?.(each) ?? "";
      groups.set(name, (groups.get(name) ?? 0) + each.frequency);
    }
    const passed = [...groups.values()].reduce((sum, each) => sum + tableCount(each), 0);
    return { count, tables: group === undefined ? count : passed };
  });
  return {
    counts: Float64Array.from(totals, ({ count }) => count),
    tables: Float64Array.from(totals, ({ tables }) => tables),
  };
}

/** Contexts that are like the present up to an event which is another one. */
function branchesOf({
  seen,
  candidates,
  longest,
}: {
  seen: readonly Seen[];
  candidates: readonly string[];
  /** Events of the present, its beginning among them. */
  longest: number;
}): Branches {
  const contexts = new Map<string, { longerThan: number; counts: Map<number, number> }>();
  for (const { keys, at, matched, next, frequency } of seen) {
    if (matched === LONGEST_CONTEXT || matched === longest) continue;
    const name = `${matched} ${keys[at - matched] ?? BEGINNING}`;
    const branch = contexts.get(name) ?? { longerThan: matched, counts: new Map() };
    const candidate = candidates.indexOf(next);
    branch.counts.set(candidate, (branch.counts.get(candidate) ?? 0) + frequency);
    contexts.set(name, branch);
  }
  const items = [...contexts.values()].flatMap(({ counts }, context) =>
    [...counts].map(([candidate, count]) => ({ context, candidate, count })),
  );
  return {
    contexts: [...contexts.values()].map(({ longerThan, counts }) => ({
      longerThan,
      ...totalsOf(Float64Array.from(counts.values())),
    })),
    contextOf: Int32Array.from(items, ({ context }) => context),
    candidates: Int32Array.from(items, ({ candidate }) => candidate),
    counts: Float64Array.from(items, ({ count }) => count),
  };
}

/** By outcome: Σ tables over all that came before it. */
function priorOf(sequences: readonly Sequence[]): Map<string, number> {
  const pairs = new Map<string, Map<string, number>>();
  for (const { keys, frequency } of sequences) {
    for (let at = 1; at < keys.length; at += 1) {
      const outcome = keys[at] ?? END;
      const before = keys[at - 1] ?? BEGINNING;
      const counts = pairs.get(outcome) ?? new Map<string, number>();
      pairs.set(outcome, counts.set(before, (counts.get(before) ?? 0) + frequency));
    }
  }
  const tablesOf = (counts: ReadonlyMap<string, number>): number =>
    [...counts.values()].reduce((sum, count) => sum + tableCount(count), 0);
  return new Map([...pairs].map(([outcome, counts]) => [outcome, tablesOf(counts)]));
}
