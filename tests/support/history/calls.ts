/** Builds recorded calls one by one, for histories written by hand: on session `s` of node `n` unless put elsewhere. */
import type { SessionConfig, SessionConfigPatch } from "@kato-rpc/shared/session-config.ts";
import { effectiveConfig } from "@kato-rpc/shared/session-config.ts";
import type { Event, Refusal, Stm } from "./recorded-call.ts";
import type {
  Observed,
  Predicted,
  Replies,
  SequenceOptions,
  SequenceReply,
  SessionCall,
  SessionCallOf,
} from "./session-call.ts";

export type Span = readonly [startedAt: number, endedAt: number];

const place = { session: "s", node: "n" };
const own = { sessionId: "s", nodeId: "n" };

function interval([startedAt, endedAt]: Span) {
  return { ...place, startedAt, endedAt, outcome: "ok" as const };
}

export function create(config: SessionConfigPatch = {}): SessionCallOf<"create"> {
  return { ...interval([-2, -1]), kind: "create", config, reply: own };
}

export function observe(
  span: Span,
  event: Event,
  { id = `o${span[0]}`, ...told }: Partial<Replies["observe"]> & { id?: string },
): SessionCallOf<"observe"> {
  const reply = { time: 0, stmLength: 0, learned: null, replayed: false, ...own, ...told };
  return { ...interval(span), kind: "observe", id, event, reply };
}

export function sequence(
  span: Span,
  events: Stm,
  {
    options = {},
    ...told
  }: Partial<SequenceReply> & { options?: Partial<SequenceOptions>; results: Observed[] },
): SessionCallOf<"sequence"> {
  const last = told.results.at(-1);
  const time = last?.time ?? 0;
  const lengths = { initialStmLength: 0, finalStmLength: last?.stmLength ?? 0 };
  const names = { learned: [], finalLearned: null };
  const set = { learnAfterEach: false, learnAtEnd: false, clearStmBetween: false, ...options };
  const reply = { ...names, ...lengths, time, replayed: false, ...own, ...told };
  return { ...interval(span), kind: "sequence", id: `q${span[0]}`, events, ...set, reply };
}

export function observed(time: number, stmLength: number, learned: string | null = null): Observed {
  return { time, stmLength, learned };
}

export function learn(
  span: Span,
  learned: string | null,
  { frequency = 1, replayed = false, id = `l${span[0]}` } = {},
): SessionCallOf<"learn"> {
  return { ...interval(span), kind: "learn", id, reply: { learned, frequency, replayed, ...own } };
}

export function clear(span: Span): SessionCallOf<"clear"> {
  return { ...interval(span), kind: "clear", id: `c${span[0]}`, reply: {} };
}

export function configure(
  span: Span,
  patch: SessionConfigPatch,
  config: SessionConfig = effectiveConfig(patch),
): SessionCallOf<"configure"> {
  return { ...interval(span), kind: "configure", id: `g${span[0]}`, patch, reply: { config } };
}

export function remove(span: Span, { deleted = true } = {}): SessionCallOf<"delete"> {
  return { ...interval(span), kind: "delete", reply: { deleted } };
}

export function stm(span: Span, time: number, ...stm: Event[]): SessionCallOf<"stm"> {
  return { ...interval(span), kind: "stm", reply: { stm, length: stm.length, time, ...own } };
}

export function get(
  span: Span,
  time: number,
  told: { stmLength?: number; config?: SessionConfigPatch } = {},
): SessionCallOf<"get"> {
  const { stmLength = 0, config = {} } = told;
  const reply = { time, stmLength, config: effectiveConfig(config), ...own };
  return { ...interval(span), kind: "get", reply };
}

export function predict(
  span: Span,
  time: number,
  ...predictions: Predicted[]
): SessionCallOf<"predict"> {
  return { ...interval(span), kind: "predict", reply: { time, predictions, ...own } };
}

export function next(
  span: Span,
  time: number,
  told: Partial<Omit<Replies["next"], "time">> = {},
): SessionCallOf<"next"> {
  const reply = { time, because: [], deviation: 0, empty: null, ...own, ...told };
  return { ...interval(span), kind: "next", reply };
}

/** The same call without its reply. */
export function unanswered(
  call: SessionCall,
  outcome: "unknown" | "failed" = "unknown",
  refusal?: Refusal,
): SessionCall {
  const { reply: _, ...rest } = call as SessionCall & { outcome: "ok" };
  return { ...rest, outcome, refusal };
}

/** The same calls on another session of the same node. */
export function onSession(session: string, calls: readonly SessionCall[]): SessionCall[] {
  return calls.map((call) => {
    const isAddressed = call.outcome === "ok" && hasSessionId(call.reply);
    const moved = { ...call, session };
    return (
      isAddressed ? { ...moved, reply: { ...Object(call.reply), sessionId: session } } : moved
    ) as SessionCall;
  });
}

function hasSessionId(reply: unknown): boolean {
  return typeof reply === "object" && reply !== null && "sessionId" in reply;
}
