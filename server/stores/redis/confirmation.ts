import { ServiceError } from "@kato-rpc/shared/errors.ts";
import type { RedisConnection } from "./connection.ts";
import { storeFailure } from "./connection.ts";
import type { Wait } from "./find-wait.ts";

/** Receipts confirmed at once at most. */
const RECEIPTS_PER_GROUP = 1_024;

type Waiting = {
  receipt: string;
  wait: Wait;
  expiresAt: number;
  resolve(): void;
  reject(reason: unknown): void;
};

/**
 * Tells when changes are as safe as asked for, on a connection of its own, which waits while others are
 * served. Taking a change's receipt away proves that the server has that change still, whatever became of
 * connections and masters in between; and it is the latest write of this connection, for which, and so for
 * the change, the wait that follows stands. One wait serves all who come while the one before it is under way.
 */
export class Confirmation {
  readonly #connection: RedisConnection;
  readonly #timeoutMs: number;
  /** By slot: a cluster's pipeline goes to one server only. */
  readonly #groups = new Map<string, Waiting[]>();

  constructor(connection: RedisConnection, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Resolves when the change that left `receipt` in the slot of `tag` is safe.
   *
   * @throws ServiceError STORE_UNAVAILABLE when that is not so in half the time of a call
   */
  confirm(change: { tag: string; receipt: string; wait: Wait }): Promise<void> {
    const { tag, receipt, wait } = change;
    return new Promise((resolve, reject) => {
      const expiresAt = performance.now() + this.#timeoutMs;
      const waiting: Waiting = { receipt, wait, expiresAt, resolve, reject };
      const group = this.#groups.get(this.#groupOf(tag));
      if (group === undefined) void this.#confirmAll(tag, [waiting]);
      else group.push(waiting);
    });
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #groupOf(tag: string): string {
    return this.#connection.isCluster ? tag : "";
  }

  /** Never rejects: failures reach those who wait. */
  async #confirmAll(tag: string, group: Waiting[]): Promise<void> {
    const name = this.#groupOf(tag);
    this.#groups.set(name, group);
    while (group.length > 0) {
      const next = group.splice(0, RECEIPTS_PER_GROUP);
      // Whoever has given up needs no confirmation.
      const now = performance.now();
      await this.#confirm(next.filter(({ expiresAt }) => expiresAt > now));
    }
    this.#groups.delete(name);
  }

  async #confirm(group: readonly Waiting[]): Promise<void> {
    const [first] = group;
    if (first === undefined) return;
    const { wait } = first;
    try {
      const replies = await this.#connection.run((client) => {
        const pipeline = client.pipeline();
        for (const { receipt } of group) pipeline.unlink(receipt);
        const [name, ...args] = wait.command(Math.ceil(this.#timeoutMs / 2));
        return pipeline.call(name, ...args).exec();
      });
      const [waitError, waited] = replies?.at(-1) ?? [new Error("no reply")];
      for (const [i, each] of group.entries()) {
        const [error, taken] = replies?.[i] ?? [null];
        if (error !== null || waitError !== null) each.reject(storeFailure(error ?? waitError));
        else if (taken !== 1) each.reject(unconfirmed("the server has lost it again"));
        else if (!wait.isEnough(waited)) each.reject(unconfirmed(wait.describe(waited)));
        else each.resolve();
      }
      // A pipeline that met a slot's old server does not look for the new one by itself.
      if (replies?.some(([error]) => error?.message.startsWith("MOVED")) === true)
        this.#connection.findSlotsAgain();
    } catch (error) {
      for (const each of group) each.reject(error);
    }
  }
}

function unconfirmed(why: string): ServiceError {
  return new ServiceError(
    "STORE_UNAVAILABLE",
    `the change was made, but ${why}; it is not acknowledged: repeat the call with the same id, which does nothing twice`,
  );
}
