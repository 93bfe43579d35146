/**
 * Decides whether the operations of a session are linearizable: whether each can be given one moment in its interval
 * such that the session, doing them one by one in that order, gives the replies seen.
 *
 * The search is that of Wing and Gong, "Testing and Verifying Concurrent Objects" (1993), with the memory of visited
 * configurations from Lowe, "Testing for Linearizability" (2017). Replies tell times and lengths, so that few orders
 * fit; operations that may never have happened are tried last, and only where the next one needs them.
 */
import type { Misfit, Operation } from "./session-operations.ts";
import { isMisfit } from "./session-operations.ts";
import type { SessionState } from "./session-model.ts";

/** The start of an order: which operations it has placed, and the session's state after them. */
interface Configuration {
  /** All operations below this index are placed, and so are those in `ahead`. */
  first: number;
  readonly ahead: Set<number>;
  readonly state: SessionState;
  /** The operation placed last if it may never have happened, and the state before it. */
  optional?: { readonly index: number; readonly before: SessionState } | undefined;
}

export interface Contradiction {
  readonly operation: Operation;
  readonly misfit: Misfit;
}

const MAX_REMEMBERED_CONFIGURATIONS = 50_000;

export class SessionSearch {
  /** By `latest`, so that those that may never have happened come last. */
  readonly #operations: readonly Operation[];
  readonly #certainCount: number;
  /** Of each operation and all certain ones behind it, the least `earliest`. */
  readonly #leastEarliest: readonly number[];
  readonly #seen = new Set<string>();

  constructor(operations: readonly Operation[]) {
    this.#operations = operations.toSorted((a, b) =>
      a.latest === b.latest ? 0 : a.latest - b.latest,
    );
    this.#certainCount = operations.filter(({ latest }) => latest < Infinity).length;
    this.#leastEarliest = leastOfRest(this.#operations.slice(0, this.#certainCount));
  }

  /** Undefined if some order explains everything; else what had to come next after the longest explicable start. */
  findContradiction(initial: SessionState): Contradiction | undefined {
    const open: Configuration[] = [{ first: 0, ahead: new Set(), state: initial }];
    let furthest: Configuration | undefined;
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      this.#placeReads(at);
      if (at.first >= this.#certainCount) return undefined;
      const nexts = this.#findContinuations(at);
      if (nexts.length === 0 && (furthest === undefined || reach(at) > reach(furthest))) {
        furthest = at;
      }
      // A forced move needs no memory, which would cost the whole short-term memory for each.
      open.push(...(nexts.length === 1 ? nexts : nexts.filter((next) => this.#isNew(next))));
      if (this.#seen.size > MAX_REMEMBERED_CONFIGURATIONS) return this.#undecided(at);
    }
    return furthest && this.#explain(furthest);
  }

  /** A read changes nothing: placing it as soon as it fits rules out no order of the others. */
  #placeReads(at: Configuration): void {
    for (let hasPlaced = true; hasPlaced && at.first < this.#certainCount;) {
      hasPlaced = false;
      for (const index of this.#findCandidates(at)) {
        const operation = this.#operations[index]!;
        if (!operation.isRead || isMisfit(operation.apply(at.state))) continue;
        this.#markPlaced(at, index);
        // It did not fit before.
        at.optional = undefined;
        hasPlaced = true;
      }
    }
  }

  /** The likeliest last. Of those that may never have happened, one of each effect: they all can come later as well. */
  #findContinuations(at: Configuration): Configuration[] {
    const nexts: Configuration[] = [];
    const tried = new Set<string>();
    for (const index of this.#findCandidates(at)) {
      const operation = this.#operations[index]!;
      const isOptional = operation.latest === Infinity;
      if (operation.isRead || (isOptional && tried.has(operation.effect))) continue;
      if (isOptional) tried.add(operation.effect);
      const state = operation.apply(at.state);
      if (isMisfit(state) || this.#isNeedless(at, index, state)) continue;
      const optional = isOptional ? { index, before: at.state } : undefined;
      const next = { first: at.first, ahead: new Set(at.ahead), state, optional };
      this.#markPlaced(next, index);
      nexts.push(next);
    }
    return nexts.toReversed();
  }

  /**
   * Whether an order that places the operation here, with this state after it, can do without: without the operation if
   * that changes nothing and may never have happened; without the optional one just before it, or with the two swapped,
   * if that leads to the same state. Some order is left of all that are the same by this rule: the one with the fewest
   * optional operations, as late as can be.
   */
  #isNeedless({ state: before, optional }: Configuration, index: number, after: SessionState) {
    const operation = this.#operations[index]!;
    const isOptional = operation.latest === Infinity;
    if (isOptional && keyOf(after) === keyOf(before)) return true;
    if (optional === undefined) return false;
    const without = operation.apply(optional.before);
    if (isMisfit(without)) return false;
    const key = keyOf(after);
    if (keyOf(without) === key) return true;
    if (isOptional && index > optional.index) return false;
    const swapped = this.#operations[optional.index]!.apply(without);
    return !isMisfit(swapped) && keyOf(swapped) === key;
  }

  /** Indexes of the operations not placed that had started before any other of them ended; most urgent first. */
  #findCandidates({ first, ahead }: Configuration): number[] {
    const bound = this.#operations[first]!.latest;
    const found: number[] = [];
    for (let index = first; index < this.#certainCount; index += 1) {
      if (this.#leastEarliest[index]! > bound) break;
      if (!ahead.has(index) && this.#operations[index]!.earliest <= bound) found.push(index);
    }
    for (let index = this.#certainCount; index < this.#operations.length; index += 1) {
      if (!ahead.has(index) && this.#operations[index]!.earliest <= bound) found.push(index);
    }
    return found;
  }

  #markPlaced(at: Configuration, index: number): void {
    at.ahead.add(index);
    while (at.ahead.delete(at.first)) at.first += 1;
  }

  #isNew({ first, ahead, state, optional }: Configuration): boolean {
    const sizeBefore = this.#seen.size;
    const placed = [first, ...[...ahead].sort((a, b) => a - b)];
    // What may come next depends on how the order got here as well.
    const last = optional && [optional.index, keyOf(optional.before)];
    this.#seen.add(JSON.stringify([placed, keyOf(state), last]));
    return this.#seen.size > sizeBefore;
  }

  #explain(at: Configuration): Contradiction {
    const operation = this.#operations[at.first]!;
    const result = operation.apply(at.state);
    // What fits by itself would leave no order for another that must come before its end.
    const misfit = isMisfit(result) ? result : this.#explainOthers(at);
    return { operation, misfit };
  }

  #explainOthers(at: Configuration): Misfit {
    const results = this.#findCandidates(at).map((i) => this.#operations[i]!.apply(at.state));
    return results.find(isMisfit) ?? { rule: "undecided", message: "no order was found" };
  }

  #undecided(at: Configuration): Contradiction {
    const message = `undecided after ${this.#seen.size} configurations: too many calls overlap`;
    return { operation: this.#operations[at.first]!, misfit: { rule: "undecided", message } };
  }
}

/** Number of operations placed. */
function reach({ first, ahead }: Configuration): number {
  return first + ahead.size;
}

const keys = new WeakMap<SessionState, string>();

/** States that go on alike have the same. */
function keyOf(state: SessionState): string {
  const known = keys.get(state);
  if (known !== undefined) return known;
  const { time, stm, config, isDeleted } = state;
  const settings = Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1));
  const key = JSON.stringify(isDeleted ? "deleted" : [time, stm, settings]);
  keys.set(state, key);
  return key;
}

function leastOfRest(operations: readonly Operation[]): number[] {
  const least: number[] = [];
  let lowest = Infinity;
  for (const { earliest } of operations.toReversed()) {
    lowest = Math.min(lowest, earliest);
    least.push(lowest);
  }
  return least.reverse();
}
