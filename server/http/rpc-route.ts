import type { OutgoingHttpHeaders } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ServiceError } from "@kato-rpc/shared/errors.ts";
import { jsonLinesOf, wantsJsonLines } from "./json-lines.ts";
import type { LoadShedding } from "./load-shedding.ts";
import { letFinishSending } from "./request-errors.ts";
import type { Answer } from "./answers.ts";
import type { RpcDispatch } from "./rpc-dispatch.ts";
import type { RpcRequest } from "./rpc-request.ts";
import { namesInBatch, readRpcRequest } from "./rpc-request.ts";
import type { Serving } from "./serving.ts";

const PREFIX = "/trpc/";

export type RpcParts = { dispatch: RpcDispatch; shedding: LoadShedding; serving: Serving };

/** tRPC's wire at `/trpc/…`; the body stays bytes until the dispatch reads it. */
export function mountRpc(app: FastifyInstance, { dispatch, shedding, serving }: RpcParts): void {
  // Fastify's own would take text/plain as well, and hand it on as text.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) => {
    done(null, body);
  });
  app.route({
    method: ["GET", "POST"],
    // A parameter would be limited to 100 characters, and so a batch to some seven calls.
    url: `${PREFIX}*`,
    onRequest: (request, reply, done) => {
      if (serving.isDraining) return done();
      const requestId = request.id;
      const isBatch = isBatchOf(request);
      const path = pathOf(request);
      // Before its body is read, and before it is refused with as many answers as it has calls.
      if (isBatch) namesInBatch(path);
      const answers = shedding.refuse({ method: request.method, path, isBatch }, requestId);
      if (answers === undefined) return done();
      letFinishSending(request.raw);
      send(request, reply, { answers, isBatch, requestId });
    },
    // Without a promise of its own: Fastify would wait for it, and then for the reply that it gives.
    handler: (request, reply) => {
      const requestId = request.id;
      const answer = (answers: Answer[], isBatch: boolean) =>
        send(request, reply, { answers, isBatch, requestId });
      let rpc: RpcRequest;
      try {
        if (serving.isDraining) throw shuttingDown();
        rpc = readRpcRequest({
          method: request.method,
          path: pathOf(request),
          query: request.query as Record<string, unknown>,
          body: request.body as Buffer | undefined,
        });
      } catch (error) {
        answer([dispatch.refuse(error, requestId)], false);
        return;
      }
      const { isBatch } = rpc;
      dispatch.answer(rpc, requestId, {
        answered: (answers) => answer(answers, isBatch),
        failed: (bug) => void reply.send(bug),
      });
    },
  });
}

type Answered = { answers: Answer[]; isBatch: boolean; requestId: string };

function send(request: FastifyRequest, reply: FastifyReply, answered: Answered): void {
  if (answered.isBatch && wantsJsonLines(request.headers)) {
    sendJsonLines(reply, answered);
  } else {
    sendAnswers(reply, answered);
  }
}

/** Like tRPC: 200, as what the calls will be answered is not known when a stream begins. */
function sendJsonLines(reply: FastifyReply, { answers, requestId }: Answered): void {
  void reply
    .code(200)
    .header("content-type", "application/json; charset=utf-8")
    .header("x-request-id", requestId)
    .send(jsonLinesOf(answers));
}

function isBatchOf(request: FastifyRequest): boolean {
  return (request.query as Record<string, unknown>)["batch"] === "1";
}

/**
 * The URL's path after the prefix, still percent-encoded: the router's own parameter is decoded and
 * bounded. What stands before the prefix is a proxy's `http://host`.
 */
function pathOf({ raw: { url = "" } }: FastifyRequest): string {
  const start = url.indexOf(PREFIX) + PREFIX.length;
  const end = url.indexOf("?");
  return url.slice(start, end < 0 ? undefined : end);
}

export function shuttingDown(): ServiceError {
  return new ServiceError(
    "SHUTTING_DOWN",
    "this worker is draining: repeat the call, another one takes it",
    {
      retryAfterMs: 200,
    },
  );
}

/**
 * Like tRPC: a batch whose answers differ in status is 207. Written to Node's response, since to the finished text of an
 * answer Fastify's way of a reply adds nothing but its time.
 */
export function sendAnswers(reply: FastifyReply, { answers, isBatch, requestId }: Answered): void {
  const [first] = answers;
  const status = first?.httpStatus ?? 200;
  let isUniform = true;
  let waitMs = 0;
  for (const { httpStatus, retryAfterMs = 0 } of answers) {
    if (httpStatus !== status) isUniform = false;
    if (retryAfterMs > waitMs) waitMs = retryAfterMs;
  }
  const body = isBatch
    ? `[${answers.map((answer) => answer.json).join(",")}]`
    : (first?.json ?? "");
  const head: OutgoingHttpHeaders = {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    "x-request-id": requestId,
  };
  if (waitMs > 0) head["retry-after"] = String(Math.ceil(waitMs / 1_000));
  const response = reply.raw.writeHead(isUniform ? status : 207, head);
  reply.hijack();
  response.end(body);
}
