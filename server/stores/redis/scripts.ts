import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { ChainableCommander } from "ioredis";
import { Command } from "ioredis";
import { LOG_ENTRIES_KEPT, LOG_ENTRIES_KEPT_PER_PATTERN } from "../node-store.ts";
import { ON_ITS_WAY_MS, REMEMBERED_AT_MOST, REMEMBERED_BYTES } from "../remembered-window.ts";
import { TOMBSTONE_MS } from "../session-store.ts";
import type { RedisClient } from "./connection.ts";
import { KEYS_IN_ANY_CASE, KEYS_PER_SESSION } from "./keys.ts";
import { MAY_NOT_RUN } from "./refusals.ts";

const SCRIPTS = new URL("./scripts/", import.meta.url);

// A script that fails half way leaves what it has written: what may fail is looked at before.

/** Some commands take fewer options in older servers. */
const REFUSE_OLD_SERVERS = `if not redis.REDIS_VERSION_NUM then return redis.error_reply('TOOOLD Redis 7 or later is needed') end`;

/** What a script and the contract must agree on. */
const CONSTANTS = [
  `local TOMBSTONE_MS = ${TOMBSTONE_MS}`,
  `local KEYS_PER_SESSION = ${KEYS_PER_SESSION}`,
  `local KEYS_IN_ANY_CASE = ${KEYS_IN_ANY_CASE}`,
  `local ON_ITS_WAY_MS = ${ON_ITS_WAY_MS}`,
  `local REMEMBERED_AT_MOST = ${REMEMBERED_AT_MOST}`,
  `local REMEMBERED_BYTES = ${REMEMBERED_BYTES}`,
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

type ScriptPipeline = {
  eval(script: string, keyCount: number, keysAndArgs: (string | number)[]): unknown;
};

/** Every command that the script may come to call, whether or not this call of it does. */
function commandsOf(lua: string): string[] {
  return Array.from(lua.matchAll(/redis\.p?call\('([A-Z]+)'/g), ([, name = ""]) => name);
}

/**
 * What stands before every script. Permissions may change at any moment, so each call asks for them, which takes
 * Redis some 0.1 µs per command. Of the keys, Redis makes sure before it runs a script.
 */
function preamble(commands: readonly string[]): string {
  const names = Array.from(new Set(commands), (name) => `'${name}'`).sort();
  return [
    REFUSE_OLD_SERVERS,
    `do
  local may = redis.acl_check_cmd
  if not (${names.map((name) => `may(${name})`).join(" and ")}) then
    local refused = {}
    for _, name in ipairs({${names.join(", ")}}) do
      if not may(name) then refused[#refused + 1] = name end
    end
    return redis.error_reply('${MAY_NOT_RUN}' .. table.concat(refused, ', '))
  end
end`,
    ...CONSTANTS,
  ].join("\n");
}

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

/** A receipt by itself, written even where no memory is left: it takes little, and expires soon. */
const SIGN = `#!lua flags=allow-oom
redis.call('SET', KEYS[1], '', 'PX', ARGV[1])`;

/** What takes a receipt away. */
const CONFIRMING_COMMANDS = ["UNLINK"];

/** What the stores call outside of scripts. */
const OTHER_COMMANDS = "DEL EXISTS GET HMGET PING SADD SET SMEMBERS SREM XRANGE ZRANGEBYLEX".split(
  " ",
);

export type ScriptValues = {
  keys: readonly string[];
  args: readonly (string | number)[];
  /** Without waiting for other commands of this turn of the event loop; false when left out. */
  atOnce?: boolean;
};

/** A key that a script is to leave behind for `keptMs`; in the slot of the script's other keys. */
export type Receipt = { key: string; keptMs: number };

const TEXT = { replyEncoding: "utf8" } as const;

class HashedScript {
  readonly lua: string;
  readonly #sha1: string;

  constructor(lua: string) {
    this.lua = lua;
    this.#sha1 = createHash("sha1").update(lua).digest("hex");
  }

  async run(
    client: RedisClient,
    values: (string | number)[],
    { keyCount, atOnce }: { keyCount: number; atOnce: boolean },
  ): Promise<unknown> {
    const send = (name: "evalsha" | "eval", script: string) =>
      atOnce
        ? // The driver makes one list of these.
          client.sendCommand(new Command(name, [script, keyCount, values], TEXT))
        : (client as unknown as ScriptClient)[name](script, keyCount, values);
    try {
      return await send("evalsha", this.#sha1);
    } catch (error) {
      // Safe to send again: the reply says that nothing was run.
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      return send("eval", this.lua);
    }
  }
}

/** A Lua script, called by its hash and sent whole where Redis has not seen it or lost it. */
export class RedisScript {
  readonly #plain: HashedScript;
  readonly #signed: HashedScript;

  constructor(...files: string[]) {
    const lua = files.map((file) => readScript(`${file}.lua`)).join("\n");
    const commands = commandsOf(lua);
    const signed = withReceipt(lua);
    const signing = [...commandsOf(signed), ...CONFIRMING_COMMANDS];
    this.#plain = new HashedScript(`${preamble(commands)}\n${lua}`);
    this.#signed = new HashedScript(`${preamble(signing)}\n${signed}`);
  }

  run(client: RedisClient, { keys, args, atOnce = false }: ScriptValues): Promise<unknown> {
    return this.#plain.run(client, [...keys, ...args], { keyCount: keys.length, atOnce });
  }

  /** The same, leaving the receipt behind. */
  runWithReceipt(
    client: RedisClient,
    { keys, args, receipt, atOnce = false }: ScriptValues & { receipt: Receipt },
  ): Promise<unknown> {
    const values = [...keys, receipt.key, ...args, receipt.keptMs];
    return this.#signed.run(client, values, { keyCount: keys.length + 1, atOnce });
  }

  /** Adds the script, and after it a receipt of its own, to what a connection is sent at once: two replies. */
  addWithReceipt(
    pipeline: ChainableCommander,
    { keys, args, receipt }: ScriptValues & { receipt: Receipt },
  ): void {
    const scripts = pipeline as unknown as ScriptPipeline;
    scripts.eval(this.#plain.lua, keys.length, [...keys, ...args]);
    scripts.eval(SIGN, 1, [receipt.key, receipt.keptMs]);
  }
}

function readScript(file: string): string {
  return readFileSync(new URL(file, SCRIPTS), "utf8");
}

/** Does nothing, but refuses what any script and the stores' other calls would be refused. */
const readiness = new HashedScript(
  preamble([...readdirSync(SCRIPTS).map(readScript).flatMap(commandsOf), ...OTHER_COMMANDS]),
);

/** @throws ReplyError where the server is too old, or does not permit its user all that the stores call */
export async function requireReadiness(client: RedisClient): Promise<void> {
  await readiness.run(client, [], { keyCount: 0, atOnce: false });
}
