import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer } from "node:net";
import { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { PooledConnector } from "../../../server/stores/redis/pooled-connector.ts";

/** A server that answers each chunk it gets with what `answer` writes. */
async function listen(answer: (socket: Socket, asked: string) => void) {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => answer(socket, chunk.toString()));
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
  test("gives a reply whole that comes in pieces, whatever is read between them", async () => {
    const texts = ["é".repeat(50_000), "x".repeat(200_000), "short"];
    await using server = await listen((socket) => {
      const bytes = Buffer.from(texts.map(bulk).join(""));
      // Each piece is read by itself: the next one goes once the other side's acknowledgement lets it.
      const send = (at: number): void => {
        if (at >= bytes.length) return;
        socket.write(bytes.subarray(at, at + 7_777), () => setImmediate(send, at + 7_777));
      };
      send(0);
    });
    const redis = connectTo(server.port);

    const replies = await redis.pipeline().get("a").get("b").get("c").exec();

    expect(replies).toEqual(texts.map((text) => [null, text]));
    redis.disconnect();
  });

  test("keeps no part of what it has read in the buffer that the next is read into", async () => {
    await using server = await listen((socket, asked) => {
      for (const key of asked.match(/key\d+/g) ?? []) socket.write(bulk(key.repeat(20)));
    });
    const redis = connectTo(server.port);

    const kept: Buffer[] = [];
    for (let i = 0; i < 50; i += 1) kept.push((await redis.getBuffer(`key${i}`)) as Buffer);

    expect(kept.map(String)).toEqual(kept.map((_, i) => `key${i}`.repeat(20)));
    redis.disconnect();
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

function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}
