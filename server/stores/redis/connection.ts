import { ServiceError } from "@kato-rpc/shared/errors.ts";
import { Cluster, Redis } from "ioredis";
import { Deadlines } from "../../deadlines.ts";
import type { RedisAddress } from "../store-address.ts";

export type RedisClient = Redis | Cluster;

/** Replies of Redis that say "not now" rather than "this is wrong". */
const TEMPORARY =
  /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|OOM|MISCONF|NOREPLICAS|NOAUTH|WRONGPASS|NOPERM|MOVED|ASK|UNBLOCKED|ERR max number of clients)/;

/**
 * One shared connection to a Redis, a Sentinel group or a Cluster. Nothing is queued while it is
 * down, and nothing is sent twice: a command that met a broken connection fails, and the caller,
 * who holds the ids that make a repeat safe, decides.
 */
export class RedisConnection {
  readonly client: RedisClient;
  readonly #deadlines: Deadlines;
  readonly #timeoutMs: number;
  #ready: Promise<void> | undefined;

  constructor(address: RedisAddress, options: { timeoutMs: number; onError(error: Error): void }) {
    this.#timeoutMs = options.timeoutMs;
    this.#deadlines = new Deadlines(options.timeoutMs);
    this.client = createClient(address);
    // ioredis reports every failed attempt to connect here; without a listener it would throw.
    this.client.on("error", options.onError);
  }

  /**
   * Runs one command once the connection stands. Concurrent first calls wait for the same connection.
   *
   * @throws ServiceError STORE_UNAVAILABLE when the deadline passes or the connection breaks
   */
  run<T>(command: (client: RedisClient) => Promise<T>): Promise<T> {
    const sent =
      this.client.status === "ready"
        ? command(this.client)
        : this.#whenReady().then(() => command(this.client));
    return this.#deadlines.bound(sent.catch(rethrow), () => this.#unavailable("did not answer"));
  }

  /** Starts to connect without waiting; `run` waits. */
  connect(): void {
    this.#whenReady().catch(() => {
      // Every call that needs the connection says so itself.
    });
  }

  async close(): Promise<void> {
    if (this.client.status === "ready") await this.client.quit().catch(() => "closed");
    this.client.disconnect();
  }

  #whenReady(): Promise<void> {
    this.#ready ??= this.#awaitReady().finally(() => {
      this.#ready = undefined;
    });
    return this.#ready;
  }

  #awaitReady(): Promise<void> {
    const { client } = this;
    if (client.status === "wait" || client.status === "end") {
      client.connect().catch(() => {
        // Reported by the "error" event; ioredis goes on trying.
      });
    }
    return new Promise((resolve, reject) => {
      const onReady = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        client.off("ready", onReady);
        reject(this.#unavailable("could not be reached"));
      }, this.#timeoutMs);
      client.once("ready", onReady);
    });
  }

  #unavailable(what: string): ServiceError {
    return new ServiceError(
      "STORE_UNAVAILABLE",
      `Redis ${what} within ${this.#timeoutMs} ms; nothing was acknowledged, repeat the call with the same id`,
    );
  }
}

function createClient(address: RedisAddress): RedisClient {
  const connection = {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: true,
    maxRetriesPerRequest: null,
    connectTimeout: 2_000,
    retryStrategy: reconnectDelayMs,
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.tls ? { tls: {} } : {}),
  };
  switch (address.topology) {
    case "single": {
      const [{ host, port }] = address.hosts;
      return new Redis({ ...connection, host, port, db: address.database });
    }
    case "sentinel":
      return new Redis({
        ...connection,
        sentinels: address.hosts,
        name: address.name,
        db: address.database,
        sentinelRetryStrategy: reconnectDelayMs,
        failoverDetector: true,
      });
    case "cluster":
      return new Cluster(address.hosts, {
        lazyConnect: true,
        enableOfflineQueue: false,
        enableAutoPipelining: true,
        clusterRetryStrategy: reconnectDelayMs,
        slotsRefreshTimeout: 2_000,
        redisOptions: connection,
      });
  }
}

function reconnectDelayMs(attempt: number): number {
  return Math.min(25 * 2 ** Math.min(attempt, 5), 500);
}

/** Connection failures and "not now" replies become STORE_UNAVAILABLE; anything else is a bug and stays as it is. */
function rethrow(error: unknown): never {
  if (error instanceof ServiceError) throw error;
  const message = error instanceof Error ? error.message : String(error);
  const isReply = error instanceof Error && error.name === "ReplyError";
  if (isReply && !TEMPORARY.test(message)) throw error;
  throw new ServiceError(
    "STORE_UNAVAILABLE",
    "Redis cannot take the call at the moment; nothing was acknowledged, repeat the call with the same id",
    { cause: error },
  );
}
