import { tokenSimilarity } from "../similarity.ts";
import type { CommonLength } from "./common-length.ts";
import type { NodeReplica } from "./node-replica.ts";
import { OverlapCounter } from "./overlap-counter.ts";
import type { PromisingSlots } from "./promising-slots.ts";
import { LeastCommon, promisingSlots } from "./promising-slots.ts";
import type { StateQuery } from "./state-query.ts";

/** Patterns that pass filters and threshold, in parallel lists of which the first `count` items count. */
export interface Candidates {
  count: number;
  slots: Int32Array;
  similarities: Float64Array;
  /** Lengths of the longest common subsequences; undefined in character mode. */
  commons: Int32Array | undefined;
}

/** What a query asks of every slot. */
export interface SlotTest {
  /** undefined without a filter pipeline. */
  passes: ((slot: number) => boolean) | undefined;
  similarity: (slot: number) => number;
  /** undefined in character mode. */
  common: CommonLength | undefined;
}

export function findCandidates(node: NodeReplica, query: StateQuery, test: SlotTest): Candidates {
  const promising = promisingSlots(node, query);
  const slots = promising?.slots ?? allSlots(node);
  const { common } = test;
  return common === undefined
    ? findByCharacters(node, query, { test, slots })
    : findByTokens(node, query, { test: { ...test, common }, slots, promising });
}

function allSlots({ patterns }: NodeReplica): Int32Array {
  const slots = new Int32Array(patterns.size);
  for (let slot = 0; slot < slots.length; slot += 1) slots[slot] = slot;
  return slots;
}

/** The threshold is asked as a length: per pattern length there is a least one, and no division is made twice. */
function findByTokens(
  { patterns }: NodeReplica,
  query: StateQuery,
  {
    test,
    slots,
    promising,
  }: {
    test: SlotTest & { common: CommonLength };
    slots: Int32Array;
    promising: PromisingSlots | undefined;
  },
): Candidates {
  const { state } = query;
  const { passes, common: commonLength } = test;
  const { frequencies, starts } = patterns;
  const least = new LeastCommon(query);
  const kept = query.arrays.ints(slots.length);
  const commons = query.arrays.ints(slots.length);
  let count = 0;
  for (let i = 0; i < slots.length; i += 1) {
    const slot = slots[i] ?? 0;
    const length = (starts[slot + 1] ?? 0) - (starts[slot] ?? 0);
    query.breathe(length);
    const needed = least.for(length);
    const most = promising?.mostCommon(slot) ?? Infinity;
    if (most < needed) continue;
    const common = most === 1 ? 1 : commonLength(slot);
    if (common < needed) continue;
    if (frequencies[slot] === 0 || passes?.(slot) === false) continue;
    kept[count] = slot;
    commons[count] = common;
    count += 1;
  }
  const similarities = query.arrays.doubles(count);
  for (let i = 0; i < count; i += 1) {
    similarities[i] = tokenSimilarity(
      commons[i] ?? 0,
      patterns.lengthOf(kept[i] ?? 0) + state.length,
    );
  }
  return { count, slots: kept, similarities, commons };
}

/** Characters may be alike where no symbol is shared: such a pattern has no block, and drops out (§5.3). */
function findByCharacters(
  node: NodeReplica,
  query: StateQuery,
  { test, slots }: { test: SlotTest; slots: Int32Array },
): Candidates {
  const { recallThreshold } = query.settings;
  const overlaps = new OverlapCounter(node, query);
  const kept = new Int32Array(slots.length);
  const similarities = new Float64Array(slots.length);
  let count = 0;
  for (const slot of slots) {
    query.breathe(node.patterns.lengthOf(slot));
    if (node.patterns.frequencyOf(slot) === 0) continue;
    if (recallThreshold > 0 && !overlaps.sharesAny(slot)) continue;
    if (test.passes?.(slot) === false) continue;
    const similarity = test.similarity(slot);
    if (similarity < recallThreshold) continue;
    kept[count] = slot;
    similarities[count] = similarity;
    count += 1;
  }
  return { count, slots: kept, similarities, commons: undefined };
}
