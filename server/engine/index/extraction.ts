import {
  confidenceOf,
  evidenceOf,
  fragmentationOf,
  preliminaryPotential,
  signalToNoise,
} from "../metrics.ts";
import { BlockMatcher } from "./block-matcher.ts";
import { FuzzyMatcher } from "./fuzzy-matcher.ts";
import { withRoomFor } from "./growing-array.ts";
import type { NodeReplica } from "./node-replica.ts";
import { SYMBOL_BITS } from "./pattern-table.ts";
import type { StateQuery } from "./state-query.ts";

/**
 * The base figures of one pattern after another (prediction.md §5 and §6), as fields that the next call overwrites: this
 * runs for every candidate, and most of them come to nothing.
 */
export class Extraction {
  readonly blocks: BlockMatcher;
  readonly fuzzy: FuzzyMatcher | undefined;
  /** Where `present` begins and ends among the pattern's symbols, in whole events. */
  presentStart = 0;
  presentEnd = 0;
  evidence = 0;
  confidence = 0;
  snr = 0;
  fragmentation = 0;
  preliminaryPotential = 0;
  readonly #query: StateQuery;
  /** Records one after another: present start and end, matches, blocks, and of each block its state start and length. */
  #kept: Int32Array;
  #keptEnd = 0;
  /** The arrays of the patterns, which do not change during a query. */
  readonly #symbols: Int32Array;
  readonly #starts: Uint32Array;

  constructor(node: NodeReplica, query: StateQuery) {
    this.#query = query;
    this.#kept = query.arrays.ints(4_096);
    this.#symbols = node.patterns.symbols;
    this.#starts = node.patterns.starts;
    this.blocks = new BlockMatcher(node, query);
    const threshold = query.settings.fuzzyTokenThreshold ?? 0;
    this.fuzzy = threshold > 0 ? new FuzzyMatcher(node, query, threshold) : undefined;
  }

  /** `common` is the length of the longest common subsequence where it is known. */
  extract(slot: number, common?: number): void {
    if (common === 1) this.blocks.matchSingle(slot);
    else this.blocks.match(slot, common);
    const { count, matched } = this.blocks;
    if (this.fuzzy === undefined) {
      this.#segment(slot, count === 0 ? -1 : this.#symbolAt(slot, this.blocks.first));
      this.#measure(slot, matched);
    } else {
      const positions = this.fuzzy.positions(slot);
      const term = this.#query.terms[positions[0] ?? -1] ?? 0;
      this.#segment(slot, this.#query.symbolIds[term - 1] ?? -1);
      this.#measure(slot, positions.length);
    }
  }

  /** Keeps what was extracted last, to be recalled; gives where. Not for fuzzy matches, which have no blocks alone. */
  keep(): number {
    const { count, stateStarts, lengths, matched } = this.blocks;
    const at = this.#keptEnd;
    this.#keptEnd += 4 + 2 * count;
    this.#kept = withRoomFor(this.#kept, this.#keptEnd);
    const kept = this.#kept;
    kept[at] = this.presentStart;
    kept[at + 1] = this.presentEnd;
    kept[at + 2] = matched;
    kept[at + 3] = count;
    for (let block = 0; block < count; block += 1) {
      kept[at + 4 + 2 * block] = stateStarts[block] ?? 0;
      kept[at + 5 + 2 * block] = lengths[block] ?? 0;
    }
    return at;
  }

  /** As `extract` of the slot that was extracted before this was kept, but for where blocks stand in the pattern. */
  recall(slot: number, at: number): void {
    const kept = this.#kept;
    const { blocks } = this;
    this.presentStart = kept[at] ?? 0;
    this.presentEnd = kept[at + 1] ?? 0;
    blocks.matched = kept[at + 2] ?? 0;
    blocks.count = kept[at + 3] ?? 0;
    for (let block = 0; block < blocks.count; block += 1) {
      blocks.stateStarts[block] = kept[at + 4 + 2 * block] ?? 0;
      blocks.lengths[block] = kept[at + 5 + 2 * block] ?? 0;
    }
    this.#measure(slot, blocks.matched);
  }

  /** Positions of the state that the slot last extracted or recalled has matched, ascending. */
  matchedPositions(slot: number): number[] {
    if (this.fuzzy !== undefined) return this.fuzzy.positions(slot);
    const { count, stateStarts, lengths } = this.blocks;
    const positions: number[] = [];
    for (let block = 0; block < count; block += 1) {
      const start = stateStarts[block] ?? 0;
      for (let i = 0; i < (lengths[block] ?? 0); i += 1) positions.push(start + i);
    }
    return count > 1 ? sortAscending(positions) : positions;
  }

  /** The state's symbols outside the blocks: those of the whole pattern are also those of its present. */
  #measure(slot: number, matches: number): void {
    const extras = this.#query.terms.length - matches;
    this.evidence = evidenceOf(matches, this.#lengthOf(slot));
    this.confidence = confidenceOf(matches, this.presentEnd - this.presentStart);
    this.snr = signalToNoise(matches, extras);
    this.fragmentation = fragmentationOf(this.blocks.count);
    this.preliminaryPotential = preliminaryPotential(
      this.evidence + this.confidence,
      this.snr,
      this.fragmentation,
    );
  }

  /** prediction.md §6.1, in positions: the past ends behind the event of its last symbol, unless that comes back. */
  #segment(slot: number, firstMatch: number): void {
    const length = this.#lengthOf(slot);
    const { count, first, end } = this.blocks;
    if (count === 0) {
      this.presentStart = 0;
      this.presentEnd = length;
      return;
    }
    let start = 0;
    if (first > 0) {
      start = this.#eventEnd(slot, first - 1);
      const lastPast = this.#eventStart(slot, first - 1);
      if (this.#hasBetween(slot, [lastPast, start], firstMatch)) {
        this.presentEnd = Math.max(start, this.#eventEnd(slot, end - 1));
        this.presentStart = lastPast;
        return;
      }
    }
    this.presentStart = start;
    this.presentEnd = Math.max(start, this.#eventEnd(slot, end - 1));
  }

  /** Behind the event that the position is in. */
  #eventEnd(slot: number, position: number): number {
    const symbols = this.#symbols;
    const start = this.#starts[slot] ?? 0;
    let at = start + position;
    while ((symbols[at] ?? -1) >= 0) at += 1;
    return at + 1 - start;
  }

  #eventStart(slot: number, position: number): number {
    const symbols = this.#symbols;
    const start = this.#starts[slot] ?? 0;
    let at = start + position;
    while (at > start && (symbols[at - 1] ?? -1) >= 0) at -= 1;
    return at - start;
  }

  #hasBetween(slot: number, [from, to]: [number, number], symbol: number): boolean {
    for (let position = from; position < to; position += 1) {
      if (this.#symbolAt(slot, position) === symbol) return true;
    }
    return false;
  }

  #symbolAt(slot: number, position: number): number {
    return (this.#symbols[(this.#starts[slot] ?? 0) + position] ?? 0) & SYMBOL_BITS;
  }

  #lengthOf(slot: number): number {
    return (this.#starts[slot + 1] ?? 0) - (this.#starts[slot] ?? 0);
  }
}

/** So few are sorted by insertion: `sort` takes longer to begin. */
const FEW = 16;

function sortAscending(numbers: number[]): number[] {
  if (numbers.length > FEW) return numbers.sort((a, b) => a - b);
  for (let i = 1; i < numbers.length; i += 1) {
    const number = numbers[i] ?? 0;
    let at = i;
    for (; at > 0 && (numbers[at - 1] ?? 0) > number; at -= 1) numbers[at] = numbers[at - 1] ?? 0;
    numbers[at] = number;
  }
  return numbers;
}
