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
  /** Undefined while no attempt was answered. */
  readonly reply: ObserveReply | undefined;
}
interface Read extends Timed {
  readonly kind: "stm";
  readonly reply: StmReply;
}
interface Clear extends Timed {
  readonly kind: "clear";
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
function mergeAttempts({ answered, causes }: Attempts): Observation[] {
  const [cause] = causes;
  if (cause === undefined) {
    return [];
  }
  if (causes.some((call) => !sameEvent(call.event, cause.event))) {
    throw new Error(`attempts at observation ${cause.observationId} carry different events`);
  }
  return [
    {
      kind: "observe",
      calls: [...new Set([...causes, ...answered])],
      earliest: Math.min(...causes.map((call) => call.startedAt)),
      latest: Math.min(...answered.map((call) => call.endedAt)),
      event: cause.event,
      reply: answered[0]?.reply,
    },
  ];
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

/** The start of an order: which operations it has placed, and the session's state after them. */
interface Configuration {
  /** All operations below this index are placed, and so are those in `ahead`. */
  first: number;
  readonly ahead: Set<number>;
  readonly time: number;
  readonly stm: Stm;
}

const MAX_REMEMBERED_CONFIGURATIONS = 200_000;

class Linearization {
  readonly #stmLimit: number;
  /** By `latest`, so that operations that may never have happened come last. */
  readonly #operations: readonly Operation[];
  readonly #indexes: ReadonlyMap<Operation, number>;
  readonly #certainCount: number;
  readonly #answeredAt: ReadonlyMap<number | undefined, readonly Observation[]>;
  readonly #readsAt: ReadonlyMap<number, readonly Read[]>;
  readonly #readsByTime: readonly Read[];
  readonly #unanswered: readonly Observation[];
  readonly #clears: readonly Clear[];

  constructor(operations: readonly Operation[], stmLimit: number) {
    const sorted = operations.toSorted((a, b) => (a.latest === b.latest ? 0 : a.latest - b.latest));
    const observations = sorted.filter((operation) => operation.kind === "observe");
    const reads = sorted.filter((operation) => operation.kind === "stm");
    this.#stmLimit = stmLimit;
    this.#operations = sorted;
    this.#indexes = new Map(sorted.map((operation, index) => [operation, index]));
    this.#certainCount = sorted.filter((operation) => operation.latest < Infinity).length;
    this.#answeredAt = Map.groupBy(observations, ({ reply }) => reply?.time);
    this.#readsAt = Map.groupBy(reads, ({ reply }) => reply.time);
    this.#readsByTime = reads.toSorted((a, b) => a.reply.time - b.reply.time);
    this.#unanswered = observations.filter(({ reply }) => reply === undefined);
    this.#clears = sorted.filter((operation) => operation.kind === "clear");
  }

  /** Undefined if some order explains every operation. */
  findViolation(): Violation | undefined {
    const open: Configuration[] = [{ first: 0, ahead: new Set(), time: 0, stm: [] }];
    const seen = new Set<string>();
    let furthest: Configuration | undefined;
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      this.#placeReads(at);
      if (at.first >= this.#certainCount) {
        return undefined;
      }
      const moves = this.#findMoves(at);
      if (moves.length === 0 && placedCount(at) >= placedCount(furthest)) {
        furthest = at;
      }
      const nexts = moves.map((move) => this.#place(at, move));
      // A forced move needs no memory, which would cost the whole short-term memory for each.
      open.push(...(nexts.length === 1 ? nexts : nexts.filter((next) => isNew(seen, next))));
      if (seen.size > MAX_REMEMBERED_CONFIGURATIONS) {
        throw new Error(`undecided after ${seen.size} configurations: too many calls overlap`);
      }
    }
    return furthest && this.#explain(furthest);
  }

  /** A read changes nothing: placing it as soon as it fits rules out no order of the others. */
  #placeReads(at: Configuration): void {
    for (const read of this.#pending(at, this.#readsAt.get(at.time))) {
      if (this.#mayComeNext(at, read) && showsStm(read, at)) {
        this.#markPlaced(at, read);
      }
    }
  }

  /** The operations of which one must come next if any order goes on from here; the likeliest last. */
  #findMoves(at: Configuration): (Observation | Clear)[] {
    const { reads, observations } = this.#findForced(at);
    const fits = (observation: Observation) =>
      this.#mayComeNext(at, observation) &&
      observation.reply?.stmLength === this.#append(at.stm, observation.event).length;
    if (reads.length > 0 || observations.length > 0) {
      return reads.length === 0 && observations.length === 1 ? observations.filter(fits) : [];
    }
    const clears = this.#pending(at, this.#clears).filter((clear) => this.#mayComeNext(at, clear));
    return [
      // The one with the earliest deadline: an order that has another here can swap the two.
      ...clears.slice(0, 1),
      ...this.#findUnansweredMoves(at),
      ...this.#pending(at, this.#answeredAt.get(at.time + 1)).filter(fits),
    ];
  }

  /** One for each event: without a deadline, observations of equal events can be swapped at will. */
  #findUnansweredMoves(at: Configuration): Observation[] {
    const nextRead = this.#beforeAnyClear(at, this.#readsByTime).find(
      ({ reply }) => reply.time > at.time,
    );
    const candidates = this.#pending(at, this.#unanswered).filter(
      (observation) =>
        this.#mayComeNext(at, observation) &&
        (nextRead === undefined || this.#leadsTo(this.#place(at, observation), nextRead.reply)),
    );
    return [...new Map(candidates.map((each) => [JSON.stringify(each.event), each])).values()];
  }

  /** What must come before the time is next set back: reads of the time reached, answers with the time after it. */
  #findForced(at: Configuration): { reads: Read[]; observations: Observation[] } {
    return {
      reads: this.#beforeAnyClear(at, this.#readsAt.get(at.time)),
      observations: this.#beforeAnyClear(at, this.#answeredAt.get(at.time + 1)),
    };
  }

  #beforeAnyClear<Kind extends Operation>(at: Configuration, operations?: readonly Kind[]): Kind[] {
    const clears = this.#pending(at, this.#clears);
    const nextClear = Math.min(...clears.map((clear) => clear.earliest));
    return this.#pending(at, operations).filter(({ latest }) => latest < nextClear);
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

  #place({ first, ahead, time, stm }: Configuration, operation: Observation | Clear) {
    const next: Configuration =
      operation.kind === "clear"
        ? { first, ahead: new Set(ahead), time: 0, stm: [] }
        : { first, ahead: new Set(ahead), time: time + 1, stm: this.#append(stm, operation.event) };
    this.#markPlaced(next, operation);
    return next;
  }

  #markPlaced(at: Configuration, operation: Operation): void {
    at.ahead.add(this.#indexOf(operation));
    while (at.ahead.delete(at.first)) {
      at.first += 1;
    }
  }

  #append(stm: Stm, event: Event): Stm {
    return event.length === 0 ? stm : [...stm, event].slice(-this.#stmLimit);
  }

  /** Whether adding one event or none at each time up to the read's can make the session show what was read. */
  #leadsTo(at: Configuration, read: StmReply): boolean {
    const { length } = read.stm;
    for (let added = 0; added <= Math.min(read.time - at.time, length); added += 1) {
      const kept = length - added;
      const fits = length === Math.min(at.stm.length + added, this.#stmLimit);
      if (fits && sameStm(at.stm.slice(at.stm.length - kept), read.stm.slice(0, kept))) {
        return true;
      }
    }
    return false;
  }

  /** Names what fits nowhere after a configuration that no order continues. */
  #explain(at: Configuration): Violation {
    const forced = this.#findForced(at);
    const [read] = forced.reads;
    const [observation, rival] = forced.observations;
    const urgent = this.#mostUrgent(at);
    const next = `time ${at.time + 1}`;
    if (read !== undefined) {
      return showsStm(read, at)
        ? ofOperations("stale-read", `time ${at.time} read after a later one`, read, urgent)
        : ofOperations("wrong-content", `time ${at.time} read with other events`, read);
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
    if (urgent.kind !== "clear" && (urgent.reply?.time ?? 0) <= at.time) {
      const rule = urgent.kind === "stm" ? "stale-read" : "repeated-time";
      return ofOperations(rule, `reply names a time before ${at.time}, already passed`, urgent);
    }
    return ofOperations("gap", `no recorded call can have taken ${next} before this one`, urgent);
  }
}

function placedCount(at: Configuration | undefined): number {
  return at === undefined ? 0 : at.first + at.ahead.size;
}

/** Remembers the configuration by all that decides how it can go on. */
function isNew(seen: Set<string>, { first, ahead, time, stm }: Configuration): boolean {
  const sizeBefore = seen.size;
  seen.add(JSON.stringify([first, [...ahead].sort((a, b) => a - b), time, stm]));
  return seen.size > sizeBefore;
}

function showsStm({ reply }: Read, { stm }: Configuration): boolean {
  return reply.length === reply.stm.length && sameStm(reply.stm, stm);
}

function sameStm(left: Stm, right: Stm): boolean {
  return left.length === right.length && left.every((event, i) => sameEvent(event, right[i] ?? []));
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
