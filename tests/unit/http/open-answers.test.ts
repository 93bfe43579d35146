import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { OpenAnswers } from "../../../server/http/open-answers.ts";
import { Serving } from "../../../server/http/serving.ts";
import { waitFor } from "../../support/wait-for.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const REQUEST = "GET / HTTP/1.1\r\nhost: kato\r\n\r\n";
const UNFINISHED = "POST / HTTP/1.1\r\nhost: kato\r\ncontent-length: 10\r\n\r\n{";

/** A server that answers when the test does, and clients that send what they are told to. */
async function openServer() {
  const server = createServer();
  const responses: ServerResponse[] = [];
  const answers = new OpenAnswers(server, new Serving());
  server.on("request", (_, response) => responses.push(response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    server,
    answers,
    responses,
    /** Sends `text`, and waits until the server has seen so many requests in all. */
    async send(text: string, requests: number) {
      const socket = connect(port, "127.0.0.1");
      let received = "";
      socket.on("data", (chunk) => (received += String(chunk)));
      socket.write(text);
      await waitFor(() => responses.length === requests, { what: `${requests} requests` });
      return { socket, received: () => received };
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function until(condition: () => boolean): Promise<unknown> {
  return waitFor(condition, { what: "the server to see an answer or a connection end" });
}

describe("open answers", () => {
  it("counts what connections wait for, until it is answered or they are gone", async () => {
    await using it = await openServer();
    await it.send(REQUEST + REQUEST, 2);
    const { socket } = await it.send(REQUEST, 3);
    expect(it.answers.count).toBe(3);

    it.responses[0]?.end("first");
    await until(() => it.answers.count === 2);

    socket.destroy();
    await until(() => it.answers.count === 1);

    it.responses[1]?.end("second");
    await until(() => it.answers.count === 0);
  });

  it("lets go of a connection that has closed", async () => {
    await using it = await openServer();
    const { socket: client } = await it.send(REQUEST, 1);
    it.responses[0]?.end();
    await until(() => it.answers.count === 0);
    const connection = new WeakRef(it.responses.splice(0)[0]?.req.socket ?? {});

    client.destroy();

    await until(() => {
      collectGarbage();
      return connection.deref() === undefined;
    });
  });

  it("takes none for accepted that comes while the server drains", async () => {
    await using it = await openServer();
    await it.send(REQUEST, 1);

    it.answers.change("draining");
    await it.send(REQUEST, 2);

    expect(it.answers.count).toBe(2);
    expect(it.answers.accepted).toBe(1);
    it.responses[0]?.end();
    await until(() => it.answers.accepted === 0);
    expect(it.answers.count).toBe(1);
  });

  it("closes a connection after the newest of its answers, and not before", async () => {
    await using it = await openServer();
    const { received, socket } = await it.send(REQUEST + REQUEST, 2);

    it.answers.change("leaving");
    it.responses[0]?.end("first");
    it.responses[1]?.end("second");
    await once(socket, "close");

    expect(received()).toMatch(/first[^]*connection: close[^]*second/i);
    expect(received().match(/connection: close/gi)).toHaveLength(1);
  });

  it("closes connections whose requests come once it leaves", async () => {
    await using it = await openServer();
    it.answers.change("leaving");
    const { received, socket } = await it.send(REQUEST + REQUEST, 2);
    it.responses[0]?.end("first");
    it.responses[1]?.end("second");
    await once(socket, "close");

    expect(received().match(/connection: close/gi)).toHaveLength(1);
    expect(received()).toContain("second");
  });

  it("lets a refusal wait for the answers before it, not for a request that has not come whole", async () => {
    await using it = await openServer();
    await it.send(REQUEST + REQUEST + UNFINISHED, 3);
    const [first, second, unfinished] = it.responses;
    const socket = first?.req.socket;
    if (socket === undefined) throw new Error("no connection");
    let isDue = false;

    it.answers.afterWhole(socket, () => (isDue = true));
    first?.end();
    await until(() => it.answers.count === 2);
    expect(isDue).toBe(false);
    second?.end();
    await until(() => isDue);

    expect(unfinished?.headersSent).toBe(false);
    it.answers.afterWhole(socket, () => (isDue = false));
    expect(isDue).toBe(false);
  });
});
