import type { Worker } from "node:cluster";
import cluster from "node:cluster";
import { AggregatorRegistry } from "prom-client";
import type { Config } from "../config.ts";
import type { Logger } from "../log.ts";
import { openLog } from "../log.ts";
import { describeStore } from "../stores/store-address.ts";
import { VERSION } from "../version.ts";
import { CrashWatch } from "./crash-watch.ts";
import type { PrimaryMessage, WorkerMessage } from "./messages.ts";
import { isMessage } from "./messages.ts";

type Kept = {
  worker: Worker;
  startedAt: number;
  state: "starting" | "listening" | "leaving";
  /** The worker that this one replaces once it listens. */
  replaces: Worker | undefined;
};

/** Past the workers' own time to drain, before they are killed. */
const KILL_AFTER_MS = 2_000;

/** Keeps the workers running, replaces those that die or have served their share, and ends them in order. */
export class Primary {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #flush: () => void;
  readonly #kept = new Map<number, Kept>();
  readonly #crashes = new CrashWatch();
  readonly #restarts = new Set<NodeJS.Timeout>();
  #stopping = false;
  #exitCode = 0;
  #announced = false;

  constructor(config: Config) {
    this.#config = config;
    const { log, flush } = openLog(config);
    this.#log = log;
    this.#flush = flush;
  }

  run(): void {
    const metrics = new AggregatorRegistry();
    cluster.on("message", (worker, message: unknown) => {
      if (!isMessage<WorkerMessage>(message)) return;
      if (message.kind === "metrics-wanted") void this.#sendMetrics(metrics, worker, message.id);
      else this.#hear(worker, message);
    });
    cluster.on("exit", (worker, code, signal) => this.#gone(worker, signal ?? `exit code ${code}`));
    process.on("SIGTERM", () => this.#stop(0));
    process.on("SIGINT", () => this.#stop(0));
    for (let i = 0; i < this.#config.workers; i++) this.#start(undefined);
  }

  #start(replaces: Worker | undefined): void {
    const worker = cluster.fork();
    this.#kept.set(worker.id, {
      worker,
      startedAt: performance.now(),
      state: "starting",
      replaces,
    });
  }

  #hear(worker: Worker, message: Exclude<WorkerMessage, { kind: "metrics-wanted" }>): void {
    const kept = this.#kept.get(worker.id);
    if (kept === undefined) return;
    switch (message.kind) {
      case "listening":
        kept.state = "listening";
        this.#announce(message.url);
        if (kept.replaces !== undefined) this.#letGo(kept.replaces);
        break;
      case "recycle":
        if (this.#stopping || kept.state !== "listening") break;
        this.#log.info(
          { pid: worker.process.pid },
          "worker has served its share: starting its successor",
        );
        this.#start(worker);
        break;
      case "failed":
        // Only a first start shows a wrong setting; later it is a crash like any other.
        if (this.#announced) break;
        this.#log.fatal({ reason: message.reason }, `cannot start: ${message.reason}`);
        this.#stop(1);
        break;
    }
  }

  #announce(url: string): void {
    const serving = [...this.#kept.values()].filter(({ state }) => state === "listening").length;
    if (this.#announced || serving < this.#config.workers) return;
    this.#announced = true;
    const { workers, store } = this.#config;
    this.#log.info(
      { url, workers, store: describeStore(store), version: VERSION, pid: process.pid },
      `kato-rpc listening on ${url}`,
    );
    this.#flush();
  }

  #letGo(worker: Worker): void {
    const kept = this.#kept.get(worker.id);
    if (kept === undefined) return;
    kept.state = "leaving";
    send(worker, { kind: "leave" });
  }

  #gone(worker: Worker, how: string): void {
    const kept = this.#kept.get(worker.id);
    this.#kept.delete(worker.id);
    if (this.#stopping) {
      if (this.#kept.size === 0) this.#exit();
      return;
    }
    if (kept === undefined || kept.state === "leaving") return;
    const aliveMs = performance.now() - kept.startedAt;
    const delayMs = this.#crashes.crashed(aliveMs);
    const line = { pid: worker.process.pid, how, aliveMs: Math.round(aliveMs) };
    if (delayMs === "loop") {
      const reason = `crash loop: workers die soon after their start, the last one by ${how}`;
      this.#log.fatal(line, reason);
      this.#stop(1);
      return;
    }
    this.#log.error({ ...line, restartInMs: delayMs }, "worker died");
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      this.#start(kept.replaces);
    }, delayMs);
    this.#restarts.add(timer);
  }

  #stop(exitCode: number): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#exitCode = exitCode;
    for (const timer of this.#restarts) clearTimeout(timer);
    if (this.#kept.size === 0) this.#exit();
    for (const { worker } of this.#kept.values()) send(worker, { kind: "drain" });
    setTimeout(
      () => {
        for (const { worker } of this.#kept.values()) {
          this.#log.error({ pid: worker.process.pid }, "worker did not end in time: killed");
          this.#exitCode = 1;
          worker.process.kill("SIGKILL");
        }
      },
      this.#config.shutdownSeconds * 1_000 + KILL_AFTER_MS,
    ).unref();
  }

  #exit(): void {
    this.#flush();
    process.exit(this.#exitCode);
  }

  async #sendMetrics(
    metrics: { clusterMetrics(): Promise<string> },
    worker: Worker,
    id: number,
  ): Promise<void> {
    const text = await metrics.clusterMetrics().catch((error: unknown) => `# ${String(error)}\n`);
    send(worker, { kind: "metrics", id, text });
  }
}

function send(worker: Worker, message: PrimaryMessage): void {
  if (worker.isConnected()) worker.send(message);
}
