import type { FastifyInstance } from "fastify";
import type { Context } from "./api/context.ts";
import type { Config } from "./config.ts";
import { CallLog } from "./http/call-log.ts";
import { createHttp } from "./http/http-server.ts";
import { LoadShedding } from "./http/load-shedding.ts";
import type { OpenAnswers } from "./http/open-answers.ts";
import { mountPlainRoutes } from "./http/plain-routes.ts";
import { RpcDispatch } from "./http/rpc-dispatch.ts";
import { mountRpc } from "./http/rpc-route.ts";
import type { Serving } from "./http/serving.ts";
import type { Logger } from "./log.ts";
import { reasonOf } from "./log.ts";
import { Admission } from "./monitor/admission.ts";
import { CallMetrics } from "./monitor/call-metrics.ts";
import { Monitor } from "./monitor/monitor.ts";
import { watchLoad } from "./monitor/load-log.ts";
import { StoreProbe } from "./monitor/store-probe.ts";
import { NodeService } from "./nodes/node-service.ts";
import { NodeReplicas } from "./replica/node-replicas.ts";
import { SessionDirectory } from "./sessions/session-directory.ts";
import { SessionService } from "./sessions/session-service.ts";
import { Tidying } from "./sessions/tidying.ts";
import { describeDurability } from "./stores/durability.ts";
import type { OpenStore } from "./stores/open-store.ts";
import { retentionFor } from "./stores/open-store.ts";
import type { Moment } from "./stores/session-store.ts";
import { VERSION } from "./version.ts";

export type AppParts = {
  config: Config;
  store: OpenStore;
  log: Logger;
  serving: Serving;
  workerId: string;
  /** Milliseconds by a clock that never steps: deadlines go by it. */
  now(): number;
  /** When calls on sessions happen, for tests: by default the store's own clock says. */
  moment?: (() => Moment) | undefined;
  /** Prometheus text of all workers; without it the app answers with its own. */
  metricsOfAll?: (() => Promise<string>) | undefined;
};

export type App = {
  http: FastifyInstance;
  /** What its connections wait for. */
  answers: OpenAnswers;
  /** What the procedures work with, for whoever calls them by another way than `http`. */
  services: Omit<Context, "call">;
  metrics: CallMetrics;
  /** Begins to report the load; ends with `close`. */
  start(): void;
  /** Stops the HTTP server and the reports; the store stays open. */
  close(): Promise<void>;
};

/** Everything mounted and wired, ready but not listening. */
export function createApp(parts: AppParts): App {
  const { config, store, log, serving, workerId, now, moment = () => undefined } = parts;
  const clocks = { now, moment };
  const load = watchLoad(log, config.limitConcurrency);
  const admission = new Admission(
    { limit: config.limitConcurrency, queueLimit: config.queueLimit },
    load.onStatus,
  );
  const replicas = new NodeReplicas({
    store: store.nodes,
    memoryBytes: config.replicaMemoryMb * 2 ** 20,
    log,
    now,
  });
  const sessions = new SessionService(
    { sessions: store.sessions, nodes: replicas },
    {
      ttlSeconds: config.sessionTtlSeconds,
      autoExtend: config.sessionAutoExtend,
      retention: retentionFor(config),
    },
    clocks,
  );
  const nodes = new NodeService(store, moment);
  const tidying = store.tidy === undefined ? undefined : new Tidying(store.tidy, moment);
  const directory = new SessionDirectory(store.sessions, clocks);
  const counters = () => ({ ...sessions.counters, predictions: replicas.counters.predictions });
  const metrics = new CallMetrics(admission, counters, () => replicas.counters);
  const probe = new StoreProbe(config.deadlineMs);
  const pingStore = () => probe.ask(store.sessions.ping());
  const monitor = new Monitor({
    workerId,
    admission,
    metrics,
    fleet: store.fleet,
    rules: config,
    sessionCounters: counters,
    countSessions: async () => (await directory.count(undefined)).active,
    pingStore,
    probe,
    storeKind: store.sessions.kind,
    durabilitySetting: describeDurability(config.durability),
    durability: () => store.durability(),
    isDraining: () => serving.isDraining,
    now,
    onReporting(error) {
      if (error === undefined) log.info({ workerId }, "reports to the fleet succeed again");
      else log.warn({ workerId, reason: reasonOf(error) }, "cannot report to the fleet");
    },
  });
  const { accessLog, slowMs, deadlineMs } = config;
  const callLog = new CallLog(log, { accessLog, slowMs, workerId });
  const counted = { admission, metrics, callLog, log };
  const services = { sessions, directory, nodes, monitor };
  const dispatch = new RpcDispatch({ ...counted, services, deadlineMs, now });
  const { http, answers } = createHttp(config, { dispatch, serving });
  mountRpc(http, { dispatch, shedding: new LoadShedding(counted), serving });
  mountPlainRoutes(http, {
    serving,
    pingStore,
    metrics: parts.metricsOfAll ?? (async () => (await metrics.registry()).metrics()),
    version: VERSION,
  });
  return {
    http,
    answers,
    services,
    metrics,
    start() {
      load.start(admission);
      monitor.start();
      tidying?.start();
    },
    async close() {
      load.stop();
      await http.close();
      await monitor.stop();
      await tidying?.stop();
      await replicas.close();
    },
  };
}
