import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer } from "node:net";

/** A way to a server on this machine on which every answer takes `delayMs` longer. */
export type SlowProxy = { port: number; [Symbol.asyncDispose](): Promise<void> };

export async function openSlowProxy(to: { port: number; delayMs: number }): Promise<SlowProxy> {
  const sockets = new Set<Socket>();
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
    client.pipe(server);
    server.on("data", (chunk) => setTimeout(() => client.write(chunk), to.delayMs));
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return {
    port: (proxy.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      proxy.close();
      for (const socket of sockets) socket.destroy();
      await once(proxy, "close");
    },
  };
}
