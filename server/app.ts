import type { FastifyInstance } from "fastify";
import { fastify } from "fastify";
import { ServiceError } from "@kato-rpc/shared/errors.ts";
import { LIMITS } from "@kato-rpc/shared/limits.ts";
import type { Config } from "./config.ts";
import { CallLog } from "./http/call-log.ts";
import type { Serving } from "./http/drain.ts";
import { mountPlainRoutes } from "./http/plain-routes.ts";
import { answerOnSocket, over, requestError } from "./http/request-errors.ts";
import { requestIdOf } from "./http/request-id.ts";
import { RpcDispatch } from "./http/rpc-dispatch.ts";
import { mountRpc, sendAnswers } from "./http/rpc-route.ts";
import type { Logger } from "./log.ts";
import { Admission } from "./monitor/admission.ts";
import { CallMetrics } from "./monitor/call-metrics.ts";
import { Monitor } from "./monitor/monitor.ts";
import { watchLoad } from "./monitor/load-log.ts";
import { SessionService } from "./sessions/session-service.ts";
import type { OpenStore } from "./stores/open-store.ts";
import { VERSION } from "./version.ts";

export type AppParts = {
  config: Config;
  store: OpenStore;
  log: Logger;
  serving: Serving;
  workerId: string;
  now(): number;
  /** Prometheus text of all workers; without it the app answers with its own. */
  metricsOfAll?: (() => Promise<string>) | undefined;
};

export type App = {
  http: FastifyInstance;
  metrics: CallMetrics;
  /** Begins to report the load; ends with `close`. */
  start(): void;
  /** Stops the HTTP server and the reports; the store stays open. */
  close(): Promise<void>;
};

/** Everything mounted and wired, ready but not listening. */
export function createApp(parts: AppParts): App {
  const { config, store, log, serving, workerId, now } = parts;
  const load = watchLoad(log, config.limitConcurrency);
  const admission = new Admission(
    { limit: config.limitConcurrency, queueLimit: config.queueLimit },
    load.onStatus,
  );
  const sessions = new SessionService(
    store.sessions,
    {
      ttlSeconds: config.sessionTtlSeconds,
      autoExtend: config.sessionAutoExtend,
      stmLimit: config.stmLimit,
    },
    now,
  );
  const metrics = new CallMetrics(admission, () => sessions.counters);
  const monitor = new Monitor({
    workerId,
    admission,
    metrics,
    fleet: store.fleet,
    rules: config,
    sessionCounters: () => sessions.counters,
    countSessions: async () => (await sessions.count(undefined)).active,
    pingStore: () => store.sessions.ping(),
    storeKind: store.sessions.kind,
    isDraining: () => serving.isDraining,
    now,
    onReporting(error) {
      if (error === undefined) log.info({ workerId }, "reports to the fleet succeed again");
      else log.warn({ workerId, reason: (error as Error).message }, "cannot report to the fleet");
    },
  });
  const dispatch = new RpcDispatch({
    services: { sessions, monitor },
    admission,
    metrics,
    callLog: new CallLog(log, { accessLog: config.accessLog, slowMs: config.slowMs, workerId }),
    log,
    deadlineMs: config.deadlineMs,
    now,
  });
  const http = createHttp(config, dispatch, serving);
  mountRpc(http, dispatch, serving);
  mountPlainRoutes(http, {
    serving,
    pingStore: () => store.sessions.ping(),
    metrics: parts.metricsOfAll ?? (() => metrics.registry.metrics()),
    version: VERSION,
  });
  return {
    http,
    metrics,
    start() {
      load.start(admission);
      monitor.start();
    },
    async close() {
      load.stop();
      await http.close();
      await monitor.stop();
    },
  };
}

/** Fastify with its own refusals turned into errors of the catalogue. */
function createHttp(config: Config, dispatch: RpcDispatch, serving: Serving): FastifyInstance {
  const http = fastify({
    logger: false,
    bodyLimit: LIMITS.requestBodyBytes.max,
    keepAliveTimeout: config.keepAliveSeconds * 1_000,
    forceCloseConnections: "idle",
    // While draining, the routes themselves say so, each in its own form.
    return503OnClosing: false,
    routerOptions: { maxParamLength: LIMITS.headerBytes.max },
    http: { maxHeaderSize: LIMITS.headerBytes.max },
    clientErrorHandler(error, socket) {
      const requestId = requestIdOf({});
      const refusal = requestError(error);
      // A connection that was reset, or that never sent a request, has nobody to answer.
      if (refusal === undefined) socket.destroy();
      else answerOnSocket(socket, dispatch.refuse(refusal, requestId), requestId);
    },
  });
  http.addHook("onRequest", async ({ raw }) => {
    if ((raw.url?.length ?? 0) > LIMITS.urlCharacters.max) throw over("urlCharacters");
  });
  http.setErrorHandler((error: Error & { code?: string; statusCode?: number }, request, reply) => {
    const requestId = requestIdOf(request.headers);
    serving.mark(reply.raw);
    const refusal = error instanceof ServiceError ? error : (requestError(error) ?? error);
    return sendAnswers(reply, {
      answers: [dispatch.refuse(refusal, requestId)],
      isBatch: false,
      requestId,
    });
  });
  http.setNotFoundHandler((request, reply) => {
    const requestId = requestIdOf(request.headers);
    const path = request.raw.url?.split("?")[0] ?? "";
    const refusal = new ServiceError(
      "PROCEDURE_NOT_FOUND",
      `there is nothing at ${request.method} ${JSON.stringify(path.slice(0, 100))}: procedures are called at /trpc/<name>, ` +
        "queries by GET and mutations by POST; besides there are GET /health, /ready and /metrics",
    );
    return sendAnswers(reply, {
      answers: [dispatch.refuse(refusal, requestId)],
      isBatch: false,
      requestId,
    });
  });
  return http;
}
