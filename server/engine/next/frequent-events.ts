import { BestCandidates } from "../index/best-candidates.ts";
import { END_OUTCOME } from "./outcome.ts";

/** Events listed the first time. */
const LEAST_LISTED = 64;
/** Events that stay listed at least, once something changes; twice as many at most. */
const MOST_KEPT = 256;
/** Changed outcomes that are looked at one by one; where there are more, all events are. */
const MOST_CHANGED = 1024;

const BYTES_PER_LISTED = 8;
/** An item of a Set, with the room that it grows by. */
const BYTES_PER_CHANGED = 32;

/** How many tables each outcome has. */
export interface OutcomeTables {
  /** Events that have some. */
  known: number;
  /** Events that ever had some: outcomes below this number, and the one of this number. */
  ids: { size: number };
  tablesOf(outcome: number): number;
}

/** Negative when the first outcome's event sorts before the other's. */
export type OutcomeOrder = (a: number, b: number) => number;

/**
 * The events of most tables, kept from one call to the next: all down to a floor. What changed since is sorted in anew; where
 * the list is too short, all events are looked at for one of twice the length. A list of all lasts until something
 * changes, so that one long answer does not make those after it dear.
 */
export class FrequentEvents {
  readonly #index: OutcomeTables;
  #listed: number[] = [];
  /** Items of the list when all events were last looked at, no more than `MOST_KEPT`. */
  #length = 0;
  /** An outcome and the tables that it had: what is not listed comes after it. */
  #floor: { outcome: number; tables: number } | undefined;
  readonly #changed = new Set<number>();

  constructor(index: OutcomeTables) {
    this.#index = index;
  }

  get sizeBytes(): number {
    return this.#listed.length * BYTES_PER_LISTED + this.#changed.size * BYTES_PER_CHANGED;
  }

  /** The outcome has another number of tables. */
  note(outcome: number): void {
    if (this.#floor !== undefined && this.#changed.size <= MOST_CHANGED) this.#changed.add(outcome);
  }

  /** Outcomes of events, most tables first and by `compare` where equal. O(1) each while the list is long enough. */
  *inOrder(compare: OutcomeOrder): Generator<number> {
    if (this.#changed.size > MOST_CHANGED) this.#list(this.#length, compare);
    else if (this.#changed.size > 0) this.#update(compare);
    for (let at = 0; at < this.#index.known; at += 1) {
      if (at >= this.#listed.length) this.#list(this.#lengthPast(at), compare);
      yield this.#listed[at] ?? END_OUTCOME;
    }
  }

  /** Who asks for more than is kept gets all. */
  #lengthPast(at: number): number {
    return at >= MOST_KEPT ? this.#index.known : Math.max(LEAST_LISTED, 2 * at);
  }

  #update(compare: OutcomeOrder): void {
    const floor = this.#floor;
    const isListed = (outcome: number): boolean => {
      const tables = this.#index.tablesOf(outcome);
      if (floor === undefined || outcome === END_OUTCOME || tables === 0) return false;
      return (floor.tables - tables || compare(outcome, floor.outcome)) <= 0;
    };
    const all = [...new Set([...this.#listed, ...this.#changed])].filter(isListed);
    this.#listed = all.toSorted(this.#orderBy(compare));
    this.#changed.clear();
    if (this.#listed.length <= 2 * this.#length) return;
    this.#listed.length = this.#length;
    this.#setFloor();
  }

  #list(length: number, compare: OutcomeOrder): void {
    const best = new BestCandidates(length, this.#orderBy(compare));
    for (let outcome = END_OUTCOME + 1; outcome <= this.#index.ids.size; outcome += 1) {
      if (this.#index.tablesOf(outcome) > 0) best.add(outcome);
    }
    this.#listed = best.sorted();
    this.#length = Math.min(length, MOST_KEPT);
    this.#changed.clear();
    if (this.#listed.length === length) this.#setFloor();
    else this.#floor = { outcome: END_OUTCOME, tables: 0 };
  }

  #setFloor(): void {
    const outcome = this.#listed.at(-1) ?? END_OUTCOME;
    this.#floor = { outcome, tables: this.#index.tablesOf(outcome) };
  }

  #orderBy(compare: OutcomeOrder): OutcomeOrder {
    return (a, b) => this.#index.tablesOf(b) - this.#index.tablesOf(a) || compare(a, b);
  }
}
