import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer } from "node:net";

/** A way to a server on this machine on which calls can be held up; what is held reaches the server later, in order. */
export type HoldingProxy = {
  port: number;
  /** From now on nothing that clients send is passed on. */
  hold(): void;
  release(): void;
  /** Bytes that wait. */
  held(): number;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function openHoldingProxy(to: { port: number }): Promise<HoldingProxy> {
  const sockets = new Set<Socket>();
  let waiting: { server: Socket; chunk: Buffer }[] | undefined;
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
      if (waiting === undefined) server.write(chunk);
      else waiting.push({ server, chunk });
    });
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return {
    port: (proxy.address() as AddressInfo).port,
    hold() {
      waiting ??= [];
    },
    release() {
      const held = waiting ?? [];
      waiting = undefined;
      for (const { server, chunk } of held) server.write(chunk);
    },
    held: () => (waiting ?? []).reduce((sum, { chunk }) => sum + chunk.length, 0),
    async [Symbol.asyncDispose]() {
      proxy.close();
      for (const socket of sockets) socket.destroy();
      await once(proxy, "close");
    },
  };
}
