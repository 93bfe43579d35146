import { withRoomFor } from "../index/growing-array.ts";
import type { Branch, Branches } from "./next-evidence.ts";
import { PairIds } from "./pair-ids.ts";
import { tableCount } from "./table-count.ts";

/** Counts what followed the branches of the present's contexts. */
export class BranchCounts {
  /** By length of the present's context, and what came before it. */
  readonly #contextIds = new PairIds();
  readonly #contexts: Branch[] = [];
  /** By context and candidate. */
  readonly #items = new PairIds();
  #contextOf = new Int32Array(0);
  #candidates = new Int32Array(0);
  #counts = new Float64Array(0);

  /** Counts `candidate` so many times more after the branch with this event before. */
  add(candidate: number, { longerThan, before, frequency }: BranchCount): void {
    const context = this.#contextIds.intern(longerThan, before);
    const branch = (this.#contexts[context] ??= { longerThan, total: 0, distinct: 0, tables: 0 });
    const item = this.#items.intern(context, candidate);
    if (item >= this.#counts.length) this.#makeRoom(item + 1);
    const count = this.#counts[item] ?? 0;
    this.#contextOf[item] = context;
    this.#candidates[item] = candidate;
    this.#counts[item] = count + frequency;
    branch.total += frequency;
    branch.distinct += Number(count === 0);
    branch.tables += tableCount(count + frequency) - tableCount(count);
  }

  #makeRoom(items: number): void {
    this.#counts = withRoomFor(this.#counts, items);
    this.#contextOf = withRoomFor(this.#contextOf, items);
    this.#candidates = withRoomFor(this.#candidates, items);
  }

  branches(): Branches {
    const { size } = this.#items;
    return {
      contexts: this.#contexts,
      contextOf: this.#contextOf.subarray(0, size),
      candidates: this.#candidates.subarray(0, size),
      counts: this.#counts.subarray(0, size),
    };
  }
}

export interface BranchCount {
  longerThan: number;
  /** Whole and no less than 0. */
  before: number;
  frequency: number;
}
