import type { NodeReplica } from "../index/node-replica.ts";
import type { WorkMeter } from "../index/work-meter.ts";
import { BranchCounts } from "./branch-counts.ts";
import type { ContextIndex } from "./context-index.ts";
import type { Branches, ContextCounts, Occurrences } from "./next-evidence.ts";
import {
  createOccurrences,
  GAP_EVENTS,
  GAP_REACH,
  LONGEST_CONTEXT,
  MOST_SHARED,
} from "./next-evidence.ts";
import { BEGINNING, END_OUTCOME, UNKNOWN } from "./outcome.ts";
import { tableCount } from "./table-count.ts";

/** What a place costs, as a `WorkMeter` counts it. */
const STEPS_PER_PLACE = 64;

/** What was observed, as numbers of events: as many at the end as contexts reach. */
export interface Present {
  /** The last is known; those that are not are −1. */
  events: readonly number[];
  /** Events observed since the last one here, which the node does not know. */
  unknown: number;
  /** Events from the last observed one to the one asked for: 1 is the next. */
  horizon: number;
}

/** By candidate, and with holes for 0. */
interface OpenCounts {
  counts: number[];
  tables: number[];
}

export interface CountedContexts {
  /** By candidate its outcome, in the order of first occurrence. */
  outcomes: number[];
  orders: ContextCounts[];
  gaps: ContextCounts[];
  branches: Branches;
  occurrences: Occurrences;
}

/**
 * Looks at every place where the last known event is in a pattern, walks back from there as far as it is like the present,
 * and counts what follows. O(places) steps with at most `LONGEST_CONTEXT` + `GAP_REACH` · `GAP_EVENTS` comparisons each.
 */
export class ContextCounter {
  readonly #index: ContextIndex;
  readonly #node: NodeReplica;
  readonly #present: Present;
  readonly #wanted: readonly number[];
  readonly #candidates = new Map<number, number>();
  readonly #outcomes: number[] = [];
  readonly #occurrences: Occurrences;
  readonly #orders: OpenCounts[] = [];
  /** By shared events less one, and by candidate. */
  readonly #gaps: number[][] = [];
  readonly #branches = new BranchCounts();

  constructor(node: NodeReplica, index: ContextIndex, present: Present) {
    this.#node = node;
    this.#index = index;
    this.#present = present;
    const last = present.events.length - 1;
    const near = present.events.slice(Math.max(0, last - GAP_EVENTS), last);
    const isGap = (event: number): boolean => event >= 0 && event !== present.events[last];
    this.#wanted = [...new Set(near.filter(isGap))];
    const lastEvent = present.events[last];
    this.#occurrences = createOccurrences(
      lastEvent === undefined ? 0 : index.places.lengthOf(lastEvent),
    );
  }

  count(meter: WorkMeter): CountedContexts {
    const { places } = this.#index;
    const last = this.#present.events.at(-1) ?? UNKNOWN;
    const start = places.startOf(last);
    for (let i = start; i < start + places.lengthOf(last); i += 1) {
      meter.spend(STEPS_PER_PLACE);
      this.#visit(places.pool[i] ?? 0);
    }
    const branches = this.#branches.branches();
    this.#passOn(branches);
    const { length } = this.#outcomes;
    return {
      outcomes: this.#outcomes,
      orders: this.#orders.map(({ counts, tables }) => ({
        counts: filled(counts, length),
        tables: filled(tables, length),
      })),
      gaps: this.#gaps.map((gap) => {
        const counts = filled(gap, length);
        return { counts, tables: counts.map(tableCount) };
      }),
      branches,
      occurrences: this.#occurrences,
    };
  }

  #visit(place: number): void {
    const index = this.#index;
    const slot = index.slots[place] ?? 0;
    const frequency = this.#node.patterns.frequencyOf(slot);
    if (frequency === 0) return;
    const start = index.startOf(slot);
    const { unknown, horizon } = this.#present;
    const end = index.startOf(slot + 1);
    // Over before what was observed: contradicted.
    if (place + unknown >= end) return;
    const target = place + unknown + horizon;
    const isOver = target >= end;
    const candidate = this.#candidate(isOver ? END_OUTCOME : (index.events[target] ?? 0) + 1);

    const matched = this.#matched(place, start);
    this.#countOrders(candidate, {
      matched,
      frequency,
      before: this.#before(place, start, matched),
    });
    const shared = this.#shared(place, start);
    for (let gap = 0; gap < shared; gap += 1) {
      const counts = (this.#gaps[gap] ??= []);
      counts[candidate] = (counts[candidate] ?? 0) + frequency;
    }
    const found = this.#occurrences;
    const at = found.count;
    found.candidates[at] = candidate;
    found.patterns[at] = slot;
    found.positions[at] = place - start;
    found.frequencies[at] = frequency;
    found.matched[at] = matched;
    found.shared[at] = shared;
    found.count = at + 1;
  }

  #candidate(outcome: number): number {
    const found = this.#candidates.get(outcome);
    if (found !== undefined) return found;
    const candidate = this.#outcomes.length;
    this.#candidates.set(outcome, candidate);
    this.#outcomes.push(outcome);
    return candidate;
  }

  /** How many events up to the present are the same up to `place`, the beginning counted as one. */
  #matched(place: number, start: number): number {
    const { events } = this.#present;
    let matched = 1;
    while (matched < LONGEST_CONTEXT) {
      const wanted =
        matched === events.length ? BEGINNING : (events[events.length - 1 - matched] ?? UNKNOWN);
      if (this.#before(place, start, matched) !== wanted) return matched;
      matched += 1;
      if (wanted === BEGINNING) return matched;
    }
    return matched;
  }

  #before(place: number, start: number, matched: number): number {
    const at = place - matched;
    return at < start ? BEGINNING : (this.#index.events[at] ?? UNKNOWN);
  }

  /** Counts an occurrence for the longest context it is of. The shorter ones are left to `#passOn`. */
  #countOrders(
    candidate: number,
    { matched, frequency, before }: { matched: number; frequency: number; before: number },
  ): void {
    while (this.#orders.length < matched) this.#orders.push({ counts: [], tables: [] });
    const order = this.#orders[matched - 1];
    if (order === undefined) return;
    order.counts[candidate] = (order.counts[candidate] ?? 0) + frequency;
    if (matched === LONGEST_CONTEXT || matched > this.#present.events.length) {
      order.tables[candidate] = (order.tables[candidate] ?? 0) + frequency;
      return;
    }
    this.#branches.add(candidate, { longerThan: matched, before: before - BEGINNING, frequency });
  }

  /** What a longer context has seen, the shorter ones have too, and count its tables. */
  #passOn({ contexts, contextOf, candidates, counts }: Branches): void {
    for (let i = 0; i < counts.length; i += 1) {
      const longerThan = contexts[contextOf[i] ?? 0]?.longerThan ?? 0;
      const tables = this.#orders[longerThan - 1]?.tables;
      const candidate = candidates[i] ?? 0;
      if (tables) tables[candidate] = (tables[candidate] ?? 0) + tableCount(counts[i] ?? 0);
    }
    for (let longer = this.#orders.length - 1; longer >= 0; longer -= 1) {
      const order = this.#orders[longer];
      const shorter = this.#orders[longer - 1];
      if (order === undefined || shorter === undefined) continue;
      for (let candidate = 0; candidate < this.#outcomes.length; candidate += 1) {
        const count = order.counts[candidate] ?? 0;
        if (count === 0) continue;
        shorter.counts[candidate] = (shorter.counts[candidate] ?? 0) + count;
        shorter.tables[candidate] = (shorter.tables[candidate] ?? 0) + tableCount(count);
      }
    }
  }

  #shared(place: number, start: number): number {
    const { events } = this.#index;
    const wanted = this.#wanted;
    if (wanted.length === 0) return 0;
    let found = 0;
    for (let at = place - 1; at >= start && at >= place - GAP_REACH; at -= 1) {
      const event = events[at] ?? UNKNOWN;
      for (let i = 0; i < wanted.length; i += 1) {
        if (wanted[i] === event) found |= 1 << i;
      }
    }
    let shared = 0;
    for (; found !== 0; found &= found - 1) shared += 1;
    return Math.min(shared, MOST_SHARED);
  }
}

function filled(counts: readonly number[], length: number): Float64Array {
  const result = new Float64Array(length);
  for (let candidate = 0; candidate < length; candidate += 1) {
    result[candidate] = counts[candidate] ?? 0;
  }
  return result;
}
