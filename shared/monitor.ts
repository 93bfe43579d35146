import { z } from "zod";

export const concurrencyInputSchema = z
  .strictObject({
    /** `worker`: the worker that answers; `fleet` (default): every worker that shares the store. */
    scope: z.enum(["worker", "fleet"]).optional(),
  })
  .optional();

/** For procedures that take none: what is sent all the same is refused, not overlooked. */
export const noInputSchema = z.strictObject({}).optional();

/** `warning` from 80 % of the limit, `critical` from 95 %. */
export type LoadStatus = "healthy" | "warning" | "critical";

export type Load = {
  /** Calls running; a batch of 50 counts 50. */
  concurrentRequests: number;
  /** Whole percent of the limit. */
  utilizationPercent: number;
};

export type Recommendation = { level: "info" | "warning" | "critical" | "urgent"; message: string };

export type WorkerConcurrency = {
  workerId: string;
  status: LoadStatus;
  current: Load & { waiting: number };
  /** The highest `current` since the worker started. */
  peak: Load;
};

export type ConcurrencyReport = {
  scope: "worker" | "fleet";
  /** Of the fleet: the worst of its workers. */
  status: LoadStatus;
  current: Load & { waiting: number };
  /** Of the fleet: the sum of its workers' peaks, an upper bound of the true one. */
  peak: Load;
  limits: {
    perWorker: number;
    warningThreshold: number;
    criticalThreshold: number;
    totalCapacity: number;
    queueLimit: number;
  };
  configuration: { workers: number; backlog: number; maxRequests: number | "unlimited" };
  recommendations: Recommendation[];
  timestamp: Date;
  /** The workers summed; other workers' figures are at most a second old. */
  workers: WorkerConcurrency[];
};

export type HealthStatus = "healthy" | "degraded" | "unhealthy";

export type StoreHealth = {
  kind: "sqlite" | "redis";
  reachable: boolean;
  latencyMs: number | null;
};

/** What of the acknowledged a fault may lose. */
export type DurabilityHealth = {
  /** `KATO_DURABILITY` of the worker that answers. */
  setting: string;
  /** In words; null while the store does not say. */
  window: string | null;
};

export type WorkerHealth = {
  workerId: string;
  pid: number;
  uptimeSeconds: number;
  draining: boolean;
  memoryBytes: number;
  /** The longest that the event loop was late within the last second. */
  eventLoopDelayMs: number;
};

export type HealthReport = {
  status: HealthStatus;
  /** Why the status is not `healthy`. */
  issues: string[];
  version: string;
  uptimeSeconds: number;
  store: StoreHealth;
  durability: DurabilityHealth;
  activeSessions: number | null;
  timestamp: Date;
  workers: WorkerHealth[];
};

/** Milliseconds, over the calls since the worker started. */
export type LatencySummary = {
  count: number;
  meanMs: number;
  p50Ms: number;
  p90Ms: number;
  p99Ms: number;
  maxMs: number;
};

export type Counters = {
  calls: number;
  errors: number;
  /** Errors by code. */
  errorsByCode: Record<string, number>;
  /** Calls by procedure. */
  callsByProcedure: Record<string, number>;
  observations: number;
  learns: number;
  predictions: number;
  sessionsCreated: number;
  sessionsDeleted: number;
  storeConflicts: number;
};

export type WorkerStats = { workerId: string; counters: Counters; latency: LatencySummary };

export type StatsReport = {
  counters: Counters;
  latency: LatencySummary;
  timestamp: Date;
  workers: WorkerStats[];
};
