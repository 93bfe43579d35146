import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { RedisClient } from "./connection.ts";

/** A Lua script, called by its hash and sent whole where Redis has not seen it or lost it. */
export class RedisScript {
  readonly #lua: string;
  readonly #sha1: string;

  constructor(...files: string[]) {
    const read = (file: string) =>
      readFileSync(new URL(`./scripts/${file}.lua`, import.meta.url), "utf8");
    this.#lua = files.map(read).join("\n");
    this.#sha1 = createHash("sha1").update(this.#lua).digest("hex");
  }

  async run(
    client: RedisClient,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    try {
      return await client.evalsha(this.#sha1, keys.length, ...keys, ...args);
    } catch (error) {
      // Safe to send again: the reply says that nothing was run.
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      return client.eval(this.#lua, keys.length, ...keys, ...args);
    }
  }
}
