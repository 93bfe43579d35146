import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { LOG_ENTRIES_KEPT, LOG_ENTRIES_KEPT_PER_PATTERN } from "../node-store.ts";
import { TOMBSTONE_MS } from "../session-store.ts";
import type { RedisClient } from "./connection.ts";
import { SESSION_KEY_COUNT } from "./keys.ts";

/** Stands before every script: what it and the contract must agree on. */
const PREAMBLE = [
  // Some commands take fewer options in older servers: they would fail half way, and what was written would stay.
  `if not redis.REDIS_VERSION_NUM then return redis.error_reply('TOOOLD Redis 7 or later is needed') end`,
  `local TOMBSTONE_MS = ${TOMBSTONE_MS}`,
  `local SESSION_KEY_COUNT = ${SESSION_KEY_COUNT}`,
  `local LOG_ENTRIES_KEPT = ${LOG_ENTRIES_KEPT}`,
  `local LOG_ENTRIES_KEPT_PER_PATTERN = ${LOG_ENTRIES_KEPT_PER_PATTERN}`,
];

/**
 * The driver's own form with keys and arguments as an array, which its types leave out. Spread, some
 * hundred thousand of them would overflow the stack within the driver, after it has made a place for
 * the reply: the replies to other callers would then be given to the wrong ones.
 */
type ScriptClient = Record<
  "evalsha" | "eval",
  (script: string, keyCount: number, keysAndArgs: (string | number)[]) => Promise<unknown>
>;

/** A Lua script, called by its hash and sent whole where Redis has not seen it or lost it. */
export class RedisScript {
  readonly #lua: string;
  readonly #sha1: string;

  constructor(...files: string[]) {
    const read = (file: string) =>
      readFileSync(new URL(`./scripts/${file}.lua`, import.meta.url), "utf8");
    this.#lua = [...PREAMBLE, ...files.map(read)].join("\n");
    this.#sha1 = createHash("sha1").update(this.#lua).digest("hex");
  }

  async run(
    client: RedisClient,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    const scripts = client as unknown as ScriptClient;
    const values = [...keys, ...args];
    try {
      return await scripts.evalsha(this.#sha1, keys.length, values);
    } catch (error) {
      // Safe to send again: the reply says that nothing was run.
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      return scripts.eval(this.#lua, keys.length, values);
    }
  }
}
