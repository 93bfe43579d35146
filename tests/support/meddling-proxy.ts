import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export type ProxiedRequest = { path: string; body: string };
export type ProxiedAnswer = { status: number; body: string };

/** Decides what comes of a request; `forward` has the service answer it, each time it is called. */
export type Meddle = (
  request: ProxiedRequest,
  forward: () => Promise<ProxiedAnswer>,
) => Promise<ProxiedAnswer>;

export type MeddlingProxy = { url: string; [Symbol.asyncDispose](): Promise<void> };

/** Stands between a client and the service at `target`, and does there what services must not do. */
export async function startMeddlingProxy(target: string, meddle: Meddle): Promise<MeddlingProxy> {
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request);
    const forward = () => forwardTo(target, request, body);
    const answer = await meddle({ path: request.url ?? "", body }, forward);
    response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
  };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => request.socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function forwardTo(
  target: string,
  { method = "GET", url = "", headers }: IncomingMessage,
  body: string,
): Promise<ProxiedAnswer> {
  const requestId = headers["x-request-id"];
  const answer = await fetch(`${target}${url}`, {
    method,
    headers: {
      "content-type": "application/json",
      ...(typeof requestId === "string" ? { "x-request-id": requestId } : {}),
    },
    ...(method === "POST" ? { body } : {}),
  });
  return { status: answer.status, body: await answer.text() };
}
