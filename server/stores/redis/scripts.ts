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

/**
 * The script with a receipt: a key, the last one, that is there if and only if the script has run, and all
 * before it, in the life of the data that is asked. The last argument is how long it is kept, in ms. Written
 * last, so that a script that frees memory works where none is left.
 */
function withReceipt(lua: string): string {
  return `local receipt, life = table.remove(KEYS), table.remove(ARGV)
local function script()
${lua}
end
local reply = script()
redis.call('SET', receipt, '', 'PX', life)
return reply`;
}

export type ScriptValues = {
  keys: readonly string[];
  args: readonly (string | number)[];
};

/** A key that a script is to leave behind for `keptMs`; in the slot of the script's other keys. */
export type Receipt = { key: string; keptMs: number };

class HashedScript {
  readonly #lua: string;
  readonly #sha1: string;

  constructor(lua: string) {
    this.#lua = lua;
    this.#sha1 = createHash("sha1").update(lua).digest("hex");
  }

  async run(client: RedisClient, keyCount: number, values: (string | number)[]): Promise<unknown> {
    const scripts = client as unknown as ScriptClient;
    try {
      return await scripts.evalsha(this.#sha1, keyCount, values);
    } catch (error) {
      // Safe to send again: the reply says that nothing was run.
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      return scripts.eval(this.#lua, keyCount, values);
    }
  }
}

/** A Lua script, called by its hash and sent whole where Redis has not seen it or lost it. */
export class RedisScript {
  readonly #plain: HashedScript;
  readonly #signed: HashedScript;

  constructor(...files: string[]) {
    const read = (file: string) =>
      readFileSync(new URL(`./scripts/${file}.lua`, import.meta.url), "utf8");
    const lua = [...PREAMBLE, ...files.map(read)].join("\n");
    this.#plain = new HashedScript(lua);
    this.#signed = new HashedScript(withReceipt(lua));
  }

  run(
    client: RedisClient,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    return this.#plain.run(client, keys.length, [...keys, ...args]);
  }

  /** The same, leaving the receipt behind. */
  runWithReceipt(
    client: RedisClient,
    { keys, args, receipt }: ScriptValues & { receipt: Receipt },
  ): Promise<unknown> {
    const values = [...keys, receipt.key, ...args, receipt.keptMs];
    return this.#signed.run(client, keys.length + 1, values);
  }
}
