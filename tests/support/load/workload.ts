import type { SessionConfigPatch } from "@kato-rpc/shared/session-config.ts";
import type { Event } from "../history/recorded-call.ts";
import type { Kind, Requests } from "../history/session-call.ts";

/** What a caller does next; its id makes it safe to repeat. */
export type Action = {
  [K in Exclude<Kind, "create">]: { readonly kind: K } & Requests[K];
}[Exclude<Kind, "create">];

/** Of 200; `repeat` sends one of the caller's last changes again, as who never heard of its first reply would. */
const WEIGHTS = {
  observe: 68,
  sequence: 16,
  learn: 28,
  predict: 12,
  next: 10,
  stm: 18,
  get: 14,
  configure: 10,
  clear: 8,
  repeat: 15,
  delete: 1,
} as const;

const TOTAL_WEIGHT = Object.values(WEIGHTS).reduce((total: number, weight) => total + weight, 0);

/** In short-term memories of a few events these make some fifty patterns that most sessions of a node learn. */
const EVENTS: readonly Event[] = [["a", "b"], ["c", "d"], ["a"], ["b", "é"]];
const EVENT_SHARES = [0.5, 0.75, 0.9, 1];

const REPEATABLE_ACTIONS = 10;

/** Draws the actions of one caller. `random` is in [0, 1); `idPrefix` is the caller's own. */
export class Workload {
  readonly #random: () => number;
  readonly #idPrefix: string;
  #repeatable: Action[] = [];
  #idCount = 0;

  constructor(random: () => number, idPrefix: string) {
    this.#random = random;
    this.#idPrefix = idPrefix;
  }

  /** In another session nothing is repeated that was done in the last. */
  forget(): void {
    this.#repeatable = [];
  }

  draw(): Action {
    const action = this.#drawKind();
    if ("id" in action) {
      this.#repeatable = [...this.#repeatable, action].slice(-REPEATABLE_ACTIONS);
    }
    return action;
  }

  #drawKind(): Action {
    const id = `${this.#idPrefix}-${(this.#idCount += 1)}`;
    let left = this.#random() * TOTAL_WEIGHT;
    const kinds = Object.entries(WEIGHTS) as [keyof typeof WEIGHTS, number][];
    const [kind] = kinds.find(([, weight]) => (left -= weight) < 0) ?? ["observe"];
    switch (kind) {
      case "repeat":
        return this.#pick(this.#repeatable) ?? { kind: "get" };
      case "observe":
        return { kind, id, event: this.#drawEvent(0.05) };
      case "sequence": {
        const events = Array.from({ length: 1 + this.#below(3) }, () => this.#drawEvent(0));
        return { kind, id, events, ...this.#drawOptions() };
      }
      case "configure":
        return { kind, id, patch: this.drawConfig() };
      case "learn":
      case "clear":
        return { kind, id };
      default:
        return { kind };
    }
  }

  /** Most often none of the settings that make a session learn by itself. */
  drawConfig(): SessionConfigPatch {
    const draws: SessionConfigPatch[] = [
      { maxPatternLength: 0 },
      { maxPatternLength: null, stmMode: null },
      { maxPatternLength: 3, stmMode: "CLEAR" },
      { maxPatternLength: 2, stmMode: "ROLLING" },
      { recallThreshold: this.#below(10) / 10 },
      { maxPredictions: 1 + this.#below(5) },
    ];
    return this.#pick(draws) ?? {};
  }

  #drawEvent(emptyShare: number): Event {
    if (this.#random() < emptyShare) return [];
    const drawn = this.#random();
    return EVENTS[EVENT_SHARES.findIndex((share) => drawn < share)] ?? ["a"];
  }

  #drawOptions() {
    return {
      learnAfterEach: this.#random() < 0.2,
      learnAtEnd: this.#random() < 0.5,
      clearStmBetween: this.#random() < 0.2,
    };
  }

  #pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.#below(items.length)];
  }

  #below(bound: number): number {
    return Math.floor(this.#random() * bound);
  }
}
