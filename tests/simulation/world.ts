import { Chance } from "./chance.ts";
import type { Rollback } from "./rollback.ts";
import { Faults } from "./faults.ts";
import { Scheduler } from "./scheduler.ts";

/** Epoch ms by the store's clock at which every schedule begins. */
const START_MS = 1_800_000_000_000;

/** What all parts of a schedule share. */
export class World {
  readonly chance: Chance;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  /** What happened, line by line; undefined where nobody wants to read it. */
  readonly trace: string[] | undefined;
  /** The store answers nobody until then, in virtual ms. */
  storeDownUntil = 0;
  /** The moments at which changes were committed under ids, by `<session id> <id>`; those lost are left out. */
  readonly commits = new Map<string, number>();
  /** Of the store, once it has happened. */
  rollback: Rollback | undefined;
  #moments = 0;
  #failures: unknown[] = [];

  constructor(seed: number, { traces = false } = {}) {
    this.chance = new Chance(seed);
    this.scheduler = new Scheduler(this.chance);
    this.faults = new Faults(this.chance);
    this.trace = traces ? [] : undefined;
  }

  /** Epoch ms by the store's clock. */
  storeNow(): number {
    return START_MS + this.scheduler.nowMs;
  }

  /** Numbers what callers see, so that no two things are seen at once. */
  moment(): number {
    this.#moments += 1;
    return this.#moments;
  }

  /** Notes a bug, of the service or of the simulation, that no caller can be blamed for. */
  fail(error: unknown): void {
    this.#failures.push(error);
  }

  throwFailure(): void {
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  note(tell: () => string): void {
    this.trace?.push(`${this.scheduler.nowMs.toFixed(1).padStart(8)} ms  ${tell()}`);
  }

  /** Mostly short, so that calls meet; now and then long. */
  delayMs(): number {
    return this.chance.happens(0.1) ? this.chance.between(5, 40) : this.chance.below(4);
  }

  get isStoreDown(): boolean {
    return this.scheduler.nowMs < this.storeDownUntil;
  }
}
