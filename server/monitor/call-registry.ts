import { Counter, Gauge, Registry } from "prom-client";
import type { Admission } from "./admission.ts";
import type { ReplicaGauges, SessionCounters } from "./call-metrics.ts";
import type { DurationBuckets } from "./duration-buckets.ts";

export type Counted = {
  admission: Admission;
  sessions: () => SessionCounters;
  replicas: () => ReplicaGauges;
  /** Procedure → outcome → calls. */
  calls: ReadonlyMap<string, ReadonlyMap<string, number>>;
  durations: DurationBuckets;
};

/** What a worker counts, read when Prometheus asks. */
export function createRegistry({
  admission,
  sessions,
  replicas,
  calls,
  durations,
}: Counted): Registry {
  const registry = new Registry();
  const registers = [registry];
  totalCalls(registers, calls);
  // It takes whatever answers `get`; its types ask for one of its own classes.
  registry.registerMetric(durations as unknown as Parameters<Registry["registerMetric"]>[0]);
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
  return registry;
}

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
