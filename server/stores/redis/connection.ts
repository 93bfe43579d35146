import { ServiceError } from "@kato-rpc/shared/errors.ts";
import { Cluster, Redis } from "ioredis";
import { Deadlines } from "../../deadlines.ts";
import { DurabilityError } from "../durability.ts";
import type { RedisAddress } from "../store-address.ts";
import { isTemporary, reasonOfRefusal } from "./refusals.ts";

export type RedisClient = Redis | Cluster;

/**
 * One shared connection to a Redis, a Sentinel group or a Cluster. Nothing is queued while it is
 * down, and nothing is sent twice: a command that met a broken connection fails, and the caller,
 * who holds the ids that make a repeat safe, decides.
 */
export class RedisConnection {
  readonly client: RedisClient;
  readonly #deadlines: Deadlines;
  readonly #timeoutMs: number;
  #waiting: PromiseWithResolvers<void> | undefined;
  #lastError: Error | undefined;
  #isClosed = false;

  constructor(address: RedisAddress, options: { timeoutMs: number; onError(error: Error): void }) {
    this.#timeoutMs = options.timeoutMs;
    this.#deadlines = new Deadlines(options.timeoutMs);
    this.client = createClient(address, options.timeoutMs);
    // ioredis reports every failed attempt to connect here; without a listener it would throw.
    this.client.on("error", (error: Error) => {
      hideCommand(error);
      this.#lastError = error;
      // Somebody has to mend it first: callers are better told why than kept.
      if (reasonOfRefusal(error) !== undefined) this.#stopWaiting();
      options.onError(error);
    });
    this.client.on("ready", () => {
      this.#lastError = undefined;
      this.#waiting?.resolve();
      this.#waiting = undefined;
    });
  }

  /**
   * Runs one command once the connection stands. Concurrent first calls wait for the same connection.
   *
   * @throws ServiceError STORE_UNAVAILABLE when the deadline passes or the connection breaks
   */
  run<T>(command: (client: RedisClient) => Promise<T>): Promise<T> {
    let isLate = false;
    const sent =
      this.client.status === "ready"
        ? command(this.client)
        : this.#whenReady().then(() => {
            // Nobody waits for it any more: it must not happen later.
            if (isLate) throw this.#unavailable("could not be reached");
            return command(this.client);
          });
    return this.#deadlines.bound(sent.catch(rethrow), () => {
      isLate = true;
      return this.#unavailable("did not answer");
    });
  }

  get isCluster(): boolean {
    return this.client instanceof Cluster;
  }

  /** Calls back when a connection was made anew, of a cluster to any of its servers. */
  onConnected(callback: () => void): void {
    this.client.on("ready", callback);
    if (this.client instanceof Cluster) this.client.on("+node", callback);
  }

  /** Asks a cluster anew which server has which slot. */
  findSlotsAgain(): void {
    if (this.client instanceof Cluster) this.client.refreshSlotsCache();
  }

  /** Starts to connect without waiting; `run` waits. */
  connect(): void {
    this.#whenReady().catch(() => {
      // Every call that needs the connection says so itself.
    });
  }

  /** Waits for the replies under way, within the deadline; calls that wait for a connection fail. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopWaiting();
    // Bounded by the socket's timeout.
    if (this.client.status === "ready") await this.client.quit().catch(() => "closed");
    this.client.disconnect();
  }

  #whenReady(): Promise<void> {
    const { client } = this;
    if (this.#isClosed) return Promise.reject(this.#unavailable("could not be reached"));
    if (client.status === "wait" || client.status === "end") {
      client.connect().catch(() => {
        // Reported by the "error" event; ioredis goes on trying.
      });
    }
    this.#waiting ??= Promise.withResolvers<void>();
    return this.#waiting.promise;
  }

  #stopWaiting(): void {
    this.#waiting?.reject(this.#unavailable("could not be reached"));
    this.#waiting = undefined;
  }

  #unavailable(what: string): ServiceError {
    return new ServiceError(
      "STORE_UNAVAILABLE",
      `${reasonOfRefusal(this.#lastError) ?? `Redis ${what} within ${this.#timeoutMs} ms`}; whether the call took effect is unknown, repeat it with the same id`,
      { cause: this.#lastError },
    );
  }
}

function createClient(address: RedisAddress, timeoutMs: number): RedisClient {
  const connection = {
    lazyConnect: true,
    connectTimeout: 2_000,
    // What is worth waiting for, `close` has waited for; else the timer would keep the process alive.
    disconnectTimeout: 0,
    // A server that stays silent for so long has lost the calls: without an end of the connection, all
    // that is sent to it would gather here, and be run whenever it comes back.
    socketTimeout: timeoutMs,
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.tls ? { tls: {} } : {}),
  };
  const server = {
    ...connection,
    db: address.database,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    autoResendUnfulfilledCommands: false,
    // Fails the commands under way when a connection breaks. Without this they would never settle, and
    // automatic pipelining, which waits for them, would send nothing any more.
    maxRetriesPerRequest: 0,
    retryStrategy: reconnectDelayMs,
  };
  switch (address.topology) {
    case "single": {
      const [{ host, port }] = address.hosts;
      return new Redis({ ...server, host, port });
    }
    case "sentinel":
      return new Redis({
        ...server,
        sentinels: address.hosts,
        name: address.name,
        sentinelRetryStrategy: reconnectDelayMs,
        failoverDetector: true,
      });
    case "cluster":
      // No automatic pipelining: ioredis follows a redirection of a pipeline only if every command in it
      // met the same one, so a slot that moved would stay lost while its neighbours are busy.
      return new Cluster(address.hosts, {
        lazyConnect: true,
        // 0: what met a broken connection is not sent again.
        retryDelayOnFailover: 0,
        clusterRetryStrategy: reconnectDelayMs,
        slotsRefreshTimeout: 2_000,
        redisOptions: connection,
      });
  }
}

function reconnectDelayMs(attempt: number): number {
  return Math.min(25 * 2 ** Math.min(attempt, 5), 500);
}

function rethrow(error: unknown): never {
  throw storeFailure(error);
}

/** What a script found of one of several changes, as if Redis had replied it to that alone. */
export function replyFailure(message: string): unknown {
  const error = new Error(message);
  error.name = "ReplyError";
  return storeFailure(error);
}

/** Connection failures and "not now" replies become STORE_UNAVAILABLE; anything else is a bug and stays as it is. */
export function storeFailure(error: unknown): unknown {
  if (error instanceof ServiceError || error instanceof DurabilityError) return error;
  hideCommand(error);
  const message = error instanceof Error ? error.message : String(error);
  const isReply = error instanceof Error && error.name === "ReplyError";
  if (isReply && !isTemporary(message)) return error;
  if (error instanceof TypeError || error instanceof RangeError) return error;
  return new ServiceError(
    "STORE_UNAVAILABLE",
    `${reasonOfRefusal(error) ?? "Redis cannot take the call at the moment"}; whether the call took effect is unknown, repeat it with the same id`,
    { cause: error },
  );
}

/** ioredis hangs the whole command on an error: payloads and passwords, which must reach no log. */
function hideCommand(error: unknown): void {
  if (!(error instanceof Error)) return;
  if ("command" in error) delete error.command;
  if ("lastNodeError" in error) hideCommand(error.lastNodeError);
}
