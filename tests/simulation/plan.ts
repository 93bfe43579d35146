import type { Event } from "../support/history/recorded-call.ts";
import type { Asked } from "./asked.ts";
import type { Chance } from "./chance.ts";

/** Calls that a client makes at once on a session, some time after the ones before have ended. */
export type Burst = { readonly pauseMs: number; readonly calls: readonly Asked[] };

/** All bursts of one client on one session, in their order. */
export type Lane = {
  readonly session: number;
  readonly client: number;
  readonly bursts: readonly Burst[];
};

/** What a schedule consists of, faults left out. */
export type Plan = {
  readonly workers: number;
  /** The node of each session. */
  readonly nodes: readonly string[];
  readonly clients: number;
  readonly lanes: readonly Lane[];
  /** Events that short-term memory keeps. */
  readonly stmLimit: number;
  readonly retries: number;
  readonly timeoutMs: number;
};

/** How often each kind is drawn. */
const WEIGHTS = {
  observe: 13,
  sequence: 2,
  learn: 3,
  clear: 1,
  configure: 2,
  predict: 1,
  next: 1,
  stm: 3,
  get: 1,
  delete: 1,
} as const satisfies Record<Asked["kind"], number>;

const KINDS = Object.entries(WEIGHTS).flatMap(([kind, weight]) =>
  Array.from({ length: weight }, () => kind as Asked["kind"]),
);

const CLIENTS = 2;
const CALLS = [4, 12] as const;

export function drawPlan(chance: Chance): Plan {
  const sessions = chance.pick([1, 1, 2, 2, 3]);
  const drawers = Array.from({ length: sessions }, () => new CallDrawer(chance));
  const lanes = new Map<string, Lane & { bursts: Burst[] }>();
  for (let left = chance.between(...CALLS); left > 0;) {
    const session = chance.below(sessions);
    const client = chance.below(CLIENTS);
    const count = chance.happens(0.3) ? chance.between(2, 4) : 1;
    left -= count;
    const calls = Array.from({ length: count }, () => drawers[session]!.draw());
    const key = `${session} ${client}`;
    const lane = lanes.get(key) ?? { session, client, bursts: [] };
    lane.bursts.push({ pauseMs: chance.happens(0.5) ? 0 : chance.below(60), calls });
    lanes.set(key, lane);
  }
  return {
    workers: chance.between(2, 3),
    nodes: Array.from({ length: sessions }, () => `node ${chance.below(2) + 1}`),
    clients: CLIENTS,
    lanes: [...lanes.values()],
    stmLimit: chance.pick([4, 1_000]),
    retries: chance.pick([0, 1, 3, 8]),
    timeoutMs: chance.pick([2_000, 30_000]),
  };
}

/** Makes up the calls on one session. */
class CallDrawer {
  readonly #chance: Chance;
  readonly #made: Asked[] = [];

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** Now and then a call that was made before, by whichever client, with its id; or another one with that id. */
  draw(): Asked {
    const chance = this.#chance;
    if (this.#made.length > 0 && chance.happens(0.1)) return chance.pick(this.#made);
    const asked = (chance.happens(0.04) ? this.#drawOther() : undefined) ?? this.#drawNew();
    this.#made.push(asked);
    return asked;
  }

  /** An observation of something else with the id of one that was made before; undefined if that was none. */
  #drawOther(): Asked | undefined {
    const first = this.#made.at(-1);
    if (first?.kind !== "observe") return undefined;
    const { kind, id, sentId = id } = first;
    const name = `other-${this.#made.length + 1}`;
    return { kind, id: name, sentId, event: [name] };
  }

  #drawNew(): Asked {
    const chance = this.#chance;
    const kind = chance.pick(KINDS);
    const id = `id-${this.#made.length + 1}`;
    switch (kind) {
      case "observe":
        return {
          kind,
          id,
          event: this.#drawEvent(),
          predicts: chance.happens(0.05),
          expectedTime: chance.happens(0.08) ? chance.below(5) : undefined,
        };
      case "sequence":
        return {
          kind,
          id,
          events: Array.from({ length: chance.between(1, 3) }, () => this.#drawEvent()),
          learnAfterEach: chance.happens(0.2),
          learnAtEnd: chance.happens(0.5),
          clearStmBetween: chance.happens(0.2),
        };
      case "configure":
        return { kind, id, patch: { maxPatternLength: chance.pick([0, 2, 3]) } };
      case "learn":
      case "clear":
        return { kind, id };
      default:
        return { kind };
    }
  }

  /** Mostly one that tells which call made it; else one of a few, so that sessions learn the same patterns. */
  #drawEvent(): Event {
    const chance = this.#chance;
    if (chance.happens(0.05)) return [];
    if (chance.happens(0.4)) return [chance.pick(["a", "b"])];
    return [`x${this.#made.length + 1}${chance.pick(["", "-", "+"])}`];
  }
}
