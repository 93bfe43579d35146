import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { fastify } from "fastify";
import { ServiceError } from "@kato-rpc/shared/errors.ts";
import { LIMITS } from "@kato-rpc/shared/limits.ts";
import type { Config } from "../config.ts";
import { OpenAnswers } from "./open-answers.ts";
import type { FailedRequest } from "./request-errors.ts";
import {
  answerOnSocket,
  hostMissing,
  letFinishSending,
  over,
  requestError,
} from "./request-errors.ts";
import { requestIdOf } from "./request-id.ts";
import type { RpcDispatch } from "./rpc-dispatch.ts";
import { sendAnswers } from "./rpc-route.ts";
import type { Serving } from "./serving.ts";

/** Within this a request must have arrived whole. */
const REQUEST_TIMEOUT_MS = 60_000;

function refuseSchema(): never {
  throw new Error("a route has a schema: inputs are validated by the procedures");
}

/** In place of compilers that Fastify would load at each start. */
const NO_SCHEMAS = {
  compilersFactory: {
    buildValidator: () => refuseSchema,
    buildSerializer: () => refuseSchema,
  },
};

/** Fastify without routes, its own and Node's refusals turned into errors of the catalogue. */
export function createHttp(
  config: Pick<Config, "keepAliveSeconds">,
  { dispatch, serving }: { dispatch: RpcDispatch; serving: Serving },
): { http: FastifyInstance; answers: OpenAnswers } {
  const refuse = (error: FailedRequest, request: FastifyRequest, reply: FastifyReply) => {
    const requestId = request.id;
    const refusal = error instanceof ServiceError ? error : (requestError(error) ?? error);
    letFinishSending(request.raw);
    // Not by the reply: Fastify has asked there to close the connection, though the client may still be sending.
    const answers = [dispatch.refuse(refusal, requestId)];
    sendAnswers(reply, { answers, isBatch: false, requestId });
  };
  const http = fastify({
    logger: false,
    genReqId: ({ headers }) => requestIdOf(headers),
    bodyLimit: LIMITS.requestBodyBytes.max,
    keepAliveTimeout: config.keepAliveSeconds * 1_000,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: "idle",
    // While draining, the routes themselves say so, each in its own form.
    return503OnClosing: false,
    schemaController: NO_SCHEMAS,
    // Node would refuse a request without Host in its own form; the hook below does it in ours.
    http: { maxHeaderSize: LIMITS.headerBytes.max, requireHostHeader: false },
    frameworkErrors: refuse,
    clientErrorHandler(error, socket) {
      const refusal = requestError(error);
      // A connection that was reset, or that never sent a request, has nobody to answer.
      if (refusal === undefined) {
        socket.destroy();
        return;
      }
      const requestId = requestIdOf({});
      const answer = dispatch.refuse(refusal, requestId);
      answers.afterWhole(socket, () => answerOnSocket(socket, answer, requestId));
    },
  });
  const answers = new OpenAnswers(http.server, serving);
  // A server may overlook what a client expects; Node would answer 417 without a body.
  http.server.on("checkExpectation", http.routing);
  http.addHook("onRequest", ({ raw }, _reply, done) => {
    if ((raw.url?.length ?? 0) > LIMITS.urlCharacters.max) done(over("urlCharacters"));
    else if (raw.headers.host === undefined && raw.httpVersion === "1.1") done(hostMissing());
    else done();
  });
  http.setErrorHandler(refuse);
  http.setNotFoundHandler((request, reply) => refuse(nothingAt(request), request, reply));
  return { http, answers };
}

function nothingAt({ method, raw }: FastifyRequest): ServiceError {
  const path = raw.url?.split("?")[0] ?? "";
  return new ServiceError(
    "PROCEDURE_NOT_FOUND",
    `there is nothing at ${method} ${JSON.stringify(path.slice(0, 100))}: procedures are called at /trpc/<name>, ` +
      "queries by GET and mutations by POST; besides there are GET /health, /ready and /metrics",
  );
}
