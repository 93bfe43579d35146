import type {
  ConcurrencyReport,
  Counters,
  HealthReport,
  LoadStatus,
  StatsReport,
  StoreHealth,
  WorkerConcurrency,
  WorkerHealth,
} from "@kato-rpc/shared/monitor.ts";
import type { FleetRegistry } from "../stores/fleet-registry.ts";
import type { DurabilityState } from "../stores/durability.ts";
import { VERSION } from "../version.ts";
import type { Admission } from "./admission.ts";
import { statusOf, thresholdsOf } from "./admission.ts";
import type { CallMetrics, SessionCounters } from "./call-metrics.ts";
import { EventLoopDelay } from "./event-loop-delay.ts";
import type { LatencyCounts } from "./latency-histogram.ts";
import { LatencyHistogram } from "./latency-histogram.ts";
import type { WorkerLoad } from "./recommendations.ts";
import { percentOf, recommend } from "./recommendations.ts";
import type { StoreProbe } from "./store-probe.ts";

/** How often a worker reports to the others, and how long its report lives. */
const REPORT_INTERVAL_MS = 1_000;
const REPORT_TTL_MS = 3_500;

/** An event loop this late makes the service `degraded`. */
const SLOW_EVENT_LOOP_MS = 500;

export type MonitorRules = {
  limitConcurrency: number;
  queueLimit: number;
  listenBacklog: number;
  maxRequests: number;
  workers: number;
};

/** What a worker tells the others about itself. */
type WorkerReport = {
  concurrency: WorkerConcurrency;
  limit: number;
  health: WorkerHealth;
  counters: Counters;
  latency: LatencyCounts;
};

export type MonitorParts = {
  workerId: string;
  admission: Admission;
  metrics: CallMetrics;
  fleet: FleetRegistry;
  rules: MonitorRules;
  sessionCounters(): SessionCounters;
  countSessions(): Promise<number>;
  pingStore(): Promise<number>;
  probe: StoreProbe;
  storeKind: StoreHealth["kind"];
  durabilitySetting: string;
  durability(): Promise<DurabilityState>;
  isDraining(): boolean;
  /** Milliseconds by a clock that never steps. */
  now(): number;
  /** Told once when reports begin to fail, and once when they succeed again. */
  onReporting(error: unknown): void;
};

/** Load, health and counters of this worker and, through the store, of every other. */
export class Monitor {
  readonly #parts: MonitorParts;
  readonly #startedAt: number;
  readonly #eventLoopDelay = new EventLoopDelay();
  #eventLoopDelayMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #reporting: Promise<void> | undefined;
  #reportFails = false;
  #counting: Promise<number> | undefined;

  constructor(parts: MonitorParts) {
    this.#parts = parts;
    this.#startedAt = parts.now();
  }

  /** Begins to report to the fleet until `stop`. */
  start(): void {
    this.#eventLoopDelay.start();
    const report = () => {
      this.#eventLoopDelayMs = round(this.#eventLoopDelay.take());
      // Of a store that is slow, or down, one report at a time asks enough.
      this.#reporting ??= this.#publish().finally(() => {
        this.#reporting = undefined;
      });
    };
    report();
    this.#timer = setInterval(report, REPORT_INTERVAL_MS);
  }

  /** Ends the reports and leaves the fleet, in a time in which a store that can be reached does it. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#eventLoopDelay.stop();
    const leave = async () => {
      await this.#reporting;
      await this.#parts.fleet.remove(this.#parts.workerId);
    };
    await this.#parts.probe.ask(leave()).catch(() => {
      // The report expires by itself.
    });
  }

  async concurrency(scope: "worker" | "fleet"): Promise<ConcurrencyReport> {
    const { rules } = this.#parts;
    const reports = scope === "worker" ? [this.#report()] : await this.#fleetReports();
    const workers = reports.map((report) => report.concurrency);
    const capacity = reports.reduce((sum, report) => sum + report.limit, 0);
    const running = sum(workers, (worker) => worker.current.concurrentRequests);
    const peak = sum(workers, (worker) => worker.peak.concurrentRequests);
    const thresholds = thresholdsOf(rules.limitConcurrency);
    return {
      scope,
      status: worstOf(workers.map((worker) => worker.status)),
      current: {
        concurrentRequests: running,
        waiting: sum(workers, (worker) => worker.current.waiting),
        utilizationPercent: percentOf(running, capacity),
      },
      peak: { concurrentRequests: peak, utilizationPercent: percentOf(peak, capacity) },
      limits: {
        perWorker: rules.limitConcurrency,
        warningThreshold: thresholds.warning,
        criticalThreshold: thresholds.critical,
        totalCapacity: capacity,
        queueLimit: rules.queueLimit,
      },
      configuration: {
        workers: rules.workers,
        backlog: rules.listenBacklog,
        maxRequests: rules.maxRequests === 0 ? "unlimited" : rules.maxRequests,
      },
      recommendations: recommend(reports.map(loadOf), rules.workers),
      timestamp: new Date(),
      workers,
    };
  }

  /** Answers also when the store does not: that is what it is asked for. */
  async health(): Promise<HealthReport> {
    const { storeKind, pingStore, probe, now } = this.#parts;
    const latencyMs = await pingStore().catch(() => null);
    const fleet =
      latencyMs === null ? null : await probe.ask(this.#fleetReports()).catch(() => null);
    const reachable = latencyMs !== null && fleet !== null;
    const workers = (fleet ?? [this.#report()]).map((report) => report.health);
    const slow = workers.filter((worker) => worker.eventLoopDelayMs > SLOW_EVENT_LOOP_MS);
    const issues = slow.map(
      (worker) => `the event loop of ${worker.workerId} is ${worker.eventLoopDelayMs} ms late`,
    );
    if (!reachable) issues.unshift("the store cannot be reached");
    const [active, durability] = await this.#askReachable(reachable);
    issues.push(...(durability?.warnings ?? []));
    return {
      status: reachable ? (issues.length > 0 ? "degraded" : "healthy") : "unhealthy",
      issues,
      version: VERSION,
      uptimeSeconds: Math.floor((now() - this.#startedAt) / 1_000),
      store: { kind: storeKind, reachable, latencyMs: reachable ? round(latencyMs) : null },
      durability: {
        setting: this.#parts.durabilitySetting,
        window: durability?.window ?? null,
      },
      activeSessions: active,
      timestamp: new Date(),
      workers,
    };
  }

  async stats(): Promise<StatsReport> {
    const reports = await this.#fleetReports();
    const all = new LatencyHistogram();
    const workers = reports.map(({ concurrency, counters, latency }) => {
      const own = new LatencyHistogram();
      own.add(latency);
      all.add(latency);
      return { workerId: concurrency.workerId, counters, latency: own.summary() };
    });
    return {
      counters: sumCounters(workers.map((worker) => worker.counters)),
      latency: all.summary(),
      timestamp: new Date(),
      workers,
    };
  }

  #report(): WorkerReport {
    const { workerId, admission, metrics, rules, isDraining, now } = this.#parts;
    const { running, waiting, peak } = admission;
    const limit = rules.limitConcurrency;
    return {
      concurrency: {
        workerId,
        status: statusOf(running, thresholdsOf(limit)),
        current: {
          concurrentRequests: running,
          waiting,
          utilizationPercent: percentOf(running, limit),
        },
        peak: { concurrentRequests: peak, utilizationPercent: percentOf(peak, limit) },
      },
      limit,
      health: {
        workerId,
        pid: process.pid,
        uptimeSeconds: Math.floor((now() - this.#startedAt) / 1_000),
        draining: isDraining(),
        memoryBytes: process.memoryUsage.rss(),
        eventLoopDelayMs: this.#eventLoopDelayMs,
      },
      counters: metrics.counters(this.#parts.sessionCounters()),
      latency: metrics.latency.toCounts(),
    };
  }

  /** null for what a store that cannot be reached, or is slow, does not tell. */
  #askReachable(reachable: boolean): Promise<[number | null, DurabilityState | null]> {
    if (!reachable) return Promise.resolve([null, null]);
    const { probe, durability } = this.#parts;
    return Promise.all([
      probe.ask(this.#countSessions()).catch(() => null),
      probe.ask(durability()).catch(() => null),
    ]);
  }

  /** One walk over the nodes at a time, however many ask: it outlives the one who gave up. */
  #countSessions(): Promise<number> {
    this.#counting ??= this.#parts.countSessions().finally(() => {
      this.#counting = undefined;
    });
    return this.#counting;
  }

  /** The others as they last reported, this worker as it is now. */
  async #fleetReports(): Promise<WorkerReport[]> {
    const texts = await this.#parts.fleet.read();
    const others = texts
      .map((text) => JSON.parse(text) as WorkerReport)
      .filter((report) => report.concurrency.workerId !== this.#parts.workerId);
    return [this.#report(), ...others];
  }

  async #publish(): Promise<void> {
    const { fleet, workerId, onReporting } = this.#parts;
    try {
      await fleet.publish(workerId, JSON.stringify(this.#report()), REPORT_TTL_MS);
      if (this.#reportFails) onReporting(undefined);
      this.#reportFails = false;
    } catch (error) {
      if (!this.#reportFails) onReporting(error);
      this.#reportFails = true;
    }
  }
}

function loadOf({ concurrency, limit }: WorkerReport): WorkerLoad {
  const { current, peak } = concurrency;
  return { current: current.concurrentRequests, peak: peak.concurrentRequests, limit };
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

function worstOf(statuses: readonly LoadStatus[]): LoadStatus {
  if (statuses.includes("critical")) return "critical";
  return statuses.includes("warning") ? "warning" : "healthy";
}

function sumCounters(counters: readonly Counters[]): Counters {
  const total: Counters = {
    calls: 0,
    errors: 0,
    errorsByCode: {},
    callsByProcedure: {},
    observations: 0,
    learns: 0,
    predictions: 0,
    sessionsCreated: 0,
    sessionsDeleted: 0,
    storeConflicts: 0,
  };
  for (const worker of counters) {
    total.calls += worker.calls;
    total.errors += worker.errors;
    total.observations += worker.observations;
    total.learns += worker.learns;
    total.predictions += worker.predictions;
    total.sessionsCreated += worker.sessionsCreated;
    total.sessionsDeleted += worker.sessionsDeleted;
    total.storeConflicts += worker.storeConflicts;
    addTo(total.errorsByCode, worker.errorsByCode);
    addTo(total.callsByProcedure, worker.callsByProcedure);
  }
  return total;
}

function addTo(total: Record<string, number>, counts: Record<string, number>): void {
  for (const [key, count] of Object.entries(counts)) total[key] = (total[key] ?? 0) + count;
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
