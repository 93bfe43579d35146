import type { Worker } from "node:cluster";
import cluster from "node:cluster";
import type { AddressInfo } from "node:net";
import { isatty } from "node:tty";
import type { Config } from "../config.ts";
import type { OpenLog } from "../log.ts";
import { openLog, reasonOf } from "../log.ts";
import { describeStore } from "../stores/store-address.ts";
import { VERSION } from "../version.ts";
import { ConnectionShare } from "./connection-share.ts";
import { CrashWatch } from "./crash-watch.ts";
import { forkWorker, takeEarly } from "./early-worker.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { PrimaryMessage, WorkerMessage } from "./messages.ts";
import { isMessage } from "./messages.ts";
import type { Kept, Place } from "./place.ts";
import { RollingRestart } from "./rolling-restart.ts";
import { ServiceMetrics } from "./service-metrics.ts";

/** Past the workers' own time to drain and close, before they are killed. */
const KILL_AFTER_MS = 3_000;
const KILLED_FROM_OUTSIDE = "killed from outside: by somebody, or by the kernel for want of memory";
/** Its file descriptor. */
const STDIN = 0;

/**
 * Keeps the workers running, replaces those that die, hang or have served their share, or all of them
 * when told to, and ends them in order.
 */
export class Primary {
  readonly #config: Config;
  readonly #openLog: OpenLog;
  readonly #connections = new ConnectionShare();
  readonly #metrics = new ServiceMetrics();
  readonly #places: Place[];
  readonly #kept = new Map<number, Kept>();
  readonly #restarts = new Set<NodeJS.Timeout>();
  readonly #heartbeat: Heartbeat;
  readonly #rolling: RollingRestart;
  #url = "";
  #isAnnounced = false;
  #isStopping = false;
  #exitCode = 0;

  constructor(config: Config) {
    this.#config = config;
    this.#openLog = openLog(config);
    this.#places = Array.from({ length: config.workers }, () => ({
      crashes: new CrashWatch(),
      current: undefined,
      hasNext: false,
    }));
    this.#heartbeat = new Heartbeat({
      ask: (id) => this.#tell(id, { kind: "ping" }),
      onHung: (id) => this.#killHung(id),
    });
    this.#rolling = new RollingRestart({
      places: this.#places,
      kept: this.#kept,
      log: this.#log,
      start: (place) => this.#start(place),
    });
  }

  get #log() {
    return this.#openLog.log;
  }

  run(): void {
    process.once("uncaughtException", (err) => {
      this.#log.fatal({ err }, "the primary crashes");
      this.#exitCode = 1;
      this.#exit();
    });
    process.on("SIGTERM", () => this.#stop(0));
    process.on("SIGINT", () => this.#stop(0));
    const hasTerminal = isatty(STDIN);
    process.on("SIGHUP", () => {
      // Of a terminal that was closed nothing is left to serve for; else an operator asks for new workers.
      if (hasTerminal && !isatty(STDIN)) this.#stop(0);
      else if (!this.#isStopping) this.#rolling.request();
    });
    cluster.on("message", (worker, message: unknown) => {
      if (isMessage<WorkerMessage>(message)) this.#hear(worker, message);
    });
    cluster.on("exit", (worker, code, signal: string | null) => {
      afterLastWords(() => {
        this.#connections.lost(worker);
        this.#metrics.gone(worker.id);
      });
      this.#gone(worker, code, signal);
    });
    for (const place of this.#places) this.#start(place);
    this.#heartbeat.start();
    void this.#listen();
  }

  /** While the workers load. */
  async #listen(): Promise<void> {
    if (this.#isStopping) return;
    const { host, port, listenBacklog: backlog } = this.#config;
    try {
      this.#url = urlOf(await this.#connections.listen({ host, port, backlog }));
    } catch (error) {
      this.#giveUp(`cannot listen on ${host}:${port}: ${reasonOf(error)}`);
      return;
    }
    if (this.#isStopping) {
      this.#connections.close();
      return;
    }
    for (const kept of this.#kept.values()) this.#letOpen(kept);
    await this.#metrics.load();
  }

  #start(place: Place): void {
    if (this.#isStopping) return;
    const early = takeEarly();
    const worker = early?.worker ?? forkWorker();
    // A message to a worker that has just died; its end is heard of by itself.
    worker.on("error", (error) =>
      this.#log.warn({ pid: worker.process.pid, reason: reasonOf(error) }, "worker not reached"),
    );
    place.hasNext = true;
    this.#kept.set(worker.id, {
      worker,
      place,
      startedAt: performance.now(),
      state: "starting",
      isLoaded: false,
      failure: undefined,
      isHung: false,
    });
    // It answers nothing until it is ready, so this bounds its start.
    this.#heartbeat.add(worker.id, this.#config.startSeconds);
    early?.tell();
  }

  #hear(worker: Worker, message: WorkerMessage): void {
    // A dead worker's last words may come after the news of its end.
    if (message.kind === "taken") this.#connections.taken(worker);
    if (message.kind === "own-metrics") {
      this.#metrics.heard(worker.id, message.metrics, message.id);
    }
    const kept = this.#kept.get(worker.id);
    if (kept === undefined) return;
    switch (message.kind) {
      case "loaded":
        kept.isLoaded = true;
        this.#letOpen(kept);
        break;
      case "ready":
        this.#enter(kept);
        break;
      case "failed":
        // Only a first start shows a wrong setting; later it is a crash like any other.
        kept.failure = message.reason;
        if (!this.#isAnnounced) this.#giveUp(message.reason);
        break;
      case "pong":
        this.#heartbeat.answered(worker.id);
        break;
      case "recycle":
        this.#recycle(kept);
        break;
      case "drained":
        this.#letGo(kept);
        break;
      case "metrics-wanted":
        void this.#answerMetrics(worker, message.id);
        break;
      default:
        break;
    }
  }

  #letOpen({ worker, isLoaded }: Kept): void {
    if (isLoaded && this.#url !== "") send(worker, { kind: "open" });
  }

  #enter(kept: Kept): void {
    const { worker, place } = kept;
    if (this.#isStopping) return;
    kept.state = "serving";
    const before = place.current;
    place.current = kept;
    place.hasNext = false;
    this.#connections.add(worker);
    this.#heartbeat.add(worker.id, this.#config.hangSeconds);
    if (before !== undefined) this.#letGo(before);
    this.#announce();
    this.#rolling.advance();
  }

  #announce(): void {
    if (this.#isAnnounced || this.#places.some(({ current }) => current === undefined)) return;
    this.#isAnnounced = true;
    const { workers, store } = this.#config;
    const url = this.#url;
    this.#log.info(
      { url, workers, store: describeStore(store), version: VERSION, pid: process.pid },
      `kato-rpc listening on ${url}`,
    );
    this.#openLog.flush();
  }

  #recycle({ worker, place }: Kept): void {
    if (this.#isStopping || place.current?.worker !== worker || place.hasNext) return;
    this.#log.info(
      { pid: worker.process.pid },
      "worker has served its share: starting its successor",
    );
    this.#start(place);
  }

  /** From here on the worker gets no connections, and ends when it is done with those it has. */
  #letGo(kept: Kept): void {
    kept.state = "leaving";
    this.#connections.remove(kept.worker);
    send(kept.worker, { kind: "leave" });
    if (this.#isStopping && [...this.#kept.values()].every(({ state }) => state === "leaving")) {
      this.#connections.close();
    }
  }

  #gone(worker: Worker, code: number, signal: string | null): void {
    const kept = this.#kept.get(worker.id);
    this.#kept.delete(worker.id);
    this.#heartbeat.gone(worker.id);
    if (this.#isStopping) {
      if (code !== 0 && signal === null) this.#exitCode = 1;
      if (this.#kept.size === 0) this.#exit();
      return;
    }
    if (kept === undefined) return;
    const { place, state, failure: reason } = kept;
    const isKilled = signal === "SIGKILL" && !kept.isHung;
    const how = kept.isHung ? "hang" : (signal ?? `exit code ${code}`);
    const leavesGap = place.current === kept;
    if (leavesGap) place.current = undefined;
    if (state === "starting") place.hasNext = false;
    this.#metrics.ended(kept.isHung ? "hung" : code === 0 ? "ended" : "crashed");
    if (state === "leaving") {
      this.#log.info({ pid: worker.process.pid, how }, "worker ended");
      // One that was told from outside to end has no successor yet.
      if (leavesGap && !place.hasNext) this.#start(place);
    } else if (!this.#rolling.givesUp(place, { how, reason })) {
      this.#crashed(kept, { how, isKilled });
    }
    this.#rolling.advance();
  }

  #crashed(
    { worker, place, startedAt, state, failure }: Kept,
    { how, isKilled }: { how: string; isKilled: boolean },
  ): void {
    const diedAt = performance.now();
    const aliveMs = Math.round(diedAt - startedAt);
    const line = {
      pid: worker.process.pid,
      how,
      reason: failure ?? (isKilled ? KILLED_FROM_OUTSIDE : undefined),
      aliveMs,
    };
    const hasServed = state !== "starting";
    const death = { startedAt, diedAt, hasServed, isKilled };
    const { restartInMs, loopSince } = place.crashes.died(death);
    // While another worker serves, one place less is better than no service.
    if (loopSince !== undefined && !this.#isServedSince(loopSince)) {
      const why = failure === undefined ? "" : `: ${failure}`;
      const reason = `crash loop: workers die soon after their start, the last one by ${how}${why}`;
      this.#log.fatal(line, reason);
      this.#stop(1);
      return;
    }
    if (place.hasNext) {
      this.#log.error(line, "worker died; its successor is starting");
      return;
    }
    const others = loopSince === undefined ? "" : ", like those before it; the others serve on";
    this.#log.error({ ...line, restartInMs }, `worker died${others}`);
    place.hasNext = true;
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      this.#start(place);
    }, restartInMs);
    this.#restarts.add(timer);
  }

  /** Whether all places had a worker once, and there is one that lives since before the given time. */
  #isServedSince(time: number): boolean {
    const workers = [...this.#kept.values()];
    return (
      this.#isAnnounced &&
      workers.some(({ state, startedAt }) => state === "serving" && startedAt < time)
    );
  }

  /** Its calls would wait for nothing; their connections break, so that clients can repeat them elsewhere. */
  #killHung(workerId: number): void {
    const kept = this.#kept.get(workerId);
    if (kept === undefined) return;
    kept.isHung = true;
    if (this.#isStopping) this.#exitCode = 1;
    const { hangSeconds, startSeconds } = this.#config;
    const how =
      kept.state === "starting"
        ? `not ready ${startSeconds} s after its start`
        : `no sign of life for ${hangSeconds} s`;
    kept.failure = how;
    this.#log.error({ pid: kept.worker.process.pid }, `worker hangs: ${how}, killed`);
    kept.worker.process.kill("SIGKILL");
  }

  #giveUp(reason: string): void {
    if (this.#isStopping) return;
    this.#log.fatal({ reason }, `cannot start: ${reason}`);
    this.#stop(1);
  }

  #stop(exitCode: number): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#exitCode = exitCode;
    for (const timer of this.#restarts) clearTimeout(timer);
    if (this.#kept.size === 0) this.#exit();
    for (const { worker, state } of this.#kept.values()) {
      // One that is starting does not listen to messages yet, and holds nothing.
      if (state === "starting") worker.process.kill("SIGTERM");
      else send(worker, { kind: "drain" });
    }
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
    void this.#openLog.close().then(() => process.exit(this.#exitCode));
  }

  async #answerMetrics(asker: Worker, id: number): Promise<void> {
    const workers = [...this.#kept.values()].filter(({ state }) => state !== "starting");
    const text = await this.#metrics.text(
      workers.map(({ worker }) => worker.id),
      (workerId, question) => this.#tell(workerId, { kind: "report-metrics", id: question }),
    );
    send(asker, { kind: "metrics", id, text });
  }

  #tell(workerId: number, message: PrimaryMessage): void {
    const worker = this.#kept.get(workerId)?.worker;
    if (worker !== undefined) send(worker, message);
  }
}

function send(worker: Worker, message: PrimaryMessage): void {
  if (worker.isConnected()) worker.send(message);
}

/**
 * Calls back when everything that a dead worker wrote to its channel is heard: what it wrote is there
 * to be read when its death is known, and one turn of the event loop reads it. The channel's own
 * `disconnect` does not come while a handle that was sent through it is unconfirmed.
 */
function afterLastWords(callback: () => void): void {
  setImmediate(() => setImmediate(callback));
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}
