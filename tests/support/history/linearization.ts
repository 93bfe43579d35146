/**
 * Decides from recorded calls whether the history of a session is linearizable: whether each call can be given one
 * moment between its start and its end such that the calls, made one by one in that order, give the replies seen.
 *
 * The search is that of Wing and Gong, "Testing and Verifying Concurrent Objects" (1993), with the memory of visited
 * configurations from Lowe, "Testing for Linearizability" (2017). What makes it fast is the session itself: the
 * `time` in a reply fixes the place of a call, so there is a choice only where clears or unknown outcomes overlap.
 */
import type { Clear, Observation, Operation, Read, Unanswered } from "./operations.ts";
import { sameEvent } from "./operations.ts";
import type { Event } from "./recorded-call.ts";
import type { Violation } from "./verdict.ts";
import { violation } from "./verdict.ts";

/**
 * A time taken by an unanswered observation. Which of them it was stays open until a read shows it, so that the search
 * does not go through all their orders; enough of them must have started, that is all.
 */
interface Gap {
  /** The observation had started by then. */
  readonly deadline: number;
  /** Undefined, but known not to be empty, until a read shows it. */
  readonly event: Event | undefined;
}

/** The start of an order: which operations it has placed, and the session's state after them. */
interface Configuration {
  /** All operations below this index are placed, and so are those in `ahead`. */
  first: number;
  readonly ahead: Set<number>;
  readonly time: number;
  /** An event, or the index of the gap that holds it. */
  readonly stm: readonly (Event | number)[];
  /** By deadline. */
  readonly gaps: readonly Gap[];
  /** Whether the order so far ends in a gap, which nothing placed gives a reason for. */
  endsInGap: boolean;
}

const MAX_REMEMBERED_CONFIGURATIONS = 50_000;

export class Linearization {
  readonly #stmLimit: number;
  /** By `latest`, so that operations that may never have happened come last. */
  readonly #operations: readonly Operation[];
  readonly #indexes: ReadonlyMap<Operation, number>;
  readonly #certainCount: number;
  readonly #observationsAt: ReadonlyMap<number, readonly Observation[]>;
  readonly #readsAt: ReadonlyMap<number, readonly Read[]>;
  readonly #clears: readonly Clear[];
  /** By their starts. */
  readonly #unanswered: readonly Unanswered[];

  constructor(operations: readonly (Operation | Unanswered)[], stmLimit: number) {
    const sorted = operations
      .filter((operation) => operation.kind !== "unanswered")
      .sort((a, b) => (a.latest === b.latest ? 0 : a.latest - b.latest));
    const observations = sorted.filter((operation) => operation.kind === "observe");
    const reads = sorted.filter((operation) => operation.kind === "stm");
    this.#stmLimit = stmLimit;
    this.#operations = sorted;
    this.#indexes = new Map(sorted.map((operation, index) => [operation, index]));
    this.#certainCount = sorted.filter((operation) => operation.latest < Infinity).length;
    this.#observationsAt = Map.groupBy(observations, ({ reply }) => reply.time);
    this.#readsAt = Map.groupBy(reads, ({ reply }) => reply.time);
    this.#clears = sorted.filter((operation) => operation.kind === "clear");
    this.#unanswered = operations
      .filter((operation) => operation.kind === "unanswered")
      .sort((a, b) => a.earliest - b.earliest);
  }

  /** Undefined if some order explains every operation. */
  findViolation(): Violation | undefined {
    const open = [startOfOrder()];
    const seen = new Set<string>();
    let furthest: Configuration | undefined;
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      this.#placePlainReads(at);
      if (at.first >= this.#certainCount) {
        return undefined;
      }
      const nexts = this.#findContinuations(at);
      if (nexts.length === 0 && (furthest === undefined || reach(at) > reach(furthest))) {
        furthest = at;
      }
      // A forced move needs no memory, which would cost the whole short-term memory for each.
      open.push(...(nexts.length === 1 ? nexts : nexts.filter((next) => isNew(seen, next))));
      if (seen.size > MAX_REMEMBERED_CONFIGURATIONS) {
        throw new Error(`undecided after ${seen.size} configurations: too many calls overlap`);
      }
    }
    return furthest && this.#explain(furthest);
  }

  /** A read that reveals nothing changes nothing: placing it where it fits rules out no order of the others. */
  #placePlainReads(at: Configuration): void {
    for (const read of this.#pending(at, this.#readsAt.get(at.time))) {
      if (this.#mayComeNext(at, read) && this.#reveal(at, read) === at.gaps) {
        this.#markPlaced(at, read);
        at.endsInGap = false;
      }
    }
  }

  /** Configurations of which one must come next if any order goes on from here; the likeliest last. */
  #findContinuations(at: Configuration): Configuration[] {
    const forced = this.#findForced(at);
    if (forced.reads.length > 0) {
      return forced.reads.slice(0, 1).flatMap((read) => this.#afterRead(at, read));
    }
    if (forced.observations.length > 1) {
      return [];
    }
    const observations = this.#pending(at, this.#observationsAt.get(at.time + 1));
    const isForced = forced.observations.length > 0;
    return [
      ...(isForced ? [] : [...this.#afterGap(at), ...this.#afterClear(at)]),
      ...(isForced ? forced.observations : observations).flatMap((observation) =>
        this.#afterObservation(at, observation),
      ),
      ...this.#pending(at, this.#readsAt.get(at.time)).flatMap((read) => this.#afterRead(at, read)),
    ];
  }

  /** What must come before the time is next set back: reads of the time reached, observations of the next. */
  #findForced(at: Configuration): { reads: Read[]; observations: Observation[] } {
    const clears = this.#pending(at, this.#clears);
    const nextClear = Math.min(...clears.map((clear) => clear.earliest));
    const isForced = (operation: Operation) => operation.latest < nextClear;
    return {
      reads: this.#pending(at, this.#readsAt.get(at.time)).filter(isForced),
      observations: this.#pending(at, this.#observationsAt.get(at.time + 1)).filter(isForced),
    };
  }

  #afterRead(at: Configuration, read: Read): Configuration[] {
    const gaps = this.#mayComeNext(at, read) ? this.#reveal(at, read) : undefined;
    return gaps === undefined ? [] : [this.#place(at, read, { gaps })];
  }

  #afterObservation(at: Configuration, observation: Observation): Configuration[] {
    const stm = this.#append(at.stm, observation.event);
    const fits = this.#mayComeNext(at, observation) && observation.reply.stmLength === stm.length;
    return fits ? [this.#place(at, observation, { time: at.time + 1, stm })] : [];
  }

  /** Whether the observation is empty changes the length, so that does not stay open: both are tried. */
  #afterGap(at: Configuration): Configuration[] {
    const { latest: deadline } = this.#mostUrgent(at);
    const next = { ...at, ahead: new Set(at.ahead), time: at.time + 1, endsInGap: true };
    const empty = { ...next, gaps: [...at.gaps, { deadline, event: [] }] };
    const hidden = {
      ...next,
      ahead: new Set(at.ahead),
      gaps: [...at.gaps, { deadline, event: undefined }],
      stm: this.#append(at.stm, at.gaps.length),
    };
    return [empty, hidden].filter(({ gaps }) => this.#canFill(gaps));
  }

  /**
   * Of several clears only the one with the earliest deadline: an order with another here can swap the two. None after
   * a gap and no optional one at time 0: an order can do without that gap, or without that clear.
   */
  #afterClear(at: Configuration): Configuration[] {
    const clear = this.#pending(at, this.#clears).find((each) => this.#mayComeNext(at, each));
    const isNeedless = at.endsInGap || (clear?.latest === Infinity && at.time === 0);
    return clear === undefined || isNeedless ? [] : [this.#place(at, clear, { time: 0, stm: [] })];
  }

  /** The gaps and what the read shows of them, the same object if nothing new; undefined if the read does not fit. */
  #reveal({ stm, gaps }: Configuration, { reply }: Read): readonly Gap[] | undefined {
    if (reply.length !== reply.stm.length || reply.length !== stm.length) {
      return undefined;
    }
    let revealed = gaps;
    for (const [position, entry] of stm.entries()) {
      const event = reply.stm[position] ?? [];
      const gap = typeof entry === "number" ? gaps[entry] : undefined;
      const known = typeof entry === "number" ? gap?.event : entry;
      if (known !== undefined ? !sameEvent(known, event) : event.length === 0) {
        return undefined;
      }
      if (typeof entry === "number" && gap !== undefined && known === undefined) {
        revealed = revealed.with(entry, { ...gap, event });
      }
    }
    return revealed === gaps || this.#canFill(revealed) ? revealed : undefined;
  }

  /**
   * Whether each gap can have an unanswered observation of its own that had started by its deadline. A revealed gap
   * takes the last started of its event, which leaves the more useful ones to the gaps not revealed.
   */
  #canFill(gaps: readonly Gap[]): boolean {
    const spare = Map.groupBy(this.#unanswered, ({ event }) => JSON.stringify(event));
    for (const { event, deadline } of gaps.filter((gap) => gap.event !== undefined)) {
      const alike = spare.get(JSON.stringify(event)) ?? [];
      const index = alike.findLastIndex(({ earliest }) => earliest <= deadline);
      if (index < 0) {
        return false;
      }
      alike.splice(index, 1);
    }
    const left = new Set([...spare.values()].flat().filter(({ event }) => event.length > 0));
    const starts = this.#unanswered.filter((each) => left.has(each)).map((each) => each.earliest);
    const hidden = gaps.filter(({ event }) => event === undefined);
    return hidden.every(({ deadline }, index) => (starts[index] ?? Infinity) <= deadline);
  }

  #pending<Kind extends Operation>(at: Configuration, operations: readonly Kind[] = []): Kind[] {
    return operations.filter((operation) => {
      const index = this.#indexOf(operation);
      return index >= at.first && !at.ahead.has(index);
    });
  }

  /** Whether nothing still to be placed had ended before the operation started. */
  #mayComeNext(at: Configuration, operation: Operation): boolean {
    return operation.earliest <= this.#mostUrgent(at).latest;
  }

  /** Asked only while operations remain that must be placed. */
  #mostUrgent(at: Configuration): Operation {
    return this.#operations[at.first]!;
  }

  #indexOf(operation: Operation): number {
    return this.#indexes.get(operation)!; // The constructor numbers every operation.
  }

  #place(at: Configuration, operation: Operation, change: Partial<Configuration>): Configuration {
    const next = { ...at, ahead: new Set(at.ahead), endsInGap: false, ...change };
    this.#markPlaced(next, operation);
    return next;
  }

  #markPlaced(at: Configuration, operation: Operation): void {
    at.ahead.add(this.#indexOf(operation));
    while (at.ahead.delete(at.first)) {
      at.first += 1;
    }
  }

  #append(stm: Configuration["stm"], entry: Event | number): Configuration["stm"] {
    const isEmpty = typeof entry === "object" && entry.length === 0;
    return isEmpty ? stm : [...stm, entry].slice(-this.#stmLimit);
  }

  /** Names what fits nowhere after a configuration that no order continues. */
  #explain(at: Configuration): Violation {
    const forced = this.#findForced(at);
    const [read] = forced.reads;
    const [observation, rival] = forced.observations;
    const urgent = this.#mostUrgent(at);
    const next = `time ${at.time + 1}`;
    if (read !== undefined) {
      return this.#reveal(at, read) === undefined
        ? ofOperations("wrong-content", `time ${at.time} read with other events`, read)
        : ofOperations("stale-read", `time ${at.time} read after a later one`, read, urgent);
    }
    if (observation !== undefined && rival !== undefined) {
      return ofOperations("repeated-time", `${next} given to two calls`, observation, rival);
    }
    if (observation !== undefined && this.#mayComeNext(at, observation)) {
      const { length } = this.#append(at.stm, observation.event);
      return ofOperations("wrong-length", `length at ${next} is not ${length}`, observation);
    }
    if (observation !== undefined) {
      const rule = urgent.kind === "stm" ? "future-read" : "real-time-order";
      return ofOperations(rule, `${next} given after a later one was seen`, observation, urgent);
    }
    if (urgent.kind !== "clear" && urgent.reply.time <= at.time) {
      const rule = urgent.kind === "stm" ? "stale-read" : "repeated-time";
      return ofOperations(rule, `reply names a time before ${at.time}, already passed`, urgent);
    }
    return ofOperations("gap", `no recorded call can have taken ${next} before this one`, urgent);
  }
}

function startOfOrder(): Configuration {
  return { first: 0, ahead: new Set(), time: 0, stm: [], gaps: [], endsInGap: false };
}

/** Number of operations placed. */
function reach(at: Configuration): number {
  return at.first + at.ahead.size;
}

/** Remembers the configuration by all that decides how it can go on. */
function isNew(seen: Set<string>, { first, ahead, time, stm, gaps, endsInGap }: Configuration) {
  const sizeBefore = seen.size;
  const placed = [first, ...[...ahead].sort((a, b) => a - b)];
  // Gaps alike in deadline and event are the same wherever they stand in the list.
  const entries = stm.map((entry) => (typeof entry === "number" ? gaps[entry] : entry));
  const filled = gaps.map(({ deadline, event }) => JSON.stringify([deadline, event])).sort();
  seen.add(JSON.stringify([placed, time, entries, filled, endsInGap]));
  return seen.size > sizeBefore;
}

function ofOperations(
  rule: Violation["rule"],
  message: string,
  ...operations: Operation[]
): Violation {
  const calls = new Set(operations.flatMap((operation) => operation.calls));
  return violation(rule, message, [...calls]);
}
