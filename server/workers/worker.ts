import cluster from "node:cluster";
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { App } from "../app.ts";
import { createApp } from "../app.ts";
import type { Config } from "../config.ts";
import { Serving } from "../http/serving.ts";
import type { Logger } from "../log.ts";
import { openLog, reasonOf } from "../log.ts";
import type { OpenStore } from "../stores/open-store.ts";
import { steadyNow } from "../steady-clock.ts";
import { openStore, retentionFor } from "../stores/open-store.ts";
import { adoptConnections } from "./adopted-connections.ts";
import { endFailed } from "./failed-start.ts";
import type { PrimaryMessage, WorkerMessage } from "./messages.ts";
import { isMessage } from "./messages.ts";
import { MetricsOfAll } from "./metrics-of-all.ts";
import { WorkerEnd } from "./worker-end.ts";
import { keepYoungObjectsYoung } from "./young-objects.ts";

/** A reason why the store's connection fails is told at most this often: every attempt repeats it. */
const TROUBLE_INTERVAL_MS = 10_000;

/** Serves until told to end, or until the primary is gone. */
export async function runWorker(config: Config): Promise<void> {
  const workerId = `${hostname()}-${process.pid}-${randomBytes(2).toString("hex")}`;
  const { log, close } = openLog(config);
  const exit = (code: number) => void close().then(() => process.exit(code));
  const crash = (err: unknown) => {
    log.fatal({ workerId, err }, "the worker crashes");
    exit(1);
  };
  // Node's own report would show every field of the error, in a driver's the payload.
  process.once("uncaughtException", crash);
  // A closing terminal, or one who means the service, tells every process of it: the primary acts on it.
  process.on("SIGHUP", () => undefined);
  try {
    await serve({ config, workerId, log, exit });
  } catch (error) {
    crash(error);
  }
}

async function serve(worker: {
  config: Config;
  workerId: string;
  log: Logger;
  exit(code: number): void;
}): Promise<void> {
  const { config, workerId, log, exit } = worker;
  await leaveToOpen();
  const store = await open(config, log, workerId);
  const serving = new Serving();
  const metrics = new MetricsOfAll((id) => void send({ kind: "metrics-wanted", id }));
  const metricsOfAll = () => metrics.text();
  const app = createApp({ config, store, log, serving, workerId, now: steadyNow, metricsOfAll });
  await app.http.ready();
  const { server } = app.http;
  const connections = adoptConnections(server);
  const end = new WorkerEnd({
    shutdownMs: config.shutdownSeconds * 1_000,
    log,
    serving,
    answers: app.answers,
    connections,
    closeIdle() {
      server.closeIdleConnections();
      connections.closeUnused();
    },
    drained: () => void send({ kind: "drained" }),
    async close() {
      await sendMetrics(app, undefined);
      await app.close();
      await store.close();
    },
    exit,
  });
  process.on("SIGTERM", () => end.drain());
  process.on("SIGINT", () => end.drain());
  process.on("message", (message) => {
    if (isMessage<PrimaryMessage>(message)) hear(message, { app, metrics, end });
  });
  cluster.worker?.once("disconnect", () => endWithoutPrimary(end));
  countDownToRecycling(app, config.maxRequests);
  app.start();
  keepYoungObjectsYoung();
  await send({ kind: "ready" });
}

/** A service that finds its address taken, as by one of another version, must not have touched the store. */
function leaveToOpen(): Promise<void> {
  return new Promise((resolve) => {
    const listen = (message: unknown) => {
      if (!isMessage<PrimaryMessage>(message) || message.kind !== "open") return;
      process.off("message", listen);
      resolve();
    };
    process.on("message", listen);
    void send({ kind: "loaded" });
  });
}

async function open(config: Config, log: Logger, workerId: string): Promise<OpenStore> {
  let told = { reason: "", at: Number.NEGATIVE_INFINITY };
  try {
    return await openStore(config.store, {
      retention: retentionFor(config),
      timeoutMs: config.deadlineMs,
      durability: config.durability,
      onConnectionError(error) {
        const [reason, at] = [reasonOf(error), performance.now()];
        if (reason === told.reason && at - told.at < TROUBLE_INTERVAL_MS) return;
        told = { reason, at };
        log.warn({ workerId, reason }, "store connection");
      },
    });
  } catch (error) {
    // Tells the primary that a new try would fail alike.
    endFailed(`the store cannot be opened: ${reasonOf(error)}`);
    return new Promise(() => undefined);
  }
}

function hear(
  message: PrimaryMessage,
  { app, metrics, end }: { app: App; metrics: MetricsOfAll; end: WorkerEnd },
): void {
  switch (message.kind) {
    case "open":
    case "connection":
      break;
    case "drain":
      end.drain();
      break;
    case "leave":
      end.leave();
      break;
    case "ping":
      void send({ kind: "pong" });
      break;
    case "report-metrics":
      void sendMetrics(app, message.id);
      break;
    case "metrics":
      metrics.receive(message.id, message.text);
      break;
  }
}

function endWithoutPrimary(end: WorkerEnd): void {
  // Says that this end is in order: else the cluster module exits on the spot, calls under way or not.
  if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
  end.drain();
  end.leave();
}

function countDownToRecycling(app: App, maxRequests: number): void {
  if (maxRequests === 0) return;
  let left = maxRequests;
  app.http.server.on("request", () => {
    left -= 1;
    if (left === 0) void send({ kind: "recycle" });
  });
}

async function sendMetrics(app: App, id: number | undefined): Promise<void> {
  const registry = await app.metrics.registry();
  await send({ kind: "own-metrics", id, metrics: await registry.getMetricsAsJSON() });
}

/** Resolves when the message is on its way; it is lost when the primary is gone. */
function send(message: WorkerMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, undefined, undefined, () => resolve());
    else resolve();
  });
}
