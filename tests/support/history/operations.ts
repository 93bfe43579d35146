import type {
  Event,
  ObserveReply,
  RecordedCall,
  RecordedObserve,
  StmReply,
} from "./recorded-call.ts";
import type { Violation } from "./verdict.ts";
import { violation } from "./verdict.ts";

/** The observation, read or clear behind one or more calls; takes effect within [earliest, latest]. */
export interface Timed {
  readonly calls: readonly RecordedCall[];
  readonly earliest: number;
  /** Infinity for an operation that may also never have happened. */
  readonly latest: number;
}
export interface Observation extends Timed {
  readonly kind: "observe";
  readonly event: Event;
  readonly reply: ObserveReply;
}
export interface Read extends Timed {
  readonly kind: "stm";
  readonly reply: StmReply;
}
export interface Clear extends Timed {
  readonly kind: "clear";
}
export interface Unanswered extends Timed {
  readonly kind: "unanswered";
  readonly event: Event;
}
export type Operation = Observation | Read | Clear;
export type Attempts = ReturnType<typeof findCauses>;

/** The calls that can be the one that took effect: the one whose reply says so, else any that did not hear. */
export function findCauses(attempts: readonly RecordedObserve[], retriesInsideCalls: boolean) {
  const answered = attempts.filter((call) => call.outcome === "ok");
  const applied = answered.filter((call) => !call.reply.replayed);
  const unanswered = attempts.filter((call) => call.outcome === "unknown");
  const causes = [...unanswered, ...(retriesInsideCalls ? answered : [])];
  return { answered, causes: applied.length > 0 ? applied : causes };
}

export function findReplayViolations(attempts: Attempts): Violation[] {
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
export function mergeAttempts({ answered, causes }: Attempts): (Observation | Unanswered)[] {
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

export function readOrClear(call: RecordedCall): (Read | Clear)[] {
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

export function sameEvent(left: Event, right: Event): boolean {
  return left.length === right.length && left.every((symbol, i) => symbol === right[i]);
}
