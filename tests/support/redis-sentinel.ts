import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { startProcess } from "./processes.ts";
import { findRedisServer } from "./redis-binary.ts";
import { openRedisClient } from "./redis-client.ts";
import type { RedisServer } from "./redis-server.ts";
import { startRedis } from "./redis-server.ts";
import { makeTemporaryDirectory } from "./temporary-directory.ts";
import { waitFor } from "./wait-for.ts";

const GROUP = "test-group";

export type RedisSentinel = {
  /** In the form `redis+sentinel://…`. */
  url: string;
  master: RedisServer;
  [Symbol.asyncDispose](): Promise<void>;
};

/** A master, and one sentinel that knows it. */
export async function startRedisSentinel(): Promise<RedisSentinel> {
  const [master, directory, port] = await Promise.all([
    startRedis(),
    makeTemporaryDirectory(),
    freePort(),
  ]);
  const file = join(directory.path, "sentinel.conf");
  await writeFile(
    file,
    [
      "bind 127.0.0.1",
      `port ${port}`,
      `dir ${JSON.stringify(directory.path)}`,
      `sentinel monitor ${GROUP} 127.0.0.1 ${master.port} 1`,
      "",
    ].join("\n"),
  );
  const sentinel = await startProcess({
    command: await findRedisServer(),
    args: [file, "--sentinel"],
    cwd: directory.path,
  });
  const client = openRedisClient(`redis://127.0.0.1:${port}`, {});
  await waitFor(async () => client.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", GROUP), {
    what: "the sentinel to name its master",
  });
  client.disconnect();
  return {
    url: `redis+sentinel://127.0.0.1:${port}/${GROUP}`,
    master,
    async [Symbol.asyncDispose]() {
      await sentinel.stop();
      await master.close();
      await directory.remove();
    },
  };
}
