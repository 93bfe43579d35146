import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer } from "node:net";
import { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { PooledConnector } from "../../../server/stores/redis/pooled-connector.ts";

/** A server that answers each chunk it gets with what `answer` writes. */
async function listen(answer: (socket: Socket) => void) {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on("data", () => answer(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    countConnections: () => connections,
    async [Symbol.asyncDispose](): Promise<void> {
      server.close();
      await once(server, "close");
    },
  };
}

function connectTo(port: number): Redis {
  return new Redis({
    host: "127.0.0.1",
    port,
    Connector: PooledConnector,
    lazyConnect: true,
    enableReadyCheck: false,
    disableClientInfo: true,
    protocol: 2,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
}

describe("PooledConnector", () => {
  test("gives all that it reads, each piece as it was whatever is read after it", async () => {
    const sent = randomBytes(300_000);
    await using server = await listen((socket) => socket.end(sent));
    const connector = new PooledConnector({ host: "127.0.0.1", port: server.port });
    const socket = await connector.connect();

    const pieces: Buffer[] = [];
    socket.on("data", (piece: Buffer) => pieces.push(piece));
    socket.write("go on");
    await once(socket, "close");

    expect(pieces.length).toBeGreaterThan(1);
    expect(Buffer.concat(pieces).equals(sent)).toBe(true);
  });

  test("tells that nobody listens, and that the other side has closed", async () => {
    const server = await listen((socket) => socket.destroy());
    const redis = connectTo(server.port);
    await redis.connect();
    await expect(redis.get("a")).rejects.toThrow();
    await server[Symbol.asyncDispose]();

    const late = connectTo(server.port);
    late.on("error", () => undefined);
    await expect(late.connect()).rejects.toThrow();
    redis.disconnect();
  });

  test("opens nothing once it is told to disconnect", async () => {
    await using server = await listen(() => undefined);
    const connector = new PooledConnector({ host: "127.0.0.1", port: server.port });

    const connecting = connector.connect();
    connector.disconnect();

    await expect(connecting).rejects.toThrow("Connection is closed.");
    // One that comes after it has come, and no other.
    const redis = connectTo(server.port);
    await redis.connect();
    expect(server.countConnections()).toBe(1);
    redis.disconnect();
  });
});
