import type { Counters } from "@kato-rpc/shared/monitor.ts";
import { Counter, Gauge, Registry } from "prom-client";
import type { Admission } from "./admission.ts";
import { DurationBuckets } from "./duration-buckets.ts";
import { LatencyHistogram } from "./latency-histogram.ts";

/** Counts finished calls, for `monitor.stats` and for Prometheus. Labels are bounded: procedures and error codes. */
export class CallMetrics {
  readonly registry = new Registry();
  readonly latency = new LatencyHistogram();
  /** Procedure → outcome → calls. */
  readonly #calls = new Map<string, Map<string, number>>();
  readonly #durations: DurationBuckets;

  constructor(
    admission: Admission,
    sessions: () => SessionCounters,
    replicas: () => ReplicaGauges,
  ) {
    const registers = [this.registry];
    totalCalls(registers, this.#calls);
    this.#durations = new DurationBuckets(this.registry);
    gauge(registers, {
      name: "kato_calls_running",
      help: "Calls running now",
      read: () => admission.running,
    });
    gauge(registers, {
      name: "kato_calls_waiting",
      help: "Calls waiting to run",
      read: () => admission.waiting,
    });
    gauge(registers, {
      name: "kato_calls_running_peak",
      help: "Most calls that ran at once, summed over the workers",
      read: () => admission.peak,
    });
    gauge(registers, {
      name: "kato_resident_memory_bytes",
      help: "Memory of the workers",
      read: () => process.memoryUsage.rss(),
    });
    gauge(registers, {
      name: "kato_replica_nodes",
      help: "Nodes whose long-term memory the workers keep in memory",
      read: () => replicas().nodes,
    });
    gauge(registers, {
      name: "kato_replica_bytes",
      help: "Memory of these, estimated",
      read: () => replicas().bytes,
    });
    for (const [name, help, key] of SESSION_COUNTERS)
      total(registers, { name, help, read: () => sessions()[key] });
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

const SESSION_COUNTERS = [
  ["kato_observations_total", "Observations committed", "observations"],
  ["kato_learns_total", "Patterns learned, relearns included", "learns"],
  ["kato_predictions_total", "Predictions made", "predictions"],
  ["kato_sessions_created_total", "Sessions created", "sessionsCreated"],
  ["kato_sessions_deleted_total", "Sessions deleted", "sessionsDeleted"],
  ["kato_store_conflicts_total", "Commits that found a newer version", "storeConflicts"],
] as const satisfies [string, string, keyof SessionCounters][];

type MetricSpec = { name: string; help: string; read: () => number };

function gauge(registers: Registry[], { name, help, read }: MetricSpec): void {
  new Gauge({
    name,
    help,
    registers,
    collect() {
      this.set(read());
    },
  });
}

function total(registers: Registry[], { name, help, read }: MetricSpec): void {
  new Counter({
    name,
    help,
    registers,
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

function totalCalls(
  registers: Registry[],
  calls: ReadonlyMap<string, ReadonlyMap<string, number>>,
): void {
  new Counter({
    name: "kato_calls_total",
    help: "Calls answered, by procedure and outcome (ok or error code)",
    labelNames: ["procedure", "outcome"],
    registers,
    collect() {
      this.reset();
      for (const [procedure, outcomes] of calls) {
        for (const [outcome, count] of outcomes) this.inc({ procedure, outcome }, count);
      }
    },
  });
}

function add(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

function sum(counts: Map<string, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}
