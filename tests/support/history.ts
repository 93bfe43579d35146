/**
 * Decides from recorded calls whether the history of a session is linearizable: whether each call can be given one
 * moment between its start and its end such that the calls, made one by one in that order, give the replies seen.
 *
 * The search is that of Wing and Gong, "Testing and Verifying Concurrent Objects" (1993), with the memory of visited
 * configurations from Lowe, "Testing for Linearizability" (2017). What makes it fast is the session itself: the
 * `time` in a reply fixes the place of a call, so there is a choice only where clears or unknown outcomes overlap.
 */

type Event = readonly string[];
type Stm = readonly Event[];

export interface ObserveReply {
  readonly time: number;
  readonly stmLength: number;
  readonly replayed: boolean;
}

export interface StmReply {
  readonly stm: Stm;
  readonly length: number;
  readonly time: number;
}

/** Failed: surely without effect. Unknown: took effect once at any moment after its start, or never. */
type NoReply = { readonly outcome: "failed" | "unknown"; readonly error?: unknown };
type Outcome<Reply> = { readonly outcome: "ok"; readonly reply: Reply } | NoReply;

/** Both in the unit of one clock that never runs backwards. Calls that touch at one instant overlap. */
interface Interval {
  readonly startedAt: number;
  readonly endedAt: number;
}

/** Calls that share an `observationId` are attempts at one observation. An empty event only advances time. */
export type RecordedObserve = Interval &
  Outcome<ObserveReply> & {
    readonly kind: "observe";
    readonly session: string;
    readonly observationId: string;
    readonly event: Event;
  };
export type RecordedStm = Interval &
  Outcome<StmReply> & { readonly kind: "stm"; readonly session: string };
export type RecordedClear = Interval &
  Outcome<unknown> & { readonly kind: "clear"; readonly session: string };
export type RecordedCall = RecordedObserve | RecordedStm | RecordedClear;

export interface Violation {
  readonly session: string;
  readonly rule:
    | "replay"
    | "repeated-time"
    | "gap"
    | "real-time-order"
    | "stale-read"
    | "future-read"
    | "wrong-content"
    | "wrong-length";
  readonly message: string;
  readonly calls: readonly RecordedCall[];
}

export type Verdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly violations: readonly Violation[] };

export interface CheckOptions {
  /** Number of newest events the session keeps; 1000 unless given. */
  readonly stmLimit?: number;
  /** Whether a recorded call may have sent its request more than once, and so may replay itself. */
  readonly retriesInsideCalls?: boolean;
}

/** Checks each session on its own; observation ids belong to their session. */
export function checkHistory(calls: readonly RecordedCall[], options?: CheckOptions): Verdict {
  const violations = [...Map.groupBy(calls, (call) => call.session).values()]
    .map((ofOneSession) => checkSessionHistory(ofOneSession, options))
    .flatMap((verdict) => (verdict.ok ? [] : verdict.violations));
  return violations.length === 0 ? { ok: true } : { ok: false, violations };
}

/**
 * Checks calls that all concern one session, empty before the first. O(n · stmLimit) while outcomes are known and
 * clears overlap little; exponential at worst in the unknown outcomes and clears that overlap. Reports every
 * contradictory replay, or else the one violation met after the longest explainable prefix. Throws when a history is
 * too ambiguous to decide, or when attempts of unknown outcome at one observation carry different events.
 */
export function checkSessionHistory(
  calls: readonly RecordedCall[],
  { stmLimit = 1000, retriesInsideCalls = false }: CheckOptions = {},
): Verdict {
  const observeCalls = calls.filter((call) => call.kind === "observe");
  const observations = [...Map.groupBy(observeCalls, (call) => call.observationId).values()].map(
    (attempts) => findCauses(attempts, retriesInsideCalls),
  );
  const violations = observations.flatMap(findReplayViolations);
  if (violations.length > 0) {
    return { ok: false, violations };
  }
  const operations = [...observations.flatMap(mergeAttempts), ...calls.flatMap(readOrClear)];
  const violation = new Linearization(operations, stmLimit).findViolation();
  return violation === undefined ? { ok: true } : { ok: false, violations: [violation] };
}

/** The observation, read or clear behind one or more calls; takes effect within [earliest, latest]. */
interface Timed {
  readonly calls: readonly RecordedCall[];
  readonly earliest: number;
  /** Infinity for an operation that may also never have happened. */
  readonly latest: number;
}
interface Observation extends Timed {
  readonly kind: "observe";
  readonly event: Event;
  readonly reply: ObserveReply;
}
interface Read extends Timed {
  readonly kind: "stm";
  readonly reply: StmReply;
}
interface Clear extends Timed {
  readonly kind: "clear";
}
interface Unanswered extends Timed {
  readonly kind: "unanswered";
  readonly event: Event;
}
type Operation = Observation | Read | Clear;
type Attempts = ReturnType<typeof findCauses>;

/** The calls that can be the one that took effect: the one whose reply says so, else any that did not hear. */
function findCauses(attempts: readonly RecordedObserve[], retriesInsideCalls: boolean) {
  const answered = attempts.filter((call) => call.outcome === "ok");
  const applied = answered.filter((call) => !call.reply.replayed);
  const unanswered = attempts.filter((call) => call.outcome === "unknown");
  const causes = [...unanswered, ...(retriesInsideCalls ? answered : [])];
  return { answered, causes: applied.length > 0 ? applied : causes };
}

function findReplayViolations(attempts: Attempts): Violation[] {
  const { answered, causes } = attempts;
  const [first] = answered;
  if (first === undefined) {
    return [];
  }
  const { time, stmLength } = first.reply;
  if (answered.some(({ reply }) => reply.time !== time || reply.stmLength !== stmLength)) {
    return [violation("replay", "replies to one observation id differ", answered)];
  }
  if (answered.filter((call) => !call.reply.replayed).length > 1) {
    return [violation("replay", "one observation id took effect more than once", answered)];
  }
  return causes.length > 0 ? [] : [violation("replay", "nothing was there to replay", answered)];
}

/**
 * One operation for all attempts at one observation, or none if it surely had no effect. A replay tells only that the
 * effect came before the replay ended, so it needs no place of its own in the order.
 */
function mergeAttempts({ answered, causes }: Attempts): (Observation | Unanswered)[] {
  const [cause] = causes;
  if (cause === undefined) {
    return [];
  }
  const { event, observationId } = cause;
  if (causes.some((call) => !sameEvent(call.event, event))) {
    throw new Error(`attempts at observation ${observationId} carry different events`);
  }
  const calls = [...new Set([...causes, ...answered])];
  const earliest = Math.min(...causes.map((call) => call.startedAt));
  const [first] = answered;
  if (first === undefined) {
    return [{ kind: "unanswered", calls, earliest, latest: Infinity, event }];
  }
  const latest = Math.min(...answered.map((call) => call.endedAt));
  return [{ kind: "observe", calls, earliest, latest, event, reply: first.reply }];
}

function readOrClear(call: RecordedCall): (Read | Clear)[] {
  if (call.kind === "stm" && call.outcome === "ok") {
    const { startedAt: earliest, endedAt: latest, reply } = call;
    return [{ kind: "stm", calls: [call], earliest, latest, reply }];
  }
  if (call.kind === "clear" && call.outcome !== "failed") {
    const latest = call.outcome === "ok" ? call.endedAt : Infinity;
    return [{ kind: "clear", calls: [call], earliest: call.startedAt, latest }];
  }
  return [];
}

/**
 * A time that only an unanswered observation can have taken. Which one is left open, as that would be to guess in vain
 * among all their orders; there must only be enough of them at any moment.
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
  /** Whether nothing placed since the last gap gives a reason for it. */
  isVain: boolean;
}

const MAX_REMEMBERED_CONFIGURATIONS = 200_000;

class Linearization {
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
        at.isVain = false;
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
      ...(isForced ? [] : [...this.#afterClear(at), ...this.#afterGap(at)]),
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

  /** Only the length tells at once whether the observation is empty, so both are tried. */
  #afterGap(at: Configuration): Configuration[] {
    const { latest: deadline } = this.#mostUrgent(at);
    const next = { ...at, ahead: new Set(at.ahead), time: at.time + 1, isVain: true };
    const empty = { ...next, gaps: [...at.gaps, { deadline, event: [] }] };
    const hidden = {
      ...next,
      ahead: new Set(at.ahead),
      gaps: [...at.gaps, { deadline, event: undefined }],
      stm: this.#append(at.stm, at.gaps.length),
    };
    return [empty, hidden].filter(({ gaps }) => this.#canFill(gaps));
  }

  /** Of several clears only the one with the earliest deadline: an order with another here can swap the two. */
  #afterClear(at: Configuration): Configuration[] {
    const clear = this.#pending(at, this.#clears).find((each) => this.#mayComeNext(at, each));
    const isVain = at.isVain || (clear?.latest === Infinity && at.time === 0);
    return clear === undefined || isVain ? [] : [this.#place(at, clear, { time: 0, stm: [] })];
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
      if (typeof entry === "number" && gap !== undefined && known === undefined) {
        revealed = revealed.with(entry, { ...gap, event });
      } else if (known === undefined || !sameEvent(known, event)) {
        return undefined;
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
    const next = { ...at, ahead: new Set(at.ahead), isVain: false, ...change };
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
  return { first: 0, ahead: new Set(), time: 0, stm: [], gaps: [], isVain: false };
}

/** Number of operations placed. */
function reach(at: Configuration): number {
  return at.first + at.ahead.size;
}

/** Remembers the configuration by all that decides how it can go on. */
function isNew(seen: Set<string>, { first, ahead, time, stm, gaps, isVain }: Configuration) {
  const sizeBefore = seen.size;
  const placed = [first, ...[...ahead].sort((a, b) => a - b)];
  // Gaps alike in deadline and event are the same wherever they stand in the list.
  const entries = stm.map((entry) => (typeof entry === "number" ? gaps[entry] : entry));
  const filled = gaps.map(({ deadline, event }) => JSON.stringify([deadline, event])).sort();
  seen.add(JSON.stringify([placed, time, entries, filled, isVain]));
  return seen.size > sizeBefore;
}

function sameEvent(left: Event, right: Event): boolean {
  return left.length === right.length && left.every((symbol, i) => symbol === right[i]);
}

function ofOperations(
  rule: Violation["rule"],
  message: string,
  ...operations: Operation[]
): Violation {
  const calls = new Set(operations.flatMap((operation) => operation.calls));
  return violation(rule, message, [...calls]);
}

function violation(
  rule: Violation["rule"],
  message: string,
  calls: readonly RecordedCall[],
): Violation {
  return { session: calls[0]?.session ?? "", rule, message, calls };
}

/** Records calls as they are made; a recorded interval holds the real one, so no call is accused wrongly. */
export class HistoryRecorder {
  readonly #calls: RecordedCall[] = [];
  readonly #classify: (error: unknown) => NoReply["outcome"];
  readonly #now: () => number;
  #unrecordedCount = 0;

  /** `classify` must answer "unknown" unless the error proves that the call had no effect. */
  constructor(classify: (error: unknown) => NoReply["outcome"], now = () => performance.now()) {
    this.#classify = classify;
    this.#now = now;
  }

  /** Throws while calls are in flight: the history would lack their effects. */
  get calls(): readonly RecordedCall[] {
    if (this.#unrecordedCount > 0) {
      throw new Error(`${this.#unrecordedCount} recorded calls have not ended`);
    }
    return [...this.#calls];
  }

  /** Does not reject when the call does; the outcome tells. So do the other two. */
  async observe(
    call: Pick<RecordedObserve, "session" | "observationId" | "event">,
    run: () => Promise<ObserveReply>,
  ): Promise<RecordedObserve> {
    return this.#keep({ ...call, kind: "observe", ...(await this.#settle(run)) });
  }

  async stm(session: string, run: () => Promise<StmReply>): Promise<RecordedStm> {
    return this.#keep({ session, kind: "stm", ...(await this.#settle(run)) });
  }

  async clear(session: string, run: () => Promise<unknown>): Promise<RecordedClear> {
    return this.#keep({ session, kind: "clear", ...(await this.#settle(run)) });
  }

  #keep<Call extends RecordedCall>(call: Call): Call {
    this.#unrecordedCount -= 1;
    this.#calls.push(call);
    return call;
  }

  async #settle<Reply>(run: () => Promise<Reply>): Promise<Interval & Outcome<Reply>> {
    this.#unrecordedCount += 1;
    const startedAt = this.#now();
    try {
      const reply = await run();
      return { startedAt, endedAt: this.#now(), outcome: "ok", reply };
    } catch (error) {
      return { startedAt, endedAt: this.#now(), outcome: this.#classify(error), error };
    }
  }
}
