import type { Redis } from "ioredis";
import type { RedisServer, RedisServerOptions } from "./redis-server.ts";
import { startRedis } from "./redis-server.ts";
import { waitFor } from "./wait-for.ts";

/** A server with a client of it alone. */
type Member = { server: RedisServer; client: Redis };

export type ReplicatedRedis = AsyncDisposable & { master: Member; replica: Member };

/** A real master and a replica that follows it. */
export async function startReplicatedRedis(
  options: RedisServerOptions = {},
): Promise<ReplicatedRedis> {
  const stack = new AsyncDisposableStack();
  try {
    const config = { "repl-diskless-sync-delay": "0", "shutdown-timeout": "0", ...options.config };
    const start = async (): Promise<Member> => {
      const server = stack.use(await startRedis({ ...options, config }));
      return { server, client: server.client() };
    };
    const [master, replica] = [await start(), await start()];
    await replica.client.replicaof(master.server.host, master.server.port);
    await waitFor(
      async () => (await replica.client.info("replication")).includes("master_link_status:up"),
      { what: "the replica to follow its master" },
    );
    const servers = stack.move();
    return { master, replica, [Symbol.asyncDispose]: () => servers.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}
