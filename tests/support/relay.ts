import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer } from "node:net";

/** A way to a server on this machine. */
export type Relay = { port: number; [Symbol.asyncDispose](): Promise<void> };

/** `send` gets what a client has sent, and passes it on to the server as it likes; replies pass as they are. */
export async function openRelay(
  to: { port: number },
  send: (chunk: Buffer, server: Socket) => void,
): Promise<Relay> {
  const sockets = new Set<Socket>();
  const relay = createServer((client) => {
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
    client.on("data", (chunk: Buffer) => send(chunk, server));
  }).listen(0, "127.0.0.1");
  await once(relay, "listening");
  return {
    port: (relay.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      relay.close();
      for (const socket of sockets) socket.destroy();
      await once(relay, "close");
    },
  };
}
