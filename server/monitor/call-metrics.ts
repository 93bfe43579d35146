import type { Counters } from "@kato-rpc/shared/monitor.ts";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Admission } from "./admission.ts";
import { LatencyHistogram } from "./latency-histogram.ts";

/** Counts finished calls, for `monitor.stats` and for Prometheus. Labels are bounded: procedures and error codes. */
export class CallMetrics {
  readonly registry = new Registry();
  readonly latency = new LatencyHistogram();
  readonly #callsByProcedure = new Map<string, number>();
  readonly #errorsByCode = new Map<string, number>();
  readonly #calls: Counter<"procedure" | "outcome">;
  readonly #durations: Histogram<"procedure">;

  constructor(
    admission: Admission,
    sessions: () => SessionCounters,
    replicas: () => ReplicaGauges,
  ) {
    const registers = [this.registry];
    this.#calls = new Counter({
      name: "kato_calls_total",
      help: "Calls answered, by procedure and outcome (ok or error code)",
      labelNames: ["procedure", "outcome"],
      registers,
    });
    this.#durations = new Histogram({
      name: "kato_call_duration_seconds",
      help: "Time from a call's arrival to its answer",
      labelNames: ["procedure"],
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    });
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

  /** `outcome`: "ok" or the error's code. */
  record(procedure: string, outcome: string, durationMs: number): void {
    increment(this.#callsByProcedure, procedure);
    if (outcome !== "ok") increment(this.#errorsByCode, outcome);
    this.latency.record(durationMs);
    this.#calls.inc({ procedure, outcome });
    this.#durations.observe({ procedure }, durationMs / 1_000);
  }

  counters(sessions: SessionCounters): Counters {
    return {
      calls: sum(this.#callsByProcedure),
      errors: sum(this.#errorsByCode),
      callsByProcedure: Object.fromEntries(this.#callsByProcedure),
      errorsByCode: Object.fromEntries(this.#errorsByCode),
      ...sessions,
    };
  }
}

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

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function sum(counts: Map<string, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}
