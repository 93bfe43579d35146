import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer } from "node:net";

/** What scripts know of the server's version since Redis 7. */
const KNOWN = "redis.REDIS_VERSION_NUM";
/** A name of the same length, which no server knows. */
const UNKNOWN = "redis.REDIS_VERSION_NIL";

/** A way to a Redis on this machine that takes from its scripts what they cannot know before Redis 7. */
export type AgeingProxy = {
  port: number;
  /** From now on scripts reach the server as they are. */
  upgrade(): void;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function openAgeingProxy(to: { port: number }): Promise<AgeingProxy> {
  const sockets = new Set<Socket>();
  let isOld = true;
  const proxy = createServer((client) => {
    const server = connect(to.port, "127.0.0.1");
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(socket);
      // Either end may go at any time, which the other one then sees.
      socket.on("error", () => other.destroy());
      socket.on("close", () => other.destroy());
    }
    server.pipe(client);
    client.on("data", (chunk: Buffer) => {
      const sent = chunk.toString("latin1");
      server.write(isOld ? sent.replaceAll(KNOWN, UNKNOWN) : sent, "latin1");
    });
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return {
    port: (proxy.address() as AddressInfo).port,
    upgrade() {
      isOld = false;
    },
    async [Symbol.asyncDispose]() {
      proxy.close();
      for (const socket of sockets) socket.destroy();
      await once(proxy, "close");
    },
  };
}
