/**
 * What HTTP and JSON cost by themselves: node:http that takes an observation into memory, without a framework, a store,
 * validation or limits. Prints its address.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";

const times = new Map<string, number>();

const server = createServer((request, response) => {
  if (request.url === "/create") {
    const sessionId = randomUUID();
    times.set(sessionId, 0);
    reply(response, { sessionId });
  } else {
    readJson(request, (body) => {
      const { sessionId } = body as { sessionId: string };
      const time = (times.get(sessionId) ?? 0) + 1;
      times.set(sessionId, time);
      reply(response, { sessionId, time });
    });
  }
});

// As long as the others do: many connections are idle where a few answer all, and calls would meet one that is closed.
server.keepAliveTimeout = 72_000;

function readJson(request: IncomingMessage, onBody: (body: unknown) => void): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => onBody(JSON.parse(Buffer.concat(chunks).toString("utf8"))));
}

function reply(response: ServerResponse, content: unknown): void {
  const body = JSON.stringify(content);
  response.writeHead(200, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}

server.listen({ port: 0, host: "127.0.0.1", backlog: 2_048 }, () => {
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  process.stdout.write(`peer on http://127.0.0.1:${port}\n`);
});
