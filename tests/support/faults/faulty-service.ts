import { freePort } from "../free-port.ts";
import { send } from "../http-calls.ts";
import { randomFrom } from "../random.ts";
import { waitFor } from "../wait-for.ts";
import type { WatchedService, WatchOptions } from "../watched-service.ts";
import { watchService } from "../watched-service.ts";
import type { Random } from "./draw.ts";
import { drawOne } from "./draw.ts";
import { FaultTally } from "./fault-tally.ts";
import type { FrozenProcess } from "./frozen-process.ts";
import { freezeProcess, signalProcess } from "./frozen-process.ts";

export type FaultyServiceOptions = WatchOptions & {
  workers: number;
  /** Draws the workers that are hit. */
  seed: number;
  /** One of its own when left out. */
  tally?: FaultTally;
};

/** Starts a `kato serve` on a port that stays its own through restarts; it takes calls when this resolves. */
export async function startFaultyService(options: FaultyServiceOptions): Promise<FaultyService> {
  const port = await freePort();
  const env = { ...options.env, KATO_PORT: String(port) };
  const start = () => watchService({ ...options, env });
  return new FaultyService(await start(), start, options);
}

/** A service whose processes can be killed, frozen and started again. */
export class FaultyService implements AsyncDisposable {
  readonly url: string;
  readonly tally: FaultTally;
  readonly #start: () => Promise<WatchedService>;
  readonly #workers: number;
  readonly #random: Random;
  readonly #frozen = new Set<FrozenProcess>();
  #service: WatchedService;

  constructor(
    service: WatchedService,
    start: () => Promise<WatchedService>,
    { workers, seed, tally = new FaultTally() }: FaultyServiceOptions,
  ) {
    this.url = service.url;
    this.tally = tally;
    this.#service = service;
    this.#start = start;
    this.#workers = workers;
    this.#random = randomFrom(seed);
  }

  /** The processes as they run now, since its last start. */
  get running(): WatchedService {
    return this.#service;
  }

  /** SIGKILL to a worker drawn from those that run, which the primary replaces; gives its pid. */
  async killWorker(): Promise<number> {
    const pid = await this.#drawWorker();
    signalProcess(pid, "SIGKILL");
    this.tally.add("worker killed");
    return pid;
  }

  /** SIGKILL to every worker at one moment. */
  async killAllWorkers(): Promise<number[]> {
    const pids = this.#service.workerPids();
    for (const pid of pids) signalProcess(pid, "SIGKILL");
    this.tally.add("all workers killed");
    return pids;
  }

  /** SIGSTOP to a worker drawn from those that run: its connections stay open, and nothing answers until `resume`. */
  async freezeWorker(): Promise<FrozenProcess> {
    const frozen = await waitFor(async () => freezeProcess(await this.#drawWorker()), {
      what: "a worker to freeze",
    });
    this.#frozen.add(frozen);
    this.tally.add("worker frozen");
    return frozen;
  }

  /** SIGKILL to the primary alone; resolves when its workers have ended, which they do by themselves. */
  async killPrimary(): Promise<void> {
    this.#service.process.signal("SIGKILL");
    this.tally.add("service killed");
    this.#resumeAll();
    await this.#service.ended();
  }

  /** SIGKILL to the primary and every worker at one moment. */
  async killAll(): Promise<void> {
    this.#service.process.signal("SIGKILL");
    for (const pid of this.#service.workerPids()) signalProcess(pid, "SIGKILL");
    this.tally.add("service killed");
    this.#resumeAll();
    await this.#service.ended();
  }

  /** Starts the service again on its port: after SIGTERM, unless it has ended or was killed before. */
  async restart(): Promise<void> {
    await this.#service[Symbol.asyncDispose]();
    this.#service = await this.#start();
  }

  /** Waits until it is ready and every worker is there. */
  async untilWhole(): Promise<void> {
    const isWhole = async () =>
      this.#service.workerPids().length === this.#workers &&
      (await send(`${this.url}/ready`)).status === 200;
    await waitFor(isWhole, {
      what: `${this.#workers} workers to serve; the service wrote:\n${this.#service.process.describeOutput()}`,
      timeoutMs: 30_000,
    });
  }

  /** SIGTERM; throws when a process of it has to be killed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#resumeAll();
    await this.#service[Symbol.asyncDispose]();
  }

  /** Waits for a worker, as there may be none just now. */
  async #drawWorker(): Promise<number> {
    const pids = await waitFor(
      () => {
        const running = this.#service.workerPids();
        return running.length > 0 ? running : undefined;
      },
      { what: "a worker to run" },
    );
    return drawOne(this.#random, pids);
  }

  #resumeAll(): void {
    for (const frozen of this.#frozen) frozen.resume();
    this.#frozen.clear();
  }
}
