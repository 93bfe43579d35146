import { ServiceError } from "@kato-rpc/shared/errors.ts";
import type { ChainableCommander } from "ioredis";
import type { ScriptCall } from "./confirmed-scripts.ts";
import type { RedisConnection } from "./connection.ts";
import { storeFailure } from "./connection.ts";
import type { Wait } from "./find-wait.ts";
import { reasonOfRefusal } from "./refusals.ts";
import type { Receipt, RedisScript } from "./scripts.ts";

/** Receipts confirmed at once at most. */
const RECEIPTS_PER_GROUP = 1_024;

const NO_REPLY: [error: Error | null, reply: unknown] = [new Error("no reply"), undefined];

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

  /**
   * Runs the script on the connection that waits: a write of this connection follows the script, and the wait that
   * stands for that stands for all the script has found or made. For what leaves no receipt with its change.
   *
   * @throws ServiceError STORE_UNAVAILABLE as `confirm`
   */
  async runAndConfirm(
    script: RedisScript,
    call: ScriptCall & { receipt: Receipt; wait: Wait; acknowledges: (reply: unknown) => boolean },
  ): Promise<unknown> {
    const { wait, acknowledges } = call;
    const replies = await this.#connection.run((client) => {
      const pipeline = client.pipeline();
      script.addWithReceipt(pipeline, call);
      return this.#addWait(pipeline, wait).exec();
    });
    const [[error, reply] = NO_REPLY, [signError] = NO_REPLY, [waitError, waited] = NO_REPLY] =
      replies ?? [];
    this.#noticeMoves(replies);
    if (error !== null) throw storeFailure(error);
    call.onReply?.(reply);
    if (!acknowledges(reply)) return reply;
    if (signError !== null || waitError !== null) throw unanswered(signError ?? waitError);
    if (!wait.isEnough(waited)) throw unconfirmed(wait.describe(waited));
    return reply;
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #addWait(pipeline: ChainableCommander, wait: Wait): ChainableCommander {
    const [name, ...args] = wait.command(Math.ceil(this.#timeoutMs / 2));
    return pipeline.call(name, ...args);
  }

  /** A pipeline that met a slot's old server does not look for the new one by itself. */
  #noticeMoves(replies: readonly [error: Error | null, reply: unknown][] | null): void {
    if (replies?.some(([error]) => error?.message.startsWith("MOVED")) === true)
      this.#connection.findSlotsAgain();
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
        return this.#addWait(pipeline, wait).exec();
      });
      const [waitError, waited] = replies?.at(-1) ?? NO_REPLY;
      for (const [i, each] of group.entries()) {
        const [error, taken] = replies?.[i] ?? [null];
        if (error !== null || waitError !== null) each.reject(unanswered(error ?? waitError));
        else if (taken !== 1) each.reject(unconfirmed("the server has lost it again"));
        else if (!wait.isEnough(waited)) each.reject(unconfirmed(wait.describe(waited)));
        else each.resolve();
      }
      this.#noticeMoves(replies);
    } catch (error) {
      for (const each of group) each.reject(unanswered(error));
    }
  }
}

function unconfirmed(why: string, options?: ErrorOptions): ServiceError {
  return new ServiceError(
    "STORE_UNAVAILABLE",
    `the change was made, but ${why}; it is not acknowledged: repeat the call with the same id, which does nothing twice`,
    options,
  );
}

/** Whatever the reason: a change that was made is one to repeat. */
function unanswered(error: unknown): ServiceError {
  const reply = error instanceof ServiceError ? error.cause : error;
  const isReply = reply instanceof Error && reply.name === "ReplyError";
  const why = reasonOfRefusal(reply) ?? (isReply ? reply.message : "it could not be asked");
  return unconfirmed(`Redis did not tell whether it is safe: ${why}`, {
    cause: storeFailure(error),
  });
}
