import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A request on its way through the proxy; `nth` counts from 1 those with the same path. */
export type Passing = { path: string; nth: number };

export type LossyProxy = {
  url: string;
  /** The bodies that went through, in order. */
  bodies: string[];
  [Symbol.asyncDispose](): Promise<void>;
};

/**
 * Forwards HTTP requests to `target`. Where `loses` says so, the service does its work and answers,
 * but the client's connection is cut before it hears of it.
 */
export async function startLossyProxy(
  target: string,
  loses: (passing: Passing) => boolean,
): Promise<LossyProxy> {
  const bodies: string[] = [];
  const counts = new Map<string, number>();
  const forward = async (request: IncomingMessage, response: ServerResponse) => {
    const path = (request.url ?? "").split("?")[0] ?? "";
    const nth = (counts.get(path) ?? 0) + 1;
    counts.set(path, nth);
    const body = await readAll(request);
    bodies.push(body);
    const answer = await fetch(`${target}${request.url}`, {
      method: request.method ?? "GET",
      headers: {
        "content-type": "application/json",
        "x-request-id": String(request.headers["x-request-id"]),
      },
      ...(request.method === "POST" ? { body } : {}),
    });
    const text = await answer.text();
    if (loses({ path, nth })) request.socket.destroy();
    else response.writeHead(answer.status, { "content-type": "application/json" }).end(text);
  };
  const server = createServer((request, response) => {
    forward(request, response).catch(() => request.socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
