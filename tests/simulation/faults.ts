import type { Chance } from "./chance.ts";

/** What can go wrong, each kind by itself. */
export const FAULT_KINDS = [
  "store request lost",
  "store reply lost",
  "store effect late",
  "store outage",
  "store put back",
  "call request lost",
  "call reply lost",
  "call late",
  "worker crash",
  "worker stall",
  "worker drain",
  "session expiry",
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];
export type FaultCounts = Record<FaultKind, number>;

export function noFaults(): FaultCounts {
  return Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as FaultCounts;
}

const CALM_SHARE = 0.05;
const KIND_SHARE = 0.4;
const RATES = [0.03, 0.1, 0.25] as const;

/**
 * Which faults a schedule has, and how often. A few kinds in each schedule, often: all kinds in all schedules would
 * drown one another (Groce et al., "Swarm Testing", 2012).
 */
export class Faults {
  readonly counts = noFaults();
  readonly #rates = new Map<FaultKind, number>();
  readonly #chance: Chance;

  constructor(chance: Chance) {
    this.#chance = chance;
    if (chance.happens(CALM_SHARE)) return;
    for (const kind of FAULT_KINDS) {
      if (chance.happens(KIND_SHARE)) this.#rates.set(kind, chance.pick(RATES));
    }
  }

  /** Whether this schedule has faults of the kind at all. */
  has(kind: FaultKind): boolean {
    return this.#rates.has(kind);
  }

  /** Whether one strikes now. */
  strikes(kind: FaultKind): boolean {
    const strikes = this.#chance.happens(this.#rates.get(kind) ?? 0);
    if (strikes) this.counts[kind] += 1;
    return strikes;
  }

  /** Notes one that was planned. */
  note(kind: FaultKind): void {
    this.counts[kind] += 1;
  }

  stop(): void {
    this.#rates.clear();
  }
}
