import type { SessionConfigPatch } from "@kato-rpc/shared/session-config.ts";
import { DEFAULT_SESSION_CONFIG } from "@kato-rpc/shared/session-config.ts";
import * as fc from "fast-check";
import type { NodeContents } from "./node-contents.ts";
import type { Event, Outcome, Stm } from "./recorded-call.ts";
import type { Kind, NextTold, Observed, Replies, Requests, SessionCall } from "./session-call.ts";
import { nameOf } from "./session-model.ts";

/** One call of a random history; what of it does not concern its kind is not looked at. */
export interface Step {
  readonly session: number;
  readonly kind: Exclude<Kind, "create"> | "repeat";
  readonly outcome: "ok" | "failed" | "reply lost" | "request lost";
  readonly events: Stm;
  readonly flags: readonly [boolean, boolean, boolean];
  readonly patch: SessionConfigPatch;
  readonly leadMs: number;
  readonly lagMs: number;
  readonly pick: number;
}

export interface RandomHistory {
  readonly calls: SessionCall[];
  readonly contents: NodeContents;
  /** After the end of all calls. */
  readonly endMs: number;
}

export const NODE = "node";
const EVENTS: readonly Event[] = [["a"], ["a", "b"], ["c", "c"], []];

/** As often as they stand here; after a delete there is little to see. */
const KINDS: readonly Step["kind"][] = [
  ...repeated(8, "observe"),
  ...repeated(6, "learn"),
  ...repeated(4, "sequence", "repeat", "stm"),
  ...repeated(3, "get", "predict", "next", "configure"),
  ...repeated(2, "clear"),
  "delete",
];

const KNOWN_OUTCOMES = ["ok", "ok", "ok", "ok", "failed"] as const;

export function arbitrarySteps(options: {
  kinds?: readonly Step["kind"][];
  maxLength: number;
  sessions?: number;
  /** Whether calls may end without a reply. */
  unknown?: boolean;
}): fc.Arbitrary<Step[]> {
  const { maxLength, sessions = 2, unknown = true } = options;
  const { kinds = KINDS } = options;
  const event = fc.constantFrom(...EVENTS);
  const step = fc.record<Step>({
    session: fc.nat(sessions - 1),
    kind: fc.constantFrom(...kinds),
    outcome: fc.constantFrom(
      ...(unknown ? ([...KNOWN_OUTCOMES, "reply lost", "request lost"] as const) : KNOWN_OUTCOMES),
    ),
    events: fc.array(event, { minLength: 1, maxLength: 3 }),
    flags: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
    patch: fc.record(
      {
        maxPatternLength: fc.constantFrom(0, 1, 2, 3, null),
        stmMode: fc.constantFrom("CLEAR", "ROLLING", null),
      },
      { requiredKeys: [] },
    ),
    leadMs: fc.integer({ min: 0, max: 35 }),
    lagMs: fc.integer({ min: 0, max: 35 }),
    pick: fc.nat(100),
  });
  return fc.array(step, { minLength: 1, maxLength, size: "max" });
}

function repeated(count: number, ...items: Step["kind"][]): Step["kind"][] {
  return Array.from({ length: count }, () => items).flat();
}

/** The calls that a correct service answers one by one, 10 ms apart, each stretched to an interval around its moment. */
export function playSteps(steps: readonly Step[]): RandomHistory {
  const node = new ModelNode();
  const sessions = new Map<number, ModelSession>();
  const calls: SessionCall[] = [];
  for (const [index, step] of steps.entries()) {
    let session = sessions.get(step.session);
    if (session === undefined) {
      session = new ModelSession(`s${step.session}`, node);
      sessions.set(step.session, session);
      calls.push(session.create(-100));
    }
    calls.push(session.play(step, index));
  }
  const endMs = Math.max(0, ...calls.map(({ endedAt }) => endedAt)) + 1;
  return { calls, contents: node.contents(), endMs };
}

/** A node that counts its statistics as it learns. */
class ModelNode {
  readonly #patterns = new Map<string, { events: Stm; frequency: number }>();
  readonly #symbols = new Map<string, { frequency: number; members: Set<string> }>();

  learn(events: Stm): { learned: string | null; frequency: number } {
    const learned = nameOf(events);
    if (learned === null) return { learned, frequency: 0 };
    const pattern = this.#patterns.get(learned) ?? { events, frequency: 0 };
    pattern.frequency += 1;
    this.#patterns.set(learned, pattern);
    for (const symbol of events.flat()) {
      const count = this.#symbols.get(symbol) ?? { frequency: 0, members: new Set() };
      count.frequency += 1;
      count.members.add(learned);
      this.#symbols.set(symbol, count);
    }
    return { learned, frequency: pattern.frequency };
  }

  predictions(): Replies["predict"]["predictions"] {
    return [...this.#patterns].map(([name, { frequency }]) => ({
      name: name.replace("PTRN|", ""),
      frequency,
    }));
  }

  contents(): NodeContents {
    const patterns = [...this.#patterns].map(([name, { events, frequency }]) => ({
      name,
      events: events.map((event) => [...event]),
      length: events.flat().length,
      frequency,
      emotives: [],
      metadata: {},
    }));
    const symbols = [...this.#symbols].map(([symbol, { frequency, members }]) => ({
      symbol,
      frequency,
      patternMemberFrequency: members.size,
      affinity: {},
    }));
    const total = (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0);
    const stats = {
      nodeId: NODE,
      patterns: patterns.length,
      symbols: symbols.length,
      frequencies: total(patterns.map(({ frequency }) => frequency)),
      symbolOccurrences: total(symbols.map(({ frequency }) => frequency)),
      vectors: 0,
      sessions: 0,
      bytes: total(patterns.map(({ events }) => Buffer.byteLength(JSON.stringify(events)))),
    };
    return { nodeId: NODE, stats, patterns, symbols };
  }
}

type Reply = Outcome<object>;

/** A session as its users know it, written apart from the checker's model so that one tells on the other. */
class ModelSession {
  readonly #id: string;
  readonly #node: ModelNode;
  readonly #replies = new Map<string, object>();
  readonly #repeatable: { kind: "observe" | "sequence" | "learn"; request: { id: string } }[] = [];
  #time = 0;
  #stm: Event[] = [];
  #config: Record<string, unknown> = {};
  #isDeleted = false;

  constructor(id: string, node: ModelNode) {
    this.#id = id;
    this.#node = node;
  }

  create(startedAt: number): SessionCall {
    const interval = { startedAt, endedAt: startedAt };
    return this.#call(
      "create",
      { config: {} },
      { ...interval, outcome: "ok", reply: this.#own({}) },
    );
  }

  play(step: Step, index: number): SessionCall {
    const { kind, request } = this.#requestOf(step, index);
    const startedAt = index * 10 - step.leadMs;
    const isKnown = step.outcome === "ok" || step.outcome === "failed";
    const endedAt = isKnown ? index * 10 + step.lagMs : startedAt + step.lagMs;
    const takesEffect = step.outcome === "ok" || step.outcome === "reply lost";
    const reply = takesEffect ? this.#answer(kind, request) : undefined;
    const heard: Reply =
      step.outcome === "ok" && reply !== undefined
        ? reply
        : { outcome: step.outcome === "failed" ? "failed" : "unknown" };
    return this.#call(kind, request, { startedAt, endedAt, ...heard });
  }

  #requestOf({ kind, events, flags, patch, pick }: Step, index: number) {
    const id = `${this.#id}-${index}`;
    const [learnAfterEach, learnAtEnd, clearStmBetween] = flags;
    const requests = {
      observe: { id, event: events[0]! },
      sequence: { id, events, learnAfterEach, learnAtEnd, clearStmBetween },
      learn: { id },
      clear: { id },
      configure: { id, patch },
    } satisfies Partial<Requests>;
    if (kind === "repeat") {
      const earlier = this.#repeatable[pick % this.#repeatable.length];
      return earlier ?? { kind: "get" as const, request: {} };
    }
    const request: object = kind in requests ? requests[kind as keyof typeof requests] : {};
    if (kind === "observe" || kind === "sequence" || kind === "learn") {
      this.#repeatable.push({ kind, request: request as { id: string } });
    }
    return { kind, request };
  }

  #answer(kind: Exclude<Kind, "create">, request: object): Reply {
    if (kind === "delete") {
      const deleted = !this.#isDeleted;
      this.#isDeleted = true;
      return { outcome: "ok", reply: { deleted } };
    }
    if (this.#isDeleted) return { outcome: "failed", refusal: "SESSION_NOT_FOUND" };
    const id = "id" in request ? `${kind} ${String(request.id)}` : undefined;
    const first = id === undefined ? undefined : this.#replies.get(id);
    if (first !== undefined) return { outcome: "ok", reply: { ...first, replayed: true } };
    if (kind === "learn" && this.#stm.length === 0) {
      return { outcome: "failed", refusal: "EMPTY_STM" };
    }
    const reply = this.#own({ ...this.#do(kind, request), replayed: false });
    if (id !== undefined) this.#replies.set(id, reply);
    return { outcome: "ok", reply };
  }

  #do(kind: Exclude<Kind, "create" | "delete">, request: object): object {
    const time = this.#time;
    switch (kind) {
      case "observe":
        return this.#observe((request as Requests["observe"]).event);
      case "sequence":
        return this.#observeAll(request as Requests["sequence"]);
      case "learn":
        return this.#learn();
      case "clear":
        this.#time = 0;
        this.#stm = [];
        return { cleared: true };
      case "configure":
        Object.assign(this.#config, (request as Requests["configure"]).patch);
        return { config: this.#effective() };
      case "stm":
        return { stm: this.#stm, length: this.#stm.length, time };
      case "get":
        return { time, stmLength: this.#stm.length, config: this.#effective() };
      case "predict":
        return { time, predictions: this.#node.predictions() };
      case "next":
        return { time, ...this.#next() };
    }
  }

  #next(): Omit<NextTold, "time"> {
    const because = this.#node.predictions();
    const known = because.length === 0 ? "NO_PATTERNS" : null;
    return { because, deviation: 0, empty: this.#stm.length === 0 ? "NO_SYMBOLS" : known };
  }

  #observe(event: Event): Observed {
    const { maxPatternLength: most, stmMode } = this.#effective();
    this.#time += 1;
    if (event.length > 0) this.#stm = [...this.#stm, event];
    let learned: string | null = null;
    if (event.length > 0 && most > 0 && this.#stm.length >= most) {
      const before = this.#stm;
      ({ learned } = this.#learn());
      const keeps = stmMode === "ROLLING" && before.length > 1 && most > 1;
      if (keeps) this.#stm = before.slice(1 - most);
    }
    return { time: this.#time, stmLength: this.#stm.length, learned };
  }

  #observeAll({ events, learnAfterEach, learnAtEnd, clearStmBetween }: Requests["sequence"]) {
    const initialStmLength = this.#stm.length;
    const learned: string[] = [];
    const results: Observed[] = [];
    for (const event of events) {
      if (clearStmBetween && results.length > 0) this.#stm = [];
      const result = this.#observe(event);
      const after = learnAfterEach && this.#stm.length > 0 ? this.#learn().learned : null;
      learned.push(...[after, result.learned].filter((name) => name !== null));
      results.push({ ...result, stmLength: this.#stm.length });
    }
    const finalLearned = learnAtEnd && this.#stm.length > 0 ? this.#learn().learned : null;
    if (finalLearned !== null) learned.push(finalLearned);
    const finalStmLength = this.#stm.length;
    return { results, learned, finalLearned, initialStmLength, finalStmLength, time: this.#time };
  }

  #learn() {
    const reply = this.#node.learn(this.#stm);
    this.#stm = [];
    return reply;
  }

  #effective() {
    const set = Object.entries(this.#config).filter(([, value]) => value !== null);
    return { ...DEFAULT_SESSION_CONFIG, ...(Object.fromEntries(set) as object) };
  }

  #own(reply: object) {
    return { ...reply, sessionId: this.#id, nodeId: NODE };
  }

  #call(kind: Kind, request: object, how: object): SessionCall {
    return { kind, session: this.#id, node: NODE, ...request, ...how } as unknown as SessionCall;
  }
}
