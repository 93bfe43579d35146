import cluster from "node:cluster";
import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { Server } from "node:net";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { AggregatorRegistry } from "prom-client";
import type { App } from "../app.ts";
import { createApp } from "../app.ts";
import type { Config } from "../config.ts";
import { Serving, trackRequests } from "../http/drain.ts";
import { openLog } from "../log.ts";
import { openStore, retentionOf } from "../stores/open-store.ts";
import type { PrimaryMessage, WorkerMessage } from "./messages.ts";
import { isMessage } from "./messages.ts";

/** How often a worker that is ending looks whether its last request is answered. */
const POLL_MS = 10;

/** Serves until told to end, or until the primary is gone. */
export async function runWorker(config: Config): Promise<void> {
  const workerId = `${hostname()}-${process.pid}-${randomBytes(2).toString("hex")}`;
  const { log, flush } = openLog(config);
  const serving = new Serving();
  const store = await openStore(config.store, {
    retention: retentionOf(config.stmLimit),
    timeoutMs: config.deadlineMs,
    now: Date.now,
    onConnectionError: (error) => log.warn({ workerId, reason: error.message }, "store connection"),
  }).catch((error: unknown) => fail(`the store cannot be opened: ${(error as Error).message}`));
  const metrics = askPrimaryForMetrics();
  const app = createApp({
    config,
    store,
    log,
    serving,
    workerId,
    now: Date.now,
    metricsOfAll: metrics.ask,
  });
  const requests = trackRequests(app.http);
  countDownToRecycling(app, config.maxRequests);

  try {
    await app.http.listen({ host: config.host, port: config.port, backlog: config.listenBacklog });
  } catch (error) {
    await fail(`cannot listen on ${config.host}:${config.port}: ${(error as Error).message}`);
  }
  new AggregatorRegistry();
  AggregatorRegistry.setRegistries([app.metrics.registry]);
  app.start();
  send({ kind: "listening", url: urlOf(app.http.server.address() as AddressInfo) });

  let ending: Promise<void> | undefined;
  const end = (how: "drain" | "leave") => {
    // A worker that leaves may be told to drain: the stricter state holds for what it still serves.
    serving.state = how === "drain" ? "draining" : "leaving";
    ending ??= finish().catch((error: unknown) => {
      log.error({ workerId, err: error }, "could not end in order");
      flush();
      process.exit(1);
    });
  };
  const finish = async () => {
    const until = performance.now() + config.shutdownSeconds * 1_000;
    if (serving.state === "leaving") await seeOffConnections(app, serving, until);
    while (requests.count() > 0 && performance.now() < until) await delay(POLL_MS);
    await app.close();
    await store.close();
    flush();
    process.disconnect?.();
    process.exit(0);
  };
  process.on("SIGTERM", () => end("drain"));
  process.on("SIGINT", () => end("drain"));
  process.on("disconnect", () => end("drain"));
  process.on("message", (message) => {
    if (!isMessage<PrimaryMessage>(message)) return;
    if (message.kind === "metrics") metrics.receive(message.id, message.text);
    else end(message.kind);
  });
}

/**
 * Takes no new connections but serves those it has, asking each with its next answer to close, until
 * all are gone, the time is up, or a drain takes over. Closing an idle one at once could meet a
 * request that is just being sent.
 */
async function seeOffConnections(app: App, serving: Serving, until: number): Promise<void> {
  const { server } = app.http;
  // http.Server's own close would cut idle connections.
  Server.prototype.close.call(server);
  const open = () =>
    new Promise<number>((resolve) => {
      server.getConnections((_error, count) => resolve(count));
    });
  while (serving.state === "leaving" && performance.now() < until && (await open()) > 0) {
    await delay(POLL_MS);
  }
}

function countDownToRecycling(app: App, maxRequests: number): void {
  if (maxRequests === 0) return;
  let left = maxRequests;
  app.http.server.on("request", () => {
    left -= 1;
    if (left === 0) send({ kind: "recycle" });
  });
}

function askPrimaryForMetrics() {
  const waiting = new Map<number, (text: string) => void>();
  let lastId = 0;
  return {
    ask(): Promise<string> {
      const id = ++lastId;
      const { promise, resolve } = Promise.withResolvers<string>();
      waiting.set(id, resolve);
      send({ kind: "metrics-wanted", id });
      return promise;
    },
    receive(id: number, text: string): void {
      waiting.get(id)?.(text);
      waiting.delete(id);
    },
  };
}

function send(message: WorkerMessage): void {
  if (cluster.worker?.isConnected() === true) process.send?.(message);
}

/** Tells the primary that a new try would fail alike, and ends. */
async function fail(reason: string): Promise<never> {
  await new Promise((resolve) => {
    process.send?.({ kind: "failed", reason } satisfies WorkerMessage, resolve);
  });
  process.exit(1);
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}
