import type { Counters } from "@kato-rpc/shared/monitor.ts";
import type { Registry } from "prom-client";
import type { Admission } from "./admission.ts";
import type { Counted } from "./call-registry.ts";
import { DurationBuckets } from "./duration-buckets.ts";
import { LatencyHistogram } from "./latency-histogram.ts";

/** Counts finished calls, for `monitor.stats` and for Prometheus. Labels are bounded: procedures and error codes. */
export class CallMetrics {
  readonly latency = new LatencyHistogram();
  /** Procedure → outcome → calls. */
  readonly #calls = new Map<string, Map<string, number>>();
  readonly #durations = new DurationBuckets();
  readonly #counted: Counted;
  #registry: Promise<Registry> | undefined;

  constructor(
    admission: Admission,
    sessions: () => SessionCounters,
    replicas: () => ReplicaGauges,
  ) {
    this.#counted = {
      admission,
      sessions,
      replicas,
      calls: this.#calls,
      durations: this.#durations,
    };
  }

  /** Made when it is first asked for: what it takes would delay the start by some 30 ms. */
  registry(): Promise<Registry> {
    this.#registry ??= import("./call-registry.ts").then(({ createRegistry }) =>
      createRegistry(this.#counted),
    );
    return this.#registry;
  }

  /** `calls`: how many ended alike; one unless told otherwise. */
  record({ procedure, outcome, durationMs, calls = 1 }: FinishedCall): void {
    let outcomes = this.#calls.get(procedure);
    if (outcomes === undefined) {
      outcomes = new Map();
      this.#calls.set(procedure, outcomes);
    }
    add(outcomes, outcome, calls);
    this.latency.record(durationMs, calls);
    this.#durations.record(procedure, durationMs, calls);
  }

  counters(sessions: SessionCounters): Counters {
    const byProcedure = new Map<string, number>();
    const byCode = new Map<string, number>();
    for (const [procedure, outcomes] of this.#calls) {
      for (const [outcome, calls] of outcomes) {
        add(byProcedure, procedure, calls);
        if (outcome !== "ok") add(byCode, outcome, calls);
      }
    }
    return {
      calls: sum(byProcedure),
      errors: sum(byCode),
      callsByProcedure: Object.fromEntries(byProcedure),
      errorsByCode: Object.fromEntries(byCode),
      ...sessions,
    };
  }
}

type FinishedCall = {
  procedure: string;
  /** "ok" or the error's code. */
  outcome: string;
  durationMs: number;
  calls?: number;
};

export type SessionCounters = Pick<
  Counters,
  | "observations"
  | "learns"
  | "predictions"
  | "sessionsCreated"
  | "sessionsDeleted"
  | "storeConflicts"
>;

/** Long-term memory that this worker keeps in memory. */
export type ReplicaGauges = { nodes: number; bytes: number };

function add(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

function sum(counts: Map<string, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}
