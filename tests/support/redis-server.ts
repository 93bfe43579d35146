import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { freePort } from "./free-port.ts";
import { findProcessStatus } from "./process-status.ts";
import { startProcess, type StartedProcess } from "./processes.ts";
import { findRedisServer } from "./redis-binary.ts";
import { closeRedisClient, openRedisClient, type RedisClientOptions } from "./redis-client.ts";
import { makeTemporaryDirectory, type TemporaryDirectory } from "./temporary-directory.ts";
import { waitFor } from "./wait-for.ts";

export interface RedisServerOptions {
  /** When writes reach the append-only file, whose data a restart keeps; "no", the default, keeps nothing. */
  appendOnly?: "always" | "everysec" | "no";
  /** A free port when left out. */
  port?: number;
  /** Left in place by dispose; when left out, a temporary one that dispose removes. */
  dir?: string;
  /** More directives, by name, each value as redis.conf spells it. With `requirepass`, `url` holds the password. */
  config?: Readonly<Record<string, string>>;
}

const HOST = "127.0.0.1";
const READY_TIMEOUT_MS = 20_000;
const MAX_START_ATTEMPTS = 5;

/** Another process took the port between choosing it and listening on it. */
class PortTakenError extends Error {
  override readonly name = "PortTakenError";
}

/** Starts a real redis-server, on the loopback interface only, and waits until it answers. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  for (let attempt = 1; ; attempt += 1) {
    const server = await prepareServer(options);
    try {
      await server.restart();
      return server;
    } catch (error) {
      await server.close();
      const mayRetry = options.port === undefined && attempt < MAX_START_ATTEMPTS;
      if (!(error instanceof PortTakenError && mayRetry)) throw error;
    }
  }
}

async function prepareServer(options: RedisServerOptions): Promise<RedisServer> {
  const port = options.port ?? (await freePort());
  const temporary = options.dir === undefined ? await makeTemporaryDirectory() : undefined;
  const dir = options.dir ?? temporary!.path; // made just above when no directory was given

  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, "redis.conf"), formatConfig({ ...options, port, dir }));
  return new RedisServer({ port, dir, password: options.config?.["requirepass"], temporary });
}

function formatConfig({ appendOnly = "no", port, dir, config }: RedisServerOptions): string {
  const directives: Record<string, string | number | undefined> = {
    bind: HOST,
    port,
    dir: JSON.stringify(dir),
    save: "",
    appendonly: appendOnly === "no" ? "no" : "yes",
    appendfsync: appendOnly === "no" ? "everysec" : appendOnly,
    ...config,
  };
  return Object.entries(directives)
    .map(([name, value]) => `${name} ${value === "" ? '""' : value}\n`)
    .join("");
}

/** Where a server lives, and what of that goes with it. */
interface RedisServerPlace {
  port: number;
  dir: string;
  password: string | undefined;
  temporary: TemporaryDirectory | undefined;
}

/** A redis-server of one test. `stop`, `kill` and `restart` keep its port and directory; `close` ends all of it. */
export class RedisServer implements AsyncDisposable {
  readonly host = HOST;
  readonly port: number;
  readonly dir: string;
  readonly url: string;
  readonly #temporary: TemporaryDirectory | undefined;
  readonly #clients: Redis[] = [];
  #process: StartedProcess | undefined;

  constructor({ port, dir, password, temporary }: RedisServerPlace) {
    const credentials = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
    this.port = port;
    this.dir = dir;
    this.url = `redis://${credentials}${HOST}:${port}`;
    this.#temporary = temporary;
  }

  /** The pid of the running server; throws while it is down. */
  get pid(): number {
    return this.#running().pid;
  }

  /** Whether it was started and neither stopped nor killed since; also true while it is paused. */
  get isRunning(): boolean {
    return this.#process?.hasExited === false;
  }

  /** A client of this server that `close` disconnects; it reconnects quickly, and `options` may say otherwise. */
  client(options: RedisClientOptions = {}): Redis {
    const client = openRedisClient(this.url, options);
    this.#clients.push(client);
    return client;
  }

  /** Ends the server in order, as SHUTDOWN does; nothing happens when it is down. */
  async stop(): Promise<void> {
    await this.#process?.stop();
    this.#process = undefined;
  }

  /** Ends the server as a crash would. */
  async kill(): Promise<void> {
    const running = this.#running();
    running.signal("SIGKILL");
    await running.exited;
    this.#process = undefined;
  }

  /** Stops the server if it runs, starts it again with the same port and directory, and waits until it answers. */
  async restart(): Promise<void> {
    await this.stop();
    this.#process = await startProcess({
      command: await findRedisServer(),
      args: [join(this.dir, "redis.conf")],
      cwd: this.dir,
    });
    await this.#untilReady();
  }

  /** Freezes the server: connections stay open, and nothing answers. */
  async pause(): Promise<void> {
    const running = this.#running();
    running.signal("SIGSTOP");
    // Signals arrive in their own time; a test that pauses must not have its next command still answered.
    if (process.platform === "linux") {
      await waitFor(() => findProcessStatus(running.pid)?.isPaused, {
        what: "redis-server to pause",
      });
    }
  }

  /** Lets a paused server go on, and waits until it answers. */
  async resume(): Promise<void> {
    this.#running().signal("SIGCONT");
    await this.#untilReady();
  }

  /** Ends the server, disconnects its clients and removes its directory, unless that was given. */
  async close(): Promise<void> {
    // Clients first, or they would spend the server's last moments trying to reach it again.
    const clientsClosed = Promise.all(this.#clients.map(closeRedisClient));
    await this.stop();
    await clientsClosed;
    await this.#temporary?.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #running(): StartedProcess {
    if (this.#process === undefined) throw new Error(`the Redis of port ${this.port} is down`);
    return this.#process;
  }

  async #untilReady(): Promise<void> {
    const running = this.#running();
    await waitFor(() => running.hasExited || this.#answersAs(running.pid), {
      what: `redis-server on port ${this.port}`,
      timeoutMs: READY_TIMEOUT_MS,
      intervalMs: 20,
    });
    if (!running.hasExited) return;

    await running.exited;
    const output = running.describeOutput();
    const message = `redis-server on port ${this.port} ended while starting; it wrote:\n${output}`;
    // Redis exits with 1 for whatever goes wrong, so only the system's message in its log tells this case.
    throw output.includes("Address already in use")
      ? new PortTakenError(message)
      : new Error(message);
  }

  /** Whether the server of that pid, not another one that holds the port, has loaded its data and takes commands. */
  async #answersAs(pid: number): Promise<boolean> {
    const probe = openRedisClient(this.url, {
      lazyConnect: true,
      enableReadyCheck: false,
      retryStrategy: null,
      commandTimeout: 1_000,
    });
    try {
      await probe.connect();
      // Rejects with LOADING while the data is being read, which INFO does not.
      await probe.ping();
      return (await probe.info("server")).split("\r\n").includes(`process_id:${pid}`);
    } finally {
      await closeRedisClient(probe);
    }
  }
}
