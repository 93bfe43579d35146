import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { buffer } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import type { FaultProxy } from "../support/faults/fault-proxy.ts";
import { openFaultProxy } from "../support/faults/fault-proxy.ts";
import { waitFor } from "../support/wait-for.ts";

type Echo = {
  port: number;
  /** Every byte that came, over all connections. */
  received(): string;
  /** What befell its connections, in the order of events. */
  events: string[];
  [Symbol.asyncDispose](): Promise<void>;
};

/** Answers everything with itself between brackets, and ends when its client does. */
async function startEcho(): Promise<Echo> {
  const chunks: Buffer[] = [];
  const events: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("data", (bytes: Buffer) => {
      chunks.push(bytes);
      socket.write(`<${bytes.toString()}>`);
    });
    socket.on("end", () => {
      events.push("end");
      socket.end();
    });
    socket.on("error", (error) => events.push((error as NodeJS.ErrnoException).code ?? ""));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    received: () => Buffer.concat(chunks).toString(),
    events,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}

class Client implements Disposable {
  readonly socket: Socket;
  text = "";
  events: string[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes) => (this.text += bytes.toString()));
    socket.on("end", () => this.events.push("end"));
    socket.on("error", (error) => this.events.push((error as NodeJS.ErrnoException).code ?? ""));
  }

  /** Sends, and waits until so much of the answer has come. */
  async ask(text: string, answer = `<${text}>`): Promise<number> {
    const startedAt = performance.now();
    const before = this.text.length;
    this.socket.write(text);
    await waitFor(() => this.text.slice(before).includes(answer), { what: answer, intervalMs: 1 });
    return performance.now() - startedAt;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

async function connectTo(proxy: FaultProxy): Promise<Client> {
  const socket = connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true });
  await once(socket, "connect");
  return new Client(socket);
}

describe("a proxy without faults", () => {
  test("forwards 8 MB unchanged both ways, and the end of a stream", async () => {
    const sent = Buffer.from(Array.from({ length: 8_000_000 }, (_, i) => (i * 7 + (i >> 8)) & 255));
    const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    await using proxy = await openFaultProxy({ port: (server.address() as AddressInfo).port });
    using client = await connectTo(proxy);
    client.socket.removeAllListeners("data");

    const received = buffer(client.socket);
    client.socket.end(sent);

    expect((await received).equals(sent)).toBe(true);
    await waitFor(() => proxy.connectionCount === 0, { what: "the connection to be let go" });
    expect(proxy.tally.total).toBe(0);
    server.close();
  });

  test("resets a client whose server does not listen", async () => {
    await using proxy = await openFaultProxy({ port: await unusedPort() });
    using client = await connectTo(proxy);

    await waitFor(() => client.events.includes("ECONNRESET"), { what: "the reset" });
  });
});

describe("a proxy", () => {
  test("delays bytes by the latency and at most its jitter, in order", async () => {
    await using echo = await startEcho();
    await using proxy = await openFaultProxy({ port: echo.port });
    using client = await connectTo(proxy);

    proxy.set({ direction: "down", latencyMs: 80, jitterMs: 40 });
    const tookMs = await client.ask("a");
    for (const text of "bcdefghij") {
      client.socket.write(text);
      await waitFor(() => echo.received().endsWith(text), { what: text, intervalMs: 1 });
    }
    await waitFor(() => client.text.endsWith("<j>"), { what: "the last answer" });

    expect(tookMs).toBeGreaterThanOrEqual(79);
    expect(client.text).toBe("<a><b><c><d><e><f><g><h><i><j>");
    expect(proxy.tally.rows()).toEqual([["latency", 1]]);
  });

  test("adds the latency once to bytes sent together, not once for each chunk", async () => {
    await using echo = await startEcho();
    await using proxy = await openFaultProxy({ port: echo.port });
    using client = await connectTo(proxy);
    proxy.set({ direction: "down", latencyMs: 300 });

    const startedAt = performance.now();
    for (const text of "abcdefghijklmnopqrst") {
      client.socket.write(text);
      await waitFor(() => echo.received().endsWith(text), { what: text, intervalMs: 1 });
    }
    await waitFor(() => client.text.includes("t>"), { what: "all answers" });

    expect(performance.now() - startedAt).toBeLessThan(20 * 300);
  });

  test("keeps to a bandwidth", async () => {
    await using echo = await startEcho();
    await using proxy = await openFaultProxy({ port: echo.port });
    using client = await connectTo(proxy);
    proxy.set({ direction: "up", bytesPerSecond: 20_000 });

    const startedAt = performance.now();
    client.socket.write("x".repeat(10_000));
    await waitFor(() => echo.received().length === 10_000, { what: "all bytes" });

    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(450);
    expect(proxy.tally.rows()).toEqual([["bandwidth", 1]]);
  });

  test("swallows bytes and keeps the connection open, until it is reset when the fault is lifted", async () => {
    await using echo = await startEcho();
    await using proxy = await openFaultProxy({ port: echo.port });
    using client = await connectTo(proxy);
    using other = await connectTo(proxy);
    await Promise.all([client.ask("before"), other.ask("other")]);

    proxy.set({ direction: "up", drops: true });
    client.socket.write("lost");
    await waitFor(() => proxy.tally.of("drop") === 1, { what: "the bytes to be dropped" });
    expect(client.events).toEqual([]);
    proxy.clear();
    await waitFor(() => client.events.includes("ECONNRESET"), { what: "the reset" });

    expect(await other.ask("still")).toBeGreaterThan(0);
    expect(echo.received()).not.toContain("lost");
  });

  test("swallows replies to requests that arrive", async () => {
    await using echo = await startEcho();
    await using proxy = await openFaultProxy({ port: echo.port });
    using client = await connectTo(proxy);

    proxy.set({ direction: "down", drops: true });
    client.socket.write("done");
    await waitFor(() => proxy.tally.of("drop") === 1, { what: "the reply to be dropped" });

    expect(echo.received()).toBe("done");
    expect(client.text).toBe("");
  });

  test("accepts connections while it swallows all they send", async () => {
    await using echo = await startEcho();
    await using proxy = await openFaultProxy({ port: echo.port });

    proxy.set({ drops: true });
    using client = await connectTo(proxy);
    client.socket.end("lost");
    await waitFor(() => proxy.tally.of("drop") === 1, { what: "the bytes to be dropped" });

    expect(client.events).toEqual([]);
    expect(echo.events).toEqual([]);
    expect(echo.received()).toBe("");
  });

  test("holds everything back while it stalls, and goes on with all of it", async () => {
    await using echo = await startEcho();
    await using proxy = await openFaultProxy({ port: echo.port });
    using client = await connectTo(proxy);
    using free = await connectTo(proxy);
    await client.ask("a");

    proxy.stall("up");
    client.socket.write("b");
    await waitFor(() => proxy.tally.of("stall") === 1, { what: "the bytes to be held" });
    client.socket.end("c");
    free.socket.write("d");
    await waitFor(() => proxy.tally.of("stall") === 2, { what: "the other bytes to be held" });
    expect(echo.received()).toBe("a");
    proxy.clear();

    await waitFor(() => client.events.includes("end"), { what: "the end" });
    // Where a chunk begins is the network's business.
    expect(client.text.replaceAll(/[<>]/g, "")).toBe("abc");
    await waitFor(() => free.text === "<d>", { what: "the other answer" });
  });

  test("holds no more than about a megabyte: the sender has to wait", async () => {
    let receivedBytes = 0;
    const server = createServer((socket) => {
      socket.on("data", ({ length }) => (receivedBytes += length));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    await using proxy = await openFaultProxy({ port: (server.address() as AddressInfo).port });
    using client = await connectTo(proxy);
    const megabytes = 64;
    let sent = 0;
    const send = () => {
      client.socket.write(Buffer.alloc(1_000_000), () => {
        sent += 1;
        if (sent < megabytes) send();
      });
    };

    proxy.stall();
    send();
    let before = -1;
    const isStill = () => {
      const isSame = sent === before;
      before = sent;
      return isSame;
    };
    await waitFor(isStill, { what: "the sender to wait", intervalMs: 200 });
    const accepted = sent;
    proxy.clear();

    // The buffers of the kernel come on top.
    expect(accepted).toBeLessThan(megabytes / 2);
    await waitFor(() => receivedBytes === megabytes * 1_000_000, { what: "the rest" });
    server.close();
  });

  test("resets every connection at both ends", async () => {
    await using echo = await startEcho();
    await using proxy = await openFaultProxy({ port: echo.port });
    using client = await connectTo(proxy);
    await client.ask("a");

    proxy.resetAll();

    await waitFor(() => client.events.includes("ECONNRESET"), { what: "the client's reset" });
    await waitFor(() => echo.events.includes("ECONNRESET"), { what: "the server's reset" });
    expect(proxy.tally.rows()).toEqual([["reset", 1]]);
    expect(proxy.connectionCount).toBe(0);
  });

  test("closes the way down while the way up stays open", async () => {
    await using echo = await startEcho();
    await using proxy = await openFaultProxy({ port: echo.port });
    using client = await connectTo(proxy);
    await client.ask("a");

    proxy.halfCloseAll("down");
    await waitFor(() => client.events.includes("end"), { what: "the end of replies" });
    client.socket.write("b");
    await waitFor(() => echo.received() === "ab", { what: "what is sent after it" });

    expect(client.text).toBe("<a>");
    expect(echo.events).toEqual([]);
    expect(proxy.tally.rows()).toEqual([["half-close", 1]]);
  });

  test("closes the way up while the way down stays open", async () => {
    await using echo = await startEcho();
    await using proxy = await openFaultProxy({ port: echo.port });
    using client = await connectTo(proxy);

    proxy.halfCloseAll("up");

    await waitFor(() => echo.events.includes("end"), { what: "the end of requests" });
    await waitFor(() => client.events.includes("end"), { what: "the server's answer to that" });
    expect(client.events).toEqual(["end"]);
  });

  test("cuts a connection between the work of the server and its reply", async () => {
    await using echo = await startEcho();
    await using proxy = await openFaultProxy({ port: echo.port });
    using client = await connectTo(proxy);
    using other = await connectTo(proxy);
    await client.ask("a");

    proxy.cutReplies({ afterBytes: 0 });
    client.socket.write("commit");
    await waitFor(() => client.events.includes("ECONNRESET"), { what: "the cut" });

    expect(echo.received()).toBe("acommit");
    expect(client.text).toBe("<a>");
    await other.ask("b");
    expect(proxy.tally.rows()).toEqual([["cut reply", 1]]);
  });

  test("cuts a connection in the midst of a reply", async () => {
    await using echo = await startEcho();
    await using proxy = await openFaultProxy({ port: echo.port });
    using client = await connectTo(proxy);
    proxy.set({ direction: "down", latencyMs: 20 });

    proxy.cutReplies({ afterBytes: 4 });
    client.socket.write("commit");
    await waitFor(() => client.events.includes("end"), { what: "the cut" });

    expect(echo.received()).toBe("commit");
    expect(client.text).toBe("<com");
  });

  test("cuts as many replies as it is told, and only those to requests with a text", async () => {
    await using echo = await startEcho();
    await using proxy = await openFaultProxy({ port: echo.port });
    const clients = await Promise.all(Array.from({ length: 4 }, () => connectTo(proxy)));

    proxy.cutReplies({ afterBytes: 0, count: 2, following: "write" });
    await clients[0]!.ask("read");
    for (const client of clients.slice(1, 3)) {
      client.socket.write("write");
      await waitFor(() => client.events.includes("ECONNRESET"), { what: "the cut" });
    }
    await clients[3]!.ask("write");
    await clients[0]!.ask("read");

    expect(proxy.tally.rows()).toEqual([["cut reply", 2]]);
    for (const client of clients) client[Symbol.dispose]();
  });
});

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
