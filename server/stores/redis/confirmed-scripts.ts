import { randomBytes } from "node:crypto";
import { ServiceError } from "@kato-rpc/shared/errors.ts";
import { Deadlines } from "../../deadlines.ts";
import type { Durability } from "../durability.ts";
import { DurabilityError } from "../durability.ts";
import type { Confirmation } from "./confirmation.ts";
import type { RedisConnection } from "./connection.ts";
import type { Wait } from "./find-wait.ts";
import { findWait } from "./find-wait.ts";
import { receiptKey } from "./keys.ts";
import type { RedisScript, ScriptValues } from "./scripts.ts";

/** A receipt outlives everybody who might ask for it. */
const RECEIPT_MARGIN_MS = 10_000;

export type ScriptCall = ScriptValues & {
  /** The keys' hash tag. */
  tag: string;
  /** Whether the reply tells the caller that something was done; every one does unless told otherwise. */
  acknowledges?: (reply: unknown) => boolean;
  /** Told of the reply before it is confirmed, for those parts of it that acknowledge nothing. */
  onReply?: (reply: unknown) => void;
};

/** Runs scripts whose replies acknowledge something, and gives these when the durability asked for is reached. */
export class ConfirmedScripts {
  readonly #connection: RedisConnection;
  readonly #confirmation: Confirmation | undefined;
  readonly #durability: Durability;
  readonly #timeoutMs: number;
  readonly #deadlines: Deadlines;
  /** How the servers that are connected now wait. */
  #wait: Promise<Wait | undefined> | undefined;

  constructor(
    connection: RedisConnection,
    confirmation: Confirmation | undefined,
    rules: { durability: Durability; timeoutMs: number },
  ) {
    this.#connection = connection;
    this.#confirmation = confirmation;
    this.#durability = rules.durability;
    this.#timeoutMs = rules.timeoutMs;
    this.#deadlines = new Deadlines(rules.timeoutMs);
    // Another server may be set up otherwise.
    connection.onConnected(() => {
      this.#wait = undefined;
    });
  }

  /** @throws DurabilityError when the servers cannot do what is asked for; says nothing while they cannot be reached */
  async check(): Promise<void> {
    if (this.#confirmation === undefined) return;
    try {
      await this.#findWait();
    } catch (error) {
      if (error instanceof DurabilityError) throw error;
      // Looked at again before anything is acknowledged.
    }
  }

  /** @throws ServiceError STORE_UNAVAILABLE, also when the script has run but its effect is not confirmed in time */
  run(script: RedisScript, call: ScriptCall): Promise<unknown> {
    const confirmation = this.#confirmation;
    if (confirmation === undefined) {
      return this.#connection.run((client) => script.run(client, call));
    }
    const confirmed = this.#runConfirmed(script, call, confirmation).catch((error: unknown) => {
      throw error instanceof DurabilityError ? unavailable(error.message, error) : error;
    });
    return this.#deadlines.bound(confirmed, () =>
      unavailable(`Redis did not confirm the change within ${this.#timeoutMs} ms`, undefined),
    );
  }

  async #runConfirmed(
    script: RedisScript,
    call: ScriptCall,
    confirmation: Confirmation,
  ): Promise<unknown> {
    const { tag, acknowledges = () => true } = call;
    const wait = await this.#findWait();
    if (wait === undefined) {
      return this.#connection.run((client) => script.run(client, call));
    }
    const id = randomBytes(12).toString("base64url");
    const receipt = { key: receiptKey(tag, id), keptMs: this.#timeoutMs + RECEIPT_MARGIN_MS };
    let reply: unknown;
    try {
      reply = await this.#connection.run((client) =>
        script.runWithReceipt(client, { ...call, receipt }),
      );
    } catch (error) {
      if (!isOutOfMemory(error)) throw error;
      // Nothing was written. Where there was nothing to write but the receipt, as for a repeat, it works without.
      return confirmation.runAndConfirm(script, { ...call, acknowledges, receipt, wait });
    }
    call.onReply?.(reply);
    if (acknowledges(reply)) await confirmation.confirm({ tag, receipt: receipt.key, wait });
    return reply;
  }

  #findWait(): Promise<Wait | undefined> {
    if (this.#wait === undefined) {
      const found = findWait(this.#connection, this.#durability);
      this.#wait = found;
      found.catch(() => {
        if (this.#wait === found) this.#wait = undefined;
      });
    }
    return this.#wait;
  }
}

function isOutOfMemory(error: unknown): boolean {
  const reply = error instanceof ServiceError ? error.cause : error;
  return reply instanceof Error && reply.message.startsWith("OOM");
}

function unavailable(what: string, cause: unknown): ServiceError {
  return new ServiceError(
    "STORE_UNAVAILABLE",
    `${what}; nothing was acknowledged, repeat the call with the same id`,
    { cause },
  );
}
